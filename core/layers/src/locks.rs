//! Finds the values of a layer at paths that a layer above has locked.

use alloc::{string::String, vec::Vec};
use core::ops::ControlFlow;

use crate::{
    layer::Layer,
    ruled::{Ruled, visit_ruled},
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
    let is_empty = of.members(of.container(of.root())).is_empty();
    let mut found = Vec::new();
    let _ = visit_ruled(scope, layer, of, &mut |Ruled { scope, member, is_blocked, path }| {
        // A layer with nothing in it breaks no lock.
        if is_blocked && !(member.is_none() && is_empty) {
            let text = member.map_or(of.text(), |member| of.value_text(member));
            let by = scope.locker().unwrap_or_default();
            found.push(Breach { pointer: path.as_str().into(), text, by });
        }
        ControlFlow::Continue(())
    });
    found
}
