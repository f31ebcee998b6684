//! Finds the values of a layer at paths that a layer above has locked.

use alloc::{string::String, vec::Vec};

use crate::{
    layer::{Content, Layer, Member},
    pointer::Pointer,
    rules::Scope,
};

/// A place where a layer breaks a lock: the pointer, the text of its value there, and the uppermost
/// layer with the lock.
#[derive(Debug, PartialEq)]
pub struct Breach<'a> {
    /// Where, as a JSON Pointer into the layer.
    pub pointer: String,
    pub(crate) text: &'a [u8],
    pub(crate) by: usize,
}

impl Breach<'_> {
    /// The uppermost layer that locks the place, from 0.
    pub fn locker(&self) -> usize {
        self.by
    }
}

/// Every breach of the layer `of`, which is at position `layer` of the chain with the rules
/// `scope`.
pub fn breaches<'a>(scope: &Scope<'_>, layer: usize, of: &'a Layer) -> Vec<Breach<'a>> {
    let mut search = Search { layer, of, path: Pointer::root(), found: Vec::new() };
    let root = Content::Object(of.root());
    let is_empty = of.members(of.container(of.root())).is_empty();
    if scope.blocks(layer, root) && !is_empty {
        search.breach(scope, of.text());
    } else {
        search.object(scope, of.root());
    }
    search.found
}

struct Search<'a> {
    layer: usize,
    of: &'a Layer,
    path: Pointer,
    found: Vec<Breach<'a>>,
}

impl<'a> Search<'a> {
    fn object(&mut self, scope: &Scope<'_>, object: u32) {
        for child in &scope.children {
            if let Some(member) = self.of.find(self.of.container(object), &child.name) {
                self.path.push(&crate::name::decode(&child.name.text));
                self.member(child, member);
                self.path.pop();
            }
        }
    }

    fn member(&mut self, scope: &Scope<'_>, member: &'a Member) {
        if scope.blocks(self.layer, member.content()) {
            self.breach(scope, self.of.value_text(member));
        } else if let Content::Object(object) = member.content() {
            self.object(scope, object);
        }
    }

    fn breach(&mut self, scope: &Scope<'_>, text: &'a [u8]) {
        let by = scope.locker().unwrap_or_default();
        self.found.push(Breach { pointer: self.path.as_str().into(), text, by });
    }
}
