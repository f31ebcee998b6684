//! Authentication: bearer tokens (RFC 6750) as signed JWTs (RFC 7519), checked without I/O.
//!
//! Time is an argument, and the caller fetches the issuer's keys, so every decision here can be
//! tested:
//!
//! ```text
//! check(token, at) ─┬─ Known(identity)
//!                   ├─ Unverified(token)  ask the platform, then decide(token, holds, at)
//!                   └─ Err(refusal) ─ plan(refusal, at) ─┬─ No      answer with the refusal
//!                                                        ├─ Behind  answer now, fetch afterwards
//!                                                        └─ First   fetch, learn or fetch_failed,
//!                                                                   then check once more
//! ```
//!
//! **A token cannot choose how it is checked.** A deployment trusts either one shared secret or one
//! issuer's keys; a secret verifies HS256 and nothing else, an issuer's key its own algorithm and
//! nothing else, and keys inside a token are never looked at.

mod claims;
mod issuer;
mod jwks;
mod jws;
mod memo;
mod public_key;
mod refusal;
mod rsa;
mod secret;
mod settings;
mod unverified;

use nacre_core::{
    access::Scopes, address::Address, id::User, moment::Moment, revocation::TokenFacts,
};

pub use claims::{Expected, LEEWAY_MILLIS};
pub use issuer::{
    BACKOFF_MILLIS, Fetch, IN_FLIGHT_MILLIS, IssuerKeys, KEPT_MILLIS, MAX_AGE_MILLIS, RETRY_MILLIS,
};
pub use jwks::{Jwks, JwksError, Skipped};
pub use jws::{Algorithm, TOKEN_BYTES};
pub use public_key::Unusable;
pub use refusal::{Refusal, insufficient_scope};
pub use rsa::RsaKey;
pub use secret::Secret;
pub use settings::{Misconfigured, Settings};
pub use unverified::{Opened, Unverified};

use memo::Memo;

/// The user and the rights that a valid token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user: the claim `sub`.
    pub user: User,
    /// The rights: the claim `scope`, or `scp`.
    pub scopes: Scopes,
    /// The expiry: the claim `exp`, without leeway.
    pub expires_at: Moment,
    /// The claims `iat` and `jti`, by which stores revoke tokens.
    pub token: TokenFacts,
    /// The context that requests of the Model Context Protocol mean if they name none: the claim
    /// `default_context`.
    pub default_context: Option<Address>,
}

/// What a token comes to before anything is awaited.
#[derive(Debug)]
pub enum Checked<'t> {
    /// It is good.
    Known(Identity),
    /// The platform has to verify its signature; [`Auth::decide`] goes on from there.
    Unverified(Unverified<'t>),
}

/// The token check of one deployment.
#[derive(Debug)]
pub struct Auth {
    trust: Trust,
    expected: Expected,
    memo: Memo,
}

/// The source of trust of the deployment: secrets or an issuer, never both.
#[derive(Debug)]
enum Trust {
    Secrets(Vec<Secret>),
    Issuer(Box<Issuer>),
}

#[derive(Debug)]
struct Issuer {
    url: String,
    keys: IssuerKeys,
}

/// The payload of a token that is signed with one of the secrets.
fn open(secrets: &[Secret], token: &str) -> Result<Vec<u8>, Refusal> {
    for secret in secrets {
        match secret.open(token) {
            Err(Refusal::Signature) => {}
            other => return other,
        }
    }
    Err(Refusal::Signature)
}

impl Auth {
    /// Reads the deployment's settings.
    ///
    /// # Errors
    /// What the operator must change. The text quotes no setting.
    pub fn configure(settings: &Settings<'_>) -> Result<Auth, Misconfigured> {
        let settings = settings.checked()?;
        Ok(match settings.trust {
            settings::Trusted::Secrets(secrets) => {
                Auth::new(Trust::Secrets(secrets), settings.expected)
            }
            settings::Trusted::Issuer(url) => Auth::of_issuer(&url, settings.expected),
        })
    }

    /// The check of an issuer's tokens. A deployment is set up by [`Auth::configure`], which also
    /// requires an audience and an issuer; published signatures that name neither are tested with
    /// this.
    pub fn of_issuer(url: &str, expected: Expected) -> Auth {
        let issuer = Issuer { url: url.into(), keys: IssuerKeys::default() };
        Auth::new(Trust::Issuer(Box::new(issuer)), expected)
    }

    fn new(trust: Trust, expected: Expected) -> Auth {
        Auth { trust, expected, memo: Memo::default() }
    }

    /// Checks a token at the time `at`.
    ///
    /// # Errors
    /// Why the token is refused; [`Auth::plan`] says whether fetching keys may change that.
    pub fn check<'t>(&mut self, token: &'t str, at: Moment) -> Result<Checked<'t>, Refusal> {
        if token.len() > TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let opened = match &self.trust {
            Trust::Secrets(secrets) => match self.memo.recall(token, at) {
                Some(known) => return known.map(Checked::Known),
                None => open(secrets, token).map(Opened::Payload),
            },
            Trust::Issuer(issuer) => {
                // Without keys no token is accepted, not even a remembered one.
                let keys = issuer.keys.keys(at).ok_or(Refusal::KeysUnavailable)?;
                match self.memo.recall(token, at) {
                    Some(known) => return known.map(Checked::Known),
                    None => keys.open(token).map_err(|refusal| match refusal {
                        // A fetch that is running may bring the key: the client should try again
                        // with the same token.
                        Refusal::UnknownKey if issuer.keys.in_flight(at) => {
                            Refusal::KeysUnavailable
                        }
                        refusal => refusal,
                    }),
                }
            }
        };
        match opened? {
            Opened::Payload(payload) => self.identify(token, &payload, at).map(Checked::Known),
            Opened::Unverified(unverified) => Ok(Checked::Unverified(unverified)),
        }
    }

    /// Goes on with a token once the platform has said whether its signature `holds`.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn decide(
        &mut self,
        unverified: &Unverified<'_>,
        holds: bool,
        at: Moment,
    ) -> Result<Identity, Refusal> {
        let Trust::Issuer(issuer) = &self.trust else { return Err(Refusal::UnknownKey) };
        let keys = issuer.keys.keys(at).ok_or(Refusal::KeysUnavailable)?;
        // Other keys may have come meanwhile: a withdrawn one serves no more.
        if !keys.names(unverified) {
            return Err(Refusal::UnknownKey);
        }
        self.identify(unverified.token(), &unverified.payload(holds)?, at)
    }

    /// Who a token speaks for whose signature holds.
    fn identify(&mut self, token: &str, payload: &[u8], at: Moment) -> Result<Identity, Refusal> {
        let identity = claims::identity(payload, &self.expected, at)?;
        self.memo.remember(token, &identity, at);
        Ok(identity)
    }

    /// Decides after an [`Auth::check`] whether to fetch the issuer's keys. A fetch that it asks
    /// for counts as started.
    pub fn plan(&mut self, refusal: Option<Refusal>, at: Moment) -> Fetch<'_> {
        match &mut self.trust {
            Trust::Secrets(_) => Fetch::No,
            Trust::Issuer(issuer) => issuer.keys.plan(&issuer.url, refusal, at),
        }
    }

    /// Takes a fetched document. Its keys replace all earlier ones. Returns the entries that were
    /// skipped, for a log line.
    ///
    /// # Errors
    /// If the document is not a key set. The earlier keys stay, and the fetch counts as failed.
    pub fn learn(&mut self, document: &[u8], at: Moment) -> Result<Vec<Skipped>, JwksError> {
        match &mut self.trust {
            Trust::Secrets(_) => Ok(Vec::new()),
            Trust::Issuer(issuer) => {
                let learnt = issuer.keys.learn(document, at)?;
                if learnt.changed {
                    self.memo.clear();
                }
                Ok(learnt.skipped)
            }
        }
    }

    /// Notes that a fetch failed.
    pub fn fetch_failed(&mut self, at: Moment) {
        if let Trust::Issuer(issuer) = &mut self.trust {
            issuer.keys.failed(at);
        }
    }
}

/// The token in an `Authorization` header.
///
/// # Errors
/// [`Refusal::Missing`] without a header, [`Refusal::NotBearer`] for another scheme.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Refusal> {
    let header = authorization.ok_or(Refusal::Missing)?;
    let (scheme, token) = header.split_once(' ').ok_or(Refusal::NotBearer)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NotBearer);
    }
    Ok(token.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_found_in_any_case_and_no_other_is_taken() {
        assert_eq!(bearer(Some("Bearer a.b.c")), Ok("a.b.c"));
        assert_eq!(bearer(Some("bEARER   a.b.c")), Ok("a.b.c"));
        assert_eq!(bearer(None), Err(Refusal::Missing));
        for other in ["", "Bearer", "Basic YTpi", "Bearera.b.c", " Bearer a.b.c", "Bearer\ta.b.c"] {
            assert_eq!(bearer(Some(other)), Err(Refusal::NotBearer), "{other:?}");
        }
    }
}
