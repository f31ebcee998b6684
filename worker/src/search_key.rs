//! The key of one store's searches: what leaves the object for a shared database is named by it.
//!
//! ```text
//! token    := HMAC-SHA-256(key, "t" ‖ term), first 64 bits
//! owner    := HMAC-SHA-256(key, "o"), first 16 bytes as base64url
//! document := HMAC-SHA-256(key, "d" ‖ level ‖ id), the same
//! address  := AES-256-GCM(HMAC(key, "a"), nonce, level ‖ id, document)
//! nonce    := HMAC-SHA-256(key, "n" ‖ level ‖ id), first 12 bytes
//! ```
//! The key is random and is made once for each store, so equal words of two users have different
//! tokens, and nothing there can be read or named once the store is erased. An address is sealed
//! under a nonce that follows from it: the same text always, so no nonce is used for two texts.

use std::{fmt, sync::OnceLock};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit, Mac};
use nacre_core::{
    address::Address,
    error::{Error, Result},
    id::ContextId,
    row::{level_number, level_of},
    seal::aead::Cipher,
    search::token::{TermKey, Token},
};
use sha2::Sha256;

/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// The key of one store's searches.
pub struct SearchKey {
    bytes: [u8; KEY_BYTES],
    /// The state of the MAC after the key.
    mac: Hmac<Sha256>,
    addresses: OnceLock<Cipher>,
}

impl SearchKey {
    /// A key of these bytes.
    ///
    /// # Errors
    /// `internal` only.
    pub fn new(bytes: [u8; KEY_BYTES]) -> Result<SearchKey> {
        let mac = Hmac::new_from_slice(&bytes).map_err(|_| Error::bug("HMAC refused a key"))?;
        Ok(SearchKey { bytes, mac, addresses: OnceLock::new() })
    }

    /// The bytes, to be sealed.
    pub fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// The name of the store.
    pub fn owner(&self) -> String {
        name(&self.digest(b"o", &[]))
    }

    /// The name of a context.
    pub fn document(&self, address: &Address) -> String {
        name(&self.digest(b"d", &plain(address)))
    }

    /// The sealed address of a context, the same for each call.
    ///
    /// # Errors
    /// `internal` only.
    pub fn seal(&self, address: &Address) -> Result<Vec<u8>> {
        let mut text = plain(address);
        let digest = self.digest(b"n", &text);
        let nonce = digest.first_chunk().ok_or_else(|| Error::bug("a digest is too short"))?;
        let document = self.document(address);
        self.cipher().seal(nonce, document.as_bytes(), &mut text)?;
        Ok([document.as_bytes(), nonce, &text].concat())
    }

    /// The address that was sealed; `None` if it was not sealed under this key.
    pub fn open(&self, sealed: &[u8]) -> Option<Address> {
        let (document, rest) = sealed.split_at_checked(NAME_LENGTH)?;
        let (nonce, text) = rest.split_first_chunk()?;
        let text = self.cipher().open(nonce, document, text)?;
        let (level, id) = text.split_first()?;
        let id = ContextId::stored(std::str::from_utf8(id).ok()?).ok()?;
        Address::new(level_of(u64::from(*level)).ok()?, id).ok()
    }

    fn cipher(&self) -> &Cipher {
        self.addresses.get_or_init(|| Cipher::new(&self.digest(b"a", &[])))
    }

    fn digest(&self, purpose: &[u8; 1], text: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(purpose);
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

impl TermKey for SearchKey {
    fn token(&self, term: &str) -> Token {
        let digest = self.digest(b"t", term.as_bytes());
        let first = digest.first_chunk().copied().unwrap_or_default();
        Token(u64::from_be_bytes(first))
    }
}

impl PartialEq for SearchKey {
    fn eq(&self, other: &SearchKey) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Debug for SearchKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchKey(..)")
    }
}

/// Characters of a name: 16 bytes as base64url.
const NAME_LENGTH: usize = 22;

fn name(digest: &[u8; 32]) -> String {
    Base64UrlUnpadded::encode_string(digest.first_chunk::<16>().map_or(&[], <[u8; 16]>::as_slice))
}

fn plain(address: &Address) -> Vec<u8> {
    let level = level_number(address.level) as u8;
    [&[level], address.id.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_opens_under_its_own_key_alone() -> Result<()> {
        let (key, other) = (SearchKey::new([1; 32])?, SearchKey::new([2; 32])?);
        let task = Address::parse("task", "t1")?;
        let sealed = key.seal(&task)?;
        assert_eq!(key.open(&sealed), Some(task.clone()));
        assert_eq!(sealed, key.seal(&task)?);
        assert_eq!(other.open(&sealed), None);
        assert_eq!(key.document(&task).len(), NAME_LENGTH);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed), None, "byte {at}");
        }
        Ok(())
    }

    #[test]
    fn every_name_needs_the_key() -> Result<()> {
        let (key, other) = (SearchKey::new([1; 32])?, SearchKey::new([2; 32])?);
        let (task, branch) = (Address::parse("task", "t")?, Address::parse("branch", "t")?);
        assert_ne!(key.owner(), other.owner());
        assert_ne!(key.document(&task), other.document(&task));
        assert_ne!(key.document(&task), key.document(&branch));
        assert_ne!(key.token("word"), other.token("word"));
        assert_ne!(key.token("word"), key.token("words"));
        Ok(())
    }
}
