//! The parts of a route: method, path, parameters, body, scopes, answers and errors.

use nacre_core::{access::Scopes, error::Code};

/// An HTTP method that a route can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read; also answers HEAD.
    Get,
    /// PUT: create or replace.
    Put,
    /// POST: run an action.
    Post,
    /// Edit a context with a patch.
    Patch,
    /// Delete.
    Delete,
}

impl Method {
    /// Reads a method. HEAD counts as GET; its body is not sent.
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

/// The action of a route. Each has one arm in the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Check that the service runs. Answered without a store.
    Health,
    /// Say where to report a vulnerability. Answered without a store.
    SecurityTxt,
    /// Return the OpenAPI document. Answered without a store.
    Describe,
    /// List contexts.
    List,
    /// Read a context.
    Get,
    /// Create or replace a context.
    Put,
    /// Edit a context with a patch.
    Patch,
    /// Delete.
    Delete,
    /// Store tombstones.
    Unset,
    /// Append to a list.
    Append,
    /// Add an insight.
    AddInsight,
    /// List insights.
    Insights,
    /// Add a progress note.
    AddProgress,
    /// List progress notes.
    Progress,
    /// Restore a deleted context.
    Restore,
    /// Move a context to another parent.
    Move,
    /// Roll back to an earlier version.
    Rollback,
    /// List versions.
    History,
    /// Compare two versions.
    Diff,
    /// Resolve a view.
    Resolve,
    /// Compare two states of a view.
    ViewDiff,
    /// Put a view into a prompt.
    Pack,
    /// Preview writes.
    Preview,
    /// Run a batch.
    Batch,
    /// Export all contexts, one per line.
    Export,
    /// Import contexts, one per line.
    Import,
    /// List commits.
    Audit,
    /// Open a WebSocket.
    Live,
    /// List members.
    Members,
    /// Share a project.
    PutMember,
    /// Stop sharing a project.
    DeleteMember,
    /// List revoked tokens.
    Revocations,
    /// Refuse tokens of a user.
    RevokeUser,
    /// Let tokens of a user in again.
    UnrevokeUser,
    /// Refuse one token.
    RevokeToken,
    /// Let one token in again.
    UnrevokeToken,
    /// Propose to move a value up.
    Propose,
    /// List promotions.
    Promotions,
    /// Approve a promotion.
    Approve,
    /// Decline a promotion.
    Decline,
    /// Take an approval back.
    Undo,
    /// List templates.
    Templates,
    /// Read a template.
    Template,
    /// Create or replace a template.
    PutTemplate,
    /// Delete a template.
    DeleteTemplate,
    /// Create a context from a template.
    Begin,
    /// Show use and limits.
    Usage,
    /// Show the state of the keys.
    Keys,
    /// Start a rotation of the data key.
    RotateKeys,
    /// Search contexts.
    Search,
    /// Search contexts, with the question in the body.
    SearchByBody,
    /// Give a context a vector.
    PutVector,
    /// Show how far the index of searches is.
    IndexProgress,
    /// Make the index of searches anew.
    Reindex,
    /// Erase the store.
    Erase,
}

/// The type of a query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A level's name.
    Level,
    /// A context's id.
    Id,
    /// A prefix of an id.
    IdPrefix,
    /// `level/id`.
    Address,
    /// A cursor of the same list.
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
    /// A reason for the change.
    Summary,
    /// A user's name.
    User,
    /// What is searched for.
    Words,
    /// `text`, `semantic` or `hybrid`.
    SearchMode,
    /// `stored` or `resolved`.
    SearchScope,
    /// Levels' names, with commas between.
    Levels,
    /// A page size of a search.
    SearchLimit,
    /// `true` or `false`; `true` by default.
    On,
    /// A number of tokens.
    Tokens,
    /// The bytes of a token.
    Ratio,
    /// `markdown` or `json`.
    PackFormat,
    /// `proposed`, `stale`, `approved`, `declined` or `undone`.
    Standing,
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// The name in the query.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Whether it is required.
    pub required: bool,
    /// Its description in the OpenAPI document.
    pub about: &'static str,
}

/// The body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    None,
    /// JSON or MessagePack of this type.
    Typed(BodyType),
    /// The same, but it may be left out.
    Optional(BodyType),
    /// A patch; the media type names its kind.
    Patch,
    /// Any number of JSON lines.
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
    /// `PromotionBody`
    Promotion,
    /// `TemplateBody`
    Template,
    /// `BeginningBody`
    Beginning,
    /// `RevokeUserBody`
    RevokeUser,
    /// `RevokeTokenBody`
    RevokeToken,
    /// A question of [`nacre_core::retrieval`]
    Question,
    /// A vector of [`nacre_core::retrieval`]
    Vector,
}

/// How a request uses `If-Match` and `If-None-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// Neither is used; a write with one of them is refused.
    None,
    /// A read with an ETag: 304 or 412.
    Read,
    /// `If-Match` on a write.
    Match,
    /// `If-Match`, and `If-None-Match: *` if the context must not exist yet.
    Create,
}

/// The shape of a successful answer's body: see [`nacre_core::wire::reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"status":"ok"}`
    Health,
    /// The OpenAPI document.
    Description,
    /// Lines of plain text
    Text,
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
    /// `RevocationText`
    Revocation,
    /// `RevocationsText`
    Revocations,
    /// `TemplateText`
    Template,
    /// `TemplatesText`
    Templates,
    /// `PromotionText`
    Promotion,
    /// A page of `PromotionText`
    Promotions,
    /// A page of `AuditText`
    Audit,
    /// `UsageText`
    Usage,
    /// `KeysText`
    Keys,
    /// `ReindexText`
    Reindex,
    /// `FoundText`
    Found,
    /// Markdown, or JSON of a pack
    Pack,
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
    /// The action.
    pub action: Action,
    /// The name in generated clients (`operationId`).
    pub name: &'static str,
    /// A one-sentence description.
    pub summary: &'static str,
    /// The query parameters.
    pub query: &'static [Param],
    /// The body.
    pub body: Body,
    /// How it uses conditional headers.
    pub conditions: Conditions,
    /// Scopes that every such request needs.
    pub needs: Scopes,
    /// Successful answers.
    pub answers: &'static [(u16, Shape)],
    /// Its own errors, beside those of every request to a store.
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
