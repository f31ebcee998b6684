//! The postings of one token, packed: which documents have it, how much, and where.

use alloc::vec::Vec;

use crate::bytes::{put, put_bytes, take, take_bytes};

/// The documents of one token by rising number.
///
/// ```text
/// weights   := (distance from the document before ‖ weight)*
/// positions := (bytes that follow ‖ distances)*
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    count: u32,
    last: u32,
    weights: Vec<u8>,
    positions: Vec<u8>,
}

/// The bytes of a document's positions.
pub(crate) type Positions<'l> = &'l [u8];

impl List {
    /// Adds a document whose number is higher than those of all before.
    pub(crate) fn push(&mut self, document: u32, weight: u8, positions: &[u8]) {
        put(&mut self.weights, document.wrapping_sub(self.last));
        self.weights.push(weight);
        put_bytes(&mut self.positions, positions);
        self.last = document;
        self.count = self.count.saturating_add(1);
    }

    /// The number of documents.
    pub(crate) fn len(&self) -> u32 {
        self.count
    }

    /// Calls `each` with the number of every document and its weight.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(u32, u8)) {
        let mut bytes = self.weights.as_slice();
        let mut document = 0_u32;
        while let Some(distance) = take(&mut bytes) {
            let Some((weight, rest)) = bytes.split_first() else { return };
            bytes = rest;
            document = document.wrapping_add(distance);
            each(document, *weight);
        }
    }

    /// Every document with its weight and positions.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u32, u8, Positions<'_>)> {
        let (mut weights, mut positions) = (self.weights.as_slice(), self.positions.as_slice());
        let mut document = 0_u32;
        core::iter::from_fn(move || {
            document = document.wrapping_add(take(&mut weights)?);
            let (weight, rest) = weights.split_first()?;
            weights = rest;
            Some((document, *weight, take_bytes(&mut positions)?))
        })
    }
}

/// The positions in the bytes of a list.
pub(crate) fn unpack(mut positions: Positions<'_>) -> impl Iterator<Item = u32> {
    let mut position = 0_u32;
    core::iter::from_fn(move || {
        position = position.wrapping_add(take(&mut positions)?);
        Some(position)
    })
}
