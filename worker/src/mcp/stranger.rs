//! The conformance suite brings no token. A build with its fixtures, which is never deployed, takes it
//! for a user of its own.

use nacre_core::{access::Scopes, id::User, moment::Moment, revocation::TokenFacts};

use crate::auth::Identity;

/// An hour, in milliseconds.
const HOUR: u64 = 60 * 60 * 1000;

/// The user of the suite, for a request without a token.
pub(crate) fn stranger(authorization: Option<&str>, now: Moment) -> Option<Identity> {
    if authorization.is_some() {
        return None;
    }
    Some(Identity {
        user: User::parse("conformance").ok()?,
        scopes: Scopes::UNSTATED,
        expires_at: now.later(HOUR),
        token: TokenFacts { issued_at: None, id: None },
        default_context: None,
    })
}
