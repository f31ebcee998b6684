//! Tokens as requests bring them: the vectors of `tests/vectors/auth`, and what holds for all.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code stops at the first surprise"
)]

mod rsa;

use std::{cell::RefCell, collections::BTreeSet, fs, path::PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use nacre_core::moment::Moment;
use nacre_tests::vectors;
use nacre_topics::{Case, Shape, text};
use nacre_worker::auth::{
    Auth, BACKOFF_MILLIS, Checked, Expected, Fetch, IN_FLIGHT_MILLIS, Identity, Jwks, JwksError,
    KEPT_MILLIS, LEEWAY_MILLIS, MAX_AGE_MILLIS, RETRY_MILLIS, Refusal, Settings, Skipped,
    TOKEN_BYTES, Unusable,
};
use serde_json::{Value, json};

const URL: &str = "https://issuer.example/keys";

/// The token and the case of a vector, for tests that go on from there.
fn vector(file: &str) -> (String, Case) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/auth");
    let case: Case = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
    (text(&case["token"]).into(), case)
}

const HS256: &str = "claims/a-token-of-the-shared-secret-speaks-for-its-sub.json";
const RS256: &str = "signature/a-token-of-the-issuer-signed-with-rs256-is-good.json";
const ES256: &str = "signature/a-token-of-the-issuer-signed-with-es256-is-good.json";
const EDDSA: &str = "signature/a-token-of-the-issuer-signed-with-eddsa-is-good.json";

fn moment(case: &Case) -> Moment {
    Moment(case["at"].as_u64().unwrap())
}

fn with_secret(secret: &str) -> Auth {
    Auth::configure(&Settings { jwt_secret: Some(secret), ..Settings::default() }).unwrap()
}

fn with_issuer() -> Auth {
    Auth::of_issuer(URL, Expected::default())
}

/// Checks a token as the gate does.
fn check(auth: &mut Auth, token: &str, at: Moment) -> Result<Identity, Refusal> {
    match auth.check(token, at)? {
        Checked::Known(identity) => Ok(identity),
        Checked::Unverified(unverified) => auth.decide(&unverified, rsa::holds(&unverified), at),
    }
}

fn outcome(checked: Result<Identity, Refusal>) -> Value {
    match checked {
        Ok(identity) => json!({
            "user": identity.user.as_str(),
            "scopes": identity.scopes.to_string(),
            "expires_at": identity.expires_at.0,
        }),
        Err(refusal) => json!({ "refusal": format!("{refusal:?}") }),
    }
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let met = RefCell::new(BTreeSet::new());
    for folder in ["auth/claims", "auth/header", "auth/shape", "auth/signature", "auth/keys"] {
        let given = &["trust", "audience", "issuer", "at", "header", "claims", "token"];
        vectors::run(&Shape { folder, given, expected: &["outcome"] }, |case| {
            assert_shows_its_token(case);
            let (token, at) = (text(&case["token"]), moment(case));
            let mut auth = configured(case);
            let first = check(&mut auth, token, at);
            assert_eq!(check(&mut auth, token, at), first, "on the second look: {}", case["title"]);
            if let Err(refusal) = first {
                met.borrow_mut().insert(format!("{refusal:?}"));
            }
            [outcome(first)]
        });
    }
    // The others are about requests without a token, keys that did not come, and stores.
    let elsewhere =
        [Refusal::Missing, Refusal::NotBearer, Refusal::KeysUnavailable, Refusal::Revoked];
    for refusal in Refusal::ALL.iter().filter(|refusal| !elsewhere.contains(refusal)) {
        assert!(met.borrow().contains(&format!("{refusal:?}")), "no vector meets {refusal:?}");
    }
}

fn configured(case: &Case) -> Auth {
    let trust = &case["trust"];
    let (audience, issuer) = (case["audience"].as_str(), case["issuer"].as_str());
    if !trust["jwks"].is_object() {
        let jwt_secret = trust["secret"].as_str();
        let settings = Settings { jwt_secret, audience, issuer, ..Settings::default() };
        return Auth::configure(&settings).unwrap();
    }
    let expected = Expected {
        audience: audience.map(String::from),
        issuer: issuer.map(String::from),
        ..Expected::default()
    };
    let mut auth = Auth::of_issuer(URL, expected);
    auth.learn(trust["jwks"].to_string().as_bytes(), moment(case)).unwrap();
    auth
}

/// What a vector shows of its token is what the token holds.
fn assert_shows_its_token(case: &Case) {
    let parts: Vec<&str> = text(&case["token"]).split('.').collect();
    for (index, field) in ["header", "claims"].into_iter().enumerate() {
        if let Some(shown) = case[field].as_str() {
            let held = Base64UrlUnpadded::decode_vec(parts[index]).unwrap();
            assert_eq!(String::from_utf8(held).unwrap(), shown, "{}", case["title"]);
        }
    }
}

#[test]
fn two_secrets_are_accepted_at_once_and_a_third_is_not() {
    let (token, case) = vector(HS256);
    let secret = case["trust"]["secret"].as_str().unwrap();
    let other = "another secret of more than 32 bytes";
    for secrets in [format!("{secret},{other}"), format!("{other},{secret}")] {
        assert!(check(&mut with_secret(&secrets), &token, moment(&case)).is_ok(), "{secrets}");
    }
    let outcome = check(&mut with_secret(other), &token, moment(&case));
    assert_eq!(outcome.unwrap_err(), Refusal::Signature);
}

#[test]
fn no_byte_of_a_good_token_can_be_changed_and_none_left_out_or_added() {
    for file in [HS256, EDDSA, ES256, RS256] {
        let (token, case) = vector(file);
        let at = moment(&case);
        let mut auth = configured(&case);
        assert!(check(&mut auth, &token, at).is_ok());
        let characters: Vec<char> = token.chars().collect();
        for index in 0..characters.len() {
            // Where a bit is flipped matters, not to which of 64 letters, when each takes a
            // public-key operation.
            for other in ['A', 'B', 'z', '-', '_', '.', '=', ' ', '\u{e9}'] {
                let mut changed = characters.clone();
                changed[index] = if changed[index] == other { 'Q' } else { other };
                let changed: String = changed.into_iter().collect();
                assert!(check(&mut auth, &changed, at).is_err(), "{index} {other:?}");
            }
            let cut: String = characters[..index].iter().collect();
            assert!(check(&mut auth, &cut, at).is_err(), "cut at {index}");
            let mut without = characters.clone();
            without.remove(index);
            assert!(check(&mut auth, &without.into_iter().collect::<String>(), at).is_err());
        }
        assert!(check(&mut auth, &token, at).is_ok(), "still good after all that");
    }
}

/// A small generator (xorshift); the seed makes failures repeatable.
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// What tokens are made of, and what their parts are made of.
const ALPHABET: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_..=+ {\"}:,[]";

#[test]
fn noise_is_refused_without_a_panic() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let keys = vector(RS256).1["trust"]["jwks"].to_string();
    let mut secret = with_secret("0123456789abcdef0123456789abcdef");
    let mut issuer = with_issuer();
    issuer.learn(keys.as_bytes(), Moment(0)).unwrap();
    let headers = ["HS256", "RS256", "ES256", "EdDSA"]
        .map(|alg| Base64UrlUnpadded::encode_string(format!("{{\"alg\":\"{alg}\"}}").as_bytes()));
    for round in 0..4_000 {
        let length = noise.below(if round % 100 == 0 { 9_000 } else { 300 });
        let tail: String =
            (0..length).map(|_| ALPHABET[noise.below(ALPHABET.len())] as char).collect();
        for token in [tail.clone(), format!("{}.{tail}", headers[round % 4])] {
            assert!(check(&mut secret, &token, Moment(0)).is_err());
            assert!(check(&mut issuer, &token, Moment(0)).is_err());
        }
        // A published document damaged in one place is refused or read, never fatal.
        let mut document = keys.clone().into_bytes();
        let place = noise.below(document.len());
        document[place] = noise.below(256) as u8;
        let _ = Jwks::parse(&document);
    }
}

#[test]
fn key_sets_say_what_was_passed_over_and_refuse_what_is_none() {
    let document = br#"{"keys":[
        {"kty":"oct","k":"AA"}, {"kty":"RSA","use":"enc"}, {"kty":"RSA","n":"AQAB"},
        {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"ES256"}
    ]}"#;
    let set = Jwks::parse(document).unwrap();
    assert!(set.is_empty());
    let why = [Unusable::Kind, Unusable::Purpose, Unusable::Member, Unusable::Algorithm];
    let skipped: Vec<Skipped> =
        why.into_iter().enumerate().map(|(index, why)| Skipped { index, why }).collect();
    assert_eq!(set.skipped(), skipped);

    for unreadable in [
        "",
        "[]",
        "{}",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[]}x"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#,
        "<html></html>",
    ] {
        let refused = Jwks::parse(unreadable.as_bytes()).unwrap_err();
        assert_eq!(refused, JwksError::Unreadable, "{unreadable}");
    }
    let many = |count| format!(r#"{{"keys":[{}]}}"#, vec!["{}"; count].join(","));
    assert!(Jwks::parse(many(64).as_bytes()).is_ok());
    assert_eq!(Jwks::parse(many(65).as_bytes()).unwrap_err(), JwksError::TooLarge);
    let large = |bytes: usize| {
        let empty = r#"{"keys":[]}"#;
        empty.to_owned() + &" ".repeat(bytes - empty.len())
    };
    assert!(Jwks::parse(large(256 << 10).as_bytes()).is_ok());
    assert_eq!(Jwks::parse(large((256 << 10) + 1).as_bytes()).unwrap_err(), JwksError::TooLarge);
}

/// An issuer with one token of each of two keys, the second published later.
struct Rotation {
    auth: Auth,
    old: String,
    new: String,
    /// Publishes the first key.
    before: String,
    /// Publishes both.
    after: String,
    at: Moment,
}

fn rotation() -> Rotation {
    let (old, case) = vector(EDDSA);
    let (new, _) = vector(ES256);
    let at = moment(&case);
    let keys = case["trust"]["jwks"]["keys"].as_array().unwrap();
    let of = |kty: &str| keys.iter().find(|key| key["kty"] == kty).unwrap();
    Rotation {
        auth: with_issuer(),
        old,
        new,
        before: json!({ "keys": [of("OKP")] }).to_string(),
        after: json!({ "keys": [of("OKP"), of("EC")] }).to_string(),
        at,
    }
}

#[test]
fn every_request_of_a_cold_start_fetches_until_keys_are_there() {
    let Rotation { mut auth, old, before, at, .. } = rotation();
    for _ in 0..3 {
        assert_eq!(check(&mut auth, &old, at), Err(Refusal::KeysUnavailable));
        assert_eq!(auth.plan(Some(Refusal::KeysUnavailable), at), Fetch::First(URL));
    }
    // What cannot be a token is refused without asking anybody.
    assert_eq!(check(&mut auth, &"A".repeat(TOKEN_BYTES + 1), at), Err(Refusal::TooLong));
    auth.learn(before.as_bytes(), at.later(50)).unwrap();
    assert!(check(&mut auth, &old, at.later(50)).is_ok());
    assert_eq!(auth.plan(None, at.later(50)), Fetch::No);
}

#[test]
fn an_issuer_that_does_not_answer_is_left_alone_for_a_while() {
    let Rotation { mut auth, before, at, .. } = rotation();
    assert_eq!(auth.plan(None, at), Fetch::First(URL));
    auth.fetch_failed(at);
    assert_eq!(auth.plan(None, at.later(BACKOFF_MILLIS - 1)), Fetch::No);
    assert_eq!(auth.plan(None, at.later(BACKOFF_MILLIS)), Fetch::First(URL));
    // A page in place of the document is a failure too.
    assert_eq!(auth.learn(b"<html>", at.later(BACKOFF_MILLIS)), Err(JwksError::Unreadable));
    assert_eq!(auth.plan(None, at.later(BACKOFF_MILLIS + 1)), Fetch::No);
    auth.learn(before.as_bytes(), at.later(2 * BACKOFF_MILLIS)).unwrap();
    assert_eq!(auth.plan(None, at.later(2 * BACKOFF_MILLIS)), Fetch::No);
}

#[test]
fn keys_are_refreshed_behind_a_request_and_given_up_after_an_hour() {
    let Rotation { mut auth, old, before, at, .. } = rotation();
    auth.learn(before.as_bytes(), at.earlier(KEPT_MILLIS)).unwrap();
    let born = at.earlier(KEPT_MILLIS);
    assert_eq!(auth.plan(None, born.later(MAX_AGE_MILLIS - 1)), Fetch::No);
    assert_eq!(auth.plan(None, born.later(MAX_AGE_MILLIS)), Fetch::Behind(URL));
    // One at a time, and again after a while when nothing came back.
    assert_eq!(auth.plan(None, born.later(MAX_AGE_MILLIS + RETRY_MILLIS - 1)), Fetch::No);
    assert_eq!(auth.plan(None, born.later(MAX_AGE_MILLIS + RETRY_MILLIS)), Fetch::Behind(URL));
    auth.fetch_failed(born.later(MAX_AGE_MILLIS + RETRY_MILLIS));

    assert!(check(&mut auth, &old, at.earlier(1)).is_ok());
    assert_eq!(
        check(&mut auth, &old, at),
        Err(Refusal::KeysUnavailable),
        "although it was good before"
    );
    assert_eq!(auth.plan(Some(Refusal::KeysUnavailable), at), Fetch::First(URL));
}

#[test]
fn an_unknown_key_makes_one_fetch_and_then_none_for_a_while() {
    let Rotation { mut auth, old, new, before, after, at } = rotation();
    assert_eq!(auth.plan(None, at), Fetch::First(URL));
    auth.learn(before.as_bytes(), at).unwrap();
    assert_eq!(check(&mut auth, &new, at), Err(Refusal::UnknownKey));
    assert_eq!(auth.plan(Some(Refusal::UnknownKey), at), Fetch::No, "the keys have just come");

    let next = at.later(RETRY_MILLIS);
    assert_eq!(check(&mut auth, &new, next), Err(Refusal::UnknownKey));
    assert_eq!(auth.plan(Some(Refusal::UnknownKey), next), Fetch::First(URL));
    // Who comes while the fetch is under way is asked to come again, not to get another token.
    assert_eq!(check(&mut auth, &new, next.later(1)), Err(Refusal::KeysUnavailable));
    assert_eq!(auth.plan(Some(Refusal::KeysUnavailable), next.later(1)), Fetch::No);
    assert!(check(&mut auth, &old, next.later(1)).is_ok(), "others are not held up");
    auth.learn(after.as_bytes(), next.later(2)).unwrap();
    assert!(check(&mut auth, &new, next.later(2)).is_ok());
    assert!(check(&mut auth, &old, next.later(2)).is_ok());
}

#[test]
fn a_fetch_that_never_ends_is_forgotten() {
    let Rotation { mut auth, new, before, at, .. } = rotation();
    auth.learn(before.as_bytes(), at).unwrap();
    let next = at.later(RETRY_MILLIS);
    assert_eq!(auth.plan(Some(Refusal::UnknownKey), next), Fetch::First(URL));
    let last = next.later(IN_FLIGHT_MILLIS - 1);
    assert_eq!(check(&mut auth, &new, last), Err(Refusal::KeysUnavailable));
    assert_eq!(check(&mut auth, &new, last.later(1)), Err(Refusal::UnknownKey));
    let again = next.later(RETRY_MILLIS);
    assert_eq!(auth.plan(Some(Refusal::UnknownKey), again), Fetch::First(URL));
}

#[test]
fn a_withdrawn_key_serves_no_token_that_it_served_before() {
    let Rotation { mut auth, old, new, before, after, at } = rotation();
    auth.learn(after.as_bytes(), at).unwrap();
    assert!(check(&mut auth, &new, at).is_ok());
    auth.learn(before.as_bytes(), at.later(1)).unwrap();
    assert_eq!(check(&mut auth, &new, at.later(1)), Err(Refusal::UnknownKey));
    assert!(check(&mut auth, &old, at.later(1)).is_ok());
}

#[test]
fn a_key_withdrawn_while_the_platform_verifies_serves_no_token() {
    let (token, case) = vector(RS256);
    let at = moment(&case);
    let verified = |auth: &mut Auth, meanwhile: &dyn Fn(&mut Auth)| match auth.check(&token, at) {
        Ok(Checked::Unverified(unverified)) => {
            meanwhile(auth);
            auth.decide(&unverified, rsa::holds(&unverified), at).map(|_| ())
        }
        other => panic!("{other:?}"),
    };
    let nothing = |_: &mut Auth| {};
    let withdraw = |auth: &mut Auth| drop(auth.learn(br#"{"keys":[]}"#, at).unwrap());
    let mut auth = configured(&case);
    assert_eq!(verified(&mut auth, &withdraw), Err(Refusal::UnknownKey));
    assert_eq!(verified(&mut configured(&case), &nothing), Ok(()));

    // Neither does another key under the same name.
    let swap = |auth: &mut Auth| {
        let mut jwks = case["trust"]["jwks"].clone();
        for key in jwks["keys"].as_array_mut().unwrap() {
            if key["kty"] == "RSA" {
                let modulus = key["n"].as_str().unwrap();
                key["n"] = format!("{}A{}", &modulus[..20], &modulus[21..]).into();
            }
        }
        auth.learn(jwks.to_string().as_bytes(), at).unwrap();
    };
    assert_eq!(verified(&mut configured(&case), &swap), Err(Refusal::UnknownKey));
}

#[test]
fn a_remembered_token_expires_all_the_same() {
    let Rotation { mut auth, old, before, at, .. } = rotation();
    auth.learn(before.as_bytes(), at).unwrap();
    let expires_at = check(&mut auth, &old, at).unwrap().expires_at;
    let end = expires_at.later(LEEWAY_MILLIS);
    assert!(check(&mut auth, &old, end.earlier(1)).is_ok());
    assert_eq!(check(&mut auth, &old, end), Err(Refusal::Expired));
}

#[test]
fn a_shared_secret_never_fetches() {
    let mut auth = with_secret("0123456789abcdef0123456789abcdef");
    assert_eq!(auth.plan(Some(Refusal::UnknownKey), Moment(0)), Fetch::No);
    assert_eq!(auth.plan(None, Moment(u64::MAX)), Fetch::No);
}

#[test]
fn nothing_printed_for_a_developer_holds_the_secret() {
    let auth = with_secret("correct horse battery staple 0123456789");
    assert!(!format!("{auth:?}").contains("horse"));
}
