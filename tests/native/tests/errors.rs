//! `docs/errors.md` is generated from the table of codes, and every code that the core gives has a
//! vector.
//!
//! A change of the table fails here until the page is written with
//! `NACRE_UPDATE=1 cargo test -p nacre-tests --test errors`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use nacre_core::{
    error::{Code, Fault},
    wire::status,
};

/// Codes that no vector of the core can give, and why.
const ELSEWHERE: [(Code, &str); 5] = [
    (Code::Unauthenticated, "tokens are checked by the Worker: see the vectors of `auth`"),
    (Code::RateLimited, "the store counts requests: see its tests of quotas"),
    (Code::QuotaExceeded, "the store counts its rows: see its tests of quotas"),
    (Code::Internal, "a defect has no vector"),
    (Code::SearchUnavailable, "there is no search yet"),
];

const HEAD: &str = "\
# Errors

This page is generated from the table of codes in the core; a test keeps it up to date.

Every error over HTTP is a problem (RFC 9457) of the type `application/problem+json`:

| member | |
|---|---|
| `type` | `urn:nacre:error:<code>` |
| `code` | The stable code. Programs should decide by it. |
| `title` | A short sentence that depends only on the code. |
| `status` | The HTTP status, also in results of a batch. |
| `detail` | What happened, and what to do. The text may change; it never quotes a stored value. |
| `pointer` | The place in the request or in the data (RFC 6901). |
| `limit` | The limit that was exceeded. |
| `current_version` | The version that is current now. |
| `conflicts` | The places that both sides changed. |
| `failed_operation` | The index of the failed operation of a batch, or of the line of an import, from 0. |

Members that do not apply are left out. Over a socket, a message of the type `error` has the same
members without `type`. The component returns the record `error` of `wit/types.wit`, and the npm
package throws a `NacreError`; both have the same `code` and `detail`.

";

const TAIL: &str = "\
## Codes of the npm package

These come from the package itself, never from the server.

| code | when | what to do |
|---|---|---|
| `unavailable` | The server cannot be reached, or the core cannot be loaded. | Go on working; the replica sends its writes later. |
| `closed` | The replica was closed. | Open it again. |
";

#[test]
fn the_page_says_what_the_table_says() {
    let page = page();
    let file = root().join("docs/errors.md");
    if std::env::var_os("NACRE_UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, page).expect("the page can be written");
        return;
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/errors.md is stale; NACRE_UPDATE=1 writes it");
}

#[test]
fn every_code_has_a_vector() {
    let mut given = BTreeSet::new();
    for folder in ["access", "http", "input", "past", "store"] {
        let folder = root().join("tests/vectors/errors").join(folder);
        for entry in fs::read_dir(folder).expect("vectors") {
            let text = fs::read(entry.expect("a vector").path()).expect("a vector");
            let case: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
            given.insert(case["problem"]["code"].as_str().expect("a code").to_owned());
        }
    }
    let elsewhere = ELSEWHERE.map(|(code, _)| code);
    for code in Code::ALL {
        let is_elsewhere = elsewhere.contains(code);
        assert_eq!(given.contains(code.as_str()), !is_elsewhere, "{code}");
    }
}

/// The page for people.
fn page() -> String {
    let mut page = String::from(HEAD);
    page.push_str("| code | status | who must act |\n|---|---|---|\n");
    for code in Code::ALL {
        let (name, status, fault) = (code.as_str(), status(*code), fault(code.fault()));
        writeln!(page, "| [`{name}`](#{name}) | {status} | {fault} |").expect("a line");
    }
    for code in Code::ALL {
        let (name, status, fault) = (code.as_str(), status(*code), fault(code.fault()));
        let (title, when, advice) = (code.title(), code.when().trim(), code.advice());
        write!(
            page,
            "\n## {name}\n\n`urn:nacre:error:{name}` · {status} · {title}.\n\n\
             - **When**: {when}\n- **Who must act**: {fault}.\n- **What to do**: {advice}\n"
        )
        .expect("a section");
    }
    page.push('\n');
    page.push_str(TAIL);
    page
}

/// Who has to act, in words.
fn fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Input => "the caller: the request is wrong",
        Fault::Conflict => "the caller: the state has changed",
        Fault::Denied => "the caller: it is not allowed, or it does not exist",
        Fault::Limit => "the caller: a limit is exceeded",
        Fault::Store => "nobody, or the operator: try again",
        Fault::Bug => "the developers or the operator",
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
