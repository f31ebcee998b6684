//! The keys of one user: data keys in generations and a fingerprint key, wrapped by a master key.
//!
//! - A **data key** (`d1`, `d2`, …) is 32 random bytes and encrypts nothing itself; one key per
//!   purpose is derived from it. The newest generation seals. Older ones open values until these
//!   are resealed; then they are deleted.
//! - The **fingerprint key** (`f1`, `f2`, …) makes the fingerprints of secrets. It rotates with the
//!   data keys, and only the newest is kept: a secret opens without the key of its fingerprint. So
//!   markers of older keys stay valid, and the next write of their context replaces them.
//! - Deleting a user's wrapped keys makes every copy of the user's rows unreadable.
//!
//! ```text
//! wrapped key := 0x01  kind 'd' | 'f'  generation u16  length u8  master id  nonce[12]  box[48]
//! box         := AES-256-GCM(HKDF(master key, "nacre v1 wrap"), nonce, key,
//!                            everything before the nonce ‖ length u32 ‖ user)
//! ```
//! Integers are big-endian. A wrapped key cannot be unwrapped for another user, under another name,
//! or with another master key.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    aead::{Cipher, KeyBytes, NONCE_BYTES, Nonce, TAG_BYTES},
    compressor::Compressor,
    master::{self, MasterKeyring},
    secret::Plaintext,
    unproven,
};
use crate::entropy::Entropy;
use nacre_layers::{
    error::{Code, Error, Result},
    id::User,
    marker::{self, Fingerprint},
    sort::sort_by,
};

const ROWS: &str = "nacre v1 rows";
const SECRETS: &str = "nacre v1 secrets";
const VERSION: u8 = 1;

/// The id of a key of a user: `d1`, `d2`, … or `f1`, `f2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyId {
    /// A generation of the data key, from 1 on.
    Data(u16),
    /// The fingerprint key.
    Fingerprint(u16),
}

impl KeyId {
    fn new(kind: u8, generation: u16) -> Option<KeyId> {
        match (kind, generation) {
            (_, 0) => None,
            (b'd', _) => Some(KeyId::Data(generation)),
            (b'f', _) => Some(KeyId::Fingerprint(generation)),
            _ => None,
        }
    }

    const fn parts(self) -> (u8, u16) {
        match self {
            KeyId::Data(generation) => (b'd', generation),
            KeyId::Fingerprint(generation) => (b'f', generation),
        }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, generation) = self.parts();
        write!(f, "{}{generation}", char::from(kind))
    }
}

impl FromStr for KeyId {
    type Err = Error;

    /// Reads exactly the form that `Display` writes.
    fn from_str(text: &str) -> Result<KeyId> {
        let id = || {
            let (kind, generation) = text.split_at_checked(1)?;
            KeyId::new(*kind.as_bytes().first()?, marker::generation(generation)?)
        };
        id().ok_or_else(|| Error::new(Code::InvalidRequest, "a key id must be d1, d2, … or f1"))
    }
}

/// A key as it is stored: sealed, with its own id and that of the master key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    id: KeyId,
    master: String,
    bytes: Vec<u8>,
}

impl WrappedKey {
    /// Reads stored bytes. Only [`Keyring::unwrap`] verifies them.
    ///
    /// # Errors
    /// `store-unavailable` if they are not a wrapped key.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<WrappedKey> {
        let parse = || {
            let (&[version, kind, g1, g0, length], rest) = bytes.split_first_chunk::<5>()?;
            let id = KeyId::new(kind, u16::from_be_bytes([g1, g0]))?;
            let (master, rest) = rest.split_at_checked(length.into())?;
            let master = core::str::from_utf8(master).ok().filter(|id| master::is_id(id))?;
            let fits = version == VERSION && rest.len() == NONCE_BYTES + 32 + TAG_BYTES;
            fits.then(|| (id, String::from(master)))
        };
        let (id, master) = parse().ok_or_else(unproven)?;
        Ok(WrappedKey { id, master, bytes })
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The id of the master key that wraps it.
    pub fn master(&self) -> &str {
        &self.master
    }

    /// Whether it is wrapped by an older master key.
    pub fn needs_rewrap(&self, masters: &MasterKeyring) -> bool {
        masters.newest().0 != self.master
    }

    /// The same key, wrapped by the newest master key. Values that it sealed stay valid.
    ///
    /// # Errors
    /// `store-unavailable`, as for [`Keyring::unwrap`].
    pub fn rewrap(
        &self,
        user: &User,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<WrappedKey> {
        wrap(self.id, &self.open(user, masters)?, user, masters, entropy.array())
    }

    fn open(&self, user: &User, masters: &MasterKeyring) -> Result<KeyBytes> {
        let master = masters.get(&self.master).ok_or_else(|| {
            Error::new(
                Code::StoreUnavailable,
                "a key of this store needs a master key that is missing in NACRE_MASTER_KEYS",
            )
        })?;
        let open = || {
            let (header, rest) = self.bytes.split_at_checked(5 + self.master.len())?;
            let (nonce, sealed) = rest.split_first_chunk()?;
            let key = Zeroizing::new(master.open(nonce, &context(header, user), sealed)?);
            key.as_slice().try_into().ok().map(KeyBytes)
        };
        open().ok_or_else(unproven)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({} by {})", self.id, self.master)
    }
}

/// The unwrapped keys of one user, ready to seal and open. Wiped when dropped; never printed.
///
/// A ring of a store that outlives the process holds only keys that were wrapped first:
/// [`create`](Keyring::create) and [`rotate`](Keyring::rotate) return wrapped keys, and
/// [`unwrap`](Keyring::unwrap) makes the ring from stored ones. So nothing can be sealed with a key
/// that was not stored.
pub struct Keyring {
    newest: DataKey,
    /// Newest first.
    older: Vec<DataKey>,
    fingerprint: FingerprintKey,
    compressor: Compressor,
}

pub(crate) struct DataKey {
    pub(crate) generation: u16,
    pub(crate) rows: Cipher,
    pub(crate) secrets: Cipher,
}

struct FingerprintKey {
    generation: u16,
    mac: Hmac<Sha256>,
}

impl DataKey {
    fn new(generation: u16, key: &KeyBytes) -> Result<DataKey> {
        let rows = Cipher::derive(key, ROWS)?;
        Ok(DataKey { generation, rows, secrets: Cipher::derive(key, SECRETS)? })
    }
}

impl FingerprintKey {
    fn new(generation: u16, key: &KeyBytes) -> Result<FingerprintKey> {
        let mac = Hmac::new_from_slice(&key.0).map_err(|_| Error::bug("HMAC refused a key"))?;
        Ok(FingerprintKey { generation, mac })
    }
}

impl Keyring {
    /// Creates the keys of a store that lives in memory only and ends with them. They cannot be
    /// stored.
    ///
    /// # Errors
    /// `internal` only.
    pub fn in_memory(entropy: &mut Entropy) -> Result<Keyring> {
        let newest = DataKey::new(1, &KeyBytes(entropy.array()))?;
        // `create` draws a nonce for each key: equal entropy has to give equal keys.
        let _: Nonce = entropy.array();
        let fingerprint = FingerprintKey::new(1, &KeyBytes(entropy.array()))?;
        let _: Nonce = entropy.array();
        let compressor = Compressor::default();
        Ok(Keyring { newest, older: Vec::new(), fingerprint, compressor })
    }

    /// Creates the first keys of a new user, `d1` and `f1`, wrapped by the newest master key. Store
    /// both.
    ///
    /// # Errors
    /// `internal` only.
    pub fn create(
        user: &User,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<Vec<WrappedKey>> {
        [KeyId::Data(1), KeyId::Fingerprint(1)]
            .into_iter()
            .map(|id| wrap(id, &KeyBytes(entropy.array()), user, masters, entropy.array()))
            .collect()
    }

    /// Unwraps a user's keys, given in any order, each with its master key.
    ///
    /// # Errors
    /// `store-unavailable` if a master key is missing, a wrapped key is not this user's, a key
    /// comes twice, there is no data key, or there is not exactly one fingerprint key.
    pub fn unwrap(user: &User, wrapped: &[WrappedKey], masters: &MasterKeyring) -> Result<Keyring> {
        let mut data: Vec<DataKey> = Vec::new();
        let mut fingerprint = None;
        for wrapped in wrapped {
            let key = wrapped.open(user, masters)?;
            match wrapped.id {
                KeyId::Data(generation) => {
                    if data.iter().any(|other| other.generation == generation) {
                        return Err(incomplete());
                    }
                    data.push(DataKey::new(generation, &key)?);
                }
                KeyId::Fingerprint(generation) => {
                    if fingerprint.is_some() {
                        return Err(incomplete());
                    }
                    fingerprint = Some(FingerprintKey::new(generation, &key)?);
                }
            }
        }
        sort_by(&mut data, |a, b| b.generation.cmp(&a.generation)); // newest first
        let mut data = data.into_iter();
        match (data.next(), fingerprint) {
            (Some(newest), Some(fingerprint)) => {
                let compressor = Compressor::default();
                Ok(Keyring { newest, older: data.collect(), fingerprint, compressor })
            }
            _ => Err(incomplete()),
        }
    }

    /// Creates the next generation of the data key, wrapped by the newest master key. Store it,
    /// then [`unwrap`](Keyring::unwrap) the ring again.
    ///
    /// # Errors
    /// `internal` after 65,535 generations.
    pub fn rotate(
        &self,
        user: &User,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<WrappedKey> {
        let next = self
            .newest
            .generation
            .checked_add(1)
            .ok_or_else(|| Error::bug("a user can have at most 65,535 data keys"))?;
        let key = KeyBytes(entropy.array());
        wrap(KeyId::Data(next), &key, user, masters, entropy.array())
    }

    /// Creates the next generation of the fingerprint key. Store it in place of the current one, then
    /// [`unwrap`](Keyring::unwrap) the ring again.
    ///
    /// # Errors
    /// `internal` after 65,534 generations: the last one marks what no key made.
    pub fn rotate_fingerprint(
        &self,
        user: &User,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<WrappedKey> {
        let next = self.fingerprint.generation.checked_add(1).filter(|next| *next < u16::MAX);
        let next =
            next.ok_or_else(|| Error::bug("a user can have at most 65,534 fingerprint keys"))?;
        let key = KeyBytes(entropy.array());
        wrap(KeyId::Fingerprint(next), &key, user, masters, entropy.array())
    }

    /// The id of the data key that seals.
    pub fn newest(&self) -> KeyId {
        KeyId::Data(self.newest.generation)
    }

    /// The ids of all keys: data keys, newest first, then the fingerprint key.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        let data = self.data_keys().map(|key| KeyId::Data(key.generation));
        data.chain([KeyId::Fingerprint(self.fingerprint.generation)])
    }

    pub(crate) fn newest_key(&self) -> &DataKey {
        &self.newest
    }

    pub(crate) fn data_key(&self, generation: u16) -> Option<&DataKey> {
        self.data_keys().find(|key| key.generation == generation)
    }

    fn data_keys(&self) -> impl Iterator<Item = &DataKey> {
        core::iter::once(&self.newest).chain(&self.older)
    }

    /// The fingerprint of a secret: the first 16 bytes of HMAC-SHA-256 with the fingerprint key.
    pub(crate) fn fingerprint(&self, plaintext: &Plaintext) -> Fingerprint {
        let mac = self.fingerprint.mac.clone().chain_update(plaintext.as_bytes());
        let mut digest = [0; 16];
        let bytes = mac.finalize().into_bytes();
        digest.iter_mut().zip(bytes).for_each(|(byte, of_mac)| *byte = of_mac);
        self.random_fingerprint(digest)
    }

    /// A fingerprint of random bytes, which equals no other one.
    pub(crate) fn random_fingerprint(&self, digest: [u8; 16]) -> Fingerprint {
        Fingerprint::new(self.fingerprint.generation, digest)
    }

    /// What compresses the values that are sealed with these keys.
    pub(crate) fn compressor(&self) -> &Compressor {
        &self.compressor
    }

    /// Whether a fingerprint is of the current fingerprint key.
    pub fn is_current(&self, fingerprint: &Fingerprint) -> bool {
        fingerprint.key() == self.fingerprint.generation
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(")?;
        for (i, id) in self.ids().enumerate() {
            write!(f, "{}{id}", if i == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}

fn wrap(
    id: KeyId,
    key: &KeyBytes,
    user: &User,
    masters: &MasterKeyring,
    nonce: Nonce,
) -> Result<WrappedKey> {
    let (master, cipher) = masters.newest();
    let (kind, generation) = id.parts();
    let length = u8::try_from(master.len())
        .map_err(|_| Error::bug("the id of a master key must be at most 32 bytes"))?;
    let mut bytes = Vec::with_capacity(5 + master.len() + NONCE_BYTES + 32 + TAG_BYTES);
    bytes.extend_from_slice(&[VERSION, kind]);
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.push(length);
    bytes.extend_from_slice(master.as_bytes());
    let context = context(&bytes, user);
    bytes.extend_from_slice(&nonce);
    let start = bytes.len();
    bytes.extend_from_slice(&key.0);
    cipher.seal_from(start, &nonce, &context, &mut bytes)?;
    Ok(WrappedKey { id, master: master.into(), bytes })
}

/// The context that a wrapped key is bound to.
fn context(header: &[u8], user: &User) -> Vec<u8> {
    let user = user.as_str().as_bytes();
    // A user has at most 256 bytes.
    let length = u32::try_from(user.len()).unwrap_or(u32::MAX);
    [header, &length.to_be_bytes(), user].concat()
}

fn incomplete() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "the keys of this store are not complete: each key must be there exactly once",
    )
}
