//! What the models say of the documents in memory, and in which order they said it.

use alloc::borrow::Cow;

use nacre_search::{
    compact::Numbers,
    semantic::{models::Meaning, table::DIMENSIONS, term_index::TermIndex, vectors::Vectors},
};

use crate::order::Order;

/// The meanings of documents, by the documents' numbers.
#[derive(Clone, Debug)]
pub(crate) struct Meanings {
    pub(crate) vectors: Vectors,
    pub(crate) terms: TermIndex,
    order: Order,
}

impl Default for Meanings {
    fn default() -> Meanings {
        Meanings {
            vectors: Vectors::new(DIMENSIONS),
            terms: TermIndex::new(),
            order: Order::default(),
        }
    }
}

impl Meanings {
    /// The number of documents that have one.
    pub(crate) fn count(&self) -> usize {
        self.order.count()
    }

    /// Takes in what the models say of a document; `is_loaded` if they said it before it was loaded.
    /// A vector of other dimensions cannot be compared; then the document is found by its words.
    pub(crate) fn set(&mut self, number: u32, meaning: &Meaning, is_loaded: bool) {
        if self.vectors.set(number, &meaning.vector).is_err() {
            return;
        }
        self.terms.set(number, &meaning.terms);
        self.order.note(number, is_loaded);
    }

    /// Forgets the meaning of a document.
    pub(crate) fn remove(&mut self, number: u32) {
        self.vectors.remove(number);
        self.terms.remove(number);
        self.order.remove(number);
    }

    /// The first `count` meanings; `None` if it is not known which ones those are.
    pub(crate) fn first(&self, count: usize) -> Option<Cow<'_, Meanings>> {
        let behind = self.order.behind(count)?;
        if behind.is_empty() {
            return Some(Cow::Borrowed(self));
        }
        let mut first = self.clone();
        behind.into_iter().for_each(|number| first.remove(number));
        Some(Cow::Owned(first))
    }

    /// The meanings of the documents that have new numbers, by those.
    pub(crate) fn renumbered(&self, numbers: &Numbers) -> Meanings {
        Meanings {
            vectors: self.vectors.renumbered(numbers),
            terms: self.terms.renumbered(numbers),
            order: self.order.renumbered(numbers),
        }
    }
}
