//! HTTP as data: requests to operations, replies to responses, without a platform.
//!
//! ```text
//! Exchange::begin(head) ─ route(head, caller) ─▶ Routed ─ decode(body) ─▶ Task
//!        │                                                             │ decide, apply
//!        └────────────── answer(reply) · problem(error) · …  ◀─────────┘
//! ```
//! An [`Exchange`] exists from the start, so every failure is answered in the same form. The Worker
//! in front uses [`front()`] and, for a refused token, [`Exchange::refused`]; the object does the
//! rest. One table ([`routes::ROUTES`]) serves both routing and the OpenAPI document.

mod conditions;
mod cors;
mod decode;
mod errors;
mod exchange;
mod export;
mod front;
mod import;
mod key;
mod live;
pub mod mcp;
mod media;
mod query;
mod response;
mod route;
mod routed;
pub mod routes;
mod security_txt;

pub use cors::Cors;
pub use exchange::{Exchange, Work};
pub use export::Exporter;
pub use front::{OPENAPI, front};
pub use import::Importer;
pub use live::{PROTOCOL, PROTOCOLS, token};
pub use mcp::{MESSAGE_BYTES, Way, tool_sets, way};
pub use response::Response;
pub use routed::{BodyWanted, Routed, Task, too_large};
pub use security_txt::SecurityTxt;

use nacre_core::{
    error::{Code, Error, Result},
    id::User,
};

/// Request headers, looked up by lower-case name. Several fields of one name come joined by `, `.
pub trait Headers {
    /// The value, if the header exists and is text.
    fn get(&self, name: &str) -> Option<String>;
}

/// A list of names and values, for tests and for shells that hold headers that way.
impl Headers for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<String> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    }
}

/// A request without its body.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The path as sent, percent-encoded, without query.
    pub path: &'a str,
    /// The query as sent, without `?`; empty when there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a dyn Headers,
}

/// The settings of the HTTP part.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The web origins that may call.
    pub cors: Cors,
    /// Where to report a vulnerability; `None` says nothing.
    pub security: Option<SecurityTxt>,
    /// The settings of the Model Context Protocol.
    pub mcp: mcp::Mcp,
}

/// The header that names the owner of a shared project's store.
pub const OWNER: &str = "nacre-owner";

/// The owner of the store that the request is for; `None` means the caller. A `%` and characters
/// beyond ASCII are percent-encoded.
///
/// # Errors
/// `invalid-id` if the header is not a user.
pub fn owner(head: &Head<'_>) -> Result<Option<User>> {
    let named = |name: &str| {
        percent_encoding::percent_decode_str(name)
            .decode_utf8()
            .ok()
            .and_then(|name| User::parse(&name).ok())
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidId,
                    "Nacre-Owner must be a user: 1 to 256 bytes without control characters, \
                 percent-encoded",
                )
            })
    };
    match head.headers.get(OWNER) {
        Some(name) => named(&name).map(Some),
        None => live::owner(head).map(named).transpose(),
    }
}
