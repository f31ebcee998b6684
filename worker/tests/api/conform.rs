//! Holds responses against `openapi.json`: status, headers, media type and body.

use std::{collections::HashMap, sync::OnceLock};

use jsonschema::Validator;
use nacre_worker::http::{OPENAPI, Response, routes::ROUTES};
use serde_json::{Value, json};

use crate::service::Call;

/// The document, and the validators of its schemas that were needed so far.
#[derive(Default)]
pub(crate) struct Contract {
    validators: HashMap<String, Validator>,
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_slice(OPENAPI).unwrap())
}

/// What every response may carry, also where no operation is meant.
const EVERYWHERE: [&str; 4] = [
    "Content-Type",
    "X-Content-Type-Options",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
];

impl Contract {
    #[track_caller]
    pub(crate) fn check(&mut self, call: &Call, response: &Response) {
        let method = if call.method == "HEAD" { "GET" } else { &call.method };
        let route = ROUTES
            .iter()
            .find(|route| route.method.as_str() == method && fits(route.path, call.path()));
        let Some(route) = route else {
            // No operation: OPTIONS, or one of these.
            assert!(
                call.method == "OPTIONS" || [404, 405, 401].contains(&response.status),
                "{} {} gave {}",
                call.method,
                call.target,
                response.status
            );
            return;
        };
        let place = format!("{} {} {}", method, route.path, response.status);
        let operation = &document()["paths"][route.path][method.to_ascii_lowercase()];
        let described = &operation["responses"][response.status.to_string()];
        let described = match described["$ref"].as_str() {
            Some(reference) => document().pointer(&reference[1..]).unwrap(),
            None => described,
        };
        assert!(
            described.is_object(),
            "{place} is not documented: {}",
            String::from_utf8_lossy(&response.body)
        );
        for (name, _) in &response.headers {
            let known = EVERYWHERE.contains(name)
                || described["headers"].get(name).is_some()
                || (response.status == 405 && *name == "Allow");
            assert!(known, "{place} has an undocumented header {name}");
        }
        assert!(response.header("X-Request-Id").is_some(), "{place}");
        if call.method == "HEAD" || response.status == 204 || response.status == 304 {
            assert!(response.body.is_empty(), "{place} has a body");
            return;
        }
        let media = response.header("Content-Type").unwrap_or_default();
        let schema = &described["content"][media]["schema"];
        assert!(schema.is_object(), "{place} as {media} is not documented");
        let body: Value = match media {
            "application/json" | "application/problem+json" => {
                serde_json::from_slice(&response.body).unwrap()
            }
            "application/msgpack" => {
                let value = nacre_msgpack::read(&response.body, 100).unwrap();
                serde_json::from_slice(&nacre_core::json::write(&value)).unwrap()
            }
            _ => return,
        };
        if media != "application/msgpack" && !route.is_open() {
            // Members in sorted order, nothing between them.
            let value = nacre_core::json::read(&response.body, 100).unwrap();
            assert!(nacre_core::json::write(&value) == response.body, "{place} is not canonical");
        }
        let validator = self.validators.entry(format!("{place} {media}")).or_insert_with(|| {
            let mut schema = schema.clone();
            schema["components"] = json!({ "schemas": document()["components"]["schemas"] });
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&closed(schema))
                .unwrap()
        });
        if let Err(error) = validator.validate(&body) {
            panic!("{place}: {error} at {}\n{body}", error.instance_path());
        }
    }
}

/// Whether a path fits a template.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
}

/// Answers may grow members for clients of tomorrow, so their schemas are open. Here a member that
/// the schema does not name is a mistake.
fn closed(mut schema: Value) -> Value {
    if let Some(schemas) = schema["components"]["schemas"].as_object_mut() {
        for schema in schemas.values_mut() {
            // The problem's schema is narrowed from outside.
            let open =
                schema["properties"].is_null() || schema.get("additionalProperties").is_some();
            if !open {
                schema["additionalProperties"] = false.into();
            }
        }
    }
    schema
}
