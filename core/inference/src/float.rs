//! Functions on floats that the encoder needs. Made of plain arithmetic without branches, so that
//! compilers turn loops of them into vector instructions, and every target gives the same bits.

/// e to the power of `x`, right to about seven digits. Results below 1e-37 are rounded up to it.
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding and subtracting this rounds a float to a whole number.
    const ROUNDING: f32 = 12_582_912.0;
    let twos = x.clamp(-85.0, 88.0) * core::f32::consts::LOG2_E;
    let whole = (twos + ROUNDING) - ROUNDING;
    let rest = (twos - whole) * core::f32::consts::LN_2;
    // Taylor's series: |rest| is at most ln(2) / 2.
    let mut power = 1.0 / 720.0;
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        power = power * rest + factor;
    }
    power * f32::from_bits((((whole as i32) + 127) << 23).cast_unsigned())
}

/// The larger of two numbers. `f32::max` is a call in wasm, because of how it treats NaN.
pub(crate) fn larger(left: f32, right: f32) -> f32 {
    if right > left { right } else { left }
}

/// The Gaussian error linear unit: `x` times the chance that a normal variable is below `x`.
pub(crate) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * core::f32::consts::FRAC_1_SQRT_2))
}

/// The error function, right to 2e-7 (Abramowitz and Stegun, 7.1.26).
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let mut series = 1.061_405_4;
    for factor in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6, 0.0] {
        series = series * t + factor;
    }
    (1.0 - series * exp(-size * size)).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::{exp, gelu};

    #[test]
    fn exp_is_right_to_seven_digits() {
        for step in -8400..=8400 {
            let x = f64::from(step) / 100.0;
            let (ours, exact) = (f64::from(exp(x as f32)), f64::from(x as f32).exp());
            assert!((ours / exact - 1.0).abs() < 4e-6, "{x}: {ours} for {exact}");
        }
    }

    #[test]
    fn gelu_is_right_to_six_digits() {
        for (x, exact) in [
            (-6.0, -5.919_4e-9),
            (-1.0, -0.158_655_25),
            (-0.1, -0.046_017_22),
            (0.0, 0.0),
            (0.5, 0.345_731_23),
            (3.0, 2.995_950_3),
            (90.0, 90.0),
        ] {
            let ours = gelu(x);
            assert!((ours - exact).abs() < 1e-6 * (1.0 + x.abs()), "{x}: {ours} for {exact}");
        }
    }
}
