//! Lanes in wasm's vectors of 128 bits.

use core::arch::wasm32::{f32x4, f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, v128};

use super::LANES;

/// Four floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes(v128);

impl Lanes {
    /// The same float four times.
    #[inline(always)]
    pub(crate) fn splat(value: f32) -> Lanes {
        Lanes(f32x4_splat(value))
    }

    #[inline(always)]
    pub(crate) fn new([a, b, c, d]: [f32; LANES]) -> Lanes {
        Lanes(f32x4(a, b, c, d))
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [f32; LANES] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Lanes) -> Lanes {
        Lanes(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn times(self, other: Lanes) -> Lanes {
        Lanes(f32x4_mul(self.0, other.0))
    }
}
