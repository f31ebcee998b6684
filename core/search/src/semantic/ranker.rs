//! Scores of all documents by one way to tell how well they fit a query.
//!
//! | ranker | documents have | a query is |
//! |---|---|---|
//! | [`Nearest`] | vectors of the table, of another model, or of the caller | a vector of the same kind |
//! | [`Matching`] | terms of the sparse model | terms, by the expansion table or the sparse model |
//!
//! Documents are known by their numbers in the [index](crate::index::Index). A document without a
//! vector or terms, such as one that is not encoded yet, has no score.

use alloc::vec::Vec;

use super::{term_index::TermIndex, terms::Terms, vector::Vector, vectors::Vectors};

/// A way to score documents, with a query.
pub trait Ranker {
    /// The score of each document, by its number; higher is better. `None` is for a document that
    /// cannot be compared.
    fn scores(&self) -> Vec<Option<f32>>;
}

/// Ranks by the angle between vectors: 1 in the same direction, 0 if unrelated.
#[derive(Clone, Copy, Debug)]
pub struct Nearest<'a> {
    /// The documents' vectors.
    pub documents: &'a Vectors,
    /// The query's.
    pub query: &'a Vector,
}

impl Ranker for Nearest<'_> {
    fn scores(&self) -> Vec<Option<f32>> {
        self.documents.cosines(self.query)
    }
}

/// Ranks by common terms: the sum of the products of their weights, where rare terms weigh more.
#[derive(Clone, Copy, Debug)]
pub struct Matching<'a> {
    /// The documents' terms.
    pub documents: &'a TermIndex,
    /// The query's.
    pub query: &'a Terms,
}

impl Ranker for Matching<'_> {
    fn scores(&self) -> Vec<Option<f32>> {
        self.documents.products(self.query)
    }
}

/// Brings the scores of documents to 0 for the worst and 1 for the best, so that those of several
/// rankers can be added. Documents without a score get 0.
pub fn scale(scores: &[Option<f32>]) -> Vec<f32> {
    let known = || scores.iter().flatten().copied();
    let (worst, best) = known().fold((f32::INFINITY, f32::NEG_INFINITY), |(worst, best), score| {
        (if score < worst { score } else { worst }, if score > best { score } else { best })
    });
    let range = best - worst;
    let scaled = |score: f32| if range > 0.0 { (score - worst) / range } else { 0.0 };
    scores.iter().map(|score| score.map_or(0.0, scaled)).collect()
}
