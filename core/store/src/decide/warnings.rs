//! Warnings about writes that are done and may surprise: the `notices` of answers.

use alloc::{format, rc::Rc, string::String, vec::Vec};
use core::ops::ControlFlow;

use super::draft::{Draft, Made};
use crate::{
    limits,
    plan::Warning,
    record::{Record, State},
    seal::Purpose,
    store::links,
};
use nacre_layers::{
    error::Result,
    explain::explain_bounded,
    layer::Layer,
    level::LAYERS,
    locks::breaches,
    pointer::Pointer,
    resolve::Link,
    rules::Scope,
    twins::{may_have_twins, visit_twins},
    value::SEALED,
};

/// Notes what a change may surprise with.
pub(super) fn warn(draft: &mut Draft<'_, '_>, made: &Made<'_>) -> Result<()> {
    // A preview answers without warnings.
    let Some(above) = made.above.filter(|_| draft.purpose == Purpose::Store) else {
        return Ok(());
    };
    let done = Done { made, above };
    let mut found = Vec::new();
    if made.may_break_locks {
        ignored_by_lock(&done, &mut found);
    }
    duplicate_keys(&done, &mut found);
    // An import sets up what its author knows; hundreds of such notices would help nobody.
    if !draft.imports {
        let seen = draft.asker.sight.above(above.to_vec());
        hides_inherited(&seen, made, &mut found)?;
    }
    found.truncate(limits::WARNINGS);
    draft.warnings.extend(found);
    Ok(())
}

/// A change of a context that stays, with the chain above.
struct Done<'m> {
    made: &'m Made<'m>,
    above: &'m [Rc<Record>],
}

fn ignored_by_lock(done: &Done<'_>, found: &mut Vec<Warning>) {
    let Some(scope) = scope(done) else { return };
    for breach in breaches(&scope, done.above.len(), &done.made.state.layer) {
        let by = done.above.get(breach.locker());
        let by = by.map_or_else(String::new, |record| format!(" {}", record.address));
        let detail = format!("{} has a value here that the lock of{by} ignores", done.made.address);
        found.push(Warning { code: "ignored-by-lock", pointer: breach.pointer, detail });
    }
}

fn duplicate_keys(done: &Done<'_>, found: &mut Vec<Warning>) {
    let above = done.above.iter().map(|record| &*record.rules);
    if !may_have_twins(above.chain([&*done.made.state.rules])) {
        return;
    }
    let Some(scope) = scope(done) else { return };
    let _ = visit_twins(&scope, done.above.len(), &done.made.state.layer, &mut |pointer| {
        let detail = "a later item of the list has the same key and hides this one".into();
        found.push(Warning { code: "duplicate-key", pointer: pointer.as_str().into(), detail });
        match found.len() < limits::WARNINGS {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
}

/// The rules that hold for the written layer.
fn scope<'d>(done: &'d Done<'d>) -> Option<Scope<'d>> {
    let above = done.above.iter().map(|record| &*record.rules);
    Scope::of_chain(above.chain([&*done.made.state.rules]))
}

/// Notes the lists and objects above that the layer hides now, and did not before. A sealed value is
/// neither.
fn hides_inherited(above: &[Rc<Record>], made: &Made<'_>, found: &mut Vec<Warning>) -> Result<()> {
    // Most writes meet nothing above. To find out costs no more than a look.
    let meets =
        made.patch.operations.iter().any(|operation| holds_container(above, operation.path()));
    let same_rules = made.before.is_some_and(|before| before.rules == made.state.rules);
    if above.is_empty() || (!meets && same_rules) {
        return Ok(());
    }
    let before = match made.before {
        Some(before) => hidden(above, before)?,
        None => Vec::new(),
    };
    for (pointer, by) in hidden(above, made.state)? {
        if before.iter().any(|(known, _)| *known == pointer) {
            continue;
        }
        let Some(layer) = above.get(by) else { continue };
        let detail = format!(
            "{} now hides what {} has here; the rule `append`, `union`, `keyed` or `deep` would \
             merge both",
            made.address, layer.address
        );
        found.push(Warning { code: "hides-inherited", pointer, detail });
    }
    Ok(())
}

/// The lists and objects above that a state of the lowest layer hides, each with the layer that it
/// is from.
fn hidden(above: &[Rc<Record>], state: &State) -> Result<Vec<(String, usize)>> {
    let mut chain = links(above);
    chain.push(Link { layer: &state.layer, rules: &state.rules });
    let own = above.len();
    let mut hidden = Vec::new();
    // A warning is a help: a view that is too large to explain refuses no write.
    let Ok(explanation) = explain_bounded(&chain, &Pointer::root(), [0; LAYERS]) else {
        return Ok(hidden);
    };
    for origin in explanation.origins {
        if origin.layer != own {
            continue;
        }
        let pointer = Pointer::parse(&origin.pointer)?;
        let is_container = |layer: &u8| {
            let record = above.get(usize::from(*layer));
            record.is_some_and(|record| is_container(&record.layer, &pointer))
        };
        if let Some(layer) = origin.shadowed.iter().copied().find(is_container) {
            hidden.push((origin.pointer, usize::from(layer)));
        }
    }
    Ok(hidden)
}

fn holds_container(above: &[Rc<Record>], pointer: &Pointer) -> bool {
    above.iter().any(|record| is_container(&record.layer, pointer))
}

fn is_container(layer: &Layer, pointer: &Pointer) -> bool {
    let text = layer.get(pointer).unwrap_or_default();
    let is_marker = text.get(2..).is_some_and(|rest| rest.starts_with(SEALED.as_bytes()));
    text.len() > 2 && !is_marker && (text.starts_with(b"[") || text.starts_with(b"{"))
}
