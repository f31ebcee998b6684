//! Numbers: 64-bit integers are exact, all others are doubles.
//!
//! Printing follows RFC 8785 (JCS) §3.2.2.3, that is ECMAScript's `Number::toString`, with one
//! deviation: an integer that fits 64 bits prints with all its digits, also above 2^53.

use alloc::vec::Vec;

use crate::error::{Code, Error, Result};

/// A finite number in normal form, so that equal numbers compare equal.
///
/// The variants are public for matching. Build numbers with the constructors, which normalise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A negative integer.
    Signed(i64),
    /// Zero or a positive integer.
    Unsigned(u64),
    /// A finite double that is not an integer of the 64-bit ranges above. Never −0.
    Float(f64),
}

// Floats are finite, so equality is reflexive.
impl Eq for Number {}

impl Number {
    /// The number for a double, or `None` for NaN and infinity.
    ///
    /// ```
    /// use nacre_layers::number::Number;
    ///
    /// assert_eq!(Number::from_f64(-3.0), Some(Number::Signed(-3)));
    /// assert_eq!(Number::from_f64(f64::NAN), None);
    /// ```
    pub fn from_f64(float: f64) -> Option<Number> {
        if !float.is_finite() {
            return None;
        }
        // The bounds are exact doubles; the upper ones are the first values past the ranges.
        const PAST_UNSIGNED: f64 = 18_446_744_073_709_551_616.0;
        const LEAST_SIGNED: f64 = -9_223_372_036_854_775_808.0;
        if (0.0..PAST_UNSIGNED).contains(&float) {
            let whole = float as u64;
            if whole as f64 == float {
                return Some(Number::Unsigned(whole));
            }
        } else if (LEAST_SIGNED..0.0).contains(&float) {
            let whole = float as i64;
            if whole as f64 == float {
                return Some(Number::from(whole));
            }
        }
        Some(Number::Float(float))
    }

    /// Reads the text of a JSON number. The caller's lexer has checked the grammar (RFC 8259 §6).
    ///
    /// A literal with a fraction or an exponent means the nearest double. An integer literal means
    /// that integer. Beyond 64 bits it is accepted only if it is the canonical text of a double, so
    /// that no digit is lost.
    ///
    /// ```
    /// use nacre_layers::number::Number;
    ///
    /// assert_eq!(Number::parse("18446744073709551615")?, Number::Unsigned(u64::MAX));
    /// assert_eq!(Number::parse("1.0")?, Number::Unsigned(1));
    /// assert!(Number::parse("18446744073709551617").is_err(), "it would lose digits");
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-json` for an integer that would lose digits, and for a number beyond the range of
    /// doubles.
    pub fn parse(text: &str) -> Result<Number> {
        let integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if integer {
            let digits = text.strip_prefix('-');
            let exact = digits.unwrap_or(text).parse::<u64>().ok().and_then(|size| match digits {
                None => Some(Number::Unsigned(size)),
                Some(_) => 0i64.checked_sub_unsigned(size).map(Number::from),
            });
            if let Some(number) = exact {
                return Ok(number);
            }
        }
        let float: f64 = lexical_parse_float::FromLexical::from_lexical(text.as_bytes())
            .map_err(|_| Error::new(Code::InvalidJson, "this must be a JSON number"))?;
        let number = Number::from_f64(float).ok_or_else(|| {
            Error::new(Code::InvalidJson, "a number must be within the range of a double")
        })?;
        if integer && number.to_text().as_slice() != text.as_bytes() {
            return Err(Error::new(
                Code::InvalidJson,
                "an integer must fit into 64 bits; send a larger one as a string",
            ));
        }
        Ok(number)
    }

    /// Appends the canonical text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Number::Signed(signed) => {
                out.extend_from_slice(itoa::Buffer::new().format(signed).as_bytes());
            }
            Number::Unsigned(unsigned) => {
                out.extend_from_slice(itoa::Buffer::new().format(unsigned).as_bytes());
            }
            Number::Float(float) => {
                out.extend_from_slice(ryu_js::Buffer::new().format_finite(float).as_bytes());
            }
        }
    }

    /// The number as a signed integer, if it is one exactly.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Number::Signed(signed) => Some(signed),
            Number::Unsigned(unsigned) => unsigned.try_into().ok(),
            Number::Float(_) => None,
        }
    }

    /// The number as an unsigned integer, if it is one exactly.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Number::Unsigned(unsigned) => Some(unsigned),
            Number::Signed(_) | Number::Float(_) => None,
        }
    }

    /// The nearest double (integers above 2^53 may round).
    pub fn as_f64(&self) -> f64 {
        match *self {
            Number::Signed(signed) => signed as f64,
            Number::Unsigned(unsigned) => unsigned as f64,
            Number::Float(float) => float,
        }
    }

    fn to_text(self) -> Vec<u8> {
        let mut text = Vec::with_capacity(24);
        self.write(&mut text);
        text
    }
}

impl From<u64> for Number {
    fn from(unsigned: u64) -> Number {
        Number::Unsigned(unsigned)
    }
}

impl From<i64> for Number {
    fn from(signed: i64) -> Number {
        u64::try_from(signed).map_or(Number::Signed(signed), Number::Unsigned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<alloc::string::String> {
        let number = Number::parse(text).ok()?;
        Some(alloc::string::String::from_utf8(number.to_text()).unwrap())
    }

    #[test]
    fn integers_at_the_edges_of_64_bits() {
        for same in [
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "-9223372036854775808",
            "100000000000000000000",
            "18446744073709552000",
            "-9223372036854778000",
        ] {
            assert_eq!(canonical(same).as_deref(), Some(same));
        }
        for lossy in [
            "18446744073709551616",
            "-9223372036854775809",
            // ECMAScript's text of the double −2^63; here that double is an integer with other
            // digits.
            "-9223372036854776000",
            "100000000000000000001",
        ] {
            assert_eq!(canonical(lossy), None, "{lossy}");
        }
    }

    #[test]
    fn one_form_for_equal_numbers() {
        for (text, form) in [
            ("-0", "0"),
            ("-0.0", "0"),
            ("1.0", "1"),
            ("1e0", "1"),
            ("-2.50E+1", "-25"),
            ("1e19", "10000000000000000000"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("-9.223372036854775808e18", "-9223372036854775808"),
            ("1e-400", "0"),
            ("5e-324", "5e-324"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(form));
        }
        assert_eq!(canonical("1e400"), None);
        assert_eq!(Number::from_f64(f64::NAN), None);
        assert_eq!(Number::from_f64(f64::NEG_INFINITY), None);
    }
}
