//! What a route is made of: method, path, parameters, body, scopes, answers and errors.

use nacre_core::{access::Scopes, error::Code};

/// An HTTP method that some route has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read; also answers HEAD.
    Get,
    /// Put in place.
    Put,
    /// Do.
    Post,
    /// Edit.
    Patch,
    /// Take away.
    Delete,
}

impl Method {
    /// Reads a method; HEAD is a GET whose body is not sent.
    pub fn parse(text: &str) -> Option<Method> {
        Some(match text {
            "GET" | "HEAD" => Method::Get,
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return None,
        })
    }

    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// What a route does; one arm of the decoder each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Whether the service runs. Answered without a store.
    Health,
    /// The OpenAPI document. Answered without a store.
    Describe,
    /// A page of contexts.
    List,
    /// One context.
    Get,
    /// Create or replace.
    Put,
    /// Edit.
    Patch,
    /// Take away.
    Delete,
    /// Store tombstones.
    Unset,
    /// Append to a list.
    Append,
    /// Add an insight.
    AddInsight,
    /// A page of insights.
    Insights,
    /// Add a progress note.
    AddProgress,
    /// A page of progress notes.
    Progress,
    /// Bring back.
    Restore,
    /// Re-parent.
    Move,
    /// Set back.
    Rollback,
    /// A page of versions.
    History,
    /// Between two versions.
    Diff,
    /// The view.
    Resolve,
    /// Between two states of the view.
    ViewDiff,
    /// Try writes out.
    Preview,
    /// Many operations.
    Batch,
    /// All contexts, a line each.
    Export,
    /// Contexts, a line each.
    Import,
    /// A page of commits.
    Audit,
    /// A socket for live updates.
    Live,
    /// With whom projects are shared.
    Members,
    /// Share.
    PutMember,
    /// Stop sharing.
    DeleteMember,
    /// How the keys stand.
    Keys,
    /// Begin a new data key.
    RotateKeys,
    /// Destroy the store.
    Erase,
}

/// What a query parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A level's name.
    Level,
    /// A context's id.
    Id,
    /// What an id may begin with.
    IdPrefix,
    /// `level/id`.
    Address,
    /// A cursor of this list.
    Cursor,
    /// A page size.
    Limit,
    /// A version.
    Version,
    /// A seq or an RFC 3339 time.
    AsOf,
    /// A JSON Pointer.
    Pointer,
    /// `create` or `replace`.
    Mode,
    /// A line about why.
    Summary,
    /// A user's name.
    User,
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for.
    pub about: &'static str,
}

/// The body a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    None,
    /// JSON or MessagePack of this type.
    Typed(BodyType),
    /// The same, and it may be left out.
    Optional(BodyType),
    /// A patch, of the kind that the media type says.
    Patch,
    /// Lines of JSON, any number.
    Lines,
}

/// The types of bodies: see [`nacre_core::wire::request`] and [`nacre_core::wire::operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyType {
    /// `PutBody`
    Put,
    /// `UnsetBody`
    Unset,
    /// `AppendBody`
    Append,
    /// `InsightBody`
    Insight,
    /// `ProgressBody`
    Progress,
    /// `RestoreBody`
    Restore,
    /// `MoveBody`
    Move,
    /// `RollbackBody`
    Rollback,
    /// `PreviewBody`
    Preview,
    /// `BatchBody`
    Batch,
    /// `MemberBody`
    Member,
    /// `UnshareBody`
    Unshare,
}

/// What a request takes from `If-Match` and `If-None-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// Neither has a meaning here; a write that carries one is refused.
    None,
    /// A read with an ETag: 304 or 412.
    Read,
    /// `If-Match` on a write.
    Match,
    /// `If-Match`, and `If-None-Match: *` for what must not be there yet.
    Create,
}

/// The shape of a successful answer's body: see [`nacre_core::wire::reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"status":"ok"}`
    Health,
    /// The OpenAPI document.
    Description,
    /// `ContextText`, with `ETag`
    Context,
    /// A page of `ContextText`
    Contexts,
    /// `DeletedText`
    Deleted,
    /// `RestoredText`, with `ETag`
    Restored,
    /// `ViewText`, with `ETag`
    View,
    /// `DiffText`
    Diff,
    /// `PreviewText`
    Preview,
    /// `InsightText`
    Insight,
    /// A page of `InsightText`
    Insights,
    /// `ProgressText`
    Progress,
    /// A page of `ProgressText`
    ProgressNotes,
    /// A page of `VersionText`
    History,
    /// Results of a batch
    Batch,
    /// `ImportedText`
    Imported,
    /// `MemberText`
    Member,
    /// `MembersText`
    Members,
    /// A page of `AuditText`
    Audit,
    /// `KeysText`
    Keys,
    /// A line for each context
    Lines,
    /// No body
    Nothing,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with `{…}` for the segments that vary.
    pub path: &'static str,
    /// What it does.
    pub action: Action,
    /// Its name for generated clients.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its query parameters.
    pub query: &'static [Param],
    /// Its body.
    pub body: Body,
    /// What it takes from conditional headers.
    pub conditions: Conditions,
    /// Scopes that every such request needs.
    pub needs: Scopes,
    /// Successful answers.
    pub answers: &'static [(u16, Shape)],
    /// Errors of its own, beside those that any request to a store can meet.
    pub errors: &'static [Code],
}

impl Route {
    /// Whether it changes the store.
    pub fn is_write(&self) -> bool {
        self.needs == Scopes::WRITE || self.needs == Scopes::ADMIN
    }

    /// Whether it is answered without a token.
    pub fn is_open(&self) -> bool {
        self.needs == Scopes::NONE
    }

    /// Whether it takes an `Idempotency-Key`.
    pub fn takes_key(&self) -> bool {
        self.needs == Scopes::WRITE
    }
}
