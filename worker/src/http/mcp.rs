//! The Model Context Protocol over HTTP: its paths, which web pages may call, who is let in by what,
//! and the form of its answers.
//!
//! Beside the table of routes, because one path serves every method of the protocol.

use std::borrow::Cow;

use nacre_core::{
    access::Scopes,
    error::{Code, Error},
    limits,
    mcp::protocol::{self, EVENTS},
    value::{Object, Value},
};

use percent_encoding::percent_decode_str;

use super::{Cors, Exchange, Head, Settings, Work, cors, media::JSON, response::Response};
use crate::auth::{Refusal, insufficient_scope};

/// The path of the protocol.
pub const PATH: &str = "/mcp";

/// The paths of the metadata (RFC 9728 §3.1): of the host, and of the protocol's path.
const METADATA: [&str; 2] =
    ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"];

/// The scopes that a client should ask for.
const WANTED: Scopes = Scopes::UNSTATED;

/// The settings of the protocol.
#[derive(Clone, Debug, Default)]
pub struct Mcp {
    /// The issuer of tokens, for the metadata; `None` names none.
    pub issuer: Option<String>,
    /// The hosts that it answers for; empty for all that the platform routes here.
    pub hosts: Vec<String>,
}

/// How a request of the protocol goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One message, for the object.
    Message,
    /// A stream of changes, which the Worker in front holds.
    Stream,
}

/// Largest message, in bytes: as large as a batch over HTTP.
pub const MESSAGE_BYTES: usize = limits::BATCH_BYTES;

/// The sets of tools that a client chose: the query parameter `tools`, or a header for clients that
/// cannot set it.
pub fn tool_sets(head: &Head<'_>) -> Option<String> {
    let parameters = head.query.split('&').filter_map(|parameter| parameter.split_once('='));
    let named = parameters.filter(|(name, _)| *name == "tools").map(|(_, value)| value);
    let mut named = named.map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned());
    named.next_back().or_else(|| head.headers.get("nacre-tools"))
}

/// What becomes of a request before its token is checked; `None` for paths of others. `origin` is the
/// scheme and host of the URL.
pub fn way(
    head: &Head<'_>,
    settings: &Settings,
    origin: &str,
    fresh_id: impl FnOnce() -> String,
) -> Option<Result<Way, Response>> {
    let is_metadata = METADATA.contains(&head.path);
    if head.path != PATH && !is_metadata {
        return None;
    }
    let mut exchange = Exchange::begin(head, settings, fresh_id);
    let refused = |text| {
        let error = Error::new(Code::Forbidden, text);
        Some(Err(exchange.problem(&error, None, &Work::default())))
    };
    let host = authority(origin);
    if !settings.mcp.hosts.is_empty() && !settings.mcp.hosts.iter().any(|known| known == name(host))
    {
        return refused("this host is not served; the operator sets NACRE_MCP_HOSTS");
    }
    if !may_call(head, &settings.cors, host) {
        return refused("this origin may not call; the operator sets NACRE_CORS_ORIGINS");
    }
    let methods = if is_metadata { "GET, HEAD, OPTIONS" } else { "GET, POST, OPTIONS" };
    Some(match head.method {
        "OPTIONS" => Err(options(head, settings, methods)),
        "GET" | "HEAD" if is_metadata => Err(metadata(&exchange, settings, origin)),
        "POST" if !is_metadata => Ok(match head.headers.get("mcp-method").as_deref() {
            Some("subscriptions/listen") => Way::Stream,
            _ => Way::Message,
        }),
        "GET" if is_stream(head) => Ok(Way::Stream),
        _ => Err(exchange.wrong_method(methods.to_owned())),
    })
}

/// Whether a GET asks for the stream of a session, which the newest revision does not have.
fn is_stream(head: &Head<'_>) -> bool {
    let accepts = head.headers.get("accept").is_some_and(|accept| accept.contains(EVENTS));
    let version = head.headers.get("mcp-protocol-version");
    accepts && version.is_none_or(|version| version.starts_with("2025-"))
}

/// Whether the page that calls, if it is one, may: pages that the deployment names, and on this machine
/// those of this machine. A name of an attacker that leads here (DNS rebinding) is neither.
fn may_call(head: &Head<'_>, cors: &Cors, host: &str) -> bool {
    let Some(origin) = head.headers.get("origin") else { return true };
    cors.admit(head).is_some() || (is_local(authority(&origin)) && is_local(host))
}

/// Host and port of an origin.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

/// The host without the port.
fn name(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    }
}

fn is_local(authority: &str) -> bool {
    matches!(name(authority), "localhost" | "127.0.0.1" | "[::1]")
}

/// What protects the path (RFC 9728).
fn metadata(exchange: &Exchange, settings: &Settings, origin: &str) -> Response {
    let list = |names: &[&str]| Value::Array(names.iter().map(|name| (*name).into()).collect());
    let mut members = Object::new();
    members.insert("resource", format!("{origin}{PATH}").into());
    members.insert("resource_name", "Nacre".into());
    members.insert("bearer_methods_supported", list(&["header"]));
    members
        .insert("scopes_supported", list(&["contexts:read", "contexts:write", "secrets:reveal"]));
    if let Some(issuer) = &settings.mcp.issuer {
        members.insert("authorization_servers", list(&[issuer]));
    }
    let mut response = exchange.bare(200);
    response.set("Content-Type", JSON);
    response.set("Cache-Control", "public, max-age=300");
    if !exchange.is_head() {
        response.body = nacre_core::json::write(&members.into());
    }
    response
}

fn options(head: &Head<'_>, settings: &Settings, methods: &str) -> Response {
    let mut response = Response::new(204);
    if let Some(origin) = settings.cors.admit(head) {
        response.set("Vary", "Origin");
        cors::preflight(origin, methods.to_owned(), &mut response);
    }
    response.set("Allow", methods.to_owned());
    response
}

/// Where the metadata is.
fn place(origin: &str) -> String {
    let [place, _] = METADATA;
    format!("resource_metadata=\"{origin}{place}\"")
}

impl Exchange {
    /// The answer to a request of the protocol whose token was refused: where its client learns how to
    /// get one.
    pub fn challenged(&self, refusal: Refusal, origin: &str) -> Response {
        let mut response = self.problem(&Error::from(refusal), None, &Work::default());
        if let Some(challenge) = refusal.challenge() {
            let place = place(origin);
            response.set("WWW-Authenticate", format!("{challenge}, {place}, scope=\"{WANTED}\""));
        }
        response
    }

    /// An answer of the protocol.
    pub fn spoken(&self, answer: protocol::Response, origin: &str) -> Response {
        let protocol::Response { status, headers, body, needs, waits: _ } = answer;
        let mut response = self.of_store(status, None, &Work::default());
        response.replace("Cache-Control", "private, no-store, no-transform");
        for (name, value) in headers {
            response.set(name, Cow::Owned(value));
        }
        if response.header("Content-Type") == Some(EVENTS) {
            // Proxies must not hold events back.
            response.set("X-Accel-Buffering", "no");
        }
        if let Some(needed) = needs {
            let challenge = insufficient_scope(needed);
            response.set("WWW-Authenticate", format!("{challenge}, {}", place(origin)));
        }
        response.body = body;
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(
        method: &str,
        path: &str,
        origin: &str,
        headers: &[(&str, &str)],
    ) -> Option<Result<Way, u16>> {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let head = Head { method, path, query: "", headers: &headers };
        let settings = Settings {
            cors: Cors::parse("https://app.example"),
            mcp: Mcp { issuer: Some("https://id.example".into()), hosts: Vec::new() },
            ..Settings::default()
        };
        let way = way(&head, &settings, origin, || "id".into())?;
        Some(way.map_err(|response| response.status))
    }

    const HERE: &str = "http://127.0.0.1:8787";

    #[test]
    fn only_named_pages_and_those_of_this_machine_may_call() {
        let from = |origin: &str| asked("POST", PATH, HERE, &[("origin", origin)]);
        assert_eq!(from("http://localhost:6274"), Some(Ok(Way::Message)));
        assert_eq!(from("http://[::1]:1"), Some(Ok(Way::Message)));
        assert_eq!(from("https://app.example"), Some(Ok(Way::Message)));
        assert_eq!(from("http://evil.example"), Some(Err(403)));
        assert_eq!(from("http://localhost.evil.example"), Some(Err(403)));
        assert_eq!(from("null"), Some(Err(403)));
        let local = [("origin", "http://localhost:6274")];
        assert_eq!(asked("POST", PATH, "https://nacre.example", &local), Some(Err(403)));
        assert_eq!(asked("POST", PATH, "https://nacre.example", &[]), Some(Ok(Way::Message)));
    }

    #[test]
    fn streams_are_told_from_messages_by_the_head() {
        let listen = [("mcp-method", "subscriptions/listen")];
        assert_eq!(asked("POST", PATH, HERE, &listen), Some(Ok(Way::Stream)));
        let events = [("accept", EVENTS), ("mcp-protocol-version", "2025-11-25")];
        assert_eq!(asked("GET", PATH, HERE, &events), Some(Ok(Way::Stream)));
        let newest = [("accept", EVENTS), ("mcp-protocol-version", "2026-07-28")];
        assert_eq!(asked("GET", PATH, HERE, &newest), Some(Err(405)));
        assert_eq!(asked("DELETE", PATH, HERE, &[]), Some(Err(405)));
        assert_eq!(asked("GET", "/v1/contexts", HERE, &[]), None);
    }

    #[test]
    fn the_metadata_names_the_issuer() {
        for path in METADATA {
            assert_eq!(asked("GET", path, HERE, &[]), Some(Err(200)));
            assert_eq!(asked("POST", path, HERE, &[]), Some(Err(405)));
        }
    }
}
