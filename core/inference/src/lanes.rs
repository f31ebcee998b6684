//! Four floats that are worked on at once.
//!
//! There are two forms, and both give the same bits: one in wasm's vector instructions, and one in
//! plain Rust, of which compilers for other targets make vector instructions. Loops of single floats
//! would do as well, but a module that is compiled for size gets no vector instructions for them.

use core::ops::{Add, AddAssign, Mul};

#[cfg_attr(all(target_family = "wasm", target_feature = "simd128"), path = "lanes/simd128.rs")]
#[cfg_attr(
    not(all(target_family = "wasm", target_feature = "simd128")),
    path = "lanes/portable.rs"
)]
mod form;

pub(crate) use form::Lanes;

/// The floats of a vector.
pub(crate) const LANES: usize = 4;

impl Add for Lanes {
    type Output = Lanes;

    #[inline(always)]
    fn add(self, other: Lanes) -> Lanes {
        self.plus(other)
    }
}

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Lanes) {
        *self = self.plus(other);
    }
}

impl Mul for Lanes {
    type Output = Lanes;

    #[inline(always)]
    fn mul(self, other: Lanes) -> Lanes {
        self.times(other)
    }
}

impl Lanes {
    /// The sum of all, from the first to the last.
    pub(crate) fn sum(self) -> f32 {
        self.to_array().iter().sum()
    }
}
