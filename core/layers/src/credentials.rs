//! Recognises well-known credentials by their form.
//!
//! A short list of unmistakable forms: a fixed prefix, then a number of characters of a known
//! alphabet. The forms come from the issuers' documents, checked against the rules of gitleaks
//! (`config/gitleaks.toml`):
//! - private keys: RFC 7468 §10 and §11, and the labels of OpenSSL, OpenSSH and OpenPGP (RFC 9580
//!   §6.2);
//! - AWS access key ids: IAM user guide, "IAM identifiers", unique id prefixes;
//! - GitHub tokens: GitHub docs, "About authentication to GitHub", token formats;
//! - GitLab personal access tokens: GitLab docs, "Token overview", prefixes;
//! - Slack tokens: Slack docs, "Tokens";
//! - JSON Web Tokens: RFC 7519 in the compact form of RFC 7515 §3.1.

/// A prefix, and the characters after it.
struct Form {
    name: &'static str,
    prefix: &'static str,
    alphabet: fn(u8) -> bool,
    /// The minimum and maximum number of characters that follow.
    at_least: usize,
    at_most: usize,
}

const fn form(
    name: &'static str,
    prefix: &'static str,
    alphabet: fn(u8) -> bool,
    at_least: usize,
    at_most: usize,
) -> Form {
    Form { name, prefix, alphabet, at_least, at_most }
}

const AWS: &str = "an AWS access key id";
const GITHUB: &str = "a GitHub token";
const GITLAB: &str = "a GitLab token";
const SLACK: &str = "a Slack token";

static FORMS: [Form; 15] = [
    form(AWS, "AKIA", is_base32, 16, 16),
    form(AWS, "ASIA", is_base32, 16, 16),
    form(GITHUB, "ghp_", is_alphanumeric, 36, 251),
    form(GITHUB, "gho_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghu_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghs_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghr_", is_alphanumeric, 36, 251),
    form(GITHUB, "github_pat_", is_word, 82, 251),
    form(GITLAB, "glpat-", is_base64url, 20, 251),
    form(SLACK, "xoxb-", is_dashed, 24, 251),
    form(SLACK, "xoxp-", is_dashed, 24, 251),
    form(SLACK, "xoxa-", is_dashed, 24, 251),
    form(SLACK, "xoxr-", is_dashed, 24, 251),
    form(SLACK, "xoxs-", is_dashed, 24, 251),
    form(SLACK, "xapp-", is_dashed, 24, 251),
];

/// The labels between `-----BEGIN ` and `-----`.
const KEYS: [&str; 7] = [
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "DSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
];

/// The name of the first credential in a text, with an article.
pub fn find(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if has_key(text) {
        return Some("a private key");
    }
    // Credentials are words, so each starts after the end of the previous one.
    let mut rest = bytes;
    loop {
        let begin = rest.iter().position(|byte| is_word(*byte) || *byte == b'-')?;
        rest = rest.get(begin..)?;
        let end = rest
            .iter()
            .position(|byte| !is_word(*byte) && !matches!(byte, b'-' | b'.'))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end)?;
        if let Some(found) = credential(word) {
            return Some(found);
        }
        rest = after;
    }
}

fn has_key(text: &str) -> bool {
    text.split("-----BEGIN ").skip(1).any(|after| {
        KEYS.iter()
            .any(|key| after.strip_prefix(key).is_some_and(|after| after.starts_with("-----")))
    })
}

fn credential(word: &[u8]) -> Option<&'static str> {
    if is_web_token(word) {
        return Some("a JSON Web Token");
    }
    // In a sentence a full stop may follow.
    let word = word.split(|byte| *byte == b'.').next().unwrap_or(word);
    let of = |form: &&Form| {
        word.strip_prefix(form.prefix.as_bytes()).is_some_and(|rest| {
            (form.at_least..=form.at_most).contains(&rest.len())
                && rest.iter().all(|byte| (form.alphabet)(*byte))
                // The issuer's own examples, e.g. in the AWS documents.
                && !rest.ends_with(b"EXAMPLE")
        })
    };
    FORMS.iter().find(of).map(|form| form.name)
}

/// Three parts of base64url; the first two are JSON objects, so they begin with `{"`.
fn is_web_token(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'.');
    let (Some(header), Some(claims), Some(signature), None | Some(b"")) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_object = |part: &[u8]| part.starts_with(b"eyJ") && part.len() >= 14;
    is_object(header)
        && is_object(claims)
        && signature.len() >= 10
        && [header, claims, signature].into_iter().flatten().all(|byte| is_base64url(*byte))
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_dashed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

fn is_base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7')
}
