//! The forms of issued keys and tokens: data only.
//!
//! Each is a fixed prefix and a number of characters of an alphabet. Prefixes and lengths come from
//! the rules of gitleaks (`config/gitleaks.toml` at b58d3f1, MIT licence, © 2019 Zachary Rice) and,
//! where the issuer documents them, from there: AWS ("IAM identifiers"), GitHub ("About
//! authentication to GitHub"), GitLab ("Token overview"), Slack ("Tokens"), Stripe ("API keys").
//!
//! Precision comes first, because a false alarm hides a setting. So a rule is here only if its
//! prefix says whose key it is. Rules that need a word nearby (`heroku`, then a UUID) are left out,
//! and so are prefixes that begin ordinary words or identifiers (`pat`, `ico-`, `API-`, `s.`).

/// A prefix, and the characters after it.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) prefix: &'static str,
    pub(super) alphabet: fn(u8) -> bool,
    /// The minimum and maximum number of characters that follow.
    pub(super) at_least: usize,
    pub(super) at_most: usize,
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

const ANTHROPIC: &str = "an Anthropic key";
const AWS: &str = "an AWS access key id";
const DIGITALOCEAN: &str = "a DigitalOcean token";
const GITHUB: &str = "a GitHub token";
const GITLAB: &str = "a GitLab token";
const GRAFANA: &str = "a Grafana token";
const HUGGING_FACE: &str = "a Hugging Face token";
const OPENAI: &str = "an OpenAI key";
const PLANETSCALE: &str = "a PlanetScale token";
const SENTRY: &str = "a Sentry token";
const SHIPPO: &str = "a Shippo token";
const SLACK: &str = "a Slack token";
const SQUARE: &str = "a Square token";
const STRIPE: &str = "a Stripe key";
const VAULT: &str = "a Vault token";

pub(super) static FORMS: [Form; 64] = [
    form("an age secret key", "AGE-SECRET-KEY-1", is_alphanumeric, 58, 58),
    form("an Alibaba access key id", "LTAI", is_alphanumeric, 20, 20),
    form(ANTHROPIC, "sk-ant-admin01-", is_base64url, 95, 95),
    form(ANTHROPIC, "sk-ant-api03-", is_base64url, 95, 95),
    form("an Artifactory key", "AKCp", is_alphanumeric, 69, 69),
    form(AWS, "AKIA", is_base32, 16, 16),
    form(AWS, "ASIA", is_base32, 16, 16),
    form(AWS, "ABIA", is_base32, 16, 16),
    form(AWS, "ACCA", is_base32, 16, 16),
    form("a Clojars token", "CLOJARS_", is_alphanumeric, 60, 60),
    form("a Databricks token", "dapi", is_hex, 32, 32),
    form(DIGITALOCEAN, "doo_v1_", is_hex, 64, 64),
    form(DIGITALOCEAN, "dop_v1_", is_hex, 64, 64),
    form(DIGITALOCEAN, "dor_v1_", is_hex, 64, 64),
    form("an EasyPost key", "EZAK", is_alphanumeric, 54, 54),
    form("a Fly.io token", "fo1_", is_base64url, 43, 43),
    form("a Google API key", "AIza", is_base64url, 35, 35),
    form(GITHUB, "ghp_", is_alphanumeric, 36, 251),
    form(GITHUB, "gho_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghu_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghs_", is_alphanumeric, 36, 251),
    form(GITHUB, "ghr_", is_alphanumeric, 36, 251),
    form(GITHUB, "github_pat_", is_word, 82, 251),
    form(GITLAB, "glpat-", is_base64url, 20, 300),
    form(GITLAB, "gldt-", is_base64url, 20, 300),
    form(GITLAB, "glptt-", is_base64url, 40, 40),
    form(GITLAB, "glrt-", is_base64url, 20, 300),
    form(GRAFANA, "glc_", is_alphanumeric, 32, 400),
    form(GRAFANA, "glsa_", is_word, 41, 41),
    form("a Heroku key", "HRKU-AA", is_base64url, 58, 58),
    form(HUGGING_FACE, "hf_", is_alphanumeric, 34, 34),
    form(HUGGING_FACE, "api_org_", is_alphanumeric, 34, 34),
    form("a Notion token", "ntn_", is_alphanumeric, 46, 46),
    form("an npm token", "npm_", is_alphanumeric, 36, 36),
    form(OPENAI, "sk-proj-", is_base64url, 124, 156),
    form(OPENAI, "sk-svcacct-", is_base64url, 124, 156),
    form(OPENAI, "sk-admin-", is_base64url, 124, 156),
    form("a Perplexity key", "pplx-", is_alphanumeric, 48, 48),
    form(PLANETSCALE, "pscale_tkn_", is_base64url, 32, 64),
    form(PLANETSCALE, "pscale_oauth_", is_base64url, 32, 64),
    form(PLANETSCALE, "pscale_pw_", is_base64url, 32, 64),
    form("a Postman key", "PMAK-", is_base64url, 59, 59),
    form("a Prefect key", "pnu_", is_alphanumeric, 36, 36),
    form("a Pulumi token", "pul-", is_hex, 40, 40),
    form("a PyPI token", "pypi-AgEIcHlwaS5vcmc", is_base64url, 50, 1000),
    form("a ReadMe key", "rdme_", is_alphanumeric, 70, 70),
    form("a RubyGems key", "rubygems_", is_hex, 48, 48),
    form("a SendGrid key", "SG.", is_dotted, 66, 66),
    form(SENTRY, "sntryu_", is_hex, 64, 64),
    form(SHIPPO, "shippo_live_", is_hex, 40, 40),
    form(SHIPPO, "shippo_test_", is_hex, 40, 40),
    form(SLACK, "xapp-", is_base64url, 24, 251),
    form(SLACK, "xoxa-", is_base64url, 24, 251),
    form(SLACK, "xoxb-", is_base64url, 24, 251),
    form(SLACK, "xoxe-", is_base64url, 24, 251),
    form(SLACK, "xoxp-", is_base64url, 24, 251),
    form(SLACK, "xoxr-", is_base64url, 24, 251),
    form(SLACK, "xoxs-", is_base64url, 24, 251),
    form(SQUARE, "sq0atp-", is_base64url, 22, 60),
    form(STRIPE, "sk_live_", is_alphanumeric, 10, 99),
    form(STRIPE, "rk_live_", is_alphanumeric, 10, 99),
    form(STRIPE, "sk_test_", is_alphanumeric, 10, 99),
    form(VAULT, "hvs.", is_base64url, 90, 120),
    form(VAULT, "hvb.", is_base64url, 138, 300),
];

/// The labels of private keys between `-----BEGIN ` and `-----`: RFC 7468 §10 and §11, and those of
/// OpenSSL, OpenSSH and OpenPGP (RFC 9580 §6.2).
pub(super) const KEYS: [&str; 7] = [
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "DSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
];

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn is_base64url(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

fn is_dotted(byte: u8) -> bool {
    is_base64url(byte) || byte == b'.'
}

fn is_base32(byte: u8) -> bool {
    byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7')
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}
