//! What the models say of the documents in memory, and in which order they said it.
//!
//! Documents are encoded behind the writes, also between two pages of an answer. The pages are ranked
//! by the meanings that there were at the first one: a page names their number, and the documents
//! are known in the order in which they were encoded.

use alloc::{borrow::Cow, vec::Vec};

use nacre_layers::sort::sort_by;
use nacre_search::{
    compact::Numbers,
    semantic::{models::Meaning, table::DIMENSIONS, term_index::TermIndex, vectors::Vectors},
};

/// The place in the order of a document without a meaning.
const NONE: u32 = 0;

/// The place of all that came with their meanings: which was encoded first is not known.
const LOADED: u32 = 1;

/// The meanings of documents, by the documents' numbers.
#[derive(Clone, Debug)]
pub(crate) struct Meanings {
    pub(crate) vectors: Vectors,
    pub(crate) terms: TermIndex,
    /// The place of each document in the order of encoding.
    order: Vec<u32>,
    /// The last place that was given.
    last: u32,
}

impl Default for Meanings {
    fn default() -> Meanings {
        Meanings {
            vectors: Vectors::new(DIMENSIONS),
            terms: TermIndex::new(),
            order: Vec::new(),
            last: LOADED,
        }
    }
}

impl Meanings {
    /// The number of documents that have one.
    pub(crate) fn count(&self) -> usize {
        self.order.iter().filter(|place| **place != NONE).count()
    }

    /// Takes in what the models said of a document before it was loaded.
    pub(crate) fn load(&mut self, number: u32, meaning: &Meaning) {
        self.set(number, meaning, LOADED);
    }

    /// Takes in what the models say now. A document that had a meaning keeps its place in the order.
    pub(crate) fn add(&mut self, number: u32, meaning: &Meaning) {
        match self.order.get(number as usize).copied().unwrap_or(NONE) {
            NONE => {
                self.last = self.last.saturating_add(1);
                self.set(number, meaning, self.last);
            }
            place => self.set(number, meaning, place),
        }
    }

    /// A vector of other dimensions cannot be compared; then the document is found by its words.
    fn set(&mut self, number: u32, meaning: &Meaning, place: u32) {
        if self.vectors.set(number, &meaning.vector).is_err() {
            return;
        }
        self.terms.set(number, &meaning.terms);
        let number = number as usize;
        if number >= self.order.len() {
            self.order.resize(number + 1, NONE);
        }
        if let Some(order) = self.order.get_mut(number) {
            *order = place;
        }
    }

    /// Forgets the meaning of a document.
    pub(crate) fn remove(&mut self, number: u32) {
        self.vectors.remove(number);
        self.terms.remove(number);
        if let Some(place) = self.order.get_mut(number as usize) {
            *place = NONE;
        }
    }

    /// The first `count` meanings; `None` if it is not known which ones those are.
    pub(crate) fn first(&self, count: usize) -> Option<Cow<'_, Meanings>> {
        let mut places: Vec<u32> =
            self.order.iter().copied().filter(|place| *place != NONE).collect();
        sort_by(&mut places, Ord::cmp);
        let Some(&next) = places.get(count) else { return Some(Cow::Borrowed(self)) };
        if count.checked_sub(1).and_then(|last| places.get(last)) == Some(&next) {
            return None;
        }
        let mut first = self.clone();
        for (number, place) in (0..).zip(&self.order) {
            if *place >= next {
                first.remove(number);
            }
        }
        Some(Cow::Owned(first))
    }

    /// The meanings of the documents that have new numbers, by those.
    pub(crate) fn renumbered(&self, numbers: &Numbers) -> Meanings {
        let mut order = Vec::new();
        for (old, new) in numbers.iter() {
            order.resize(new as usize, NONE);
            order.push(self.order.get(old as usize).copied().unwrap_or(NONE));
        }
        Meanings {
            vectors: self.vectors.renumbered(numbers),
            terms: self.terms.renumbered(numbers),
            order,
            last: self.last,
        }
    }
}
