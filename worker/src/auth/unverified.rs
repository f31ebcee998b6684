//! A token whose signature the platform has to verify, which takes an await.

use super::{jws::Jws, refusal::Refusal, rsa::RsaKey};

/// What a token comes to with the key that it names.
#[derive(Debug)]
pub enum Opened<'t> {
    /// The signature holds; this is the payload.
    Payload(Vec<u8>),
    /// The platform has to verify the signature.
    Unverified(Unverified<'t>),
}

/// A token with an RS256 signature that nobody has verified. Its payload cannot be had before.
#[derive(Debug)]
pub struct Unverified<'t> {
    jws: Jws<'t>,
    signature: Vec<u8>,
    key: RsaKey,
}

impl<'t> Unverified<'t> {
    /// Refuses at once what no signature of the key can be: platforms differ in what they do with a
    /// signature of another length.
    pub(super) fn of(jws: Jws<'t>, key: &RsaKey) -> Result<Unverified<'t>, Refusal> {
        let signature = jws.signature()?;
        if signature.len() != key.modulus().len() {
            return Err(Refusal::Signature);
        }
        Ok(Unverified { jws, signature, key: key.clone() })
    }

    /// The key to verify with.
    pub fn key(&self) -> &RsaKey {
        &self.key
    }

    /// The bytes that were signed.
    pub fn message(&self) -> &'t [u8] {
        self.jws.message()
    }

    /// The signature, as long as the key's modulus.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The id of the key that the token names.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.jws.key_id.as_deref()
    }

    /// The whole token.
    pub(super) fn token(&self) -> &'t str {
        self.jws.token()
    }

    /// The payload, once it is known whether the signature holds.
    ///
    /// # Errors
    /// [`Refusal::Signature`] when it does not.
    pub fn payload(&self, holds: bool) -> Result<Vec<u8>, Refusal> {
        if holds { self.jws.payload() } else { Err(Refusal::Signature) }
    }
}
