//! What a decision asks of the owner's keys; and the one who has none.

use alloc::vec::Vec;
use core::fmt::Debug;

use super::{
    keyring::Keyring,
    secret::{Fingerprint, NewSecret, open_secret},
};
use crate::{
    entropy::Entropy,
    error::{Code, Error, Result},
    hash::Hash,
    value::Value,
};

/// Seals and opens sensitive values.
pub trait Vault: Debug {
    /// The name of a plaintext, which is canonical JSON.
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint;

    /// Puts a plaintext in a box, under its name.
    ///
    /// # Errors
    /// What sealing gives.
    fn seal(
        &self,
        fingerprint: Fingerprint,
        canonical: &[u8],
        entropy: &mut Entropy,
    ) -> Result<NewSecret>;

    /// The plaintext in a box.
    ///
    /// # Errors
    /// `store-unavailable` when it cannot be proven, `forbidden` when there are no keys.
    fn open(&self, fingerprint: &Fingerprint, sealed: &[u8]) -> Result<Value>;

    /// Whether documents may hold markers of secrets that the store does not.
    fn is_apart(&self) -> bool {
        false
    }
}

impl Vault for Keyring {
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        Fingerprint::of(self, canonical)
    }

    fn seal(
        &self,
        fingerprint: Fingerprint,
        canonical: &[u8],
        entropy: &mut Entropy,
    ) -> Result<NewSecret> {
        NewSecret::new(self, fingerprint, canonical, entropy.array())
    }

    fn open(&self, fingerprint: &Fingerprint, sealed: &[u8]) -> Result<Value> {
        open_secret(self, fingerprint, sealed)
    }
}

/// A copy of a store without its keys: sensitive values show as markers here too, and the secrets
/// stay where the keys are. What it seals is a marker with nothing behind it, for as long as the
/// write is on its way to the store that has keys.
#[derive(Clone, Copy, Debug)]
pub struct NoKeys;

impl Vault for NoKeys {
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        Fingerprint::passing(Hash::of(canonical).as_bytes())
    }

    fn seal(&self, fingerprint: Fingerprint, _: &[u8], _: &mut Entropy) -> Result<NewSecret> {
        Ok(NewSecret { fingerprint, sealed: Vec::new() })
    }

    fn open(&self, _: &Fingerprint, _: &[u8]) -> Result<Value> {
        Err(Error::new(
            Code::Forbidden,
            "a copy of a store cannot open sealed values; ask the server",
        ))
    }

    fn is_apart(&self) -> bool {
        true
    }
}
