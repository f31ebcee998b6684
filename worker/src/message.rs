//! Converts requests and responses between the platform and the HTTP part of this crate.

use std::borrow::Cow;

use futures_util::{Stream, StreamExt as _};
use js_sys::{Uint8Array, futures::JsFuture};
use nacre_core::{
    error::{Code, Error},
    limits,
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::{Request, Response};
use worker::ByteStream;

use crate::{host, http};

// One call for a whole head, and one for a whole response.
#[wasm_bindgen(module = "/src/message.js")]
extern "C" {
    fn head(request: &Request) -> String;

    #[wasm_bindgen(catch)]
    fn respond(status: u16, headers: &str, body: Option<&[u8]>) -> Result<Response, JsValue>;
}

/// The parts of a request that its head needs.
pub(crate) struct Parts {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl Parts {
    pub(crate) fn of(request: &Request) -> Parts {
        let head = head(request);
        let mut lines = head.split('\n').map(String::from);
        let mut next = || lines.next().unwrap_or_default();
        let (method, url) = (next(), next());
        let mut headers = Vec::new();
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            headers.push((name, value));
        }
        Parts { method, url, headers }
    }

    pub(crate) fn head(&self) -> http::Head<'_> {
        // The platform gives an absolute URL: scheme, authority, path, query, fragment.
        let rest = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let target = rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        http::Head { method: &self.method, path, query, headers: &self.headers }
    }

    /// Scheme, host and port of the URL.
    pub(crate) fn origin(&self) -> &str {
        let after = self.url.find("://").map_or(0, |at| at + 3);
        let rest = self.url.get(after..).unwrap_or_default();
        let end = rest.find(['/', '?', '#']).map_or(self.url.len(), |at| after + at);
        self.url.get(..end).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        http::Headers::get(&self.headers, name)
    }
}

/// How much of a refused body is read nevertheless, in bytes: a client that is still sending would
/// not read the answer.
const PASSED_OVER: usize = 2 * limits::BATCH_BYTES;

/// Reads a whole body, at most `limit` bytes. `stated` is its declared length, if it has one.
///
/// # Errors
/// `too-large` past the limit, `invalid-request` when the body breaks off.
pub(crate) async fn body(
    request: &Request,
    stated: Option<&str>,
    limit: usize,
) -> Result<Vec<u8>, Error> {
    // A body with a declared length has exactly that length, so it can be read in one piece.
    let stated = stated.and_then(|length| length.parse().ok());
    if stated.is_some_and(|length: usize| length <= limit) {
        let whole = request.array_buffer().map_err(|_| broken_off())?;
        let whole = JsFuture::from(whole).await.map_err(|_| broken_off())?;
        return Ok(Uint8Array::new(&whole).to_vec());
    }
    let mut body = Vec::new();
    let Some(mut stream) = stream(request) else { return Ok(body) };
    let mut length = 0usize;
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| broken_off())?;
        length = length.saturating_add(part.len());
        if length <= limit {
            body.extend_from_slice(&part);
        } else if length > limit.saturating_add(PASSED_OVER) {
            break;
        }
    }
    if length > limit {
        return Err(http::too_large(limit));
    }
    Ok(body)
}

/// Lets the client of a refused request finish sending, within reason.
pub(crate) async fn pass_over(request: &Request) {
    if !request.body_used() {
        let _unwanted = body(request, None, 0).await;
    }
}

/// The body as a stream; `None` if there is none.
pub(crate) fn stream(request: &Request) -> Option<ByteStream> {
    request.body()?;
    // A request of the platform has a `clone` of its own, which copies the body.
    let request: Request = Clone::clone(request);
    worker::Request::from(request).stream().ok()
}

pub(crate) fn broken_off() -> Error {
    Error::new(Code::InvalidRequest, "the request body is incomplete; send the request again")
}

/// The response for the platform.
///
/// # Errors
/// What the platform throws.
pub(crate) fn sent(response: &http::Response) -> Result<JsValue, JsValue> {
    let http::Response { status, body, .. } = response;
    let body = (!body.is_empty()).then_some(&**body);
    respond(*status, &lines(response), body).map(JsValue::from)
}

/// The headers of a response: a line for each name and each value.
pub(crate) fn lines(response: &http::Response) -> String {
    let mut lines = String::with_capacity(512);
    for (name, value) in &response.headers {
        for line in [name, &**value] {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    lines
}

/// The answer of a deployment that lacks a setting.
///
/// # Errors
/// As [`sent`].
pub(crate) fn not_set_up(head: &http::Head<'_>, message: &str) -> Result<JsValue, JsValue> {
    let exchange = http::Exchange::begin(head, &http::Settings::default(), host::request_id);
    let error = Error::bug(format!("this deployment is not configured: {message}"));
    sent(&exchange.problem(&error, None, &http::Work::default()))
}

/// The response with a WebSocket.
///
/// # Errors
/// As [`sent`].
pub(crate) fn upgraded(
    response: &http::Response,
    socket: worker::WebSocket,
) -> Result<JsValue, JsValue> {
    let upgraded = worker::Response::from_websocket(socket)?;
    Ok(web_sys::Response::from(upgraded.with_headers(named(&response.headers)?)).into())
}

/// The response with a body that is made piece by piece.
///
/// # Errors
/// As [`sent`].
pub(crate) fn streamed(
    response: &http::Response,
    pieces: impl Stream<Item = worker::Result<Vec<u8>>> + 'static,
) -> Result<JsValue, JsValue> {
    let streamed = worker::Response::from_stream(pieces)?.with_status(response.status);
    Ok(web_sys::Response::from(streamed.with_headers(named(&response.headers)?)).into())
}

/// Headers for the platform.
fn named(headers: &[(&'static str, Cow<'static, str>)]) -> worker::Result<worker::Headers> {
    let named = worker::Headers::new();
    for (name, value) in headers {
        named.set(name, value)?;
    }
    Ok(named)
}
