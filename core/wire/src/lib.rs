//! The wire format: how requests, replies and errors look outside.
//!
//! Domain types are not the wire format: bodies are decoded into the types of [`request`] and
//! [`operation`], which turn into operations; replies become an [`Answer`] of canonical JSON, and
//! errors a [`problem()`]. Shells add transport, and other formats than JSON.
//!
//! ```text
//! JSON, MessagePack ─ read ─▶ Value ─ request · operation · import · live ─▶ Command
//! Reply ─ answer · reply ─▶ Answer: status, ETag, canonical JSON
//! Error ─ problem ─▶ problem details (RFC 9457)
//! MemoryStore ◀─ open ─ lines ◀─ export ─ Reply           cursor: where a list continues
//! ```
//!
//! The feature `schema` derives JSON Schemas for all types. It adds names, and changes no answer.
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
pub mod members;
mod open;
pub mod operation;
mod past;
mod pieces;
mod problem;
pub mod promotion;
pub mod question;
pub mod reply;
pub mod request;
#[cfg(feature = "schema")]
pub mod schema;
pub mod sheets;
mod status;
pub mod template;
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

/// Most arrays and objects around the data of a context: in a request the patch of an operation of
/// a batch, in an answer a page of history or a preview.
const ENVELOPE: usize = 5;

/// Reads a JSON body. The exact nesting of data is checked later.
///
/// # Errors
/// As [`json::read`](nacre_layers::json::read).
pub fn read_json(body: &[u8]) -> Result<Value> {
    read_body(nacre_layers::json::read, body)
}

/// Reads a body by a reader of any format, which is told how deeply the body may nest.
///
/// # Errors
/// Those of the reader. `too-deep` names the limit that is promised, without the envelope.
pub fn read_body(read: fn(&[u8], usize) -> Result<Value>, body: &[u8]) -> Result<Value> {
    read(body, limits::DEPTH + ENVELOPE).map_err(|error| match error.code() {
        Code::TooDeep => error.limit(limits::DEPTH as u64),
        _ => error,
    })
}

/// Moves the pointer of an error within a part to the whole body.
fn within(place: &str, error: Error) -> Error {
    let pointer = format!("{place}{}", error.pointer().unwrap_or_default());
    error.at(pointer)
}
