//! What the server says of itself, and what every result says.

use alloc::{format, vec::Vec};

use nacre_layers::value::{Object, Value};

use super::revision::{Era, INITIALIZED, META, STATELESS};
use crate::object;

/// The name of the server.
const NAME: &str = "nacre";

/// How agents use it, for their prompt.
const INSTRUCTIONS: &str = "Nacre stores knowledge in four layers: global, project, branch, task. \
    A task reads all four merged, each layer refining the ones above. Start with \
    `get_context_pack` (or read `nacre://start`). Store what you learn where others need it: facts of a \
    task with `manage_context` in the task, what holds for a project with `promote_context`. Every \
    answer stays below `max_tokens` and names what it leaves out.";

/// How long lists hold that only a new version of the server changes, in milliseconds.
const LASTING: u64 = 300_000;

/// The result of `server/discover`.
pub(super) fn discover() -> Object {
    let mut result = Object::new();
    result.insert("capabilities", capabilities());
    result.insert("instructions", INSTRUCTIONS.into());
    result.insert("supportedVersions", Vec::from([Value::from(STATELESS)]).into());
    result
}

/// The result of `initialize`: the revision that the client asks for, or the newest of its kind.
pub(super) fn initialize(params: &Object) -> Object {
    let asked = params.get("protocolVersion").and_then(Value::as_str);
    let known = INITIALIZED.into_iter().find(|known| Some(*known) == asked);
    let [newest, ..] = INITIALIZED;
    let mut result = Object::new();
    result.insert("capabilities", capabilities());
    result.insert("instructions", INSTRUCTIONS.into());
    result.insert("protocolVersion", known.unwrap_or(newest).into());
    result.insert("serverInfo", server());
    result
}

fn capabilities() -> Value {
    let mut capabilities = object([
        ("completions", Object::new().into()),
        ("prompts", Object::new().into()),
        ("resources", object([("listChanged", true.into()), ("subscribe", true.into())])),
        ("tools", Object::new().into()),
    ]);
    if let Some(capabilities) = capabilities.as_object_mut() {
        super::fixtures::extend("capabilities", capabilities);
    }
    capabilities
}

fn server() -> Value {
    object([
        ("name", NAME.into()),
        ("title", "Nacre".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ])
}

/// Adds to a result what the revision wants in it: its type, for how long it holds, who says it.
pub(super) fn complete(era: Era, method: &str, result: &mut Object) {
    if era == Era::Initialized {
        return;
    }
    if !result.contains("resultType") {
        result.insert("resultType", "complete".into());
    }
    let lasts = match method {
        "server/discover" | "tools/list" | "prompts/list" | "resources/templates/list" => LASTING,
        "resources/list" | "resources/read" => 0,
        _ => return identify(result),
    };
    result.insert("ttlMs", lasts.into());
    // Lists may depend on the token, and resources are the user's own.
    result.insert("cacheScope", "private".into());
    identify(result);
}

fn identify(result: &mut Object) {
    let meta = result.get_or_insert_with("_meta", || Object::new().into());
    if let Some(meta) = meta.as_object_mut() {
        meta.insert(format!("{META}serverInfo"), server());
    }
}
