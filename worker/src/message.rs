//! Converts requests and responses between the platform and the HTTP part of this crate.

use futures_util::StreamExt as _;
use nacre_core::{
    error::{Code, Error, Result},
    limits,
};
use web_sys::Headers;
use worker::{Request, Response, ResponseBody};

use crate::{host, http};

/// The parts of a request that its head needs.
pub(crate) struct Parts {
    method: String,
    url: String,
    headers: Headers,
}

impl http::Headers for Headers {
    fn get(&self, name: &str) -> Option<String> {
        Headers::get(self, name).ok().flatten()
    }
}

impl Parts {
    pub(crate) fn of(request: &web_sys::Request) -> Parts {
        Parts { method: request.method(), url: request.url(), headers: request.headers() }
    }

    /// The same for a request to an object, whose headers were read already.
    pub(crate) fn of_object(request: &Request) -> Parts {
        let inner = request.inner();
        let headers = request.headers().0.clone();
        Parts { method: inner.method(), url: inner.url(), headers }
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

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        http::Headers::get(&self.headers, name)
    }
}

/// How much of a refused body is read nevertheless, in bytes: a client that is still sending would
/// not read the answer.
const PASSED_OVER: usize = 2 * limits::BATCH_BYTES;

/// Reads a whole body, at most `limit` bytes.
///
/// # Errors
/// `too-large` past the limit, `invalid-request` when the body breaks off.
pub(crate) async fn body(request: &mut Request, limit: usize) -> Result<Vec<u8>> {
    // A body with a declared length has exactly that length, so it can be read in one piece.
    let stated = http::Headers::get(&request.inner().headers(), "content-length");
    if stated.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length <= limit) {
        return request.bytes().await.map_err(|_| broken_off());
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
pub(crate) async fn pass_over(request: &mut Request) {
    if !request.inner().body_used() {
        let _unwanted = body(request, 0).await;
    }
}

/// The body as a stream; `None` if there is none.
pub(crate) fn stream(request: &mut Request) -> Option<worker::ByteStream> {
    request.inner().body()?;
    request.stream().ok()
}

pub(crate) fn broken_off() -> Error {
    Error::new(Code::InvalidRequest, "the request body is incomplete; send the request again")
}

/// The response of the Worker in front.
///
/// # Errors
/// As [`response`].
pub(crate) fn sent(from: http::Response) -> worker::Result<web_sys::Response> {
    response(from).map(web_sys::Response::from)
}

/// The response of an object.
///
/// # Errors
/// The platform's error.
pub(crate) fn response(response: http::Response) -> worker::Result<Response> {
    let http::Response { status, headers, body } = response;
    let body = if body.is_empty() { ResponseBody::Empty } else { ResponseBody::Body(body) };
    Ok(Response::from_body(body)?.with_status(status).with_headers(named(&headers)?))
}

/// The answer of a deployment that lacks a setting.
///
/// # Errors
/// As [`response`].
pub(crate) fn not_set_up(head: &http::Head<'_>, message: &str) -> worker::Result<Response> {
    let exchange = http::Exchange::begin(head, &http::Settings::default(), host::request_id);
    let error = Error::bug(format!("this deployment is not configured: {message}"));
    response(exchange.problem(&error, None, &http::Work::default()))
}

/// The response with a WebSocket.
///
/// # Errors
/// As [`response`].
pub(crate) fn upgraded(
    response: http::Response,
    socket: worker::WebSocket,
) -> worker::Result<Response> {
    Ok(Response::from_websocket(socket)?.with_headers(named(&response.headers)?))
}

/// Headers for the platform.
pub(crate) fn named(
    headers: &[(&'static str, std::borrow::Cow<'static, str>)],
) -> worker::Result<worker::Headers> {
    let named = Headers::new()?;
    for (name, value) in headers {
        named.set(name, value)?;
    }
    Ok(worker::Headers(named))
}
