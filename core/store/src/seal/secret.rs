//! Secrets: identified by a keyed fingerprint, and sealed apart from the documents.
//!
//! ```text
//! plaintext   := scope ‖ "\n" ‖ canonical JSON                 earlier versions: canonical JSON
//! scope       := "g" | "p" ‖ project id
//! fingerprint := HMAC-SHA-256(fingerprint key, plaintext), first 16 bytes; or 16 random bytes
//! text form   := "f1." ‖ 22 characters of base64url           (key id, fingerprint)
//! marker      := {"$sealed": text form}                        what documents hold instead
//! box         := an envelope (see `row.rs`) under the secrets key, bound to the fingerprint
//! ```
//! Equal values of one scope have one fingerprint. So writing a value back unchanged changes
//! nothing, and a diff shows whether a secret changed. Without the user's key a fingerprint reveals
//! nothing, and cannot be compared with another user's or another scope's. Who may not reveal
//! secrets gets random fingerprints (`Target::is_blind`), so guesses cannot be tested either. What
//! remains: the owner's own token without `secrets:reveal` can test a guess with a write, which is
//! a commit with a line in the audit trail.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{
    aead::Nonce,
    keyring::{DataKey, Keyring},
    row::{self, Form},
    target::SealScope,
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
        plaintext: &Plaintext,
        nonce: Nonce,
    ) -> Result<NewSecret> {
        let key = keys.newest_key();
        let identity = fingerprint.identity();
        let sealed = row::seal(key, &key.secrets, Form::Plain, &identity, &plaintext.0, nonce)?;
        Ok(NewSecret { fingerprint, sealed })
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewSecret({}, {} bytes)", self.fingerprint, self.sealed.len())
    }
}

/// What a secret seals: its scope, and its value as canonical JSON.
pub(crate) struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    pub(crate) fn new(scope: &SealScope, canonical: &[u8]) -> Plaintext {
        let scope = scope.text();
        let mut bytes = Zeroizing::new(Vec::with_capacity(scope.len() + 1 + canonical.len()));
        bytes.extend_from_slice(scope.as_bytes());
        bytes.push(b'\n');
        bytes.extend_from_slice(canonical);
        Plaintext(bytes)
    }

    /// Opens a sealed secret.
    pub(crate) fn open(
        keys: &Keyring,
        fingerprint: &Fingerprint,
        sealed: &[u8],
    ) -> Result<Plaintext> {
        row::open(keys, secrets, &fingerprint.identity(), sealed).map(Zeroizing::new).map(Plaintext)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The scope, if the secret has one, and the canonical JSON.
    pub(crate) fn parts(&self) -> (Option<SealScope>, &[u8]) {
        let scoped = || {
            let end = self.0.iter().position(|byte| *byte == b'\n')?;
            let (scope, rest) = self.0.split_at_checked(end)?;
            Some((SealScope::read(core::str::from_utf8(scope).ok()?)?, rest.get(1..)?))
        };
        match scoped() {
            Some((scope, canonical)) => (Some(scope), canonical),
            None => (None, &self.0),
        }
    }

    pub(crate) fn value(&self) -> Result<Value> {
        json::read(self.parts().1, limits::DEPTH).map_err(|_| unproven())
    }
}

/// Opens one sealed secret.
///
/// # Errors
/// `store-unavailable` if the bytes were not sealed under this fingerprint.
pub fn open_secret(keys: &Keyring, fingerprint: &Fingerprint, sealed: &[u8]) -> Result<Value> {
    Plaintext::open(keys, fingerprint, sealed)?.value()
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
