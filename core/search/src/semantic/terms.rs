//! The terms of a document or a query: word pieces and their weights.

use alloc::vec::Vec;

use nacre_layers::sort::sort_by;

use super::vocabulary::Row;

/// The most terms that a document keeps, which take 384 bytes.
pub const MOST_TERMS: usize = 128;

/// Bytes of a stored term: two for the row, one for the weight.
const TERM_BYTES: usize = 3;

/// What a stored weight of 1 is worth. Weights reach about 3, so a byte is enough.
pub(crate) const STORED_WEIGHT: f32 = 1.0 / 64.0;

/// A word piece, and how much a text is about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// The piece's row in the vocabulary.
    pub row: Row,
    /// Above 0.
    pub weight: f32,
}

/// Terms as they are stored, in the order of their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<[u8; TERM_BYTES]>);

impl Terms {
    /// Keeps the strongest of some terms with different rows, at most so many.
    pub fn strongest(terms: impl Iterator<Item = Term>, most: usize) -> Terms {
        let mut terms: Vec<Term> = terms.collect();
        if most < terms.len() {
            sort_by(&mut terms, stronger_first);
            terms.truncate(most);
        }
        sort_by(&mut terms, |a, b| a.row.cmp(&b.row));
        let stored = terms.into_iter().map(|term| {
            let [low, high] = term.row.to_le_bytes();
            // A float above 255 becomes 255.
            [low, high, libm::rintf(term.weight / STORED_WEIGHT) as u8]
        });
        Terms(stored.filter(|&[.., weight]| weight > 0).collect())
    }

    /// Reads what [`to_bytes`](Terms::to_bytes) gave. A last term that is cut off is left out, and
    /// so is what is too much.
    pub fn from_bytes(bytes: &[u8]) -> Terms {
        Terms(bytes.as_chunks().0.iter().take(MOST_TERMS).copied().collect())
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.as_flattened().to_vec()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The terms, in the order of their rows.
    pub fn iter(&self) -> impl Iterator<Item = Term> + '_ {
        self.stored().map(|(row, weight)| Term { row, weight: f32::from(weight) * STORED_WEIGHT })
    }

    /// The rows and the stored weights.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (Row, u8)> + '_ {
        self.0.iter().map(|&[low, high, weight]| (Row::from_le_bytes([low, high]), weight))
    }
}

/// Of equal weights, the lower row comes first, so that every target keeps the same terms.
fn stronger_first(left: &Term, right: &Term) -> core::cmp::Ordering {
    right.weight.total_cmp(&left.weight).then(left.row.cmp(&right.row))
}
