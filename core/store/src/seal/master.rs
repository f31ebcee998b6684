//! The deployment's master keys, which only wrap the keys of users.
//!
//! `NACRE_MASTER_KEYS` holds `id:base64` entries, newest first. The newest wraps; all unwrap. To
//! rotate, put a new entry in front, let the stores rewrap, then remove the old entry.

use alloc::{string::String, vec::Vec};
use core::fmt;

use base64ct::{Base64Unpadded, Base64UrlUnpadded, Encoding};

use super::aead::{Cipher, KeyBytes};
use nacre_layers::error::{Code, Error, Result};

const PURPOSE: &str = "nacre v1 wrap";

/// Longest id of a master key, in bytes.
const ID_BYTES: usize = 32;

/// The master keys, newest first. Wiped when dropped; never printed.
pub struct MasterKeyring {
    newest: (String, Cipher),
    /// Newest first.
    older: Vec<(String, Cipher)>,
}

impl MasterKeyring {
    /// Reads `id:base64` entries, newest first, separated by commas or white space. An id is 1 to
    /// 32 characters of `A–Z a–z 0–9 . _ -`; a key is 32 random bytes in either base64 alphabet,
    /// padded or not.
    ///
    /// # Errors
    /// `store-unavailable` if there is no entry, one is malformed, or an id comes twice. The detail
    /// counts entries and quotes nothing.
    pub fn parse(text: &str) -> Result<MasterKeyring> {
        let mut keys: Vec<(String, Cipher)> = Vec::new();
        let entries = text
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .enumerate();
        for (index, entry) in entries {
            let refused = |why| {
                Err(Error::new(
                    Code::StoreUnavailable,
                    alloc::format!("entry {}: {why}", index + 1),
                ))
            };
            let Some((id, key)) = entry.split_once(':') else {
                return refused("write `id:base64`");
            };
            if !is_id(id) {
                return refused("an id must be 1 to 32 characters of A-Z a-z 0-9 . _ -");
            }
            if keys.iter().any(|(other, _)| other == id) {
                return refused("an earlier entry has the same id");
            }
            let Some(key) = decode_key(key) else {
                return refused("the key must be 32 bytes in base64");
            };
            keys.push((id.into(), Cipher::derive(&key, PURPOSE)?));
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or_else(|| {
            Error::new(
                Code::StoreUnavailable,
                "the list is empty; add an entry, `id:base64` with 32 random bytes",
            )
        })?;
        Ok(MasterKeyring { newest, older: keys.collect() })
    }

    /// The ids, newest first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|(id, _)| id.as_str())
    }

    /// The key that wraps, with its id.
    pub(crate) fn newest(&self) -> (&str, &Cipher) {
        (&self.newest.0, &self.newest.1)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Cipher> {
        self.keys().find(|(other, _)| other == id).map(|(_, key)| key)
    }

    fn keys(&self) -> impl Iterator<Item = &(String, Cipher)> {
        core::iter::once(&self.newest).chain(&self.older)
    }
}

impl fmt::Debug for MasterKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKeyring({} keys)", self.keys().count())
    }
}

pub(crate) fn is_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=ID_BYTES).contains(&id.len()) && id.bytes().all(allowed)
}

fn decode_key(text: &str) -> Option<KeyBytes> {
    let text = text.trim_end_matches('=');
    let mut key = KeyBytes([0; 32]);
    let decoded = if text.contains(['-', '_']) {
        Base64UrlUnpadded::decode(text, &mut key.0)
    } else {
        Base64Unpadded::decode(text, &mut key.0)
    };
    let whole = decoded.is_ok_and(|bytes| bytes.len() == 32);
    whole.then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn entries_are_separated_by_commas_or_white_space() {
        let text = alloc::format!("new:{KEY},old.1:{KEY}\n b_2:{KEY}\r\n\tc-3:{KEY},\n");
        let keyring = MasterKeyring::parse(&text).unwrap();
        assert_eq!(keyring.ids().collect::<Vec<_>>(), ["new", "old.1", "b_2", "c-3"]);
        assert_eq!(keyring.newest().0, "new");
    }

    #[test]
    fn both_alphabets_are_read_padded_or_not() {
        let key = [0xfb; 32];
        for text in [
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=",
            "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s=",
            "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s",
        ] {
            assert_eq!(decode_key(text).map(|key| key.0), Some(key));
        }
    }

    #[test]
    fn a_malformed_entry_is_named_by_its_place_and_never_quoted() {
        let long = "i".repeat(33);
        for (entry, why) in [
            (KEY.into(), "id:base64"),
            (alloc::format!(":{KEY}"), "an id must be"),
            (alloc::format!("{long}:{KEY}"), "an id must be"),
            (alloc::format!("a/b:{KEY}"), "an id must be"),
            (alloc::format!("first:{KEY}"), "same id"),
            ("second:".into(), "32 bytes"),
            (alloc::format!("second:A{KEY}"), "32 bytes"),
            ("second:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh".into(), "32 bytes"),
            ("second:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g".into(), "32 bytes"),
            ("second:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh%=".into(), "32 bytes"),
        ] {
            let error = MasterKeyring::parse(&alloc::format!("first:{KEY}\n{entry}")).unwrap_err();
            assert_eq!(error.code(), Code::StoreUnavailable);
            assert!(error.detail().contains("entry 2") && error.detail().contains(why), "{error}");
            assert!(!error.detail().contains("AAECAw"), "{error}");
        }
        for text in ["", " ,\n"] {
            assert!(MasterKeyring::parse(text).unwrap_err().detail().contains("empty"));
        }
    }
}
