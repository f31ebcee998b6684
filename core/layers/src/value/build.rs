//! Builds a value from a reader's events without recursion: one stack for readers of every format,
//! and one place that enforces depth, count and unique names.

use alloc::{string::String, vec::Vec};

use super::{Object, Value};
use crate::{
    error::{Code, Error, Result},
    json, limits,
    pointer::Pointer,
};

/// A value under construction: a reader of any format says what comes, in order.
#[derive(Debug)]
pub struct Builder {
    open: Vec<Open>,
    max_depth: usize,
    left: usize,
}

/// An open array or object.
#[derive(Debug)]
enum Open {
    Array(Vec<Value>),
    Object { members: Vec<(String, Value)>, name: String },
}

impl Builder {
    /// A builder that accepts `max_depth` nested arrays and objects.
    pub fn new(max_depth: usize) -> Builder {
        Builder { open: Vec::new(), max_depth, left: limits::VALUES }
    }

    /// Begins an array; `capacity` is a guess the caller has bounded.
    ///
    /// # Errors
    /// `too-deep`, `too-large` for more than [`limits::VALUES`] values.
    pub fn open_array(&mut self, capacity: usize) -> Result<()> {
        self.open(Open::Array(Vec::with_capacity(capacity)))
    }

    /// Begins an object; `capacity` is a guess the caller has bounded.
    ///
    /// # Errors
    /// As [`Builder::open_array`].
    pub fn open_object(&mut self, capacity: usize) -> Result<()> {
        self.open(Open::Object { members: Vec::with_capacity(capacity), name: String::new() })
    }

    /// Names the member whose value comes next.
    pub fn name(&mut self, next: String) {
        if let Some(Open::Object { name, .. }) = self.open.last_mut() {
            *name = next;
        }
    }

    /// Adds a finished value. Returns it if nothing is open, because then it is the whole value.
    ///
    /// # Errors
    /// `too-large` for more than [`limits::VALUES`] values.
    pub fn add(&mut self, value: Value) -> Result<Option<Value>> {
        self.count()?;
        Ok(self.put(value))
    }

    /// Whether the innermost open container is an object.
    pub fn in_object(&self) -> bool {
        matches!(self.open.last(), Some(Open::Object { .. }))
    }

    /// Ends the innermost container. Returns it if it was the outermost.
    ///
    /// # Errors
    /// `invalid-json` with the pointer for a member that comes twice, `internal` when nothing is
    /// open.
    pub fn close(&mut self) -> Result<Option<Value>> {
        let value = match self.open.pop() {
            Some(Open::Array(items)) => Value::Array(items),
            Some(Open::Object { members, .. }) => {
                Value::Object(Object::from_unsorted(members).map_err(|name| {
                    Error::new(Code::InvalidJson, "an object must not have the same member twice")
                        .at(self.place().child(&name))
                })?)
            }
            None => return Err(Error::bug("a reader closed more than it opened")),
        };
        Ok(self.put(value))
    }

    fn open(&mut self, open: Open) -> Result<()> {
        if self.open.len() >= self.max_depth {
            return Err(json::too_deep(self.max_depth));
        }
        self.count()?;
        self.open.push(open);
        Ok(())
    }

    fn put(&mut self, value: Value) -> Option<Value> {
        match self.open.last_mut() {
            Some(Open::Array(items)) => items.push(value),
            Some(Open::Object { members, name }) => {
                members.push((core::mem::take(name), value));
            }
            None => return Some(value),
        }
        None
    }

    fn count(&mut self) -> Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Error::new(Code::TooLarge, "a body must have at most 524288 values")
                .limit(limits::VALUES as u64)
        })?;
        Ok(())
    }

    /// The pointer of the value that is being read.
    fn place(&self) -> Pointer {
        let mut place = Pointer::root();
        for open in &self.open {
            match open {
                Open::Array(items) => place.push_index(items.len()),
                Open::Object { name, .. } => place.push(name),
            }
        }
        place
    }
}
