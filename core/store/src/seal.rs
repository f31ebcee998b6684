//! Sealing: encryption of stored values and sensitive fields. Keys, nonces and time are arguments.
//!
//! ```text
//! NACRE_MASTER_KEYS ── wraps ──▶ data keys d1, d2 … ── derive ─┬▶ rows:    every stored value
//!  (MasterKeyring)     │          (Keyring, one per user)       └▶ secrets: sealed fields
//!                      └──────▶ fingerprint key f1 ── HMAC ────▶ names of secrets (markers)
//! ```
//! **No value is stored in the clear.** [`seal_row`] compresses and seals a value for exactly one
//! row; [`open_row`] returns it, or fails if it cannot be verified. **Documents hold no secrets.**
//! [`seal_fields`] replaces them by markers before a document is stored, hashed, diffed or
//! announced; `decide` restores them for one answer. **A master key only wraps; a data key only
//! derives.** Rotating a master key rewraps a few small rows ([`WrappedKey::rewrap`]); rotating a
//! data key reseals rows in the background ([`sealed_with`], [`reseal_row`], [`reseal_secret`]).
//!
//! Values are compressed before encryption, so the stored length reveals something about the
//! content. Secrets are never compressed.
//!
//! No type here prints keys or plaintext, and keys are wiped when dropped.

mod admission;
pub mod aead;
mod compressor;
mod content;
mod fields;
mod keyring;
mod master;
mod row;
mod secret;
mod target;
mod vault;

pub use content::{FindCredential, SealContent};
pub use fields::{SealRules, Sealed, seal_fields};
pub use keyring::{KeyId, Keyring, WrappedKey};
pub use master::MasterKeyring;
pub use row::{
    PLAINTEXT_BYTES, RowIdentity, open_row, open_start, reseal_row, seal_row, sealed_with,
};
pub use secret::{NewSecret, open_secret, reseal_secret};
pub use target::{Held, Purpose, SealScope, Target};
pub(crate) use vault::marker_in;
pub use vault::{NoKeys, Vault};

use nacre_layers::error::{Code, Error};

/// The error for stored bytes that fail a check. It does not say which check.
fn unproven() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "a stored value cannot be verified: it was changed or moved, or its key is gone",
    )
}
