//! Finds items of one layer that a `keyed` rule takes for one: the later hides the earlier.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::{
    layer::{Content, Layer},
    merge::{item_key, names},
    pointer::Pointer,
    rules::{Rule, Scope},
};

/// The items of the layer `of` that a later item with the same key hides. The layer is at position
/// `layer` of the chain with the rules `scope`.
pub fn twins(scope: &Scope<'_>, layer: usize, of: &Layer) -> Vec<Pointer> {
    let mut search = Search { layer, of, path: Pointer::root(), found: Vec::new() };
    search.object(scope, of.root());
    search.found
}

struct Search<'a> {
    layer: usize,
    of: &'a Layer,
    path: Pointer,
    found: Vec<Pointer>,
}

impl Search<'_> {
    fn object(&mut self, scope: &Scope<'_>, object: u32) {
        for child in &scope.children {
            let Some(member) = self.of.find(self.of.container(object), &child.name) else {
                continue;
            };
            self.path.push(&crate::name::decode(&child.name.text));
            match (member.content(), child.rule(self.layer)) {
                (Content::Object(object), _) => self.object(child, object),
                (Content::Array(array), Some(Rule::Keyed(key))) => self.array(array, key),
                _ => {}
            }
            self.path.pop();
        }
    }

    fn array(&mut self, array: u32, key: &[alloc::string::String]) {
        let (key, of) = (names(key), self.of);
        let items = of.members(of.container(array));
        let mut later = BTreeSet::new();
        let mut hidden = Vec::new();
        for (at, item) in items.iter().enumerate().rev() {
            if item_key(of, item, &key).is_some_and(|key| !later.insert(key)) {
                hidden.push(at);
            }
        }
        for at in hidden.into_iter().rev() {
            self.path.push_index(at);
            self.found.push(self.path.clone());
            self.path.pop();
        }
    }
}
