//! An issuer's key set (RFC 7517 §5) and the choice of a key for a token.

use core::fmt;

use nacre_core::{
    json, limits,
    value::{Object, Value},
};

use super::{
    jws::{Algorithm, Jws},
    public_key::{PublicKey, Unusable},
    refusal::Refusal,
    unverified::{Opened, Unverified},
};

/// Largest document, in bytes. Real ones with certificate chains have some tens of KiB.
const DOCUMENT_BYTES: usize = 256 << 10;

/// Most entries in a set.
const ENTRIES: usize = 64;

/// The usable keys of an issuer, all of them public.
#[derive(Clone, Debug, Default)]
pub struct Jwks {
    keys: Vec<(Option<String>, PublicKey)>,
    skipped: Vec<Skipped>,
}

/// A skipped entry of a key set. RFC 7517 §5 requires skipping it instead of refusing the whole
/// set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its index in the document, from 0.
    pub index: usize,
    /// Why it was skipped.
    pub why: Unusable,
}

/// Why a document is refused as a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwksError {
    /// Larger than 256 KiB, or more than 64 entries.
    TooLarge,
    /// Not a JSON object with an array `keys` of objects, or a member comes twice.
    Unreadable,
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JwksError::TooLarge => "the key set must be at most 256 KiB and 64 keys",
            JwksError::Unreadable => "the document must be a JSON Web Key Set",
        })
    }
}

impl core::error::Error for JwksError {}

impl Jwks {
    /// Reads a key set. A set without usable keys is valid: an issuer may withdraw all keys.
    ///
    /// # Errors
    /// If the document as a whole is not a key set.
    pub fn parse(document: &[u8]) -> Result<Jwks, JwksError> {
        if document.len() > DOCUMENT_BYTES {
            return Err(JwksError::TooLarge);
        }
        let document = json::read(document, limits::DEPTH).map_err(|_| JwksError::Unreadable)?;
        let entries = document
            .as_object()
            .and_then(|document| document.get("keys"))
            .and_then(Value::as_array)
            .ok_or(JwksError::Unreadable)?;
        if entries.len() > ENTRIES {
            return Err(JwksError::TooLarge);
        }
        let mut set = Jwks::default();
        for (index, entry) in entries.iter().enumerate() {
            let entry = entry.as_object().ok_or(JwksError::Unreadable)?;
            match read_entry(entry) {
                Ok(key) => set.keys.push(key),
                Err(why) => set.skipped.push(Skipped { index, why }),
            }
        }
        Ok(set)
    }

    /// The entries that were skipped.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// How many keys are usable.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is usable.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Opens a token signed with a key of this set.
    ///
    /// # Errors
    /// Why the token is refused.
    pub fn open<'t>(&self, token: &'t str) -> Result<Opened<'t>, Refusal> {
        let jws = Jws::read(token)?;
        if jws.algorithm == Algorithm::Hs256 {
            return Err(Refusal::Algorithm);
        }
        self.find(jws.algorithm, jws.key_id.as_deref())?.open(jws)
    }

    /// Whether the key that a token was to be verified with is still the one that it names.
    pub(super) fn names(&self, unverified: &Unverified<'_>) -> bool {
        let key = self.find(Algorithm::Rs256, unverified.key_id());
        matches!(key, Ok(PublicKey::Rs256(key)) if key == unverified.key())
    }

    /// The one key for a token: chosen by id and algorithm, or by algorithm alone if the token
    /// names no key. Trying several keys would let the cost of a check grow with the set.
    fn find(&self, algorithm: Algorithm, id: Option<&str>) -> Result<&PublicKey, Refusal> {
        let named =
            || self.keys.iter().filter(|(key_id, _)| id.is_none() || key_id.as_deref() == id);
        if named().next().is_none() {
            return Err(Refusal::UnknownKey);
        }
        let mut fitting = named().filter(|(_, key)| key.algorithm() == algorithm);
        match (fitting.next(), fitting.next()) {
            (Some((_, key)), None) => Ok(key),
            (None, _) => Err(Refusal::Algorithm),
            (Some(_), Some(_)) => Err(Refusal::AmbiguousKey),
        }
    }
}

fn read_entry(entry: &Object) -> Result<(Option<String>, PublicKey), Unusable> {
    let id = match entry.get("kid") {
        None => None,
        Some(id) => Some(id.as_str().ok_or(Unusable::Member)?.into()),
    };
    Ok((id, PublicKey::read(entry)?))
}
