//! Converts values and errors between the bindings and the core.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Code, Error, Fault, Result},
    id::ContextId,
    json,
    layer::Layer,
    level, limits,
    rules::Rules,
    value::{Value, check_limits},
    wire,
};

use crate::{
    bindings::exports::nacre::context::types::{self, ErrorKind, Level},
    bounds::check_text,
};

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        types::Error {
            kind: error.fault().into(),
            code: error.code().as_str().into(),
            detail: error.detail().into(),
            pointer: error.pointer().map(Into::into),
            document: json_text(wire::problem(&error)),
        }
    }
}

impl From<Fault> for ErrorKind {
    fn from(fault: Fault) -> ErrorKind {
        match fault {
            Fault::Input => ErrorKind::Invalid,
            Fault::Conflict => ErrorKind::Conflict,
            Fault::Denied => ErrorKind::Denied,
            Fault::Limit => ErrorKind::Limit,
            Fault::Store => ErrorKind::Unavailable,
            Fault::Bug => ErrorKind::Internal,
        }
    }
}

impl From<Level> for level::Level {
    fn from(level: Level) -> level::Level {
        match level {
            Level::Global => level::Level::Global,
            Level::Project => level::Level::Project,
            Level::Branch => level::Level::Branch,
            Level::Task => level::Level::Task,
        }
    }
}

impl From<level::Level> for Level {
    fn from(level: level::Level) -> Level {
        match level {
            level::Level::Global => Level::Global,
            level::Level::Project => Level::Project,
            level::Level::Branch => Level::Branch,
            level::Level::Task => Level::Task,
        }
    }
}

impl TryFrom<types::Address> for Address {
    type Error = Error;

    fn try_from(address: types::Address) -> Result<Address> {
        Address::new(address.level.into(), ContextId::parse(&address.id)?)
    }
}

impl From<&Address> for types::Address {
    fn from(address: &Address) -> types::Address {
        types::Address { level: address.level.into(), id: address.id.as_str().into() }
    }
}

/// The text that the core wrote. It is not looked at again: that would take as long as making a view.
#[expect(unsafe_code, reason = "the standard library has no other way to skip the check")]
pub(crate) fn json_text(written: Vec<u8>) -> String {
    // SAFETY: the core writes UTF-8 only. What it copies are whole values of texts that were
    // checked when they were read.
    unsafe { String::from_utf8_unchecked(written) }
}

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
