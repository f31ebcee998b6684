//! Members of projects, other users' stores, scopes, the end of a store.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, post, put},
    service::{Call, call, get},
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
    service.fails("forbidden", bob(get("/v1/members")));

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
