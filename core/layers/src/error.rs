//! The one error type: a stable code, who is at fault, and what to do about it.
//!
//! Codes and their HTTP statuses are the contract of the product; each shell holds one table from
//! [`Code`] to its own currency (HTTP status, WIT case, JS class). Texts never quote stored values.

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
    /// The request was right for a state that is no longer the current one; read again, then retry.
    Conflict,
    /// The caller may not do this (or may not know whether it exists).
    Denied,
    /// A stated limit was passed.
    Limit,
    /// Storage failed; the same request may succeed later.
    Store,
    /// A defect in Nacre.
    Bug,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $fault:ident, $title:literal;)*) => {
        /// Stable error codes. The text form is part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $variant),* }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The stable text, e.g. `version-conflict`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text),* }
            }

            /// A short sentence for people, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// Who is at fault.
            pub const fn fault(self) -> Fault {
                match self { $(Code::$variant => Fault::$fault),* }
            }
        }
    };
}

codes! {
    /// The bytes are not the JSON or MessagePack that Nacre reads.
    InvalidJson = "invalid-json", Input, "The body cannot be read";
    /// The request has the wrong shape: a wrong type, an unknown or a missing member.
    InvalidRequest = "invalid-request", Input, "The request has the wrong shape";
    /// Not a JSON Pointer (RFC 6901), or one that leads nowhere.
    InvalidPointer = "invalid-pointer", Input, "The pointer is malformed or leads nowhere";
    /// Not a valid level, id or user.
    InvalidId = "invalid-id", Input, "The identifier is not valid";
    /// No token, or one that does not hold.
    Unauthenticated = "unauthenticated", Denied, "A valid bearer token is needed";
    /// The token lacks a scope, or the member a role.
    Forbidden = "forbidden", Denied, "The token does not allow this";
    /// There is no such thing, or the caller may not know of it.
    NotFound = "not-found", Denied, "There is nothing here";
    /// The named parent does not exist.
    ParentNotFound = "parent-not-found", Input, "The parent does not exist";
    /// The resource exists, the method on it does not.
    MethodNotAllowed = "method-not-allowed", Input, "The method is not allowed here";
    /// A layer above has locked the path.
    Locked = "locked", Conflict, "A layer above has locked this path";
    /// Deleting it would orphan contexts below.
    HasChildren = "has-children", Conflict, "The context has children";
    /// It is there already.
    AlreadyExists = "already-exists", Conflict, "The context exists already";
    /// A JSON Patch `test` failed or an operation met another state than it needs.
    MergeConflict = "merge-conflict", Conflict, "The patch does not fit the current state";
    /// The as-of point or version is older than what is kept.
    HistoryExpired = "history-expired", Input, "That part of the history is no longer kept";
    /// The expected version is not the current one.
    VersionConflict = "version-conflict", Conflict, "The context has changed meanwhile";
    /// A size limit was passed.
    TooLarge = "too-large", Limit, "Too large";
    /// A nesting limit was passed.
    TooDeep = "too-deep", Limit, "Nested too deeply";
    /// A batch holds too many operations.
    TooManyOperations = "too-many-operations", Limit, "Too many operations in one batch";
    /// The body comes in a format that is not read here.
    UnsupportedMediaType = "unsupported-media-type", Input, "The media type is not supported here";
    /// The idempotency key was used before, with another body.
    IdempotencyMismatch = "idempotency-mismatch", Input, "The idempotency key belongs to another request";
    /// A merge rule that does not exist or cannot stand where it is.
    InvalidRules = "invalid-rules", Input, "The merge rules are not valid";
    /// Too many requests.
    RateLimited = "rate-limited", Limit, "Too many requests";
    /// A defect in Nacre.
    Internal = "internal", Bug, "Nacre failed";
    /// Search cannot answer now.
    SearchUnavailable = "search-unavailable", Store, "Search is not available";
    /// Storage cannot answer now, or holds what it cannot prove to have written.
    StoreUnavailable = "store-unavailable", Store, "Storage is not available";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One path on which the caller's write and the current state disagree.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// JSON Pointer into the context's data.
    pub pointer: String,
    /// The value in the version the caller started from (`None`: absent).
    pub base: Option<Value>,
    /// The value now.
    pub current: Option<Value>,
    /// The value the caller wanted.
    pub yours: Option<Value>,
}

/// What went wrong. One word in size: the particulars live behind a pointer.
#[derive(Clone, PartialEq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    pointer: Option<String>,
    current_version: Option<u64>,
    conflicts: Vec<Conflict>,
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
            conflicts: Vec::new(),
            failed_operation: None,
            limit: None,
        }))
    }

    /// A defect in Nacre; `detail` is for its developers.
    pub fn bug(detail: impl Into<Cow<'static, str>>) -> Self {
        Error::new(Code::Internal, detail)
    }

    /// Nothing there, or nothing the caller may know of: both read the same.
    pub fn not_found() -> Self {
        Error::new(Code::NotFound, "the context does not exist, or it is not shared with you")
    }

    /// Says more in the detail, e.g. which operation of a list failed.
    #[must_use]
    pub fn reworded(mut self, say: impl FnOnce(&str) -> String) -> Self {
        self.0.detail = Cow::Owned(say(&self.0.detail));
        self
    }

    /// Names the place in the request or the data (RFC 6901).
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    /// Names the limit that was passed.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Names the version that is current now.
    #[must_use]
    pub fn current_version(mut self, version: u64) -> Self {
        self.0.current_version = Some(version);
        self
    }

    /// Adds the paths on which both sides disagree.
    #[must_use]
    pub fn conflicts(mut self, conflicts: Vec<Conflict>) -> Self {
        self.0.conflicts = conflicts;
        self
    }

    /// Names the operation of a batch that failed, counted from 0.
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

    /// What happened and what to do.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The place, where there is one.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// The current version, for conflicts.
    pub fn version(&self) -> Option<u64> {
        self.0.current_version
    }

    /// The paths in conflict.
    pub fn conflict_list(&self) -> &[Conflict] {
        &self.0.conflicts
    }

    /// The failing operation of a batch.
    pub fn operation(&self) -> Option<usize> {
        self.0.failed_operation
    }

    /// The limit that was passed.
    pub fn limit_value(&self) -> Option<u64> {
        self.0.limit
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Conflicts hold values, which have no place in a log line.
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
