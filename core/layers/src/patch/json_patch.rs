//! JSON Patch (RFC 6902): its operations, reading and writing.

use alloc::{format, string::String, vec::Vec};

use crate::{
    error::{Code, Error, Result},
    json,
    pointer::Pointer,
    value::{Object, Value},
};

/// A list of operations, applied completely or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPatch {
    /// The operations in order; each one sees the results of earlier ones.
    pub operations: Vec<Operation>,
}

/// One operation (RFC 6902 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Sets a member, or inserts before an element; `-` means the end of an array.
    Add {
        /// The place; its parent must exist.
        path: Pointer,
        /// The new value.
        value: Value,
    },
    /// Removes a value.
    Remove {
        /// The place; it must exist.
        path: Pointer,
    },
    /// Replaces an existing value.
    Replace {
        /// The place; it must exist.
        path: Pointer,
        /// The new value.
        value: Value,
    },
    /// Removes a value and adds it elsewhere.
    Move {
        /// The place to take from; it must exist.
        from: Pointer,
        /// The new place; not inside `from`.
        path: Pointer,
    },
    /// Copies a value.
    Copy {
        /// The place to take from; it must exist.
        from: Pointer,
        /// The new place; its parent must exist.
        path: Pointer,
    },
    /// Fails unless the value is equal.
    Test {
        /// The place; it must exist.
        path: Pointer,
        /// The expected value.
        value: Value,
    },
}

impl JsonPatch {
    /// Reads a patch document. Unknown members of operations are ignored, as RFC 6902 §4 requires.
    ///
    /// ```
    /// use nacre_layers::{json, patch::JsonPatch};
    ///
    /// let patch = json::read(br#"[{"op":"replace","path":"/a","value":2}]"#, 64)?;
    /// let mut document = json::read(br#"{"a":1}"#, 64)?;
    /// JsonPatch::parse(patch)?.apply(&mut document)?;
    /// assert_eq!(json::write(&document), br#"{"a":2}"#);
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-request` or `invalid-pointer`, with the pointer to the place in the patch.
    pub fn parse(patch: Value) -> Result<JsonPatch> {
        let Value::Array(operations) = patch else {
            return Err(Error::new(
                Code::InvalidRequest,
                "a JSON Patch must be an array of operations",
            )
            .at(String::new()));
        };
        let operations = operations
            .into_iter()
            .enumerate()
            .map(|(index, operation)| {
                let mut place = Pointer::root();
                place.push_index(index);
                Source::open(operation, place)?.operation()
            })
            .collect::<Result<_>>()?;
        Ok(JsonPatch { operations })
    }

    /// The patch as a JSON document.
    pub fn to_value(&self) -> Value {
        Value::Array(self.operations.iter().map(Operation::to_value).collect())
    }

    /// The length of its pointers and values as text, in bytes.
    pub fn bytes(&self) -> usize {
        self.operations.iter().map(Operation::bytes).sum()
    }
}

impl JsonPatch {
    /// The memory that it takes, about, in bytes.
    pub fn memory(&self) -> usize {
        let each = |operation: &Operation| {
            let values = operation.value().map_or(0, Value::count);
            size_of::<Operation>() + operation.bytes() + values * size_of::<Value>()
        };
        self.operations.iter().map(each).sum()
    }
}

impl Operation {
    /// The operation's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Operation::Add { .. } => "add",
            Operation::Remove { .. } => "remove",
            Operation::Replace { .. } => "replace",
            Operation::Move { .. } => "move",
            Operation::Copy { .. } => "copy",
            Operation::Test { .. } => "test",
        }
    }

    /// The operation's target.
    pub const fn path(&self) -> &Pointer {
        match self {
            Operation::Add { path, .. }
            | Operation::Remove { path }
            | Operation::Replace { path, .. }
            | Operation::Move { path, .. }
            | Operation::Copy { path, .. }
            | Operation::Test { path, .. } => path,
        }
    }

    /// The value that it holds, if it holds one.
    fn value(&self) -> Option<&Value> {
        match self {
            Operation::Add { value, .. }
            | Operation::Replace { value, .. }
            | Operation::Test { value, .. } => Some(value),
            Operation::Move { .. } | Operation::Copy { .. } | Operation::Remove { .. } => None,
        }
    }

    fn bytes(&self) -> usize {
        let from = match self {
            Operation::Move { from, .. } | Operation::Copy { from, .. } => from.as_str().len(),
            _ => 0,
        };
        self.path().as_str().len() + from + self.value().map_or(0, json::length)
    }

    fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.insert("op", self.name().into());
        object.insert("path", self.path().as_str().into());
        match self {
            Operation::Add { value, .. }
            | Operation::Replace { value, .. }
            | Operation::Test { value, .. } => {
                object.insert("value", value.clone());
            }
            Operation::Move { from, .. } | Operation::Copy { from, .. } => {
                object.insert("from", from.as_str().into());
            }
            Operation::Remove { .. } => {}
        }
        Value::Object(object)
    }
}

/// An operation that is being read, and its place in the patch.
struct Source {
    members: Object,
    place: Pointer,
}

impl Source {
    fn open(operation: Value, place: Pointer) -> Result<Source> {
        match operation {
            Value::Object(members) => Ok(Source { members, place }),
            _ => Err(Error::new(Code::InvalidRequest, "an operation must be an object").at(place)),
        }
    }

    fn operation(mut self) -> Result<Operation> {
        let op = self.text("op")?;
        let path = self.pointer("path")?;
        Ok(match op.as_str() {
            "add" => Operation::Add { path, value: self.value()? },
            "remove" => Operation::Remove { path },
            "replace" => Operation::Replace { path, value: self.value()? },
            "test" => Operation::Test { path, value: self.value()? },
            "copy" => Operation::Copy { from: self.pointer("from")?, path },
            "move" => {
                let from = self.pointer("from")?;
                if path != from && path.starts_with(&from) {
                    return Err(self.refuse("path", "a value cannot be moved into itself"));
                }
                Operation::Move { from, path }
            }
            _ => {
                let known = "`op` must be one of add, remove, replace, move, copy, test";
                return Err(self.refuse("op", known));
            }
        })
    }

    fn value(&mut self) -> Result<Value> {
        self.members.remove("value").ok_or_else(|| self.missing("value"))
    }

    fn pointer(&mut self, name: &'static str) -> Result<Pointer> {
        let text = self.text(name)?;
        Pointer::parse(text).map_err(|error| error.at(self.place.child(name)))
    }

    fn text(&mut self, name: &'static str) -> Result<String> {
        match self.members.remove(name) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.refuse(name, "this must be a string")),
            None => Err(self.missing(name)),
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::new(Code::InvalidRequest, format!("the member `{name}` is required"))
            .at(self.place.as_str())
    }

    fn refuse(&self, name: &str, detail: &'static str) -> Error {
        Error::new(Code::InvalidRequest, detail).at(self.place.child(name))
    }
}
