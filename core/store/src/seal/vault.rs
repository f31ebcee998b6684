//! The interface between a decision and the owner's keys, and its implementation without keys.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt::Debug;

use super::{
    keyring::Keyring,
    secret::{NewSecret, open_secret},
    unproven,
};
use crate::{entropy::Entropy, limits};
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
    marker::{Fingerprint, reveal},
    value::Value,
};

/// Seals and opens sensitive values.
pub trait Vault: Debug {
    /// The fingerprint of a plaintext, which must be canonical JSON.
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint;

    /// Seals a plaintext under its fingerprint.
    ///
    /// # Errors
    /// The errors of sealing.
    fn seal(
        &self,
        fingerprint: Fingerprint,
        canonical: &[u8],
        entropy: &mut Entropy,
    ) -> Result<NewSecret>;

    /// Replaces every marker by its plaintext. `sealed` returns one sealed secret, and is called
    /// once for each.
    ///
    /// # Errors
    /// The errors of `sealed`; `store-unavailable` if a secret cannot be verified; `forbidden`
    /// without keys. Then the data may be partly revealed and must be dropped.
    fn reveal(
        &self,
        data: &mut Value,
        sealed: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>,
    ) -> Result<()>;

    /// Whether documents may have markers of secrets that the store does not hold.
    fn is_apart(&self) -> bool {
        false
    }
}

impl Vault for Keyring {
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        Keyring::fingerprint(self, canonical)
    }

    fn seal(
        &self,
        fingerprint: Fingerprint,
        canonical: &[u8],
        entropy: &mut Entropy,
    ) -> Result<NewSecret> {
        NewSecret::new(self, fingerprint, canonical, entropy.array())
    }

    fn reveal(
        &self,
        data: &mut Value,
        sealed: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut opened: BTreeMap<Fingerprint, (Value, usize)> = BTreeMap::new();
        // A marker is short, and its value may be long.
        let mut left = limits::ANSWER_BYTES;
        reveal(data, &mut |fingerprint| {
            if !opened.contains_key(fingerprint) {
                let sealed = sealed(fingerprint)?;
                let value = open_secret(self, fingerprint, &sealed)?;
                opened.insert(*fingerprint, (value, sealed.len()));
            }
            let (value, bytes) = opened.get(fingerprint).ok_or_else(unproven)?;
            left = left.checked_sub(*bytes).ok_or_else(|| {
                let detail = "the revealed values would be larger than 4 MiB; reveal less at once";
                Error::new(Code::TooLarge, detail).limit(limits::ANSWER_BYTES as u64)
            })?;
            Ok(value.clone())
        })
    }
}

/// A vault without keys, for a copy of a store. Sensitive values show as markers, and the secrets
/// stay on the server. A value that it seals gets a temporary marker, until the server has the
/// write.
#[derive(Clone, Copy, Debug)]
pub struct NoKeys;

impl Vault for NoKeys {
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        // A fingerprint that no key made: it has the largest generation.
        let mut digest = [0; 16];
        digest.iter_mut().zip(Hash::of(canonical).as_bytes()).for_each(|(to, from)| *to = *from);
        Fingerprint::new(u16::MAX, digest)
    }

    fn seal(&self, fingerprint: Fingerprint, _: &[u8], _: &mut Entropy) -> Result<NewSecret> {
        Ok(NewSecret { fingerprint, sealed: Vec::new() })
    }

    fn reveal(&self, data: &mut Value, _: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>) -> Result<()> {
        let detail = "a replica cannot reveal sealed values; ask the server";
        reveal(data, &mut |_| Err(Error::new(Code::Forbidden, detail)))
    }

    fn is_apart(&self) -> bool {
        true
    }
}
