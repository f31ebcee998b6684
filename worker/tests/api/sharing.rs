//! Members of projects, other users' stores, scopes, the end of a store.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, merge, post, put},
    service::{Call, Service, call, get},
};

fn bob(call: Call) -> Call {
    call.user("bob").header("Nacre-Owner", "alice")
}

fn share(role: &str) -> Call {
    call("PUT", "/v1/members/bob").json(json!({ "project": "shop", "role": role }))
}

#[test]
fn what_is_not_shared_reads_as_if_it_were_not_there() {
    let mut service = chain();
    let stranger = service.fails("not-found", bob(get("/v1/contexts/project/shop")));
    let nothing = service.fails("not-found", get("/v1/contexts/project/none"));
    assert_eq!(stranger, nothing);
    service.fails("not-found", bob(get("/v1/contexts")));
    service.fails("not-found", bob(get("/v1/audit")));
    service.fails("not-found", get("/v1/contexts/project/shop").user("bob"));
    service.fails("invalid-id", get("/v1/contexts/project/shop").header("Nacre-Owner", ""));
}

#[test]
fn readers_read_and_writers_write_their_project() {
    let mut service = chain();
    service.ok(201, put("project/private", json!({ "data": {} })));
    let member = service.ok(200, share("reader"));
    assert_eq!((&member["user"], &member["role"]), (&json!("bob"), &json!("reader")));
    let view = service.ok(200, bob(get("/v1/contexts/task/fix-1/resolved")));
    assert_eq!(view["data"]["style"]["lang"], "en");
    service.fails("not-found", bob(get("/v1/contexts/project/private")));
    let listed = service.ok(200, bob(get("/v1/contexts")));
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    service.fails("forbidden", bob(put("task/fix-1", json!({ "data": {} }))));
    service.fails("forbidden", bob(get("/v1/audit")));

    service.ok(200, share("writer"));
    let written = service.ok(200, bob(put("task/fix-1", json!({ "data": { "done": true } }))));
    assert_eq!(written["updated_by"], "bob");
    let members = service.ok(200, get("/v1/members"));
    assert_eq!(members["items"][0]["role"], "writer");

    let gone = service.send(call("DELETE", "/v1/members/bob?project=shop"));
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    service.fails("not-found", bob(get("/v1/contexts/project/shop")));
    service
        .fails("not-found", call("DELETE", "/v1/members/bob").json(json!({ "project": "shop" })));
    service.fails("invalid-request", call("DELETE", "/v1/members/bob"));
    let two = call("DELETE", "/v1/members/bob?project=shop").json(json!({ "project": "other" }));
    service.fails("invalid-request", two);
    service.fails(
        "not-found",
        call("PUT", "/v1/members/bob").json(json!({ "project": "x", "role": "reader" })),
    );
    service.fails(
        "invalid-id",
        call("PUT", "/v1/members/%00").json(json!({ "project": "x", "role": "reader" })),
    );
}

#[test]
fn guests_make_no_parents_wherever_those_once_stood() {
    let mut service = chain();
    service.ok(200, share("writer"));
    let gone = || call("DELETE", "/v1/contexts/branch/checkout?cascade=true");
    service.ok(200, gone());
    let made = |target: &str, body| bob(put(&format!("{target}?create_parents=true"), body));
    service.fails("not-found", made("task/new", json!({ "data": {}, "parent": "checkout" })));
    service.fails("not-found", made("task/fix-1", json!({ "data": {}, "parent": "checkout" })));
    service.fails("not-found", made("task/fix-1", json!({ "data": {} })));
    service.fails("not-found", made("branch/checkout", json!({ "data": {} })));
    service.fails("not-found", get("/v1/contexts/project/default"));
    service.fails("not-found", get("/v1/contexts/branch/checkout"));
    // Below what is there they may well add.
    service.ok(201, made("branch/checkout", json!({ "data": {}, "parent": "shop" })));
}

#[test]
fn a_deleted_project_stays_deleted_whatever_its_guests_do() {
    let mut service = chain();
    service.ok(200, share("writer"));
    service.ok(200, call("DELETE", "/v1/contexts/project/shop?cascade=true"));
    service.fails("not-found", bob(put("project/shop", json!({ "data": {} }))));
    service.fails("forbidden", bob(post("project/shop/restore", json!({}))));
    service.fails("forbidden", bob(post("branch/checkout/restore", json!({}))));
    service.fails("not-found", get("/v1/contexts/project/shop"));
    service.ok(200, post("branch/checkout/restore", json!({})));
    service.ok(200, get("/v1/contexts/task/fix-1"));
}

#[test]
fn a_guest_brings_back_nothing_that_went_with_the_same_batch_elsewhere() {
    let mut service = chain();
    service.ok(200, share("writer"));
    service.ok(201, put("project/private", json!({ "data": {} })));
    service.ok(201, put("branch/plans", json!({ "data": {}, "parent": "private" })));
    let delete = |id: &str| json!({ "action": "delete", "level": "branch", "context_id": id, "cascade": true });
    let batch = json!({ "operations": [delete("checkout"), delete("plans")] });
    service.ok(200, call("POST", "/v1/batch").json(batch));
    let back = service.ok(200, bob(post("branch/checkout/restore", json!({}))));
    let ids: Vec<_> = back["restored"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["checkout", "fix-1"]);
    service.fails("not-found", get("/v1/contexts/branch/plans"));
    let back = service.ok(200, post("branch/plans/restore", json!({})));
    assert_eq!(back["restored"].as_array().unwrap().len(), 1);
}

#[test]
fn users_with_any_name_can_be_named() {
    let mut service = chain();
    let target = "/v1/members/auth0%7Cb%C3%A9a%25";
    service.ok(200, call("PUT", target).json(json!({ "project": "shop", "role": "reader" })));
    assert_eq!(service.ok(200, get("/v1/members"))["items"][0]["user"], "auth0|béa%");
    let shared =
        get("/v1/contexts/project/shop").user("auth0|béa%").header("Nacre-Owner", "%61lice");
    service.ok(200, shared);
}

#[test]
fn scopes_are_demanded_before_the_body_is_read() {
    let mut service = chain();
    let read = || get("/v1/contexts/project/shop");
    service.fails("forbidden", read().scopes("contexts:write"));
    service.ok(200, read().scopes("admin"));
    let response = service.send(put("project/x", json!({ "data": {} })).scopes("contexts:read"));
    assert_eq!(response.status, 403);
    assert_eq!(
        response.header("WWW-Authenticate"),
        Some(r#"Bearer realm="nacre", error="insufficient_scope", scope="contexts:write""#)
    );
    // Inside a batch it is the operation that lacks it.
    let batch = call("POST", "/v1/batch").scopes("contexts:write").json(json!({
        "transaction": false,
        "operations": [{ "action": "get", "level": "project", "context_id": "shop" }]
    }));
    assert_eq!(service.ok(200, batch)["results"][0]["status"], 403);
}

#[test]
fn a_store_is_erased_by_its_admin_who_confirms_it() {
    let mut service = chain();
    let erase = || call("DELETE", "/v1/store").scopes("admin");
    service.fails("forbidden", call("DELETE", "/v1/store").header("Nacre-Confirm", "erase"));
    service.fails("invalid-request", erase());
    service.fails("invalid-request", erase().header("Nacre-Confirm", "yes"));
    service.fails("not-found", bob(erase()).header("Nacre-Confirm", "erase"));
    let gone = service.send(erase().header("Nacre-Confirm", "erase"));
    assert_eq!(gone.status, 204);
    let listed: Value = service.ok(200, get("/v1/contexts"));
    assert_eq!(listed["items"], json!([]));
}

/// A project of alice's that is shared with bob, with a branch from a private one.
fn moved_in(terms: Value) -> Service {
    let mut service = Service::new();
    service.ok(201, put("global/global", json!({ "data": { "house": "rule" } })));
    service.ok(201, put("project/ours", json!({ "data": { "draft": 1 } })));
    service.ok(201, put("project/mine", json!({ "data": {} })));
    let private = json!({ "data": { "plan": "mine" }, "parent": "mine" });
    service.ok(201, put("branch/b", private));
    service.ok(201, post("branch/b/insights", json!({ "content": "private thought" })));
    service.ok(200, put("branch/b", json!({ "data": { "plan": "ours" } })));
    service.ok(201, put("branch/gone", json!({ "data": { "old": 1 }, "parent": "ours" })));
    service.ok(200, call("DELETE", "/v1/contexts/branch/gone"));
    service.ok(200, post("branch/b/move", json!({ "parent": "ours" })));
    service.ok(200, call("PUT", "/v1/members/bob").json(terms));
    service.ok(200, put("branch/b", json!({ "data": { "plan": "later" } })));
    service
}

#[test]
fn the_private_past_of_what_is_moved_in_is_not_there_for_guests() {
    for history in ["from-share", "all"] {
        let terms = json!({ "project": "ours", "role": "writer", "history": history });
        let mut service = moved_in(terms);
        for past in [
            "branch/b?version=1",
            "branch/b?version=2",
            "branch/b?at=4",
            "branch/b/resolved?at=4",
            "branch/b/resolved/diff?from=4",
            "branch/b/diff?from=2",
            "branch/b/diff?from=2&to=4",
        ] {
            service.fails("not-found", bob(get(&format!("/v1/contexts/{past}"))));
        }
        let rollback = post("branch/b/rollback", json!({ "version": 1 }));
        service.fails("not-found", bob(rollback));
        let items = service.ok(200, bob(get("/v1/contexts/branch/b/history")));
        let text = items.to_string();
        assert!(!text.contains("mine") && !text.contains("private"), "{text}");
        let listed: Vec<u64> = items["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["version"].as_u64().unwrap())
            .collect();
        assert_eq!(listed, [4, 3], "what stood when it was shared, and what came after");
        let notes = service.ok(200, bob(get("/v1/contexts/branch/b/insights")));
        assert_eq!(notes["items"], json!([]));
    }
}

#[test]
fn a_guest_sees_a_project_from_the_commit_of_sharing_or_from_its_beginning() {
    for (history, status) in [("from-share", 404), ("all", 200)] {
        let terms = json!({ "project": "ours", "role": "writer", "history": history });
        let mut service = moved_in(terms);
        for past in ["project/ours?at=3", "project/ours/resolved?at=3", "branch/gone?version=1"] {
            let answer = service.send(bob(get(&format!("/v1/contexts/{past}"))));
            assert_eq!(answer.status, status, "{history} {past}");
        }
        let restored = service.send(bob(call("POST", "/v1/contexts/branch/gone/restore")));
        assert_eq!(restored.status, status, "{history}");
        // The state that stood when it was shared is there.
        service.ok(200, bob(get("/v1/contexts/project/ours?version=1")));
        service.ok(200, bob(get("/v1/contexts/project/ours?at=10")));
    }
}

#[test]
fn terms_are_shown_and_changed_and_each_request_names_all_of_them() {
    let mut service = moved_in(json!({ "project": "ours", "role": "reader", "global": false }));
    let members = service.ok(200, get("/v1/members"));
    let bobs = &members["items"][0];
    assert_eq!(
        (&bobs["history"], &bobs["reveal"], &bobs["global"]),
        (&json!("from-share"), &json!(false), &json!(false))
    );
    let view = service.ok(200, bob(get("/v1/contexts/branch/b/resolved")));
    assert_eq!(view["chain"][0]["level"], "project");
    assert_eq!(view["data"], json!({ "draft": 1, "plan": "later" }));
    let shared = json!({ "project": "ours", "role": "reader" });
    let since = bobs["since"].clone();
    let changed = service.ok(200, call("PUT", "/v1/members/bob").json(shared));
    assert_eq!((&changed["global"], &changed["since"]), (&json!(true), &since));
    let view = service.ok(200, bob(get("/v1/contexts/branch/b/resolved")));
    assert_eq!(view["data"]["house"], "rule");
    for (member, value) in [("history", json!("some")), ("reveal", json!(1)), ("global", json!(0))]
    {
        let terms = json!({ "project": "ours", "role": "reader", member: value });
        let refused = service.fails("invalid-request", call("PUT", "/v1/members/bob").json(terms));
        assert_eq!(refused["pointer"], format!("/{member}"));
    }
}

#[test]
fn guests_are_told_their_own_terms_and_nobody_elses() {
    let mut service = chain();
    service.ok(201, put("project/other", json!({ "data": {} })));
    service.fails("not-found", bob(get("/v1/members")));
    let with_carol = json!({ "project": "other", "role": "writer" });
    service.ok(200, call("PUT", "/v1/members/carol").json(with_carol));
    let member = service.ok(200, share("reader"));
    service.fails("forbidden", bob(get("/v1/members")).scopes("contexts:write"));
    let told = service.ok(200, bob(get("/v1/members")));
    assert_eq!(told, json!({ "items": [member] }));
    assert_eq!(service.ok(200, get("/v1/members"))["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_repeated_batch_reads_again_and_under_todays_rights() {
    let mut service = moved_in(json!({ "project": "ours", "role": "writer" }));
    let operations = json!([
        { "action": "update", "level": "branch", "context_id": "b", "patch": { "n": 1 } },
        { "action": "get", "level": "branch", "context_id": "b" },
        { "action": "get", "level": "project", "context_id": "ours" },
    ]);
    let batch = json!({ "transaction": false, "operations": operations });
    let send = || call("POST", "/v1/batch").json(batch.clone()).header("Idempotency-Key", "k");
    let first = service.ok(200, bob(send()));
    assert_eq!(first["results"][1]["data"]["n"], 1);
    service.ok(200, merge("branch/b", json!({ "n": 2 })));
    let again = service.send(bob(send()));
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    let again: Value = serde_json::from_slice(&again.body).unwrap();
    assert_eq!(again["results"][0], first["results"][0]);
    assert_eq!(again["results"][1]["data"]["n"], 2);
    service.ok(200, post("branch/b/move", json!({ "parent": "mine" })));
    let later = service.ok(200, bob(send()));
    assert_eq!(later["results"][1]["status"], 404);
    assert_eq!(later["results"][2]["status"], 200);
}

#[test]
fn a_replayed_answer_shows_no_data_to_a_token_that_may_only_write() {
    let mut service = chain();
    let send = || put("project/new", json!({ "data": { "x": 1 } })).header("Idempotency-Key", "k");
    assert_eq!(service.ok(201, send())["data"]["x"], 1);
    let again = service.ok(201, send().scopes("contexts:write"));
    assert_eq!((&again["version"], again.get("data")), (&json!(1), None));
}

#[test]
fn what_is_there_but_not_shared_answers_as_what_is_not_there() {
    let mut service = moved_in(json!({ "project": "ours", "role": "writer", "reveal": true }));
    service.ok(201, put("branch/mine", json!({ "data": { "x": 1 }, "parent": "mine" })));
    service.ok(201, put("branch/old", json!({ "data": { "x": 1 }, "parent": "mine" })));
    service.ok(200, call("DELETE", "/v1/contexts/branch/old"));
    let calls = |id: &str| {
        let of =
            |method: &str, rest: &str| call(method, &format!("/v1/contexts/branch/{id}{rest}"));
        let by = |rest: &str, body: Value| post(&format!("branch/{id}/{rest}"), body);
        let operation = |action: &str, more: Value| {
            let mut operation = json!({ "action": action, "level": "branch", "context_id": id });
            operation.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let body = json!({ "transaction": false, "operations": [operation] });
            call("POST", "/v1/batch").json(body)
        };
        vec![
            of("GET", ""),
            of("GET", "?version=1"),
            of("GET", "?at=1"),
            of("GET", "?reveal=true").scopes("contexts:read secrets:reveal"),
            of("GET", "/resolved"),
            of("GET", "/resolved?explain=true"),
            of("GET", "/resolved/diff?from=1"),
            of("GET", "/history"),
            of("GET", "/diff?from=1"),
            of("GET", "/insights"),
            of("GET", "/progress"),
            get(&format!("/v1/contexts?under=branch/{id}")),
            merge(&format!("branch/{id}"), json!({ "x": 2 })),
            merge(&format!("branch/{id}"), json!({ "x": 2 })).header("If-Match", "\"v1\""),
            of("DELETE", ""),
            of("POST", "/restore"),
            by("unset", json!({ "pointers": ["/x"] })),
            by("append", json!({ "pointer": "/l", "values": [1] })),
            by("rollback", json!({ "version": 1 })),
            by("move", json!({ "parent": "ours" })),
            by("insights", json!({ "content": "x" })),
            by("preview", json!({ "patch": { "x": 2 } })),
            put(&format!("branch/{id}"), json!({ "data": {}, "parent": "elsewhere" })),
            put("task/new", json!({ "data": {}, "parent": id })),
            put("task/new?create_parents=true", json!({ "data": {}, "parent": id })),
            operation("get", json!({})),
            operation("update", json!({ "patch": {} })),
            operation("update", json!({ "patch": {}, "expect_version": 1 })),
            operation("create", json!({ "data": {}, "parent": "mine" })),
            operation("add_progress", json!({ "content": "x" })),
        ]
    };
    let answer = |service: &mut Service, call: Call| {
        let answer = service.send(bob(call));
        let own = ["x-request-id", "server-timing"];
        let headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !own.contains(&name.to_lowercase().as_str()))
            .cloned()
            .collect();
        (answer.status, String::from_utf8(answer.body).unwrap(), headers)
    };
    for ((hidden, gone), nothing) in calls("mine").into_iter().zip(calls("old")).zip(calls("none"))
    {
        let (path, expected) = (nothing.path().to_owned(), answer(&mut service, nothing));
        for (call, id) in [(hidden, "mine"), (gone, "old")] {
            let shown = answer(&mut service, call);
            let shown = (shown.0, shown.1.replace(&format!("/{id}"), "/none"), shown.2);
            assert_eq!(shown, expected, "{path}");
        }
    }
    let seq = service.send(get("/v1/contexts")).header("Nacre-Seq").map(String::from);
    service.ok(200, merge("branch/mine", json!({ "x": 3 })));
    assert_ne!(service.send(get("/v1/contexts")).header("Nacre-Seq").map(String::from), seq);
}

#[test]
fn a_guest_restores_nothing_in_a_project_that_is_not_theirs() {
    let mut service = chain();
    service.ok(200, share("writer"));
    service.ok(201, put("project/private", json!({ "data": {} })));
    service.ok(200, call("DELETE", "/v1/contexts/task/fix-1"));
    service.ok(200, post("branch/checkout/move", json!({ "parent": "private" })));
    // It was deleted in the shared project, and would come back in the other one.
    let restore = || post("task/fix-1/restore", json!({}));
    let nothing = service.fails("not-found", bob(post("task/none/restore", json!({}))));
    assert_eq!(service.fails("not-found", bob(restore())), nothing);
    let read = get("/v1/contexts/task/fix-1/history");
    service.ok(200, bob(read));
    service.ok(200, restore());
    service.fails("not-found", bob(get("/v1/contexts/task/fix-1")));
}

#[test]
fn a_guest_is_not_told_why_a_version_from_before_was_made() {
    let mut service = chain();
    let why = |why: &str| json!({ "data": {}, "summary": why });
    service.ok(200, put("branch/checkout", why("before")));
    service.ok(200, share("reader"));
    let told = |service: &mut Service| {
        let items =
            service.ok(200, bob(get("/v1/contexts/branch/checkout/history")))["items"].take();
        let items: Vec<Value> = items.as_array().unwrap().clone();
        items.iter().map(|item| item["summary"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut service), [Value::Null]);
    service.ok(200, put("branch/checkout", json!({ "data": { "a": 1 }, "summary": "after" })));
    service.ok(200, call("DELETE", "/v1/contexts/branch/checkout?cascade=true&summary=gone"));
    assert_eq!(told(&mut service), [json!("gone"), json!("after"), Value::Null]);
}
