//! Vectors of small whole numbers, and how near two of them are.

use alloc::vec::Vec;

use nacre_inference::dot::dot;
use nacre_layers::error::{Code, Error, Result};

/// The most numbers that a vector may have.
pub const MOST_DIMENSIONS: usize = 4096;

/// A direction: one byte for each dimension. Only directions are compared, so the length of what a
/// vector was made of is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector(Vec<i8>);

impl Vector {
    /// The direction of some numbers. All zeros are near to nothing.
    ///
    /// # Errors
    /// When there are none, too many, or one that is not finite.
    pub fn new(numbers: &[f32]) -> Result<Vector> {
        if numbers.is_empty() || numbers.len() > MOST_DIMENSIONS {
            let detail = "a vector must have 1 to 4096 numbers";
            return Err(Error::new(Code::InvalidRequest, detail).limit(MOST_DIMENSIONS as u64));
        }
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err(Error::new(Code::InvalidRequest, "the numbers of a vector must be finite"));
        }
        Ok(Vector::of_finite(numbers))
    }

    /// The direction of numbers that are known to be finite.
    pub(crate) fn of_finite(numbers: &[f32]) -> Vector {
        let largest = numbers.iter().map(|number| number.abs()).fold(0.0, f32::max);
        if largest == 0.0 {
            return Vector(numbers.iter().map(|_| 0).collect());
        }
        // Dividing first keeps the product in range for the smallest and the largest floats.
        let to_byte = |number: &f32| libm::rintf(number / largest * f32::from(i8::MAX)) as i8;
        Vector(numbers.iter().map(to_byte).collect())
    }

    /// Reads what [`to_bytes`](Vector::to_bytes) gave. Any bytes are a vector.
    pub fn from_bytes(bytes: &[u8]) -> Vector {
        Vector(bytes.iter().map(|byte| byte.cast_signed()).collect())
    }

    /// The vector of numbers that another one had.
    pub(crate) fn of_numbers(numbers: &[i8]) -> Vector {
        Vector(numbers.to_vec())
    }

    /// The bytes to store.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().map(|number| number.cast_unsigned()).collect()
    }

    /// The numbers, each between -127 and 127.
    pub fn numbers(&self) -> &[i8] {
        &self.0
    }
}

/// One over the length of a vector; 0 for a vector of zeros, which makes it near to nothing.
pub(crate) fn inverse_length(numbers: &[i8]) -> f32 {
    match dot(numbers, numbers) {
        0 => 0.0,
        square => 1.0 / libm::sqrtf(square as f32),
    }
}
