//! The OpenAPI document: generated from the table of routes and the wire types, checked in as
//! `worker/openapi.json`, served without its whitespace.
//!
//! A change of a route or a type fails here until the document is written anew with
//! `NACRE_UPDATE=1 cargo test -p nacre-worker --test openapi`, and shows in the diff.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code stops at the first surprise"
)]

#[path = "openapi/components.rs"]
mod components;
#[path = "openapi/document.rs"]
mod document;
#[path = "openapi/examples.rs"]
mod examples;
#[path = "openapi/schemas.rs"]
mod schemas;

use std::collections::BTreeSet;

use nacre_worker::http::{OPENAPI, routes::ROUTES};
use serde_json::Value;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// What is served.
fn served() -> Value {
    serde_json::from_slice(OPENAPI).expect("a JSON document")
}

#[test]
fn the_document_says_what_the_code_does() {
    let generated = document::generate();
    if std::env::var_os("NACRE_UPDATE").is_some() {
        let text = serde_json::to_string_pretty(&generated).unwrap() + "\n";
        std::fs::write(PATH, text).expect("the document can be written");
        return;
    }
    if let Some(place) = first_difference(&served(), &generated, String::new()) {
        panic!("openapi.json differs from the code at {place}; write it with NACRE_UPDATE=1");
    }
}

#[test]
fn what_is_served_is_the_document_without_spaces() {
    let document: Value = serde_json::from_slice(&std::fs::read(PATH).unwrap()).unwrap();
    assert_eq!(served(), document);
    assert_eq!(OPENAPI.len(), serde_json::to_string(&document).unwrap().len());
}

#[test]
fn every_route_is_described_once() {
    let document = served();
    let mut names = BTreeSet::new();
    for route in ROUTES {
        let method = route.method.as_str().to_ascii_lowercase();
        let operation = &document["paths"][route.path][&method];
        assert_eq!(operation["operationId"], route.name, "{} {}", method, route.path);
        assert!(names.insert(route.name), "{} names two routes", route.name);
        assert!(route.summary.ends_with('.'), "{}", route.summary);
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = served();
    let mut checked = 0;
    let mut check = |place: &str, media: &Value| {
        let Some(example) = media.get("example") else { return };
        let validator = schemas::validator(&document, &media["schema"]);
        if let Err(error) = validator.validate(example) {
            panic!("the example of {place} does not fit: {error} at {}", error.instance_path());
        }
        checked += 1;
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = operation["requestBody"]["content"].as_object();
            for (media, content) in body.into_iter().flatten() {
                check(&format!("{method} {path} ({media})"), content);
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                for (media, content) in response["content"].as_object().into_iter().flatten() {
                    check(&format!("{method} {path} {status} ({media})"), content);
                }
            }
        }
    }
    assert!(checked > 40, "{checked}");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = served();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let place = reference.strip_prefix('#').expect("references stay within the document");
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(target) if name == "$ref" => references.push(target.clone()),
                    value => collect(value, references),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

fn first_difference(a: &Value, b: &Value, place: String) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| {
                let place = format!("{place}/{}", name.replace('/', "~1"));
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => first_difference(a, b, place),
                    _ => Some(place),
                }
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| first_difference(a, b, format!("{place}/{index}"))),
        (a, b) if a == b => None,
        _ => Some(place),
    }
}
