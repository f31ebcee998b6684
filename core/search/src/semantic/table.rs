//! The table model: one vector for each word piece. A text's vector is their sum.

use nacre_inference::bytes::{Bytes, Int4};
use nacre_layers::error::Result;

use super::{vector::Vector, vocabulary::Row};

/// The dimensions of the table's vectors, and the bytes of a stored one.
pub const DIMENSIONS: usize = 128;

/// A vector for each word piece, in the bytes of the model's file.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    vectors: Int4<'a>,
}

impl<'a> Table<'a> {
    /// Reads the model of a vocabulary with so many pieces.
    ///
    /// # Errors
    /// When the file has another length.
    pub fn read(bytes: &'a [u8], pieces: usize) -> Result<Table<'a>> {
        let mut bytes = Bytes::new(bytes, "the table");
        let vectors = bytes.int4(pieces, DIMENSIONS, DIMENSIONS)?;
        bytes.end()?;
        Ok(Table { vectors })
    }

    /// The vector of a text with these pieces.
    pub fn encode(&self, pieces: &[Row]) -> Vector {
        let mut sum = [0.0; DIMENSIONS];
        for &piece in pieces {
            self.vectors.add_row(usize::from(piece), 1.0, &mut sum);
        }
        Vector::of_finite(&sum)
    }
}
