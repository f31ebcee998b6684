//! The positions in objects that merge into one, and the next step over them.

use core::cmp::Ordering;

use super::{Contributions, Cursor, chain::Chain, sink::Stack};
use crate::{layer::Container, level::LAYERS, name::Key, rules::Scope};

/// The next step in a merged object.
pub(super) enum Step<'a, 's> {
    /// Members `from..to` of one layer's object, which no other layer holds and no rule affects.
    Run(usize, &'a Container, usize, usize),
    /// A member that several layers hold, or that has rules.
    Member(Contributions<'a>, Option<&'s Scope<'a>>),
}

/// The remaining members of objects that merge into one.
pub(super) struct Front<'a, 's> {
    cursors: [Option<Cursor<'a>>; LAYERS],
    /// The rules of members, in order of their names.
    children: &'s [Scope<'a>],
    /// Whether every name is plain, so that comparing is fast.
    plain: bool,
}

impl<'a, 's> Front<'a, 's> {
    pub(super) fn new(chain: &Chain<'a>, stack: Stack, scope: Option<&'s Scope<'a>>) -> Self {
        let mut plain = scope.is_none_or(|scope| scope.plain);
        let mut cursors = [const { None }; LAYERS];
        for (slot, (layer, object)) in cursors.iter_mut().zip(stack.iter()) {
            let cursor = chain.cursor((layer as u8, object));
            plain &= cursor.object.plain;
            *slot = Some(cursor);
        }
        Front { cursors, children: scope.map_or(&[][..], |scope| &scope.children), plain }
    }

    pub(super) fn next(&mut self) -> Option<Step<'a, 's>> {
        let plain = self.plain;
        // The smallest name under any cursor, the layers that hold it, and the next smallest name.
        let mut least: Option<Key<'a>> = None;
        let mut next: Option<Key<'_>> = None;
        let mut holders = 0u8;
        for (place, cursor) in self.cursors.iter().map_while(Option::as_ref).enumerate() {
            let Some(member) = cursor.rest.first() else { continue };
            let key = cursor.of.key(member);
            match least.map_or(Ordering::Less, |least| key.compare(&least, plain)) {
                Ordering::Less => {
                    next = least;
                    least = Some(key);
                    holders = 1 << place;
                }
                Ordering::Equal => holders |= 1 << place,
                Ordering::Greater => {
                    if next.is_none_or(|next| key.compare(&next, plain).is_lt()) {
                        next = Some(key);
                    }
                }
            }
        }
        let least = least?;
        let mut child = None;
        while let Some((first, rest)) = self.children.split_first() {
            let key = first.name.key();
            match key.compare(&least, plain) {
                Ordering::Less => self.children = rest,
                Ordering::Equal => {
                    child = Some(first);
                    self.children = rest;
                    break;
                }
                Ordering::Greater => {
                    if next.is_none_or(|next| key.compare(&next, plain).is_lt()) {
                        next = Some(key);
                    }
                    break;
                }
            }
        }
        if holders.is_power_of_two() && child.is_none() {
            let holder = holders.trailing_zeros() as usize;
            let cursor = self.cursors.get_mut(holder)?.as_mut()?;
            let (layer, object) = (cursor.layer, cursor.object);
            let (from, to) = cursor.pass(next, plain);
            return Some(Step::Run(layer, object, from, to));
        }
        let mut contributions: Contributions<'a> = [None; LAYERS];
        for (place, cursor) in self.cursors.iter_mut().map_while(Option::as_mut).enumerate() {
            if holders >> place & 1 == 1
                && let Some((member, rest)) = cursor.rest.split_first()
            {
                cursor.rest = rest;
                if let Some(slot) = contributions.get_mut(cursor.layer) {
                    *slot = Some(member);
                }
            }
        }
        Some(Step::Member(contributions, child))
    }
}
