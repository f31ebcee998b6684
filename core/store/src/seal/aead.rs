//! AES-256-GCM with 96-bit nonces, and 128-bit tags after the ciphertext.
//!
//! All sealing goes through [`Cipher`], which passes the Wycheproof vectors. Bounds (NIST SP
//! 800-38D): a nonce must never repeat under one key, and one key must make at most 2³² seals with
//! random nonces. Rotation of data keys keeps far below that.

use alloc::vec::Vec;
use core::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit, Tag,
    aead::{AeadInOut, inout::InOutBuf},
};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use nacre_layers::error::{Error, Result};

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;

/// Bytes that sealing adds after the plaintext.
pub const TAG_BYTES: usize = 16;

/// A nonce, from [`Entropy`](crate::entropy::Entropy). Use it once.
pub type Nonce = [u8; NONCE_BYTES];

/// An expanded key for AES-256-GCM. Wiped when dropped.
pub struct Cipher(Aes256Gcm);

impl Cipher {
    /// Expands a key.
    pub fn new(key: &[u8; 32]) -> Cipher {
        Cipher(Aes256Gcm::new(key.into()))
    }

    /// The cipher for one purpose of a key, which is never used directly: HKDF-SHA-256 (RFC 5869)
    /// without salt, the purpose as its info.
    pub(crate) fn derive(key: &KeyBytes, purpose: &str) -> Result<Cipher> {
        let mut derived = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &key.0)
            .expand(purpose.as_bytes(), derived.as_mut_slice())
            .map_err(|_| Error::bug("HKDF refused an output of 32 bytes"))?;
        Ok(Cipher::new(&derived))
    }

    /// Encrypts `message` in place and appends the tag.
    ///
    /// # Errors
    /// `internal` if the message has more than 2³⁶ bytes.
    pub fn seal(&self, nonce: &Nonce, context: &[u8], message: &mut Vec<u8>) -> Result<()> {
        self.seal_from(0, nonce, context, message)
    }

    /// As [`seal`](Cipher::seal), for `buffer` from `start` on.
    pub(crate) fn seal_from(
        &self,
        start: usize,
        nonce: &Nonce,
        context: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        let message = buffer.get_mut(start..).unwrap_or_default();
        let tag = self
            .0
            .encrypt_inout_detached(nonce.into(), context, InOutBuf::from(message))
            .map_err(|_| Error::bug("AES-GCM cannot seal this many bytes"))?;
        buffer.extend_from_slice(&tag);
        Ok(())
    }

    /// Decrypts the result of [`seal`](Cipher::seal); `None` unless key, nonce, context and every
    /// byte are the original ones.
    pub fn open(&self, nonce: &Nonce, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (message, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
        let mut message = message.to_vec();
        self.0
            .decrypt_inout_detached(
                nonce.into(),
                context,
                InOutBuf::from(message.as_mut_slice()),
                <&Tag>::from(tag),
            )
            .ok()?;
        Some(message)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(..)")
    }
}

/// 32 secret bytes that only ever derive or wrap. Wiped when dropped.
pub(crate) struct KeyBytes(pub(crate) [u8; 32]);

impl Drop for KeyBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBytes(..)")
    }
}
