//! The end of the sparse model: which word pieces could stand at the positions of a text.
//!
//! Each piece's vector is multiplied with each position's, and the best position counts. That is
//! nearly all of the model's work, so it is done in whole numbers, some pieces and some positions at a time.

use alloc::vec::Vec;

use nacre_layers::error::Result;
use tinyvec::ArrayVec;

use crate::{
    bytes::{Bytes, Int4, widen},
    encoder::{GROUP, Linear, Norm, WIDTH},
    float::{gelu, larger},
    matrix::ROWS,
    products::{Block, PIECES, POSITIONS, Pieces, State},
};

/// The largest number of a position's vector, and the largest factor of a group of a piece's. A
/// piece's int4 values go up to 8, so the sum of 128 products is below 2^31.
const LARGEST_STATE: f32 = 2047.0;
const LARGEST_FACTOR: f32 = 1023.0;

/// The weights after the encoder.
#[derive(Debug)]
pub struct Prediction<'a> {
    biases: &'a [[u8; 2]],
    norm: Norm,
    dense: Linear,
}

impl<'a> Prediction<'a> {
    /// Reads the weights, in the order of the file.
    ///
    /// # Errors
    /// When there are too few bytes.
    pub fn read(bytes: &mut Bytes<'a>, pieces: usize) -> Result<Prediction<'a>> {
        let biases = bytes.halves(pieces)?;
        let norm = Norm::read(bytes)?;
        Ok(Prediction { biases, norm, dense: Linear::read(bytes, WIDTH, WIDTH)? })
    }

    /// For each piece, how well it fits at the position where it fits best. `states` holds the
    /// vectors of the positions that count.
    #[inline(never)]
    pub fn fits(&self, words: &Int4<'_>, mut states: Vec<f32>) -> Vec<f32> {
        let positions = states.len() / WIDTH;
        states.resize(positions.next_multiple_of(ROWS) * WIDTH, 0.0);
        let mut states = self.dense.apply(&states);
        states.iter_mut().for_each(|value| *value = gelu(*value));
        self.norm.apply(&mut states);
        states.truncate(positions * WIDTH);

        let (blocks, scale) = into_blocks(&states);
        let mut fits = Vec::with_capacity(self.biases.len());
        let mut rows = words.rows().zip(self.biases).peekable();
        while rows.peek().is_some() {
            let mut pieces = Pieces::new();
            let taken = rows.by_ref().take(PIECES).enumerate();
            let taken: ArrayVec<[_; PIECES]> = taken
                .map(|(place, ((values, scales), &bias))| {
                    (set_piece(&mut pieces, place, values, scales), widen(bias))
                })
                .collect();
            let products = pieces.best_products(&blocks);
            fits.extend(taken.into_iter().zip(products).map(|((piece_scale, bias), product)| {
                product as f32 * (piece_scale * scale) + bias
            }));
        }
        fits
    }
}

/// Rounds the positions' vectors to whole numbers, and says what 1 of those is worth.
fn into_blocks(states: &[f32]) -> (Vec<Block>, f32) {
    let largest = states.iter().map(|value| value.abs()).fold(f32::MIN_POSITIVE, larger);
    let scale = largest / LARGEST_STATE;
    let states = states.as_chunks::<WIDTH>().0.iter();
    let states = states.map(|state| state.map(|value| libm::rintf(value / scale) as i16));
    let states: Vec<State> = states.collect();
    (states.chunks(POSITIONS).map(Block::new).collect(), scale)
}

/// Sets a piece's vector, and says what 1 of its numbers is worth: its groups get one scale.
fn set_piece(pieces: &mut Pieces, place: usize, values: &[u8], scales: &[[u8; 2]]) -> f32 {
    let scales: [f32; WIDTH / GROUP] =
        core::array::from_fn(|group| scales.get(group).map_or(0.0, |&scale| widen(scale)));
    let largest = scales.into_iter().fold(f32::MIN_POSITIVE, larger);
    let to_factor = LARGEST_FACTOR / largest;
    for (group, (values, scale)) in values.as_chunks().0.iter().zip(scales).enumerate() {
        pieces.set(place, group, values, (scale * to_factor + 0.5) as i32 as i16);
    }
    largest / LARGEST_FACTOR
}
