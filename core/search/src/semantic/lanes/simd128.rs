//! Lanes as wasm's vectors of 128 bits.

use core::arch::wasm32::{
    i8x16, i8x16_shl, i8x16_shr, i16x8, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i16x8_mul,
    i16x8_splat, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane, i32x4_max, i32x4_shuffle,
    i32x4_splat, v128,
};

/// Eight numbers of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eight(v128);

impl Eight {
    pub(crate) fn new([a, b, c, d, e, f, g, h]: [i16; 8]) -> Eight {
        Eight(i16x8(a, b, c, d, e, f, g, h))
    }

    /// The 32 int4 values of 16 bytes, each times a factor: those of the low halves, then those of
    /// the high halves.
    pub(crate) fn unpack(bytes: &[u8; 16], factor: i16) -> [Eight; 4] {
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
        .map(|eight| Eight(i16x8_mul(eight, factor)))
    }

    /// The four pairs of neighbours, each repeated four times.
    pub(crate) fn pairs(self) -> [Eight; 4] {
        [
            Eight(i32x4_shuffle::<0, 0, 0, 0>(self.0, self.0)),
            Eight(i32x4_shuffle::<1, 1, 1, 1>(self.0, self.0)),
            Eight(i32x4_shuffle::<2, 2, 2, 2>(self.0, self.0)),
            Eight(i32x4_shuffle::<3, 3, 3, 3>(self.0, self.0)),
        ]
    }
}

/// Four numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums(v128);

impl Sums {
    /// Four times a number.
    pub(crate) fn all(number: i32) -> Sums {
        Sums(i32x4_splat(number))
    }

    /// Adds, for each pair of neighbours, the sum of its two products.
    pub(crate) fn add_products(self, left: Eight, right: Eight) -> Sums {
        Sums(i32x4_add(self.0, i32x4_dot_i16x8(left.0, right.0)))
    }

    /// The larger number of each place.
    pub(crate) fn larger(self, other: Sums) -> Sums {
        Sums(i32x4_max(self.0, other.0))
    }

    /// The largest of the four.
    pub(crate) fn largest(self) -> i32 {
        let (a, b) = (i32x4_extract_lane::<0>(self.0), i32x4_extract_lane::<1>(self.0));
        let (c, d) = (i32x4_extract_lane::<2>(self.0), i32x4_extract_lane::<3>(self.0));
        a.max(b).max(c.max(d))
    }
}
