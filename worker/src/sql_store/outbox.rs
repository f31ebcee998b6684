//! The outbox: which contexts the index of searches does not have as they are.
//!
//! ```text
//! commit ─▶ outbox, in the same transaction
//! alarm  ─▶ due ─▶ documents ─▶ shared database, if there is one ─▶ settle, one transaction:
//!           document written, outbox row dropped if its context has not changed since
//! ```
//! **Nothing is lost.** A row leaves the outbox with the transaction that writes its document, and
//! only after the shared database has it. Where that fails, the row stays and its document is
//! written all the same. Everything may happen twice.
//!
//! **Arming costs no row for each commit.** When to drain is known in memory, and the platform keeps
//! the alarm. After a wake-up the outbox is looked at before anything moves the alarm.

use std::{collections::BTreeSet, rc::Rc};

use nacre_core::{
    address::Address, entropy::Entropy, error::Result, moment::Moment, retrieval::Document,
    seal::Keyring, store::Write,
};

use super::{
    Known, SqlStore, place,
    reads::address,
    search_document::seal_document,
    search_state::{Reindex, SearchState},
    vectors::Vectors,
    write::together,
};
use crate::{
    search_key::SearchKey,
    search_tables::Entry,
    sql::{Bind, Bound, Database, Row},
};

/// How long a change may wait for others before the outbox is drained, in milliseconds.
const WAIT_MILLIS: u64 = 1000;

/// Most contexts in one part: what comes meanwhile waits until their documents are made.
const PART_CONTEXTS: usize = 50;

/// Most bytes of documents and tokens in one part, unless one context alone has more.
const PART_BYTES: usize = 1 << 20;

/// Most contexts that a reindex puts into the outbox at once.
const QUEUED_AT_ONCE: u64 = 500;

/// When the outbox is drained next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drain {
    /// The outbox was not looked at since the object woke up.
    Unknown,
    /// There is nothing to do.
    Idle,
    /// Then.
    Due(Moment),
}

/// A context that the index does not have as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The context.
    pub address: Address,
    /// The commit that changed it last.
    pub seq: u64,
    /// Whether its document is written, and only the shared database lacks it.
    pub indexed: bool,
}

/// What became of a context in the index.
#[derive(Clone, Debug)]
pub enum Made {
    /// Its document.
    Document(Box<Document>),
    /// The document that is there stays.
    Kept,
    /// The context is gone, and so is its document.
    Gone,
}

/// What the shared database did with a part of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// There is none.
    Unneeded,
    /// It has the part, in the tables with this mark.
    Done(String),
    /// It has not; it may be tried again then.
    Failed(Moment),
}

/// A part of what is due.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// What becomes of each context.
    pub settled: Vec<(Due, Made)>,
    /// What the shared database is told of each.
    pub entries: Vec<Entry>,
}

impl<D: Database> SqlStore<D> {
    /// When to drain after a commit that makes the outbox due then, or leaves it as it is.
    pub(super) fn drain_after(&self, due: Option<Moment>) -> Result<Option<Moment>> {
        let known = self.held()?.drain;
        match (known, due) {
            (Drain::Due(known), Some(due)) => Ok(Some(known.min(due))),
            (Drain::Unknown | Drain::Idle, Some(due)) => Ok(Some(due)),
            (_, None) => self.drain_due(),
        }
    }

    /// When the outbox is to be drained.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn drain_due(&self) -> Result<Option<Moment>> {
        let known = self.held()?.drain;
        match known {
            Drain::Idle => return Ok(None),
            Drain::Due(at) => return Ok(Some(at)),
            Drain::Unknown => {}
        }
        if matches!(self.held()?.state, Known::Unknown) {
            return Ok(Some(Moment(1))); // Nothing is known: an alarm finds out.
        }
        let due = if self.has_work()? {
            // At once, but the platform takes no time before its own beginning.
            Some(self.last_commit()?.max(Moment(1)))
        } else {
            None
        };
        self.held()?.drain = due.map_or(Drain::Idle, Drain::Due);
        Ok(due)
    }

    fn has_work(&self) -> Result<bool> {
        if !self.owed()?.is_empty() {
            return Ok(true);
        }
        if self.meta()?.is_none() {
            return Ok(false);
        }
        let is_behind = |state: &SearchState| {
            state.reindex.is_some()
                || state.is_outdated()
                || (self.has_models && (state.encoding.is_some() || state.has_other_models()))
                || self.model.is_some_and(|model| state.lacks_dense(model))
        };
        Ok(self.has_any(ANY)? || self.search()?.is_some_and(|state| is_behind(&state)))
    }

    /// Whether there are contexts without the document of their last change, or of the reindex.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn is_behind(&self) -> Result<bool> {
        Ok(self.is_queueing()? || self.has_any(ANY_NEW)?)
    }

    /// Whether a reindex has not put all contexts into the outbox yet.
    fn is_queueing(&self) -> Result<bool> {
        let state = self.search()?;
        Ok(state.is_some_and(|state| state.reindex.is_some() && !state.is_all_queued()))
    }

    fn has_any(&self, statement: &str) -> Result<bool> {
        Ok(!self.database.query(statement, &[])?.is_empty())
    }

    /// Drains no sooner than then.
    ///
    /// # Errors
    /// `internal` only.
    pub fn drain_at(&self, at: Moment) -> Result<()> {
        self.held()?.drain = Drain::Due(at);
        Ok(())
    }

    /// Drains by then, or sooner.
    ///
    /// # Errors
    /// `internal` only.
    pub fn drain_by(&self, at: Moment) -> Result<()> {
        let mut held = self.held()?;
        held.drain = match held.drain {
            Drain::Due(known) => Drain::Due(known.min(at)),
            Drain::Unknown | Drain::Idle => Drain::Due(at),
        };
        Ok(())
    }

    /// The next contexts that the index does not have as they are: those without their document
    /// first, then, if `delivers`, those that only the shared database lacks.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn due(&self, limit: usize, delivers: bool) -> Result<Vec<Due>> {
        let statements: &[_] = if delivers { &[NEW, INDEXED] } else { &[NEW] };
        let mut found = Vec::new();
        for statement in statements {
            let left = limit.saturating_sub(found.len()) as u64;
            if left > 0 {
                found.extend(self.opened(statement, &[Bind::Number(left)], due)?);
            }
        }
        Ok(found)
    }

    /// The number of contexts in the outbox.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn waiting(&self) -> Result<u64> {
        let counted = self.opened(WAITING, &[], |mut row, _| row.number())?;
        Ok(counted.first().copied().unwrap_or_default())
    }

    /// The next part of what is due: what becomes of each context, and what the shared database is
    /// told. Without `delivers`, contexts that have their document are left out.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn next_part(&self, key: &SearchKey, delivers: bool) -> Result<Part> {
        let mut part = Part::default();
        let mut bytes = 0;
        let is_reindexing = self.search()?.is_some_and(|state| state.is_reindexing());
        for due in self.due(PART_CONTEXTS, delivers)? {
            let known = due.indexed || is_reindexing;
            let known = if known { self.document_of(&due.address)? } else { None };
            let is_kept = due.indexed && known.is_some();
            let document = match known {
                Some(document) if is_kept => Some(document),
                known => self.document_anew(&due.address, known)?,
            };
            let tokens = document.as_ref().map(|document| document.row.tokens(key));
            let entry = Entry::new(key, &due.address, due.seq, tokens)?;
            bytes += entry.length();
            let made = match document {
                Some(_) if is_kept => Made::Kept,
                Some(document) => {
                    // About as long as its tokens.
                    bytes += entry.length();
                    Made::Document(Box::new(document))
                }
                None => Made::Gone,
            };
            part.entries.push(entry);
            part.settled.push((due, made));
            if bytes >= PART_BYTES {
                break;
            }
        }
        Ok(part)
    }

    /// The document of a context as it is now. If nothing has changed since the one that is `known`,
    /// what the models said of that stays.
    fn document_anew(
        &self,
        address: &Address,
        known: Option<Document>,
    ) -> Result<Option<Document>> {
        let mut anew = Document::read(self, address)?;
        if let (Some(anew), Some(known)) = (&mut anew, known)
            && (&anew.facts, &anew.row) == (&known.facts, &known.row)
        {
            anew.meaning = known.meaning;
            anew.dense = known.dense;
        }
        Ok(anew)
    }

    pub(super) fn document_of(&self, address: &Address) -> Result<Option<Document>> {
        let found = self.documents_of(std::slice::from_ref(address))?.into_iter().next();
        Ok(found.and_then(|(_, plain)| Document::decode(&plain)))
    }

    /// Writes what became of some contexts, and takes off the outbox what needs no further step. Does
    /// nothing if the store is not the one with this key any more.
    ///
    /// # Errors
    /// `store-unavailable`. Then nothing was written.
    pub fn settle(
        &self,
        key: &SearchKey,
        settled: &[(Due, Made)],
        delivery: &Delivery,
        now: Moment,
        entropy: &mut Entropy,
    ) -> Result<()> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(()) };
        let Some(before) = self.search()?.filter(|state| *state.key == *key) else { return Ok(()) };
        let mut next = SearchState::clone(&before);
        if let Delivery::Done(mark) = delivery
            && *mark != next.mark
        {
            // These tables are new. What older ones had must be sent again.
            if next.reindex.is_none() && self.has_any(ANY_SENT)? {
                next.begin(self.count_contexts()?);
                next.reindex.iter_mut().for_each(|reindex| reindex.must_clear = false);
            }
            next.mark.clone_from(mark);
        }
        let vectors = self.vectors_of(settled)?;
        let sealed = settled.iter().map(|(_, made)| seal(made, &vectors, &keys, entropy));
        let sealed = sealed.collect::<Result<Vec<_>>>()?;
        let is_done = !matches!(delivery, Delivery::Failed(_));
        let mut after = None;
        let outcome = self.database.transaction(&mut || {
            let mut state = next.clone();
            for ((due, made), document) in settled.iter().zip(&sealed) {
                self.settle_one(due, made, document.as_ref(), is_done, &mut state)?;
            }
            if state.is_all_queued() && !self.has_any(ANY)? {
                state.reindex = None;
            }
            if state != *before {
                self.store_search(&state, &keys, entropy)?;
            }
            after = Some(state);
            Ok(())
        });
        self.keep_search(outcome, after)?;
        self.plan_drain(delivery, now)
    }

    fn settle_one(
        &self,
        due: &Due,
        made: &Made,
        document: Option<&(u64, Vec<u8>)>,
        is_done: bool,
        state: &mut SearchState,
    ) -> Result<()> {
        let [level, id] = place(&due.address);
        let mut found = self.database.query(SETTLING, &[level, id])?.into_iter();
        let Some(mut row) = found.next() else { return Ok(()) };
        let (seq, old) = (row.number()?, row.optional_number()?);
        if seq != due.seq {
            return Ok(()); // It has changed since, and is due again.
        }
        if !matches!(made, Made::Kept) {
            state.documents = state.documents.saturating_sub(u64::from(old.is_some()));
            state.words = state.words.saturating_sub(old.unwrap_or_default());
            if let Made::Document(document) = made
                && document.meaning.is_none()
                && self.has_models
            {
                state.begin_encoding();
            }
            // Also while the model is away: it may come back.
            if let Made::Document(document) = made
                && let Some(dense) = &state.dense
                && document.dense.as_ref().is_none_or(|made| made.model != dense.model)
            {
                state.begin_dense(dense.model);
            }
            if let Some((words, sealed)) = document {
                state.documents += 1;
                state.words += words;
                let value = [Bind::Number(*words), Bind::Blob(sealed)];
                let [words, sealed] = value;
                self.database.run(PUT_DOCUMENT, &[level, id, words, sealed])?;
            } else if old.is_some() {
                self.database.run(DROP_DOCUMENT, &[level, id])?;
            }
        }
        match (is_done, due.indexed) {
            (true, _) => self.database.run(DONE, &[level, id]),
            (false, false) => self.database.run(MARK_INDEXED, &[level, id]),
            (false, true) => Ok(()),
        }
    }

    /// Plans the next part after one at `now`.
    fn plan_drain(&self, delivery: &Delivery, now: Moment) -> Result<()> {
        // Later than the alarm that is running: the platform ignores setting the same time again.
        let soon = now.later(1);
        let next = if self.is_behind()? {
            Drain::Due(soon)
        } else if self.has_any(ANY)? {
            Drain::Due(if let Delivery::Failed(again) = delivery { *again } else { soon })
        } else {
            Drain::Idle
        };
        self.held()?.drain = next;
        Ok(())
    }

    /// Puts the next contexts of a reindex into the outbox, deleted ones too: their documents may
    /// still be there.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn queue_part(&self, entropy: &mut Entropy) -> Result<()> {
        let Some((meta, keys)) = self.opened_state()? else { return Ok(()) };
        let Some(before) = self.search()? else { return Ok(()) };
        let Some(Reindex { all_queued: false, after: last, .. }) = &before.reindex else {
            return Ok(());
        };
        let mut after = None;
        let outcome = self.database.transaction(&mut || {
            let [level, id] =
                last.as_ref().map_or([Bind::Number(0), Bind::Text("")], |last| place(last));
            let bindings = [Bind::Number(meta.seq), level, id, Bind::Number(QUEUED_AT_ONCE)];
            let queued = self.database.query(QUEUE_PART, &bindings)?;
            let mut state = SearchState::clone(&before);
            if let Some(reindex) = &mut state.reindex {
                reindex.queued += queued.len() as u64;
                reindex.all_queued = (queued.len() as u64) < QUEUED_AT_ONCE;
                for mut row in queued {
                    reindex.after = reindex.after.take().max(Some(address(&mut row)?));
                }
            }
            if state.is_all_queued() && !self.has_any(ANY)? {
                state.reindex = None;
            }
            self.store_search(&state, &keys, entropy)?;
            after = Some(state);
            Ok(())
        });
        self.keep_search(outcome, after)
    }

    /// Keeps the state that a transaction has written. After a failure it is read again.
    pub(super) fn keep_search(
        &self,
        outcome: Result<()>,
        after: Option<SearchState>,
    ) -> Result<()> {
        self.held()?.search = after.filter(|_| outcome.is_ok()).map(Rc::new);
        outcome
    }
}

/// Statements that note which contexts a commit changes.
pub(super) fn queued(writes: &[Write]) -> impl Iterator<Item = Bound<'_>> {
    // Without a line in the audit trail nothing has changed.
    let seq = writes.iter().find_map(seq_of).map(Bind::Number);
    let changed: BTreeSet<&Address> = writes.iter().filter_map(Write::changed).collect();
    let row = |changed| {
        let [level, id] = place(changed);
        Some([level, id, seq?])
    };
    let rows: Vec<[Bind<'_>; 3]> = changed.into_iter().filter_map(row).collect();
    together(QUEUE, &rows).collect::<Vec<_>>().into_iter()
}

/// The time by which the outbox must be drained after some writes at `at`.
pub(super) fn due_after(writes: &[Write], at: Moment) -> Option<Moment> {
    writes.iter().find_map(Write::changed).map(|_| at.later(WAIT_MILLIS))
}

fn seq_of(write: &Write) -> Option<u64> {
    if let Write::Audit(audit) = write { Some(audit.seq) } else { None }
}

pub(super) fn due(mut row: Row, _: &Keyring) -> Result<Due> {
    Ok(Due { address: address(&mut row)?, seq: row.number()?, indexed: row.number()? == 1 })
}

/// The sealed document with its number of words; `None` if there is none.
fn seal(
    made: &Made,
    vectors: &Vectors,
    keys: &Keyring,
    entropy: &mut Entropy,
) -> Result<Option<(u64, Vec<u8>)>> {
    let Made::Document(document) = made else { return Ok(None) };
    let sealed = seal_document(&vectors.kept_by(document), keys, entropy)?;
    Ok(Some((u64::from(document.row.length), sealed)))
}

const QUEUE: [&str; 2] = [
    "INSERT INTO outbox (level, id, seq)",
    "ON CONFLICT (level, id) DO UPDATE SET seq = excluded.seq, indexed = excluded.indexed",
];

const QUEUE_PART: &str = "INSERT INTO outbox (level, id, seq)
    SELECT level, id, ? FROM contexts WHERE (level, id) > (?, ?) ORDER BY level, id LIMIT ?
    ON CONFLICT (level, id) DO UPDATE SET indexed = 0 RETURNING level, id";

const ANY: &str = "SELECT 1 FROM outbox LIMIT 1";

const ANY_SENT: &str = "SELECT 1 FROM search LEFT JOIN outbox
    ON outbox.level = search.level AND outbox.id = search.id WHERE outbox.seq IS NULL LIMIT 1";

const ANY_NEW: &str = "SELECT 1 FROM outbox WHERE indexed = 0 LIMIT 1";

const NEW: &str = "SELECT level, id, seq, indexed FROM outbox WHERE indexed = 0 LIMIT ?";

const INDEXED: &str = "SELECT level, id, seq, indexed FROM outbox WHERE indexed = 1 LIMIT ?";

const WAITING: &str = "SELECT count(*) FROM outbox";

const SETTLING: &str = "SELECT outbox.seq, search.words FROM outbox
    LEFT JOIN search ON search.level = outbox.level AND search.id = outbox.id
    WHERE outbox.level = ? AND outbox.id = ?";

const PUT_DOCUMENT: &str =
    "INSERT OR REPLACE INTO search (level, id, words, value) VALUES (?, ?, ?, ?)";

const DROP_DOCUMENT: &str = "DELETE FROM search WHERE level = ? AND id = ?";

const DONE: &str = "DELETE FROM outbox WHERE level = ? AND id = ?";

const MARK_INDEXED: &str = "UPDATE outbox SET indexed = 1 WHERE level = ? AND id = ?";
