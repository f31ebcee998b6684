//! The error type: a stable code, who is at fault, and what to do.
//!
//! Codes and their HTTP statuses are the contract of the product; each shell has one table from
//! [`Code`] to its own form (HTTP status, WIT case, JS class). Texts never quote stored values.

use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use core::fmt;

use crate::value::Value;

/// Result with Nacre's error.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Who has to act for the request to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is malformed or breaks a stated rule; sending it again changes nothing.
    Input,
    /// The request was valid for an earlier state; read again, then retry.
    Conflict,
    /// The caller may not do this (or may not know whether it exists).
    Denied,
    /// The request exceeds a stated limit.
    Limit,
    /// Storage failed; the same request may succeed later.
    Store,
    /// A defect in Nacre.
    Bug,
}

macro_rules! codes {
    ($($(#[doc = $when:literal])+ $variant:ident = $text:literal, $fault:ident, $title:literal,
        $advice:literal;)*) => {
        /// Stable error codes. The text form is part of the public contract. `docs/errors.md` is
        /// generated from this table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $when])+ $variant),* }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable text, e.g. `version-conflict`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// A short sentence for people. It depends only on the code.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// When the code is given, in a sentence for the documentation.
            pub const fn when(self) -> &'static str {
                match self { $(Code::$variant => concat!($($when),+)),* }
            }

            /// What the caller can do about it, in a sentence for the documentation.
            pub const fn advice(self) -> &'static str {
                match self { $(Code::$variant => $advice),* }
            }

            /// Who is at fault.
            pub const fn fault(self) -> Fault {
                match self { $(Code::$variant => Fault::$fault),* }
            }
        }
    };
}

codes! {
    /// The body is not valid JSON or MessagePack.
    InvalidJson = "invalid-json", Input, "The body cannot be read",
        "Correct the input at the byte that `detail` names.";
    /// A member, a query parameter or a header is missing, unknown, repeated or of the wrong type.
    InvalidRequest = "invalid-request", Input, "The request has the wrong shape",
        "Correct the place that `pointer` or `detail` names. The same request fails again.";
    /// A JSON Pointer (RFC 6901) is malformed or too long, or is not allowed in its place.
    InvalidPointer = "invalid-pointer", Input, "The pointer is malformed or leads nowhere",
        "Correct the pointer. In a name, write `~` as `~0` and `/` as `~1`.";
    /// A level, an id or a user is not valid.
    InvalidId = "invalid-id", Input, "The identifier is not valid",
        "Use a level of `global`, `project`, `branch` and `task`, and an id of 1 to 128 characters \
         of `A-Z a-z 0-9 . _ : ~ -`.";
    /// The bearer token is missing, has expired or is not valid.
    Unauthenticated = "unauthenticated", Denied, "A valid bearer token is needed",
        "Get a new token. `detail` and the header `WWW-Authenticate` say what is wrong.";
    /// The token lacks a scope, or the member a role.
    Forbidden = "forbidden", Denied, "The token does not allow this",
        "Use a token with the scope that `detail` names, or ask the owner for the role.";
    /// The resource does not exist, or the caller may not know of it.
    NotFound = "not-found", Denied, "There is nothing here",
        "Check the level, the id and `Nacre-Owner`. If the project belongs to another user, ask \
         them to share it.";
    /// The named parent does not exist or is deleted.
    ParentNotFound = "parent-not-found", Input, "The parent does not exist",
        "Create or restore the parent first, or set `create_parents`.";
    /// The path exists, but does not support the method.
    MethodNotAllowed = "method-not-allowed", Input, "The method is not allowed here",
        "Use a method from the header `Allow`.";
    /// A write sets or removes a value at a path that a layer above locks.
    Locked = "locked", Conflict, "A layer above has locked this path",
        "Leave the path out, or change the value in the layer that has the lock.";
    /// A context with children is deleted without `cascade`.
    HasChildren = "has-children", Conflict, "The context has children",
        "Delete the children first, or set `cascade`.";
    /// A context is created although it exists, or restored although it is not deleted.
    AlreadyExists = "already-exists", Conflict, "The context exists already",
        "Read the context, then update or replace it.";
    /// A JSON Patch `test` failed, or an edit does not fit the current data.
    MergeConflict = "merge-conflict", Conflict, "The patch does not fit the current state",
        "Read the context again, and make the edit for its current data.";
    /// The version or the past state is no longer kept.
    HistoryExpired = "history-expired", Input, "That part of the history is no longer kept",
        "Read a newer version or state.";
    /// The expected version is not the current one.
    VersionConflict = "version-conflict", Conflict, "The context has changed meanwhile",
        "Read the current version, settle the places in `conflicts`, and write again with the \
         version in `current_version`.";
    /// The input, the result or the answer is larger than its limit.
    TooLarge = "too-large", Limit, "Too large",
        "Send or request less at once. `limit` names the limit, mostly in bytes.";
    /// Arrays and objects are nested more deeply than the limit.
    TooDeep = "too-deep", Limit, "Nested too deeply",
        "Make the data flatter. `limit` names the allowed depth.";
    /// A batch or a preview has more operations than the limit.
    TooManyOperations = "too-many-operations", Limit, "Too many operations in one batch",
        "Split the request. `limit` names the allowed number.";
    /// The media type, the charset or the encoding of the body is not supported.
    UnsupportedMediaType = "unsupported-media-type", Input, "The media type is not supported here",
        "Use a media type that `detail` names.";
    /// The idempotency key was used before, for another request.
    IdempotencyMismatch = "idempotency-mismatch", Input, "The idempotency key belongs to another request",
        "Use a new key for a new request. Repeat a request with exactly the same bytes.";
    /// A merge rule is unknown or malformed, or there are too many.
    InvalidRules = "invalid-rules", Input, "The merge rules are not valid",
        "Correct the rule at `pointer`. A rule is `replace`, `deep`, `union`, `append`, \
         `keyed:<member>` or `lock`.";
    /// The caller has sent too many requests.
    RateLimited = "rate-limited", Limit, "Too many requests",
        "Wait for the seconds in the header `Retry-After`, then try again.";
    /// A stock of the caller, such as contexts or stored bytes, would grow past its limit.
    QuotaExceeded = "quota-exceeded", Limit, "A quota is used up",
        "Delete something first, or ask the operator for more. `limit` names the quota, and \
         `GET /v1/usage` shows what is used.";
    /// Nacre has a defect, or the deployment is not configured.
    Internal = "internal", Bug, "Nacre failed",
        "Report it with the `X-Request-Id` of the answer. If `detail` names a setting, the operator \
         must correct it.";
    /// Search cannot answer now.
    SearchUnavailable = "search-unavailable", Store, "Search is not available",
        "Try again after the seconds in the header `Retry-After`.";
    /// The storage cannot answer now, or a stored value cannot be verified.
    StoreUnavailable = "store-unavailable", Store, "Storage is not available",
        "Try again with the same idempotency key. If it stays, the operator must look at the log.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One place that the caller's write and other writes changed differently. A side that has nothing
/// there is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// JSON Pointer into the context's data.
    pub pointer: String,
    /// The value in the version that the caller started from.
    pub base: Option<Value>,
    /// The value in the current version.
    pub current: Option<Value>,
    /// The value that the caller's write would set.
    pub yours: Option<Value>,
}

/// An error. It has the size of one pointer.
///
/// ```
/// use nacre_layers::error::{Code, Error, Fault};
///
/// let error = Error::new(Code::InvalidRequest, "`limit` must be 1 to 200").at("/limit").limit(200);
/// assert_eq!(error.to_string(), "invalid-request: `limit` must be 1 to 200 (at \"/limit\")");
/// assert_eq!(error.fault(), Fault::Input);
/// ```
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    pointer: Option<String>,
    current_version: Option<u64>,
    conflicts: Option<Vec<Conflict>>,
    failed_operation: Option<usize>,
    limit: Option<u64>,
}

impl Error {
    /// An error with a code and a sentence that says what to do.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Error(Box::new(Inner {
            code,
            detail: detail.into(),
            pointer: None,
            current_version: None,
            conflicts: None,
            failed_operation: None,
            limit: None,
        }))
    }

    /// A defect in Nacre; `detail` is for its developers.
    pub fn bug(detail: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Code::Internal, detail)
    }

    /// The context does not exist, or the caller may not know of it. Both look the same.
    pub fn not_found() -> Self {
        Error::new(Code::NotFound, "the context does not exist, or it is not shared with you")
    }

    /// Rewrites the detail, for example to name the failed operation of a list.
    #[must_use]
    pub fn reworded(mut self, say: impl FnOnce(&str) -> String) -> Self {
        self.0.detail = Cow::Owned(say(&self.0.detail));
        self
    }

    /// Adds the place in the request or the data (RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// Adds the limit that was exceeded, in the unit of the limit.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Adds the current version.
    #[must_use]
    pub fn current_version(mut self, version: u64) -> Self {
        self.0.current_version = Some(version);
        self
    }

    /// Names the places that both sides changed differently; none is an answer, too.
    #[must_use]
    pub fn conflicts(mut self, conflicts: Vec<Conflict>) -> Self {
        self.0.conflicts = Some(conflicts);
        self
    }

    /// Adds the index of the failed operation of a batch, from 0.
    #[must_use]
    pub fn failed_operation(mut self, index: usize) -> Self {
        self.0.failed_operation = Some(index);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Who is at fault.
    pub fn fault(&self) -> Fault {
        self.0.code.fault()
    }

    /// What happened, and what to do. Never quotes a stored value.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The place in the request or the data, if there is one.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// The current version, for conflicts.
    pub fn version(&self) -> Option<u64> {
        self.0.current_version
    }

    /// The places that both sides changed differently; `None` where nobody has looked for them.
    pub fn conflict_list(&self) -> Option<&[Conflict]> {
        self.0.conflicts.as_deref()
    }

    /// The index of the failed operation of a batch.
    pub fn operation(&self) -> Option<usize> {
        self.0.failed_operation
    }

    /// The limit that was exceeded.
    pub fn limit_value(&self) -> Option<u64> {
        self.0.limit
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Conflicts contain values, which must not get into a log line.
        write!(f, "{}: {}", self.0.code, self.0.detail)?;
        match &self.0.pointer {
            Some(pointer) => write!(f, " (at \"{pointer}\")"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_word() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn codes_are_distinct_and_kebab_case() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            assert!(Code::ALL[i + 1..].iter().all(|other| other.as_str() != code.as_str()));
        }
    }
}
