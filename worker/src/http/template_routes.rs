//! The routes of templates.

use nacre_core::error::Code;

use super::{
    route::{Action, Body, BodyType, Conditions, Method, Route, Shape},
    shared::{ENDING, READING, SETTING, WRITING},
};

pub(super) const LIST: Route = Route {
    path: "/v1/templates",
    action: Action::Templates,
    name: "listTemplates",
    summary: "Lists templates: the presets, then your own. A guest sees the presets.",
    answers: &[(200, Shape::Templates)],
    errors: &[Code::NotFound],
    ..READING
};

pub(super) const GET: Route = Route {
    path: "/v1/templates/{name}",
    action: Action::Template,
    name: "getTemplate",
    summary: "Reads a template with its variables and layers.",
    answers: &[(200, Shape::Template)],
    ..READING
};

pub(super) const PUT: Route = Route {
    path: "/v1/templates/{name}",
    action: Action::PutTemplate,
    name: "putTemplate",
    summary: "Creates or replaces a template of your own. Presets cannot be changed.",
    body: Body::Typed(BodyType::Template),
    answers: &[(200, Shape::Template), (201, Shape::Template)],
    errors: &[
        Code::InvalidJson,
        Code::InvalidId,
        Code::NotFound,
        Code::TooLarge,
        Code::TooDeep,
        Code::UnsupportedMediaType,
        Code::InvalidRules,
    ],
    ..SETTING
};

pub(super) const DELETE: Route = Route {
    path: "/v1/templates/{name}",
    action: Action::DeleteTemplate,
    name: "deleteTemplate",
    summary: "Deletes a template of your own. Contexts that were created from it stay.",
    ..ENDING
};

pub(super) const BEGIN: Route = Route {
    method: Method::Post,
    path: "/v1/templates/{name}/create",
    action: Action::Begin,
    name: "createFromTemplate",
    summary: "Creates one context from the template's layer for its level.",
    body: Body::Typed(BodyType::Beginning),
    conditions: Conditions::None,
    answers: &[(201, Shape::Context)],
    errors: BEGIN_ERRORS,
    ..WRITING
};

const BEGIN_ERRORS: &[Code] = &[
    Code::InvalidJson,
    Code::InvalidId,
    Code::NotFound,
    Code::ParentNotFound,
    Code::Locked,
    Code::AlreadyExists,
    Code::TooLarge,
    Code::TooDeep,
    Code::UnsupportedMediaType,
    Code::InvalidRules,
];
