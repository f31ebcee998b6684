//! What is kept by token, found quickly: a token is a hash already.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::{list::List, token::Token};

/// The slots that a token may stand in, from its own one on. Few tokens need more, but whoever writes
/// texts can choose words whose tokens crowd: those stand in a tree, so that none is ever slow to find.
const NEAR: usize = 32;

/// The number in a slot that no token stands in.
const FREE: u32 = u32::MAX;

/// A number for each token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbered {
    /// None, or a power of two.
    slots: Vec<(Token, u32)>,
    /// Those that found all slots near their own one taken.
    crowded: BTreeMap<Token, u32>,
    count: usize,
}

impl Numbered {
    /// The number of a token.
    #[inline]
    pub(crate) fn get(&self, token: Token) -> Option<u32> {
        for at in self.near(token) {
            match self.slots.get(at) {
                Some((known, number)) if *known == token && *number != FREE => {
                    return Some(*number);
                }
                None | Some((_, FREE)) => return None,
                Some(_) => {}
            }
        }
        self.crowded.get(&token).copied()
    }

    /// Gives a number to a token that has none. It must be less than `u32::MAX`.
    pub(crate) fn insert(&mut self, token: Token, number: u32) {
        self.count += 1;
        if self.count * 4 > self.slots.len() * 3 {
            let wider = vec![(Token(0), FREE); (self.slots.len() * 2).max(16)];
            let slots = core::mem::replace(&mut self.slots, wider).into_iter();
            let taken = slots.filter(|(_, number)| *number != FREE);
            let all = taken.chain(core::mem::take(&mut self.crowded));
            all.for_each(|(token, number)| self.put(token, number));
        }
        self.put(token, number);
    }

    fn put(&mut self, token: Token, number: u32) {
        for at in self.near(token) {
            if let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.1 == FREE) {
                *slot = (token, number);
                return;
            }
        }
        self.crowded.insert(token, number);
    }

    /// The slots of a token.
    fn near(&self, token: Token) -> impl Iterator<Item = usize> + use<> {
        let last = self.slots.len().wrapping_sub(1);
        (0..NEAR).map(move |step| (token.0 as usize).wrapping_add(step) & last)
    }
}

/// A list for each token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    places: Numbered,
    lists: Vec<(Token, List)>,
}

impl Lists {
    /// The list of a token.
    pub(crate) fn get(&self, token: Token) -> Option<&List> {
        let place = self.places.get(token)?;
        self.lists.get(place as usize).map(|(_, list)| list)
    }

    /// Adds a document to the list of a token. Its number must be higher than those of all before.
    pub(crate) fn push(&mut self, token: Token, document: u32, weight: u8, positions: &[u8]) {
        let place = self.places.get(token).and_then(|place| self.lists.get_mut(place as usize));
        match place {
            Some((_, list)) => list.push(document, weight, positions),
            None => {
                let mut list = List::default();
                list.push(document, weight, positions);
                self.insert(token, list);
            }
        }
    }

    /// Adds the list of a token that has none.
    pub(crate) fn insert(&mut self, token: Token, list: List) {
        self.places.insert(token, self.lists.len() as u32);
        self.lists.push((token, list));
    }

    /// All tokens with their lists, in any order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Token, &List)> {
        self.lists.iter().map(|(token, list)| (*token, list))
    }
}

#[cfg(test)]
mod tests {
    use super::{NEAR, Numbered, Token};

    #[test]
    fn crowded_tokens_have_their_numbers() {
        let mut numbered = Numbered::default();
        let token = |at: u32| Token(u64::from(at) << 40 | 7);
        let count = 100 * NEAR as u32;
        for at in 0..count {
            assert_eq!(numbered.get(token(at)), None);
            numbered.insert(token(at), at);
        }
        for at in 0..count {
            assert_eq!(numbered.get(token(at)), Some(at));
        }
        assert_eq!(numbered.get(token(count)), None);
        assert_eq!(numbered.get(Token(8)), None);
        assert_eq!(numbered.crowded.len(), count as usize - NEAR);
    }

    #[test]
    fn every_token_has_a_number_while_slots_are_added() {
        let mut numbered = Numbered::default();
        let token = |at: u32| Token(u64::from(at).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for at in 0..1000 {
            numbered.insert(token(at), at);
            assert!((0..=at).all(|at| numbered.get(token(at)) == Some(at)));
            assert_eq!(numbered.get(token(at + 1)), None);
        }
    }
}
