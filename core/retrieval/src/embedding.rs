//! Vectors that a model elsewhere made, as they come in bodies.

use alloc::vec::Vec;

use nacre_layers::{
    error::{Code, Error, Result},
    value::Value,
};
use nacre_search::semantic::vector::Vector;

/// Reads a vector: an array of numbers, or 32-bit floats as bytes (little-endian) in base64.
///
/// # Errors
/// `invalid-request`.
pub(crate) fn read(value: Value) -> Result<Vector> {
    let numbers: Option<Vec<f32>> = match &value {
        Value::Array(items) => items.iter().map(number).collect(),
        Value::String(text) => bytes(text.as_bytes()).as_deref().and_then(floats),
        _ => None,
    };
    let wrong = || {
        let detail =
            "must be an array of numbers, or 32-bit floats as bytes (little-endian) in base64";
        Error::new(Code::InvalidRequest, detail)
    };
    Vector::new(&numbers.ok_or_else(wrong)?)
}

fn number(value: &Value) -> Option<f32> {
    match value {
        Value::Number(number) => Some(number.as_f64() as f32),
        _ => None,
    }
}

fn floats(bytes: &[u8]) -> Option<Vec<f32>> {
    let (floats, rest) = bytes.as_chunks();
    rest.is_empty().then(|| floats.iter().map(|float| f32::from_le_bytes(*float)).collect())
}

/// Reads base64 (RFC 4648), with its padding or without.
fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|digit| **digit == b'=').count();
    if padding > 2 || (padding > 0 && !text.len().is_multiple_of(4)) {
        return None;
    }
    let digits = text.get(..text.len().checked_sub(padding)?)?;
    let (mut held, mut bits, mut bytes) = (0_u32, 0, Vec::with_capacity(digits.len() / 4 * 3 + 2));
    for digit in digits {
        held = held << 6 | digit_of(*digit)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    // What is left of the last digit means nothing, and is zero.
    (bits < 6 && held == 0).then_some(bytes)
}

fn digit_of(digit: u8) -> Option<u32> {
    let digit = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

/// The schema of a vector in a body.
#[cfg(feature = "schema")]
pub(crate) fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use nacre_search::semantic::vector::MOST_DIMENSIONS;
    schemars::json_schema!({
        "type": ["array", "string", "null"],
        "items": { "type": "number" },
        "minItems": 1,
        "maxItems": MOST_DIMENSIONS,
        "contentEncoding": "base64",
        "pattern": "^[A-Za-z0-9+/]*={0,2}$"
    })
}
