//! Which revision a request speaks, and what that revision demands of its headers.
//!
//! A request of 2026-07-28 says everything about itself: its revision and what its client can do stand
//! in `params._meta`, and headers repeat what the network may route by. Earlier revisions begin with
//! `initialize`.

use alloc::{format, string::String, vec::Vec};

use base64ct::{Base64, Encoding as _};
use nacre_layers::value::Value;

use super::{
    failure::{Failure, HEADER_MISMATCH, UNSUPPORTED_VERSION},
    message::Message,
};
use crate::object;

/// The revision without `initialize`.
pub(super) const STATELESS: &str = "2026-07-28";

/// The revisions with `initialize`, the newest first.
pub(super) const INITIALIZED: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// Longest name in a header, in bytes.
const NAME_BYTES: usize = 4096;

/// The prefix of the protocol's own members of `_meta`.
pub(super) const META: &str = "io.modelcontextprotocol/";

/// A header of the request, looked up by lower-case name.
pub type Header<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The revisions, by what matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2026-07-28: each request stands for itself.
    Stateless,
    /// 2025-11-25 and before: a client initializes first.
    Initialized,
}

/// The revision of a message, once its headers fit.
pub(super) fn era(message: &Message, header: Header<'_>) -> Result<Era, Failure> {
    let stated = header("mcp-protocol-version");
    let meta = message.params.get("_meta").and_then(Value::as_object);
    let own = |name: &str| meta.and_then(|meta| meta.get(&format!("{META}{name}")));
    let says = own("protocolVersion").or_else(|| own("clientCapabilities")).is_some();
    let earlier = |stated: &str| INITIALIZED.contains(&stated);
    if !says && (message.is_initialize() || stated.as_deref().is_none_or(earlier)) {
        return Ok(Era::Initialized);
    }
    if message.id.is_none() {
        // The revision defines no headers for notifications.
        return Ok(Era::Stateless);
    }
    let Some(stated) = stated else { return Err(lacks("MCP-Protocol-Version")) };
    if !says && stated != STATELESS {
        return Err(unsupported(&stated));
    }
    let required = |name: &str| {
        let text = format!("`params._meta` must have the member `{META}{name}`");
        Failure::params(text).status(400)
    };
    let version = own("protocolVersion").and_then(Value::as_str);
    let version = version.ok_or_else(|| required("protocolVersion"))?;
    if !matches!(own("clientCapabilities"), Some(Value::Object(_))) {
        return Err(required("clientCapabilities"));
    }
    if version != stated {
        return Err(differs("MCP-Protocol-Version"));
    }
    if version != STATELESS {
        return Err(unsupported(version));
    }
    let method = message.method.as_deref().unwrap_or_default();
    match header("mcp-method") {
        None => return Err(lacks("Mcp-Method")),
        Some(stated) if stated != method => return Err(differs("Mcp-Method")),
        Some(_) => {}
    }
    let named = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Ok(Era::Stateless),
    };
    let name = header("mcp-name").ok_or_else(|| lacks("Mcp-Name"))?;
    let name = plain(&name).ok_or_else(|| differs("Mcp-Name"))?;
    match message.params.get(named).and_then(Value::as_str) {
        Some(stated) if stated != name => Err(differs("Mcp-Name")),
        _ => Ok(Era::Stateless),
    }
}

impl Message {
    fn is_initialize(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }
}

/// The value of a header, which may be in base64: `=?base64?…?=`.
fn plain(value: &str) -> Option<String> {
    let Some(encoded) = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="))
    else {
        return Some(value.into());
    };
    let mut bytes = alloc::vec![0; encoded.len().min(NAME_BYTES)];
    let bytes = Base64::decode(encoded, &mut bytes).ok()?;
    core::str::from_utf8(bytes).ok().map(Into::into)
}

fn lacks(header: &str) -> Failure {
    Failure::new(HEADER_MISMATCH, format!("the header {header} is required"))
}

fn differs(header: &str) -> Failure {
    Failure::new(HEADER_MISMATCH, format!("the header {header} must say what the body says"))
}

fn unsupported(requested: &str) -> Failure {
    let supported = Value::Array(Vec::from([STATELESS.into()]));
    let data = object([("requested", requested.into()), ("supported", supported)]);
    Failure::new(UNSUPPORTED_VERSION, "this revision of the protocol is not supported").data(data)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::protocol::failure::INVALID_PARAMS;

    const META_TEXT: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    fn era_of(body: &str, headers: &[(&str, &str)]) -> Result<Era, i64> {
        let message = Message::read(body.as_bytes()).unwrap();
        let header = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
        };
        era(&message, &header).map_err(|failure| failure.code)
    }

    fn call(name: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}",{META_TEXT}}}}}"#
        )
    }

    #[test]
    fn without_meta_a_request_is_of_an_earlier_revision() {
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        assert_eq!(era_of(list, &[]), Ok(Era::Initialized));
        assert_eq!(era_of(list, &[("mcp-protocol-version", "2025-06-18")]), Ok(Era::Initialized));
        assert_eq!(era_of(list, &[("mcp-protocol-version", "2026-07-28")]), Err(INVALID_PARAMS));
        assert_eq!(
            era_of(list, &[("mcp-protocol-version", "1999-01-01")]),
            Err(UNSUPPORTED_VERSION)
        );
        let begin = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
        assert_eq!(era_of(begin, &[("mcp-protocol-version", "2030-01-01")]), Ok(Era::Initialized));
    }

    #[test]
    fn headers_must_say_what_the_body_says() {
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "tools/call");
        let good = [version, method, ("mcp-name", "grüße")];
        assert_eq!(era_of(&call("grüße"), &good), Ok(Era::Stateless));
        let encoded = [version, method, ("mcp-name", "=?base64?Z3LDvMOfZQ==?=")];
        assert_eq!(era_of(&call("grüße"), &encoded), Ok(Era::Stateless));
        for wrong in [
            &[][..],
            &[version],
            &[version, ("mcp-method", "tools/list"), ("mcp-name", "grüße")],
            &[version, method],
            &[version, method, ("mcp-name", "other")],
            &[version, method, ("mcp-name", "=?base64?!?=")],
            &[("mcp-protocol-version", "2025-11-25"), method, ("mcp-name", "grüße")],
        ] {
            assert_eq!(era_of(&call("grüße"), wrong), Err(HEADER_MISMATCH), "{wrong:?}");
        }
    }
}
