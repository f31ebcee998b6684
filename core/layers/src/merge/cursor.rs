//! The position of a walk in one layer, and how it advances.

use crate::{
    layer::{Container, Layer, Member},
    name::Key,
};

/// The remaining members of one layer's object.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) layer: usize,
    pub(super) of: &'a Layer,
    pub(super) object: &'a Container,
    pub(super) rest: &'a [Member],
}

impl<'a> Cursor<'a> {
    /// Skips members before `bound`, and returns their range. The first one is not compared.
    #[inline(always)]
    pub(super) fn pass(&mut self, bound: Option<Key<'_>>, plain: bool) -> (usize, usize) {
        let passed = match bound {
            Some(bound) => gallop(self.of, self.rest, bound, plain),
            None => self.rest.len(),
        };
        let from = self.object.len() - self.rest.len();
        self.rest = self.rest.get(passed..).unwrap_or(&[]);
        (from, from + passed)
    }
}

/// How many names are compared one by one before galloping.
const NEAR: usize = 12;

/// The number of members before `bound`; the first one is not compared. In dense layers the first
/// bytes of the next few names decide. Farther away the steps double, then halve, so the cost grows
/// with the logarithm of the distance.
#[inline(always)]
fn gallop(of: &Layer, members: &[Member], bound: Key<'_>, plain: bool) -> usize {
    let mut low = 1;
    if plain {
        let near = members.get(..NEAR).unwrap_or(members);
        while near.get(low).is_some_and(|member| of.key(member).head < bound.head) {
            low += 1;
        }
        match members.get(low) {
            Some(member) if of.key(member).head <= bound.head => {}
            _ => return low.min(members.len()),
        }
    }
    let below = |at: usize| {
        members.get(at).is_some_and(|member| of.key(member).compare(&bound, plain).is_lt())
    };
    let mut step = 1;
    while below(low + step - 1) {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(members.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
