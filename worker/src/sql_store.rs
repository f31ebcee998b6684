//! One owner's store over SQL, with a cache in memory.
//!
//! ```text
//! record, view ─▶ memory ─▶ SQL ─▶ open (AES-GCM, DEFLATE) ─▶ index
//! apply(writes) ─▶ seal all ─▶ one transaction ─▶ memory
//! ```
//! **Memory follows the database.** It is updated after a transaction has succeeded. If one fails,
//! everything that it would have changed is dropped from memory. A cache hit costs no SQL and no
//! decryption.
//!
//! **A store exists from its first write on.** Until then there are no tables and no keys, reads
//! find nothing, and requests leave no trace.

mod bytes;
mod encoding;
mod keys;
mod list;
mod meta;
mod outbox;
mod reads;
mod rotate;
mod search;
mod search_document;
mod search_state;
mod sweep;
mod upkeep;
mod usage;
mod vectors;
mod walk;
mod write;

use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
};

use nacre_core::{
    address::Address,
    cache::{Records, Tally, Views},
    entropy::Entropy,
    error::{Error, Result},
    id::User,
    moment::Moment,
    quota::{Quotas, Used},
    record::{Member, Record},
    retrieval::EmbeddingModel,
    revocation::{Revocation, TokenFacts},
    row::{Row as _, level_number},
    seal::{Keyring, MasterKeyring},
    store::Write,
};

pub use encoding::{Unencoded, lacks_vector};
pub use keys::Founding;
pub use outbox::{Delivery, Due, Made, Part};
pub use rotate::Rotation;
pub use search::Progress;
pub use search_state::SearchState;
pub use upkeep::Retention;

use crate::{
    schema,
    sql::{Bind, Counts, Database},
};
use meta::Meta;
use outbox::{Drain, due_after};

/// Memory for decoded records of one object, in bytes. An isolate has 128 MB and may hold several
/// objects.
const RECORD_BYTES: usize = 8 << 20;

/// Memory for resolved views of one object, in bytes.
const VIEW_BYTES: usize = 8 << 20;

/// A store over a database.
pub struct SqlStore<D> {
    database: D,
    retention: Retention,
    quotas: Quotas,
    /// Whether documents are encoded.
    has_models: bool,
    /// The deployment's embedding model, if it has one.
    model: Option<EmbeddingModel>,
    held: RefCell<Held>,
}

/// The data in memory.
struct Held {
    state: Known,
    records: Records,
    views: Views,
    members: Option<Rc<[Member]>>,
    revocations: Option<Rc<[Revocation]>>,
    /// What the store holds; `None` before the first write after a wake-up.
    used: Option<Used>,
    /// When the outbox is drained next.
    drain: Drain,
    /// The state of the index of searches; `None` until it is read, or if there is none.
    search: Option<Rc<SearchState>>,
}

/// The known state of the database.
enum Known {
    /// The database was not read yet.
    Unknown,
    /// There are no tables: the store does not exist.
    Void,
    /// The store exists.
    Open { meta: Rc<Meta>, keys: Rc<Keyring> },
}

impl<D: Database> SqlStore<D> {
    /// Creates a store over a database, without reading it.
    pub fn new(database: D, retention: Retention) -> SqlStore<D> {
        let held = Held {
            state: Known::Unknown,
            records: Records::new(RECORD_BYTES),
            views: Views::new(VIEW_BYTES),
            members: None,
            revocations: None,
            used: None,
            drain: Drain::Unknown,
            search: None,
        };
        let (quotas, has_models, model) = (Quotas::default(), false, None);
        SqlStore { database, retention, quotas, has_models, model, held: RefCell::new(held) }
    }

    /// The store with other limits than the defaults.
    #[must_use]
    pub fn with_quotas(self, quotas: Quotas) -> SqlStore<D> {
        SqlStore { quotas, ..self }
    }

    /// The store of a deployment that may have models to encode documents with.
    #[must_use]
    pub fn with_models(self, has_models: bool) -> SqlStore<D> {
        SqlStore { has_models, ..self }
    }

    /// The store of a deployment that may have an embedding model.
    #[must_use]
    pub fn with_model(self, model: Option<EmbeddingModel>) -> SqlStore<D> {
        SqlStore { model, ..self }
    }

    /// The deployment's embedding model.
    pub fn model(&self) -> Option<EmbeddingModel> {
        self.model
    }

    /// Prepares the store for an owner's request: after a wake-up it reads the metadata, migrates
    /// the tables, and rewraps the keys if the newest master key has changed.
    ///
    /// # Errors
    /// `store-unavailable` if the store belongs to another owner, needs newer code, or its keys
    /// cannot be unwrapped.
    pub fn open(&self, owner: &User, masters: &MasterKeyring, entropy: &mut Entropy) -> Result<()> {
        if matches!(self.held()?.state, Known::Unknown) {
            let state = self.load(masters, entropy)?;
            self.held()?.state = state;
        }
        match &self.held()?.state {
            Known::Open { meta, .. } if meta.owner != *owner => Err(keys::wrong_owner()),
            _ => Ok(()),
        }
    }

    /// The same for alarms, which do not know the owner. Returns the owner, if there is a store.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn wake(&self, masters: &MasterKeyring, entropy: &mut Entropy) -> Result<Option<User>> {
        if matches!(self.held()?.state, Known::Unknown) {
            let state = self.load(masters, entropy)?;
            self.held()?.state = state;
        }
        self.owner()
    }

    /// The owner; `None` if there is no store.
    ///
    /// # Errors
    /// `internal` only.
    pub fn owner(&self) -> Result<Option<User>> {
        Ok(self.meta()?.map(|meta| meta.owner.clone()))
    }

    /// Sets the alarm to the earliest of three times: the one that the rows ask for, the next drain
    /// of the outbox, and `also_due`.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn arm(&self, also_due: Option<Moment>) -> Result<()> {
        let alarm = self.meta()?.and_then(|meta| meta.alarm);
        self.set_alarm([alarm, self.drain_due()?, also_due])
    }

    /// Sets the alarm to the earliest of some times, if there is any.
    fn set_alarm(&self, times: [Option<Moment>; 3]) -> Result<()> {
        times.into_iter().flatten().min().map_or(Ok(()), |at| self.database.set_alarm(at))
    }

    /// Whether the rows have work that is due at `now`.
    ///
    /// # Errors
    /// `internal` only.
    pub fn is_due(&self, now: Moment) -> Result<bool> {
        Ok(self.meta()?.and_then(|meta| meta.alarm).is_some_and(|alarm| alarm <= now))
    }

    /// Applies a plan's writes in one transaction, with its keys and tables if it is new.
    ///
    /// # Errors
    /// `store-unavailable`, `too-large` or `quota-exceeded`; then nothing was written.
    pub fn apply(
        &self,
        writes: &[Write],
        founding: Option<&Founding>,
        entropy: &mut Entropy,
    ) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let keys = match (&self.held()?.state, founding) {
            (Known::Open { keys, .. }, _) => keys.clone(),
            (_, Some(founding)) => founding.keys.clone(),
            (_, None) => return Err(Error::bug("a store was written before its keys were stored")),
        };
        let sealed = seal_all(writes, &keys, entropy)?;
        let owner = match (self.meta()?, founding) {
            (Some(meta), _) => meta.owner.clone(),
            (None, Some(founding)) => founding.meta().owner,
            (None, None) => return Err(Error::bug("a store has no owner")),
        };
        let used = self.used_after(writes, &sealed, &owner)?;
        let outcome = self.try_apply(writes, &sealed, &used, founding);
        let mut held = self.held()?;
        held.used = outcome.is_ok().then_some(used);
        for (write, value) in writes.iter().zip(&sealed) {
            match write {
                Write::Record(record) if outcome.is_ok() => {
                    held.records.put(&record.address, Some(record), value.len());
                }
                Write::Record(record) => held.records.forget(&record.address),
                Write::Member(_) | Write::Expel { .. } => held.members = None,
                Write::Revoke(..) => held.revocations = None,
                _ => {}
            }
        }
        held.state = match outcome {
            Ok(state) => state,
            // The next request reads the state of the database again.
            Err(error) => {
                held.state = Known::Unknown;
                held.drain = Drain::Unknown;
                return Err(error);
            }
        };
        Ok(())
    }

    /// Empties the memory after the database was erased.
    ///
    /// # Errors
    /// `internal` only.
    pub fn forget(&self) -> Result<()> {
        let mut held = self.held()?;
        held.state = Known::Unknown;
        held.records.clear();
        held.views.clear();
        held.members = None;
        held.revocations = None;
        held.used = None;
        held.drain = Drain::Unknown;
        held.search = None;
        Ok(())
    }

    /// Whether the owner has revoked a token of `user`. The store must be open.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn has_revoked(&self, user: &User, token: &TokenFacts) -> Result<bool> {
        Ok(self.revocations()?.iter().any(|revocation| revocation.covers(user, token)))
    }

    /// The time of the last commit. Decisions never use an earlier time, so times grow with `seq`
    /// even if the clock goes back.
    ///
    /// # Errors
    /// `internal` only.
    pub fn last_commit(&self) -> Result<Moment> {
        Ok(self.meta()?.map_or(Moment(0), |meta| meta.at))
    }

    /// Rows touched since the object woke up.
    pub fn counts(&self) -> Counts {
        self.database.counts()
    }

    /// Cache hits and misses of views since the object woke up.
    ///
    /// # Errors
    /// `internal` only.
    pub fn tally(&self) -> Result<Tally> {
        Ok(self.held()?.views.tally())
    }

    fn held(&self) -> Result<RefMut<'_, Held>> {
        self.held.try_borrow_mut().map_err(|_| Error::bug("the store's memory is borrowed twice"))
    }

    fn meta(&self) -> Result<Option<Rc<Meta>>> {
        Ok(match &self.held()?.state {
            Known::Open { meta, .. } => Some(meta.clone()),
            Known::Void | Known::Unknown => None,
        })
    }

    /// The keys, where there is a store.
    ///
    /// # Errors
    /// `internal` only.
    pub fn keys(&self) -> Result<Option<Rc<Keyring>>> {
        Ok(match &self.held()?.state {
            Known::Open { keys, .. } => Some(keys.clone()),
            Known::Void | Known::Unknown => None,
        })
    }

    /// Writes rows with their sealed values in one transaction. Returns the new state.
    fn try_apply(
        &self,
        writes: &[Write],
        sealed: &[Vec<u8>],
        used: &Used,
        founding: Option<&Founding>,
    ) -> Result<Known> {
        let (mut meta, keys) = match (&self.held()?.state, founding) {
            (Known::Open { meta, keys }, _) => (Meta::clone(meta), keys.clone()),
            (_, Some(founding)) => (founding.meta(), founding.keys.clone()),
            (_, None) => return Err(Error::bug("a store was written before its keys were stored")),
        };
        for write in writes {
            if let Write::Audit(audit) = write {
                meta.seq = audit.seq;
                meta.at = audit.at;
            }
        }
        let before = meta.alarm;
        if let Some(due) = writes.iter().filter_map(|write| self.retention.due(write)).min() {
            meta.alarm = Some(meta.alarm.map_or(due, |alarm| alarm.min(due)));
        }
        let due = due_after(writes, meta.at);
        let moves = meta.alarm != before || due.is_some();
        let drain = if moves { self.drain_after(due)? } else { None };
        let known = self.held()?.drain;
        // Only if none is set that fires early enough.
        let is_sooner = drain.is_some_and(|drain| {
            known != Drain::Due(drain) && meta.alarm.is_none_or(|alarm| alarm > drain)
        });
        let founded = matches!(self.held()?.state, Known::Open { .. });
        self.database.transaction(&mut || {
            if !founded {
                schema::migrate(&self.database, 0)?;
            }
            self.write(writes, sealed, used)?;
            // A change that changed nothing has no line in the audit trail, but maybe an answer.
            if !writes.iter().any(|write| matches!(write, Write::Audit(_))) {
                self.store_used(used)?;
            }
            if meta.chores.sweep.is_some() {
                self.mark_written(writes)?;
            }
            if !founded {
                meta.store(&self.database)?;
            } else if meta.alarm != before {
                meta.store_alarm(&self.database)?;
            }
            if meta.alarm != before || is_sooner {
                self.set_alarm([meta.alarm, drain, None])?;
            }
            Ok(())
        })?;
        if let Some(drain) = drain {
            self.drain_at(drain)?;
        }
        Ok(Known::Open { meta: Rc::new(meta), keys })
    }

    /// Reads a context's record, from memory if possible.
    fn record_of(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        if let Some(known) = self.held()?.records.get(address) {
            return Ok(known);
        }
        let Some(keys) = self.keys()? else { return Ok(None) };
        let rows = self.database.query(reads::CONTEXT, &place(address))?;
        let Some(row) = rows.into_iter().next() else {
            self.held()?.records.put(address, None, 0);
            return Ok(None);
        };
        let (record, stored) = reads::record(row, &keys)?;
        let record = Rc::new(record);
        self.held()?.records.put(address, Some(&record), stored);
        Ok(Some(record))
    }
}

/// The sealed values of rows; empty for rows without one.
fn seal_all(writes: &[Write], keys: &Keyring, entropy: &mut Entropy) -> Result<Vec<Vec<u8>>> {
    let seal = |write: &Write| match write {
        Write::Record(row) => row.seal(keys, entropy),
        Write::Version(row) => row.seal(keys, entropy),
        Write::Entry(row) => row.seal(keys, entropy),
        Write::Member(row) => row.seal(keys, entropy),
        Write::Replay(row) => row.seal(keys, entropy),
        Write::Audit(row) => row.seal(keys, entropy),
        Write::Revoke(_, Some(row)) => row.seal(keys, entropy),
        Write::Sheet(row) if !row.is_end() => row.seal(keys, entropy),
        Write::Secret(_) | Write::Expel { .. } | Write::Revoke(_, None) | Write::Sheet(_) => {
            Ok(Vec::new())
        }
    };
    writes.iter().map(seal).collect()
}

impl<D> std::fmt::Debug for SqlStore<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqlStore(..)")
    }
}

/// The key of a context's rows.
fn place(address: &Address) -> [Bind<'_>; 2] {
    [Bind::Number(level_number(address.level)), Bind::Text(address.id.as_str())]
}
