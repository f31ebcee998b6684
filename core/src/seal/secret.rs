//! Secrets: content-addressed by a keyed fingerprint, boxed apart from the documents.
//!
//! ```text
//! fingerprint := HMAC-SHA-256(fingerprint key, canonical JSON of the plaintext), first 16 bytes
//! text form   := "f1." ‖ 22 characters of base64url           (key id, fingerprint)
//! marker      := {"$sealed": text form}                        what documents hold instead
//! box         := an envelope (see `row.rs`) under the secrets key, bound to the fingerprint
//! ```
//! Equal plaintexts of one user have one fingerprint, so writing a value back unchanged changes
//! nothing, and a diff tells a changed secret from an unchanged one. Without the user's key a
//! fingerprint says nothing about the value and cannot be compared with another user's. Who may
//! write to a store and sees a marker can test guesses against it, one write for each; secrets that
//! can be guessed are not protected from the store's own writers.

use alloc::{string::ToString, vec::Vec};
use core::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use super::{
    aead::Nonce,
    keyring::{DataKey, KeyId, Keyring},
    row::{self, Form},
    unproven,
};
use crate::{
    error::{Code, Error, Result},
    json, limits,
    value::{Object, SEALED, Value},
};

const DIGEST_BYTES: usize = 16;
const DIGEST_CHARACTERS: usize = 22;

/// The name of a secret: which key made it, and 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    key: u16,
    digest: [u8; DIGEST_BYTES],
}

impl Fingerprint {
    pub(crate) fn of(keys: &Keyring, canonical: &[u8]) -> Fingerprint {
        let (key, mac) = keys.authenticate(canonical);
        let mut digest = [0; DIGEST_BYTES];
        digest.iter_mut().zip(mac).for_each(|(byte, of_mac)| *byte = of_mac);
        Fingerprint { key, digest }
    }

    /// A name that no key made: it says the last key there could be.
    pub(super) fn passing(hash: &[u8]) -> Fingerprint {
        let mut digest = [0; DIGEST_BYTES];
        digest.iter_mut().zip(hash).for_each(|(byte, of_hash)| *byte = *of_hash);
        Fingerprint { key: u16::MAX, digest }
    }

    /// The fingerprint in a marker; `None` for every other value.
    pub fn in_marker(value: &Value) -> Option<Fingerprint> {
        value.sealed()?.parse().ok()
    }

    /// The value that stands for the secret: `{"$sealed":"<fingerprint>"}`.
    pub fn marker(&self) -> Value {
        let mut marker = Object::new();
        marker.insert(SEALED, Value::String(self.to_string()));
        Value::Object(marker)
    }

    fn identity(&self) -> [u8; 2 + DIGEST_BYTES] {
        let mut identity = [0; 2 + DIGEST_BYTES];
        let bytes = self.key.to_be_bytes().into_iter().chain(self.digest);
        identity.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        identity
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; DIGEST_CHARACTERS];
        let digest = Base64UrlUnpadded::encode(&self.digest, &mut text).map_err(|_| fmt::Error)?;
        write!(f, "{}.{digest}", KeyId::Fingerprint(self.key))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// Reads what `Display` writes, and nothing else.
    fn from_str(text: &str) -> Result<Fingerprint> {
        let parse = || {
            let (key, digest) = text.split_once('.')?;
            let KeyId::Fingerprint(key) = key.parse().ok()? else { return None };
            let mut bytes = [0; DIGEST_BYTES];
            let decoded = Base64UrlUnpadded::decode(digest, &mut bytes).ok()?.len();
            (decoded == DIGEST_BYTES).then_some(Fingerprint { key, digest: bytes })
        };
        parse().ok_or_else(|| {
            Error::new(Code::InvalidRequest, "not the fingerprint of a sealed value")
        })
    }
}

/// A secret to be stored: its name, and its plaintext in a box.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// The name; the row's key.
    pub fingerprint: Fingerprint,
    /// The sealed plaintext.
    pub sealed: Vec<u8>,
}

impl NewSecret {
    pub(crate) fn new(
        keys: &Keyring,
        fingerprint: Fingerprint,
        canonical: &[u8],
        nonce: Nonce,
    ) -> Result<NewSecret> {
        let key = keys.newest_key();
        let identity = fingerprint.identity();
        let sealed = row::seal(key, &key.secrets, Form::Plain, &identity, canonical, nonce)?;
        Ok(NewSecret { fingerprint, sealed })
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret({}, {} bytes)", self.fingerprint, self.sealed.len())
    }
}

/// Opens the box of one secret.
///
/// # Errors
/// `store-unavailable` when the bytes cannot be proven to be what was sealed under this name.
pub fn open_secret(keys: &Keyring, fingerprint: &Fingerprint, sealed: &[u8]) -> Result<Value> {
    let canonical = Zeroizing::new(row::open(keys, secrets, &fingerprint.identity(), sealed)?);
    json::read(&canonical, limits::DEPTH).map_err(|_| unproven())
}

/// The same secret, sealed with the newest data key. `nonce` must be fresh.
///
/// # Errors
/// `store-unavailable` as [`open_secret`] gives it.
pub fn reseal_secret(
    keys: &Keyring,
    fingerprint: &Fingerprint,
    sealed: &[u8],
    nonce: Nonce,
) -> Result<Vec<u8>> {
    row::reseal(keys, secrets, &fingerprint.identity(), sealed, nonce)
}

fn secrets(key: &DataKey) -> &super::aead::Cipher {
    &key.secrets
}
