//! What the asker of a search may read.
//!
//! A host with one user, such as a replica, names only [`Everything`] and carries no code for guests.

use alloc::{rc::Rc, vec::Vec};

use nacre_layers::{address::Address, error::Result};
use nacre_store::{
    history,
    readable::Readable,
    record::{Entry, Record},
    store::Reads,
};

/// What the asker may read of the documents that are searched. The answers by default are the
/// owner's.
pub(crate) trait Sight {
    /// Whether it is everything.
    fn is_everything(&self) -> bool {
        true
    }

    /// The part of a context's chain that its view for the asker is made of.
    ///
    /// # Errors
    /// `not-found` for a context that is not live, or that the asker may not read.
    fn chain(&self, reads: &dyn Reads, address: &Address) -> Result<Vec<Rc<Record>>> {
        history::chain(reads, address)
    }

    /// Whether the asker reads an insight or a note of a context that they read.
    fn holds_entry(&self, _reads: &dyn Reads, _entry: &Entry) -> Result<bool> {
        Ok(true)
    }
}

/// The sight of an owner.
pub(crate) struct Everything;

impl Sight for Everything {}

/// The sight of a guest.
impl Sight for Readable {
    fn is_everything(&self) -> bool {
        Readable::is_everything(self)
    }

    fn chain(&self, reads: &dyn Reads, address: &Address) -> Result<Vec<Rc<Record>>> {
        Readable::chain(self, reads, address)
    }

    fn holds_entry(&self, reads: &dyn Reads, entry: &Entry) -> Result<bool> {
        Readable::holds_entry(self, reads, entry)
    }
}
