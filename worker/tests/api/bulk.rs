//! Batches, idempotency keys, export and import.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    contexts::{chain, merge, put},
    service::{Call, Service, call, get},
};

fn batch(body: Value) -> Call {
    call("POST", "/v1/batch").json(body)
}

#[test]
fn revealed_values_count_for_the_size_of_an_answer() {
    let mut service = Service::new();
    let ids = ["a", "b", "c", "d", "e", "f"];
    for id in ids {
        let data = json!({ "data": { "password": id.repeat(1_000_000) } });
        service.ok(201, put(&format!("project/{id}"), data));
    }
    let scopes = "contexts:read contexts:write secrets:reveal";
    let get_it =
        |id: &str| json!({ "action": "get", "level": "project", "context_id": id, "reveal": true });
    let gets = |ids: &[&str]| {
        let operations: Vec<Value> = ids.iter().map(|id| get_it(id)).collect();
        batch(json!({ "operations": operations })).scopes(scopes)
    };
    service.ok(200, gets(&ids[..4]));
    assert_eq!(service.fails("too-large", gets(&ids))["failed_operation"], 4);
    let page = service.ok(200, get("/v1/contexts?data=true&reveal=true").scopes(scopes));
    assert_eq!(page["items"].as_array().unwrap().len(), 5, "the page ends once it holds enough");
    assert!(page["next_cursor"].is_string());
    assert_eq!(
        service.ok(200, get("/v1/contexts?data=true"))["items"].as_array().unwrap().len(),
        6
    );
}

#[test]
fn a_transaction_is_all_or_nothing_and_later_operations_see_earlier_ones() {
    let mut service = chain();
    let done = service.ok(
        200,
        batch(json!({ "operations": [
            { "action": "create", "level": "project", "context_id": "p", "data": { "a": 1 } },
            { "action": "create", "level": "branch", "context_id": "b", "parent": "p", "data": {} },
            { "action": "update", "level": "project", "context_id": "p", "patch": { "a": 2 }, "expect_version": 1 },
            { "action": "append", "level": "project", "context_id": "p", "pointer": "/l", "values": [1] },
            { "action": "unset", "level": "branch", "context_id": "b", "pointers": ["/l"] },
            { "action": "add_insight", "level": "branch", "context_id": "b", "content": "i" },
            { "action": "add_progress", "level": "branch", "context_id": "b", "content": "p" },
            { "action": "get", "level": "project", "context_id": "p" },
            { "action": "resolve", "level": "branch", "context_id": "b" },
            { "action": "rollback", "level": "project", "context_id": "p", "version": 1 },
            { "action": "delete", "level": "branch", "context_id": "b" },
            { "action": "restore", "level": "branch", "context_id": "b" },
            { "action": "move", "level": "task", "context_id": "fix-1", "parent": "b" },
            { "action": "put", "level": "project", "context_id": "p", "data": {} }
        ] })),
    );
    let statuses: Vec<u64> = done["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [201, 201, 200, 200, 200, 201, 201, 200, 200, 200, 200, 200, 200, 200]);
    assert_eq!(done["results"][7]["data"], json!({ "a": 2, "l": [1] }));
    assert_eq!(done["results"][8]["data"]["a"], 2);
    assert_eq!(done["results"][8]["seq"], 5, "the state it shows");
    assert_eq!(done["results"][13]["version"], 5);
    assert_eq!(done["results"][2].get("data"), None, "a write does not repeat its data");
    assert_eq!(done["seq"], 5, "one commit");

    let problem = service.fails(
        "has-children",
        batch(json!({ "operations": [
            { "action": "update", "level": "project", "context_id": "p", "patch": { "z": 1 } },
            { "action": "delete", "level": "project", "context_id": "p" }
        ] })),
    );
    assert_eq!(problem["failed_operation"], 1);
    assert_eq!(service.ok(200, get("/v1/contexts/project/p"))["data"], json!({}));
}

#[test]
fn best_effort_gives_each_operation_its_own_status() {
    let mut service = chain();
    let done = service.ok(
        200,
        batch(json!({ "transaction": false, "operations": [
            { "action": "create", "level": "project", "context_id": "shop", "data": {} },
            { "action": "get", "level": "task", "context_id": "none" },
            { "action": "update", "level": "task", "context_id": "fix-1", "patch": { "done": true } },
            { "action": "update", "level": "task", "context_id": "fix-1" },
            { "action": "update", "level": "task", "context_id": "fix-1", "patch": {}, "expect_version": 1 },
            { "action": "resolve", "level": "task", "context_id": "fix-1", "path": "/done" }
        ] })),
    );
    let codes: Vec<&Value> =
        done["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert_eq!(
        codes,
        [
            &json!("already-exists"),
            &json!("not-found"),
            &Value::Null,
            &json!("invalid-request"),
            &json!("version-conflict"),
            &Value::Null
        ]
    );
    assert_eq!(done["results"][3]["pointer"], "/operations/3");
    assert_eq!(done["results"][5]["data"], true);
}

#[test]
fn a_batch_has_limits_and_a_shape() {
    let mut service = chain();
    let op = json!({ "action": "get", "level": "task", "context_id": "fix-1" });
    service.ok(200, batch(json!({ "operations": vec![op.clone(); 500] })));
    let problem =
        service.fails("too-many-operations", batch(json!({ "operations": vec![op; 501] })));
    assert_eq!(problem["limit"], 500);
    let more = json!({ "action": "get", "level": "task", "context_id": "fix-1", "x": 1 });
    let problem = service.fails("invalid-request", batch(json!({ "operations": [more] })));
    assert_eq!(
        (&problem["failed_operation"], &problem["pointer"]),
        (&json!(0), &json!("/operations/0/x"))
    );
    service.fails("invalid-request", batch(json!({ "operations": [], "atomic": true })));
    service.ok(200, batch(json!({ "operations": [] })));
    let long = vec![b' '; (4 << 20) + 1];
    let problem =
        service.fails("too-large", call("POST", "/v1/batch").body("application/json", long));
    assert_eq!(problem["limit"], 4 << 20);
}

#[test]
fn a_repeated_key_gives_the_first_answer() {
    let mut service = chain();
    let create =
        || put("project/once", json!({ "data": { "a": 1 } })).header("Idempotency-Key", "\"k-1\"");
    let first = service.send(create());
    assert_eq!((first.status, first.header("Idempotency-Replayed")), (201, None));
    service.ok(200, put("project/once", json!({ "data": { "a": 2 } })));
    let again = service.send(create());
    assert_eq!((again.status, again.header("Idempotency-Replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
    for name in ["ETag", "Location", "Nacre-Seq"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(service.ok(200, get("/v1/contexts/project/once"))["data"], json!({ "a": 2 }));
    // The same key, bare, is the same key.
    let other = put("project/once", json!({ "data": { "a": 3 } })).header("Idempotency-Key", "k-1");
    service.fails("idempotency-mismatch", other);
    let other = put("project/else", json!({ "data": { "a": 1 } })).header("Idempotency-Key", "k-1");
    service.fails("idempotency-mismatch", other);
    service.now += 24 * 60 * 60;
    assert_eq!(service.send(create()).header("Idempotency-Replayed"), None, "a day has passed");
    for key in ["", "\"\"", &"k".repeat(256)] {
        service.fails(
            "invalid-request",
            put("project/p", json!({ "data": {} })).header("Idempotency-Key", key),
        );
    }
}

#[test]
fn an_operation_of_a_batch_has_a_key_of_its_own() {
    let mut service = chain();
    let body = json!({ "operations": [{
        "action": "append", "level": "project", "context_id": "shop", "pointer": "/team",
        "values": ["grace"], "idempotency_key": "a"
    }] });
    let first = service.ok(200, batch(body.clone()));
    let again = service.ok(200, batch(body));
    assert_eq!(again["results"][0]["replayed"], true);
    assert_eq!(again["results"][0]["version"], first["results"][0]["version"]);
    assert_eq!(
        service.ok(200, get("/v1/contexts/project/shop"))["data"]["team"],
        json!(["ada", "grace"])
    );
}

fn lines(text: &str) -> Call {
    call("POST", "/v1/import").body("application/x-ndjson", text)
}

#[test]
fn an_export_can_be_imported() {
    let mut service = chain();
    service.ok(201, crate::contexts::post("task/fix-1/insights", json!({ "content": "i" })));
    service.ok(
        200,
        put("task/fix-1", json!({ "data": { "done": true }, "rules": { "/done": "lock" } })),
    );
    for n in 0..9 {
        service.ok(201, put(&format!("project/p{n}"), json!({ "data": { "n": n } })));
    }
    let response = service.send(get("/v1/export"));
    assert_eq!(response.header("Content-Type"), Some("application/x-ndjson"));
    let text = String::from_utf8(response.body).unwrap();
    let exported: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.len(), 13);
    let task = exported.iter().find(|line| line["id"] == "fix-1").unwrap();
    let versions: Vec<_> =
        task["history"].as_array().unwrap().iter().map(|item| &item["version"]).collect();
    assert_eq!(versions, [2, 1]);
    assert_eq!(task["history"][1]["data"], json!({ "done": false }));
    assert_eq!(task["insights"][0]["content"], "i");

    let import = || lines(&text).user("bob");
    let done = service.ok(200, import());
    assert_eq!((&done["created"], &done["seq"]), (&json!(13), &json!(1)));
    let view = |service: &mut Service, user: &str| {
        service.ok(200, get("/v1/contexts/task/fix-1/resolved").user(user))["hash"].clone()
    };
    assert_eq!(view(&mut service, "alice"), view(&mut service, "bob"));
    service.fails("already-exists", import());
    let replaced = call("POST", "/v1/import?mode=replace")
        .body("application/x-ndjson", text.as_str())
        .user("bob");
    assert_eq!(service.ok(200, replaced)["replaced"], 13);
}

/// Every page of a list: how many, and all items.
fn pages(service: &mut Service, path: &str) -> (usize, Vec<Value>) {
    let (mut pages, mut items, mut cursor) = (0, Vec::new(), String::new());
    loop {
        let mut page = service.ok(200, get(&format!("{path}{cursor}")));
        pages += 1;
        items.append(page["items"].as_array_mut().unwrap());
        let Some(next) = page["next_cursor"].as_str() else { return (pages, items) };
        cursor = format!("&cursor={next}");
    }
}

/// Contexts of nearly a MiB each.
fn large(count: usize) -> Service {
    let mut service = Service::new();
    for n in 0..count {
        let data = json!({ "text": format!("{n}{}", "x".repeat((1 << 20) - 20)) });
        service.ok(201, put(&format!("project/p{n}"), json!({ "data": data })));
    }
    service
}

#[test]
fn a_page_with_much_data_ends_early_and_none_is_missing() {
    let mut service = large(6);
    let (pages, items) = pages(&mut service, "/v1/contexts?data=true");
    assert_eq!((pages, items.len()), (2, 6));
    let page = service.ok(200, get("/v1/contexts"));
    assert_eq!(page["items"].as_array().unwrap().len(), 6, "it holds no data");
}

#[test]
fn an_answer_of_many_reads_has_a_limit() {
    let mut service = large(5);
    let reads = |transaction, count| {
        let operations: Vec<_> = (0..count)
            .map(|n| json!({ "action": "get", "level": "project", "context_id": format!("p{n}") }))
            .collect();
        batch(json!({ "transaction": transaction, "operations": operations }))
    };
    service.ok(200, reads(true, 4));
    let problem = service.fails("too-large", reads(true, 5));
    assert_eq!((&problem["failed_operation"], &problem["limit"]), (&json!(4), &json!(4 << 20)));
    let results = service.ok(200, reads(false, 5));
    assert_eq!(results["results"][3]["status"], 200);
    assert_eq!(results["results"][4]["status"], 413);
}

#[test]
fn a_preview_that_would_be_too_large_is_refused() {
    let mut service = large(1);
    let branch = |n| put(&format!("branch/b{n}"), json!({ "data": {}, "parent": "p0" }));
    let preview = || {
        let body = json!({ "patch": { "text": null } }).to_string();
        call("POST", "/v1/contexts/project/p0/preview").body("application/json", body)
    };
    for n in 0..3 {
        service.ok(201, branch(n));
    }
    assert_eq!(service.ok(200, preview())["affected"].as_array().unwrap().len(), 4);
    service.ok(201, branch(3));
    service.fails("too-large", preview());
}

#[test]
fn a_long_history_of_large_versions_is_exported_whole() {
    let mut service = Service::new();
    for n in 0..9 {
        let data = json!({ "text": format!("{n}{}", "x".repeat((1 << 20) - 20)) });
        service.send(put("project/p", json!({ "data": data })));
    }
    let text = String::from_utf8(service.send(get("/v1/export")).body).unwrap();
    let line: Value = serde_json::from_str(text.trim_end()).unwrap();
    let first: Vec<_> = line["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["data"]["text"].as_str().unwrap()[..1].to_owned())
        .collect();
    assert_eq!(first, ["8", "7", "6", "5", "4", "3", "2", "1", "0"]);
    let (pages, items) = pages(&mut service, "/v1/contexts/project/p/history?limit=200");
    assert_eq!((pages, items.len()), (2, 9));
}

#[test]
fn an_import_stops_at_the_line_that_fails_and_keeps_whole_blocks() {
    let mut service = Service::new();
    let mut text: String = (0..700)
        .map(|n| format!("{{\"level\":\"project\",\"id\":\"p{n}\",\"data\":{{}}}}\n\n"))
        .collect();
    text.push_str("{\"level\":\"project\",\"id\":\"p1\",\"data\":[]}");
    let problem = service.fails("invalid-request", lines(&text));
    assert_eq!(
        (&problem["failed_operation"], &problem["pointer"]),
        (&json!(1400), &json!("/data"))
    );
    let seen = service.ok(200, get("/v1/contexts/project/p499"));
    assert_eq!(seen["version"], 1);
    service.fails("not-found", get("/v1/contexts/project/p500"));
    assert_eq!(service.ok(200, lines(""))["created"], 0);
    service.fails("invalid-json", lines("{\"level\":"));
    service.fails(
        "invalid-request",
        call("POST", "/v1/import?mode=merge").body("application/x-ndjson", ""),
    );
}

#[test]
fn a_repeated_import_does_nothing_twice() {
    let mut service = Service::new();
    let text: String = (0..700)
        .map(|n| format!("{{\"level\":\"project\",\"id\":\"p{n}\",\"data\":{{}}}}\n"))
        .collect();
    let import = || lines(&text).header("Idempotency-Key", "import-1");
    let first = service.ok(200, import());
    assert_eq!((&first["created"], &first["seq"]), (&json!(700), &json!(2)));
    let again = service.ok(200, import());
    assert_eq!((&again["created"], &again["seq"]), (&json!(700), &json!(2)));
    service.fails("idempotency-mismatch", lines(&text[1..]).header("Idempotency-Key", "import-1"));
}

#[test]
fn the_main_job() {
    let layers = nacre_tests::shared_gz("layers/govuk.ndjson.gz");
    let expected = nacre_tests::shared_gz("layers/govuk.expected.ndjson.gz");
    let (Some(layers), Some(expected)) = (layers, expected) else { return };
    let mut service = Service::new();
    let import = call("POST", "/v1/import").body("application/x-ndjson", layers);
    assert_eq!(service.ok(200, import)["created"], 239);
    let mut seen = BTreeMap::new();
    for line in String::from_utf8(expected).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let name = format!("{}/{}", line["level"].as_str().unwrap(), line["id"].as_str().unwrap());
        let target = format!("/v1/contexts/{name}/resolved?reveal=true");
        let response = service.send(get(&target).scopes("contexts:read secrets:reveal"));
        assert_eq!(response.status, 200, "{name}");
        let view = nacre_core::json::read(&response.body, 70).unwrap();
        let data = view.as_object().unwrap().get("data").unwrap();
        let digest = Sha256::digest(nacre_core::json::write(data));
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, line["sha256"], "{name}");
        seen.insert(name, digest);
    }
    assert_eq!(seen.len(), 239);
}

#[test]
fn operations_that_fail_have_done_their_work_too() {
    let mut service = Service::new();
    let text = "x".repeat(1_000_000);
    service.ok(201, put("project/p", json!({ "data": { "text": text } })));
    for n in 2..34 {
        service.ok(200, merge("project/p", json!({ "n": n })));
    }
    let batch = |service: &mut Service, operation: Value| {
        let body = json!({ "transaction": false, "operations": vec![operation; 140] });
        let answer = service.ok(200, call("POST", "/v1/batch").json(body));
        let results = answer["results"].as_array().unwrap();
        let first = results.iter().position(|result| result["code"] == "too-large");
        first.inspect(|first| {
            assert!(results[*first..].iter().all(|result| result["code"] == "too-large"));
        })
    };
    let p = |action: &str| json!({ "action": action, "level": "project", "context_id": "p" });
    let with = |mut operation: Value, name: &str, value: Value| {
        operation[name] = value;
        operation
    };
    // To make version 1 goes through 31 MB.
    let stale = with(with(p("rollback"), "version", json!(1)), "expect_version", json!(1));
    assert_eq!(batch(&mut service, stale), Some(4));
    let path = with(p("resolve"), "path", json!("/none"));
    assert_eq!(batch(&mut service, path), Some(134));
    // What fails at once costs nothing.
    let unknown = json!({ "action": "delete", "level": "project", "context_id": "none" });
    assert_eq!(batch(&mut service, unknown), None);
}

#[test]
fn a_move_counts_what_it_looks_at_below() {
    let mut service = chain();
    service.ok(201, put("project/other", json!({ "data": {} })));
    let large = json!({ "data": { "text": "x".repeat(1_000_000) }, "parent": "checkout" });
    for id in ["a", "b", "c"] {
        service.ok(201, put(&format!("task/{id}"), large.clone()));
    }
    let to = |parent: &str| json!({ "action": "move", "level": "branch", "context_id": "checkout", "parent": parent });
    let moves = |pairs: usize| {
        let pairs = (0..pairs).flat_map(|_| [to("other"), to("shop")]);
        json!({ "operations": pairs.collect::<Vec<_>>() })
    };
    service.ok(200, batch(moves(1)));
    let problem = service.fails("too-large", batch(moves(23)));
    assert_eq!((&problem["limit"], &problem["failed_operation"]), (&json!(128 << 20), &json!(44)));
}

#[test]
fn a_repeat_without_the_scope_to_read_shows_no_conflicts() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "a": "stored" } })));
    service.ok(200, merge("project/p", json!({ "a": "theirs" })));
    let stale = json!({
        "action": "update", "level": "project", "context_id": "p",
        "patch": { "a": "mine" }, "expect_version": 1,
    });
    let body = json!({ "transaction": false, "operations": [stale] });
    let ask = || batch(body.clone()).header("Idempotency-Key", "k");
    let first = service.ok(200, ask());
    assert_eq!(first["results"][0]["conflicts"][0]["current"], "theirs");
    assert_eq!(service.ok(200, ask())["results"], first["results"]);
    let blind = service.ok(200, ask().scopes("contexts:write"));
    assert_eq!(blind["results"][0]["current_version"], 2);
    assert!(!blind.to_string().contains("theirs"), "{blind}");
}
