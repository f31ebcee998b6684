//! The serialised twins of the domain types, used by every shell.
//!
//! Domain types are not the wire format: bodies are decoded into the types of [`request`] and
//! [`operation`], which turn into operations; replies become an [`Answer`] of canonical JSON, and
//! errors a [`problem()`]. Shells add transport, and transcode to MessagePack where it is asked for.
//!
//! The feature `schema` derives JSON Schemas for all of them; it adds names and changes no answer.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod context;
mod cursor;
mod export;
pub mod import;
pub mod live;
pub mod msgpack;
mod open;
pub mod operation;
mod pieces;
mod problem;
pub mod reply;
pub mod request;
#[cfg(feature = "schema")]
pub mod schema;
mod status;
mod text;
mod view;

pub use answer::{Answer, etag, remember};
pub use cursor::Cursor;
pub use export::Export;
pub use open::open_export;
pub use problem::{ConflictText, Problem, problem};
pub use status::status;

use alloc::format;

use nacre_layers::{
    error::{Code, Error, Result},
    value::Value,
};
use nacre_store::limits;

/// How many arrays and objects a body puts around the data of a context at most: the patch of an
/// operation of a batch on the way in, a page of history and a preview on the way out.
const ENVELOPE: usize = 5;

/// Reads a JSON body. Nesting is checked exactly where the data is taken in.
///
/// # Errors
/// As [`json::read`](nacre_layers::json::read).
pub fn read_json(body: &[u8]) -> Result<Value> {
    nacre_layers::json::read(body, limits::DEPTH + ENVELOPE).map_err(stated_depth)
}

/// Reads a MessagePack body.
///
/// # Errors
/// As [`msgpack::read`](crate::msgpack::read).
pub fn read_msgpack(body: &[u8]) -> Result<Value> {
    crate::msgpack::read(body, limits::DEPTH + ENVELOPE).map_err(stated_depth)
}

/// Names the limit that is promised, without the envelope.
fn stated_depth(error: Error) -> Error {
    match error.code() {
        Code::TooDeep => error.limit(limits::DEPTH as u64),
        _ => error,
    }
}

/// An error within a part of a body, placed in the whole.
fn within(place: &str, error: Error) -> Error {
    let pointer = format!("{place}{}", error.pointer().unwrap_or_default());
    error.at(pointer)
}
