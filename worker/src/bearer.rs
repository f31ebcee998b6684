//! Who asks, and with what token.

use nacre_core::{moment::Moment, op::Caller, revocation::TokenFacts};

/// A caller with its token, as the Worker in front has checked it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bearer {
    /// The caller, and the owner of the store.
    pub(crate) caller: Caller,
    /// When the token expires.
    pub(crate) expires: Moment,
    /// What a revocation needs to know of the token.
    pub(crate) token: TokenFacts,
}
