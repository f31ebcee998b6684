//! Reads of resolved views.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use super::{Setting, reveal::revealed_view};
use crate::{
    history::{chain, chain_as_of},
    op::Resolve,
    plan::{DiffLine, Reply, ViewReply},
    record::Record,
    sight::Sight,
    store::{AsOf, Reads, links, resolve_records},
};
use nacre_layers::{
    address::Address,
    cut::cut,
    diff,
    error::{Code, Error, Result},
    explain::explain_bounded,
    layer::Layer,
    pointer::Pointer,
    resolve,
};

pub(super) fn resolve(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    sight: &dyn Sight,
    op: &Resolve,
) -> Result<Reply> {
    let seq = reads.seq()?;
    let (chain, view) = match op.as_of {
        None => {
            let chain = sight.chain(chain(reads, &op.address)?, None)?;
            let view = reads.view(&chain)?;
            (chain, view)
        }
        Some(at) => {
            let chain = past_chain(reads, sight, &op.address, at)?;
            let view = resolve_records(&chain);
            (chain, view)
        }
    };
    let mut shown = if op.reveal { Some(revealed_view(reads, setting, &chain)?) } else { None };
    if let Some(path) = &op.path {
        let whole = shown.as_deref().unwrap_or(&view.text);
        let part = cut(whole, path).ok_or_else(|| {
            Error::new(Code::NotFound, "the view has no value at this path").at(path.as_str())
        })?;
        shown = Some(part.to_vec());
    }
    let mut explanation = op.explain.then(|| explain_bounded(&links(&chain))).transpose()?;
    if let (Some(explanation), Some(path)) = (&mut explanation, &op.path) {
        let within = |pointer: &str| {
            pointer
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        explanation.origins.retain(|origin| within(&origin.pointer));
        explanation.ignored.retain(|ignored| within(&ignored.pointer));
    }
    let seq = match op.as_of {
        Some(AsOf::Seq(at)) => at,
        _ => seq,
    };
    let address = op.address.clone();
    Ok(Reply::View(Box::new(ViewReply { address, seq, chain, view, shown, explanation })))
}

pub(super) fn diff(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
    from: AsOf,
    to: Option<AsOf>,
) -> Result<Reply> {
    let before = past_chain(reads, sight, address, from)?;
    let after = match to {
        Some(to) => past_chain(reads, sight, address, to)?,
        None => sight.chain(chain(reads, address)?, None)?,
    };
    let text = |chain: &[Rc<Record>]| Layer::from_canonical(resolve::resolve(&links(chain)));
    let patch = diff::diff(&text(&before)?, &text(&after)?)?;
    let lines = patch.operations.into_iter().map(|operation| {
        let layers = responsible(&before, &after, operation.path());
        DiffLine { operation, layers }
    });
    Ok(Reply::Diff(lines.collect()))
}

/// The layers whose value at a path has changed, or that are new in the chain.
fn responsible(before: &[Rc<Record>], after: &[Rc<Record>], path: &Pointer) -> Vec<(Address, u64)> {
    let find = |chain: &[Rc<Record>], address: &Address| {
        chain.iter().find(|record| record.address == *address).cloned()
    };
    let mut layers = Vec::new();
    let gone = before.iter().filter(|record| find(after, &record.address).is_none());
    for record in after.iter().chain(gone) {
        let old = find(before, &record.address);
        let new = find(after, &record.address);
        let held = |record: &Option<Rc<Record>>| {
            record.as_ref().and_then(|record| held_at(&record.layer, path))
        };
        let rules =
            |record: &Option<Rc<Record>>| record.as_ref().map(|record| record.rules.clone());
        if held(&old) != held(&new)
            || (old.is_some() && new.is_some() && rules(&old) != rules(&new))
        {
            layers.push((record.address.clone(), record.version));
        }
    }
    layers
}

/// The value that a layer has at a path. Inside an array it is the whole array, and below another
/// value that value: a layer replaces these as a whole.
fn held_at(layer: &Layer, path: &Pointer) -> Option<Vec<u8>> {
    let mut at = Pointer::root();
    for token in path.tokens() {
        if !layer.get(&at)?.starts_with(b"{") {
            break;
        }
        at.push(&token);
    }
    layer.get(&at).map(<[u8]>::to_vec)
}

fn past_chain(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
    at: AsOf,
) -> Result<Vec<Rc<Record>>> {
    sight.chain(chain_as_of(reads, address, at)?, Some(at))
}
