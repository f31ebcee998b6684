//! The reasons for refusing a token, each with its text and challenge.
//!
//! Texts are constants, so that no part of a token can appear in one.

use nacre_core::{
    access::Scopes,
    error::{Code, Error},
};

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// Why a token is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            /// There is no `Authorization` header.
            Missing,
            /// The issuer's keys are not available now. The token may be valid: try again.
            KeysUnavailable,
            $($(#[$doc])* $variant),*
        }

        impl Refusal {
            /// Every case.
            pub const ALL: &'static [Refusal] =
                &[Refusal::Missing, Refusal::KeysUnavailable, $(Refusal::$variant),*];

            /// The text for the client.
            pub const fn reason(self) -> &'static str {
                match self {
                    Refusal::Missing => "a bearer token is required: send `Authorization: Bearer <token>`",
                    Refusal::KeysUnavailable => "the issuer's keys are not available; try again",
                    $(Refusal::$variant => $text),*
                }
            }

            /// The value of `WWW-Authenticate` (RFC 6750 §3): without an error code if the request
            /// had no credentials, and `None` if the token is not at fault.
            pub const fn challenge(self) -> Option<&'static str> {
                match self {
                    Refusal::Missing => Some("Bearer realm=\"nacre\""),
                    Refusal::KeysUnavailable => None,
                    $(Refusal::$variant => Some(concat!(
                        "Bearer realm=\"nacre\", error=\"invalid_token\", error_description=\"",
                        $text,
                        "\""
                    ))),*
                }
            }
        }
    };
}

refusals! {
    /// The `Authorization` header names another scheme, or no token.
    NotBearer = "the Authorization header must have the form `Bearer <token>`";
    /// Longer than [`TOKEN_BYTES`](super::TOKEN_BYTES).
    TooLong = "the token must be at most 8 KiB";
    /// Not three parts.
    Shape = "the token must be a compact JWS: three parts separated by dots";
    /// A part is not base64url: padding, whitespace, another alphabet, stray bits.
    Encoding = "each part of the token must be base64url without padding";
    /// The header is not a JSON object, has a member twice, or one of a wrong type.
    Header = "the token's header must be a JSON object with each member once";
    /// `alg` is not the algorithm of the key, or not supported, `none` among others.
    Algorithm = "the token's `alg` must be the algorithm of the key";
    /// The header asks for an extension (`crit`, `b64`).
    Extension = "the token's header must not use extensions (`crit`, `b64`)";
    /// `typ` says that this is another kind of token.
    Type = "the token's `typ` must be `JWT` or `at+jwt`, or be left out";
    /// The issuer has no key with this `kid`.
    UnknownKey = "the issuer has no key for this token; get a new token";
    /// Several keys fit, and the token names none.
    AmbiguousKey = "the token must name its key in `kid`, because several keys fit";
    /// The signature is not valid.
    Signature = "the token's signature is not valid; get a new token";
    /// The payload is not a JSON object, has a member twice, or one of a wrong type.
    Claims = "the token's claims must be a JSON object with each member once";
    /// `exp`, `nbf` or `iat` is before 1970 or after the year 9999.
    Dates = "the token's `exp`, `nbf` and `iat` must be seconds from 1970 to the year 9999";
    /// There is no `exp`.
    NoExpiry = "the token must have an expiry, `exp`";
    /// `exp` has passed.
    Expired = "the token has expired";
    /// `exp` is further away than the deployment accepts.
    LivesTooLong = "the token's `exp` is too far away; get one that lives shorter";
    /// `nbf` is in the future.
    NotYetValid = "the token is not valid yet: its `nbf` is in the future";
    /// `sub` is missing, empty or not a user's name.
    Subject = "the token's `sub` must be a user: 1 to 256 bytes without control characters";
    /// `jti` is not an id of a token.
    TokenId = "the token's `jti` must be 1 to 256 bytes of text without control characters";
    /// `default_context` is not the address of a context.
    DefaultContext = "the token's `default_context` must be `level/id`, such as `task/fix-login`";
    /// `aud` does not name this service.
    Audience = "the token's `aud` must name this service";
    /// `iss` is not the expected issuer.
    Issuer = "the token's `iss` must be the configured issuer";
    /// The owner of the store has revoked it.
    Revoked = "the token was revoked; get a new token";
}

impl Refusal {
    /// The code of the answer: `unauthenticated`, unless the token is not at fault.
    pub const fn code(self) -> Code {
        match self {
            Refusal::KeysUnavailable => Code::StoreUnavailable,
            _ => Code::Unauthenticated,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::new(refusal.code(), refusal.reason())
    }
}

/// The `WWW-Authenticate` of a 403: the scopes that the request needs (RFC 6750 §3.1).
pub fn insufficient_scope(needed: Scopes) -> String {
    format!("Bearer realm=\"nacre\", error=\"insufficient_scope\", scope=\"{needed}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_challenge_is_a_well_formed_header() {
        for refusal in Refusal::ALL {
            // RFC 6750 §3: printable ASCII without quotes and backslashes.
            let plain = |b: u8| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\';
            assert!(refusal.reason().bytes().all(plain), "{refusal:?}");
            match (refusal.code(), refusal.challenge()) {
                (Code::Unauthenticated, Some(challenge)) => {
                    assert!(challenge.starts_with("Bearer realm="));
                    let names_an_error = challenge.contains("error=\"invalid_token\"");
                    assert_eq!(names_an_error, *refusal != Refusal::Missing);
                }
                (Code::StoreUnavailable, None) => {}
                other => panic!("{refusal:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_missing_scope_is_named() {
        assert_eq!(
            insufficient_scope(Scopes::READ.with(Scopes::REVEAL)),
            r#"Bearer realm="nacre", error="insufficient_scope", scope="contexts:read secrets:reveal""#
        );
    }
}
