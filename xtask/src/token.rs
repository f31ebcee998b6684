//! Secrets and tokens of the local Worker.
//!
//! The secrets live in `.dev.vars`, where wrangler looks for them: git-ignored, made once.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail};
use base64::prelude::*;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::workspace::root;

const JWT_SECRET: &str = "NACRE_JWT_SECRET";
const MASTER_KEYS: &str = "NACRE_MASTER_KEYS";

/// How long a token lives unless told otherwise.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What is asked of `cargo xtask token`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// User that the token is for
    #[arg(long, default_value = "alice")]
    user: String,
    /// Scopes, separated by spaces, such as "contexts:read contexts:write"
    /// [default: no scope claim, which allows to read and write]
    #[arg(long)]
    scope: Option<String>,
    /// How long the token lives: a number and s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    ttl: Duration,
}

/// `cargo xtask token`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    println!("{}", mint(&arguments.user, arguments.scope.as_deref(), arguments.ttl)?);
    Ok(ExitCode::SUCCESS)
}

/// A token (RFC 7519, HS256) that the local Worker takes for `user`.
pub(crate) fn mint(user: &str, scope: Option<&str>, life: Duration) -> Result<String> {
    let secret =
        local_secrets()?.remove(JWT_SECRET).context(".dev.vars has no NACRE_JWT_SECRET")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let mut claims = json!({ "sub": user, "iat": now.as_secs(), "exp": (now + life).as_secs() });
    if let (Some(scope), Some(claims)) = (scope, claims.as_object_mut()) {
        claims.insert("scope".to_owned(), scope.into());
    }
    sign(&claims, secret.as_bytes())
}

fn sign(claims: &serde_json::Value, secret: &[u8]) -> Result<String> {
    let encode = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({ "alg": "HS256", "typ": "JWT" })), encode(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).context("a secret of no length")?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

/// The local secrets, made on first use.
pub(crate) fn local_secrets() -> Result<BTreeMap<String, String>> {
    let path = root().join(".dev.vars");
    let mut text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    let mut held = parse_secrets(&text);
    let mut missing = String::new();
    for (name, prefix) in [(JWT_SECRET, ""), (MASTER_KEYS, "m1:")] {
        if !held.contains_key(name) {
            let value = format!("{prefix}{}", BASE64_STANDARD.encode(random()?));
            missing.push_str(&format!("{name}=\"{value}\"\n"));
            held.insert(name.to_owned(), value);
        }
    }
    if !missing.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?.write_all(format!("{text}{missing}").as_bytes())?;
    }
    Ok(held)
}

fn parse_secrets(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect()
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes)
}

/// How a time is written.
const NO_TIME: &str = "a time must be a whole number and s, m, h or d, such as 24h";

/// Reads `90s`, `15m`, `24h` or `7d`.
fn parse_duration(text: &str) -> Result<Duration> {
    let split = text.len().saturating_sub(1);
    let (Some(number), Some(unit)) = (text.get(..split), text.get(split..)) else {
        bail!(NO_TIME);
    };
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => bail!(NO_TIME),
    };
    let number: u64 = number.parse().context(NO_TIME)?;
    Ok(Duration::from_secs(
        number
            .checked_mul(seconds)
            .context("the time is too long: it must fit in 64 bits of seconds")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature was made with the HMAC of Node.
    #[test]
    fn signs_as_other_libraries_do() -> Result<()> {
        let token = sign(&json!({ "sub": "alice" }), b"secret")?;
        assert_eq!(
            token,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbGljZSJ9.\
             c3brGQkxoiCgrl5LGiV0go9qgN0MtrdnDBCCfJ45f_Q"
        );
        Ok(())
    }

    #[test]
    fn reads_times_with_a_unit() -> Result<()> {
        assert_eq!(parse_duration("24h")?, DAY);
        assert_eq!(parse_duration("90s")?, Duration::from_secs(90));
        for wrong in ["", "h", "24", "-1h", "1y", "24ä", "99999999999999999999h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }

    #[test]
    fn reads_secrets_with_and_without_quotes() {
        let held = parse_secrets("# comment\nA=\"x=y\"\nB = z\n\n");
        assert_eq!(held.get("A").map(String::as_str), Some("x=y"));
        assert_eq!(held.get("B").map(String::as_str), Some("z"));
        assert_eq!(held.len(), 2);
    }
}
