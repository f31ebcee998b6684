//! Contexts: create, read, edit, list, delete, restore, move, entries.

use nacre_core::wire::Cursor;
use serde_json::{Value, json};

use crate::service::{Call, Service, call, get};

/// A store with one chain.
pub(crate) fn chain() -> Service {
    let mut service = Service::new();
    for (target, body) in [
        ("global/global", json!({ "data": { "style": { "lang": "en", "tone": "dry" } } })),
        ("project/shop", json!({ "data": { "style": { "tone": "warm" }, "team": ["ada"] } })),
        ("branch/checkout", json!({ "data": { "target": "wasm32" }, "parent": "shop" })),
        ("task/fix-1", json!({ "data": { "done": false }, "parent": "checkout" })),
    ] {
        service.ok(201, put(target, body));
    }
    service
}

pub(crate) fn put(target: &str, body: Value) -> Call {
    call("PUT", &format!("/v1/contexts/{target}")).json(body)
}

pub(crate) fn post(target: &str, body: Value) -> Call {
    call("POST", &format!("/v1/contexts/{target}")).json(body)
}

pub(crate) fn merge(target: &str, patch: Value) -> Call {
    call("PATCH", &format!("/v1/contexts/{target}"))
        .body("application/merge-patch+json", patch.to_string())
}

#[test]
fn creating_answers_201_with_location_and_replacing_200() {
    let mut service = Service::new();
    let response =
        service.send(put("project/shop", json!({ "data": { "a": 1 }, "rules": { "/a": "lock" } })));
    assert_eq!(response.status, 201);
    assert_eq!(response.header("Location"), Some("/v1/contexts/project/shop"));
    assert_eq!(response.header("ETag"), Some("\"v1\""));
    assert_eq!(response.header("Nacre-Seq"), Some("1"));
    let made: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(made["parent"], "global");

    let response = service.send(put("project/shop", json!({ "data": { "a": 2 } })));
    assert_eq!((response.status, response.header("ETag")), (200, Some("\"v2\"")));
    assert_eq!(response.header("Location"), None);
    let shown = service.ok(200, get("/v1/contexts/project/shop"));
    assert_eq!(shown["data"], json!({ "a": 2 }));
    assert_eq!(shown["rules"], json!({ "/a": "lock" }), "rules stay when they are not named");
    assert_eq!(shown["version"], 2);
    assert_eq!(shown["updated_by"], "alice");
    assert_ne!(shown["created_at"], shown["updated_at"]);
}

#[test]
fn parents_are_needed_or_made() {
    let mut service = Service::new();
    let problem = service.fails("invalid-request", put("task/t", json!({ "data": {} })));
    assert_eq!(problem["pointer"], "/parent");
    service.fails("parent-not-found", put("task/t", json!({ "data": {}, "parent": "b" })));
    let target = "/v1/contexts/task/t?create_parents=true";
    service.ok(201, call("PUT", target).json(json!({ "data": {}, "parent": "b" })));
    let branch = service.ok(200, get("/v1/contexts/branch/b"));
    assert_eq!(branch["data"], json!({}));
}

#[test]
fn merge_patch_json_patch_unset_and_append_edit_the_layer() {
    let mut service = chain();
    let shown = service.ok(200, merge("project/shop", json!({ "style": null, "x": { "y": [1] } })));
    assert_eq!(shown["data"], json!({ "team": ["ada"], "x": { "y": [1] } }));

    let patch = json!([
        { "op": "test", "path": "/x/y/0", "value": 1 },
        { "op": "add", "path": "/x/y/-", "value": null }
    ]);
    let patched = call("PATCH", "/v1/contexts/project/shop?summary=because")
        .body("application/json-patch+json", patch.to_string());
    assert_eq!(service.ok(200, patched)["data"]["x"], json!({ "y": [1, null] }));
    let history = service.ok(200, get("/v1/contexts/project/shop/history"));
    assert_eq!(history["items"][0]["summary"], "because");

    let failing = json!([{ "op": "test", "path": "/x/y/0", "value": 2 }]);
    let call_ = call("PATCH", "/v1/contexts/project/shop")
        .body("application/json-patch+json", failing.to_string());
    assert_eq!(service.fails("merge-conflict", call_)["pointer"], "/x/y/0");

    let shown = service.ok(200, post("project/shop/unset", json!({ "pointers": ["/style/lang"] })));
    assert_eq!(shown["data"]["style"], json!({ "lang": null }));
    let append = json!({ "pointer": "/team", "values": ["grace"] });
    assert_eq!(
        service.ok(200, post("project/shop/append", append))["data"]["team"],
        json!(["ada", "grace"])
    );
    let append = json!({ "pointer": "/new/list", "values": [1] });
    assert_eq!(
        service.ok(200, post("project/shop/append", append))["data"]["new"],
        json!({ "list": [1] })
    );
}

#[test]
fn sixty_four_bit_integers_survive() {
    let mut service = Service::new();
    let text = r#"{"data":{"big":18446744073709551615,"small":-9223372036854775808}}"#;
    let response =
        service.send(call("PUT", "/v1/contexts/project/p").body("application/json", text));
    assert_eq!(response.status, 201);
    let shown = String::from_utf8(response.body).unwrap();
    assert!(shown.contains(r#""data":{"big":18446744073709551615,"small":-9223372036854775808}"#));
}

#[test]
fn entries_grow_and_are_listed_newest_first_by_pages() {
    let mut service = chain();
    for n in 0..5 {
        let body = json!({ "content": format!("insight {n}"), "importance": 0.5, "category": "c", "agent": "a" });
        let made = service.ok(201, post("task/fix-1/insights", body));
        assert_eq!(made["content"], format!("insight {n}"));
        service.ok(201, post("task/fix-1/progress", json!({ "content": format!("step {n}") })));
    }
    for (list, name) in [("insights", "insight"), ("progress", "step")] {
        let mut seen = Vec::new();
        let mut target = format!("/v1/contexts/task/fix-1/{list}?limit=2");
        loop {
            let page = service.ok(200, get(&target));
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| item["content"].as_str().unwrap().to_string()));
            match page["next_cursor"].as_str() {
                Some(cursor) => {
                    target = format!("/v1/contexts/task/fix-1/{list}?limit=2&cursor={cursor}")
                }
                None => break,
            }
        }
        let expected: Vec<String> = (0..5).rev().map(|n| format!("{name} {n}")).collect();
        assert_eq!(seen, expected);
    }
    let problem = service.fails(
        "invalid-request",
        post("task/fix-1/insights", json!({ "content": "x", "importance": 2 })),
    );
    assert_eq!(problem["pointer"], "/importance");
    let problem =
        service.fails("invalid-request", post("task/fix-1/progress", json!({ "content": "" })));
    assert_eq!(problem["pointer"], "/content");
    let long = "x".repeat((64 << 10) + 1);
    let problem =
        service.fails("too-large", post("task/fix-1/progress", json!({ "content": long })));
    assert_eq!(problem["limit"], 64 << 10);
    service.fails("not-found", post("task/none/progress", json!({ "content": "x" })));
}

#[test]
fn lists_filter_and_page() {
    let mut service = chain();
    for n in 0..7 {
        service.ok(
            201,
            put(&format!("task/t{n}"), json!({ "data": { "n": n }, "parent": "checkout" })),
        );
    }
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| format!("{}/{}", item["level"], item["id"]).replace('"', ""))
            .collect()
    };
    let mut target = "/v1/contexts?limit=3".to_string();
    let mut seen = Vec::new();
    loop {
        let page = service.ok(200, get(&target));
        assert!(page["items"].as_array().unwrap().iter().all(|item| item.get("data").is_none()));
        seen.extend(ids(&page));
        match page["next_cursor"].as_str() {
            Some(cursor) => target = format!("/v1/contexts?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 11);
    assert_eq!(seen[..3], ["global/global", "project/shop", "branch/checkout"]);
    assert_eq!(ids(&service.ok(200, get("/v1/contexts?level=task&prefix=t"))).len(), 7);
    assert_eq!(ids(&service.ok(200, get("/v1/contexts?parent=shop"))), ["branch/checkout"]);
    assert_eq!(ids(&service.ok(200, get("/v1/contexts?under=branch/checkout"))).len(), 9);
    let shown = service.ok(200, get("/v1/contexts?prefix=t3&data=true"));
    assert_eq!(shown["items"][0]["data"], json!({ "n": 3 }));
    let cursor = Cursor::history(3);
    service.fails("invalid-request", get(&format!("/v1/contexts?cursor={cursor}")));
}

#[test]
fn deleting_is_refused_cascades_and_is_undone() {
    let mut service = chain();
    service.fails("has-children", call("DELETE", "/v1/contexts/branch/checkout"));
    let gone = service.ok(200, call("DELETE", "/v1/contexts/branch/checkout?cascade=true"));
    assert_eq!((&gone["deleted"], &gone["version"]), (&json!(2), &json!(2)));
    service.fails("not-found", get("/v1/contexts/task/fix-1"));
    service.fails("not-found", call("DELETE", "/v1/contexts/task/fix-1"));
    let back = post("branch/checkout/restore", json!({ "summary": "oops" }));
    let response = service.send(back);
    assert_eq!(response.header("ETag"), Some("\"v3\""));
    let back: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((&back["id"], &back["version"]), (&json!("checkout"), &json!(3)));
    assert_eq!(back["restored"].as_array().unwrap().len(), 2);
    assert_eq!(service.ok(200, get("/v1/contexts/task/fix-1"))["data"], json!({ "done": false }));
    service.fails("already-exists", call("POST", "/v1/contexts/branch/checkout/restore"));
    let history = service.ok(200, get("/v1/contexts/branch/checkout/history"));
    let changes: Vec<&str> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["change"].as_str().unwrap())
        .collect();
    assert_eq!(changes, ["restore", "delete", "create"]);

    // What one delete took comes back together, whichever of it is asked for.
    service.ok(200, call("DELETE", "/v1/contexts/branch/checkout?cascade=true"));
    let back = service.ok(200, call("POST", "/v1/contexts/task/fix-1/restore"));
    assert_eq!((&back["id"], &back["restored"][0]["id"]), (&json!("fix-1"), &json!("checkout")));
    // What two deletes took comes back one by one, the parent first.
    service.ok(200, call("DELETE", "/v1/contexts/task/fix-1"));
    service.ok(200, call("DELETE", "/v1/contexts/branch/checkout"));
    service.fails("parent-not-found", call("POST", "/v1/contexts/task/fix-1/restore"));
}

#[test]
fn moving_changes_the_chain() {
    let mut service = chain();
    service.ok(201, put("branch/other", json!({ "data": { "target": "x86" }, "parent": "shop" })));
    let moved = service.ok(200, post("task/fix-1/move", json!({ "parent": "other" })));
    assert_eq!(moved["parent"], "other");
    let view = service.ok(200, get("/v1/contexts/task/fix-1/resolved"));
    assert_eq!(view["data"]["target"], "x86");
    service.fails("parent-not-found", post("task/fix-1/move", json!({ "parent": "none" })));
    service.fails("invalid-request", post("project/shop/move", json!({ "parent": "global" })));
}

#[test]
fn secrets_show_as_markers_unless_revealed() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "api_key": "hunter2", "n": 1 } })));
    let shown = service.ok(200, get("/v1/contexts/project/p"));
    assert!(shown["data"]["api_key"]["$sealed"].is_string(), "{shown}");
    let target = "/v1/contexts/project/p?reveal=true";
    let response = service.send(get(target));
    assert_eq!(response.status, 403);
    assert_eq!(
        response.header("WWW-Authenticate"),
        Some(
            r#"Bearer realm="nacre", error="insufficient_scope", scope="contexts:read secrets:reveal""#
        )
    );
    let response = service.send(get(target).scopes("contexts:read secrets:reveal"));
    assert_eq!(response.header("Cache-Control"), Some("private, no-store, no-transform"));
    let revealed: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(revealed["data"]["api_key"], "hunter2");
    // What was read can be written back.
    let back = service.ok(200, put("project/p", json!({ "data": shown["data"] })));
    assert_eq!(back["version"], 1, "nothing has changed");
}
