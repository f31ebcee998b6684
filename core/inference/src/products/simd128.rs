//! Products in wasm's vectors of 128 bits. The instruction behind them multiplies eight numbers
//! with eight, and adds up the two products of each pair of neighbours.
//!
//! A sum's four lanes are four positions. So a position's numbers stand in pairs beside those of
//! three others, and a piece's pairs are repeated four times.

use core::arch::wasm32::{
    i8x16, i8x16_shl, i8x16_shr, i16x8, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i16x8_mul,
    i16x8_splat, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_max, i32x4_shuffle,
    i32x4_splat, v128,
};

use super::{GROUP, GroupBytes, PIECES, POSITIONS, State, WIDTH};

/// Numbers in a vector, pairs in a vector, and vectors across a block.
const NUMBERS: usize = 8;
const PAIRS: usize = NUMBERS / 2;
const ACROSS: usize = POSITIONS / PAIRS;

/// The vectors of at most [`POSITIONS`] positions: for each pair of dimensions, the numbers of all.
#[derive(Debug)]
pub(crate) struct Block([[v128; ACROSS]; WIDTH / 2]);

impl Block {
    /// A block of positions, filled up with the last one.
    pub(crate) fn new(states: &[State]) -> Block {
        let number = |position: usize, dimension: usize| {
            let state = states.get(position).or(states.last());
            state.and_then(|state| state.get(dimension)).copied().unwrap_or(0)
        };
        Block(core::array::from_fn(|pair| {
            let [first, second] = dimensions(pair);
            core::array::from_fn(|vector| {
                let [a, b, c, d] = core::array::from_fn(|lane| PAIRS * vector + lane);
                i16x8(
                    number(a, first),
                    number(a, second),
                    number(b, first),
                    number(b, second),
                    number(c, first),
                    number(c, second),
                    number(d, first),
                    number(d, second),
                )
            })
        }))
    }
}

/// The two dimensions of a pair. A byte of a piece holds two neighbours, and unpacking puts the
/// first ones of a group before all the second ones.
fn dimensions(pair: usize) -> [usize; 2] {
    [2 * pair, 2 * pair + 1].map(|place| {
        let (group, within) = (place / GROUP * GROUP, place % GROUP);
        if within < GROUP / 2 { group + 2 * within } else { group + 2 * within - GROUP + 1 }
    })
}

/// The vectors of [`PIECES`] pieces: eight numbers of each, then the next eight. The dimensions are
/// in the order of [`dimensions`].
#[derive(Debug)]
pub(crate) struct Pieces([[v128; PIECES]; WIDTH / NUMBERS]);

impl Pieces {
    /// Vectors of zeros.
    pub(crate) fn new() -> Pieces {
        Pieces([[i16x8_splat(0); PIECES]; WIDTH / NUMBERS])
    }

    /// Sets a group of a piece's numbers to its int4 values, each times a factor.
    pub(crate) fn set(&mut self, piece: usize, group: usize, bytes: &GroupBytes, factor: i16) {
        let Some(eights) = self.0.as_chunks_mut::<{ GROUP / NUMBERS }>().0.get_mut(group) else {
            return;
        };
        for (eight, numbers) in eights.iter_mut().zip(unpack(bytes, factor)) {
            if let Some(eight) = eight.get_mut(piece) {
                *eight = numbers;
            }
        }
    }

    /// For each piece, its largest product with a position.
    pub(crate) fn best_products(&self, blocks: &[Block]) -> [i32; PIECES] {
        let mut best = [i32x4_splat(i32::MIN); PIECES];
        for block in blocks {
            for (best, sums) in best.iter_mut().zip(self.products(block)) {
                *best = sums.into_iter().fold(*best, |best, sums| i32x4_max(best, sums));
            }
        }
        best.map(largest_lane)
    }

    fn products(&self, block: &Block) -> Products {
        let mut sums = [[i32x4_splat(0); ACROSS]; PIECES];
        for (pieces, pairs) in self.0.iter().zip(block.0.as_chunks::<PAIRS>().0) {
            let [first, second, third, fourth] = pairs;
            add_products::<0>(&mut sums, pieces, first);
            add_products::<1>(&mut sums, pieces, second);
            add_products::<2>(&mut sums, pieces, third);
            add_products::<3>(&mut sums, pieces, fourth);
        }
        sums
    }
}

/// For each piece, its product with each position of a block.
type Products = [[v128; ACROSS]; PIECES];

/// Adds the products of one of the four pairs of each piece's eight numbers.
#[inline(always)]
fn add_products<const PAIR: usize>(
    sums: &mut Products,
    pieces: &[v128; PIECES],
    states: &[v128; ACROSS],
) {
    for (sums, &piece) in sums.iter_mut().zip(pieces) {
        let pair = i32x4_shuffle::<PAIR, PAIR, PAIR, PAIR>(piece, piece);
        for (sum, &state) in sums.iter_mut().zip(states) {
            *sum = i32x4_add(*sum, i32x4_dot_i16x8(pair, state));
        }
    }
}

/// The int4 values of a group, each times a factor: those of the low halves, then those of the high
/// halves.
fn unpack(bytes: &GroupBytes, factor: i16) -> [v128; GROUP / NUMBERS] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes.map(u8::cast_signed);
    let bytes = i8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    let (low, high) = (i8x16_shr(i8x16_shl(bytes, 4), 4), i8x16_shr(bytes, 4));
    let factor = i16x8_splat(factor);
    [
        i16x8_extend_low_i8x16(low),
        i16x8_extend_high_i8x16(low),
        i16x8_extend_low_i8x16(high),
        i16x8_extend_high_i8x16(high),
    ]
    .map(|numbers| i16x8_mul(numbers, factor))
}

fn largest_lane(numbers: v128) -> i32 {
    let (a, b) = (i32x4_extract_lane::<0>(numbers), i32x4_extract_lane::<1>(numbers));
    let (c, d) = (i32x4_extract_lane::<2>(numbers), i32x4_extract_lane::<3>(numbers));
    a.max(b).max(c.max(d))
}
