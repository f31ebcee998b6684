//! Vectors that a model elsewhere made, as they come in bodies.

use alloc::vec::Vec;

use nacre_layers::{
    error::{Code, Error, Result},
    value::Value,
};
use nacre_search::semantic::vector::Vector;

/// Reads a vector, an array of numbers.
///
/// # Errors
/// `invalid-request`.
pub(crate) fn read(value: &Value) -> Result<Vector> {
    let number = |item: &Value| match item {
        Value::Number(number) => Some(number.as_f64() as f32),
        _ => None,
    };
    let numbers: Option<Vec<f32>> = match value {
        Value::Array(items) => items.iter().map(number).collect(),
        _ => None,
    };
    let wrong = || Error::new(Code::InvalidRequest, "must be an array of numbers");
    Vector::new(&numbers.ok_or_else(wrong)?)
}

/// The schema of a vector in a body.
#[cfg(feature = "schema")]
pub(crate) fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    use nacre_search::semantic::vector::MOST_DIMENSIONS;
    schemars::json_schema!({
        "type": ["array", "null"],
        "items": { "type": "number" },
        "minItems": 1,
        "maxItems": MOST_DIMENSIONS
    })
}
