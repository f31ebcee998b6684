//! Messages of JSON-RPC 2.0 (one a request), and the HTTP answers that carry them.

use alloc::{string::String, vec::Vec};

use nacre_layers::{
    json, limits,
    value::{Object, Value},
};

use nacre_store::access::Scopes;

use super::{
    failure::{Failure, INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR},
    fixtures::Waits,
};
use crate::object;

/// Arrays and objects around the data of a context: message, params, arguments, operations, operation,
/// patch.
const ENVELOPE: usize = 6;

/// The media type of a message.
pub(super) const JSON: &str = "application/json";

/// The media type of a stream of messages.
pub const EVENTS: &str = "text/event-stream";

/// An HTTP answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, `Content-Type` among them if there is a body.
    pub headers: Vec<(&'static str, String)>,
    /// The body: a message, a stream of messages, or nothing.
    pub body: Vec<u8>,
    /// The scopes that the token lacks; they belong into `WWW-Authenticate`.
    pub needs: Option<Scopes>,
    /// What goes on when the client has answered; only fixtures ask it something.
    pub waits: Option<Waits>,
}

impl Response {
    /// An answer without a body.
    pub(super) fn bare(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new(), needs: None, waits: None }
    }

    /// The head of a stream whose events come later.
    pub fn stream() -> Response {
        Response::events(&[])
    }

    /// An answer with one message.
    pub(super) fn message(status: u16, message: &Value) -> Response {
        let headers = Vec::from([("Content-Type", JSON.into())]);
        Response { body: json::write(message), headers, ..Response::bare(status) }
    }

    /// An answer with several messages, the result last.
    pub(super) fn events(messages: &[Value]) -> Response {
        let mut body = Vec::new();
        messages.iter().for_each(|message| event(message, &mut body));
        let headers = Vec::from([("Content-Type", EVENTS.into())]);
        Response { body, headers, ..Response::bare(200) }
    }

    /// The answer to a request that cannot be carried out.
    pub(super) fn failure(failure: Failure, id: Option<&Value>) -> Response {
        let needs = failure.needs;
        let mut response = Response::message(failure.status, &failure.message(id));
        response.needs = needs;
        response
    }
}

/// Appends a message as an event of a stream.
pub(super) fn event(message: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: message\ndata: ");
    // Canonical JSON has no line break.
    json::write_to(message, out);
    out.extend_from_slice(b"\n\n");
}

/// A message from a client.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// The id of a request: a text or a number. `None` for notifications.
    pub(super) id: Option<Value>,
    /// The method. `None` for the answer to a request of the server.
    pub(super) method: Option<String>,
    /// The parameters; those of an answer are its result.
    pub(super) params: Object,
}

impl Message {
    /// Reads a body.
    pub(super) fn read(body: &[u8]) -> Result<Message, (Failure, Option<Value>)> {
        let value = json::read(body, limits::DEPTH + ENVELOPE);
        let value = value.map_err(|error| (Failure::new(PARSE_ERROR, error.detail()), None))?;
        let mut members = match value {
            Value::Object(members) => members,
            Value::Array(_) => return refuse("a body must be one message, not a batch", None),
            _ => return refuse("a message must be an object", None),
        };
        let id = members.remove("id");
        if !matches!(id, None | Some(Value::String(_) | Value::Number(_))) {
            return refuse("`id` must be a text or a number", None);
        }
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return refuse("`jsonrpc` must be \"2.0\"", id);
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) => method,
            Some(_) => return refuse("`method` must be a text", id),
            None => {
                let answer = members.remove("result").or_else(|| members.remove("error"));
                return match answer {
                    Some(Value::Object(params)) => Ok(Message { id, method: None, params }),
                    _ => refuse("`method` is required", id),
                };
            }
        };
        let params = match members.remove("params") {
            None => Object::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                let failure = Failure::new(INVALID_PARAMS, "`params` must be an object");
                return Err((failure.status(400), id));
            }
        };
        Ok(Message { id, method: Some(method), params })
    }
}

fn refuse<T>(text: &str, id: Option<Value>) -> Result<T, (Failure, Option<Value>)> {
    Err((Failure::new(INVALID_REQUEST, text), id))
}

/// The message with a result.
pub(super) fn result(id: &Value, result: Object) -> Value {
    object([("id", id.clone()), ("jsonrpc", "2.0".into()), ("result", result.into())])
}

/// A message that has no answer.
pub(super) fn notification(method: &str, params: Object) -> Value {
    object([("jsonrpc", "2.0".into()), ("method", method.into()), ("params", params.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> i64 {
        Message::read(body.as_bytes()).unwrap_err().0.code
    }

    #[test]
    fn a_message_is_read_strictly() {
        let read = Message::read(br#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#).unwrap();
        assert_eq!(read.id, Some("a".into()));
        assert_eq!(read.method.as_deref(), Some("ping"));
        assert!(read.params.is_empty());
        assert_eq!(code("{"), PARSE_ERROR);
        assert_eq!(code("[]"), INVALID_REQUEST);
        assert_eq!(code("1"), INVALID_REQUEST);
        assert_eq!(code(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#), INVALID_REQUEST);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), INVALID_REQUEST);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1}"#), INVALID_REQUEST);
        assert_eq!(code(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#), INVALID_PARAMS);
    }

    #[test]
    fn an_answer_of_a_client_is_a_message_without_method() {
        let read = Message::read(br#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#).unwrap();
        assert_eq!((read.method, read.params.len()), (None, 1));
    }
}
