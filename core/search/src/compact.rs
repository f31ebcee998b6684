//! An index of fewer documents, whose numbers follow one another again.

use alloc::{rc::Rc, vec::Vec};

use nacre_layers::address::Address;

use crate::{index::Index, list::List, token::Token};

/// The new numbers of documents, by their old ones.
#[derive(Clone, Debug)]
pub struct Numbers(Vec<Option<u32>>);

impl Numbers {
    /// The new number of a document; `None` if it is left out.
    pub fn get(&self, old: u32) -> Option<u32> {
        self.0.get(old as usize).copied().flatten()
    }

    /// Every document that is kept: its old number, and its new one.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(&self.0).filter_map(|(old, new)| Some((old, (*new)?)))
    }
}

impl Index {
    /// An index of those documents alone that `keep` keeps, with statistics of their own; `None`
    /// while a part is [missing](Index::missing). Removed documents take no place in it.
    pub fn only(&self, keep: &dyn Fn(&Address) -> bool) -> Option<(Index, Numbers)> {
        if !self.missing().is_empty() {
            return None;
        }
        let numbers = self.renumbered(keep);
        let mut index = Index::new();
        index.surfaces = Rc::clone(&self.surfaces);
        for (old, _) in numbers.iter() {
            if let Some(document) = self.documents().get(old as usize) {
                index.add_document(document.address.clone(), document.length);
            }
        }
        let is_kept = |number: u32| numbers.get(number).is_some();
        let kept = self
            .tokens()
            .filter(|token| self.lists(*token).any(|list| list.numbers().any(is_kept)));
        kept.for_each(|token| index.fresh.insert(token, self.compacted(token, &numbers)));
        Some((index, numbers))
    }

    /// New numbers for the documents that are there and kept.
    pub(crate) fn renumbered(&self, keep: &dyn Fn(&Address) -> bool) -> Numbers {
        let mut next = 0..;
        let documents = self.documents().iter();
        let kept = documents.map(|document| document.live && keep(&document.address));
        Numbers(kept.map(|kept| if kept { next.next() } else { None }).collect())
    }

    /// The list of a token with new numbers.
    pub(crate) fn compacted(&self, token: Token, numbers: &Numbers) -> List {
        let mut compacted = List::default();
        for (number, weight, positions) in self.lists(token).flat_map(List::entries) {
            if let Some(number) = numbers.get(number) {
                compacted.push(number, weight, positions);
            }
        }
        compacted
    }
}
