//! In which order documents in memory were encoded.
//!
//! Documents are encoded behind the writes, also between two pages of an answer. The pages are ranked
//! by what was encoded at the first one: a page names how many documents that were, and this tells
//! which.

use alloc::vec::Vec;

use nacre_layers::sort::sort_by;
use nacre_search::compact::Numbers;

/// The place of a document that is not encoded.
const NONE: u32 = 0;

/// The place of all that came encoded: which was first is not known.
const LOADED: u32 = 1;

/// The places of documents in the order of encoding, by the documents' numbers.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    places: Vec<u32>,
    /// The last place that was given.
    last: u32,
}

impl Default for Order {
    fn default() -> Order {
        Order { places: Vec::new(), last: LOADED }
    }
}

impl Order {
    /// The number of documents that are encoded.
    pub(crate) fn count(&self) -> usize {
        self.places.iter().filter(|place| **place != NONE).count()
    }

    /// Notes a document that was encoded. One that was so before keeps its place, and one that came
    /// with its encoding `is_loaded`.
    pub(crate) fn note(&mut self, number: u32, is_loaded: bool) {
        let number = number as usize;
        if number >= self.places.len() {
            self.places.resize(number + 1, NONE);
        }
        let Some(place) = self.places.get_mut(number) else { return };
        if is_loaded {
            *place = LOADED;
        } else if *place == NONE {
            self.last = self.last.saturating_add(1);
            *place = self.last;
        }
    }

    /// Notes that a document is not encoded any more.
    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(place) = self.places.get_mut(number as usize) {
            *place = NONE;
        }
    }

    /// The documents that were encoded after the first `count`; `None` if it is not known which ones
    /// those are.
    pub(crate) fn behind(&self, count: usize) -> Option<Vec<u32>> {
        let mut places: Vec<u32> =
            self.places.iter().copied().filter(|place| *place != NONE).collect();
        sort_by(&mut places, Ord::cmp);
        let Some(&next) = places.get(count) else { return Some(Vec::new()) };
        if count.checked_sub(1).and_then(|last| places.get(last)) == Some(&next) {
            return None;
        }
        let behind = (0..).zip(&self.places).filter(|(_, place)| **place >= next);
        Some(behind.map(|(number, _)| number).collect())
    }

    /// The places of the documents that have new numbers, by those.
    pub(crate) fn renumbered(&self, numbers: &Numbers) -> Order {
        let mut places = Vec::new();
        for (old, new) in numbers.iter() {
            places.resize(new as usize, NONE);
            places.push(self.places.get(old as usize).copied().unwrap_or(NONE));
        }
        Order { places, last: self.last }
    }
}
