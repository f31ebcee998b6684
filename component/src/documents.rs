//! Reads documents, patches and rules from JSON texts.

use nacre_core::{
    error::{Code, Error, Result},
    json,
    layer::Layer,
    limits,
    rules::Rules,
    value::{Value, check_limits},
    wire,
};

use crate::bounds::check_text;

/// Reads a document, at most as deep as the data of a context.
///
/// # Errors
/// `invalid-json`, `too-deep`, `too-large`.
pub(crate) fn document(text: &str) -> Result<Value> {
    json::read(check_text(text)?, limits::DEPTH)
}

/// Reads a patch, a list of values or a body, which may be deeper than a document.
///
/// # Errors
/// As [`document`].
pub(crate) fn body(text: &str) -> Result<Value> {
    wire::read_json(check_text(text)?)
}

/// Reads merge rules, if there are any.
///
/// # Errors
/// As [`document`]; `invalid-rules`.
pub(crate) fn rules(text: Option<&str>) -> Result<Rules> {
    match text.map(document).transpose()? {
        None => Ok(Rules::default()),
        Some(Value::Object(table)) => Rules::from_object(&table),
        Some(_) => Err(Error::new(Code::InvalidRules, "rules must be an object").at("")),
    }
}

/// Reads the data of a context, within its limits.
///
/// # Errors
/// As [`document`]; `invalid-request` if it is not an object.
pub(crate) fn layer(text: &str) -> Result<Layer> {
    let value = document(text)?;
    check_limits(&value)?;
    Layer::from_value(&value)
}
