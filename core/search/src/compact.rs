//! An index of fewer documents, whose numbers follow one another again.

use alloc::{rc::Rc, vec::Vec};

use nacre_layers::address::Address;

use crate::{index::Index, list::List};

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
    /// An index of those documents alone that `keep` keeps, with statistics of their own. Removed
    /// documents take no place in it.
    pub fn only(&self, keep: &dyn Fn(&Address) -> bool) -> (Index, Numbers) {
        let numbers = self.renumbered(keep);
        let mut index = Index::new();
        index.surfaces = Rc::clone(&self.surfaces);
        for (old, _) in numbers.iter() {
            if let Some(document) = self.documents().get(old as usize) {
                index.add_document(document.address.clone(), document.length);
            }
        }
        for (token, list) in self.lists.iter() {
            let list = compacted(list, &numbers);
            if list.len() > 0 {
                index.lists.insert(token, list);
            }
        }
        (index, numbers)
    }

    /// New numbers for the documents that are there and kept.
    fn renumbered(&self, keep: &dyn Fn(&Address) -> bool) -> Numbers {
        let mut next = 0..;
        let documents = self.documents().iter();
        let kept = documents.map(|document| document.live && keep(&document.address));
        Numbers(kept.map(|kept| if kept { next.next() } else { None }).collect())
    }
}

/// A list with new numbers.
fn compacted(list: &List, numbers: &Numbers) -> List {
    let mut compacted = List::default();
    for (number, weight, positions) in list.entries() {
        if let Some(number) = numbers.get(number) {
            compacted.push(number, weight, positions);
        }
    }
    compacted
}
