//! Products of vectors of small whole numbers.

/// The sum of the products. Whole numbers, so every target gives the same, in any order.
#[inline(never)]
pub fn dot(left: &[i8], right: &[i8]) -> i32 {
    let (left, left_rest) = left.as_chunks();
    let (right, right_rest) = right.as_chunks();
    let products = left_rest.iter().zip(right_rest).map(|(&a, &b)| i32::from(a) * i32::from(b));
    form::sum(left, right) + products.sum::<i32>()
}

/// The numbers that are multiplied at once.
const NUMBERS: usize = 16;

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
mod form {
    use core::arch::wasm32::{
        i8x16, i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_add, i32x4_dot_i16x8,
        i32x4_extract_lane, i32x4_splat, v128,
    };

    use super::NUMBERS;

    pub(super) fn sum(left: &[[i8; NUMBERS]], right: &[[i8; NUMBERS]]) -> i32 {
        let mut sums = i32x4_splat(0);
        for (left, right) in left.iter().zip(right) {
            let (left, right) = (load(left), load(right));
            let halves = [i16x8_extend_low_i8x16, i16x8_extend_high_i8x16];
            for half in halves {
                sums = i32x4_add(sums, i32x4_dot_i16x8(half(left), half(right)));
            }
        }
        i32x4_extract_lane::<0>(sums)
            + i32x4_extract_lane::<1>(sums)
            + i32x4_extract_lane::<2>(sums)
            + i32x4_extract_lane::<3>(sums)
    }

    #[inline(always)]
    fn load(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: &[i8; NUMBERS]) -> v128 {
        i8x16(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
mod form {
    use super::NUMBERS;

    pub(super) fn sum(left: &[[i8; NUMBERS]], right: &[[i8; NUMBERS]]) -> i32 {
        // A sum for each lane of what compilers turn into vector instructions.
        let mut sums = [0_i32; NUMBERS];
        for (left, right) in left.iter().zip(right) {
            for ((sum, &left), &right) in sums.iter_mut().zip(left).zip(right) {
                *sum += i32::from(left) * i32::from(right);
            }
        }
        sums.iter().sum()
    }
}
