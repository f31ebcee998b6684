//! Errors as the protocol has them: a code, a text, data, and the HTTP status.

use alloc::string::String;

use nacre_layers::{
    error::{Code, Error},
    json, limits,
    value::Value,
};
use nacre_store::access::Scopes;
use nacre_wire::problem;

use crate::object;

/// The body is not JSON.
pub(super) const PARSE_ERROR: i64 = -32700;
/// The message is no request.
pub(super) const INVALID_REQUEST: i64 = -32600;
/// There is no such method.
pub(super) const METHOD_NOT_FOUND: i64 = -32601;
/// The parameters are wrong, or name what does not exist.
pub(super) const INVALID_PARAMS: i64 = -32602;
/// The store cannot answer.
pub(super) const INTERNAL: i64 = -32603;
/// Headers and body differ, or a required header is missing.
pub(super) const HEADER_MISMATCH: i64 = -32020;
/// The revision is not supported.
pub(super) const UNSUPPORTED_VERSION: i64 = -32022;
/// The store refuses the request. It is outside of the range that JSON-RPC reserves.
const REFUSED: i64 = 403;

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) code: i64,
    text: String,
    data: Option<Value>,
    pub(crate) status: u16,
    /// The scopes that the token lacks.
    pub(crate) needs: Option<Scopes>,
}

impl Failure {
    pub(crate) fn new(code: i64, text: impl Into<String>) -> Failure {
        let status = match code {
            PARSE_ERROR | INVALID_REQUEST | HEADER_MISMATCH | UNSUPPORTED_VERSION => 400,
            _ => 200,
        };
        Failure { code, text: text.into(), data: None, status, needs: None }
    }

    /// Parameters that are wrong.
    pub(crate) fn params(text: impl Into<String>) -> Failure {
        Failure::new(INVALID_PARAMS, text)
    }

    pub(crate) fn data(mut self, data: Value) -> Failure {
        self.data = Some(data);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Failure {
        self.status = status;
        self
    }

    /// The token lacks a scope.
    pub(super) fn scopes(needed: Scopes) -> Failure {
        let text = alloc::format!("the token must have the scope {needed}");
        let failure = Failure::new(REFUSED, text).status(403);
        Failure { needs: Some(needed), ..failure }
    }

    /// What the store answers to a request for `subject`, a URI or the name of an argument.
    pub(crate) fn of(error: &Error, subject: &str) -> Failure {
        let code = match error.code() {
            Code::NotFound | Code::InvalidId | Code::InvalidRequest | Code::InvalidPointer => {
                INVALID_PARAMS
            }
            Code::Forbidden => REFUSED,
            _ => INTERNAL,
        };
        let problem = json::read(&problem(error), limits::DEPTH).unwrap_or(Value::Null);
        let text = alloc::format!("{subject}: {}", error.detail());
        let name = if subject.contains("://") { "uri" } else { "subject" };
        Failure::new(code, text).data(object([("problem", problem), (name, subject.into())]))
    }

    /// The message for the request with this id, if it is known.
    pub(crate) fn message(self, id: Option<&Value>) -> Value {
        let mut error = object([("code", self.code.into()), ("message", self.text.into())]);
        if let (Some(members), Some(data)) = (error.as_object_mut(), self.data) {
            members.insert("data", data);
        }
        let mut message = object([("error", error), ("jsonrpc", "2.0".into())]);
        if let (Some(members), Some(id)) = (message.as_object_mut(), id) {
            members.insert("id", id.clone());
        }
        message
    }
}
