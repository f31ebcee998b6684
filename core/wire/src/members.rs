//! The members of an object that are not taken yet. They are taken one by one, because code that
//! decodes all members of a type at once is large.

use alloc::{format, vec::Vec};

use serde::de::DeserializeOwned;

use super::within;
use nacre_layers::{
    error::{Code, Error, Result},
    pointer::Pointer,
    value::{self, Object, Value},
};

/// The rest of an object, and the names that were asked for.
#[derive(Debug)]
pub struct Members {
    left: Object,
    allowed: Vec<&'static str>,
}

impl Members {
    /// The members of an object.
    ///
    /// # Errors
    /// `invalid-request` for any other value.
    pub fn of(value: Value) -> Result<Members> {
        Ok(Members { left: value::decode(value)?, allowed: Vec::new() })
    }

    /// Takes a member; `None` if it is not there, or null.
    ///
    /// # Errors
    /// `invalid-request` with the pointer, for a value of another type.
    pub fn take<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>> {
        self.allowed.push(name);
        match self.left.remove(name) {
            Some(value) => value::decode(value).map_err(|error| within(&format!("/{name}"), error)),
            None => Ok(None),
        }
    }

    /// Takes a member that must be there.
    ///
    /// # Errors
    /// As [`Members::take`].
    pub fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T> {
        let missing = || {
            let detail = format!("the member `{name}` is required");
            Error::new(Code::InvalidRequest, detail).at("")
        };
        self.take(name)?.ok_or_else(missing)
    }

    /// Takes a boolean that is false by default.
    ///
    /// # Errors
    /// As [`Members::take`].
    pub fn flag(&mut self, name: &'static str) -> Result<bool> {
        Ok(self.take(name)?.unwrap_or(false))
    }

    /// Passes over members of any type.
    pub fn skip(&mut self, names: &[&'static str]) {
        self.allowed.extend(names);
        names.iter().for_each(|name| drop(self.left.remove(name)));
    }

    /// Refuses members that were not taken.
    ///
    /// # Errors
    /// `invalid-request` with the pointer to one of them, and the names that are allowed.
    pub fn end(self) -> Result<()> {
        match self.left.iter().find(|(_, value)| **value != Value::Null) {
            None => Ok(()),
            Some((member, _)) => {
                let allowed = self.allowed.join(", ");
                let detail = format!("this member is not allowed here; allowed: {allowed}");
                Err(Error::new(Code::InvalidRequest, detail).at(Pointer::from_tokens([member])))
            }
        }
    }
}
