//! Stored values: compressed if that helps, sealed, and bound to their row.
//!
//! ```text
//! envelope := 0x01  flags  data key u16 (big-endian)  nonce[12]  ciphertext  tag[16]
//! flags    := bit 0: the plaintext is a raw DEFLATE stream (RFC 1951); all others are 0
//! context  := the first four bytes ‖ row identity       (authenticated, not stored)
//! ```
//! An envelope opens only in the row it was sealed for. It fails after swapping rows, tables or
//! versions, with another flag or key id, or with any other changed byte. It is 32 bytes longer
//! than the value. Secrets (`secret.rs`) use the same envelope under their own key and are never
//! compressed.

use alloc::vec::Vec;
use core::fmt;

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::{
    aead::{Cipher, NONCE_BYTES, Nonce, TAG_BYTES},
    compressor::Compressor,
    keyring::{DataKey, KeyId, Keyring},
    unproven,
};
use crate::limits;
use nacre_layers::error::{Code, Error, Result};

/// Largest value that can be sealed or unpacked, in bytes: four times the largest data, so that
/// data with its index and the answer of a batch fit.
pub const PLAINTEXT_BYTES: usize = 4 * limits::DATA_BYTES;

const VERSION: u8 = 1;
const DEFLATED: u8 = 1;
const HEADER_BYTES: usize = 4;

/// The identity of a sealed value: its table and the parts of its key, in an encoding that is
/// unique per row.
///
/// ```
/// # use nacre_store::seal::RowIdentity;
/// let row = RowIdentity::new("versions").text("project").text("atlas").number(7);
/// assert_ne!(row, RowIdentity::new("versions").text("project").text("atla").text("s").number(7));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RowIdentity(Vec<u8>);

impl RowIdentity {
    /// Starts the identity of a row of this table. Add the parts of its key in their fixed order.
    pub fn new(table: &str) -> RowIdentity {
        RowIdentity(Vec::with_capacity(64)).text(table)
    }

    /// Adds a part that is text.
    #[must_use]
    pub fn text(self, part: &str) -> RowIdentity {
        self.part(b't', part.as_bytes())
    }

    /// Adds a part that is a number: a version, a `seq`, a row id.
    #[must_use]
    pub fn number(self, part: u64) -> RowIdentity {
        self.part(b'n', &part.to_be_bytes())
    }

    /// Adds a part that is bytes.
    #[must_use]
    pub fn bytes(self, part: &[u8]) -> RowIdentity {
        self.part(b'b', part)
    }

    fn part(mut self, kind: u8, bytes: &[u8]) -> RowIdentity {
        self.0.push(kind);
        self.0.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RowIdentity {
    /// Keys of rows may contain input from callers (idempotency keys), so only the size is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowIdentity({} bytes)", self.0.len())
    }
}

/// Seals the value of one row with the newest data key. `nonce` must be fresh.
///
/// # Errors
/// `too-large` past [`PLAINTEXT_BYTES`].
pub fn seal_row(
    keys: &Keyring,
    identity: &RowIdentity,
    plain: &[u8],
    nonce: Nonce,
) -> Result<Vec<u8>> {
    let key = keys.newest_key();
    let form = Form::Compressed(keys.compressor());
    seal(key, &key.rows, form, identity.as_bytes(), plain, nonce)
}

/// Opens a value that [`seal_row`] sealed for this row.
///
/// # Errors
/// `store-unavailable` if the bytes were not written for this row.
pub fn open_row(keys: &Keyring, identity: &RowIdentity, envelope: &[u8]) -> Result<Vec<u8>> {
    open(keys, |key| &key.rows, identity.as_bytes(), envelope)
}

/// As [`open_row`], but unpacks no more than the first bytes of the value, `most` or fewer.
///
/// # Errors
/// As [`open_row`].
pub fn open_start(
    keys: &Keyring,
    identity: &RowIdentity,
    envelope: &[u8],
    most: usize,
) -> Result<Vec<u8>> {
    let (envelope, mut body) = unseal(keys, |key| &key.rows, identity.as_bytes(), envelope)?;
    if envelope.flags & DEFLATED == 0 {
        body.truncate(most);
        return Ok(body);
    }
    match decompress_to_vec_with_limit(&body, most) {
        Ok(whole) => Ok(whole),
        Err(error) if error.status == TINFLStatus::HasMoreOutput => Ok(error.output),
        Err(_) => Err(unproven()),
    }
}

/// The same value in the same row, sealed with the newest data key. `nonce` must be fresh.
///
/// # Errors
/// `store-unavailable`, as for [`open_row`].
pub fn reseal_row(
    keys: &Keyring,
    identity: &RowIdentity,
    envelope: &[u8],
    nonce: Nonce,
) -> Result<Vec<u8>> {
    reseal(keys, |key| &key.rows, identity.as_bytes(), envelope, nonce)
}

/// The data key that an envelope names; `None` if it is not an envelope. Nothing is verified: use
/// it only to find values to reseal after a rotation.
pub fn sealed_with(envelope: &[u8]) -> Option<KeyId> {
    Envelope::parse(envelope).map(|envelope| KeyId::Data(envelope.generation))
}

/// Whether a plaintext is compressed before sealing.
pub(crate) enum Form<'c> {
    /// Compress it if that is shorter.
    Compressed(&'c Compressor),
    /// Do not compress it.
    Plain,
}

/// Seals with the key for one purpose.
pub(crate) fn seal(
    key: &DataKey,
    cipher: &Cipher,
    form: Form<'_>,
    identity: &[u8],
    plain: &[u8],
    nonce: Nonce,
) -> Result<Vec<u8>> {
    if plain.len() > PLAINTEXT_BYTES {
        return Err(Error::new(Code::TooLarge, "a stored value must be at most 4 MiB")
            .limit(PLAINTEXT_BYTES as u64));
    }
    let mut body = Vec::with_capacity(plain.len() + HEADER_BYTES + NONCE_BYTES + TAG_BYTES);
    body.extend_from_slice(&header(0, key.generation));
    body.extend_from_slice(&nonce);
    let shorter = match form {
        Form::Compressed(compressor) => compressor.append(plain, &mut body),
        Form::Plain => false,
    };
    let flags = if shorter { DEFLATED } else { 0 };
    if !shorter {
        body.extend_from_slice(plain);
    }
    finish(body, header(flags, key.generation), cipher, identity, &nonce)
}

pub(crate) fn open(
    keys: &Keyring,
    purpose: impl Fn(&DataKey) -> &Cipher,
    identity: &[u8],
    envelope: &[u8],
) -> Result<Vec<u8>> {
    let (envelope, body) = unseal(keys, purpose, identity, envelope)?;
    if envelope.flags & DEFLATED == 0 {
        return Ok(body);
    }
    decompress_to_vec_with_limit(&body, PLAINTEXT_BYTES).map_err(|_| unproven())
}

pub(crate) fn reseal(
    keys: &Keyring,
    purpose: impl Fn(&DataKey) -> &Cipher,
    identity: &[u8],
    envelope: &[u8],
    nonce: Nonce,
) -> Result<Vec<u8>> {
    let (envelope, plain) = unseal(keys, &purpose, identity, envelope)?;
    let key = keys.newest_key();
    let header = header(envelope.flags, key.generation);
    let mut body = Vec::with_capacity(HEADER_BYTES + NONCE_BYTES + plain.len() + TAG_BYTES);
    body.extend_from_slice(&header);
    body.extend_from_slice(&nonce);
    body.extend_from_slice(&plain);
    finish(body, header, purpose(key), identity, &nonce)
}

/// Sets the header of `header ‖ nonce ‖ plaintext`, and encrypts everything after the nonce.
fn finish(
    mut body: Vec<u8>,
    header: [u8; HEADER_BYTES],
    cipher: &Cipher,
    identity: &[u8],
    nonce: &Nonce,
) -> Result<Vec<u8>> {
    if let Some(start) = body.first_chunk_mut() {
        *start = header;
    }
    cipher.seal_from(HEADER_BYTES + NONCE_BYTES, nonce, &context(&header, identity), &mut body)?;
    Ok(body)
}

/// Verifies and decrypts, without decompressing.
fn unseal<'a>(
    keys: &Keyring,
    purpose: impl Fn(&DataKey) -> &Cipher,
    identity: &[u8],
    envelope: &'a [u8],
) -> Result<(Envelope<'a>, Vec<u8>)> {
    let envelope = Envelope::parse(envelope).ok_or_else(unproven)?;
    let key = keys.data_key(envelope.generation).ok_or_else(unproven)?;
    let context = context(envelope.header, identity);
    let body = purpose(key).open(envelope.nonce, &context, envelope.sealed).ok_or_else(unproven)?;
    Ok((envelope, body))
}

struct Envelope<'a> {
    header: &'a [u8; HEADER_BYTES],
    flags: u8,
    generation: u16,
    nonce: &'a Nonce,
    sealed: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Envelope<'a>> {
        let (header, rest) = bytes.split_first_chunk()?;
        let (nonce, sealed) = rest.split_first_chunk()?;
        let &[version, flags, g1, g0] = header;
        let generation = u16::from_be_bytes([g1, g0]);
        let known = version == VERSION && flags & !DEFLATED == 0 && generation > 0;
        (known && sealed.len() >= TAG_BYTES).then_some(Envelope {
            header,
            flags,
            generation,
            nonce,
            sealed,
        })
    }
}

fn header(flags: u8, generation: u16) -> [u8; HEADER_BYTES] {
    let [g1, g0] = generation.to_be_bytes();
    [VERSION, flags, g1, g0]
}

fn context(header: &[u8; HEADER_BYTES], identity: &[u8]) -> Vec<u8> {
    [header, identity].concat()
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;

    use super::*;
    use crate::{entropy::Entropy, seal::MasterKeyring};
    use nacre_layers::id::User;

    fn keys() -> Keyring {
        let key = "m:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let masters = MasterKeyring::parse(key).unwrap();
        let user = User::parse("alice").unwrap();
        let wrapped = Keyring::create(&user, &masters, &mut Entropy::from_seed([1; 32])).unwrap();
        Keyring::unwrap(&user, &wrapped, &masters).unwrap()
    }

    /// A genuine envelope that declares `stream` as compressed.
    fn deflated(keys: &Keyring, stream: &[u8]) -> Vec<u8> {
        let nonce = [0; NONCE_BYTES];
        let header = header(DEFLATED, 1);
        let body = [header.as_slice(), &nonce, stream].concat();
        let cipher = &keys.newest_key().rows;
        finish(body, header, cipher, RowIdentity::new("t").as_bytes(), &nonce).unwrap()
    }

    #[test]
    fn unpacking_is_bounded_whatever_a_genuine_envelope_holds() {
        let keys = keys();
        for (length, fits) in [(PLAINTEXT_BYTES, true), (PLAINTEXT_BYTES + 1, false)] {
            let stream = compress_to_vec(&alloc::vec![0; length], 9);
            let opened = open_row(&keys, &RowIdentity::new("t"), &deflated(&keys, &stream));
            assert_eq!(opened.is_ok(), fits, "{length}");
        }
        let endless = deflated(&keys, &[0; 3]);
        assert!(open_row(&keys, &RowIdentity::new("t"), &endless).is_err());
        assert!(open_row(&keys, &RowIdentity::new("t"), &deflated(&keys, &[])).is_err());
    }

    #[test]
    fn only_what_becomes_shorter_is_compressed() {
        let keys = keys();
        let flags = |plain: &[u8]| {
            let row = RowIdentity::new("t");
            seal_row(&keys, &row, plain, [0; 12]).unwrap()[1]
        };
        let noise: [u8; 500] = Entropy::from_seed([2; 32]).array();
        assert_eq!(flags(&noise), 0);
        assert_eq!(flags(&[b'x'; 191]), 0);
        assert_eq!(flags(&[b'x'; 192]), DEFLATED);
    }
}
