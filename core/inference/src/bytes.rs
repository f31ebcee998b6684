//! Reads the packed numbers of a model file, one tensor after the other.
//!
//! Bytes are little-endian. A matrix is its rows, then their scales as half floats: *int4* has two
//! values a byte, the low half first, and a scale for each group of columns; *int8* has a value a
//! byte and a scale for each row.

use alloc::vec::Vec;

use nacre_layers::error::Result;

use crate::broken;

/// The bytes of a model that are not read yet.
#[derive(Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
    /// What the file holds, for errors.
    part: &'static str,
}

impl<'a> Bytes<'a> {
    /// The bytes of a file; `part` says what it holds, for errors.
    pub fn new(rest: &'a [u8], part: &'static str) -> Bytes<'a> {
        Bytes { rest, part }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Says that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(broken(self.part)) }
    }

    /// Takes so many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| broken(self.part))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a byte.
    ///
    /// # Errors
    /// When nothing is left.
    pub fn byte(&mut self) -> Result<u8> {
        self.take(1)?.first().copied().ok_or_else(|| broken(self.part))
    }

    /// Half floats.
    pub(crate) fn halves(&mut self, count: usize) -> Result<&'a [[u8; 2]]> {
        Ok(self.take(count.saturating_mul(2))?.as_chunks().0)
    }

    /// A list of half floats, widened.
    pub(crate) fn floats(&mut self, count: usize) -> Result<Vec<f32>> {
        Ok(self.halves(count)?.iter().map(|&half| widen(half)).collect())
    }

    /// An int4 matrix.
    ///
    /// # Errors
    /// When there are too few bytes.
    pub fn int4(&mut self, rows: usize, columns: usize, group: usize) -> Result<Int4<'a>> {
        Ok(Int4 {
            values: self.take(rows * columns / 2)?,
            scales: self.halves(rows * (columns / group))?,
            columns,
            group,
        })
    }

    /// An int8 matrix, as floats, row by row.
    pub(crate) fn int8(&mut self, rows: usize, columns: usize) -> Result<Vec<f32>> {
        let values = self.take(rows * columns)?;
        let scales = self.halves(rows)?;
        let rows = values.chunks_exact(columns).zip(scales);
        Ok(rows
            .flat_map(|(row, &scale)| {
                let scale = widen(scale);
                row.iter().map(move |&value| f32::from(value.cast_signed()) * scale)
            })
            .collect())
    }
}

/// An int4 matrix in the bytes of its file.
#[derive(Clone, Copy, Debug)]
pub struct Int4<'a> {
    values: &'a [u8],
    scales: &'a [[u8; 2]],
    columns: usize,
    group: usize,
}

impl<'a> Int4<'a> {
    /// A row's values, two a byte, and the scales of its groups.
    pub(crate) fn row(&self, row: usize) -> Option<(&'a [u8], &'a [[u8; 2]])> {
        let (bytes, scales) = (self.columns / 2, self.columns / self.group);
        Some((
            self.values.get(row * bytes..(row + 1) * bytes)?,
            self.scales.get(row * scales..(row + 1) * scales)?,
        ))
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&'a [u8], &'a [[u8; 2]])> {
        let scales = self.scales.chunks_exact(self.columns / self.group);
        self.values.chunks_exact(self.columns / 2).zip(scales)
    }

    /// Adds `times` a row to a sum.
    #[inline(never)]
    pub fn add_row(&self, row: usize, times: f32, sum: &mut [f32]) {
        let Some((values, scales)) = self.row(row) else { return };
        let groups = values.chunks_exact(self.group / 2).zip(scales);
        for ((values, &scale), sum) in groups.zip(sum.chunks_exact_mut(self.group)) {
            let scale = widen(scale) * times;
            for (&byte, sum) in values.iter().zip(sum.as_chunks_mut::<2>().0) {
                let [low, high] = halve(byte);
                sum[0] += f32::from(low) * scale;
                sum[1] += f32::from(high) * scale;
            }
        }
    }
}

/// The two int4 values of a byte, the low half first.
pub(crate) fn halve(byte: u8) -> [i8; 2] {
    [(byte << 4).cast_signed() >> 4, byte.cast_signed() >> 4]
}

/// A half float as a float. Models hold neither infinities nor NaN; one that does gives large
/// numbers.
pub(crate) fn widen(half: [u8; 2]) -> f32 {
    let bits = u32::from(u16::from_le_bytes(half));
    let (sign, magnitude) = ((bits & 0x8000) << 16, bits & 0x7fff);
    // The exponent starts at -15 in a half and at -127 in a float; the product moves it, and makes
    // normal numbers of subnormal ones.
    let shifted = f32::from_bits(magnitude << 13) * f32::from_bits((254 - 15) << 23);
    f32::from_bits(shifted.to_bits() | sign)
}
