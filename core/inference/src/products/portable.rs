//! Products in plain Rust.

use super::{GROUP, GroupBytes, PIECES, POSITIONS, State, WIDTH};
use crate::bytes::halve;

/// The vectors of at most [`POSITIONS`] positions.
#[derive(Debug)]
pub(crate) struct Block([State; POSITIONS]);

impl Block {
    /// A block of positions, filled up with the last one.
    pub(crate) fn new(states: &[State]) -> Block {
        let filled = |place| states.get(place).or(states.last()).copied();
        Block(core::array::from_fn(|place| filled(place).unwrap_or([0; WIDTH])))
    }
}

/// The vectors of [`PIECES`] pieces.
#[derive(Debug)]
pub(crate) struct Pieces([[i16; WIDTH]; PIECES]);

impl Pieces {
    /// Vectors of zeros.
    pub(crate) fn new() -> Pieces {
        Pieces([[0; WIDTH]; PIECES])
    }

    /// Sets a group of a piece's numbers to its int4 values, each times a factor.
    pub(crate) fn set(&mut self, piece: usize, group: usize, bytes: &GroupBytes, factor: i16) {
        let numbers = self.0.get_mut(piece).map(|piece| piece.as_chunks_mut::<GROUP>().0);
        let Some(numbers) = numbers.and_then(|groups| groups.get_mut(group)) else { return };
        for (two, &byte) in numbers.as_chunks_mut().0.iter_mut().zip(bytes) {
            *two = halve(byte).map(|value| i16::from(value).wrapping_mul(factor));
        }
    }

    /// For each piece, its largest product with a position.
    pub(crate) fn best_products(&self, blocks: &[Block]) -> [i32; PIECES] {
        self.0.map(|piece| {
            let states = blocks.iter().flat_map(|block| &block.0);
            states.map(|state| product(&piece, state)).max().unwrap_or(i32::MIN)
        })
    }
}

fn product(piece: &[i16; WIDTH], state: &State) -> i32 {
    piece.iter().zip(state).fold(0, |sum: i32, (&number, &state)| {
        sum.wrapping_add(i32::from(number).wrapping_mul(i32::from(state)))
    })
}
