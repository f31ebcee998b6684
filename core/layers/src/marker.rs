//! Markers: the placeholders of sealed values in documents.
//!
//! ```text
//! fingerprint := generation of the key that made it ‖ 16 bytes
//! text form   := "f1." ‖ 22 characters of base64url
//! marker      := {"$sealed": text form}
//! ```
//! In layers a marker is an opaque value that no rule looks into. Code with keys decides what a
//! fingerprint stands for.

use alloc::{string::ToString, vec::Vec};
use core::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::{
    error::{Code, Error, Result},
    value::{Object, SEALED, Value},
};

const DIGEST_BYTES: usize = 16;
const DIGEST_CHARACTERS: usize = 22;

/// The fingerprint of a secret: the id of its key, and 128 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint {
    key: u16,
    digest: [u8; DIGEST_BYTES],
}

impl Fingerprint {
    /// Makes a fingerprint from the generation of its key and the digest.
    pub fn new(key: u16, digest: [u8; DIGEST_BYTES]) -> Fingerprint {
        Fingerprint { key, digest }
    }

    /// The generation of the key that made it.
    pub fn key(&self) -> u16 {
        self.key
    }

    /// The fingerprint in a marker; `None` for any other value.
    pub fn in_marker(value: &Value) -> Option<Fingerprint> {
        value.sealed()?.parse().ok()
    }

    /// The marker for the secret: `{"$sealed":"<fingerprint>"}`.
    pub fn marker(&self) -> Value {
        let mut marker = Object::new();
        marker.insert(SEALED, Value::String(self.to_string()));
        Value::Object(marker)
    }

    /// The bytes that identify the secret's row: the key's generation, big-endian, and the digest.
    pub fn identity(&self) -> [u8; 2 + DIGEST_BYTES] {
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
        write!(f, "f{}.{digest}", self.key)
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
            let key = generation(key.strip_prefix('f')?)?;
            let mut bytes = [0; DIGEST_BYTES];
            let decoded = Base64UrlUnpadded::decode(digest, &mut bytes).ok()?.len();
            (decoded == DIGEST_BYTES).then_some(Fingerprint { key, digest: bytes })
        };
        parse().ok_or_else(|| {
            Error::new(Code::InvalidRequest, "this must be the fingerprint of a sealed value")
        })
    }
}

/// Replaces every marker by its plaintext. `open` returns the plaintext of one secret.
///
/// # Errors
/// The errors of `open`. Then `data` may be partly revealed and must be dropped.
pub fn reveal(data: &mut Value, open: &mut dyn FnMut(&Fingerprint) -> Result<Value>) -> Result<()> {
    if let Some(fingerprint) = Fingerprint::in_marker(data) {
        *data = open(&fingerprint)?;
        return Ok(());
    }
    match data {
        Value::Object(object) => object.iter_mut().try_for_each(|(_, value)| reveal(value, open)),
        Value::Array(items) => items.iter_mut().try_for_each(|item| reveal(item, open)),
        _ => Ok(()),
    }
}

/// The fingerprints of all markers in a value, in document order, with repetitions.
pub fn markers(value: &Value) -> impl Iterator<Item = Fingerprint> + '_ {
    let mut ahead = Vec::from([value]);
    core::iter::from_fn(move || {
        while let Some(value) = ahead.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(fingerprint) = Fingerprint::in_marker(value) {
                        return Some(fingerprint);
                    }
                    ahead.extend(object.iter().rev().map(|(_, value)| value));
                }
                Value::Array(items) => ahead.extend(items.iter().rev()),
                _ => {}
            }
        }
        None
    })
}

/// Reads the generation of a key: 1 to 65,535, without leading zeros.
pub fn generation(text: &str) -> Option<u16> {
    let canonical = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| canonical)
}
