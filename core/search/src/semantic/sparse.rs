//! The sparse model: the terms that a text is about, also those that it does not use.
//!
//! A term is a word piece with a weight. A document keeps its strongest ones; a query's are weighed
//! up against how common they are in the documents.

use alloc::vec::Vec;

use nacre_inference::{
    bytes::Bytes,
    encoder::{Encoder, POSITIONS, WIDTH},
    prediction::Prediction,
};
use nacre_layers::error::Result;

use super::{
    terms::{Term, Terms},
    vocabulary::{Row, Vocabulary},
};

/// The encoder, and what predicts terms from its positions.
#[derive(Debug)]
pub struct Sparse<'a> {
    encoder: Encoder<'a>,
    prediction: Prediction<'a>,
}

impl<'a> Sparse<'a> {
    /// Reads the model of a vocabulary with so many pieces.
    ///
    /// # Errors
    /// When the file has another length.
    pub fn read(bytes: &'a [u8], pieces: usize) -> Result<Sparse<'a>> {
        let mut bytes = Bytes::new(bytes, "the sparse model");
        let encoder = Encoder::read(&mut bytes, pieces)?;
        let prediction = Prediction::read(&mut bytes, pieces)?;
        bytes.end()?;
        Ok(Sparse { encoder, prediction })
    }

    /// The strongest terms of a text with these pieces, at most so many. Of a long text only the
    /// first 254 pieces are read.
    pub fn encode(&self, vocabulary: &Vocabulary<'_>, pieces: &[Row], most: usize) -> Terms {
        let pieces = pieces.get(..POSITIONS - 2).unwrap_or(pieces);
        if pieces.is_empty() {
            return Terms::default();
        }
        let states = self.encoder.encode(pieces);
        let states = content_states(vocabulary, pieces, &states);
        let fits = self.prediction.fits(&self.encoder.words(), states);
        let terms = (0..).zip(fits).filter(|&(_, fit)| fit > 0.0);
        Terms::strongest(terms.map(|(row, fit)| Term { row, weight: libm::log1pf(fit) }), most)
    }
}

/// The states of the pieces that carry meaning, or of all when none does.
fn content_states(vocabulary: &Vocabulary<'_>, pieces: &[Row], states: &[f32]) -> Vec<f32> {
    // The opening position has a state, but no piece.
    let states = states.as_chunks::<WIDTH>().0;
    let of_pieces = states.iter().skip(1).zip(pieces);
    let content = of_pieces.clone().filter(|&(_, &piece)| vocabulary.is_content(piece));
    let states: Vec<f32> = content.flat_map(|(state, _)| state).copied().collect();
    if states.is_empty() {
        return of_pieces.flat_map(|(state, _)| state).copied().collect();
    }
    states
}
