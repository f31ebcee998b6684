//! The built-in list of sensitive names, and the forms of credentials, on real documents: what they
//! find, and their false alarms.
use std::collections::BTreeSet;

use nacre_core::{credentials, json, sensitive::SensitiveNames, value::Value};

/// Sealed in the configuration of GOV.UK, and rightly so: most values are credentials, or say where
/// one comes from.
const CREDENTIALS: &[&str] = &[
    "admin_db_password",
    "auth_token",
    "aws_secret_access_key",
    "basic_auth_credentials",
    "database_password",
    "db_password",
    "email_alert_api_role_password",
    "encryption_key",
    "erlang_cookie",
    "esm_token",
    "govuk_basic_auth_credentials",
    "govuk_htpasswd",
    "http_password",
    "jenkins_downstream_api_password",
    "jwt_auth_secret",
    "mongodb_password",
    "oauth_secret",
    "password",
    "rabbitmq_password",
    "rate_limit_token",
    "router_api_bearer_token",
    "s3_aws_secret_access_key",
    "smokey_bearer_token",
    "smokey_signon_password",
    "ssh_private_key",
    "whitehall_fe_password",
];

/// Sealed although the value is not a credential. All are plugins of a build server that are named
/// after what they handle; their values are versions.
const FALSE_ALARMS: &[&str] = &[
    "authentication-tokens",
    "build-token-root",
    "credentials",
    "credentials-binding",
    "oauth-credentials",
    "plain-credentials",
    "ssh-credentials",
    "token-macro",
];

/// The configuration of GOV.UK has URLs with variables in place of passwords, and no secret.
#[test]
fn no_text_of_govuk_looks_like_a_credential() {
    let Some(lines) = nacre_tests::shared_gz("layers/govuk.ndjson.gz") else { return };
    let mut texts = Vec::new();
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        texts_in(&json::read(line, 128).unwrap(), &mut texts);
    }
    assert_eq!(texts.len(), 5939);
    let found: Vec<&String> =
        texts.iter().filter(|text| credentials::find(text).is_some()).collect();
    assert!(found.is_empty(), "{found:?}");
}

fn texts_in(value: &Value, texts: &mut Vec<String>) {
    texts.extend(value.as_str().map(str::to_owned));
    let members = value.as_object().into_iter().flat_map(|object| object.iter());
    members.for_each(|(_, value)| texts_in(value, texts));
    value.as_array().into_iter().flatten().for_each(|item| texts_in(item, texts));
}

#[test]
fn the_names_of_govuk_that_are_sealed() {
    let Some(lines) = nacre_tests::shared_gz("layers/govuk.ndjson.gz") else { return };
    let mut all = BTreeSet::new();
    for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let line = json::read(line, 128).unwrap();
        names_in(line.as_object().unwrap().get("data").unwrap(), &mut all);
    }
    assert_eq!(all.len(), 1142);
    let names = SensitiveNames::default();
    let sealed: BTreeSet<&str> =
        all.iter().map(String::as_str).filter(|name| names.holds(name)).collect();
    let expected: BTreeSet<&str> = CREDENTIALS.iter().chain(FALSE_ALARMS).copied().collect();
    assert_eq!(sealed, expected);
}

/// Every sensitive name in the documents of this repository, except those of tests about sealing.
#[test]
fn the_names_of_the_fixtures_that_are_sealed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = BTreeSet::new();
    for line in std::fs::read(root.join("examples/shop.ndjson")).unwrap().split(|b| *b == b'\n') {
        if !line.is_empty() {
            names_in(&json::read(line, 128).unwrap(), &mut all);
        }
    }
    let mut folders = vec![root.join("tests/vectors")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !ABOUT_SEALING.iter().any(|topic| path.ends_with(topic)) {
                folders.push(path);
            } else if let Some(Ok(text)) = path.is_file().then(|| std::fs::read(&path))
                && let Ok(value) = json::read(&text, 128)
            {
                names_in(&value, &mut all);
            }
        }
    }
    assert!(all.len() > 300, "{}", all.len());
    let names = SensitiveNames::default();
    let sealed: Vec<&str> =
        all.iter().map(String::as_str).filter(|name| names.holds(name)).collect();
    assert_eq!(sealed, FIXTURES);
}

/// Topics of vectors about sealed values.
const ABOUT_SEALING: [&str; 5] = ["seal", "lint", "open", "store", "live"];

/// What is sealed in the fixtures: credentials, and two members of questions and answers about packs,
/// which count tokens of a model and are no data of contexts.
const FIXTURES: &[&str] = &[
    "api_key",
    "bytes_per_token",
    "password",
    "secret",
    "secret_base64url",
    "secrets",
    "token",
    "tokens",
];

fn names_in(value: &Value, names: &mut BTreeSet<String>) {
    if let Some(object) = value.as_object() {
        for (name, value) in object.iter() {
            names.insert(name.to_owned());
            names_in(value, names);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        names_in(item, names);
    }
}
