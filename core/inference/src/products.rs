//! Products of the vectors of some pieces with those of some positions, in whole numbers.
//!
//! There are two forms, and both give the same numbers: one in wasm's vector instructions, and one
//! in plain Rust for other targets.

use crate::encoder::{GROUP, WIDTH};

#[cfg_attr(all(target_family = "wasm", target_feature = "simd128"), path = "products/simd128.rs")]
#[cfg_attr(
    not(all(target_family = "wasm", target_feature = "simd128")),
    path = "products/portable.rs"
)]
mod form;

pub(crate) use form::{Block, Pieces};

/// Positions of a block.
pub(crate) const POSITIONS: usize = 8;

/// Pieces that are multiplied with a block at once, so that its numbers are loaded once for all.
pub(crate) const PIECES: usize = 4;

/// The bytes of a group of a piece's int4 values.
pub(crate) type GroupBytes = [u8; GROUP / 2];

/// A position's vector. With a piece's numbers of at most 8 times `i16::MAX >> 5`, sums stay below
/// 2^31 when none of its numbers is beyond 2047.
pub(crate) type State = [i16; WIDTH];
