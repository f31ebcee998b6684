//! The one table of tools.

use nacre_layers::value::{Object, Value};

use crate::{Outcome, Setting, Step};

/// The tools that a client is offered, as `tools/list` shows them, always in the same order. `sets`
/// names the sets that it chose; `None` is the default.
pub fn list(_sets: Option<&str>) -> Value {
    Value::Array(alloc::vec::Vec::new())
}

/// Calls a tool; `None` if there is none of that name.
pub fn call(_name: &str, _arguments: Object, _setting: &Setting) -> Option<Step<Outcome>> {
    None
}
