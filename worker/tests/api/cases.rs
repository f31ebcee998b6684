//! Small inputs that an early version got wrong, from public bug reports of similar systems and from
//! an independent model of the contract. Each test names its input.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, merge, post, put},
    service::{Service, call, get},
};

#[test]
fn an_id_of_dots_that_a_path_would_swallow_is_invalid_everywhere() {
    let mut service = Service::new();
    for id in [".", ".."] {
        let create = json!([{"action":"create","level":"project","context_id":id,"data":{}}]);
        assert_eq!(
            service.fails(
                "invalid-id",
                call("POST", "/v1/batch").json(json!({ "operations": create }))
            )["pointer"],
            "/operations/0/context_id"
        );
        let body = json!({ "data": {}, "parent": id });
        service.fails("invalid-id", put("branch/b", body));
        let line = json!({ "level": "project", "id": id, "data": {} }).to_string();
        service.fails("invalid-id", call("POST", "/v1/import").body("application/x-ndjson", line));
    }
    service.ok(201, put("project/...", json!({ "data": {} })));
}

#[test]
fn a_weak_tag_is_taken_as_the_version_it_names() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    let patch = merge("project/p", json!({ "a": 1 }));
    service.ok(200, patch.header("If-Match", "W/\"v1\""));
    let again = merge("project/p", json!({ "a": 2 }));
    assert_eq!(
        service.fails("version-conflict", again.header("If-Match", "W/\"v1\""))["current_version"],
        2
    );
    let read = service.send(get("/v1/contexts/project/p"));
    assert!(read.header("Cache-Control").unwrap().contains("no-transform"));
}

#[test]
fn a_state_in_the_future_is_refused_alike_and_names_the_newest() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    for target in [
        "/v1/contexts/project/p?at=100",
        "/v1/contexts/project/p/resolved?at=100",
        "/v1/contexts/project/p/resolved/diff?from=1&to=100",
    ] {
        let problem = service.fails("invalid-request", get(target));
        assert!(problem["detail"].as_str().unwrap().contains("newest is 1"), "{problem}");
    }
}

#[test]
fn a_store_whose_global_layer_was_deleted_is_as_one_that_never_had_one() {
    let mut service = Service::new();
    service.ok(201, put("global/global", json!({ "data": { "g": 1 } })));
    service.ok(200, call("DELETE", "/v1/contexts/global/global"));
    service.ok(201, put("project/p", json!({ "data": { "a": 1 } })));
    service.ok(200, merge("project/p", json!({ "a": 2 })));
    service.ok(
        201,
        call("PUT", "/v1/contexts/branch/b?create_parents=true")
            .json(json!({ "data": {}, "parent": "q0" })),
    );
    service.ok(200, call("DELETE", "/v1/contexts/project/p"));
    service.ok(200, post("project/p/restore", json!({})));
    let line = json!({ "level": "project", "id": "q", "data": {} }).to_string();
    service.ok(200, call("POST", "/v1/import").body("application/x-ndjson", line));
    let view = service.ok(200, get("/v1/contexts/project/p/resolved"));
    assert_eq!(view["data"], json!({ "a": 2 }));
}

#[test]
fn one_operation_nested_too_deep_is_refused_by_itself() {
    let mut service = Service::new();
    let deep = format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65));
    let good = |id: &str| {
        format!(r#"{{"action":"create","level":"project","context_id":"{id}","data":{{}}}}"#)
    };
    let bad = format!(r#"{{"action":"create","level":"project","context_id":"d","data":{deep}}}"#);
    let body =
        format!(r#"{{"transaction":false,"operations":[{},{bad},{}]}}"#, good("a"), good("b"));
    let answer = service.ok(200, call("POST", "/v1/batch").body("application/json", body));
    let statuses: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|r| &r["status"]).collect();
    assert_eq!(statuses, [201, 413, 201]);
}

#[test]
fn only_the_end_of_a_patch_must_keep_the_limits() {
    let mut service = Service::new();
    let deep = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    service.ok(
        201,
        call("PUT", "/v1/contexts/project/p")
            .body("application/json", format!(r#"{{"data":{{"x":{}}}}}"#, deep(40))),
    );
    // Halfway the value stands at a depth of more than 64.
    let patch = json!([
        { "op": "add", "path": "/y", "value": serde_json::from_str::<Value>(&deep(30)).unwrap() },
        { "op": "move", "from": "/x", "path": format!("/y{}", "/a".repeat(30)) },
        { "op": "remove", "path": "/y" },
    ]);
    let patch = call("PATCH", "/v1/contexts/project/p")
        .body("application/json-patch+json", patch.to_string());
    assert_eq!(service.ok(200, patch)["data"], json!({}));
}

#[test]
fn an_empty_upper_list_shadows_nothing_under_union() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "l": [] }, "rules": { "/l": "union" } })));
    service.ok(201, put("branch/b", json!({ "data": { "l": [1] }, "parent": "p" })));
    let view = service.ok(200, get("/v1/contexts/branch/b/resolved?explain=true"));
    assert_eq!(view["origins"]["/l/0"]["shadowed"], json!([]), "{}", view["origins"]);
}

#[test]
fn null_is_no_key() {
    let mut service = Service::new();
    let data = json!({ "l": [{ "id": null, "a": 1 }, { "id": null, "b": 2 }] });
    let rules = json!({ "/l": "keyed:id" });
    service.ok(201, put("project/p", json!({ "data": data, "rules": rules })));
    service.ok(
        201,
        put("branch/b", json!({ "data": { "l": [{ "id": null, "c": 3 }] }, "parent": "p" })),
    );
    let view = service.ok(200, get("/v1/contexts/branch/b/resolved"));
    assert_eq!(view["data"]["l"].as_array().unwrap().len(), 3, "{}", view["data"]);
}

#[test]
fn items_that_agree_in_one_of_two_keys_are_two() {
    let mut service = Service::new();
    let upper =
        json!({ "ports": [{ "port": 53, "proto": "TCP" }, { "port": 53, "proto": "UDP" }] });
    let rules = json!({ "/ports": "keyed:port,proto" });
    service.ok(201, put("project/p", json!({ "data": upper, "rules": rules })));
    let lower = json!({ "ports": [{ "port": 53, "proto": "UDP", "open": true }] });
    service.ok(201, put("branch/b", json!({ "data": lower, "parent": "p" })));
    let view = service.ok(200, get("/v1/contexts/branch/b/resolved"));
    assert_eq!(
        view["data"]["ports"],
        json!([
            { "port": 53, "proto": "TCP" },
            { "open": true, "port": 53, "proto": "UDP" },
        ])
    );
}

#[test]
fn a_layer_that_would_count_for_nothing_because_of_a_lock_is_refused() {
    let mut service = Service::new();
    let rules = json!({ "/o/k": "lock" });
    service.ok(201, put("global/global", json!({ "data": { "o": { "k": 1 } }, "rules": rules })));
    let body = json!({ "data": { "other": 5 }, "rules": { "": "replace" } });
    service.fails("locked", put("project/p", body.clone()));
    // Nor may a stored layer get such a rule.
    service.ok(201, put("project/p", json!({ "data": { "other": 5 } })));
    service.fails("locked", put("project/p", body));
}

#[test]
fn the_rules_of_the_layer_itself_count_in_the_check_of_locks() {
    let mut service = Service::new();
    let body = json!({ "data": { "a": { "b": 1 } }, "rules": { "/a/b": "lock" } });
    service.ok(201, put("project/p", body));
    let body = json!({ "data": { "a": { "d": 1 } }, "rules": { "/a": "replace" }, "parent": "p" });
    service.fails("locked", put("branch/b", body));
    let own = json!({ "data": { "z": 1 }, "rules": { "/z": "lock" }, "parent": "p" });
    service.ok(201, put("branch/b", own));
    service.ok(200, merge("branch/b", json!({ "z": 2 })));
}

#[test]
fn a_preview_names_every_place_that_a_lower_layer_overrides() {
    let mut service = Service::new();
    service.ok(201, put("global/global", json!({ "data": {} })));
    let data = json!({ "models": { "default": "large" } });
    service.ok(201, put("project/p", json!({ "data": data })));
    let trial = |service: &mut Service, patch: Value| {
        let preview = post("global/global/preview", json!({ "patch": patch }));
        service.ok(200, preview)["overridden_by"].clone()
    };
    let project = json!([{ "id": "p", "level": "project", "pointer": "/models/default" }]);
    assert_eq!(trial(&mut service, json!({ "models": { "default": "small" } })), project);
    assert_eq!(trial(&mut service, json!({ "models": 5 })), project);
    assert_eq!(trial(&mut service, json!({ "models": { "other": 1 } })), json!([]));
    service.ok(200, merge("global/global", json!({ "models": { "default": "tiny" } })));
    assert_eq!(trial(&mut service, json!({ "models": null })), project);
}

#[test]
fn every_line_of_a_view_diff_names_the_layers_responsible() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "l": [] } })));
    service.ok(200, merge("project/p", json!({ "l": [[]] })));
    service.ok(201, put("branch/b", json!({ "data": {}, "parent": "p" })));
    service.ok(200, merge("branch/b", json!({ "l": [[], 1] })));
    for (target, layer) in
        [("project/p/resolved/diff?from=1&to=2", "p"), ("branch/b/resolved/diff?from=3&to=4", "b")]
    {
        let diff = service.ok(200, get(&format!("/v1/contexts/{target}")));
        let lines = diff["patch"].as_array().unwrap();
        assert!(!lines.is_empty());
        for line in lines {
            assert_eq!(line["layers"][0]["id"], layer, "{line}");
        }
    }
}

#[test]
fn a_token_that_may_only_write_is_told_the_outcome_and_no_data() {
    let mut service = Service::new();
    let writes = |call: crate::service::Call| call.scopes("contexts:write");
    let made = service.ok(201, writes(put("project/p", json!({ "data": { "a": 1 } }))));
    assert_eq!((&made["version"], &made["data"]), (&json!(1), &Value::Null));
    service.ok(200, merge("project/p", json!({ "a": 2 })));
    let edited = service.ok(200, writes(merge("project/p", json!({ "b": 1 }))));
    assert_eq!((&edited["version"], &edited["data"]), (&json!(3), &Value::Null));
    let stale = writes(merge("project/p", json!({ "a": 3 }))).header("If-Match", "\"v1\"");
    let problem = service.fails("version-conflict", stale);
    assert_eq!((&problem["current_version"], &problem["conflicts"]), (&json!(3), &Value::Null));
    service.fails("forbidden", writes(get("/v1/contexts/project/p")));
}

/// The codes and pointers of an answer's notices.
fn notices(answer: &Value) -> Vec<(&str, &str)> {
    let notices = answer["notices"].as_array().map(Vec::as_slice).unwrap_or_default();
    notices
        .iter()
        .map(|notice| (notice["code"].as_str().unwrap(), notice["pointer"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_value_that_hides_an_inherited_list_or_object_is_told_once() {
    let mut service = Service::new();
    let project = json!({ "data": { "l": ["a", "b"], "o": { "x": 1 }, "m": ["c"], "n": [] },
        "rules": { "/m": "append" } });
    service.ok(201, put("project/p", project));
    service.ok(201, put("branch/b", json!({ "data": {}, "parent": "p" })));
    service.ok(201, put("task/t", json!({ "data": {}, "parent": "b" })));
    let append =
        |pointer: &str| post("task/t/append", json!({ "pointer": pointer, "values": ["c"] }));
    let hides = service.ok(200, append("/l"));
    assert_eq!(notices(&hides), [("hides-inherited", "/l")]);
    assert!(!hides["notices"][0]["detail"].as_str().unwrap().contains('"'), "no value is quoted");
    // It hides it already; a rule merges both; there is nothing to hide.
    for pointer in ["/l", "/m", "/n", "/new"] {
        assert_eq!(notices(&service.ok(200, append(pointer))), [], "{pointer}");
    }
    let both = merge("branch/b", json!({ "o": "none", "l": ["z"] }));
    assert_eq!(
        notices(&service.ok(200, both)),
        [("hides-inherited", "/l"), ("hides-inherited", "/o")]
    );
    let whole = service.ok(200, put("branch/b", json!({ "data": { "o": { "y": 1 } } })));
    assert_eq!(notices(&whole), []);
    let replaced =
        put("branch/b", json!({ "data": { "o": { "y": 1 } }, "rules": { "/o": "replace" } }));
    assert_eq!(notices(&service.ok(200, replaced)), [("hides-inherited", "/o")]);
    let batch = json!({ "operations": [
        { "action": "update", "level": "branch", "context_id": "b", "patch": { "l": [1] } },
        { "action": "update", "level": "branch", "context_id": "b", "patch": { "k": 1 } },
    ] });
    let results = service.ok(200, call("POST", "/v1/batch").json(batch));
    assert_eq!(notices(&results["results"][0]), [("hides-inherited", "/l")]);
    assert_eq!(notices(&results["results"][1]), []);
}

#[test]
fn an_import_takes_what_a_lock_ignores_and_says_so() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    service.ok(201, put("branch/b", json!({ "data": { "x": 1 }, "parent": "p" })));
    service.ok(200, put("project/p", json!({ "data": { "x": 0 }, "rules": { "/x": "lock" } })));
    let export = service.send(get("/v1/export"));
    let mut empty = Service::new();
    let import = call("POST", "/v1/import").body("application/x-ndjson", export.body);
    let imported = empty.ok(200, import);
    assert_eq!(
        (&imported["created"], notices(&imported)),
        (&json!(2), vec![("ignored-by-lock", "/x")])
    );
    let view = empty.ok(200, get("/v1/contexts/branch/b/resolved"));
    assert_eq!(view["data"]["x"], 0);
    empty.fails("locked", merge("branch/b", json!({ "x": 2 })));
}

#[test]
fn a_move_and_a_restore_under_a_lock_are_taken_and_told() {
    let mut service = Service::new();
    service.ok(201, put("project/free", json!({ "data": {} })));
    service.ok(201, put("project/tied", json!({ "data": { "x": 0 }, "rules": { "/x": "lock" } })));
    service.ok(201, put("branch/b", json!({ "data": { "x": 1 }, "parent": "free" })));
    let moved = service.ok(200, post("branch/b/move", json!({ "parent": "tied" })));
    assert_eq!(notices(&moved), [("ignored-by-lock", "/x")]);
    service.ok(200, call("DELETE", "/v1/contexts/branch/b"));
    let restored = service.ok(200, call("POST", "/v1/contexts/branch/b/restore"));
    assert_eq!(notices(&restored), [("ignored-by-lock", "/x")]);
}

#[test]
fn items_of_one_layer_with_one_key_are_told() {
    let mut service = Service::new();
    let port = |proto: &str| json!({ "port": 53, "proto": proto });
    let data = json!({ "ports": [port("TCP"), port("UDP")] });
    let of = |rule: &str| put("project/p", json!({ "data": data, "rules": { "/ports": rule } }));
    let twins = service.ok(201, of("keyed:port"));
    assert_eq!(notices(&twins), [("duplicate-key", "/ports/0")]);
    assert_eq!(notices(&service.ok(200, of("keyed:port,proto"))), []);
}

#[test]
fn an_export_imported_into_an_empty_store_brings_everything_back() {
    let mut service = chain();
    service.ok(200, merge("task/fix-1", json!({ "done": true })));
    service.ok(201, post("task/fix-1/insights", json!({ "content": "first", "importance": 0.5 })));
    service.ok(201, post("task/fix-1/insights", json!({ "content": "second" })));
    service.ok(201, post("task/fix-1/progress", json!({ "content": "half", "agent": "a" })));
    for n in 0..40 {
        service.ok(200, merge("project/shop", json!({ "n": n })));
    }
    let export = service.send(get("/v1/export")).body;
    let mut empty = Service::new();
    let import = |mode: &str| {
        let target = format!("/v1/import?mode={mode}");
        call("POST", &target).body("application/x-ndjson", export.clone())
    };
    let imported = empty.ok(200, import("create"));
    assert_eq!((&imported["created"], notices(&imported)), (&json!(4), vec![]));
    for read in [
        "project/shop/history?limit=200",
        "project/shop?version=7",
        "project/shop/diff?from=3&to=30",
        "task/fix-1/insights",
        "task/fix-1/progress",
        "task/fix-1",
        "task/fix-1/resolved",
    ] {
        // Commits and the ids of entries are those of the new store.
        let told = |mut answer: Value| {
            strip(&mut answer, &["seq", "id"]);
            answer
        };
        let target = format!("/v1/contexts/{read}");
        let (before, after) = (service.ok(200, get(&target)), empty.ok(200, get(&target)));
        assert_eq!(told(before), told(after), "{read}");
    }
    // A context that is there keeps its own past, and the answer says what was left out.
    let again = empty.ok(200, import("replace"));
    let codes: Vec<&str> = notices(&again).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["history-left-out"; 4]);
    empty.ok(200, merge("project/shop", json!({ "n": "new" })));
    assert_eq!(empty.ok(200, get("/v1/contexts/project/shop"))["version"], 42);
}

/// Removes members at any depth.
fn strip(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| strip(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, names)),
        _ => {}
    }
}

#[test]
fn a_context_that_is_created_again_starts_without_notes() {
    let mut service = Service::new();
    let notes = |service: &mut Service| {
        let listed = service.ok(200, get("/v1/contexts/project/p/insights"));
        let items = listed["items"].as_array().unwrap();
        items.iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    service.ok(201, put("project/p", json!({ "data": {} })));
    service.ok(201, post("project/p/insights", json!({ "content": "old" })));
    service.ok(200, call("DELETE", "/v1/contexts/project/p?cascade=true"));
    service.ok(200, call("POST", "/v1/contexts/project/p/restore"));
    assert_eq!(notes(&mut service), ["old"], "a restore brings them back");
    service.ok(200, call("DELETE", "/v1/contexts/project/p?cascade=true"));
    service.ok(201, put("project/p", json!({ "data": {} })));
    assert_eq!(notes(&mut service), [""; 0]);
    service.ok(201, post("project/p/insights", json!({ "content": "new" })));
    assert_eq!(notes(&mut service), ["new"]);
}
