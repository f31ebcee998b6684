//! The documents of the index of searches, each sealed as one row.

use std::rc::Rc;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Error, Result},
    json,
    moment::Moment,
    retrieval::EmbeddingModel,
    row::level_number,
    seal::{Keyring, RowIdentity, open_row},
    value,
};

use super::{
    SqlStore, place,
    reads::{address, most},
    search_state::{DenseState, SearchState},
    usage::Dropped,
};
use crate::{
    schema,
    search_key::SearchKey,
    sql::{Bind, Database, Row, odd},
};

/// How far a reindex is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of documents in the index.
    pub documents: u64,
    /// Contexts that the reindex has done. The last one's is kept.
    pub done: u64,
    /// Contexts that it had to do.
    pub of: u64,
}

/// The columns of a document's row.
pub(super) struct DocumentColumns {
    pub(super) address: Address,
    pub(super) words: u64,
}

impl DocumentColumns {
    pub(super) fn identity(&self) -> RowIdentity {
        RowIdentity::new("search")
            .number(level_number(self.address.level))
            .text(self.address.id.as_str())
            .number(self.words)
    }
}

pub(super) fn document_columns(row: &mut Row) -> Result<DocumentColumns> {
    Ok(DocumentColumns { address: address(row)?, words: row.number()? })
}

impl<D: Database> SqlStore<D> {
    /// The state of the index; `None` if nothing was ever indexed.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn search(&self) -> Result<Option<Rc<SearchState>>> {
        if let Some(known) = &self.held()?.search {
            return Ok(Some(known.clone()));
        }
        let found =
            self.opened(STATE, &[], |mut row, keys| SearchState::open(keys, &row.blob()?))?;
        let state = found.into_iter().next().map(Rc::new);
        self.held()?.search.clone_from(&state);
        Ok(state)
    }

    /// The state of the index, made if there is none; `None` without a store. It begins the reindex
    /// that another version of the analysis needs.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn begin_search(&self, entropy: &mut Entropy) -> Result<Option<Rc<SearchState>>> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(None) };
        let state = match self.search()? {
            Some(state)
                if !state.is_outdated()
                    && !self.must_encode(&state)
                    && self.new_model(&state).is_none() =>
            {
                return Ok(Some(state));
            }
            Some(state) => {
                let mut state = SearchState::clone(&state);
                if state.is_outdated() {
                    state.begin(self.count_contexts()?);
                }
                if self.must_encode(&state) {
                    state.begin_encoding();
                }
                if let Some(model) = self.new_model(&state) {
                    state.begin_dense(model);
                }
                state
            }
            None => {
                let mut state = SearchState::new(entropy)?;
                state.dense = self.model.map(|model| DenseState { model, walk: None });
                state
            }
        };
        // The key is stored before anything is named by it.
        let outcome = self.store_search(&state, &keys, entropy);
        self.keep_search(outcome, Some(state))?;
        self.search()
    }

    /// The deployment's embedding model, if the last walk went with another one or there was none.
    fn new_model(&self, state: &SearchState) -> Option<EmbeddingModel> {
        self.model.filter(|model| state.dense.as_ref().is_none_or(|dense| dense.model != *model))
    }

    fn must_encode(&self, state: &SearchState) -> bool {
        self.has_models && state.has_other_models()
    }

    /// Begins a reindex, also while one is running; `None` without a store.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn reindex(&self, now: Moment, entropy: &mut Entropy) -> Result<Option<Progress>> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(None) };
        let mut state = match self.search()? {
            Some(state) => SearchState::clone(&state),
            None => SearchState::new(entropy)?,
        };
        state.begin(self.count_contexts()?);
        let outcome = self.database.transaction(&mut || {
            self.store_search(&state, &keys, entropy)?;
            self.database.set_alarm(now)
        });
        self.keep_search(outcome, Some(state))?;
        self.drain_at(now)?;
        self.progress()
    }

    /// Begins a reindex because the shared database has lost documents, unless the store is not in
    /// that state any more: then it is known, or another store.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn refill(&self, seen: &SearchState, now: Moment, entropy: &mut Entropy) -> Result<()> {
        match self.search()? {
            Some(state) if *state == *seen => self.reindex(now, entropy).map(drop),
            _ => Ok(()),
        }
    }

    /// How far the reindex is; `None` without a store.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn progress(&self) -> Result<Option<Progress>> {
        if self.meta()?.is_none() {
            return Ok(None);
        }
        let Some(state) = self.search()? else {
            return Ok(Some(Progress { documents: 0, done: 0, of: 0 }));
        };
        let documents = state.documents;
        Ok(Some(match &state.reindex {
            Some(reindex) => {
                let done = reindex.queued.saturating_sub(self.waiting()?).min(reindex.of);
                Progress { documents, done, of: reindex.of }
            }
            None => Progress { documents, done: documents, of: documents },
        }))
    }

    /// Notes that the shared database has no row of the store any more. Does nothing if the store
    /// is not the one with this key.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn cleared(&self, key: &SearchKey, entropy: &mut Entropy) -> Result<()> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(()) };
        let Some(state) = self.search()?.filter(|state| *state.key == *key) else { return Ok(()) };
        let mut state = SearchState::clone(&state);
        state.mark.clear();
        state.reindex.iter_mut().for_each(|reindex| reindex.must_clear = false);
        let outcome = self.store_search(&state, &keys, entropy);
        self.keep_search(outcome, Some(state))
    }

    /// Documents in order of (level, id), after `after`, at most `limit`.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn documents(
        &self,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<(Address, Vec<u8>)>> {
        let [level, id] = after.map_or([Bind::Number(0), Bind::Text("")], |after| place(after));
        self.opened(DOCUMENTS, &[level, id, most(limit)], document)
    }

    /// The documents of some contexts, as far as there are any.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn documents_of(&self, addresses: &[Address]) -> Result<Vec<(Address, Vec<u8>)>> {
        self.opened(DOCUMENTS_OF, &[Bind::Text(&wanted(addresses)?)], document)
    }

    /// As [`SqlStore::documents_of`], without those that wait in the outbox to be made anew.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn settled_documents_of(&self, addresses: &[Address]) -> Result<Vec<(Address, Vec<u8>)>> {
        self.opened(SETTLED_OF, &[Bind::Text(&wanted(addresses)?)], document)
    }

    /// The live contexts without a document, while an index is made; none otherwise. Then all that
    /// lack one wait in the outbox.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn without_document(&self) -> Result<Vec<Address>> {
        match self.search()? {
            Some(state) if state.lacks_documents() => {
                self.opened(WITHOUT_DOCUMENT, &[], |mut row, _| address(&mut row))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Takes documents that were dropped with their contexts out of the counts. Runs in the
    /// transaction that dropped them.
    pub(super) fn forget_documents(
        &self,
        dropped: Dropped,
        keys: &Keyring,
        entropy: &mut Entropy,
    ) -> Result<()> {
        let Some(state) = self.search()? else { return Ok(()) };
        let mut state = SearchState::clone(&state);
        state.documents = state.documents.saturating_sub(dropped.rows);
        state.words = state.words.saturating_sub(dropped.bytes);
        // The transaction may fail, so it is read again.
        self.held()?.search = None;
        self.store_search(&state, keys, entropy)
    }

    pub(super) fn store_search(
        &self,
        state: &SearchState,
        keys: &Keyring,
        entropy: &mut Entropy,
    ) -> Result<()> {
        self.database.run(PUT_STATE, &[Bind::Blob(&state.seal(keys, entropy)?)])
    }

    /// The number of contexts, deleted ones too.
    pub(super) fn count_contexts(&self) -> Result<u64> {
        self.database.query(COUNT, &[])?.into_iter().next().ok_or_else(odd)?.number()
    }

    /// Drops the whole store, and leaves only the name under which the shared database has rows of
    /// it. Returns false, and drops nothing, if that has none.
    ///
    /// # Errors
    /// `store-unavailable`. Then nothing was dropped.
    pub fn drop_all_but_name(&self, now: Moment) -> Result<bool> {
        let name = self.search()?.map(|state| state.key.owner());
        if name.is_none() && self.owed()?.is_empty() {
            return Ok(false);
        }
        self.database.transaction(&mut || {
            for table in schema::TABLES {
                self.database.run(&format!("DROP TABLE IF EXISTS {table}"), &[])?;
            }
            self.database.run(schema::ERASED, &[])?;
            if let Some(name) = &name {
                self.database.run(OWE, &[Bind::Text(name)])?;
            }
            self.database.set_alarm(now)
        })?;
        Ok(true)
    }

    /// The names of erased stores that the shared database may still have rows of.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn owed(&self) -> Result<Vec<String>> {
        let rows = self.database.query_if_there(OWED, &[])?.unwrap_or_default();
        rows.into_iter().map(|mut row| row.text()).collect()
    }

    /// Notes that the shared database has no row of an erased store any more.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn paid(&self, name: &str) -> Result<()> {
        self.database.run(PAY, &[Bind::Text(name)])
    }
}

/// The documents of a store from before there was an index: all its contexts are to be indexed. Runs
/// in the transaction that makes the tables.
pub(super) fn index_all(
    database: &impl Database,
    keys: &Keyring,
    entropy: &mut Entropy,
) -> Result<()> {
    let of = database.query(COUNT, &[])?.into_iter().next().ok_or_else(odd)?.number()?;
    let mut state = SearchState::new(entropy)?;
    state.begin(of);
    database.run(PUT_STATE, &[Bind::Blob(&state.seal(keys, entropy)?)])
}

/// Addresses as JSON: `[[level, id], …]`.
fn wanted(addresses: &[Address]) -> Result<String> {
    let keys: Vec<_> = addresses
        .iter()
        .map(|address| (level_number(address.level), address.id.as_str()))
        .collect();
    let keys = String::from_utf8(json::write(&value::encode(&keys)?));
    keys.map_err(|_| Error::bug("canonical JSON must be UTF-8"))
}

fn document(mut row: Row, keys: &Keyring) -> Result<(Address, Vec<u8>)> {
    let columns = document_columns(&mut row)?;
    let plain = open_row(keys, &columns.identity(), &row.blob()?)?;
    Ok((columns.address, plain))
}

const STATE: &str = "SELECT value FROM search_state WHERE one = 1";

const PUT_STATE: &str = "INSERT OR REPLACE INTO search_state (one, value) VALUES (1, ?)";

const DOCUMENTS: &str = "SELECT level, id, words, value FROM search
    WHERE (level, id) > (?, ?) ORDER BY level, id LIMIT ?";

// A cross join keeps the order of its tables: SQLite might go through all documents first.
const DOCUMENTS_OF: &str = "SELECT search.level, search.id, search.words, search.value
    FROM json_each(?) AS wanted
    CROSS JOIN search ON search.level = wanted.value ->> 0 AND search.id = wanted.value ->> 1";

const SETTLED_OF: &str = "SELECT search.level, search.id, search.words, search.value
    FROM json_each(?) AS wanted
    CROSS JOIN search ON search.level = wanted.value ->> 0 AND search.id = wanted.value ->> 1
    LEFT JOIN outbox
        ON outbox.level = search.level AND outbox.id = search.id AND outbox.indexed = 0
    WHERE outbox.seq IS NULL";

const WITHOUT_DOCUMENT: &str = "SELECT contexts.level, contexts.id FROM contexts
    LEFT JOIN search ON search.level = contexts.level AND search.id = contexts.id
    WHERE contexts.deleted IS NULL AND search.words IS NULL";

const COUNT: &str = "SELECT count(*) FROM contexts";

const OWE: &str = "INSERT OR REPLACE INTO erased (name) VALUES (?)";

const OWED: &str = "SELECT name FROM erased";

const PAY: &str = "DELETE FROM erased WHERE name = ?";
