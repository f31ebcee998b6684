//! The routes of promotions.

use nacre_core::error::Code;

use super::{
    route::{Action, Body, BodyType, Conditions, Kind, Method, Route, Shape},
    shared::{CURSOR, LIMIT, READING, WRITING, optional},
};

pub(super) const LIST: Route = Route {
    path: "/v1/promotions",
    action: Action::Promotions,
    name: "listPromotions",
    summary: "Lists promotions, newest first. A guest sees those between contexts that they see.",
    query: &[optional("state", Kind::Standing, "Only those in this state."), CURSOR, LIMIT],
    answers: &[(200, Shape::Promotions)],
    errors: &[Code::NotFound],
    ..READING
};

pub(super) const PROPOSE: Route = Route {
    path: "/v1/promotions",
    action: Action::Propose,
    name: "propose",
    summary: "Proposes to move a value from a stored layer to a layer above it. Moves nothing yet. \
         Needs the scopes `contexts:read` and `contexts:write`.",
    body: Body::Typed(BodyType::Promotion),
    conditions: Conditions::None,
    answers: &[(201, Shape::Promotion)],
    errors: &[
        Code::InvalidJson,
        Code::InvalidId,
        Code::InvalidPointer,
        Code::NotFound,
        Code::Locked,
        Code::MergeConflict,
        Code::TooLarge,
        Code::TooDeep,
        Code::UnsupportedMediaType,
    ],
    ..WRITING
};

pub(super) const APPROVE: Route = Route {
    path: "/v1/promotions/{promotion}/approve",
    action: Action::Approve,
    name: "approve",
    summary: "Moves the value up and removes the copy below, in one commit. Answers an approved \
         promotion as it is.",
    ..SETTLE
};

pub(super) const DECLINE: Route = Route {
    path: "/v1/promotions/{promotion}/decline",
    action: Action::Decline,
    name: "decline",
    summary: "Declines a promotion. Answers a declined one as it is.",
    ..SETTLE
};

pub(super) const UNDO: Route = Route {
    path: "/v1/promotions/{promotion}/undo",
    action: Action::Undo,
    name: "undo",
    summary: "Takes an approval back: both contexts become what they were before. Refused once one of \
         them has changed since.",
    ..SETTLE
};

/// A decision on a promotion.
const SETTLE: Route = Route {
    method: Method::Post,
    conditions: Conditions::None,
    answers: &[(200, Shape::Promotion)],
    errors: &[
        Code::NotFound,
        Code::Locked,
        Code::MergeConflict,
        Code::HistoryExpired,
        Code::VersionConflict,
        Code::TooLarge,
        Code::TooDeep,
    ],
    ..WRITING
};
