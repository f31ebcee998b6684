//! Sealing: what is encrypted, under which key, bound to what. Keys, nonces and time come from
//! outside.
//!
//! ```text
//! NACRE_MASTER_KEYS ── wraps ──▶ data keys d1, d2 … ── derive ─┬▶ rows:    every stored value
//!  (MasterKeyring)     │          (Keyring, one per user)       └▶ secrets: sealed fields
//!                      └──────▶ fingerprint key f1 ── HMAC ────▶ names of secrets (markers)
//! ```
//! **Nothing is stored in the clear.** [`seal_row`] compresses and seals each value for the one
//! row it stands in; [`open_row`] gives it back or says that it cannot be proven.
//! **Secrets are not in documents.** [`seal_fields`] replaces them by markers before a document is
//! stored, hashed, diffed or announced; [`reveal`] puts them back for one answer.
//! **A master key only wraps, a data key only derives.** Rotating the former re-wraps a few small
//! rows ([`WrappedKey::rewrap`]); rotating the latter re-encrypts in the background
//! ([`sealed_with`], [`reseal_row`], [`reseal_secret`]).
//!
//! Compression happens before encryption, so lengths say something about contents to who can read
//! the stored bytes. Secrets are therefore kept out of what is compressed.
//!
//! No type here shows keys or plaintext when it is printed, and keys are wiped when dropped.

pub mod aead;
mod fields;
mod keyring;
mod master;
mod row;
mod secret;
mod vault;

pub use fields::seal_foreign_fields;
pub use fields::{markers, reveal, seal_fields};
pub use keyring::{KeyId, Keyring, WrappedKey};
pub use master::MasterKeyring;
pub use row::{PLAINTEXT_BYTES, RowIdentity, open_row, reseal_row, seal_row, sealed_with};
pub use secret::{NewSecret, open_secret, reseal_secret};
pub use vault::{NoKeys, Vault};

use nacre_layers::error::{Code, Error};

/// The one answer to stored bytes that fail: it does not say which check did.
fn unproven() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "a stored value cannot be verified: it was changed or moved, or its key is gone",
    )
}
