//! What routes of one kind share, for the table of routes: parameters, scopes, answers and errors.

use nacre_core::{access::Scopes, error::Code};

use super::{
    errors::ENTRY_ERRORS,
    route::{Action, Body, Conditions, Kind, Method, Param, Route, Shape},
};

pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, required: false, about }
}

pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Param {
    Param { name, kind, required: true, about }
}

/// The query parameter with the owner of the store, for clients that cannot send a header.
pub(super) const OWNER_PARAM: &str = "owner";

pub(super) const REVEAL: Param = optional(
    "reveal",
    Kind::Flag,
    "Whether to show sealed values; needs the scope `secrets:reveal`.",
);
pub(super) const CURSOR: Param =
    optional("cursor", Kind::Cursor, "The `next_cursor` of the previous page.");
pub(super) const LIMIT: Param =
    optional("limit", Kind::Limit, "Most items on the page, 1 to 200; 50 by default.");
pub(super) const SUMMARY: Param = optional(
    "summary",
    Kind::Summary,
    "The reason for the change, shown in the history; at most 1,024 bytes.",
);
pub(super) const AT: Param =
    optional("at", Kind::AsOf, "A past state of the store: a `seq` or an RFC 3339 time.");

/// The errors of a read.
pub(super) const READING: Route = Route {
    method: Method::Get,
    path: "",
    action: Action::Get,
    name: "",
    summary: "",
    query: &[],
    body: Body::None,
    conditions: Conditions::None,
    needs: Scopes::READ,
    answers: &[],
    errors: &[Code::InvalidId, Code::NotFound],
};

/// The errors of a write to one context.
pub(super) const WRITING: Route = Route {
    method: Method::Post,
    conditions: Conditions::Match,
    needs: Scopes::WRITE,
    answers: &[(200, Shape::Context)],
    ..READING
};

/// A write that says what holds from now on.
pub(super) const SETTING: Route =
    Route { method: Method::Put, conditions: Conditions::None, errors: ENTRY_ERRORS, ..WRITING };

/// A write that ends something.
pub(super) const ENDING: Route = Route {
    method: Method::Delete,
    conditions: Conditions::None,
    answers: &[(204, Shape::Nothing)],
    errors: &[Code::InvalidId, Code::NotFound],
    ..WRITING
};
