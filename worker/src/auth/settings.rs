//! The deployment's settings for tokens, checked as a whole.

use core::fmt;

use super::{Expected, secret::Secret};

/// The settings of the deployment; `None` for a setting that is not set.
#[derive(Clone, Copy, Default)]
pub struct Settings<'a> {
    /// `NACRE_JWT_SECRET`: the shared secrets of HS256, separated by commas, each at least
    /// [`Secret::LEAST_BYTES`] bytes. Several are accepted at once, to rotate without a gap.
    pub jwt_secret: Option<&'a str>,
    /// `NACRE_JWKS_URL`: where the issuer publishes its keys.
    pub jwks_url: Option<&'a str>,
    /// `NACRE_JWT_AUDIENCE`: what `aud` must name; required with a key set.
    pub audience: Option<&'a str>,
    /// `NACRE_JWT_ISSUER`: what `iss` must be; required with a key set.
    pub issuer: Option<&'a str>,
    /// `NACRE_JWT_MAX_DAYS`: how long a token may live, in days.
    pub max_days: Option<&'a str>,
}

/// A mistake in the settings that the operator must correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misconfigured {
    /// Neither a secret nor a key set.
    NoTrust,
    /// Both a secret and a key set: a token could choose how it is checked.
    TwoTrusts,
    /// The secret is shorter than HS256 needs.
    ShortSecret,
    /// The address of the key set is not protected by TLS.
    InsecureUrl,
    /// An issuer without audience and issuer: its tokens for other services would be accepted
    /// (RFC 8725 §3.9).
    NoAudience,
    /// The longest life of a token is not a number of days.
    MaxDays,
    /// The variable is set but empty.
    Empty(&'static str),
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Misconfigured::NoTrust => {
                "set NACRE_JWT_SECRET (a shared secret) or NACRE_JWKS_URL (the keys of an issuer)"
            }
            Misconfigured::TwoTrusts => {
                "NACRE_JWT_SECRET and NACRE_JWKS_URL are both set; remove one"
            }
            Misconfigured::ShortSecret => "each secret of NACRE_JWT_SECRET must have at least 32 bytes; commas separate secrets",
            Misconfigured::InsecureUrl => {
                "NACRE_JWKS_URL must begin with https:// (http:// is for 127.0.0.1 and localhost)"
            }
            Misconfigured::NoAudience => {
                "NACRE_JWKS_URL also needs NACRE_JWT_AUDIENCE and NACRE_JWT_ISSUER"
            }
            Misconfigured::MaxDays => {
                "NACRE_JWT_MAX_DAYS must be a whole number of days from 1 to 36500"
            }
            Misconfigured::Empty(name) => {
                return write!(f, "{name} must not be empty; set a value, or remove it");
            }
        })
    }
}

impl core::error::Error for Misconfigured {}

const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Settings that are consistent.
pub(super) struct Checked {
    pub(super) trust: Trusted,
    pub(super) expected: Expected,
}

/// The source of trust that the settings name.
pub(super) enum Trusted {
    Secrets(Vec<Secret>),
    Issuer(String),
}

impl Settings<'_> {
    pub(super) fn checked(&self) -> Result<Checked, Misconfigured> {
        let set = [
            ("NACRE_JWT_SECRET", self.jwt_secret),
            ("NACRE_JWKS_URL", self.jwks_url),
            ("NACRE_JWT_AUDIENCE", self.audience),
            ("NACRE_JWT_ISSUER", self.issuer),
            ("NACRE_JWT_MAX_DAYS", self.max_days),
        ];
        if let Some((name, _)) = set.into_iter().find(|(_, value)| *value == Some("")) {
            return Err(Misconfigured::Empty(name));
        }
        let trust = match (self.jwt_secret, self.jwks_url) {
            (None, None) => return Err(Misconfigured::NoTrust),
            (Some(_), Some(_)) => return Err(Misconfigured::TwoTrusts),
            (Some(secret), None) => {
                let secrets = secret.split(',').map(|secret| Secret::new(secret.as_bytes()));
                let secrets: Option<Vec<Secret>> = secrets.collect();
                Trusted::Secrets(secrets.ok_or(Misconfigured::ShortSecret)?)
            }
            (None, Some(url)) if !is_safe(url) => return Err(Misconfigured::InsecureUrl),
            (None, Some(_)) if self.audience.is_none() || self.issuer.is_none() => {
                return Err(Misconfigured::NoAudience);
            }
            (None, Some(url)) => Trusted::Issuer(url.into()),
        };
        let days = |text: &str| text.parse().ok().filter(|days| (1..=36_500).contains(days));
        let max_days = self.max_days.map(|text| days(text).ok_or(Misconfigured::MaxDays));
        let expected = Expected {
            longest_millis: max_days.transpose()?.map(|days: u64| days * DAY_MILLIS),
            audience: self.audience.map(String::from),
            issuer: self.issuer.map(String::from),
        };
        Ok(Checked { trust, expected })
    }
}

/// Whether nobody on the network can change the fetched document.
fn is_safe(url: &str) -> bool {
    if let Some(rest) = url.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    matches!(host, "127.0.0.1" | "localhost") && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn refusal(settings: Settings<'_>) -> Option<Misconfigured> {
        settings.checked().err()
    }

    #[test]
    fn exactly_one_trust_is_needed() {
        let none = Settings::default();
        let secret = Settings { jwt_secret: Some(SECRET), ..none };
        let keys = Settings {
            jwks_url: Some("https://issuer.example/keys"),
            audience: Some("nacre"),
            issuer: Some("https://issuer.example"),
            ..none
        };
        assert_eq!(refusal(none), Some(Misconfigured::NoTrust));
        assert_eq!(refusal(secret), None);
        assert_eq!(refusal(keys), None);
        let both = Settings { jwt_secret: Some(SECRET), ..keys };
        assert_eq!(refusal(both), Some(Misconfigured::TwoTrusts));
    }

    #[test]
    fn keys_of_an_issuer_need_audience_and_issuer() {
        let url = Some("https://issuer.example/keys");
        for (audience, issuer) in [(None, None), (Some("a"), None), (None, Some("i"))] {
            let settings = Settings { jwks_url: url, audience, issuer, ..Settings::default() };
            assert_eq!(refusal(settings), Some(Misconfigured::NoAudience));
        }
    }

    #[test]
    fn a_secret_of_31_bytes_is_too_short() {
        let settings = |secret| Settings { jwt_secret: Some(secret), ..Settings::default() };
        assert_eq!(refusal(settings(&SECRET[1..])), Some(Misconfigured::ShortSecret));
        assert_eq!(refusal(settings(SECRET)), None);
        let [both, short] = [format!("{SECRET},{SECRET}"), format!("{SECRET},{}", &SECRET[1..])];
        assert_eq!(refusal(settings(&both)), None);
        assert_eq!(refusal(settings(&short)), Some(Misconfigured::ShortSecret));
    }

    #[test]
    fn the_longest_life_is_a_number_of_days() {
        let settings = |days| Settings {
            jwt_secret: Some(SECRET),
            max_days: Some(days),
            ..Settings::default()
        };
        for days in ["0", "-1", "1.5", "36501", "many"] {
            assert_eq!(refusal(settings(days)), Some(Misconfigured::MaxDays), "{days}");
        }
        let expected = settings("2").checked().map(|checked| checked.expected.longest_millis);
        assert_eq!(expected.ok().flatten(), Some(2 * DAY_MILLIS));
    }

    #[test]
    fn what_is_set_to_nothing_is_refused_rather_than_skipped() {
        let secret = Settings { jwt_secret: Some(SECRET), ..Settings::default() };
        for (name, settings) in [
            ("NACRE_JWT_SECRET", Settings { jwt_secret: Some(""), ..secret }),
            ("NACRE_JWKS_URL", Settings { jwks_url: Some(""), ..secret }),
            ("NACRE_JWT_AUDIENCE", Settings { audience: Some(""), ..secret }),
            ("NACRE_JWT_ISSUER", Settings { issuer: Some(""), ..secret }),
            ("NACRE_JWT_MAX_DAYS", Settings { max_days: Some(""), ..secret }),
        ] {
            assert_eq!(refusal(settings), Some(Misconfigured::Empty(name)));
        }
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for safe in ["https://a.example/k", "http://127.0.0.1:8080/k", "http://localhost/k"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_ in [
            "https://",
            "http://a.example/k",
            "http://localhost.a.example/k",
            "http://localhost@a.example/k",
            "http://localhost:80@a.example/k",
            "http://127.0.0.1\\@a.example",
            "ftp://127.0.0.1/k",
            "file:///etc/keys",
            "/keys",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_}");
        }
    }
}
