//! Resolved views: parts, past states, origins, diffs, previews, validators.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, post, put},
    service::{Service, call, get},
};

const VIEW: &str = "/v1/contexts/task/fix-1/resolved";

#[test]
fn a_view_folds_its_chain() {
    let mut service = chain();
    let response = service.send(get(VIEW));
    let view: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(
        view["data"],
        json!({
            "done": false, "style": { "lang": "en", "tone": "warm" }, "target": "wasm32",
            "team": ["ada"]
        })
    );
    let levels: Vec<&str> = view["chain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["global", "project", "branch", "task"]);
    assert_eq!(response.header("ETag"), Some(&*format!("\"{}\"", view["hash"].as_str().unwrap())));
    assert_eq!(view["seq"], 4);
    service.fails("not-found", get("/v1/contexts/task/none/resolved"));
}

#[test]
fn a_view_is_not_sent_twice() {
    let mut service = chain();
    let first = service.send(get(VIEW));
    let etag = first.header("ETag").unwrap().to_string();
    let again = service.send(get(VIEW).header("If-None-Match", &etag));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("ETag"), Some(&*etag));
    assert_eq!(again.header("Nacre-Seq"), Some("4"));
    // Each way to show it has a validator of its own.
    let mut seen = vec![etag.clone()];
    for query in ["?path=/style", "?explain=true", "?path=/style&explain=true"] {
        let response = service.send(get(&format!("{VIEW}{query}")).header("If-None-Match", &etag));
        assert_eq!(response.status, 200, "{query}");
        let other = response.header("ETag").unwrap().to_string();
        assert!(!seen.contains(&other), "{query}: {other}");
        let again = service.send(get(&format!("{VIEW}{query}")).header("If-None-Match", &other));
        assert_eq!(again.status, 304, "{query}");
        seen.push(other);
    }
    // What changes no view changes no validator; what does, does.
    service.ok(
        200,
        put(
            "project/shop",
            json!({ "data": { "team": ["ada"], "style": { "tone": "warm" } }, "rules": {} }),
        ),
    );
    assert_eq!(service.send(get(VIEW).header("If-None-Match", &etag)).status, 304);
    service.ok(200, put("task/fix-1", json!({ "data": { "done": true } })));
    assert_eq!(service.send(get(VIEW).header("If-None-Match", &etag)).status, 200);
    service.fails("version-conflict", get(VIEW).header("If-Match", &etag));
}

#[test]
fn one_path_and_past_states() {
    let mut service = chain();
    let part = service.ok(200, get(&format!("{VIEW}?path=/style/tone")));
    assert_eq!(part["data"], "warm");
    let problem = service.fails("not-found", get(&format!("{VIEW}?path=/none")));
    assert_eq!(problem["pointer"], "/none");
    service.fails("invalid-pointer", get(&format!("{VIEW}?path=style")));
    service.ok(200, put("task/fix-1", json!({ "data": { "done": true } })));
    let old = service.ok(200, get(&format!("{VIEW}?at=4")));
    assert_eq!((&old["data"]["done"], &old["seq"]), (&json!(false), &json!(4)));
    let then = service.ok(200, get("/v1/contexts/task/fix-1?version=1"))["updated_at"].clone();
    let old = service.ok(200, get(&format!("{VIEW}?at={}", then.as_str().unwrap())));
    assert_eq!(old["data"]["done"], false);
    service.fails("invalid-request", get(&format!("{VIEW}?at=99")));
    service.fails("not-found", get(&format!("{VIEW}?at=1")));
}

#[test]
fn origins_that_are_too_much_to_tell_are_refused() {
    let mut service = Service::new();
    let values: serde_json::Map<_, _> = (0..400).map(|n| (format!("k{n}"), json!(n))).collect();
    let data = json!({ "x".repeat(100_000): values });
    service.ok(201, put("project/p", json!({ "data": data })));
    let view = "/v1/contexts/project/p/resolved";
    service.ok(200, get(view));
    let problem = service.fails("too-large", get(&format!("{view}?explain=true")));
    assert_eq!(problem["limit"], 8 << 20);
    // A part of it is explained by itself.
    let part = format!("{view}?explain=true&path=/{}/k7", "x".repeat(4_000));
    let part = service.send(get(&part));
    assert_ne!(part.status, 413, "{}", part.status);
}

#[test]
fn origins_count_for_the_size_of_a_batch_s_answer() {
    let mut service = Service::new();
    let values: serde_json::Map<_, _> = (0..150).map(|n| (format!("k{n}"), json!(n))).collect();
    let data = json!({ "x".repeat(40_000): values });
    service.ok(201, put("project/p", json!({ "data": data })));
    let explain =
        json!({ "action": "resolve", "level": "project", "context_id": "p", "explain": true });
    let batch =
        |count| call("POST", "/v1/batch").json(json!({ "operations": vec![&explain; count] }));
    service.ok(200, batch(1));
    assert_eq!(service.fails("too-large", batch(10))["failed_operation"], 1);
}

#[test]
fn explain_names_origins_shadows_and_what_locks_overrule() {
    let mut service = chain();
    let view = service.ok(200, get(&format!("{VIEW}?explain=true")));
    let tone = &view["origins"]["/style/tone"];
    assert_eq!(
        (&tone["level"], &tone["id"], &tone["by"]),
        (&json!("project"), &json!("shop"), &json!("alice"))
    );
    assert_eq!(tone["shadowed"], json!([{ "id": "global", "level": "global", "version": 1 }]));
    assert_eq!(view["ignored"], json!([]));
    let locked = json!({ "data": { "style": { "lang": "en", "tone": "dry" } }, "rules": { "/style/tone": "lock" } });
    service.ok(200, put("global/global", locked));
    let view = service.ok(200, get(&format!("{VIEW}?explain=true")));
    assert_eq!(view["data"]["style"]["tone"], "dry");
    assert_eq!(
        view["ignored"],
        json!([{
            "id": "shop", "level": "project", "pointer": "/style/tone", "version": 1,
            "locked_by": { "id": "global", "level": "global", "version": 2 }
        }])
    );
    let problem = service
        .fails("locked", put("project/shop", json!({ "data": { "style": { "tone": "loud" } } })));
    assert_eq!(problem["pointer"], "/style/tone");
}

#[test]
fn explain_tells_of_items_that_a_later_one_with_their_key_hides() {
    let mut service = Service::new();
    let ports = json!([
        { "port": 53, "proto": "TCP" }, { "port": 53, "proto": "UDP" }, { "port": 80 }
    ]);
    let body = json!({ "data": { "ports": ports }, "rules": { "/ports": "keyed:port" } });
    service.ok(201, put("project/p", body));
    let view = service.ok(200, get("/v1/contexts/project/p/resolved?explain=true"));
    assert_eq!(view["data"]["ports"].as_array().map(Vec::len), Some(2));
    let twin = json!({
        "id": "p", "level": "project", "locked_by": null, "pointer": "/ports/0", "version": 1
    });
    assert_eq!(view["ignored"], json!([twin]));
    let part = "/v1/contexts/project/p/resolved?explain=true&path=/ports/1";
    assert_eq!(service.ok(200, get(part))["ignored"], json!([]));
}

#[test]
fn a_revealed_view_keeps_its_hash() {
    let mut service = chain();
    service.ok(200, put("task/fix-1", json!({ "data": { "db": { "password": "s3cret" } } })));
    let sealed = service.ok(200, get(VIEW));
    let open =
        service.ok(200, get(&format!("{VIEW}?reveal=true")).scopes("contexts:read secrets:reveal"));
    assert_eq!(open["data"]["db"]["password"], "s3cret");
    assert_eq!(open["hash"], sealed["hash"]);
    let part = format!("{VIEW}?reveal=true&path=/db/password");
    assert_eq!(
        service.ok(200, get(&part).scopes("contexts:read secrets:reveal"))["data"],
        "s3cret"
    );
}

#[test]
fn a_view_diff_names_the_layers_responsible() {
    let mut service = chain();
    service.ok(200, put("branch/checkout", json!({ "data": { "target": "wasm64" } })));
    let diff = service.ok(200, get(&format!("{VIEW}/diff?from=4")));
    assert_eq!(
        diff["patch"],
        json!([{
            "op": "replace", "path": "/target", "value": "wasm64",
            "layers": [{ "id": "checkout", "level": "branch", "version": 2 }]
        }])
    );
    assert_eq!(service.ok(200, get(&format!("{VIEW}/diff?from=4&to=4")))["patch"], json!([]));
    service.fails("invalid-request", get(&format!("{VIEW}/diff")));
}

#[test]
fn a_preview_shows_every_view_and_stores_nothing() {
    let mut service = chain();
    let body = json!({ "patch": { "target": "arm", "style": { "tone": "cold" } } });
    let preview = service.ok(200, post("project/shop/preview", body));
    let affected = preview["affected"].as_array().unwrap();
    assert_eq!(affected.len(), 3);
    let of = |level: &str| affected.iter().find(|view| view["level"] == level).unwrap();
    assert_eq!(
        of("task")["changes"],
        json!([{ "after": "cold", "before": "warm", "pointer": "/style/tone" }])
    );
    assert!(
        of("project")["changes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|change| { change["pointer"] == "/target" && change.get("before").is_none() })
    );
    assert_eq!(
        preview["overridden_by"],
        json!([{ "id": "checkout", "level": "branch", "pointer": "/target" }])
    );
    assert_eq!(service.send(get(VIEW)).header("Nacre-Seq"), Some("4"));

    let operations = json!({ "operations": [
        { "action": "delete", "level": "task", "context_id": "fix-1" },
        { "action": "create", "level": "task", "context_id": "fix-1", "data": {} }
    ] });
    let problem = service.fails("invalid-request", post("task/fix-1/preview", operations));
    assert_eq!(problem["failed_operation"], 1);
}

#[test]
fn a_pack_is_text_for_a_prompt_within_its_tokens() {
    let mut service = chain();
    let pack = |query: &str| get(&format!("/v1/contexts/task/fix-1/pack{query}"));
    let markdown = service.send(pack(""));
    assert_eq!(markdown.header("Content-Type"), Some("text/markdown; charset=utf-8"));
    let tokens: usize = markdown.header("Nacre-Tokens").unwrap().parse().unwrap();
    let text = String::from_utf8(markdown.body).unwrap();
    assert!(tokens <= 2000 && text.starts_with("# Context\n"), "{tokens} {text}");
    assert!(text.contains("\n## task/fix-1\n\n"), "{text}");
    let json = service.ok(200, pack("?format=json&origins=true&max_tokens=1000"));
    assert_eq!(json["max_tokens"], 1000);
    assert_eq!(json["layers"][3]["context"]["by"], "alice");
    assert_eq!(json["view"]["hash"], service.ok(200, get(VIEW))["hash"]);
    for wrong in ["max_tokens=255", "max_tokens=x", "bytes_per_token=9", "format=html"] {
        service.fails("invalid-request", pack(&format!("?{wrong}")));
    }
    service.fails("not-found", get("/v1/contexts/task/none/pack"));
}
