//! Rows of an SQL-like store: what stands in columns, what is sealed beside it, and the bytes.
//!
//! ```text
//! row   := columns (what queries ask for)  value (everything else, sealed)
//! value := seal_row(identity of the columns, encode())         see `seal`
//! plain := 0x01  fields …                                      layouts in `row/`
//! ```
//! **Columns are authenticated.** They are the row's identity, so a value opens only beside the
//! columns it was written with: a row whose parent, time or deletion was changed in the database
//! fails like one whose value was. Nothing is stored twice.
//! **Decoding never trusts.** Whatever bytes come, the answer is a record or `store-unavailable`.
//!
//! What this cannot see is a whole row that was put back to an older state of itself, or removed.

mod audit;
mod bytes;
mod context;
mod entry;
mod loose;
mod member;
mod replay;
mod version;

use alloc::vec::Vec;

pub use audit::AuditColumns;
pub use context::ContextColumns;
pub use entry::EntryColumns;
pub use loose::{pack, row_key, unpack};
pub use member::MemberColumns;
pub use replay::ReplayColumns;
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

/// Largest sealed value: Cloudflare documents 2 MB for a row of a Durable Object, columns included
/// (a local workerd takes more).
pub const VALUE_BYTES: usize = 1_990_000;

/// One kind of row.
pub trait Row: Sized {
    /// What stands in columns of its own: the key, and what queries filter by.
    type Columns;

    /// The columns of this row.
    fn columns(&self) -> Self::Columns;

    /// What the value is bound to: table and columns.
    fn identity(columns: &Self::Columns) -> RowIdentity;

    /// The value: everything that is not in a column.
    ///
    /// # Errors
    /// `internal` when the record holds what no row can.
    fn encode(&self) -> Result<Vec<u8>>;

    /// Puts columns and value together again.
    ///
    /// # Errors
    /// `store-unavailable` when the bytes are no value of this kind.
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
    /// `store-unavailable` when it cannot be proven to be what was written beside these columns.
    fn open(columns: Self::Columns, keys: &Keyring, sealed: &[u8]) -> Result<Self> {
        let plain = open_row(keys, &Self::identity(&columns), sealed)?;
        Self::decode(columns, plain)
    }
}

/// The number that stands for a level in columns; their order is the levels' order.
pub const fn level_number(level: Level) -> u64 {
    match level {
        Level::Global => 0,
        Level::Project => 1,
        Level::Branch => 2,
        Level::Task => 3,
    }
}

/// The level a column's number stands for.
///
/// # Errors
/// `store-unavailable` when there is none.
pub fn level_of(number: u64) -> Result<Level> {
    Level::ALL.into_iter().find(|level| level_number(*level) == number).ok_or_else(odd)
}

/// The number that stands for a kind of entry in columns.
pub const fn kind_number(kind: EntryKind) -> u64 {
    match kind {
        EntryKind::Insight => 0,
        EntryKind::Progress => 1,
    }
}

/// The kind of entry a column's number stands for.
///
/// # Errors
/// `store-unavailable` when there is none.
pub fn kind_of(number: u64) -> Result<EntryKind> {
    [EntryKind::Insight, EntryKind::Progress]
        .into_iter()
        .find(|kind| kind_number(*kind) == number)
        .ok_or_else(odd)
}

/// The one answer to rows that hold what was never written.
pub(crate) fn odd() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "a stored row cannot be read: no version of Nacre has written it",
    )
}
