//! Lanes in plain Rust.

use super::LANES;

/// Four floats.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes([f32; LANES]);

impl Lanes {
    /// The same float four times.
    #[inline(always)]
    pub(crate) fn splat(value: f32) -> Lanes {
        Lanes([value; LANES])
    }

    #[inline(always)]
    pub(crate) fn new(values: [f32; LANES]) -> Lanes {
        Lanes(values)
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [f32; LANES] {
        self.0
    }

    #[inline(always)]
    pub(super) fn plus(self, Lanes([e, f, g, h]): Lanes) -> Lanes {
        let [a, b, c, d] = self.0;
        Lanes([a + e, b + f, c + g, d + h])
    }

    #[inline(always)]
    pub(super) fn times(self, Lanes([e, f, g, h]): Lanes) -> Lanes {
        let [a, b, c, d] = self.0;
        Lanes([a * e, b * f, c * g, d * h])
    }
}
