//! The requests that the Worker in front answers itself, without a token or a store.

use nacre_core::moment::Moment;

use super::{
    Exchange, Head, Settings, cors,
    exchange::{Found, allow, find, nothing_here},
    media::{JSON, TEXT},
    response::Response,
    routes::{Action, Method, ROUTES},
};

use super::decode::Segments;

/// The OpenAPI 3.1 document, generated from [`ROUTES`] and the wire types, without spaces.
pub const OPENAPI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// Paths below this prefix need a token.
const API: &str = "/v1/";

/// The answer to a request that needs no store; `None`: check the token, then forward it to its
/// object.
pub fn front(
    head: &Head<'_>,
    settings: &Settings,
    now: Moment,
    fresh_id: impl FnOnce() -> String,
) -> Option<Response> {
    if head.path.starts_with(API) && head.method != "OPTIONS" {
        return None;
    }
    let mut exchange = Exchange::begin(head, settings, fresh_id);
    if head.method == "OPTIONS" {
        return Some(options(head, settings, &exchange));
    }
    Some(match find(head) {
        Found::Route(route, _) => match (route.action, &settings.security) {
            (Action::Describe, _) => said(&exchange, JSON, "public, max-age=300", OPENAPI),
            (Action::SecurityTxt, Some(security)) => {
                said(&exchange, TEXT, "public, max-age=86400", security.text(now).as_bytes())
            }
            (Action::SecurityTxt, None) => {
                exchange.problem(&nothing_here(), None, &super::Work::default())
            }
            _ => said(&exchange, JSON, "no-store", b"{\"status\":\"ok\"}"),
        },
        Found::Other(allow) => exchange.wrong_method(allow),
        Found::Nothing => exchange.problem(&nothing_here(), None, &super::Work::default()),
    })
}

fn said(exchange: &Exchange, kind: &'static str, cache: &'static str, body: &[u8]) -> Response {
    let mut response = exchange.bare(200);
    response.set("Content-Type", kind);
    response.set("Cache-Control", cache);
    if !exchange.is_head() {
        response.body = body.to_vec();
    }
    response
}

/// Answers OPTIONS: the methods of a path, and a CORS preflight.
fn options(head: &Head<'_>, settings: &Settings, exchange: &Exchange) -> Response {
    let methods: Vec<Method> = ROUTES
        .iter()
        .filter(|route| Segments::of(route.path, head.path).is_some())
        .map(|route| route.method)
        .collect();
    if methods.is_empty() {
        return exchange.problem(&nothing_here(), None, &super::Work::default());
    }
    let methods = allow(&methods);
    let mut response = Response::new(204);
    response.set("X-Request-Id", exchange.request_id().to_string());
    if settings.cors.is_on() {
        response.set("Vary", "Origin");
    }
    if head.headers.get("access-control-request-method").is_some()
        && let Some(origin) = settings.cors.admit(head)
    {
        cors::preflight(origin, methods.clone(), &mut response);
    }
    response.set("Allow", methods);
    response
}
