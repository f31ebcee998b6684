//! What a guest may read of all documents.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use nacre_layers::{address::Address, error::Result, level::Level};
use nacre_store::{readable::Readable, record::Member, store::Reads};

use crate::{
    corpus::Corpus,
    document::{Document, notes_with},
    question::Scope,
};

/// What the guest who searched last may read, so that it is not made anew for each search. There is
/// at most one, for it may take as much memory as all documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastGuest(RefCell<Option<Kept>>);

/// A guest's documents, and what they were chosen by.
#[derive(Clone, Debug)]
struct Kept {
    memberships: Vec<Member>,
    has_global: bool,
    corpus: Rc<Corpus>,
}

impl LastGuest {
    /// Forgets it: the documents change.
    pub(crate) fn forget(&mut self) {
        *self.0.get_mut() = None;
    }

    fn get(&self, memberships: &[Member], has_global: bool) -> Option<Rc<Corpus>> {
        let kept = self.0.try_borrow().ok()?;
        let is_same =
            |kept: &&Kept| kept.memberships == memberships && kept.has_global == has_global;
        kept.as_ref().filter(is_same).map(|kept| Rc::clone(&kept.corpus))
    }

    fn set(&self, kept: Option<Kept>) {
        if let Ok(mut place) = self.0.try_borrow_mut() {
            *place = kept;
        }
    }
}

impl Corpus {
    /// What a guest may read of it: a corpus of its own, so that scores, reasons and counts tell
    /// nothing of the rest. The global layer is a part of it only for a search of views. It is kept
    /// while nothing changes.
    pub(crate) fn readable(
        &self,
        reads: &dyn Reads,
        readable: &Readable,
        scope: Scope,
    ) -> Result<Rc<Corpus>> {
        let memberships = readable.memberships().unwrap_or_default();
        let has_global = scope == Scope::Resolved && readable.views_show_global(reads)?;
        if let Some(kept) = self.last_guest.get(memberships, has_global) {
            return Ok(kept);
        }
        // The other one need not stay while this one is made.
        self.last_guest.set(None);
        let corpus = Rc::new(self.of_guest(reads, readable, has_global)?);
        let kept = Rc::clone(&corpus);
        let memberships = memberships.to_vec();
        self.last_guest.set(Some(Kept { memberships, has_global, corpus: kept }));
        Ok(corpus)
    }

    /// The documents that a guest may read. Those with notes are made anew of the notes that the
    /// guest may read, and then found by their words alone.
    fn of_guest(&self, reads: &dyn Reads, readable: &Readable, has_global: bool) -> Result<Corpus> {
        let holds = |address: &Address| match address.level {
            Level::Global => has_global,
            _ => readable.holds(self.project(address).as_ref()),
        };
        let has_notes =
            |address: &Address| self.facts(address).is_some_and(|facts| facts.has_notes);
        let mut corpus = self.only(&|address| holds(address) && !has_notes(address));
        for address in self.addresses().filter(|address| has_notes(address) && holds(address)) {
            if let Some(record) = reads.record(address)?.filter(|record| record.is_live()) {
                let mut keep = |entry: &_| readable.holds_entry(reads, entry);
                let notes = notes_with(reads, address, &mut keep)?;
                corpus.upsert(Document::of(&record, &notes));
            }
        }
        Ok(corpus)
    }
}
