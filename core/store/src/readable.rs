//! What a caller may read now, for a search, which finds contexts without reading each one.
//!
//! It is asked once for a search. The search knows the parents of all contexts, and so the project
//! in which each one stands.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use crate::{
    decide::permit_search,
    history,
    op::Caller,
    record::{Entry, EntryKind, Member, Record},
    sight::{self, Sight},
    store::Reads,
};
use nacre_layers::{
    address::Address,
    error::{Code, Result},
    id::ContextId,
    level::Level,
};

/// What a caller may read now.
pub struct Readable {
    sight: Box<dyn Sight>,
}

impl Readable {
    /// What the caller may read.
    ///
    /// # Errors
    /// `not-found` for a stranger, `forbidden` without the scope `contexts:read`.
    pub fn of(reads: &dyn Reads, caller: &Caller) -> Result<Readable> {
        let sight = sight::of(reads, caller)?;
        permit_search(caller)?;
        Ok(Readable { sight })
    }

    /// Whether the store is the caller's own.
    pub fn is_everything(&self) -> bool {
        self.memberships().is_none()
    }

    /// The memberships of a guest, which say all of what they may read; `None` for the owner.
    pub fn memberships(&self) -> Option<&[Member]> {
        self.sight.memberships()
    }

    /// Whether the caller reads what is in a project; `None` is what is in no project. A guest does
    /// not read the global context itself.
    pub fn holds(&self, project: Option<&ContextId>) -> bool {
        self.memberships().is_none_or(|memberships| {
            memberships.iter().any(|member| Some(&member.project) == project)
        })
    }

    /// Whether the global layer takes part in any view that the caller may read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn views_show_global(&self, reads: &dyn Reads) -> Result<bool> {
        let Some(memberships) = self.memberships() else { return Ok(true) };
        for member in memberships {
            let project = Address { level: Level::Project, id: member.project.clone() };
            match self.chain(reads, &project) {
                Ok(chain) if chain.iter().any(|layer| layer.address.level == Level::Global) => {
                    return Ok(true);
                }
                Err(error) if error.code() != Code::NotFound => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(false)
    }

    /// The part of a context's chain that its view for the caller is made of.
    ///
    /// # Errors
    /// `not-found` for a context that is not live, or that the caller may not read.
    pub fn chain(&self, reads: &dyn Reads, address: &Address) -> Result<Vec<Rc<Record>>> {
        self.sight.chain(history::chain(reads, address)?, None)
    }

    /// Whether the caller reads an insight or a progress note of a context that they read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn holds_entry(&self, reads: &dyn Reads, entry: &Entry) -> Result<bool> {
        Ok(entry.id.seq >= self.sight.first()
            && self.sight.sees_at(reads, &entry.address, entry.id.seq)?)
    }

    /// The newest insights or progress notes of a context that the caller reads and that are not
    /// sealed, at most `most`, the newest first.
    ///
    /// # Errors
    /// Those of the store.
    pub fn newest(
        &self,
        reads: &dyn Reads,
        record: &Record,
        kind: EntryKind,
        most: usize,
    ) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        each_entry(reads, record, kind, most, &mut |entry| {
            if entry.plain().is_some() && self.holds_entry(reads, &entry)? {
                found.push(entry);
            }
            Ok(found.len() < most)
        })?;
        Ok(found)
    }
}

/// Visits the insights or progress notes of a context, the newest first, until `visit` gives false.
/// `at_once` of them are read at a time. A context that was created again is without those of the one
/// before.
///
/// # Errors
/// Those of the store, and of `visit`.
pub fn each_entry(
    reads: &dyn Reads,
    record: &Record,
    kind: EntryKind,
    at_once: usize,
    visit: &mut dyn FnMut(Entry) -> Result<bool>,
) -> Result<()> {
    let mut before = None;
    loop {
        let entries = reads.entries(&record.address, kind, before, at_once)?;
        let is_last = entries.len() < at_once;
        before = entries.last().map(|entry| entry.id);
        for entry in entries {
            if entry.at < record.created_at || !visit(entry)? {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

impl core::fmt::Debug for Readable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Readable").field("memberships", &self.memberships()).finish_non_exhaustive()
    }
}
