//! The claims of a token whose signature holds (RFC 7519 §4.1).

use nacre_core::{
    access::Scopes,
    address::Address,
    id::User,
    json, limits,
    moment::Moment,
    revocation::{TokenFacts, TokenId},
    value::{Object, Value},
};

use super::{Identity, refusal::Refusal};

/// The allowed difference between the issuer's clock and ours, in milliseconds. Clocks that are
/// synchronized over the network differ by less than a second, and the platform's clock stands
/// still while a request runs, so half a minute is enough. It extends a token of five minutes by at
/// most a tenth.
pub const LEEWAY_MILLIS: u64 = 30_000;

/// The claims that the deployment requires in every token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// `aud` must be this value, or a list with it. `None` accepts any audience, or none.
    pub audience: Option<String>,
    /// `iss` must be this value. `None` accepts any issuer, or none.
    pub issuer: Option<String>,
    /// `exp` must be at most so many milliseconds away; `None` is `LONGEST_MILLIS`.
    pub longest_millis: Option<u64>,
}

/// The longest life that a token may have left unless the deployment says otherwise: 30 days. A
/// token that is lost would otherwise open a store for as long as its issuer liked.
pub(super) const LONGEST_MILLIS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Reads the claims as of `at`.
pub(super) fn identity(
    payload: &[u8],
    expected: &Expected,
    at: Moment,
) -> Result<Identity, Refusal> {
    // The reader refuses repeated members (RFC 7519 §4).
    let claims = json::read(payload, limits::DEPTH).map_err(|_| Refusal::Claims)?;
    let claims = claims.as_object().ok_or(Refusal::Claims)?;

    let expires_at = date(claims, "exp", f64::floor)?.ok_or(Refusal::NoExpiry)?;
    if has_expired(expires_at, at) {
        return Err(Refusal::Expired);
    }
    let longest = expected.longest_millis.unwrap_or(LONGEST_MILLIS);
    if expires_at > at.later(longest).later(LEEWAY_MILLIS) {
        return Err(Refusal::LivesTooLong);
    }
    let issued_at = date(claims, "iat", f64::floor)?;
    let not_before = date(claims, "nbf", f64::ceil)?;
    if not_before.is_some_and(|not_before| not_before > at.later(LEEWAY_MILLIS)) {
        return Err(Refusal::NotYetValid);
    }
    if expected.issuer.as_deref().is_some_and(|issuer| text(claims, "iss") != Some(issuer)) {
        return Err(Refusal::Issuer);
    }
    if expected.audience.as_deref().is_some_and(|audience| !is_for(claims, audience)) {
        return Err(Refusal::Audience);
    }
    let user = text(claims, "sub").and_then(|sub| User::parse(sub).ok()).ok_or(Refusal::Subject)?;
    let token = TokenFacts { issued_at, id: id(claims)? };
    let (scopes, default_context) = (scopes(claims)?, default_context(claims)?);
    Ok(Identity { user, scopes, expires_at, token, default_context })
}

/// The default context, `level/id`.
fn default_context(claims: &Object) -> Result<Option<Address>, Refusal> {
    let Some(value) = claims.get("default_context") else { return Ok(None) };
    let named = value.as_str().and_then(|text| text.split_once('/'));
    let address = named.and_then(|(level, id)| Address::parse(level, id).ok());
    address.map(Some).ok_or(Refusal::DefaultContext)
}

/// The id, by which the token can be revoked alone.
fn id(claims: &Object) -> Result<Option<TokenId>, Refusal> {
    let Some(value) = claims.get("jti") else { return Ok(None) };
    let id = value.as_str().and_then(|id| TokenId::parse(id).ok());
    id.map(Some).ok_or(Refusal::TokenId)
}

/// The scopes: `scope` is a text (RFC 8693 §4.2), `scp` a text or a list, as some issuers have it.
/// `scope` decides where both stand.
fn scopes(claims: &Object) -> Result<Scopes, Refusal> {
    match (claims.get("scope"), claims.get("scp")) {
        (None, None) => Ok(Scopes::UNSTATED),
        (Some(Value::String(names)), _) | (None, Some(Value::String(names))) => {
            Ok(Scopes::parse(names))
        }
        (None, Some(Value::Array(names))) => {
            let names = names.iter().map(|name| name.as_str().ok_or(Refusal::Claims));
            Ok(Scopes::parse(&names.collect::<Result<Vec<_>, _>>()?.join(" ")))
        }
        // Another form may mean less than the default of both scopes; a guess could grant too much.
        _ => Err(Refusal::Claims),
    }
}

/// Whether an `exp` has passed at `at` (RFC 7519 §4.1.4: "on or after").
pub(super) fn has_expired(expires_at: Moment, at: Moment) -> bool {
    at >= expires_at.later(LEEWAY_MILLIS)
}

/// The last second of the year 9999: nobody issues tokens for later.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A NumericDate: seconds since 1970, fractions allowed (RFC 7519 §2), here to the millisecond.
fn date(claims: &Object, name: &str, round: fn(f64) -> f64) -> Result<Option<Moment>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_number().ok_or(Refusal::Claims)?.as_f64();
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return Err(Refusal::Dates);
    }
    Ok(Some(Moment(round(seconds * 1000.0) as u64)))
}

fn text<'a>(claims: &'a Object, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

fn is_for(claims: &Object, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}
