//! Edits of one stored document: merge patch (RFC 7396), JSON Patch (RFC 6902), appending to a
//! list, and storing tombstones.
//!
//! All of them work on the tree, and leave it unchanged if they fail. A sealed value, with the
//! marker `{"$sealed":"…"}`, is opaque: it can be replaced, moved and removed, but not entered. The
//! document itself is never a marker.

mod apply;
mod edit;
mod json_patch;
mod merge_patch;

pub use edit::{append, unset};
pub use json_patch::{JsonPatch, Operation};
pub use merge_patch::{merge_difference, merge_patch};

use crate::{
    error::{Code, Error, Result},
    pointer::Pointer,
    value::check_depth,
};

/// Refuses a value of this depth if its place is too deep for it.
fn check_place(pointer: &Pointer, depth: usize) -> Result<()> {
    check_depth(pointer.len() + depth).map_err(|error| error.at(pointer))
}

/// The error for an edit that does not fit the document.
fn conflict(detail: &'static str, pointer: &Pointer) -> Error {
    Error::new(Code::MergeConflict, detail).at(pointer)
}

/// The error for a path that leads into a sealed value.
fn sealed(pointer: &Pointer) -> Error {
    conflict("the path leads into a sealed value; replace the whole value", pointer)
}
