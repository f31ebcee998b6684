//! Revoked tokens: by user, by id, and back.

use serde_json::{Value, json};

use crate::{
    contexts::chain,
    service::{Call, Service, call, get},
};

fn bob(call: Call) -> Call {
    call.user("bob").header("Nacre-Owner", "alice")
}

fn shared() -> Service {
    let mut service = chain();
    let role = json!({ "project": "shop", "role": "reader" });
    service.ok(200, call("PUT", "/v1/members/bob").json(role));
    service
}

fn read() -> Call {
    get("/v1/contexts/project/shop")
}

#[test]
fn an_owner_signs_out_everywhere_and_in_again() {
    let mut service = shared();
    let now = service.now;
    let before = || read().token(Some(now), Some("t"));
    service.ok(200, before());
    let revoked = service.ok(200, call("PUT", "/v1/revocations/users/alice"));
    assert_eq!(revoked["user"], "alice");
    assert_eq!(revoked["token"], Value::Null);
    let refused = service.send(before());
    assert_eq!(refused.status, 401);
    let challenge = refused.header("WWW-Authenticate").unwrap();
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    service.fails("unauthenticated", read().token(None, None));
    service.ok(200, read().token(Some(service.now + 9), None));
    service.ok(200, bob(read()).token(None, None));

    assert_eq!(service.send(call("DELETE", "/v1/revocations/users/alice")).status, 204);
    service.ok(200, before());
    service.fails("not-found", call("DELETE", "/v1/revocations/users/alice"));
}

#[test]
fn tokens_of_a_guest_are_revoked_by_the_owner_alone() {
    let mut service = shared();
    let of_bob = || call("PUT", "/v1/revocations/users/bob");
    service.fails("forbidden", bob(of_bob()));
    service.fails("not-found", of_bob().user("eve").header("Nacre-Owner", "alice"));
    service.fails("forbidden", of_bob().scopes("contexts:read"));
    service.fails("forbidden", bob(get("/v1/revocations")));
    let old = service.now;
    service.ok(200, of_bob().scopes("admin"));
    service.fails("unauthenticated", bob(read()).token(Some(old), None));
    service.ok(200, bob(read()).token(Some(service.now + 9), None));
    service.ok(200, read().token(Some(old), None));
    // In bob's own store his token is as good as before.
    service.ok(200, get("/v1/contexts").user("bob").token(Some(old), None));
}

#[test]
fn a_time_is_never_set_back_and_never_ahead() {
    let mut service = shared();
    let of_bob =
        |time: &str| call("PUT", "/v1/revocations/users/bob").json(json!({ "not_before": time }));
    let first = service.ok(200, of_bob("2023-01-02T03:04:05Z"));
    assert_eq!(first["not_before"], "2023-01-02T03:04:05.000Z");
    assert_eq!(service.ok(200, of_bob("2023-01-01T00:00:00Z")), first);
    let later = service.ok(200, of_bob("2023-06-01T00:00:00Z"));
    assert_eq!(later["not_before"], "2023-06-01T00:00:00.000Z");
    let ahead = service.fails("invalid-request", of_bob("2999-01-01T00:00:00Z"));
    assert_eq!(ahead["pointer"], "/not_before");
    service.fails("invalid-request", of_bob("yesterday"));
    service.fails("invalid-id", call("PUT", "/v1/revocations/users/%00"));
}

#[test]
fn one_token_is_revoked_by_its_id() {
    let mut service = shared();
    let of = |id: &str| call("PUT", &format!("/v1/revocations/tokens/{id}"));
    let expiry = json!({ "expires_at": "2024-01-01T00:00:00Z" });
    let revoked = service.ok(200, of("a%2Fb").json(expiry));
    assert_eq!(revoked["token"], "a/b");
    assert_eq!(revoked["expires_at"], "2024-01-01T00:00:00.000Z");
    service.fails("unauthenticated", bob(read()).token(Some(9), Some("a/b")));
    service.ok(200, bob(read()).token(Some(9), Some("a/c")));
    service.ok(200, of("c"));
    let listed = service.ok(200, get("/v1/revocations"));
    let tokens: Vec<_> = listed["items"].as_array().unwrap().iter().map(|i| &i["token"]).collect();
    assert_eq!(tokens, ["a/b", "c"]);
    assert_eq!(service.send(call("DELETE", "/v1/revocations/tokens/a%2Fb")).status, 204);
    service.ok(200, bob(read()).token(Some(9), Some("a/b")));
}

#[test]
fn revocations_are_audited_and_bounded() {
    let mut service = shared();
    service.ok(200, call("PUT", "/v1/revocations/users/bob"));
    service.send(call("DELETE", "/v1/revocations/users/bob"));
    let audit = service.ok(200, get("/v1/audit?limit=2"));
    let deeds: Vec<_> = (0..2).map(|n| &audit["items"][n]["deeds"][0]).collect();
    assert_eq!([&deeds[0]["action"], &deeds[1]["action"]], ["unrevoke_user", "revoke_user"]);
    assert_eq!([&deeds[0]["member"], &deeds[1]["member"]], ["bob", "bob"]);

    // One of them has expired, and makes room when the list is full.
    let of = |n: usize| call("PUT", &format!("/v1/revocations/tokens/t{n}"));
    service.ok(200, of(0).json(json!({ "expires_at": "2023-01-01T00:00:00Z" })));
    for n in 1..1001 {
        service.ok(200, of(n));
    }
    let full = service.fails("too-large", of(1001));
    assert_eq!(full["limit"], 1000);
    service.ok(200, of(5).json(json!({ "expires_at": "2030-01-01T00:00:00Z" })));
}
