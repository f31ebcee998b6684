//! No fixtures: the server as it is deployed. It asks its clients nothing.

use alloc::vec::Vec;

use nacre_layers::value::{Object, Value};

use super::{Request, Response, Said};

/// What a fixture would answer.
pub(super) struct Played {
    pub(super) notices: Vec<Value>,
    pub(super) said: Said,
    pub(super) talk: Option<Talk>,
}

/// A request to the client: there are none.
pub(super) enum Talk {}

/// An answer that waits for another message: there are none.
#[derive(Debug)]
pub enum Waits {}

impl Talk {
    /// Begins nothing.
    pub(super) fn begin(self, _call: Value, _fresh: &str) -> Response {
        match self {}
    }
}

/// Answers nothing.
pub(super) fn answer(_method: &str, _request: &Request<'_>) -> Option<Played> {
    None
}

/// Adds nothing.
pub(super) fn extend(_method: &str, _result: &mut Object) {}
