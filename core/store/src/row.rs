//! Rows of an SQL-like store: columns in the clear, and one sealed value.
//!
//! ```text
//! row   := columns (what queries ask for)  value (everything else, sealed)
//! value := seal_row(identity of the columns, encode())         see `seal`
//! plain := 0x01  fields …                                      layouts in `row/`
//! ```
//! **Columns are authenticated.** They are the row's identity, so a value opens only with the
//! columns it was written with. Changing the parent, time or deletion of a row in the database
//! fails like changing its value. Nothing is stored twice. **Decoding trusts nothing.** Any bytes
//! give a record or `store-unavailable`.
//!
//! It cannot detect a whole row that was replaced by its own older state, or removed.

mod audit;
mod bytes;
mod context;
mod entry;
mod loose;
mod member;
mod replay;
mod revocation;
mod sheet;
mod version;

use alloc::vec::Vec;

pub use audit::AuditColumns;
pub use context::{ContextColumns, Listed, open_listed};
pub use entry::EntryColumns;
pub use loose::{pack, row_key, unpack};
pub use member::MemberColumns;
pub use replay::ReplayColumns;
pub use revocation::{RevocationColumns, subject_columns};
pub use sheet::SheetColumns;
pub use version::VersionColumns;

use crate::{
    entropy::Entropy,
    record::EntryKind,
    seal::{Keyring, RowIdentity, open_row, seal_row},
};
use nacre_layers::{
    error::{Code, Error, Result},
    level::Level,
};

/// Largest sealed value, in bytes. Cloudflare documents 2 MB for a row of a Durable Object,
/// including columns (a local workerd accepts more).
pub const VALUE_BYTES: usize = 1_990_000;

/// One kind of row.
pub trait Row: Sized {
    /// The columns in the clear: the key, and columns that queries filter by.
    type Columns;

    /// The columns of this row.
    fn columns(&self) -> Self::Columns;

    /// The identity that the value is bound to: table and columns.
    fn identity(columns: &Self::Columns) -> RowIdentity;

    /// The plaintext of the value: everything that is not in a column.
    ///
    /// # Errors
    /// `internal` if a row cannot hold the record.
    fn encode(&self) -> Result<Vec<u8>>;

    /// Makes a record from columns and value.
    ///
    /// # Errors
    /// `store-unavailable` if the bytes are not a value of this kind.
    fn decode(columns: Self::Columns, plain: Vec<u8>) -> Result<Self>;

    /// The sealed value.
    ///
    /// # Errors
    /// `internal`, or `too-large` past [`VALUE_BYTES`].
    fn seal(&self, keys: &Keyring, entropy: &mut Entropy) -> Result<Vec<u8>> {
        let identity = Self::identity(&self.columns());
        let sealed = seal_row(keys, &identity, &self.encode()?, entropy.array())?;
        if sealed.len() > VALUE_BYTES {
            return Err(
                Error::new(Code::TooLarge, "a row must be at most 2 MB").limit(VALUE_BYTES as u64)
            );
        }
        Ok(sealed)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// `store-unavailable` if it was not written with these columns.
    fn open(columns: Self::Columns, keys: &Keyring, sealed: &[u8]) -> Result<Self> {
        let plain = open_row(keys, &Self::identity(&columns), sealed)?;
        Self::decode(columns, plain)
    }
}

/// The number of a level in columns, in the order of levels.
pub const fn level_number(level: Level) -> u64 {
    match level {
        Level::Global => 0,
        Level::Project => 1,
        Level::Branch => 2,
        Level::Task => 3,
    }
}

/// The level of a number in a column.
///
/// # Errors
/// `store-unavailable` for an unknown number.
pub fn level_of(number: u64) -> Result<Level> {
    Level::ALL.into_iter().find(|level| level_number(*level) == number).ok_or_else(odd)
}

/// The number of a kind of entry in columns.
pub const fn kind_number(kind: EntryKind) -> u64 {
    match kind {
        EntryKind::Insight => 0,
        EntryKind::Progress => 1,
    }
}

/// The kind of entry of a number in a column.
///
/// # Errors
/// `store-unavailable` for an unknown number.
pub fn kind_of(number: u64) -> Result<EntryKind> {
    [EntryKind::Insight, EntryKind::Progress]
        .into_iter()
        .find(|kind| kind_number(*kind) == number)
        .ok_or_else(odd)
}

/// The error for rows that Nacre cannot have written.
pub(crate) fn odd() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "a stored row cannot be read: no version of Nacre has written it",
    )
}
