//! What a decision asks of the owner's keys; and the one who has none.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt::Debug;

use super::{
    fields::reveal,
    keyring::Keyring,
    secret::{NewSecret, open_secret},
};
use crate::entropy::Entropy;
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
    marker::Fingerprint,
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

    /// Puts the plaintext in the place of every marker; `sealed` gives the box of one secret, and is
    /// asked once for each.
    ///
    /// # Errors
    /// What `sealed` gives; `store-unavailable` when a box cannot be proven, `forbidden` when there
    /// are no keys. The data may then be revealed in part and is to be dropped.
    fn reveal(
        &self,
        data: &mut Value,
        sealed: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>,
    ) -> Result<()>;

    /// Whether documents may hold markers of secrets that the store does not.
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
        let mut opened = BTreeMap::new();
        reveal(data, &mut |fingerprint| {
            if let Some(value) = opened.get(fingerprint) {
                return Ok(Value::clone(value));
            }
            let value = open_secret(self, fingerprint, &sealed(fingerprint)?)?;
            opened.insert(*fingerprint, value.clone());
            Ok(value)
        })
    }
}

/// A copy of a store without its keys: sensitive values show as markers here too, and the secrets
/// stay where the keys are. What it seals is a marker with nothing behind it, for as long as the
/// write is on its way to the store that has keys.
#[derive(Clone, Copy, Debug)]
pub struct NoKeys;

impl Vault for NoKeys {
    fn fingerprint(&self, canonical: &[u8]) -> Fingerprint {
        // A name that no key made: it says the last generation there could be.
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
