//! Secrets: identified by a keyed fingerprint, and sealed apart from the documents.
//!
//! ```text
//! fingerprint := HMAC-SHA-256(fingerprint key, canonical JSON of the plaintext), first 16 bytes
//! text form   := "f1." ‖ 22 characters of base64url           (key id, fingerprint)
//! marker      := {"$sealed": text form}                        what documents hold instead
//! box         := an envelope (see `row.rs`) under the secrets key, bound to the fingerprint
//! ```
//! Equal plaintexts of one user have one fingerprint. So writing a value back unchanged changes
//! nothing, and a diff shows whether a secret changed. Without the user's key a fingerprint reveals
//! nothing, and cannot be compared with another user's. A user who may write to a store and sees a
//! marker can test guesses, one write per guess: secrets that can be guessed are not protected from
//! writers.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{
    aead::Nonce,
    keyring::{DataKey, Keyring},
    row::{self, Form},
    unproven,
};
use crate::limits;
use nacre_layers::{error::Result, json, marker::Fingerprint, value::Value};

/// A new secret to store: its fingerprint, and its sealed plaintext.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSecret {
    /// The fingerprint, which is the key of the row.
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

/// Opens one sealed secret.
///
/// # Errors
/// `store-unavailable` if the bytes were not sealed under this fingerprint.
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
