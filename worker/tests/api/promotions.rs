//! Promotions over HTTP: statuses, permissions, idempotency keys, export and erase.

use serde_json::{Value, json};

use crate::{
    contexts::{chain, merge, put},
    service::{Call, Service, call, get},
};

fn proposal() -> Value {
    json!({
        "from": { "level": "task", "id": "fix-1" },
        "pointer": "/found",
        "to": { "level": "project", "id": "shop" },
        "reason": "seen in every task",
        "evidence": { "tasks": 3 }
    })
}

/// A chain whose task holds a finding.
fn found() -> Service {
    let mut service = chain();
    service.ok(200, merge("task/fix-1", json!({ "found": { "cause": "clock" } })));
    service
}

fn propose() -> Call {
    call("POST", "/v1/promotions").json(proposal())
}

fn settle(id: &Value, verdict: &str) -> Call {
    call("POST", &format!("/v1/promotions/{}/{verdict}", id.as_str().unwrap()))
}

fn bob(call: Call) -> Call {
    call.user("bob").header("Nacre-Owner", "alice")
}

#[test]
fn a_value_moves_up_and_back() {
    let mut service = found();
    let before = service.ok(200, get("/v1/contexts/task/fix-1/resolved"));
    let layers = |service: &mut Service| {
        ["task/fix-1", "project/shop"]
            .map(|place| service.ok(200, get(&format!("/v1/contexts/{place}")))["data"].clone())
    };
    let [task, project] = layers(&mut service);
    let made = service.ok(201, propose());
    assert_eq!([&made["state"], &made["value"]["cause"]], ["proposed", "clock"]);
    assert_eq!(layers(&mut service), [task.clone(), project.clone()], "nothing has moved yet");

    let approved = service.ok(200, settle(&made["id"], "approve"));
    assert_eq!(approved["state"], "approved");
    let after = service.ok(200, get("/v1/contexts/task/fix-1/resolved"));
    assert_eq!((&after["data"], &after["hash"]), (&before["data"], &before["hash"]));
    let [moved, raised] = layers(&mut service);
    assert_eq!((&moved["found"], &raised["found"]["cause"]), (&Value::Null, &json!("clock")));
    let history = service.ok(200, get("/v1/contexts/project/shop/history?limit=1"));
    let id = made["id"].as_str().unwrap();
    let summary = format!("promotion {id}: seen in every task");
    assert_eq!(history["items"][0]["summary"], summary.as_str());

    assert_eq!(service.ok(200, settle(&made["id"], "undo"))["state"], "undone");
    assert_eq!(layers(&mut service), [task, project]);
    service.fails("merge-conflict", settle(&made["id"], "approve"));
}

#[test]
fn a_stale_proposal_is_a_conflict_and_says_so_in_the_list() {
    let mut service = found();
    let made = service.ok(201, propose());
    service.ok(200, merge("task/fix-1", json!({ "found": { "cause": "time zone" } })));
    let listed = service.ok(200, get("/v1/promotions?state=stale"));
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert_eq!(service.ok(200, get("/v1/promotions?state=proposed"))["items"], json!([]));
    service.fails("version-conflict", settle(&made["id"], "approve"));
    assert_eq!(service.ok(200, settle(&made["id"], "decline"))["state"], "declined");
    service.fails("invalid-request", get("/v1/promotions?state=open"));
    service.fails("invalid-request", get("/v1/promotions?cursor=x"));
}

#[test]
fn a_key_makes_one_proposal_and_one_approval() {
    let mut service = found();
    let first = service.ok(201, propose().header("Idempotency-Key", "one"));
    let again = service.send(propose().header("Idempotency-Key", "one"));
    assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
    assert_eq!(service.ok(200, get("/v1/promotions"))["items"].as_array().unwrap().len(), 1);
    let approve = || settle(&first["id"], "approve").header("Idempotency-Key", "two");
    let approved = service.ok(200, approve());
    service.ok(200, settle(&first["id"], "undo"));
    // The first answer, although it has been undone since.
    assert_eq!(service.ok(200, approve()), approved);
    let other = settle(&first["id"], "undo").header("Idempotency-Key", "two");
    service.fails("idempotency-mismatch", other);
}

#[test]
fn both_places_must_be_writable_and_what_is_hidden_looks_absent() {
    let mut service = found();
    service.ok(200, put("global/global", json!({ "data": {} })));
    let share = |role: &str| {
        call("PUT", "/v1/members/bob").json(json!({ "project": "shop", "role": role }))
    };
    service.ok(200, share("reader"));
    service.fails("forbidden", bob(propose()));
    service.ok(200, share("writer"));
    let mut upward = proposal();
    upward["to"] = json!({ "level": "global", "id": "global" });
    let hidden =
        service.fails("not-found", bob(call("POST", "/v1/promotions").json(upward.clone())));
    upward["to"] = json!({ "level": "project", "id": "none" });
    let absent =
        service.fails("not-found", bob(call("POST", "/v1/promotions").json(upward.clone())));
    assert_eq!(hidden, absent);

    upward["to"] = json!({ "level": "global", "id": "global" });
    let secret = service.ok(201, call("POST", "/v1/promotions").json(upward));
    let made = service.ok(201, bob(propose()));
    let listed = service.ok(200, bob(get("/v1/promotions")));
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["id"], made["id"]);
    for verdict in ["approve", "decline", "undo"] {
        let hidden = service.fails("not-found", bob(settle(&secret["id"], verdict)));
        let absent = service.fails("not-found", bob(settle(&json!("999-0"), verdict)));
        assert_eq!(hidden, absent);
    }
    assert_eq!(service.ok(200, bob(settle(&made["id"], "approve")))["decided"]["by"], "bob");
    service.fails("forbidden", propose().scopes("contexts:read"));
    service.fails("forbidden", propose().scopes("contexts:write"));
    service.fails("forbidden", get("/v1/promotions").scopes("contexts:write"));
    service.fails("not-found", get("/v1/promotions").user("eve").header("Nacre-Owner", "alice"));
}

#[test]
fn a_promotion_from_before_the_share_is_not_shown() {
    let mut service = found();
    service.ok(201, propose());
    let share = json!({ "project": "shop", "role": "writer" });
    service.ok(200, call("PUT", "/v1/members/bob").json(share));
    assert_eq!(service.ok(200, bob(get("/v1/promotions")))["items"], json!([]));
    let share = json!({ "project": "shop", "role": "writer", "history": "all" });
    service.ok(200, call("PUT", "/v1/members/bob").json(share));
    let listed = service.ok(200, bob(get("/v1/promotions")));
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[test]
fn every_decision_is_audited_without_values() {
    let mut service = found();
    let made = service.ok(201, propose());
    service.ok(200, settle(&made["id"], "approve"));
    service.ok(200, settle(&made["id"], "undo"));
    let audit = service.ok(200, get("/v1/audit?limit=3"));
    let actions = |n: usize| -> Vec<String> {
        let deeds = audit["items"][n]["deeds"].as_array().unwrap();
        deeds.iter().map(|deed| deed["action"].as_str().unwrap().into()).collect()
    };
    assert_eq!(actions(0), ["rollback", "rollback", "undo_promotion"]);
    assert_eq!(actions(1), ["update", "update", "approve_promotion"]);
    assert_eq!(actions(2), ["propose_promotion"]);
    assert!(!audit.to_string().contains("clock"));
}
