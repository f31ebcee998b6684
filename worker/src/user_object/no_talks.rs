//! The server asks its clients nothing, so nothing waits for their answers.

use std::result::Result;

use nacre_core::mcp::protocol::{Received, Waits};
use wasm_bindgen::JsValue;

use crate::http;

/// Holds an answer back.
pub(super) fn hold(_response: &http::Response, waits: Waits) -> Result<JsValue, JsValue> {
    match waits {}
}

/// Takes the answer of a client.
pub(super) fn hear(_received: &Received) {}
