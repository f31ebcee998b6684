//! Streams of the Model Context Protocol, held by the Worker in front.
//!
//! An open stream would keep the object in memory. So the Worker holds it, and follows the object over
//! a hibernatable socket, as any client of `/v1/live` does; the core makes events of its frames.

#[cfg(feature = "conformance")]
mod stranger;
#[cfg(not(feature = "conformance"))]
#[path = "mcp/no_stranger.rs"]
mod stranger;

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Promise, Reflect, futures::JsFuture};
use nacre_core::{
    address::Address,
    mcp::{
        Setting,
        protocol::{self, Listening},
    },
    op::Caller,
};
use wasm_bindgen::{
    JsValue,
    prelude::{Closure, wasm_bindgen},
};
use web_sys::Request;

use crate::{
    auth::Identity,
    config::Config,
    forward, host,
    http::{self, Exchange},
    message::{self, Parts},
};

pub(crate) use stranger::stranger;

#[wasm_bindgen(module = "/src/mcp/stream.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn open(
        users: &JsValue,
        owner: &str,
        request: &Request,
        authorization: &str,
        session: Option<&str>,
    ) -> Result<Promise, JsValue>;

    fn hold(
        socket: &JsValue,
        headers: &str,
        frames: &Array,
        greeting: &str,
        hear: &JsValue,
        farewell: &str,
    ) -> JsValue;
}

/// The header with the default context.
const CONTEXT: &str = "nacre-context";

/// Largest body of a request for a stream, in bytes.
const BODY: usize = 64 << 10;

/// The context that a request means by default: its header says it, or the token.
///
/// # Errors
/// `invalid-request` for a header that is not `level/id`.
pub(crate) fn default_context(
    header: protocol::Header<'_>,
    claimed: Option<Address>,
) -> nacre_core::error::Result<Option<Address>> {
    let Some(named) = header(CONTEXT) else { return Ok(claimed) };
    let parsed = named.split_once('/').and_then(|(level, id)| Address::parse(level, id).ok());
    parsed.map(Some).ok_or_else(|| {
        nacre_core::error::Error::new(
            nacre_core::error::Code::InvalidRequest,
            "the header Nacre-Context must be `level/id`, such as `task/fix-login`",
        )
    })
}

/// Holds a stream of changes open.
///
/// # Errors
/// What the platform throws.
pub(crate) async fn stream(
    env: &JsValue,
    request: &Request,
    parts: &Parts,
    config: &Config,
    caller: &Caller,
    identity: &Identity,
) -> Result<JsValue, JsValue> {
    let head = parts.head();
    let exchange = Exchange::begin(&head, &config.http, host::request_id);
    let spoken = |response| message::sent(&exchange.spoken(response, parts.origin()));
    let header = |name: &str| parts.header(name);
    let default = match default_context(&header, identity.default_context.clone()) {
        Ok(default) => default,
        Err(error) => {
            return message::sent(&exchange.problem(&error, None, &http::Work::default()));
        }
    };
    let setting = Setting { caller: caller.clone(), default, most_tokens: config.mcp_tokens };
    let begun = match head.method {
        "GET" => Ok(Listening::of_session()),
        _ => match message::body(request, parts.header("content-length").as_deref(), BODY).await {
            Ok(body) => Listening::begin(&body, &header, &setting),
            Err(error) => {
                return message::sent(&exchange.problem(&error, None, &http::Work::default()));
            }
        },
    };
    let (mut listening, frames) = match begun {
        Ok(begun) => begun,
        Err(response) => return spoken(response),
    };
    let users = Reflect::get(env, &forward::USERS.into())?;
    let authorization = forward::text(identity, &caller.owner);
    let session = protocol::session(&header);
    let opened = open(&users, caller.owner.as_str(), request, &authorization, session.as_deref())?;
    let socket = JsFuture::from(opened).await?;
    if let Some(response) = refusal(&socket) {
        return Ok(response);
    }
    let greeting = if frames.is_empty() { listening.greet() } else { Vec::new() };
    let frames: Array = frames.iter().map(|frame| JsValue::from_str(frame)).collect();
    let farewell = text(listening.end());
    let listening = Rc::new(RefCell::new(listening));
    let hear = move |frame: String| -> String {
        let Ok(mut listening) = listening.try_borrow_mut() else { return String::new() };
        text(listening.hear(&frame))
    };
    let hear = Closure::<dyn Fn(String) -> String>::new(hear).into_js_value();
    let response = exchange.spoken(protocol::Response::stream(), parts.origin());
    let headers = message::lines(&response);
    Ok(hold(&socket, &headers, &frames, &text(greeting), &hear, &farewell))
}

/// The answer of an object that opens no socket.
fn refusal(opened: &JsValue) -> Option<JsValue> {
    let status = Reflect::get(opened, &"status".into()).ok()?;
    status.as_f64().map(|_| opened.clone())
}

/// Events are JSON and ASCII around it.
fn text(events: Vec<u8>) -> String {
    String::from_utf8(events).unwrap_or_default()
}
