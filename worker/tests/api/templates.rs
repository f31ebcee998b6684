//! Templates over HTTP: statuses, bounds, export and import, erase.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, merge},
    service::{Service, call, get},
};

fn review() -> Value {
    json!({
        "description": "A review of one change",
        "variables": { "change": { "type": "string" } },
        "layers": { "task": { "data": { "change": "{{change}}" }, "rules": { "/found": "append" } } }
    })
}

#[test]
fn an_own_template_lives_and_begins_contexts() {
    let mut service = chain();
    let put = || call("PUT", "/v1/templates/review").json(review());
    assert_eq!(service.ok(201, put())["preset"], false);
    service.ok(200, put());
    let body = json!({
        "level": "task", "context_id": "r1", "parent": "checkout", "variables": { "change": "42" }
    });
    let create = || call("POST", "/v1/templates/review/create").json(body.clone());
    let created = service.send(create().header("Idempotency-Key", "k"));
    assert_eq!((created.status, created.header("Location")), (201, Some("/v1/contexts/task/r1")));
    assert_eq!(created.header("ETag"), Some("\"v1\""));
    let again = service.send(create().header("Idempotency-Key", "k"));
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    service.fails("already-exists", create());
    let view = service.ok(200, get("/v1/contexts/task/r1/resolved"));
    assert_eq!(
        (&view["data"]["change"], &view["data"]["target"]),
        (&json!("42"), &json!("wasm32"))
    );

    assert_eq!(service.send(call("DELETE", "/v1/templates/review")).status, 204);
    service.fails("not-found", get("/v1/templates/review"));
    service.ok(200, get("/v1/contexts/task/r1"));
}

#[test]
fn presets_are_there_before_anything_else_is() {
    let mut service = Service::new();
    let listed = service.ok(200, get("/v1/templates"));
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["data_pipeline", "microservice", "ml_project", "mobile_app", "web_app_project"]
    );
    for name in names {
        let preset = service.ok(200, get(&format!("/v1/templates/{name}")));
        assert_eq!(preset["preset"], true);
        for level in ["project", "branch", "task"] {
            assert!(preset["layers"][level]["data"].is_object(), "{name} {level}");
        }
        service.fails("forbidden", call("DELETE", &format!("/v1/templates/{name}")));
    }
}

#[test]
fn templates_are_bounded() {
    let mut service = chain();
    let put = |n: usize| call("PUT", &format!("/v1/templates/t{n}")).json(review());
    for n in 0..100 {
        service.ok(201, put(n));
    }
    let full = service.fails("too-large", put(100));
    assert_eq!(full["limit"], 100);
    service.ok(200, put(7));
    let mut large = review();
    large["layers"]["task"]["data"]["text"] = "x".repeat(32 << 10).into();
    service.fails("too-large", call("PUT", "/v1/templates/t7").json(large));
    // The values of variables may be more than a context holds.
    let text = "{{change}}".repeat(2000);
    let many = json!({
        "variables": { "change": { "type": "string" } },
        "layers": { "project": { "data": { "text": text } } }
    });
    service.ok(200, call("PUT", "/v1/templates/t7").json(many));
    let body = json!({
        "level": "project", "context_id": "big", "variables": { "change": "x".repeat(1000) }
    });
    service.fails("too-large", call("POST", "/v1/templates/t7/create").json(body));
}

#[test]
fn an_export_of_all_brings_templates_back_and_passes_over_promotions() {
    let mut service = chain();
    service.ok(201, call("PUT", "/v1/templates/review").json(review()));
    service.ok(200, merge("task/fix-1", json!({ "found": 1 })));
    let proposal = json!({
        "from": { "level": "task", "id": "fix-1" }, "pointer": "/found",
        "to": { "level": "project", "id": "shop" }
    });
    service.ok(201, call("POST", "/v1/promotions").json(proposal));
    let text = |service: &mut Service, target: &str| {
        String::from_utf8(service.send(get(target)).body).unwrap()
    };
    let contexts = text(&mut service, "/v1/export");
    let all = text(&mut service, "/v1/export?all=true");
    assert_eq!(contexts.lines().count(), 4, "a copy has contexts only");
    let more: Vec<Value> =
        all.lines().skip(4).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(more.len(), 2);
    assert_eq!(
        (&more[0]["template"]["name"], &more[1]["promotion"]["state"]),
        (&json!("review"), &json!("proposed"))
    );

    let import = call("POST", "/v1/import").body("application/x-ndjson", all).user("bob");
    let imported = service.ok(200, import);
    assert_eq!(
        (&imported["created"], &imported["notices"][0]["code"]),
        (&json!(4), &json!("history-left-out"))
    );
    let brought = service.ok(200, get("/v1/templates/review").user("bob"));
    assert_eq!(brought["layers"], review()["layers"]);
    let line = json!({ "template": { "name": "x", "layers": {} } }).to_string();
    let bad = call("POST", "/v1/import").body("application/x-ndjson", format!("\n{line}\n"));
    let refused = service.fails("invalid-request", bad);
    assert_eq!(refused["failed_operation"], 1);
    let other = call("POST", "/v1/import").body("application/x-ndjson", "{\"template\":7}\n");
    assert_eq!(service.fails("invalid-request", other)["pointer"], "/template");
}
