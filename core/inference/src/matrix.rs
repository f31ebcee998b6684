//! Products of matrices of floats.

use alloc::{vec, vec::Vec};

use crate::lanes::{LANES, Lanes};

/// Columns of a panel, and the vectors that hold a row of one.
const COLUMNS: usize = 8;
const ACROSS: usize = COLUMNS / LANES;

/// Rows that are multiplied at once, so that a panel's values are loaded once for all of them.
/// Products need a number of rows that this divides.
pub(crate) const ROWS: usize = 4;

/// A row of a panel, or of sums.
type Columns = [Lanes; ACROSS];

/// A matrix that rows are multiplied with, cut into panels of [`COLUMNS`] columns.
#[derive(Debug)]
pub(crate) struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Panel after panel; in each, row after row.
    panels: Vec<Columns>,
}

impl Matrix {
    /// A matrix with a value for each (input, output). The outputs are filled up with zeros to
    /// whole panels.
    pub(crate) fn new(
        inputs: usize,
        outputs: usize,
        value: impl Fn(usize, usize) -> f32,
    ) -> Matrix {
        let mut panels = Vec::with_capacity(inputs * outputs.div_ceil(COLUMNS));
        for first in (0..outputs).step_by(COLUMNS) {
            for input in 0..inputs {
                let value = |column| match first + column {
                    output if output < outputs => value(input, output),
                    _ => 0.0,
                };
                panels.push(core::array::from_fn(|vector| {
                    Lanes::new(core::array::from_fn(|lane| value(LANES * vector + lane)))
                }));
            }
        }
        Matrix { inputs, outputs: outputs.next_multiple_of(COLUMNS), panels }
    }

    /// The number of outputs, which is a multiple of [`COLUMNS`].
    pub(crate) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Multiplies rows, from nothing.
    pub(crate) fn product(&self, rows: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; rows.len() / self.inputs * self.outputs];
        self.add_product(rows, &mut sums);
        sums
    }

    /// Adds the product with rows to sums.
    pub(crate) fn add_product(&self, rows: &[f32], sums: &mut [f32]) {
        let blocks = rows.chunks_exact(ROWS * self.inputs);
        for (rows, sums) in blocks.zip(sums.chunks_exact_mut(ROWS * self.outputs)) {
            for (place, panel) in self.panels.chunks_exact(self.inputs).enumerate() {
                let product = panel_product(rows, panel);
                for (product, sums) in product.iter().zip(sums.chunks_exact_mut(self.outputs)) {
                    if let Some(sums) = sums.as_chunks_mut().0.get_mut(place) {
                        add(sums, product);
                    }
                }
            }
        }
    }
}

/// The product of [`ROWS`] rows with a panel.
#[inline]
fn panel_product(rows: &[f32], panel: &[Columns]) -> [Columns; ROWS] {
    let mut sums = [[Lanes::splat(0.0); ACROSS]; ROWS];
    let (first, rest) = rows.split_at(panel.len().min(rows.len()));
    let (second, rest) = rest.split_at(panel.len().min(rest.len()));
    let (third, fourth) = rest.split_at(panel.len().min(rest.len()));
    let columns = first.iter().zip(second).zip(third).zip(fourth);
    for ((((first, second), third), fourth), panel) in columns.zip(panel) {
        for (sums, factor) in sums.iter_mut().zip([first, second, third, fourth]) {
            let factor = Lanes::splat(*factor);
            for (sum, value) in sums.iter_mut().zip(panel) {
                *sum += factor * *value;
            }
        }
    }
    sums
}

fn add(sums: &mut [f32; COLUMNS], values: &Columns) {
    for (sums, values) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(values) {
        *sums = (Lanes::new(*sums) + *values).to_array();
    }
}
