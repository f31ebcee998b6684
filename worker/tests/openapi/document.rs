//! The document itself: every route with all it takes and all it can answer.

use std::collections::{BTreeMap, BTreeSet};

use nacre_core::{error::Code, wire::status};
use nacre_worker::http::routes::{Action, Body, BodyType, Conditions, ROUTES, Route, Shape};
use serde_json::{Map, Value, json};

use crate::{components, examples, schemas::Schemas};

/// Errors that any request to a store can meet.
const COMMON: &[Code] = &[
    Code::InvalidRequest,
    Code::InvalidId,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotFound,
    Code::RateLimited,
    Code::Internal,
    Code::StoreUnavailable,
];

const ABOUT: &str = "Layered contexts for AI agents. An agent reads the resolved view of a chain: \
global, project, branch, task.\n\n\
Every GET also answers HEAD, and every path answers OPTIONS. Unknown query parameters and unknown \
members of bodies are refused. Bodies and answers are JSON, or MessagePack (`application/msgpack` \
in Content-Type and Accept); errors are always `application/problem+json` (RFC 9457). A patch in \
MessagePack is a merge patch if it is a map, and a JSON Patch if it is an array.";

pub(crate) fn generate() -> Value {
    let mut schemas = Schemas::new();
    let mut failures = Failures { problem: schemas.problem(), known: BTreeMap::new() };
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let operation = operation(route, &mut schemas, &mut failures);
        let methods = paths.entry(route.path).or_default();
        let method = route.method.as_str().to_ascii_lowercase();
        assert!(methods.insert(method, operation).is_none(), "{} is there twice", route.path);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Nacre",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" }
        },
        "servers": [{ "url": "/" }],
        "tags": [
            { "name": "contexts", "description": "Stored contexts." },
            { "name": "views", "description": "Resolved views." },
            { "name": "history", "description": "Versions and the audit trail." },
            { "name": "bulk", "description": "Batches, export and import." },
            { "name": "live", "description": "Live updates over a WebSocket." },
            { "name": "promotions", "description": "Proposals to move a value to a layer above." },
            { "name": "templates", "description": "What contexts of some kind start with." },
            { "name": "sharing", "description": "Members of projects." },
            { "name": "tokens", "description": "Revoked tokens." },
            { "name": "service", "description": "The service itself." }
        ],
        "paths": paths,
        "components": {
            "responses": failures.known,
            "schemas": schemas.finish(),
            "headers": components::headers(),
            "parameters": components::parameters(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "`sub` is the user. `scope` holds any of `contexts:read`, `contexts:write`, `secrets:reveal` and `admin`; without `scope` the token may read and write."
                }
            }
        }
    });
    renamed(document)
}

fn operation(route: &Route, schemas: &mut Schemas, failures: &mut Failures) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "tags": [tag(route.action)],
        "security": security(route),
        "responses": responses(route, schemas, failures)
    });
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = body(route, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

fn security(route: &Route) -> Value {
    if route.is_open() {
        return json!([]);
    }
    let scopes: Vec<String> =
        route.needs.to_string().split(' ').map(|scope| scope.to_string()).collect();
    json!([{ "bearer": scopes }])
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut parameters = components::segments(route.path);
    parameters.extend(route.query.iter().map(components::query));
    let mut refer = |name: &str| {
        parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
    };
    if route.is_open() {
        return parameters;
    }
    match route.conditions {
        Conditions::None => {}
        Conditions::Read => {
            refer("If-Match");
            refer("If-None-Match");
        }
        Conditions::Match => refer("If-Match"),
        Conditions::Create => {
            refer("If-Match");
            refer("If-None-Match-Any");
        }
    }
    if route.takes_key() {
        refer("Idempotency-Key");
    }
    if route.action == Action::Erase {
        refer("Nacre-Confirm");
    }
    refer("Nacre-Owner");
    refer("X-Request-Id");
    parameters
}

fn body(route: &Route, schemas: &mut Schemas) -> Option<Value> {
    let typed = |schemas: &mut Schemas, body: BodyType| {
        let schema = schemas.body(body);
        let media = json!({ "schema": schema, "example": examples::body(body) });
        json!({ "application/json": media, "application/msgpack": { "schema": schema } })
    };
    Some(match route.body {
        Body::None => return None,
        Body::Typed(body) => json!({ "required": true, "content": typed(schemas, body) }),
        Body::Optional(body) => json!({ "required": false, "content": typed(schemas, body) }),
        Body::Patch => json!({
            "required": true,
            "content": {
                "application/merge-patch+json": {
                    "schema": { "type": "object", "description": "A merge patch (RFC 7396)." },
                    "example": examples::merge_patch()
                },
                "application/json-patch+json": {
                    "schema": json_patch(),
                    "example": examples::json_patch()
                },
                "application/msgpack": { "schema": { "anyOf": [{ "type": "object" }, json_patch()] } }
            }
        }),
        Body::Lines => {
            // The schema of a line is there for readers; OpenAPI 3.1 cannot say "one a line".
            let line = schemas.line();
            json!({
                "required": true,
                "description": "One context per line. Of an exported line only `level`, `id`, `parent`, \
                     `data` and `rules` are read.",
                "content": {
                    "application/x-ndjson": {
                        "schema": { "type": "string", "contentSchema": line },
                        "example": examples::import()
                    }
                }
            })
        }
    })
}

/// RFC 6902, with the members that each operation needs.
fn json_patch() -> Value {
    let pointer = json!({ "type": "string", "pattern": "^(/([^/~]|~[01])*)*$" });
    let operation = |names: &[&str], member: Option<(&str, Value)>| {
        let mut schema = json!({
            "type": "object",
            "properties": { "op": { "enum": names }, "path": pointer },
            "required": ["op", "path"]
        });
        if let Some((name, of)) = member {
            schema["properties"][name] = of;
            schema["required"] = json!(["op", "path", name]);
        }
        schema
    };
    json!({
        "type": "array",
        "description": "A JSON Patch (RFC 6902), applied completely or not at all.",
        "items": {
            "oneOf": [
                operation(&["add", "replace", "test"], Some(("value", json!({})))),
                operation(&["move", "copy"], Some(("from", pointer.clone()))),
                operation(&["remove"], None)
            ]
        }
    })
}

fn responses(route: &Route, schemas: &mut Schemas, failures: &mut Failures) -> Map<String, Value> {
    let mut responses = Map::new();
    for (code, shape) in route.answers {
        responses.insert(code.to_string(), success(route, *code, *shape, schemas));
    }
    if route.conditions == Conditions::Read {
        let headers = headers(route, &["ETag"]);
        responses.insert(
            "304".into(),
            json!({ "description": "Not modified: the client has the current answer.", "headers": headers }),
        );
    }
    let mut by_status: BTreeMap<u16, BTreeSet<Code>> = BTreeMap::new();
    let common = if route.is_open() { &[][..] } else { COMMON };
    let keyed = if route.takes_key() { &[Code::IdempotencyMismatch][..] } else { &[] };
    let grows = route.is_write() || route.action == Action::Live;
    let quota = if grows { &[Code::QuotaExceeded][..] } else { &[] };
    for code in common.iter().chain(keyed).chain(quota).chain(route.errors) {
        by_status.entry(status(*code)).or_default().insert(*code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), failures.refer(codes));
    }
    responses
}

fn success(route: &Route, status: u16, shape: Shape, schemas: &mut Schemas) -> Value {
    let mut named = Vec::new();
    if matches!(shape, Shape::Context | Shape::View | Shape::Restored) {
        named.push("ETag");
    }
    if status == 201 && shape == Shape::Context {
        named.push("Location");
    }
    if shape == Shape::Pack {
        named.push("Nacre-Tokens");
    }
    if route.takes_key() {
        named.push("Idempotency-Replayed");
    }
    let mut response = json!({
        "description": described(status, shape),
        "headers": headers(route, &named)
    });
    if let Some(schema) = schemas.answer(shape) {
        let example = examples::answer(shape);
        response["content"] = match shape {
            Shape::Lines => json!({
                "application/x-ndjson": { "schema": schema, "example": example }
            }),
            Shape::Pack => json!({
                "text/markdown; charset=utf-8": {
                    "schema": { "type": "string" }, "example": examples::MARKDOWN_PACK
                },
                "application/json": { "schema": schema, "example": example },
                "application/msgpack": { "schema": schema }
            }),
            Shape::Text => json!({
                "text/plain; charset=utf-8": { "schema": schema, "example": example }
            }),
            Shape::Health | Shape::Description => json!({
                "application/json": { "schema": schema, "example": example }
            }),
            _ => json!({
                "application/json": { "schema": schema, "example": example },
                "application/msgpack": { "schema": schema }
            }),
        };
    }
    response
}

fn described(status: u16, shape: Shape) -> &'static str {
    match (status, shape) {
        (201, Shape::Context) => "The context was created.",
        (201, _) => "The entry was added.",
        (101, _) => "The WebSocket is open.",
        (204, _) => "Done.",
        (_, Shape::Batch) => "The result of each operation.",
        (_, Shape::Lines) => "One context per line.",
        _ => "The answer.",
    }
}

/// Error responses, one for each set of codes that some operation can give with one status.
struct Failures {
    problem: Value,
    known: BTreeMap<String, Value>,
}

impl Failures {
    fn refer(&mut self, codes: BTreeSet<Code>) -> Value {
        let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let name = names.join(".");
        let problem = &self.problem;
        self.known.entry(name.clone()).or_insert_with(|| failure(&codes, &names, problem));
        json!({ "$ref": format!("#/components/responses/{name}") })
    }
}

fn failure(codes: &BTreeSet<Code>, names: &[&str], problem: &Value) -> Value {
    let mut headers = shared_headers();
    if codes.contains(&Code::Unauthenticated) || codes.contains(&Code::Forbidden) {
        headers.push("WWW-Authenticate");
    }
    if codes.contains(&Code::RateLimited) || codes.contains(&Code::StoreUnavailable) {
        headers.push("Retry-After");
    }
    let lines: Vec<String> =
        codes.iter().map(|code| format!("- `{code}`: {}.", code.title())).collect();
    let example = codes.first().map(|code| examples::problem(*code));
    json!({
        "description": lines.join("\n"),
        "headers": referred(&headers),
        "content": {
            "application/problem+json": {
                "schema": {
                    "allOf": [problem, { "properties": { "code": { "enum": names } } }]
                },
                "example": example
            }
        }
    })
}

fn shared_headers() -> Vec<&'static str> {
    vec![
        "X-Request-Id",
        "Cache-Control",
        "Nacre-Seq",
        "RateLimit",
        "RateLimit-Policy",
        "Server-Timing",
        "Vary",
    ]
}

fn headers(route: &Route, named: &[&'static str]) -> Value {
    let mut names = match route.is_open() {
        true => vec!["X-Request-Id", "Cache-Control"],
        false => shared_headers(),
    };
    names.extend(named);
    referred(&names)
}

fn referred(names: &[&str]) -> Value {
    let refer =
        |name: &&str| (name.to_string(), json!({ "$ref": format!("#/components/headers/{name}") }));
    Value::Object(names.iter().map(refer).collect())
}

fn tag(action: Action) -> &'static str {
    match action {
        Action::Health
        | Action::Describe
        | Action::SecurityTxt
        | Action::Usage
        | Action::Keys
        | Action::RotateKeys
        | Action::IndexProgress
        | Action::Reindex
        | Action::Erase => "service",
        Action::List
        | Action::Get
        | Action::Put
        | Action::Patch
        | Action::Delete
        | Action::Unset
        | Action::Append
        | Action::AddInsight
        | Action::Insights
        | Action::AddProgress
        | Action::Progress
        | Action::Restore
        | Action::Move => "contexts",
        Action::Rollback | Action::History | Action::Diff | Action::Audit => "history",
        Action::Resolve | Action::ViewDiff | Action::Pack | Action::Preview => "views",
        Action::Live => "live",
        Action::Search | Action::SearchByBody | Action::PutVector => "search",
        Action::Batch | Action::Export | Action::Import => "bulk",
        Action::Templates
        | Action::Template
        | Action::PutTemplate
        | Action::DeleteTemplate
        | Action::Begin => "templates",
        Action::Promotions | Action::Propose | Action::Approve | Action::Decline | Action::Undo => {
            "promotions"
        }
        Action::Members | Action::PutMember | Action::DeleteMember => "sharing",
        Action::Revocations
        | Action::RevokeUser
        | Action::UnrevokeUser
        | Action::RevokeToken
        | Action::UnrevokeToken => "tokens",
    }
}

/// Gives schemas the names of what they describe: types end in `Text` where the word alone is the
/// domain's.
fn renamed(value: Value) -> Value {
    let rename = |name: &str| name.replace("Text", "");
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| match (name.as_str(), value) {
                    ("$ref", Value::String(target)) => {
                        let renamed = match target.strip_prefix("#/components/schemas/") {
                            Some(of) => format!("#/components/schemas/{}", rename(of)),
                            None => target,
                        };
                        (name, Value::String(renamed))
                    }
                    ("schemas", Value::Object(schemas)) => {
                        let schemas = schemas
                            .into_iter()
                            .map(|(name, schema)| (rename(&name), renamed(schema)))
                            .collect();
                        (name, Value::Object(schemas))
                    }
                    (_, value) => (name, renamed(value)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(renamed).collect()),
        other => other,
    }
}
