//! Tokens that were found good before.
//!
//! In wasm a public-key signature takes a tenth to two thirds of a millisecond and a token with an
//! HMAC some twenty microseconds, and clients send the same token with every request until it
//! expires; finding its SHA-256 here takes a few microseconds. Only good tokens come in, each under the hash of all its bytes; expiry is checked at every use,
//! and a change of the issuer's keys empties the memo.

use std::collections::BTreeMap;

use nacre_core::moment::Moment;
use sha2::{Digest, Sha256};

use super::{Identity, claims::has_expired, refusal::Refusal};

/// Most tokens remembered; some 100 KiB.
const TOKENS: usize = 1024;

/// Good tokens by their hash.
#[derive(Debug, Default)]
pub(super) struct Memo(BTreeMap<[u8; 32], Identity>);

impl Memo {
    /// What is known of a token: nothing, that it is good, or that it was until it expired.
    pub(super) fn recall(&self, token: &str, at: Moment) -> Option<Result<Identity, Refusal>> {
        let identity = self.0.get(&hash(token))?;
        let expired = has_expired(identity.expires_at, at);
        Some(if expired { Err(Refusal::Expired) } else { Ok(identity.clone()) })
    }

    /// Notes a good token.
    pub(super) fn remember(&mut self, token: &str, identity: &Identity, at: Moment) {
        if self.0.len() >= TOKENS {
            self.0.retain(|_, identity| !has_expired(identity.expires_at, at));
        }
        // Still full: this many tokens are in use, and starting afresh costs each one check.
        if self.0.len() >= TOKENS {
            self.0.clear();
        }
        self.0.insert(hash(token), identity.clone());
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
