//! Scores of all documents by one way to tell how well they fit a query.
//!
//! | ranker | documents have | a query is |
//! |---|---|---|
//! | [`Nearest`] | vectors of the table, of another model, or of the caller | a vector of the same kind |
//! | [`Matching`] | terms of the sparse model | terms, by the expansion table or the sparse model |
//!
//! Documents are known by their numbers in the [index](crate::index::Index). One without a vector or
//! terms, such as one that is not encoded yet, is not among the answers.

use alloc::vec::Vec;

use super::{term_index::TermIndex, terms::Terms, vector::Vector, vectors::Vectors};
use crate::{fusion::Ranking, score::Scored};

/// A way to score documents, with a query.
pub trait Ranker {
    /// The documents that can be compared with the query, by rising number; a higher score is
    /// better.
    fn answers(&self) -> Vec<Scored>;

    /// The lowest score there can be, if the documents that are no answers have it. `None` where
    /// every document that can be compared is an answer.
    fn floor(&self) -> Option<f32>;

    /// The answers as a part of a [fused](crate::fusion::fuse) ranking.
    fn ranking<'r>(&self, answers: &'r [Scored], weight: f32) -> Ranking<'r> {
        Ranking { answers, floor: self.floor(), weight }
    }
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
    fn answers(&self) -> Vec<Scored> {
        self.documents.cosines(self.query)
    }

    fn floor(&self) -> Option<f32> {
        None
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
    fn answers(&self) -> Vec<Scored> {
        self.documents.products(self.query)
    }

    fn floor(&self) -> Option<f32> {
        Some(0.0)
    }
}
