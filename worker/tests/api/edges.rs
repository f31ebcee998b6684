//! What HTTP itself asks for: routing, negotiation, media types, headers, and bodies that are no
//! bodies.

use nacre_core::{json as canonical, moment::Moment};
use nacre_msgpack as msgpack;
use nacre_worker::http::{Cors, SecurityTxt, routes::ROUTES};
use serde_json::{Value, json};

use crate::{
    contexts::{chain, post, put},
    service::{Call, Service, call, get},
};

#[test]
fn what_is_not_in_the_table_is_not_there() {
    let mut service = Service::new();
    for path in [
        "/v1",
        "/v1/",
        "/v1/contexts/",
        "/v1/contexts/task",
        "/v1/contexts/task/a/b/c/d",
        "/v2/contexts",
        "/healthz/",
    ] {
        service.fails("not-found", get(path));
    }
    for (method, path, allow) in [
        ("POST", "/v1/contexts", "GET, HEAD, OPTIONS"),
        ("GET", "/v1/batch", "POST, OPTIONS"),
        ("TRACE", "/v1/contexts/task/a", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("put", "/v1/contexts/task/a/insights", "POST, GET, HEAD, OPTIONS"),
        ("POST", "/healthz", "GET, HEAD, OPTIONS"),
    ] {
        let response = service.send(call(method, path));
        assert_eq!(
            (response.status, response.header("Allow")),
            (405, Some(allow)),
            "{method} {path}"
        );
    }
    let response = service.send(call("OPTIONS", "/v1/batch"));
    assert_eq!((response.status, response.header("Allow")), (204, Some("POST, OPTIONS")));
    service.fails("not-found", call("OPTIONS", "/v1/nothing"));
}

#[test]
fn the_service_says_how_it_is_and_what_it_is() {
    let mut service = Service::new();
    assert_eq!(service.ok(200, get("/healthz")), json!({ "status": "ok" }));
    let security = || get("/.well-known/security.txt");
    service.fails("not-found", security());
    service.settings.security = SecurityTxt::parse("mailto:security@example.com", None).ok();
    let said = service.send(security());
    let text = String::from_utf8(said.body).unwrap();
    let expires = text.lines().find_map(|line| line.strip_prefix("Expires: ")).unwrap();
    let expires = Moment::parse(expires).unwrap().0 / 1000;
    let days = (expires - service.now) / (24 * 60 * 60);
    assert!(text.starts_with("Contact: mailto:security@example.com\n"), "{text}");
    assert!((30..365).contains(&days), "{text}");
    let document = service.ok(200, get("/openapi.json"));
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(service.send(call("HEAD", "/openapi.json")).body, b"");
}

#[test]
fn paths_are_decoded_once() {
    let mut service = chain();
    service.ok(200, get("/v1/contexts/task/fix%2D1"));
    service.fails("invalid-id", get("/v1/contexts/task/fix%252D1"));
    service.fails("invalid-id", get("/v1/contexts/task/a%2Fb"));
    service.fails("invalid-id", get("/v1/contexts/moon/a"));
    service.fails("invalid-id", get("/v1/contexts/global/other"));
    service.fails("invalid-id", get(&format!("/v1/contexts/task/{}", "x".repeat(129))));
    service.fails("not-found", get(&format!("/v1/contexts/task/{}", "x".repeat(128))));
    service.fails("invalid-request", get("/v1/contexts/task/%zz"));
    service.fails("invalid-request", get("/v1/contexts/task/%ff"));
}

#[test]
fn unknown_query_parameters_are_refused_everywhere() {
    let mut service = chain();
    for route in ROUTES.iter().filter(|route| !route.is_open()) {
        let path =
            route.path.replace("{level}", "task").replace("{id}", "fix-1").replace("{user}", "bob");
        let required: Vec<String> = route
            .query
            .iter()
            .filter(|param| param.required)
            .map(|param| format!("{}=1&", param.name))
            .collect();
        let target = format!("{path}?{}bogus=1", required.concat());
        let admin = "contexts:read contexts:write admin";
        let problem =
            service.fails("invalid-request", call(route.method.as_str(), &target).scopes(admin));
        assert!(problem["detail"].as_str().unwrap().contains("query parameter"), "{problem}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let mut service = chain();
    for path in ["/v1/contexts/task/fix-1", "/v1/contexts/task/fix-1/resolved", "/v1/contexts"] {
        let (full, head) = (service.send(get(path)), service.send(call("HEAD", path)));
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        for name in ["ETag", "Content-Type", "Nacre-Seq"] {
            assert_eq!(head.header(name), full.header(name), "{path} {name}");
        }
    }
    assert!(service.send(call("HEAD", "/v1/contexts/task/none")).body.is_empty());
}

#[test]
fn messagepack_goes_both_ways() {
    let mut service = chain();
    let packed =
        |value: Value| msgpack::write(&canonical::read(value.to_string().as_bytes(), 70).unwrap());
    let body = packed(json!({ "data": { "n": 7 } }));
    let put = call("PUT", "/v1/contexts/project/p").body("application/msgpack", body);
    let response = service.send(put.header("Accept", "application/msgpack"));
    assert_eq!(
        (response.status, response.header("Content-Type")),
        (201, Some("application/msgpack"))
    );
    let shown = service.send(get("/v1/contexts/project/p"));
    let unpacked = canonical::write(&msgpack::read(&response.body, 70).unwrap());
    assert_eq!(unpacked, shown.body);

    let merge = call("PATCH", "/v1/contexts/project/p")
        .body("application/msgpack", packed(json!({ "m": 8 })));
    assert_eq!(service.ok(200, merge)["data"], json!({ "m": 8, "n": 7 }));
    let patch = packed(json!([{ "op": "remove", "path": "/m" }]));
    let patch = call("PATCH", "/v1/contexts/project/p").body("application/msgpack", patch);
    assert_eq!(service.ok(200, patch)["data"], json!({ "n": 7 }));
    service.fails(
        "invalid-json",
        call("PUT", "/v1/contexts/project/p").body("application/msgpack", vec![0xc1]),
    );
    // Errors are problems, whatever is accepted.
    service.fails(
        "not-found",
        get("/v1/contexts/project/none").header("Accept", "application/msgpack"),
    );
    let replayed =
        |call: Call| call.header("Accept", "application/msgpack").header("Idempotency-Key", "m");
    let append = || post("project/p/append", json!({ "pointer": "/l", "values": [1] }));
    let first = service.send(replayed(append()));
    assert_eq!(service.send(replayed(append())).body, first.body);
}

#[test]
fn other_media_types_are_refused() {
    let mut service = chain();
    for (method, target, media) in [
        ("PUT", "/v1/contexts/task/fix-1", "text/plain"),
        ("PUT", "/v1/contexts/task/fix-1", "application/x-www-form-urlencoded"),
        ("PATCH", "/v1/contexts/task/fix-1", "application/json"),
        ("POST", "/v1/import", "application/json"),
        ("POST", "/v1/batch", "application/x-ndjson"),
    ] {
        service.fails("unsupported-media-type", call(method, target).body(media, "{}"));
    }
    let gzipped = put("task/fix-1", json!({ "data": {} })).header("Content-Encoding", "gzip");
    service.fails("unsupported-media-type", gzipped);
    let no_type =
        Call { headers: Vec::new(), ..call("PATCH", "/v1/contexts/task/fix-1").body("", "{}") };
    service.fails("unsupported-media-type", no_type);
}

#[test]
fn bodies_that_cannot_be_read_say_where() {
    let mut service = chain();
    let put = |text: &str| call("PUT", "/v1/contexts/project/p").body("application/json", text);
    for text in [
        "",
        "{",
        "{\"data\":{}}x",
        "{\"data\":{},\"data\":{}}",
        "{\"data\":\"\\ud800\"}",
        "\u{0}",
        "nul",
    ] {
        service.fails("invalid-json", put(text));
    }
    service.fails(
        "invalid-json",
        call("PUT", "/v1/contexts/project/p").body("application/json", vec![b'"', 0xff, b'"']),
    );
    for (text, pointer) in [
        ("[]", ""),
        ("{}", ""),
        ("{\"data\":[]}", "/data"),
        ("{\"data\":{},\"extra\":1}", "/extra"),
        ("{\"data\":{},\"parent\":7}", "/parent"),
    ] {
        assert_eq!(service.fails("invalid-request", put(text))["pointer"], pointer, "{text}");
    }
    let problem = service.fails("invalid-rules", put("{\"data\":{},\"rules\":{\"/a\":\"best\"}}"));
    assert_eq!(problem["pointer"], "/rules/~1a");
}

#[test]
fn depth_and_size_have_edges() {
    let mut service = Service::new();
    let nested = |depth: usize| {
        format!("{{\"data\":{}{}}}", "{\"a\":".repeat(depth - 1) + "{}", "}".repeat(depth - 1))
    };
    let put = |text: String| call("PUT", "/v1/contexts/project/p").body("application/json", text);
    service.ok(201, put(nested(64)));
    for depth in [65, 66, 67, 68, 69, 70, 100_000] {
        assert_eq!(service.fails("too-deep", put(nested(depth)))["limit"], 64, "{depth}");
    }
    let sized = |bytes: usize| format!("{{\"data\":{{\"a\":\"{}\"}}}}", "x".repeat(bytes - 8));
    service.ok(200, put(sized(1 << 20)));
    let problem = service.fails("too-large", put(sized((1 << 20) + 1)));
    assert_eq!(problem["limit"], 1 << 20);
    // Within the limit as it comes, past it with a marker for each secret.
    let secrets: Vec<String> =
        (0..30_000).map(|n| format!("{{\"id\":{n},\"token\":\"t\"}}")).collect();
    let secrets = format!("{{\"data\":{{\"list\":[{}]}}}}", secrets.join(","));
    assert!(secrets.len() < 1 << 20);
    assert_eq!(service.fails("too-large", put(secrets))["limit"], 1 << 20);
    let spaced = format!("{}{}", " ".repeat(2 << 20), sized(1 << 20));
    service.ok(200, put(spaced));
    let declared = put("{}".into()).header("content-length", "5000000");
    assert_eq!(service.fails("too-large", declared)["limit"], 4 << 20);
}

#[test]
fn request_ids_are_echoed_or_made() {
    let mut service = Service::new();
    let echoed = service.send(get("/v1/contexts").header("X-Request-Id", "abc-1"));
    assert_eq!(echoed.header("X-Request-Id"), Some("abc-1"));
    for bad in ["", "a b", "ü", &"x".repeat(129)] {
        let made = service.send(get("/v1/contexts").header("X-Request-Id", bad));
        assert!(made.header("X-Request-Id").unwrap().starts_with("request-"), "{bad}");
    }
}

#[test]
fn conditions_without_a_meaning_are_refused() {
    let mut service = chain();
    let batch = call("POST", "/v1/batch").json(json!({ "operations": [] }));
    service.fails("invalid-request", batch.header("If-Match", "\"v1\""));
    service.fails(
        "invalid-request",
        post("task/fix-1/insights", json!({ "content": "x" })).header("If-Match", "*"),
    );
    service.fails(
        "invalid-request",
        put("task/fix-1", json!({ "data": {} })).header("If-None-Match", "\"v1\""),
    );
    service.fails(
        "invalid-request",
        put("task/fix-1", json!({ "data": {} })).header("If-Match", "v1"),
    );
    // Reads of what has no ETag have none to compare.
    service.ok(200, get("/v1/contexts").header("If-None-Match", "\"v1\""));
    let etag = service.send(get("/v1/contexts/task/fix-1")).header("ETag").unwrap().to_string();
    let again = get("/v1/contexts/task/fix-1").header("If-None-Match", &format!("\"x\", W/{etag}"));
    assert_eq!(service.send(again).status, 304);
}

#[test]
fn pages_of_named_origins_may_call() {
    let mut service = chain();
    let origin = "https://app.example";
    let plain = service.send(get("/v1/contexts").header("Origin", origin));
    assert_eq!(plain.header("Access-Control-Allow-Origin"), None);
    service.settings.cors = Cors::parse(origin);
    let shown = service.send(get("/v1/contexts").header("Origin", origin));
    assert_eq!(shown.header("Access-Control-Allow-Origin"), Some(origin));
    assert!(shown.header("Vary").unwrap().contains("Origin"));
    assert!(shown.header("Access-Control-Expose-Headers").unwrap().contains("Nacre-Seq"));
    let other = service.send(get("/v1/contexts").header("Origin", "https://evil.example"));
    assert_eq!(other.header("Access-Control-Allow-Origin"), None);
    let preflight = call("OPTIONS", "/v1/contexts/task/a")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "PATCH");
    let response = service.send(preflight);
    assert_eq!(response.status, 204);
    assert!(response.header("Access-Control-Allow-Methods").unwrap().contains("PATCH"));
    assert!(response.header("Access-Control-Allow-Headers").unwrap().contains("Authorization"));
}

#[test]
fn merge_rules_are_short_and_no_deeper_than_data() {
    let mut service = Service::new();
    let rules = |rules: Value| put("project/p", json!({ "data": {}, "rules": rules }));
    let long = format!("keyed:{}", "a".repeat(1019));
    let problem = service.fails("invalid-rules", rules(json!({ "/l": long })));
    assert_eq!((&problem["pointer"], &problem["limit"]), (&json!("/rules/~1l"), &json!(1024)));
    service.ok(201, rules(json!({ "/l": &long[..1024] })));
    let deep = |tokens| json!({ ("/a".repeat(tokens)): "lock" });
    assert_eq!(service.fails("invalid-rules", rules(deep(65)))["limit"], 64);
    service.ok(200, rules(deep(64)));
    // Each name of a path takes memory whenever a view is made.
    let many = |tables: usize| {
        let paths = (0..tables).map(|n| (format!("/{n}{}", "/a".repeat(63)), json!("lock")));
        Value::Object(paths.collect())
    };
    assert_eq!(service.fails("invalid-rules", rules(many(65)))["limit"], 4096);
    service.ok(200, rules(many(64)));
}
