//! Versions: history, diffs, rollback, as-of reads, the audit trail.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, post, put},
    service::{Call, Service, call, get},
};

#[test]
fn history_is_paged_and_its_patches_lead_forward() {
    let mut service = chain();
    for n in 1..=4 {
        service.ok(
            200,
            put("task/fix-1", json!({ "data": { "n": n }, "summary": format!("step {n}") })),
        );
    }
    let mut target = "/v1/contexts/task/fix-1/history?limit=2".to_string();
    let mut items: Vec<Value> = Vec::new();
    loop {
        let page = service.ok(200, get(&target));
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => {
                target = format!("/v1/contexts/task/fix-1/history?limit=2&cursor={cursor}")
            }
            None => break,
        }
    }
    let versions: Vec<u64> = items.iter().map(|item| item["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [5, 4, 3, 2, 1]);
    assert_eq!(items[0]["summary"], "step 4");
    assert_eq!(items[4]["summary"], Value::Null);
    assert_eq!(items[0]["patch"], json!([{ "op": "replace", "path": "/n", "value": 4 }]));
    assert_eq!(items[4]["change"], "create");
}

#[test]
fn versions_are_read_compared_and_brought_back() {
    let mut service = chain();
    service.ok(200, put("task/fix-1", json!({ "data": { "done": true } })));
    let old = service.ok(200, get("/v1/contexts/task/fix-1?version=1"));
    assert_eq!((&old["data"], &old["version"]), (&json!({ "done": false }), &json!(1)));
    assert_eq!(service.ok(200, get("/v1/contexts/task/fix-1?at=4"))["version"], 1);
    let diff = service.ok(200, get("/v1/contexts/task/fix-1/diff?from=1"));
    assert_eq!(diff["patch"], json!([{ "op": "replace", "path": "/done", "value": true }]));
    let diff = service.ok(200, get("/v1/contexts/task/fix-1/diff?from=2&to=1"));
    assert_eq!(diff["patch"], json!([{ "op": "replace", "path": "/done", "value": false }]));
    service.fails("not-found", get("/v1/contexts/task/fix-1?version=9"));
    service.fails("not-found", get("/v1/contexts/task/fix-1/diff?from=1&to=9"));
    service.fails("invalid-request", get("/v1/contexts/task/fix-1?version=1&at=1"));

    let back =
        service.ok(200, post("task/fix-1/rollback", json!({ "version": 1, "summary": "no" })));
    assert_eq!((&back["data"], &back["version"]), (&json!({ "done": false }), &json!(3)));
    service.fails("not-found", post("task/fix-1/rollback", json!({ "version": 9 })));
    let history = service.ok(200, get("/v1/contexts/task/fix-1/history"));
    assert_eq!(history["items"][0]["change"], "rollback");
}

#[test]
fn the_audit_trail_says_who_did_what_and_never_the_values() {
    let mut service = chain();
    service.ok(
        200,
        put("task/fix-1", json!({ "data": { "codename": "bluebird" } }))
            .header("X-Request-Id", "r-1"),
    );
    let response = service.send(get("/v1/audit?limit=1"));
    assert!(!String::from_utf8_lossy(&response.body).contains("bluebird"));
    let page: Value = serde_json::from_slice(&response.body).unwrap();
    let line = &page["items"][0];
    assert_eq!((&line["request_id"], &line["seq"]), (&json!("r-1"), &json!(5)));
    assert_eq!(
        line["deeds"],
        json!([{ "action": "update", "id": "fix-1", "level": "task", "member": null, "version": 2 }])
    );
    let cursor = page["next_cursor"].as_str().unwrap().to_string();
    let next = service.ok(200, get(&format!("/v1/audit?cursor={cursor}")));
    assert_eq!(next["items"].as_array().unwrap().len(), 4);
    assert_eq!(next["next_cursor"], Value::Null);
}

#[test]
fn two_writers_on_one_version_and_the_conflict_in_the_answer() {
    let mut service = chain();
    let first = put("task/fix-1", json!({ "data": { "done": true } })).header("If-Match", "\"v1\"");
    service.ok(200, first);
    let second =
        put("task/fix-1", json!({ "data": { "done": "maybe" } })).header("If-Match", "\"v1\"");
    let problem = service.fails("version-conflict", second);
    assert_eq!(problem["current_version"], 2);
    assert_eq!(
        problem["conflicts"],
        json!([{ "pointer": "/done", "base": false, "current": true, "yours": "maybe" }])
    );
    for call in [
        call("DELETE", "/v1/contexts/task/fix-1"),
        post("task/fix-1/unset", json!({ "pointers": ["/a"] })),
        post("task/fix-1/append", json!({ "pointer": "/a", "values": [] })),
        post("task/fix-1/rollback", json!({ "version": 1 })),
        post("task/fix-1/move", json!({ "parent": "checkout" })),
        call("PATCH", "/v1/contexts/task/fix-1").body("application/merge-patch+json", "{}"),
    ] {
        service.fails("version-conflict", call.clone().header("If-Match", "\"v1\""));
        service.fails("version-conflict", call.header("If-Match", "W/\"v1\""));
    }
    let create = || put("task/new", json!({ "data": {}, "parent": "checkout" }));
    service.fails("version-conflict", create().header("If-Match", "*"));
    service.ok(201, create().header("If-None-Match", "*"));
    let problem = service.fails("version-conflict", create().header("If-None-Match", "*"));
    assert_eq!(problem["current_version"], 1);
    service.ok(200, create().header("If-Match", "*"));
}

/// A refused write's problem, and the members that every stale write has.
fn stale(service: &mut Service, call: Call) -> Value {
    let problem = service.fails("version-conflict", call.header("If-Match", "\"v1\""));
    assert_eq!(problem["current_version"], 2);
    assert!(problem["detail"].as_str().unwrap().starts_with("expected version 1; current is 2."));
    problem
}

#[test]
fn every_kind_of_stale_write_names_its_conflicts() {
    let mut service = chain();
    service.ok(201, put("project/p", json!({ "data": { "l": ["a", "b", "c"], "m": 1 } })));
    let path = "/v1/contexts/project/p";
    let patch = |kind: &str, body: Value| call("PATCH", path).body(kind, body.to_string());
    let json_patch = |body| patch("application/json-patch+json", body);
    service.ok(200, json_patch(json!([{ "op": "remove", "path": "/l/2" }])));
    let (base, current) = (json!(["a", "b", "c"]), json!(["a", "b"]));
    for (write, yours) in [
        (
            json_patch(json!([{ "op": "replace", "path": "/l/0", "value": "x" }])),
            json!(["x", "b", "c"]),
        ),
        (patch("application/merge-patch+json", json!({ "l": [] })), json!([])),
        (put("project/p", json!({ "data": { "l": ["z"], "m": 2 } })), json!(["z"])),
        (
            post("project/p/append", json!({ "pointer": "/l", "values": ["d"] })),
            json!(["a", "b", "c", "d"]),
        ),
        (post("project/p/unset", json!({ "pointers": ["/l"] })), Value::Null),
    ] {
        let conflict = json!({ "pointer": "/l", "base": base, "current": current, "yours": yours });
        assert_eq!(stale(&mut service, write)["conflicts"], json!([conflict]));
    }
    for write in [
        json_patch(json!([{ "op": "replace", "path": "/m", "value": 2 }])),
        patch("application/merge-patch+json", json!({ "m": 2 })),
        put("project/p", json!({ "data": { "l": ["a", "b", "c"], "m": 2 } })),
        post("project/p/append", json!({ "pointer": "/n", "values": ["d"] })),
        post("project/p/unset", json!({ "pointers": ["/m"] })),
    ] {
        let problem = stale(&mut service, write);
        assert_eq!(problem["conflicts"], json!([]));
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("a retry on version 2 would go through"), "{detail}");
    }
    let never = put("project/p", json!({ "data": {} })).header("If-Match", "\"v9\"");
    let problem = service.fails("version-conflict", never);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("expected version 9; current is 2. Version 9 does not exist"));
}
