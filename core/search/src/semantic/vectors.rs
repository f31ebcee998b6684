//! The vectors of documents, side by side, so that all are compared with a query's in a pass.

use alloc::vec::Vec;

use nacre_inference::dot::dot;
use nacre_layers::error::{Code, Error, Result};

use super::vector::{Vector, inverse_length};
use crate::{compact::Numbers, score::Scored};

/// The refusal of a vector that has not so many dimensions.
pub fn other_dimensions(dimensions: usize) -> Error {
    let detail = "all vectors must have the same number of dimensions";
    Error::new(Code::InvalidRequest, detail).limit(dimensions as u64)
}

/// The vectors of documents, by the documents' numbers.
#[derive(Clone, Debug)]
pub struct Vectors {
    dimensions: usize,
    numbers: Vec<i8>,
    /// One over the length of each vector; 0 for a document without one.
    inverse_lengths: Vec<f32>,
}

impl Vectors {
    /// No vectors yet. All are to have so many dimensions, at least one.
    pub fn new(dimensions: usize) -> Vectors {
        Vectors { dimensions: dimensions.max(1), numbers: Vec::new(), inverse_lengths: Vec::new() }
    }

    /// The number of dimensions of all vectors.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether no document has a vector with a direction.
    pub fn is_empty(&self) -> bool {
        self.inverse_lengths.iter().all(|inverse| *inverse == 0.0)
    }

    /// A document's vector, if it has one that is not all zeros.
    pub fn get(&self, document: u32) -> Option<Vector> {
        let document = document as usize;
        self.inverse_lengths.get(document).filter(|inverse| **inverse > 0.0)?;
        self.numbers.chunks_exact(self.dimensions).nth(document).map(Vector::of_numbers)
    }

    /// Sets a document's vector.
    ///
    /// # Errors
    /// When it has another number of dimensions.
    pub fn set(&mut self, document: u32, vector: &Vector) -> Result<()> {
        let numbers = vector.numbers();
        if numbers.len() != self.dimensions {
            return Err(other_dimensions(self.dimensions));
        }
        let document = document as usize;
        if document >= self.inverse_lengths.len() {
            self.inverse_lengths.resize(document + 1, 0.0);
            self.numbers.resize((document + 1) * self.dimensions, 0);
        }
        let place = self.numbers.chunks_exact_mut(self.dimensions).nth(document);
        if let Some((place, inverse)) = place.zip(self.inverse_lengths.get_mut(document)) {
            place.copy_from_slice(numbers);
            *inverse = inverse_length(numbers);
        }
        Ok(())
    }

    /// Sets a document's vector among those there are. The first one says how many dimensions all
    /// have, and with the last one that is forgotten.
    ///
    /// # Errors
    /// When it has another number of dimensions.
    pub fn put(held: &mut Option<Vectors>, document: u32, vector: &Vector) -> Result<()> {
        let vectors = held.take().filter(|vectors| !vectors.is_empty());
        let new = || Vectors::new(vector.numbers().len());
        held.insert(vectors.unwrap_or_else(new)).set(document, vector)
    }

    /// Forgets a document's vector.
    pub fn remove(&mut self, document: u32) {
        if let Some(inverse) = self.inverse_lengths.get_mut(document as usize) {
            *inverse = 0.0;
        }
    }

    /// The vectors of the documents that have new numbers, by those.
    #[must_use]
    pub fn renumbered(&self, numbers: &Numbers) -> Vectors {
        let mut kept = Vectors::new(self.dimensions);
        for (old, new) in numbers.iter() {
            let (old, new) = (old as usize, new as usize);
            let place = self.numbers.chunks_exact(self.dimensions).nth(old);
            let inverse = self.inverse_lengths.get(old).filter(|inverse| **inverse > 0.0);
            if let Some((place, inverse)) = place.zip(inverse) {
                kept.numbers.resize(new * self.dimensions, 0);
                kept.numbers.extend_from_slice(place);
                kept.inverse_lengths.resize(new, 0.0);
                kept.inverse_lengths.push(*inverse);
            }
        }
        kept
    }

    /// The cosine of the angle between the query's vector and each document's that has a direction.
    /// None, if the query has no direction or other dimensions.
    pub(crate) fn cosines(&self, query: &Vector) -> Vec<Scored> {
        let query = query.numbers();
        let inverse = if query.len() == self.dimensions { inverse_length(query) } else { 0.0 };
        let documents = self.numbers.chunks_exact(self.dimensions).zip(&self.inverse_lengths);
        let scored = (0..).zip(documents).filter_map(|(number, (numbers, document_inverse))| {
            let factor = inverse * document_inverse;
            (factor > 0.0).then(|| Scored { number, score: dot(query, numbers) as f32 * factor })
        });
        scored.collect()
    }
}
