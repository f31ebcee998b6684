//! Secrets: what is sealed, who may use a marker, and what guesses tell.

use serde_json::{Value, json};

use crate::{
    contexts::{merge, post, put},
    service::{Call, Service, call, get},
};

const ALL: &str = "contexts:read contexts:write secrets:reveal";

fn bob(call: Call) -> Call {
    call.user("bob").header("Nacre-Owner", "alice")
}

fn share(service: &mut Service, project: &str) {
    let member = json!({ "project": project, "role": "writer", "reveal": true });
    service.ok(200, call("PUT", "/v1/members/bob").json(member));
}

fn data(service: &mut Service, place: &str) -> Value {
    service.ok(200, get(&format!("/v1/contexts/{place}")))["data"].clone()
}

fn revealed(service: &mut Service, place: &str) -> Value {
    let read = get(&format!("/v1/contexts/{place}?reveal=true")).scopes(ALL);
    service.ok(200, read)["data"].clone()
}

fn is_marker(value: &Value) -> bool {
    value.as_object().is_some_and(|it| it.len() == 1 && it.contains_key("$sealed"))
}

#[test]
fn lists_numbers_pairs_and_credentials_are_sealed() {
    let mut service = Service::new();
    let plain = json!({
        "api_keys": ["sk-1", "sk-2"],
        "password": 12345678,
        "private_key": "-----BEGIN…",
        "passphrase": "x",
        "authorization": "Bearer abc",
        "env": [{ "name": "DB_PASSWORD", "value": "x" }],
    });
    service.ok(201, put("project/p", json!({ "data": plain })));
    let sealed = data(&mut service, "project/p");
    for name in ["api_keys", "password", "private_key", "passphrase", "authorization"] {
        assert!(is_marker(&sealed[name]), "{name}: {sealed}");
    }
    assert!(is_marker(&sealed["env"][0]["value"]), "{sealed}");
    assert_eq!(revealed(&mut service, "project/p"), plain);
    let counts = json!({ "max_tokens": 5, "token_limit": 5, "num_tokens": 5, "tokens": 5 });
    service.ok(201, put("project/q", json!({ "data": counts })));
    assert_eq!(data(&mut service, "project/q"), counts);
}

#[test]
fn a_sealed_list_grows_by_append_and_changes_as_a_whole() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "tokens": ["a"], "o": {} } })));
    let append = json!({ "pointer": "/tokens", "values": ["b"] });
    let answer = service.ok(200, post("project/p/append", append));
    assert!(is_marker(&answer["data"]["tokens"]), "{answer}");
    assert_eq!(revealed(&mut service, "project/p")["tokens"], json!(["a", "b"]));
    let part = json!([{ "op": "add", "path": "/tokens/-", "value": "c" }]).to_string();
    let patch = call("PATCH", "/v1/contexts/project/p").body("application/json-patch+json", part);
    let problem = service.fails("merge-conflict", patch);
    assert_eq!(problem["pointer"], "/tokens/-");
    // A merge patch replaces a sealed value as a whole.
    let below = merge("project/p", json!({ "tokens": { "x": 1 } }));
    service.ok(200, below);
    assert_eq!(revealed(&mut service, "project/p")["tokens"], json!({ "x": 1 }));
    // Elsewhere nothing would seal it again.
    let marker = data(&mut service, "project/p")["tokens"].clone();
    service.ok(200, merge("project/p", json!({ "o": marker })));
    let append = json!({ "pointer": "/o", "values": ["b"] });
    service.fails("merge-conflict", post("project/p/append", append));
}

#[test]
fn what_was_stored_in_the_clear_is_sealed_by_the_next_write() {
    let mut service = Service::new();
    service.seals_only("token");
    let old = json!({ "data": {
        "passwd": "x",
        "tokens": ["a"],
        "credentials": [{ "token": "t" }, "c"],
        "note": "n",
    } });
    service.ok(201, put("project/p", old.clone()));
    service.seals_by_default();
    assert_eq!(data(&mut service, "project/p")["passwd"], "x");
    service.ok(200, merge("project/p", json!({ "note": "m" })));
    let sealed = data(&mut service, "project/p");
    for name in ["passwd", "tokens", "credentials"] {
        assert!(is_marker(&sealed[name]), "{name}: {sealed}");
    }
    let plain = json!([{ "token": "t" }, "c"]);
    assert_eq!(revealed(&mut service, "project/p")["credentials"], plain);
    // A rollback is a write too.
    service.ok(200, post("project/p/rollback", json!({ "version": 1 })));
    assert!(is_marker(&data(&mut service, "project/p")["passwd"]));
}

#[test]
fn equal_values_have_equal_markers_in_one_project_only() {
    let mut service = Service::new();
    let secret = json!({ "data": { "api_key": "same" } });
    for place in ["global/global", "project/p", "project/q"] {
        service.ok(201, put(place, secret.clone()));
    }
    let below = json!({ "data": { "token": "same" }, "parent": "p" });
    service.ok(201, put("branch/b", below));
    let [global, p, q] = ["global/global", "project/p", "project/q"]
        .map(|place| data(&mut service, place)["api_key"].clone());
    assert!(global != p && p != q && q != global, "{global} {p} {q}");
    assert_eq!(data(&mut service, "branch/b")["token"], p);
}

#[test]
fn a_moved_context_and_those_below_get_the_markers_of_their_new_project() {
    let mut service = Service::new();
    for project in ["p", "q"] {
        let secret = json!({ "data": { "api_key": "same" } });
        service.ok(201, put(&format!("project/{project}"), secret));
    }
    service.ok(201, put("branch/b", json!({ "data": { "token": "same" }, "parent": "p" })));
    service.ok(201, put("task/t", json!({ "data": { "token": "same" }, "parent": "b" })));
    service.ok(200, post("branch/b/move", json!({ "parent": "q" })));
    let marker = data(&mut service, "project/q")["api_key"].clone();
    for place in ["branch/b", "task/t"] {
        assert_eq!(data(&mut service, place)["token"], marker, "{place}");
        assert_eq!(revealed(&mut service, place)["token"], "same", "{place}");
    }
    // The history keeps its markers, and they still open.
    let old = get("/v1/contexts/branch/b?version=1&reveal=true").scopes(ALL);
    assert_eq!(service.ok(200, old)["data"]["token"], "same");
}

#[test]
fn a_preview_and_a_refused_write_tell_no_guess() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "door_secret": "right" } })));
    share(&mut service, "p");
    let shape = |mut answer: Value| {
        let changes = answer["affected"][0]["changes"].as_array_mut().unwrap();
        let after = changes[0]["after"].take();
        assert!(is_marker(&after) && after != changes[0]["before"], "{answer}");
        answer
    };
    for as_bob in [true, false] {
        let who = |call| if as_bob { bob(call) } else { call };
        let answers = ["right", "wrong"].map(|guess| {
            let body = json!({ "patch": { "door_secret": guess } });
            shape(service.ok(200, who(post("project/p/preview", body))))
        });
        assert_eq!(answers[0], answers[1]);
        let refused = ["right", "wrong"].map(|guess| {
            let write = merge("project/p", json!({ "door_secret": guess }));
            let mut problem = service.fails(
                "version-conflict",
                who(write.header("If-Match", "\"v9\"").header("X-Request-Id", "same")),
            );
            let yours = problem["conflicts"][0]["yours"].take();
            assert!(is_marker(&yours) && yours != problem["conflicts"][0]["current"], "{problem}");
            problem
        });
        assert_eq!(refused[0], refused[1]);
    }
}

#[test]
fn a_guest_learns_nothing_from_the_marker_that_a_write_gets() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "door_secret": "right" } })));
    let before = data(&mut service, "project/p");
    share(&mut service, "p");
    for (version, guess) in [(2, "right"), (3, "wrong"), (4, "wrong")] {
        let write = merge("project/p", json!({ "door_secret": guess }));
        let answer = service.ok(200, bob(write));
        assert_eq!(answer["version"], version);
        assert_ne!(answer["data"], before);
    }
    // Another write keeps the marker.
    let marker = data(&mut service, "project/p")["door_secret"].clone();
    let answer = service.ok(200, bob(merge("project/p", json!({ "a": 1 }))));
    assert_eq!(answer["data"]["door_secret"], marker);
    assert_eq!(revealed(&mut service, "project/p")["door_secret"], "wrong");
}

#[test]
fn a_marker_is_accepted_only_from_who_may_read_a_context_that_holds_it() {
    let mut service = Service::new();
    for (place, secret) in
        [("global/global", "g"), ("project/shared", "s"), ("project/private", "p")]
    {
        service.ok(201, put(place, json!({ "data": { "api_key": secret } })));
    }
    let [global, shared, private] = ["global/global", "project/shared", "project/private"]
        .map(|place| data(&mut service, place)["api_key"].clone());
    share(&mut service, "shared");
    let write = |marker: &Value| merge("project/shared", json!({ "mine": marker }));
    let problem = service.fails("invalid-request", bob(write(&private)));
    assert_eq!(problem["pointer"], "/mine");
    let made_up = json!({ "$sealed": "f1.AAAAAAAAAAAAAAAAAAAAAA" });
    assert_eq!(service.fails("invalid-request", bob(write(&made_up))), problem);
    service.ok(200, bob(write(&shared)));
    service.ok(200, bob(write(&global)));
    // A token that may not read has no marker to write.
    let blind = write(&private).scopes("contexts:write");
    service.fails("invalid-request", blind);
    // The owner reads everything; the marker becomes one of this project.
    let answer = service.ok(200, write(&private));
    assert_ne!(answer["data"]["mine"], private);
    assert_eq!(revealed(&mut service, "project/shared")["mine"], "p");
}

#[test]
fn every_sealed_value_counts_for_the_limit() {
    let mut service = Service::new();
    let secrets = |from: usize, to: usize| {
        let members = (from..to).map(|n| (format!("token_{n}"), json!(n.to_string())));
        members.collect::<serde_json::Map<_, _>>()
    };
    service.ok(201, put("project/p", json!({ "data": secrets(0, 1000) })));
    let problem = service.fails("too-large", put("project/p", json!({ "data": secrets(0, 1001) })));
    assert_eq!(problem["limit"], 1000);
    // Markers that stay do not count.
    service.ok(200, merge("project/p", json!(secrets(1000, 1100))));
}

#[test]
fn credentials_are_sealed_wherever_they_stand() {
    let mut service = Service::new();
    let note = "deploy with ghp_0123456789abcdefghijABCDEFGHIJ012345";
    service.ok(201, put("project/p", json!({ "data": { "l": [note, "plain"] } })));
    let sealed = data(&mut service, "project/p");
    assert!(is_marker(&sealed["l"][0]) && sealed["l"][1] == "plain", "{sealed}");
    let append = json!({ "pointer": "/l", "values": [note] });
    let answer = service.ok(200, post("project/p/append", append));
    assert_eq!(answer["data"]["l"][2], sealed["l"][0]);
}

#[test]
fn a_guest_is_not_told_how_many_rows_were_written() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    share(&mut service, "p");
    let mut timing = |call: Call| {
        let response = service.send(call);
        response.header("Server-Timing").unwrap().to_owned()
    };
    assert!(timing(merge("project/p", json!({ "a": 1 }))).contains("rows-written"));
    let of_guest = timing(bob(merge("project/p", json!({ "a": 2 }))));
    assert!(of_guest.contains("rows-read") && !of_guest.contains("rows-written"), "{of_guest}");
}

#[test]
fn every_reveal_is_in_the_audit_trail_without_the_values() {
    let mut service = Service::new();
    service.ok(201, put("global/global", json!({ "data": { "token": "global-value" } })));
    let shop = json!({ "data": { "a": [{ "password": "shop-value" }], "b/c": { "pin_code": 1 } } });
    service.ok(201, put("project/shop", shop));
    share(&mut service, "shop");
    let mut seq = 3;
    for target in [
        "/v1/contexts/project/shop?reveal=true",
        "/v1/contexts/project/shop/resolved?reveal=true",
        "/v1/contexts?data=true&reveal=true&level=project",
    ] {
        let response = service.send(bob(get(target)).scopes(ALL));
        assert!(String::from_utf8_lossy(&response.body).contains("shop-value"), "{target}");
        seq += 1;
        assert_eq!(response.header("Nacre-Seq").unwrap(), seq.to_string());
        assert!(response.header("Cache-Control").unwrap().contains("no-store"));
        let trail = service.ok(200, get("/v1/audit?limit=1"));
        assert!(!trail.to_string().contains("value"), "{trail}");
        let line = &trail["items"][0];
        assert_eq!((&line["by"], &line["seq"]), (&json!("bob"), &json!(seq)));
        let shown = line["deeds"].as_array().unwrap().last().unwrap();
        assert_eq!(shown["pointers"], json!(["/a/0/password"]), "{line}");
        assert_eq!((&shown["action"], &shown["id"]), (&json!("reveal"), &json!("shop")));
    }
    let read =
        json!({ "action": "resolve", "level": "project", "context_id": "shop", "reveal": true });
    let response =
        service.send(call("POST", "/v1/batch").scopes(ALL).json(json!({ "operations": [read] })));
    assert_eq!(response.header("Nacre-Seq").unwrap(), (seq + 1).to_string());
    assert!(response.header("Cache-Control").unwrap().contains("no-store"));
    let trail = service.ok(200, get("/v1/audit?limit=1"));
    assert_eq!(trail["items"][0]["deeds"][0]["pointers"], json!(["/token"]));
    // What shows no secret leaves no line.
    service.ok(201, put("project/open", json!({ "data": {} })));
    let response = service.send(get("/v1/contexts/project/open?reveal=true").scopes(ALL));
    assert_eq!(response.header("Nacre-Seq").unwrap(), (seq + 2).to_string());
}

#[test]
fn a_note_that_holds_a_credential_is_sealed_and_can_be_revealed() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    let note = "deploy with ghp_0123456789abcdefghijABCDEFGHIJ012345";
    for list in ["insights", "progress"] {
        let path = format!("project/p/{list}");
        let made = service.ok(201, post(&path, json!({ "content": note })));
        let content: Value = serde_json::from_str(made["content"].as_str().unwrap()).unwrap();
        assert!(is_marker(&content), "{made}");
        service.ok(201, post(&path, json!({ "content": "nothing" })));
        let read = |query: &str| get(&format!("/v1/contexts/{path}{query}"));
        let shown = service.ok(200, read(""));
        assert!(!shown.to_string().contains("ghp_"), "{shown}");
        let response = service.send(read("?reveal=true").scopes(ALL));
        assert!(response.header("Cache-Control").unwrap().contains("no-store"));
        let shown: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(shown["items"][0]["content"], "nothing");
        assert_eq!(shown["items"][1]["content"], note);
        service.fails("forbidden", read("?reveal=true"));
        let trail = service.ok(200, get("/v1/audit?limit=1"));
        assert_eq!(trail["items"][0]["deeds"][0]["action"], "reveal");
        // Otherwise a guest could place the marker of a secret that they do not see.
        let marker = json!({ "content": content.to_string() });
        assert_eq!(service.fails("invalid-request", post(&path, marker))["pointer"], "/content");
    }
}

#[test]
fn a_sealed_list_of_markers_tells_no_guess() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": { "door_secret": "right" } })));
    let marker = data(&mut service, "project/p")["door_secret"].clone();
    share(&mut service, "p");
    let lists = |guess: &str| json!({ "a_secrets": [marker], "b_secrets": [guess] });
    for as_bob in [true, false] {
        let who = |call| if as_bob { bob(call) } else { call };
        let body = json!({ "patch": lists("right") });
        let answer = service.ok(200, who(post("project/p/preview", body)));
        let changes = &answer["affected"][0]["changes"];
        assert!(is_marker(&changes[0]["after"]), "{answer}");
        assert_ne!(changes[0]["after"], changes[1]["after"], "{answer}");
    }
    let answer = service.ok(200, bob(merge("project/p", lists("right"))));
    assert_ne!(answer["data"]["a_secrets"], answer["data"]["b_secrets"], "{answer}");
}

#[test]
fn a_list_of_markers_opens_no_more_than_a_context_may_hold() {
    let mut service = Service::new();
    let long = "x".repeat(400_000);
    service.ok(201, put("project/p", json!({ "data": { "door_secret": long } })));
    let marker = data(&mut service, "project/p")["door_secret"].clone();
    let lists = |count: usize| json!({ "a_secrets": vec![marker.clone(); count] });
    let problem = service.fails("too-large", merge("project/p", lists(1000)));
    assert_eq!((&problem["limit"], &problem["pointer"]), (&json!(1 << 20), &json!("/a_secrets/2")));
    service.ok(200, merge("project/p", lists(2)));
}

#[test]
fn sealed_values_are_no_larger_than_a_context_may_be() {
    let mut service = Service::new();
    let long = |count: usize| json!({ "data": { "keys": {}, "tokens": ["x".repeat(count)] } });
    let problem = service.fails("too-large", put("project/p", long(1 << 20)));
    assert_eq!((&problem["limit"], &problem["pointer"]), (&json!(1 << 20), &json!("/tokens")));
    service.ok(201, put("project/p", long(600_000)));
    let append = json!({ "pointer": "/tokens", "values": ["x".repeat(600_000)] });
    service.fails("too-large", post("project/p/append", append));
    // Neither are they more values, nor in many parts.
    let many = json!({ "data": { "tokens": vec![1; 100_000] } });
    assert_eq!(service.fails("too-large", put("project/p", many))["limit"], 100_000);
    let parts = json!({ "a_token": "x".repeat(600_000), "b_token": "y".repeat(600_000) });
    service.fails("too-large", merge("project/p", parts));
}

#[test]
fn a_batch_holds_no_more_secrets_than_a_commit_may() {
    let mut service = Service::new();
    let long = json!({ "data": { "tokens": ["x".repeat(1_000_000)] } });
    service.ok(201, put("project/p", long));
    let append = json!({
        "action": "append", "level": "project", "context_id": "p",
        "pointer": "/tokens", "values": ["x"],
    });
    let batch = json!({ "operations": vec![append; 60] });
    let problem = service.fails("too-large", call("POST", "/v1/batch").json(batch));
    assert_eq!((&problem["limit"], &problem["failed_operation"]), (&json!(32 << 20), &json!(33)));
}

fn share_with(service: &mut Service, project: &str, reveal: bool) {
    let member = json!({ "project": project, "role": "writer", "reveal": reveal });
    service.ok(200, call("PUT", "/v1/members/bob").json(member));
}

/// Two projects of alice, both shared with bob: `open` with its secrets and `shut` without.
fn open_and_shut() -> Service {
    let mut service = Service::new();
    service.ok(201, put("project/open", json!({ "data": {} })));
    share_with(&mut service, "open", true);
    service.ok(201, put("project/shut", json!({ "data": { "api_key": "right" } })));
    share_with(&mut service, "shut", false);
    let branch = json!({ "data": { "api_key": "of-b" }, "parent": "shut" });
    service.ok(201, put("branch/b", branch));
    service
}

#[test]
fn a_guest_takes_no_secret_to_a_project_that_reveals_it() {
    let mut service = open_and_shut();
    let marker = data(&mut service, "project/shut")["api_key"].clone();
    let write = bob(merge("project/open", json!({ "mine": marker })));
    assert_eq!(service.fails("invalid-request", write)["pointer"], "/mine");
    let list = bob(merge("project/open", json!({ "tokens": [marker] })));
    service.fails("invalid-request", list);
    let away = || post("branch/b/move", json!({ "parent": "open" }));
    service.fails("invalid-request", bob(away()));
    service.fails("invalid-request", bob(away()).scopes(ALL));
    // In its own project it may stand anywhere, and the owner may take it along.
    service.ok(200, bob(merge("project/shut", json!({ "mine": marker }))));
    service.ok(200, away());
    let read = get("/v1/contexts/branch/b?reveal=true").scopes(ALL);
    assert_eq!(service.ok(200, bob(read))["data"]["api_key"], "of-b");
}

#[test]
fn a_guest_brings_back_no_secret_from_a_project_that_keeps_them() {
    let mut service = open_and_shut();
    service.ok(200, merge("branch/b", json!({ "api_key": null })));
    service.ok(200, post("branch/b/move", json!({ "parent": "open" })));
    service.fails("invalid-request", bob(post("branch/b/rollback", json!({ "version": 1 }))));
    service.ok(200, post("branch/b/rollback", json!({ "version": 1 })));
}

#[test]
fn the_past_of_a_context_in_a_project_without_secrets_is_not_revealed() {
    let mut service = open_and_shut();
    let note = json!({ "content": "deploy with ghp_0123456789abcdefghijABCDEFGHIJ012345" });
    let made = service.ok(201, post("branch/b/insights", note.clone()));
    let before = service.ok(200, get("/v1/contexts/branch/b/resolved"))["seq"].clone();
    service.ok(200, post("branch/b/move", json!({ "parent": "open" })));
    let read = |query: &str| bob(get(&format!("/v1/contexts/branch/b{query}"))).scopes(ALL);
    for query in ["?version=1", &format!("?at={before}"), &format!("/resolved?at={before}")] {
        service.ok(200, read(query));
        service.fails("forbidden", read(&format!("{query}&reveal=true")));
    }
    let shown = service.ok(200, read("/insights?reveal=true"));
    assert_eq!(shown["items"][0]["content"], made["content"]);
    // What it has here is open.
    for query in ["?version=2&reveal=true", "/resolved?reveal=true"] {
        assert_eq!(service.ok(200, read(query))["data"]["api_key"], "of-b", "{query}");
    }
    service.ok(201, post("branch/b/insights", note.clone()));
    let shown = service.ok(200, read("/insights?reveal=true"));
    assert_eq!(shown["items"][0]["content"], note["content"]);
}

#[test]
fn a_text_that_reads_like_a_marker_admits_none() {
    let mut service = Service::new();
    for project in ["private", "shared"] {
        service
            .ok(201, put(&format!("project/{project}"), json!({ "data": { "token": project } })));
    }
    share(&mut service, "shared");
    let marker = data(&mut service, "project/private")["token"].clone();
    for text in [marker["$sealed"].clone(), json!(marker.to_string())] {
        service.ok(200, bob(merge("project/shared", json!({ "text": text }))));
        service.fails("invalid-request", bob(merge("project/shared", json!({ "mine": marker }))));
        let blind = merge("project/shared", json!({ "mine": marker })).scopes("contexts:write");
        service.fails("invalid-request", bob(blind));
    }
}

#[test]
fn the_lines_of_a_private_key_are_sealed_one_by_one() {
    let mut service = Service::new();
    let lines = json!([
        "a key:",
        "-----BEGIN PRIVATE KEY-----",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
        1,
        "-----END PRIVATE KEY-----",
        "after",
    ]);
    let answer = service.ok(201, put("project/p", json!({ "data": { "lines": lines } })));
    let sealed = answer["data"]["lines"].as_array().unwrap();
    let which: Vec<usize> = (0..6).filter(|at| is_marker(&sealed[*at])).collect();
    assert_eq!(which, [1, 2, 4], "{answer}");
    assert_eq!(answer["notices"].as_array().unwrap().len(), 3);
    assert_eq!(revealed(&mut service, "project/p")["lines"], lines);
    // A public key and a sentence about keys begin no such block.
    let others = json!([
        ["-----BEGIN PUBLIC KEY-----", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"],
        ["it starts with -----BEGIN PRIVATE KEY-----", "and then come lines"],
    ]);
    let answer = service.ok(201, put("project/q", json!({ "data": { "l": others } })));
    assert_eq!((&answer["data"]["l"][0], &answer["data"]["l"][1][1]), (&others[0], &others[1][1]));
}

#[test]
fn markers_that_are_looked_up_count_as_work() {
    let mut service = Service::new();
    service.ok(201, put("project/p", json!({ "data": {} })));
    for from in [0, 1000, 2000] {
        let members = (from..from + 1000).map(|n| (format!("token_{n}"), json!(n.to_string())));
        let secrets = Value::Object(members.collect());
        service.ok(200, merge("project/p", secrets));
    }
    let update = json!({
        "action": "append", "level": "project", "context_id": "p", "pointer": "/n", "values": [1],
    });
    let batch = |count: usize| {
        call("POST", "/v1/batch").json(json!({ "operations": vec![update.clone(); count] }))
    };
    let problem = service.fails("too-large", batch(30));
    assert_eq!((&problem["limit"], &problem["failed_operation"]), (&json!(128 << 20), &json!(21)));
}
