//! The expansion table: for each word piece, the terms that the sparse model predicts for it alone.
//!
//! A query is encoded with it at once. The sparse model would take some milliseconds, and finds no
//! more (see `models/README.md`).

use alloc::vec::Vec;

use nacre_inference::{broken, bytes::Bytes};
use nacre_layers::{error::Result, sort::sort_by};

use super::{
    terms::{Term, Terms},
    vocabulary::{Row, Vocabulary},
};

/// What a stored weight of 1 is worth.
const STORED_WEIGHT: f32 = 1.0 / 60.0;

/// The most terms of a query. Twenty words have about 300.
const MOST_TERMS: usize = 512;

/// The terms of each word piece, in the bytes of the model's file: their number in a byte, their
/// rows in two bytes each, their weights in a byte each.
#[derive(Debug)]
pub struct Expansion<'a> {
    pieces: Vec<(&'a [[u8; 2]], &'a [u8])>,
}

impl<'a> Expansion<'a> {
    /// Reads the table of a vocabulary with so many pieces.
    ///
    /// # Errors
    /// When the file has another length, or a term is no piece.
    pub fn read(bytes: &'a [u8], pieces: usize) -> Result<Expansion<'a>> {
        const PART: &str = "the expansion table";
        let mut bytes = Bytes::new(bytes, PART);
        let mut read = Vec::with_capacity(pieces);
        for _ in 0..pieces {
            let count = usize::from(bytes.byte()?);
            let rows = bytes.take(2 * count)?.as_chunks().0;
            if rows.iter().any(|&row| usize::from(Row::from_le_bytes(row)) >= pieces) {
                return Err(broken(PART));
            }
            read.push((rows, bytes.take(count)?));
        }
        bytes.end()?;
        Ok(Expansion { pieces: read })
    }

    /// The terms of a query with these pieces: those of each piece that carries meaning, each with
    /// its largest weight.
    pub fn encode(&self, vocabulary: &Vocabulary<'_>, pieces: &[Row]) -> Terms {
        let content = pieces.iter().filter(|&&piece| vocabulary.is_content(piece));
        let mut terms: Vec<Term> = content.flat_map(|&piece| self.terms(piece)).collect();
        sort_by(&mut terms, |left, right| {
            left.row.cmp(&right.row).then(right.weight.total_cmp(&left.weight))
        });
        terms.dedup_by_key(|term| term.row);
        Terms::strongest(terms.into_iter(), MOST_TERMS)
    }

    fn terms(&self, piece: Row) -> impl Iterator<Item = Term> + '_ {
        let terms = self.pieces.get(usize::from(piece)).into_iter();
        terms.flat_map(|(rows, weights)| {
            rows.iter().zip(*weights).map(|(&row, &weight)| Term {
                row: Row::from_le_bytes(row),
                weight: f32::from(weight) * STORED_WEIGHT,
            })
        })
    }
}
