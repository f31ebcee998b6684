//! What the walk finds, as those who ask get to see it.

use alloc::vec::Vec;

use crate::{
    layer::{Container, Member},
    level::LAYERS,
    rules::Scope,
};

/// Takes what the walk finds, in canonical order. `layer` counts from the global layer, 0.
pub(crate) trait Sink<'a> {
    /// Whether it wants to be told of what was [`folded`](Sink::folded).
    const LISTENS: bool = false;

    fn open_object(&mut self);
    fn close_object(&mut self);
    fn open_array(&mut self);
    fn close_array(&mut self);
    /// Members `from..to` of one layer's object, none of which is or holds a tombstone.
    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize);
    /// A member as it stands in one layer.
    fn entry(&mut self, layer: usize, member: &'a Member);
    /// A member whose value follows as an object or array.
    fn open_member(&mut self, layer: usize, member: &'a Member);
    fn close_member(&mut self, member: &'a Member);
    /// An array item as it stands in one layer.
    fn item(&mut self, layer: usize, item: &'a Member);
    /// An array item that follows as an object.
    fn open_item(&mut self, stack: Stack);
    fn close_item(&mut self);
    /// Told before a member that needed a decision is handed over, or left out.
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

/// What each layer holds for one member.
pub(crate) type Contributions<'a> = [Option<&'a Member>; LAYERS];

/// What a member became.
pub(crate) enum Outcome<'a> {
    /// Nobody holds it, or the lowest layer that does removes it.
    Nothing,
    /// A scalar or array, as one layer holds it.
    One(usize, &'a Member),
    /// Objects that merge.
    Objects(Stack),
    /// An array put together by a rule.
    List(Vec<Item<'a>>),
}

/// One item of an array that a rule has put together.
#[derive(Clone, Copy)]
pub(crate) enum Item<'a> {
    Verbatim(usize, &'a Member),
    Merged(Stack),
}

/// A decision about one member, for those who explain.
pub(crate) struct Fold<'a, 'f> {
    pub(crate) contributions: &'f Contributions<'a>,
    pub(crate) outcome: &'f Outcome<'a>,
    /// Bit n: what layer n holds was overruled by a lock.
    pub(crate) ignored: u8,
    pub(crate) scope: Option<&'f Scope<'a>>,
}
