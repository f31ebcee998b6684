//! Answers searches of one store.
//!
//! ```text
//! in memory ─ changed contexts are put in ──────────────────▶ corpus ─▶ search
//! not yet ─▶ shared database: candidates ─▶ their documents ─▶ corpus ─▶ search, by words
//!        └─▶ none, late or failed: all documents ────────────▶ corpus ─▶ search
//! ```
//! The corpus is brought up to date in steps, and other requests come between them. A search waits
//! for it only so long, then it is answered from what is there, by words. The newest changes are put
//! in first, so a write is found by the next search. Behind the answer the steps go on. The corpus is
//! a cache: everything in it is in the rows, and what the rows lack is in the outbox.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Code, Error, Result},
    moment::Moment,
    op::Caller,
    retrieval::{
        self, Corpus, Document, Encoders, Found, GivenVector, Models, Question, search, search_by,
    },
    search::semantic::vector::Vector,
};

use worker::console_error;

use crate::{
    changes::Changes,
    embedder::Embedder,
    host,
    indexer::{Asked, Indexer},
    search_database::SearchDatabase,
    sql::Database,
    sql_store::SqlStore,
};

/// Documents that are read in one step.
const PART: usize = 500;

/// Most contexts whose documents are made in one step.
const CHANGED: usize = 50;

/// With so many words made, a step makes no further document.
const WORDS: u32 = 5_000;

/// Most contexts in the outbox whose documents are made for a search of candidates.
const PENDING: usize = 200;

/// How long a search waits for the corpus, in milliseconds.
const WAIT_MILLIS: u64 = 1_000;

/// How long a shared database is believed to be as it was, in milliseconds.
const BELIEVED_MILLIS: u64 = 5_000;

/// How long one is believed not to answer, in milliseconds.
const DOUBTED_MILLIS: u64 = 1_000;

/// Answers the searches of one store.
#[derive(Debug, Default)]
pub(crate) struct Searcher {
    held: RefCell<Option<Held>>,
    /// Whether the corpus is being brought up to date behind an answer.
    is_loading: Cell<bool>,
    /// Whether the shared database did not answer when it was last asked.
    has_failed: Cell<bool>,
    /// When it was last asked.
    asked: Cell<Moment>,
}

/// What is in memory.
#[derive(Debug)]
struct Held {
    corpus: Corpus,
    rows: Rows,
}

/// Which rows of documents the corpus has.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rows {
    /// Those up to this one.
    UpTo(Option<Address>),
    /// All.
    All,
}

/// A search, and who can help with it.
pub(crate) struct Search<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) question: &'a Question,
    /// Where they are loaded.
    pub(crate) models: Option<&'a Models<'a>>,
    /// The deployment's embedding model.
    pub(crate) embedder: Option<&'a Embedder>,
    /// Asks the shared database.
    pub(crate) indexer: &'a Indexer,
    /// How long that may take, in milliseconds.
    pub(crate) budget_millis: u64,
    /// Whether the caller may still be answered, after a wait.
    pub(crate) permit: &'a dyn Fn() -> Result<()>,
}

impl Searcher {
    /// Searches the store.
    ///
    /// # Errors
    /// Those of [`search`].
    pub(crate) async fn search<D: Database>(
        &self,
        store: &SqlStore<D>,
        changes: &Changes,
        asked: &Search<'_>,
        entropy: &mut Entropy,
    ) -> Result<Found> {
        let Search { caller, question, models, embedder, .. } = asked;
        let candidates = if self.has_all_rows() {
            self.ask_again(store, asked).await?;
            None
        } else {
            self.candidates(store, asked, entropy).await?
        };
        let (mut found, is_whole) = match candidates {
            Some(corpus) => {
                (asked.permit)()?;
                (search(store, caller, &corpus, None, question)?, true)
            }
            None => {
                let mut is_whole = self.refresh(store, changes).await?;
                let mut dense = None;
                if let Some((embedder, text)) = embedder.zip(self.dense_question(question)?) {
                    (asked.permit)()?;
                    let answer = embedder.question(text).await;
                    // Something may have changed during the wait.
                    is_whole = self.refresh(store, changes).await?;
                    dense = self.dense_answer(answer.as_deref())?;
                    if answer.is_some() && dense.is_none() {
                        embedder.doubt();
                    }
                    is_whole &= dense.is_some();
                }
                (asked.permit)()?;
                let held = self.held.try_borrow().map_err(|_| borrowed())?;
                let corpus = held.as_ref().map(|held| &held.corpus).ok_or_else(forgotten)?;
                let encoders = Encoders { models: *models, dense: dense.as_ref() };
                (search_by(store, caller, corpus, encoders, question)?, is_whole)
            }
        };
        found.degraded = self.has_failed.get() || !is_whole;
        Ok(found)
    }

    /// What the embedding model is asked for a question, if anything.
    fn dense_question(&self, question: &Question) -> Result<Option<String>> {
        let held = self.held.try_borrow().map_err(|_| borrowed())?;
        Ok(held.as_ref().and_then(|held| held.corpus.dense_question(question)))
    }

    /// The question's vector in its answer; `None` if there is none that can be compared.
    fn dense_answer(&self, answer: Option<&[Vec<f32>]>) -> Result<Option<Vector>> {
        let held = self.held.try_borrow().map_err(|_| borrowed())?;
        let Some((answer, held)) = answer.zip(held.as_ref()) else { return Ok(None) };
        Ok(held.corpus.dense_answer(answer).inspect_err(|error| console_error!("{error}")).ok())
    }

    /// Gives a context a vector, in its row and in memory, where it is compared with the others.
    /// `permit` is asked whether the caller may still write, after a wait.
    ///
    /// # Errors
    /// `invalid-request` if it cannot be compared; `search-unavailable` while that is not known; those
    /// of [`SqlStore::give_vector`].
    pub(crate) async fn give_vector<D: Database>(
        &self,
        store: &SqlStore<D>,
        changes: &Changes,
        (address, given): (&Address, &GivenVector),
        (indexer, permit): (&Indexer, &dyn Fn() -> Result<()>),
        entropy: &mut Entropy,
    ) -> Result<()> {
        let is_whole = self.refresh(store, changes).await?;
        permit()?;
        let mut held = self.held.try_borrow_mut().map_err(|_| borrowed())?;
        let Some(Held { corpus, .. }) = held.as_mut().filter(|_| is_whole) else {
            let detail = "the index of this store is being loaded; try again";
            return Err(Error::new(Code::SearchUnavailable, detail));
        };
        given.vector.iter().try_for_each(|vector| corpus.check_dimensions(vector))?;
        store.give_vector(address, given, indexer.has_databases(), host::now(), entropy)?;
        match &given.vector {
            Some(vector) => corpus.give_vector(address, vector),
            None => {
                corpus.forget_vector(address);
                Ok(())
            }
        }
    }

    /// Whether all rows are in memory.
    fn has_all_rows(&self) -> bool {
        let is_loaded = |held: &Held| held.rows == Rows::All;
        self.held.try_borrow().is_ok_and(|held| held.as_ref().is_some_and(is_loaded))
    }

    /// Whether the corpus is as the store was at the last step.
    fn is_whole(&self) -> bool {
        let is_whole = |held: &Held| !held.corpus.is_partial();
        self.held.try_borrow().is_ok_and(|held| held.as_ref().is_some_and(is_whole))
    }

    /// Whether there is something to do behind the answer.
    pub(crate) fn needs_a_look(&self) -> bool {
        !self.is_whole() || host::now() > self.asked.get().later(BELIEVED_MILLIS)
    }

    /// Forgets the corpus: the store is another one now.
    pub(crate) fn forget(&self) {
        if let Ok(mut held) = self.held.try_borrow_mut() {
            *held = None;
        }
    }

    /// Tells the corpus of a document that was encoded by some model. Where the corpus has another document of the
    /// context, or is not in memory yet, the context counts as changed: its row is read again.
    pub(crate) fn give_meaning(&self, document: &Document, changes: &Changes) {
        let Document { facts, row, meaning, dense, .. } = document;
        if let Ok(mut held) = self.held.try_borrow_mut()
            && let Some(Held { corpus, rows: Rows::All }) = held.as_mut()
            && corpus.facts(&row.address) == Some(facts)
        {
            meaning.iter().for_each(|meaning| corpus.give_meaning(&row.address, meaning));
            dense.iter().for_each(|dense| corpus.give_dense(&row.address, dense));
        } else {
            changes.note_old(&row.address);
        }
    }

    /// The documents that may answer, where a shared database can tell.
    async fn candidates<D: Database>(
        &self,
        store: &SqlStore<D>,
        asked: &Search<'_>,
        entropy: &mut Entropy,
    ) -> Result<Option<Corpus>> {
        let Search { caller, question, indexer, budget_millis, .. } = asked;
        let Some(state) = store.search()? else { return Ok(None) };
        if state.lacks_documents() {
            return Ok(None);
        }
        let documents = u32::try_from(state.documents).unwrap_or(u32::MAX);
        let Some(wanted) = retrieval::wanted(caller, documents, question, &*state.key) else {
            return Ok(None);
        };
        let owner = &caller.owner;
        let answer = indexer.candidates(store, owner, &wanted, *budget_millis, entropy).await?;
        self.heard(store, indexer, !matches!(answer, Asked::Failed))?;
        let Asked::Found(candidates) = answer else { return Ok(None) };
        if wanted.is_wider && candidates.addresses.len() >= wanted.most {
            return Ok(None); // The answers may be behind the best ones.
        }
        let pending = store.due(PENDING + 1, true)?;
        if pending.len() > PENDING {
            return Ok(None);
        }
        let frequency = |token| candidates.frequency(token);
        let population = wanted.population(documents, state.words, &frequency);
        let mut corpus = Corpus::of_candidates(&population);
        for (_, plain) in store.documents_of(&candidates.addresses)? {
            corpus.upsert_encoded(&plain);
        }
        for due in pending {
            put_as_it_is(&mut corpus, store, &due.address)?;
        }
        Ok(Some(corpus))
    }

    /// Asks the shared database whether it answers, if that was long ago. Nobody waits for it.
    pub(crate) async fn probe<D: Database>(
        &self,
        store: &SqlStore<D>,
        indexer: &Indexer,
        database: &SearchDatabase,
        budget_millis: u64,
    ) -> Result<()> {
        if is_used(store) && host::now() > self.asked.get().later(BELIEVED_MILLIS) {
            self.ask(store, indexer, database, budget_millis).await?;
        }
        Ok(())
    }

    /// Asks a shared database that did not answer whether it does now. A search waits for that once
    /// a second, so that it does not say what is no longer true.
    async fn ask_again<D: Database>(&self, store: &SqlStore<D>, asked: &Search<'_>) -> Result<()> {
        let Search { caller, indexer, budget_millis, .. } = asked;
        let is_time = host::now() > self.asked.get().later(DOUBTED_MILLIS);
        match indexer.database(&caller.owner) {
            Some(database) if self.has_failed.get() && is_time => {
                self.ask(store, indexer, database, *budget_millis).await
            }
            _ => Ok(()),
        }
    }

    async fn ask<D: Database>(
        &self,
        store: &SqlStore<D>,
        indexer: &Indexer,
        database: &SearchDatabase,
        budget_millis: u64,
    ) -> Result<()> {
        // Once is enough, however many searches come meanwhile.
        self.asked.set(host::now());
        let is_there = database.is_there(budget_millis).await;
        self.heard(store, indexer, is_there)
    }

    /// Notes whether the shared database has answered. If it does so again, it gets at once what
    /// waits for it.
    fn heard<D: Database>(
        &self,
        store: &SqlStore<D>,
        indexer: &Indexer,
        has_answered: bool,
    ) -> Result<()> {
        let was_failing = self.has_failed.replace(!has_answered);
        self.asked.set(host::now());
        if was_failing && has_answered { indexer.deliver_now(store) } else { Ok(()) }
    }

    /// Brings the corpus up to date, as far as a search may wait for that. Returns whether it is.
    async fn refresh<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<bool> {
        let end = host::now().later(WAIT_MILLIS);
        loop {
            if self.step(store, changes)? {
                return Ok(true);
            }
            if host::now() >= end {
                return self.put_newest(store, changes).map(|()| false);
            }
            host::give_way().await;
        }
    }

    /// Brings the corpus up to date behind an answer.
    ///
    /// # Errors
    /// `store-unavailable`. Then the next search does it.
    pub(crate) async fn load<D: Database>(
        &self,
        store: &SqlStore<D>,
        changes: &Changes,
    ) -> Result<()> {
        if self.is_whole() || self.is_loading.replace(true) {
            return Ok(());
        }
        let outcome = self.load_slowly(store, changes).await;
        self.is_loading.set(false);
        outcome
    }

    async fn load_slowly<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<()> {
        loop {
            host::give_way().await;
            // The store may have been erased meanwhile.
            if store.search()?.is_none() || self.step(store, changes)? {
                return Ok(());
            }
        }
    }

    /// Brings the corpus a step further. Returns whether it is up to date.
    fn step<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<bool> {
        let mut place = self.held.try_borrow_mut().map_err(|_| borrowed())?;
        // After an error it begins anew.
        let mut held = match place.take() {
            Some(held) => held,
            None => Held::begin(store, changes)?,
        };
        held.step(store, changes)?;
        let is_whole = !held.corpus.is_partial();
        *place = Some(held);
        Ok(is_whole)
    }

    /// Puts the newest changes into a corpus that lacks rows. They are put in again behind the rows.
    fn put_newest<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<()> {
        let mut place = self.held.try_borrow_mut().map_err(|_| borrowed())?;
        if let Some(held) = place.as_mut().filter(|held| held.rows != Rows::All) {
            put_changed(&mut held.corpus, store, changes.newest(CHANGED))?;
        }
        Ok(())
    }
}

impl Held {
    /// An empty corpus. What the rows lack, or are about to get, counts as changed.
    fn begin<D: Database>(store: &SqlStore<D>, changes: &Changes) -> Result<Held> {
        changes.clear(); // All of them are in the rows, or in the outbox.
        store.due(usize::MAX, false)?.iter().for_each(|due| changes.note_old(&due.address));
        store.without_document()?.iter().for_each(|address| changes.note_old(address));
        Ok(Held { corpus: Corpus::loading().with_model(store.model()), rows: Rows::UpTo(None) })
    }

    fn step<D: Database>(&mut self, store: &SqlStore<D>, changes: &Changes) -> Result<()> {
        match &self.rows {
            Rows::UpTo(after) => {
                let last = load_part(&mut self.corpus, store, after.as_ref(), changes)?;
                self.rows = last.map_or(Rows::All, |last| Rows::UpTo(Some(last)));
            }
            Rows::All => {
                if self.corpus.waste() > self.corpus.len().max(PART) {
                    self.corpus = self.corpus.compacted();
                }
                let done = put_changed(&mut self.corpus, store, changes.newest(CHANGED))?;
                done.iter().for_each(|address| changes.done(address));
            }
        }
        self.corpus.set_whole(self.rows == Rows::All && changes.is_empty());
        Ok(())
    }
}

/// Puts the next rows into a corpus; the address of the last one, `None` if there are no more. Those
/// of another version wait to be made anew.
fn load_part<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    after: Option<&Address>,
    changes: &Changes,
) -> Result<Option<Address>> {
    let rows = store.documents(after, PART)?;
    let is_last = rows.len() < PART;
    let mut last = None;
    for (address, plain) in rows {
        if corpus.upsert_encoded(&plain).is_none() {
            changes.note_old(&address);
        }
        last = Some(address);
    }
    Ok(last.filter(|_| !is_last))
}

/// Brings changed contexts up to date: from their rows, which also say what the models say of them,
/// or, if they wait in the outbox, as they are now. Returns those that are done: the first ones, if
/// their documents are long.
fn put_changed<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    mut changed: Vec<Address>,
) -> Result<Vec<Address>> {
    if changed.is_empty() {
        return Ok(changed);
    }
    let mut done = Vec::with_capacity(changed.len());
    for (address, plain) in store.settled_documents_of(&changed)? {
        if corpus.upsert_encoded(&plain).is_some() {
            done.push(address);
        }
    }
    let settled: BTreeSet<&Address> = done.iter().collect();
    changed.retain(|address| !settled.contains(address));
    let mut words = 0;
    for address in changed {
        if words >= WORDS {
            break;
        }
        words += put_as_it_is(corpus, store, &address)?;
        done.push(address);
    }
    Ok(done)
}

/// Makes the document of a context as it is now. Returns the number of its words.
fn put_as_it_is<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    address: &Address,
) -> Result<u32> {
    let Some(document) = Document::read(store, address)? else {
        corpus.remove(address);
        return Ok(0);
    };
    let words = document.row.length;
    corpus.renew(document);
    Ok(words)
}

/// Whether a shared database has documents of the store.
fn is_used<D: Database>(store: &SqlStore<D>) -> bool {
    store.search().is_ok_and(|state| state.is_some_and(|state| !state.mark.is_empty()))
}

fn borrowed() -> Error {
    Error::bug("the corpus is borrowed")
}

fn forgotten() -> Error {
    Error::new(Code::SearchUnavailable, "the store was erased meanwhile; try again")
}
