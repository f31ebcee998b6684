//! Signatures: the examples of the RFCs, and Wycheproof's attacks on JSON Web Signatures.
//!
//! Both stop where the claims begin; `auth.rs` goes on from there.

#![expect(clippy::unwrap_used, reason = "test code stops at the first surprise")]

mod rsa;

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use nacre_tests::vectors;
use nacre_topics::{Shape, text};
use nacre_worker::auth::{Jwks, Opened, Refusal, Secret};
use serde_json::{Value, json};

fn base64url(text: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text.as_str().unwrap()).unwrap()
}

fn open_with_jwks(document: &Value, token: &str) -> Result<Vec<u8>, Refusal> {
    match Jwks::parse(document.to_string().as_bytes()).unwrap().open(token)? {
        Opened::Payload(payload) => Ok(payload),
        Opened::Unverified(unverified) => unverified.payload(rsa::holds(&unverified)),
    }
}

#[test]
fn the_examples_of_the_standards_hold() {
    let shape = Shape { folder: "auth/rfc", given: &["trust", "token"], expected: &["outcome"] };
    vectors::run(&shape, |case| {
        let (trust, token) = (&case["trust"], text(&case["token"]));
        let opened = if trust["jwks"].is_object() {
            open_with_jwks(&trust["jwks"], token)
        } else {
            Secret::new(&base64url(&trust["secret_base64url"])).unwrap().open(token)
        };
        [match opened {
            Ok(payload) => json!({ "payload": String::from_utf8(payload).unwrap() }),
            Err(refusal) => json!({ "refusal": format!("{refusal:?}") }),
        }]
    });
}

/// Tests whose verdict does not fit ours, each with its reason. All others must agree.
const OTHER_VERDICTS: [(u64, &str); 4] = [
    (367, "named for padding, but published without it: byte for byte the valid test 357"),
    (370, "named for padding, but published without it: byte for byte the valid test 357"),
    (372, "valid for decoders that skip characters outside the alphabet; RFC 7515 §2 has none"),
    (373, "valid for decoders that skip characters outside the alphabet; RFC 7515 §2 has none"),
];

/// Algorithms of the suite that Nacre does not take: its valid tokens must be refused as well.
/// `ES521` is what the suite calls ES512 in its keys.
const NOT_TAKEN: [&str; 6] = ["RS384", "RS512", "PS256", "PS384", "PS512", "ES521"];

#[test]
fn every_attack_of_wycheproof_is_refused_and_every_valid_token_taken() {
    let Some(suite) = nacre_tests::shared_gz("vectors/wycheproof-jws.json.gz") else { return };
    let suite: Value = serde_json::from_slice(&suite).unwrap();
    let mut tokens = BTreeMap::new();
    let mut counts = BTreeMap::<&str, usize>::new();
    for group in suite["testGroups"].as_array().unwrap() {
        let key = key_of(group);
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let token = match &test["jws"] {
                Value::String(token) => token.clone(),
                json_form => json_form.to_string(),
            };
            let opened = open(&key, &token);
            let valid = test["result"] == "valid";
            let what = format!("{id} {}: {opened:?}", test["comment"]);
            if OTHER_VERDICTS.iter().any(|(other, _)| *other == id) {
                assert_eq!(opened.is_ok(), !valid, "no longer another verdict: {what}");
                *counts.entry("other verdict").or_default() += 1;
            } else if key["alg"].as_str().is_some_and(|alg| NOT_TAKEN.contains(&alg)) {
                assert!(opened.is_err(), "{what}");
                let kind = if valid { "valid, not taken" } else { "invalid, not taken" };
                *counts.entry(kind).or_default() += 1;
            } else {
                assert_eq!(opened.is_ok(), valid, "{what}");
                *counts.entry(if valid { "taken" } else { "refused" }).or_default() += 1;
            }
            if let Ok(payload) = opened {
                let middle = token.split('.').nth(1).unwrap();
                assert_eq!(payload, Base64UrlUnpadded::decode_vec(middle).unwrap(), "{what}");
            }
            tokens.insert(id, token);
        }
    }
    assert_eq!(tokens[&367], tokens[&357]);
    assert_eq!(tokens[&370], tokens[&357]);
    let expected = BTreeMap::from([
        ("invalid, not taken", 59),
        ("other verdict", 4),
        ("refused", 294),
        ("taken", 18),
        ("valid, not taken", 26),
    ]);
    assert_eq!(counts, expected);
}

/// The key that a verifier holds; some groups give it as JSON inside a string.
fn key_of(group: &Value) -> Value {
    match group.get("public").unwrap_or(&group["private"]) {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        key => key.clone(),
    }
}

fn open(key: &Value, token: &str) -> Result<Vec<u8>, Refusal> {
    if key["kty"] == "oct" {
        return Secret::new(&base64url(&key["k"])).unwrap().open(token);
    }
    open_with_jwks(&json!({ "keys": [key] }), token)
}
