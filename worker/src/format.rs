//! The two forms that bodies and frames come in.

use nacre_core::{error::Result, json, limits, value::Value, wire};

/// How deeply an answer may nest: data, with what an answer over a socket puts around it.
const ANSWER_DEPTH: usize = limits::DEPTH + 8;

/// How a value becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON: bodies, and text frames of sockets.
    Json,
    /// MessagePack: bodies, and binary frames of sockets.
    MsgPack,
}

impl Format {
    /// Reads a body or a frame.
    ///
    /// # Errors
    /// `invalid-json`, `too-deep`, `too-large`.
    pub(crate) fn read(self, bytes: &[u8]) -> Result<Value> {
        match self {
            Format::Json => wire::read_json(bytes),
            Format::MsgPack => wire::read_body(nacre_msgpack::read, bytes),
        }
    }

    /// Writes a value.
    pub(crate) fn write(self, value: &Value) -> Vec<u8> {
        match self {
            Format::Json => json::write(value),
            Format::MsgPack => nacre_msgpack::write(value),
        }
    }

    /// Writes what the core wrote as JSON.
    ///
    /// # Errors
    /// `internal` only.
    pub(crate) fn rewrite(self, json: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Format::Json => Ok(json),
            Format::MsgPack => Ok(nacre_msgpack::write(&json::read(&json, ANSWER_DEPTH)?)),
        }
    }
}
