//! Every route with its example spoilt in every way: whatever comes, the answer is a documented
//! one and never our fault.

use nacre_worker::http::{
    OPENAPI,
    routes::{Body, Kind, ROUTES, Route},
};
use serde_json::{Value, json};

use crate::{
    contexts::chain,
    service::{Call, Service, call},
};

const ADMIN: &str = "contexts:read contexts:write secrets:reveal admin";

fn spoilt_values() -> Vec<Value> {
    let deep = (0..80).fold(Value::Null, |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("x"),
        json!("/~2"),
        json!("task"),
        json!("\u{0}\u{10ffff}"),
        json!("z".repeat(5000)),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "": { "": null } }),
        json!({ "$sealed": "f1.AAAAAAAAAAAAAAAAAAAAAA" }),
        deep,
    ]
}

/// Every document that differs from `example` in one place.
fn spoilt(example: &Value) -> Vec<Value> {
    let mut found = spoilt_values();
    match example {
        Value::Object(members) => {
            for (name, value) in members {
                let with = |inner: Value| {
                    let mut members = members.clone();
                    members.insert(name.clone(), inner);
                    Value::Object(members)
                };
                found.extend(spoilt(value).into_iter().map(with));
                let mut without = members.clone();
                without.remove(name);
                found.push(Value::Object(without));
            }
            let mut more = members.clone();
            more.insert("bogus".into(), json!(1));
            found.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                found.extend(spoilt(value).into_iter().map(|inner| {
                    let mut items = items.clone();
                    items[index] = inner;
                    Value::Array(items)
                }));
            }
        }
        _ => {}
    }
    found
}

fn query_values(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Flag => &["true", "false", "", "1"],
        Kind::Level => &["task", "global", "", "x"],
        Kind::Id => &["shop", "", "%00", "a%2Fb"],
        Kind::IdPrefix => &["s", "", "%00", "%F0%9F%98%80", "%25_"],
        Kind::Address => &["project/shop", "task/none", "task", "/", "global/x"],
        Kind::Cursor => {
            &["", "x", "MWx0YXNrL3g", "MWg1", "MWU1LTA", "MWEx", "MWg5MDA3MTk5MjU0NzQwOTkx"]
        }
        Kind::Limit => &["1", "200", "0", "201", "-1", "x", "99999999999999999999"],
        Kind::Version => &["1", "9", "0", "x", "9007199254740991", "99999999999999999999"],
        Kind::AsOf => &[
            "0",
            "1",
            "4",
            "5",
            "x",
            "2023-11-14T22:13:25Z",
            "1970-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "9007199254740991",
        ],
        Kind::Pointer => &["", "/style", "/style/tone", "/none", "x", "/~", "/style/tone/0"],
        Kind::Mode => &["create", "replace", "x"],
        Kind::Summary => &["why", "", "%E2%82%AC"],
        Kind::User => &["bob", "", "%00", "%E2%82%AC"],
        Kind::Words => &["first", "", "%22", "-x", "level:", "path:/style", "a%00b", "pre*"],
        Kind::SearchMode => &["text", "hybrid", "semantic", "", "x"],
        Kind::SearchScope => &["stored", "resolved", "", "x"],
        Kind::Levels => &["task", "task,branch", "", ",", "x"],
        Kind::SearchLimit => &["1", "100", "0", "101", "x"],
        Kind::On => &["true", "false", "", "1"],
        Kind::Tokens => &["256", "255", "200000", "200001", "", "x"],
        Kind::Ratio => &["3.5", "1", "8.1", "0", "-1", "NaN", "1e1", ""],
        Kind::Standing => &["proposed", "stale", "", "x"],
        Kind::PackFormat => &["markdown", "json", "", "x"],
    }
}

fn example(route: &Route, media: &str) -> Value {
    let document: Value = serde_json::from_slice(OPENAPI).unwrap();
    let method = route.method.as_str().to_ascii_lowercase();
    document["paths"][route.path][&method]["requestBody"]["content"][media]["example"].clone()
}

fn paths(route: &Route) -> Vec<String> {
    let mut found = Vec::new();
    for (level, id) in
        [("task", "fix-1"), ("project", "shop"), ("global", "global"), ("task", "none")]
    {
        for user in ["bob", "alice"] {
            let path = route.path.replace("{level}", level).replace("{id}", id);
            let path = path
                .replace("{user}", user)
                .replace("{token}", user)
                .replace("{name}", id)
                .replace("{promotion}", "5-0");
            if !found.contains(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn request(route: &Route, target: &str, media: &str, body: &Value) -> Call {
    let text = match body {
        Value::String(lines) if route.body == Body::Lines => lines.clone(),
        body => body.to_string(),
    };
    let call = call(route.method.as_str(), target).scopes(ADMIN);
    if route.body == Body::None { call } else { call.body(media, text) }
}

#[track_caller]
fn try_out(service: &mut Service, call: Call) {
    let shown = format!("{} {} {}", call.method, call.target, String::from_utf8_lossy(&call.body));
    let response = service.send(call);
    assert!(response.status < 500, "{shown}: {}", String::from_utf8_lossy(&response.body));
}

#[test]
fn spoilt_bodies_are_refused_as_documented() {
    for route in ROUTES {
        let medias: &[&str] = match route.body {
            Body::None => continue,
            Body::Patch => &["application/merge-patch+json", "application/json-patch+json"],
            Body::Lines => &["application/x-ndjson"],
            Body::Typed(_) | Body::Optional(_) => &["application/json"],
        };
        let mut service = chain();
        for media in medias {
            let bodies = match example(route, media) {
                Value::String(lines) => {
                    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
                    spoilt(&first).iter().map(|line| Value::String(line.to_string())).collect()
                }
                whole => [spoilt(&whole), vec![whole]].concat(),
            };
            for path in paths(route) {
                for body in &bodies {
                    try_out(&mut service, request(route, &path, media, body));
                }
            }
        }
    }
}

#[test]
fn any_query_and_any_condition_is_answered_as_documented() {
    for route in ROUTES.iter().filter(|route| !route.is_open()) {
        let mut service = chain();
        let media = match route.body {
            Body::Patch => "application/merge-patch+json",
            Body::Lines => "application/x-ndjson",
            _ => "application/json",
        };
        let body = example(route, media);
        let required: String = route
            .query
            .iter()
            .filter(|param| param.required)
            .map(|param| format!("&{}={}", param.name, query_values(param.kind)[0]))
            .collect();
        for path in paths(route) {
            for param in route.query {
                for value in query_values(param.kind) {
                    let rest = required
                        .replace(&format!("&{}={}", param.name, query_values(param.kind)[0]), "");
                    let target = format!("{path}?{}={value}{rest}", param.name);
                    try_out(&mut service, request(route, &target, media, &body));
                }
            }
            for (name, value) in [
                ("If-Match", "\"v1\""),
                ("If-Match", "*"),
                ("If-Match", "nonsense"),
                ("If-None-Match", "*"),
                ("If-None-Match", "\"v1\", W/\"x\""),
                ("Idempotency-Key", "one"),
                ("Idempotency-Key", "\u{7f}"),
                ("Nacre-Owner", "alice"),
                ("Nacre-Owner", "mallory"),
                ("Nacre-Owner", "%ff"),
                ("Nacre-Confirm", "no"),
                ("Accept", "application/msgpack"),
                ("Accept", "text/html;q=x, ,;"),
                ("Content-Length", "99999999999"),
                ("Content-Encoding", "br"),
                ("X-Request-Id", ""),
            ] {
                let target = format!("{path}?{}", required.trim_start_matches('&'));
                let call = request(route, &target, media, &body).header(name, value);
                try_out(&mut service, call);
            }
        }
    }
}
