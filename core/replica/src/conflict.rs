//! Conflicts: an own write that meets a change by others, and needs a decision by the user.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Visitor};

use nacre_layers::{
    address::Address,
    error::Result,
    pointer::Pointer,
    value::{self, Value},
};

/// The subject of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Aspect {
    /// The value at a pointer of the data.
    Data,
    /// The existence of the context.
    Context,
    /// Its parent.
    Parent,
    /// Its merge rules.
    Rules,
}

/// A conflict, as shown and as stored. Missing values are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct OpenConflict {
    /// The name of the conflict, unique in the replica.
    pub(super) id: String,
    /// The subject.
    pub(super) aspect: Aspect,
    /// The level of the context.
    pub(super) level: String,
    /// The id of the context.
    pub(super) context_id: String,
    /// The pointer into the data.
    pub(super) pointer: String,
    /// The value that both started from.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) ancestor: Option<Value>,
    /// The value on the server.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) theirs: Option<Value>,
    /// The value that was written here.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub(super) mine: Option<Value>,
    /// The time of the write here, in milliseconds since the Unix epoch.
    pub(super) at: String,
    /// The reason that was given for the write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
}

/// A null is a value here, not a missing one.
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

impl OpenConflict {
    /// A conflict about `aspect` of a context; `key` is the key of the write.
    pub(super) fn new(
        key: &str,
        aspect: Aspect,
        address: &Address,
        pointer: &Pointer,
    ) -> OpenConflict {
        // Conflicts of one write have different names, which never look like pointers.
        let place = match aspect {
            Aspect::Parent => "parent",
            Aspect::Rules => "rules",
            _ => pointer.as_str(),
        };
        OpenConflict {
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
        }
    }

    /// The address of the context.
    pub(super) fn address(&self) -> Result<Address> {
        Address::parse(&self.level, &self.context_id)
    }

    /// Whether it comes from the write with this key.
    pub(super) fn is_of(&self, key: &str) -> bool {
        self.id.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether a later own write replaces the value of this conflict.
    pub(super) fn is_followed_by(&self, later: &OpenConflict) -> bool {
        self.aspect == later.aspect
            && self.level == later.level
            && self.context_id == later.context_id
            && self.pointer == later.pointer
    }

    /// The form in which it is stored.
    ///
    /// # Errors
    /// None, because it has only texts and values.
    pub(super) fn to_value(&self) -> Result<Value> {
        value::encode(self)
    }
}
