//! A JSON value for editing: members in canonical order, exact numbers.
//!
//! Stored layers are canonical text (see `layer`), not trees. Trees exist only while a request
//! edits.

mod build;
mod de;
mod object;
mod ser;

use alloc::{string::String, vec::Vec};

pub use build::Builder;
pub use de::{decode, decode_known};
pub use object::{Object, compare_names};
pub use ser::encode;

use crate::{
    error::{Code, Error, Result},
    json, limits,
    number::Number,
};

/// A JSON value. Objects keep their members sorted by RFC 8785, each name once.
///
/// ```
/// use nacre_layers::{json, value::Value};
///
/// let value = json::read(br#"{"name":"cart","ports":[8080]}"#, 64)?;
/// let members = value.as_object().expect("an object");
/// assert_eq!(members.get("name").and_then(Value::as_str), Some("cart"));
/// assert_eq!(value.depth(), 2);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Object),
}

/// The name of the only member of the marker of a sealed value.
pub const SEALED: &str = "$sealed";

impl Value {
    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The object to change, if it is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Value::Object(object) = self { Some(object) } else { None }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The elements to change, if it is an array.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Value::Array(items) = self { Some(items) } else { None }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<Number> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(bool) = self { Some(*bool) } else { None }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text in a marker `{"$sealed":"…"}`; `None` for any other value.
    ///
    /// ```
    /// use nacre_layers::json;
    ///
    /// let marker = json::read(br#"{"$sealed":"f1.4nHq"}"#, 64)?;
    /// assert_eq!(marker.sealed(), Some("f1.4nHq"));
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    pub fn sealed(&self) -> Option<&str> {
        let object = self.as_object()?;
        if object.len() == 1 { object.get(SEALED)?.as_str() } else { None }
    }

    /// The number of nested arrays and objects: 0 for a scalar, 1 for `[]`.
    pub fn depth(&self) -> usize {
        match self {
            Value::Array(items) => 1 + items.iter().map(Value::depth).max().unwrap_or(0),
            Value::Object(object) => {
                1 + object.iter().map(|(_, value)| value.depth()).max().unwrap_or(0)
            }
            _ => 0,
        }
    }

    /// The number of values: itself, and everything in it.
    pub fn count(&self) -> usize {
        match self {
            Value::Array(items) => 1 + items.iter().map(Value::count).sum::<usize>(),
            Value::Object(object) => {
                1 + object.iter().map(|(_, value)| value.count()).sum::<usize>()
            }
            _ => 1,
        }
    }

    /// The kind of the value in words, for messages that must not quote it.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// Checks that a value is within the limits for the data of a context.
///
/// ```
/// use nacre_layers::value::{Value, check_limits};
///
/// assert!(check_limits(&Value::Null).is_ok());
/// let long = Value::String("x".repeat(1 << 20));
/// assert_eq!(check_limits(&long).unwrap_err().code().as_str(), "too-large");
/// ```
///
/// # Errors
/// `too-deep` past [`limits::DEPTH`]; `too-large` if the canonical text is longer than
/// [`limits::DATA_BYTES`], or holds more than [`limits::DATA_VALUES`] values.
pub fn check_limits(value: &Value) -> Result<()> {
    check_depth(value.depth())?;
    if json::length(value) > limits::DATA_BYTES {
        return Err(Error::new(Code::TooLarge, "the data of a context must be at most 1 MiB")
            .limit(limits::DATA_BYTES as u64));
    }
    if value.count() > limits::DATA_VALUES {
        let detail = "the data of a context must have at most 100000 values";
        return Err(Error::new(Code::TooLarge, detail).limit(limits::DATA_VALUES as u64));
    }
    Ok(())
}

/// Checks how deeply a value nests.
///
/// # Errors
/// `too-deep` past [`limits::DEPTH`].
pub fn check_depth(depth: usize) -> Result<()> {
    if depth > limits::DEPTH {
        return Err(json::too_deep(limits::DEPTH));
    }
    Ok(())
}

impl From<bool> for Value {
    fn from(bool: bool) -> Value {
        Value::Bool(bool)
    }
}

impl From<u64> for Value {
    fn from(unsigned: u64) -> Value {
        Value::Number(unsigned.into())
    }
}

impl From<i64> for Value {
    fn from(signed: i64) -> Value {
        Value::Number(signed.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::Array(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}
