//! Finds items of one layer that a `keyed` rule takes for one: the later hides the earlier.

use alloc::{string::String, vec::Vec};

use core::ops::ControlFlow;

use crate::{
    layer::{Content, Layer, Member},
    merge::{item_key, names},
    pointer::Pointer,
    ruled::{Ruled, visit_ruled},
    rules::{Rule, Rules, Scope},
    sort::{distinct, sort_by},
};

/// Visits the items of the layer `of` that a later item with the same key hides, until `visit` wants
/// no more. The layer is at position `layer` of the chain with the rules `scope`. What a lock
/// overrules is left out.
pub fn visit_twins(
    scope: &Scope<'_>,
    layer: usize,
    of: &Layer,
    visit: &mut dyn FnMut(&Pointer) -> ControlFlow<()>,
) -> ControlFlow<()> {
    visit_ruled(scope, layer, of, &mut |Ruled { scope, member, is_blocked, path }| match (
        member.map(Member::content),
        scope.rule(layer),
    ) {
        (Some(Content::Array(array)), Some(Rule::Keyed(key))) if !is_blocked => {
            visit_array(of, array, key, path, visit)
        }
        _ => ControlFlow::Continue(()),
    })
}

/// Whether a rule makes twins possible.
pub fn may_have_twins<'r>(mut rules: impl Iterator<Item = &'r Rules>) -> bool {
    rules.any(|rules| rules.iter().any(|(_, rule)| matches!(rule, Rule::Keyed(_))))
}

fn visit_array(
    of: &Layer,
    array: u32,
    key: &[String],
    path: &mut Pointer,
    visit: &mut dyn FnMut(&Pointer) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let key = names(key);
    let items = of.members(of.container(array)).iter().enumerate();
    let mut keyed: Vec<_> =
        items.filter_map(|(at, item)| Some((item_key(of, item, &key)?, at))).collect();
    sort_by(&mut keyed, Ord::cmp);
    let pairs = keyed.iter().zip(keyed.iter().skip(1));
    let hidden = pairs.filter(|((key, _), (next, _))| key == next).map(|((_, at), _)| *at);
    for at in distinct(hidden.collect()) {
        path.push_index(at);
        visit(path)?;
        path.pop();
    }
    ControlFlow::Continue(())
}
