//! The interface between a decision and the owner's keys, and its implementation without keys.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
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
    patch::{JsonPatch, Operation},
    pointer::Pointer,
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

    /// A note as it is stored: the text of a marker if it looks like a credential.
    ///
    /// # Errors
    /// `invalid-request` if the note is a marker; those of [`seal_fields`].
    fn seal_note(
        &self,
        text: &str,
        rules: SealRules<'_>,
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<(String, Sealed)>;

    /// Opens the list at a path in a document, if it is sealed and its name seals it again.
    ///
    /// # Errors
    /// Those of the store; `store-unavailable` if the secret cannot be verified.
    fn open_list(
        &self,
        document: &mut Value,
        list: &Pointer,
        rules: SealRules<'_>,
        target: &Target<'_>,
    ) -> Result<()>;

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

    fn seal_note(
        &self,
        text: &str,
        rules: SealRules<'_>,
        target: &Target<'_>,
        entropy: &mut Entropy,
    ) -> Result<(String, Sealed)> {
        if marker_in(text).is_some() {
            let detail = "this text must not be a marker; write the plaintext";
            return Err(Error::new(Code::InvalidRequest, detail).at("/content"));
        }
        // As the only item of a list, no name seals it.
        let mut list = Value::Array(Vec::from([text.into()]));
        let sealed = seal_fields(&mut list, rules, self, target, entropy)?;
        let text = match list.as_array() {
            Some([marker @ Value::Object(_)]) => String::from_utf8(json::write(marker)),
            _ => Ok(text.into()),
        };
        Ok((text.map_err(|_| Error::bug("a marker must be text"))?, sealed))
    }

    fn open_list(
        &self,
        document: &mut Value,
        list: &Pointer,
        rules: SealRules<'_>,
        target: &Target<'_>,
    ) -> Result<()> {
        let name = list.tokens().last().unwrap_or_default();
        let value = target.held.layer().map(|layer| layer.value_at(list)).transpose()?.flatten();
        let fingerprint = value.as_ref().and_then(Fingerprint::in_marker);
        let Some(fingerprint) = fingerprint else { return Ok(()) };
        if !rules.names.seals(&name, Kind::Whole) {
            return Ok(());
        }
        let Some(value) = self.open(&fingerprint, target)? else { return Ok(()) };
        let operations = Vec::from([Operation::Replace { path: list.clone(), value }]);
        JsonPatch { operations }.apply(document)
    }

    fn reveal(
        &self,
        data: &mut Value,
        sealed: &dyn Fn(&Fingerprint) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let mut opened: BTreeMap<Fingerprint, (Value, usize, usize)> = BTreeMap::new();
        // A marker is short, and its value may be long, or many small ones.
        let (mut left, mut left_values) = (limits::ANSWER_BYTES, limits::VALUES);
        reveal(data, &mut |fingerprint| {
            if !opened.contains_key(fingerprint) {
                let sealed = sealed(fingerprint)?;
                let value = open_secret(self, fingerprint, &sealed)?;
                let values = value.count();
                opened.insert(*fingerprint, (value, sealed.len(), values));
            }
            let (value, bytes, values) = opened.get(fingerprint).ok_or_else(unproven)?;
            left = left.checked_sub(*bytes).ok_or_else(|| {
                let detail = "the revealed values would be larger than 4 MiB; reveal less at once";
                Error::new(Code::TooLarge, detail).limit(limits::ANSWER_BYTES as u64)
            })?;
            left_values = left_values.checked_sub(*values).ok_or_else(|| {
                let detail = "the revealed values would be more than 524288; reveal less at once";
                Error::new(Code::TooLarge, detail).limit(limits::VALUES as u64)
            })?;
            Ok(value.clone())
        })
    }
}

/// The marker that a note consists of.
pub(crate) fn marker_in(text: &str) -> Option<Value> {
    let is_marker = |value: &Value| Fingerprint::in_marker(value).is_some();
    if !text.starts_with("{\"$sealed\":") {
        return None;
    }
    json::read(text.as_bytes(), 1).ok().filter(is_marker)
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

    fn seal_note(
        &self,
        text: &str,
        _: SealRules<'_>,
        _: &Target<'_>,
        _: &mut Entropy,
    ) -> Result<(String, Sealed)> {
        Ok((text.into(), Sealed::default()))
    }

    fn open_list(
        &self,
        _: &mut Value,
        _: &Pointer,
        _: SealRules<'_>,
        _: &Target<'_>,
    ) -> Result<()> {
        Ok(())
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
