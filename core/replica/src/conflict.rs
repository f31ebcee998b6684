//! What needs a decision of a person: a write of one's own that met a change of others.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

use nacre_layers::{
    address::Address,
    error::{Error, Result},
    json,
    pointer::Pointer,
    value::{self, Value},
};
use nacre_wire::problem;

/// What the two disagree about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Aspect {
    /// The value at a pointer of the data.
    Data,
    /// The whole context: whether it is there.
    Context,
    /// Its parent.
    Parent,
    /// Its merge rules.
    Rules,
    /// Nothing in particular: the operation cannot be done.
    Operation,
}

/// A conflict, as callers see it and as it is kept. Values that are not there are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Conflict {
    /// Its name.
    pub(super) id: String,
    /// What about.
    pub(super) aspect: Aspect,
    /// The context's level.
    pub(super) level: String,
    /// The context's id.
    pub(super) context_id: String,
    /// Where in the data.
    pub(super) pointer: String,
    /// What both started from.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) ancestor: Option<Value>,
    /// What the server has.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) theirs: Option<Value>,
    /// What was written here.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) mine: Option<Value>,
    /// When it was written here.
    pub(super) at: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    /// The write that cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<Value>,
    /// Why it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<Value>,
}

/// A null is a value here.
fn present<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Value>, D::Error> {
    from.deserialize_newtype_struct("", Present)
}

struct Present;

impl<'d> Visitor<'d> for Present {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_none<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_newtype_struct<D: Deserializer<'d>>(self, it: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(it).map(Some)
    }
}

impl Conflict {
    /// A conflict about `aspect` of a context; `key` is that of the write.
    pub(super) fn new(key: &str, aspect: Aspect, address: &Address, pointer: &Pointer) -> Conflict {
        // Those of one write have names of their own; no pointer looks like these.
        let place = match aspect {
            Aspect::Parent => "parent",
            Aspect::Rules => "rules",
            _ => pointer.as_str(),
        };
        Conflict {
            id: alloc::format!("{key}:{place}"),
            aspect,
            level: address.level.to_string(),
            context_id: address.id.as_str().into(),
            pointer: pointer.as_str().into(),
            ancestor: None,
            theirs: None,
            mine: None,
            at: String::new(),
            summary: None,
            operation: None,
            problem: None,
        }
    }

    /// A write that is refused.
    pub(super) fn refused(
        key: &str,
        address: &Address,
        operation: Value,
        error: &Error,
    ) -> Conflict {
        let problem = json::read(&problem(error), nacre_store::limits::DEPTH).ok();
        let operation = Some(operation);
        Conflict {
            operation,
            problem,
            ..Conflict::new(key, Aspect::Operation, address, &Pointer::root())
        }
    }

    /// Whose.
    pub(super) fn address(&self) -> Result<Address> {
        Address::parse(&self.level, &self.context_id)
    }

    /// Whether a later write of one's own takes the place of what this one holds.
    pub(super) fn is_followed_by(&self, later: &Conflict) -> bool {
        self.aspect == later.aspect
            && self.aspect != Aspect::Operation
            && self.level == later.level
            && self.context_id == later.context_id
            && self.pointer == later.pointer
    }

    /// As it is kept.
    ///
    /// # Errors
    /// None: it is texts and values.
    pub(super) fn to_value(&self) -> Result<Value> {
        value::encode(self)
    }
}
