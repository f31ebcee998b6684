//! How much each ranking counts when they are fused. Only the ratio counts.
//!
//! | weight | at 0 | default | higher |
//! |---|---|---|---|
//! | words | names and rare words are missed | .5 | same words outweigh same meaning |
//! | terms | what is said in other words is found by vectors alone | .25 | from .4 on, weak guesses displace words |
//! | vectors | related texts without a common term are missed | .25 | from .4 on, vague likeness displaces words |
//!
//! They began with what ten collections had in common, and were moved towards words as full text got
//! better, on the two public ones. Nothing is tuned for a collection.

/// The weights of the rankings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of full text.
    pub words: f32,
    /// Of the terms of the sparse model.
    pub terms: f32,
    /// Of the vectors of the table.
    pub vectors: f32,
}

impl Weights {
    /// With both models.
    pub const BOTH_MODELS: Weights = Weights { words: 0.5, terms: 0.25, vectors: 0.25 };

    /// While documents have no terms yet, or where the sparse model is not loaded.
    pub const WITHOUT_TERMS: Weights = Weights { words: 0.65, terms: 0.0, vectors: 0.35 };

    /// Without models.
    pub const WORDS_ONLY: Weights = Weights { words: 1.0, terms: 0.0, vectors: 0.0 };
}
