//! The interface between a decision and the owner's keys, and its implementation without keys.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt::Debug;

use zeroize::Zeroizing;

use super::{
    fields::{SealRules, Sealed, seal_fields},
    keyring::Keyring,
    secret::open_secret,
    target::Target,
    unproven,
};
use crate::{entropy::Entropy, limits};
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
    json,
    marker::{Fingerprint, reveal},
    sensitive::{Kind, SensitiveNames},
    value::{SEALED, Value},
};

/// Seals and opens sensitive values.
pub trait Vault: Debug {
    /// Replaces the sensitive values in the data of one context by markers. After an error `data`
    /// may be partly sealed and must be dropped.
    ///
    /// # Errors
    /// Those of [`seal_fields`].
    fn seal_fields(
        &self,
        data: &mut Value,
        rules: SealRules<'_>,
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<Sealed>;

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
}

impl Vault for Keyring {
    fn seal_fields(
        &self,
        data: &mut Value,
        rules: SealRules<'_>,
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<Sealed> {
        seal_fields(data, rules, self, target, entropy)
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
/// stay on the server. What is written here gets temporary markers under the given names, until the
/// server has the write and decides what is sealed.
#[derive(Clone, Copy, Debug)]
pub struct NoKeys;

impl Vault for NoKeys {
    fn seal_fields(
        &self,
        data: &mut Value,
        rules: SealRules<'_>,
        _: &Target<'_>,
        _: &mut Entropy,
    ) -> Result<Sealed> {
        hide(data, rules.names);
        Ok(Sealed::default())
    }

    fn reveal(&self, data: &mut Value, _: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>) -> Result<()> {
        let detail = "a replica cannot reveal sealed values; ask the server";
        reveal(data, &mut |_| Err(Error::new(Code::Forbidden, detail)))
    }
}

/// Puts temporary markers in place of texts, arrays and objects under sensitive names.
fn hide(value: &mut Value, names: &SensitiveNames) {
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                let is_marker = value.as_object().is_some_and(|object| object.contains(SEALED));
                if !is_marker && Kind::of(value) == Kind::Whole && names.mentions(name) {
                    *value = temporary(value);
                } else {
                    hide(value, names);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide(item, names)),
        _ => {}
    }
}

/// A marker of a fingerprint that no key made: it has the largest generation.
fn temporary(value: &Value) -> Value {
    let mut digest = [0; 16];
    let hash = Hash::of(&Zeroizing::new(json::write(value)));
    digest.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    Fingerprint::new(u16::MAX, digest).marker()
}
