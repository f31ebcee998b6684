//! The folded words of all documents, for prefixes.

use alloc::{string::String, vec::Vec};
use core::cell::OnceCell;

use nacre_layers::sort::sort_by;

use crate::{
    token::{TermKey as _, Unkeyed},
    tokens::Numbered,
};

/// Words, each once, numbered as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surfaces {
    /// All words, one after another.
    text: String,
    /// Where each word ends.
    ends: Vec<u32>,
    /// Their numbers by token. As in postings, words of one token are one word.
    known: Numbered,
    /// The numbers in the order of the words, since they were first asked for.
    sorted: OnceCell<Vec<u32>>,
}

impl Surfaces {
    /// Whether the word is there.
    pub(crate) fn contains(&self, word: &str) -> bool {
        self.known.get(Unkeyed.token(word)).is_some()
    }

    /// Adds a word that is not there.
    pub(crate) fn add(&mut self, word: &str) {
        let number = self.ends.len() as u32;
        self.known.insert(Unkeyed.token(word), number);
        let place = self.sorted.get().map(|_| self.place(word));
        self.text.push_str(word);
        self.ends.push(self.text.len() as u32);
        if let Some((sorted, place)) = self.sorted.get_mut().zip(place) {
            sorted.insert(place, number);
        }
    }

    /// The words from this one on, in order.
    pub(crate) fn since(&self, word: &str) -> impl Iterator<Item = &str> {
        let place = self.place(word);
        self.sorted().iter().skip(place).map(|number| self.word(*number))
    }

    /// How many words come before this one.
    fn place(&self, word: &str) -> usize {
        self.sorted().partition_point(|number| self.word(*number) < word)
    }

    fn sorted(&self) -> &[u32] {
        self.sorted.get_or_init(|| {
            let mut sorted: Vec<u32> = (0..self.ends.len() as u32).collect();
            sort_by(&mut sorted, |a, b| self.word(*a).cmp(self.word(*b)));
            sorted
        })
    }

    fn word(&self, number: u32) -> &str {
        let end = |number: u32| self.ends.get(number as usize).map(|end| *end as usize);
        let start = number.checked_sub(1).and_then(end).unwrap_or(0);
        end(number).and_then(|end| self.text.get(start..end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned as _, collections::BTreeSet, format, vec::Vec};

    use super::Surfaces;

    #[test]
    fn words_come_in_order_whenever_they_were_added() {
        let (mut surfaces, mut all) = (Surfaces::default(), BTreeSet::new());
        for at in 0..500_u32 {
            let word = format!("w{}", at.wrapping_mul(0x9e37_79b9) % 300);
            if !surfaces.contains(&word) {
                surfaces.add(&word);
            }
            all.insert(word);
            if at % 100 == 50 {
                assert!(surfaces.since("").eq(&all));
            }
        }
        let since: Vec<&str> = surfaces.since("w2").collect();
        let expected: Vec<&str> = all.range("w2".to_owned()..).map(|word| &**word).collect();
        assert_eq!(since, expected);
    }
}
