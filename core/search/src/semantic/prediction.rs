//! The end of the sparse model: which word pieces could stand at the positions of a text.
//!
//! Each piece's vector is multiplied with each position's, and the best position counts. That is
//! nearly all of the model's work, so it is done in whole numbers, four positions at a time.

use alloc::vec::Vec;

use nacre_layers::error::Result;

use super::{
    bytes::{Bytes, Int4, widen},
    encoder::{GROUP, Linear, Norm, WIDTH},
    float::gelu,
    lanes::{Eight, Sums},
    matrix::ROWS,
};

/// Positions of a block, one in each lane.
const LANES: usize = 4;

/// Blocks that a piece's vector is multiplied with at once.
const BLOCKS: usize = 4;

/// The largest number of a position's vector, and the largest factor of a group of a piece's. A
/// piece's int4 values go up to 8, so the sum of 128 products is below 2^31.
const LARGEST_STATE: f32 = 2047.0;
const LARGEST_FACTOR: f32 = 1023.0;

/// The weights after the encoder.
#[derive(Debug)]
pub(crate) struct Prediction<'a> {
    biases: &'a [[u8; 2]],
    norm: Norm,
    dense: Linear,
}

impl<'a> Prediction<'a> {
    /// Reads the weights, in the order of the file.
    pub(crate) fn read(bytes: &mut Bytes<'a>, pieces: usize) -> Result<Prediction<'a>> {
        let biases = bytes.halves(pieces)?;
        let norm = Norm::read(bytes)?;
        Ok(Prediction { biases, norm, dense: Linear::read(bytes, WIDTH, WIDTH)? })
    }

    /// For each piece, how well it fits at the position where it fits best. `states` holds the
    /// vectors of the positions that count.
    pub(crate) fn fits(&self, words: &Int4<'_>, mut states: Vec<f32>) -> Vec<f32> {
        let positions = states.len() / WIDTH;
        states.resize(positions.next_multiple_of(ROWS) * WIDTH, 0.0);
        let mut states = self.dense.apply(&states);
        states.iter_mut().for_each(|value| *value = gelu(*value));
        self.norm.apply(&mut states);
        states.truncate(positions * WIDTH);

        let (blocks, scale) = into_blocks(&states);
        let rows = words.rows().zip(self.biases);
        rows.map(|((values, scales), &bias)| {
            let (row, row_scale) = whole_numbers(values, scales);
            best_product(&row, &blocks) as f32 * (row_scale * scale) + widen(bias)
        })
        .collect()
    }
}

/// The numbers of four positions, two dimensions at a time.
type Block = [Eight; WIDTH / 2];

/// Rounds the positions' vectors to whole numbers, and says what 1 of those is worth. The last
/// block is filled up with the last position.
fn into_blocks(states: &[f32]) -> (Vec<Block>, f32) {
    let largest = states.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let scale = largest / LARGEST_STATE;
    let whole = |value: f32| libm::rintf(value / scale) as i16;
    let states = states.as_chunks::<WIDTH>().0;
    let blocks = states.chunks(LANES).map(|states| {
        let lane = |lane: usize| states.get(lane).or(states.last()).unwrap_or(&[0.0; WIDTH]);
        let [a, b, c, d] = core::array::from_fn(lane);
        core::array::from_fn(|pair| {
            let [first, second] = dimensions(pair);
            let of = |state: &[f32; WIDTH]| {
                [first, second].map(|at| whole(state.get(at).copied().unwrap_or(0.0)))
            };
            let [[a, b], [c, d], [e, f], [g, h]] = [of(a), of(b), of(c), of(d)];
            Eight::new([a, b, c, d, e, f, g, h])
        })
    });
    (blocks.collect(), scale)
}

/// The two dimensions that stand in a pair of an unpacked row. A byte of a row holds two
/// neighbours; unpacking puts the first ones of a group before all the second ones.
fn dimensions(pair: usize) -> [usize; 2] {
    let half = GROUP / 2;
    [2 * pair, 2 * pair + 1].map(|place| {
        let (group, within) = (place / GROUP * GROUP, place % GROUP);
        if within < half { group + 2 * within } else { group + 2 * (within - half) + 1 }
    })
}

/// A piece's vector in whole numbers, in the order of [`dimensions`].
type Numbers = [Eight; WIDTH / 8];

/// Brings the groups of a piece's vector to one scale, and says which.
fn whole_numbers(values: &[u8], scales: &[[u8; 2]]) -> (Numbers, f32) {
    let scales: [f32; WIDTH / GROUP] =
        core::array::from_fn(|group| scales.get(group).map_or(0.0, |&scale| widen(scale)));
    let largest = scales.iter().fold(f32::MIN_POSITIVE, |largest, &scale| largest.max(scale));
    let mut numbers = [Eight::new([0; 8]); WIDTH / 8];
    let groups = values.as_chunks::<{ GROUP / 2 }>().0.iter().zip(scales);
    for ((values, scale), numbers) in groups.zip(numbers.as_chunks_mut::<{ GROUP / 8 }>().0) {
        *numbers = Eight::unpack(values, (scale / largest * LARGEST_FACTOR + 0.5) as i16);
    }
    (numbers, largest / LARGEST_FACTOR)
}

/// The largest product of a piece's vector with a position's.
fn best_product(row: &Numbers, blocks: &[Block]) -> i32 {
    let (groups, rest) = blocks.as_chunks::<BLOCKS>();
    let mut best = Sums::all(i32::MIN);
    for group in groups {
        best = best.larger(best_of(row, group));
    }
    for block in rest.as_chunks::<1>().0 {
        best = best.larger(best_of(row, block));
    }
    best.largest()
}

/// The largest product in each lane of some blocks.
fn best_of<const N: usize>(row: &Numbers, blocks: &[Block; N]) -> Sums {
    let mut sums = [Sums::all(0); N];
    for (eight, number) in row.iter().enumerate() {
        for (pair, number) in number.pairs().into_iter().enumerate() {
            for (sum, block) in sums.iter_mut().zip(blocks) {
                if let Some(&state) = block.get(4 * eight + pair) {
                    *sum = sum.add_products(number, state);
                }
            }
        }
    }
    sums.into_iter().fold(Sums::all(i32::MIN), Sums::larger)
}
