//! No fixtures: the server as it is deployed.

use alloc::vec::Vec;

use nacre_layers::value::{Object, Value};

use super::{Request, Said};

/// Answers nothing.
pub(super) fn answer(_method: &str, _request: &Request<'_>) -> Option<(Vec<Value>, Said)> {
    None
}

/// Adds nothing.
pub(super) fn extend(_method: &str, _result: &mut Object) {}
