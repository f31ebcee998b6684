//! Finds items of one layer that a `keyed` rule takes for one: the later hides the earlier.

use alloc::{string::String, vec::Vec};

use core::ops::ControlFlow;

use crate::{
    layer::{Content, Layer},
    merge::{item_key, names},
    name,
    pointer::Pointer,
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
    let root = of.root();
    if scope.blocks(layer, Content::Object(root)) {
        return ControlFlow::Continue(());
    }
    Search { layer, of, path: Pointer::root(), visit }.object(scope, root)
}

/// Whether a rule makes twins possible.
pub fn may_have_twins<'r>(mut rules: impl Iterator<Item = &'r Rules>) -> bool {
    rules.any(|rules| rules.iter().any(|(_, rule)| matches!(rule, Rule::Keyed(_))))
}

struct Search<'a, 'v> {
    layer: usize,
    of: &'a Layer,
    path: Pointer,
    visit: &'v mut dyn FnMut(&Pointer) -> ControlFlow<()>,
}

impl Search<'_, '_> {
    fn object(&mut self, scope: &Scope<'_>, object: u32) -> ControlFlow<()> {
        for child in &scope.children {
            let Some(member) = self.of.find(self.of.container(object), &child.name) else {
                continue;
            };
            if child.blocks(self.layer, member.content()) {
                continue;
            }
            self.path.push(&name::decode(&child.name.text));
            match (member.content(), child.rule(self.layer)) {
                (Content::Object(object), _) => self.object(child, object)?,
                (Content::Array(array), Some(Rule::Keyed(key))) => self.array(array, key)?,
                _ => {}
            }
            self.path.pop();
        }
        ControlFlow::Continue(())
    }

    fn array(&mut self, array: u32, key: &[String]) -> ControlFlow<()> {
        let (key, of) = (names(key), self.of);
        let items = of.members(of.container(array)).iter().enumerate();
        let mut keyed: Vec<_> =
            items.filter_map(|(at, item)| Some((item_key(of, item, &key)?, at))).collect();
        sort_by(&mut keyed, Ord::cmp);
        let pairs = keyed.iter().zip(keyed.iter().skip(1));
        let hidden = pairs.filter(|((key, _), (next, _))| key == next).map(|((_, at), _)| *at);
        for at in distinct(hidden.collect()) {
            self.path.push_index(at);
            (self.visit)(&self.path)?;
            self.path.pop();
        }
        ControlFlow::Continue(())
    }
}
