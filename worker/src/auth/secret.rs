//! HS256: HMAC-SHA-256 with a shared secret (RFC 7518 §3.2).

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    jws::{Algorithm, Jws},
    refusal::Refusal,
};

/// A shared secret. It verifies HS256 and nothing else.
///
/// Holds the state of the MAC after the key, which saves two compressions of SHA-256 per token.
#[derive(Clone)]
pub struct Secret(Hmac<Sha256>);

impl Secret {
    /// Shortest secret, in bytes: the size of the MAC (RFC 7518 §3.2).
    pub const LEAST_BYTES: usize = 32;

    /// Takes a secret; `None` when it is too short.
    pub fn new(secret: &[u8]) -> Option<Secret> {
        if secret.len() < Secret::LEAST_BYTES {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(Secret)
    }

    /// The payload of a token signed with this secret.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, Refusal> {
        let jws = Jws::read(token)?;
        if jws.algorithm != Algorithm::Hs256 {
            return Err(Refusal::Algorithm);
        }
        jws.open(|message, signature| {
            let mut mac = self.0.clone();
            mac.update(message);
            mac.verify_slice(signature).is_ok()
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
