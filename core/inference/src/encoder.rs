//! The encoder of the sparse model: BERT with two layers, two heads and 128 dimensions.
//!
//! It gives each position of a text a vector that says what the word piece means there.

use alloc::{vec, vec::Vec};
use core::iter;

use nacre_layers::error::Result;

use crate::{
    bytes::{Bytes, Int4},
    float::{exp, gelu, larger},
    lanes::{LANES, Lanes},
    matrix::{Matrix, ROWS},
};

/// Dimensions of a position's vector.
pub const WIDTH: usize = 128;

/// Columns of an int4 matrix that share a scale.
pub(crate) const GROUP: usize = 32;

/// Dimensions inside a layer's second half.
const INNER: usize = 512;

/// The most positions, with the opening and the closing one. What follows is not read.
pub const POSITIONS: usize = 256;

/// The row of a word piece in every model.
pub type Row = u16;

/// Opens the text that the encoder reads.
pub const OPENING: Row = 0;

/// Closes the text that the encoder reads.
pub const CLOSING: Row = 1;

const LAYERS: usize = 2;
const HEADS: usize = 2;
const HEAD_WIDTH: usize = WIDTH / HEADS;

/// The encoder's weights.
#[derive(Debug)]
pub struct Encoder<'a> {
    words: Int4<'a>,
    /// What is added for each position, and for the one kind of text that there is.
    positions: Vec<f32>,
    norm: Norm,
    layers: [Layer; LAYERS],
}

impl<'a> Encoder<'a> {
    /// Reads the weights, in the order of the file.
    ///
    /// # Errors
    /// When there are too few bytes.
    pub fn read(bytes: &mut Bytes<'a>, pieces: usize) -> Result<Encoder<'a>> {
        let norm = Norm::read(bytes)?;
        let mut positions = bytes.int8(POSITIONS, WIDTH)?;
        let kind = bytes.floats(WIDTH)?;
        for position in positions.chunks_exact_mut(WIDTH) {
            add(position, &kind);
        }
        Ok(Encoder {
            words: bytes.int4(pieces, WIDTH, GROUP)?,
            positions,
            norm,
            layers: [Layer::read(bytes)?, Layer::read(bytes)?],
        })
    }

    /// The vector of each word piece. The first layer has the same one for a piece wherever it is
    /// predicted.
    pub fn words(&self) -> Int4<'a> {
        self.words
    }

    /// The vectors of the positions of a text: the opening one, the pieces, the closing one, and
    /// some without meaning, up to a multiple of four.
    #[inline(never)]
    pub fn encode(&self, pieces: &[Row]) -> Vec<f32> {
        let pieces = pieces.get(..POSITIONS - 2).unwrap_or(pieces);
        let length = pieces.len() + 2;
        let read = iter::once(&OPENING).chain(pieces).chain(iter::once(&CLOSING));
        let mut states = vec![0.0; length.next_multiple_of(ROWS) * WIDTH];
        let places = states.chunks_exact_mut(WIDTH).zip(self.positions.chunks_exact(WIDTH));
        for (&piece, (state, position)) in read.zip(places) {
            state.copy_from_slice(position);
            self.words.add_row(usize::from(piece), 1.0, state);
        }
        self.norm.apply(&mut states);
        for layer in &self.layers {
            layer.apply(&mut states, length);
        }
        states
    }
}

/// One layer: positions look at each other, then each is worked on by itself.
#[derive(Debug)]
struct Layer {
    heads: [Head; HEADS],
    attention_bias: Vec<f32>,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

/// A part of a layer that compares positions in one way.
#[derive(Debug)]
struct Head {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Matrix,
}

impl Layer {
    fn read(bytes: &mut Bytes<'_>) -> Result<Layer> {
        let attention_norm = Norm::read(bytes)?;
        let attention_bias = bytes.floats(WIDTH)?;
        let output = bytes.int8(WIDTH, WIDTH)?;
        let [key, query, value] = [
            Weights::read(bytes, WIDTH, WIDTH)?,
            Weights::read(bytes, WIDTH, WIDTH)?,
            Weights::read(bytes, WIDTH, WIDTH)?,
        ];
        let head = |number: usize| {
            let first = number * HEAD_WIDTH;
            Head {
                query: query.linear(first, HEAD_WIDTH),
                key: key.linear(first, HEAD_WIDTH),
                value: value.linear(first, HEAD_WIDTH),
                output: Matrix::new(HEAD_WIDTH, WIDTH, |input, out| {
                    at(&output, out * WIDTH + first + input)
                }),
            }
        };
        let heads = core::array::from_fn(head);
        let widen = Linear::read(bytes, WIDTH, INNER)?;
        let norm = Norm::read(bytes)?;
        let narrow = Linear::read(bytes, INNER, WIDTH)?;
        Ok(Layer { heads, attention_bias, attention_norm, widen, narrow, norm })
    }

    fn apply(&self, states: &mut [f32], length: usize) {
        let seen: Vec<Vec<f32>> = self.heads.iter().map(|head| head.look(states, length)).collect();
        for (head, seen) in self.heads.iter().zip(&seen) {
            head.output.add_product(seen, states);
        }
        add_to_all(states, &self.attention_bias);
        self.attention_norm.apply(states);

        let mut inner = self.widen.apply(states);
        inner.iter_mut().for_each(|value| *value = gelu(*value));
        self.narrow.matrix.add_product(&inner, states);
        add_to_all(states, &self.narrow.bias);
        self.norm.apply(states);
    }
}

impl Head {
    /// For each position, the mean of all positions' values, by how well their keys fit its query.
    fn look(&self, states: &[f32], length: usize) -> Vec<f32> {
        let [queries, keys, values] =
            [&self.query, &self.key, &self.value].map(|linear| linear.apply(states));
        let transposed = Matrix::new(HEAD_WIDTH, length, |dimension, position| {
            at(&keys, position * HEAD_WIDTH + dimension)
        });
        let mut shares = transposed.product(&queries);
        for shares in shares.chunks_exact_mut(transposed.outputs()) {
            take_shares(shares, length);
        }
        let values = Matrix::new(transposed.outputs(), HEAD_WIDTH, |position, dimension| {
            if position < length { at(&values, position * HEAD_WIDTH + dimension) } else { 0.0 }
        });
        values.product(&shares)
    }
}

/// Turns fits into shares that sum to 1; positions from `length` on have none.
fn take_shares(fits: &mut [f32], length: usize) {
    /// One over the root of the width of a head.
    const SCALE: f32 = 0.125;
    let (fits, none) = fits.split_at_mut(length.min(fits.len()));
    none.fill(0.0);
    let best = fits.iter().copied().fold(f32::MIN, larger);
    fits.iter_mut().for_each(|fit| *fit = exp((*fit - best) * SCALE));
    let sum: f32 = fits.iter().sum();
    fits.iter_mut().for_each(|fit| *fit /= sum);
}

/// A matrix and what is added to its product.
#[derive(Debug)]
pub(crate) struct Linear {
    matrix: Matrix,
    bias: Vec<f32>,
}

impl Linear {
    pub(crate) fn read(bytes: &mut Bytes<'_>, inputs: usize, outputs: usize) -> Result<Linear> {
        Ok(Weights::read(bytes, inputs, outputs)?.linear(0, outputs))
    }

    pub(crate) fn apply(&self, rows: &[f32]) -> Vec<f32> {
        let mut sums = self.matrix.product(rows);
        add_to_all(&mut sums, &self.bias);
        sums
    }
}

/// The weights of a linear step as its file has them: an output's weights stand together.
struct Weights {
    inputs: usize,
    bias: Vec<f32>,
    values: Vec<f32>,
}

impl Weights {
    fn read(bytes: &mut Bytes<'_>, inputs: usize, outputs: usize) -> Result<Weights> {
        let bias = bytes.floats(outputs)?;
        Ok(Weights { inputs, bias, values: bytes.int8(outputs, inputs)? })
    }

    /// The step for some of the outputs.
    fn linear(&self, first: usize, outputs: usize) -> Linear {
        let value = |input, output| at(&self.values, (first + output) * self.inputs + input);
        Linear {
            matrix: Matrix::new(self.inputs, outputs, value),
            bias: (first..first + outputs).map(|output| at(&self.bias, output)).collect(),
        }
    }
}

/// Gives each position's vector a mean of 0 and a spread of 1, then scales and moves it.
#[derive(Debug)]
pub(crate) struct Norm {
    shift: Vec<f32>,
    scale: Vec<f32>,
}

impl Norm {
    pub(crate) fn read(bytes: &mut Bytes<'_>) -> Result<Norm> {
        Ok(Norm { shift: bytes.floats(WIDTH)?, scale: bytes.floats(WIDTH)? })
    }

    pub(crate) fn apply(&self, states: &mut [f32]) {
        /// Keeps the spread of equal values above 0.
        const LEAST: f32 = 1e-12;
        let count = WIDTH as f32;
        for state in states.as_chunks_mut::<WIDTH>().0 {
            let mean = sum(state) / count;
            state.iter_mut().for_each(|value| *value -= mean);
            let spread = libm::sqrtf(sum(&state.map(|value| value * value)) / count + LEAST);
            for ((value, scale), shift) in state.iter_mut().zip(&self.scale).zip(&self.shift) {
                *value = *value / spread * scale + shift;
            }
        }
    }
}

/// The sum, made in four lanes, as vector instructions make it.
fn sum(values: &[f32; WIDTH]) -> f32 {
    let values = values.as_chunks::<LANES>().0.iter().map(|values| Lanes::new(*values));
    values.fold(Lanes::splat(0.0), |sum, values| sum + values).sum()
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

fn add_to_all(rows: &mut [f32], values: &[f32]) {
    for row in rows.chunks_exact_mut(values.len()) {
        add(row, values);
    }
}

/// The value at a place. Every place that is asked for exists: the lengths were checked at reading.
fn at(values: &[f32], place: usize) -> f32 {
    values.get(place).copied().unwrap_or(0.0)
}
