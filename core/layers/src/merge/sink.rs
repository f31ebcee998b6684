//! The interface between the walk and the questions about a view.

use alloc::vec::Vec;

use crate::{
    layer::{Container, Member},
    level::LAYERS,
    rules::Scope,
};

/// Receives the results of the walk, in canonical order. `layer` is 0 for the global layer.
pub(crate) trait Sink<'a> {
    /// Whether [`folded`](Sink::folded) is called.
    const LISTENS: bool = false;

    fn open_object(&mut self);
    fn close_object(&mut self);
    fn open_array(&mut self);
    fn close_array(&mut self);
    /// Members `from..to` of one layer's object. None of them is or contains a tombstone.
    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize);
    /// A member, unchanged from one layer.
    fn entry(&mut self, layer: usize, member: &'a Member);
    /// A member whose value follows as an object or array.
    fn open_member(&mut self, layer: usize, member: &'a Member);
    fn close_member(&mut self, member: &'a Member);
    /// An array item, unchanged from one layer.
    fn item(&mut self, layer: usize, item: &'a Member);
    /// An array item that follows as an object.
    fn open_item(&mut self, stack: Stack);
    fn close_item(&mut self);
    /// Called before a member that needed a decision is passed on or dropped.
    #[inline(always)]
    fn folded(&mut self, _fold: &Fold<'a, '_>) {}
}

/// A layer, and an object in it.
pub(crate) type Part = (u8, u32);

/// Objects of several layers that merge, upper first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stack {
    pub(super) len: u8,
    parts: [Part; LAYERS],
}

impl Stack {
    pub(crate) fn one(layer: usize, object: u32) -> Stack {
        let mut stack = Stack::default();
        stack.push(layer, object);
        stack
    }

    pub(crate) fn push(&mut self, layer: usize, object: u32) {
        if let Some(slot) = self.parts.get_mut(usize::from(self.len)) {
            *slot = (layer as u8, object);
            self.len += 1;
        }
    }

    /// The two objects of a stack of two.
    pub(super) fn pair(&self) -> Option<(Part, Part)> {
        match self.parts {
            [upper, lower, ..] if self.len == 2 => Some((upper, lower)),
            _ => None,
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, u32)> + '_ {
        self.parts.iter().take(self.len.into()).map(|&(layer, object)| (layer.into(), object))
    }
}

/// The member of each layer for one name.
pub(crate) type Contributions<'a> = [Option<&'a Member>; LAYERS];

/// The result for a member.
pub(crate) enum Outcome<'a> {
    /// No layer holds it, or the lowest layer that does removes it.
    Nothing,
    /// A scalar or array of one layer.
    One(usize, &'a Member),
    /// Objects that merge.
    Objects(Stack),
    /// An array merged by a rule.
    List(Vec<Item<'a>>),
}

/// One item of an array merged by a rule.
#[derive(Clone, Copy)]
pub(crate) enum Item<'a> {
    Verbatim(usize, &'a Member),
    Merged(Stack),
}

/// A decision about one member, for explanations.
pub(crate) struct Fold<'a, 'f> {
    pub(crate) contributions: &'f Contributions<'a>,
    pub(crate) outcome: &'f Outcome<'a>,
    /// Bit n is set if a lock overruled the value of layer n.
    pub(crate) ignored: u8,
    pub(crate) scope: Option<&'f Scope<'a>>,
}
