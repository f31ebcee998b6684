//! Converts values and errors between the bindings and the core.

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
    bindings::exports::nacre::context::types::{self, Level, Problem},
    bounds::check_text,
};

impl From<Error> for types::Error {
    fn from(error: Error) -> types::Error {
        let problem = Problem {
            code: error.code().as_str().into(),
            detail: error.detail().into(),
            pointer: error.pointer().map(Into::into),
            document: wire::problem(&error),
        };
        match error.fault() {
            Fault::Input => types::Error::Invalid(problem),
            Fault::Conflict => types::Error::Conflict(problem),
            Fault::Denied => types::Error::Denied(problem),
            Fault::Limit => types::Error::Limit(problem),
            Fault::Store => types::Error::Unavailable(problem),
            Fault::Bug => types::Error::Internal(problem),
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

/// Reads a document, at most as deep as the data of a context.
///
/// # Errors
/// `invalid-json`, `too-deep`, `too-large`.
pub(crate) fn document(text: &[u8]) -> Result<Value> {
    json::read(check_text(text)?, limits::DEPTH)
}

/// Reads a patch, a list of values or a body, which may be deeper than a document.
///
/// # Errors
/// As [`document`].
pub(crate) fn body(text: &[u8]) -> Result<Value> {
    wire::read_json(check_text(text)?)
}

/// Reads merge rules. Empty input means no rules.
///
/// # Errors
/// As [`document`]; `invalid-rules`.
pub(crate) fn rules(text: &[u8]) -> Result<Rules> {
    match text {
        [] => Ok(Rules::default()),
        text => match document(text)? {
            Value::Object(table) => Rules::from_object(&table),
            _ => Err(Error::new(Code::InvalidRules, "rules must be an object").at("")),
        },
    }
}

/// Reads the data of a context, within its limits.
///
/// # Errors
/// As [`document`]; `invalid-request` if it is not an object.
pub(crate) fn layer(text: &[u8]) -> Result<Layer> {
    let value = document(text)?;
    check_limits(&value)?;
    Layer::from_value(&value)
}
