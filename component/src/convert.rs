//! Converts addresses and errors between the bindings and the core.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Error, Fault, Result},
    id::ContextId,
    level, wire,
};

use crate::bindings::exports::nacre::context::types::{self, ErrorKind, Level};

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
