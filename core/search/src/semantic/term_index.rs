//! The terms of documents, side by side, so that all are compared with a query's in a pass.

use alloc::{vec, vec::Vec};
use core::ops::Range;

use super::{
    terms::{STORED_WEIGHT, Terms},
    vocabulary::Row,
};
use crate::{compact::Numbers, rank::idf, score::Scored};

/// What 1 is worth in a query's whole numbers. A term's weight is at most 4, and the root of its
/// rarity below 4, so that they fit in 16 bits.
const QUERY_WEIGHT: f32 = 1.0 / 4096.0;

/// The terms of documents, by the documents' numbers.
#[derive(Clone, Debug, Default)]
pub struct TermIndex {
    rows: Vec<Row>,
    weights: Vec<u8>,
    /// Where each document's terms stand in `rows` and `weights`.
    documents: Vec<Range<u32>>,
    /// In how many documents each term is.
    frequencies: Vec<u32>,
    /// How many documents have terms.
    count: u32,
}

impl TermIndex {
    /// No terms yet.
    pub fn new() -> TermIndex {
        TermIndex::default()
    }

    /// Sets a document's terms.
    pub fn set(&mut self, document: u32, terms: &Terms) {
        self.remove(document);
        self.add(document, terms.stored());
    }

    /// Adds the terms of a document that has none.
    fn add(&mut self, document: u32, terms: impl Iterator<Item = (Row, u8)>) {
        let document = document as usize;
        if document >= self.documents.len() {
            self.documents.resize(document + 1, 0..0);
        }
        let start = self.rows.len() as u32;
        for (row, weight) in terms {
            self.rows.push(row);
            self.weights.push(weight);
            self.count_term(row, 1);
        }
        let end = self.rows.len() as u32;
        if let Some(place) = self.documents.get_mut(document).filter(|_| start < end) {
            *place = start..end;
            self.count += 1;
        }
    }

    /// Forgets a document's terms. Their place is not used again: make a new index of what is there
    /// when the [index of words](crate::index::Index) is made anew.
    pub fn remove(&mut self, document: u32) {
        let Some(place) = self.documents.get_mut(document as usize) else { return };
        let removed = core::mem::take(place);
        if removed.is_empty() {
            return;
        }
        self.count -= 1;
        for at in removed {
            if let Some(&row) = self.rows.get(at as usize) {
                self.count_term(row, -1);
            }
        }
    }

    /// The terms of the documents that have new numbers, by those.
    #[must_use]
    pub fn renumbered(&self, numbers: &Numbers) -> TermIndex {
        let mut kept = TermIndex::new();
        for (old, new) in numbers.iter() {
            let Some(place) = self.documents.get(old as usize) else { break };
            let place = place.start as usize..place.end as usize;
            if let (Some(rows), Some(weights)) =
                (self.rows.get(place.clone()), self.weights.get(place))
            {
                kept.add(new, rows.iter().copied().zip(weights.iter().copied()));
            }
        }
        kept
    }

    /// The sum of the products of the weights that the query and each document give to a term, where
    /// they have one in common.
    pub(crate) fn products(&self, query: &Terms) -> Vec<Scored> {
        let weights = self.query_weights(query);
        let scored = (0..).zip(&self.documents).filter_map(|(number, document)| {
            let place = document.start as usize..document.end as usize;
            let (rows, stored) = (self.rows.get(place.clone())?, self.weights.get(place)?);
            let products = rows.iter().zip(stored).map(|(&row, &weight)| {
                u32::from(weights.get(usize::from(row)).copied().unwrap_or(0)) * u32::from(weight)
            });
            let sum: u32 = products.sum();
            let score = sum as f32 * (QUERY_WEIGHT * STORED_WEIGHT);
            (sum > 0).then_some(Scored { number, score })
        });
        scored.collect()
    }

    /// The weight of each term in a query, in whole numbers: times the root of its rarity.
    fn query_weights(&self, query: &Terms) -> Vec<u16> {
        let mut weights = vec![0; self.frequencies.len()];
        for term in query.iter() {
            let row = usize::from(term.row);
            let frequency = self.frequencies.get(row).copied().unwrap_or(0);
            if let Some(weight) = weights.get_mut(row) {
                let rarity = libm::sqrtf(idf(self.count, frequency));
                *weight = libm::rintf(term.weight * rarity / QUERY_WEIGHT) as u16;
            }
        }
        weights
    }

    fn count_term(&mut self, row: Row, change: i32) {
        let row = usize::from(row);
        if row >= self.frequencies.len() {
            self.frequencies.resize(row + 1, 0);
        }
        if let Some(frequency) = self.frequencies.get_mut(row) {
            *frequency = frequency.saturating_add_signed(change);
        }
    }
}
