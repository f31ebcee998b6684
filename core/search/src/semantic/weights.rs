//! How much each ranking counts when they are fused. Only the ratio counts.
//!
//! | weight | at 0 | default | higher |
//! |---|---|---|---|
//! | words | names and rare words are missed | .4 | same words outweigh same meaning |
//! | terms | what is said in other words is found by vectors alone | .3 | from .4 on, weak guesses displace words |
//! | vectors | related texts without a common term are missed | .3 | from .5 on, vague likeness displaces words |
//!
//! Chosen on ten collections, one configuration for all (`models/README.md`).

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
    pub const BOTH_MODELS: Weights = Weights { words: 0.4, terms: 0.3, vectors: 0.3 };

    /// While documents have no terms yet, or where the sparse model is not loaded.
    pub const WITHOUT_TERMS: Weights = Weights { words: 0.6, terms: 0.0, vectors: 0.4 };

    /// Without models.
    pub const WORDS_ONLY: Weights = Weights { words: 1.0, terms: 0.0, vectors: 0.0 };
}
