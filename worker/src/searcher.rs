//! Answers searches of one store.
//!
//! ```text
//! in memory ─ changed contexts are put in ──────────────────▶ corpus ─▶ search
//! not yet ─▶ shared database: candidates ─▶ their documents ─▶ corpus ─▶ search, by words
//!        └─▶ none, late or failed: all documents ────────────▶ corpus ─▶ search
//! ```
//! After the first answer the corpus is loaded behind it, part by part. It is a cache: everything in
//! it is in the rows. A write is found by the next search, for what the rows lack is in the outbox.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Error, Result},
    moment::Moment,
    op::Caller,
    retrieval::{self, Corpus, Document, Found, GivenVector, Models, Question, search},
};

use crate::{
    changes::Changes,
    host,
    indexer::{Asked, Indexer},
    search_database::SearchDatabase,
    sql::Database,
    sql_store::SqlStore,
};

/// Documents that are read at once.
const PART: usize = 500;

/// Most contexts in the outbox whose documents are made for one search. With more of them waiting,
/// all documents are read instead, once.
const PENDING: usize = 200;

/// How long a shared database is believed to be as it was, in milliseconds.
const BELIEVED_MILLIS: u64 = 5_000;

/// Answers the searches of one store.
#[derive(Debug, Default)]
pub(crate) struct Searcher {
    corpus: RefCell<Option<Corpus>>,
    /// Whether the corpus is being loaded.
    is_loading: Cell<bool>,
    /// Whether the shared database did not answer when it was last asked.
    has_failed: Cell<bool>,
    /// When it was last asked.
    asked: Cell<Moment>,
}

/// A search, and who can help with it.
pub(crate) struct Search<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) question: &'a Question,
    /// Where they are loaded.
    pub(crate) models: Option<&'a Models<'a>>,
    /// Asks the shared database.
    pub(crate) indexer: &'a Indexer,
    /// How long that may take, in milliseconds.
    pub(crate) budget_millis: u64,
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
        let Search { caller, question, models, indexer, .. } = asked;
        let candidates = match self.is_loaded() {
            true => None,
            false => self.candidates(store, asked, entropy).await?,
        };
        let mut found = match candidates {
            Some(corpus) => search(store, caller, &corpus, None, question)?,
            None => {
                self.refresh(store, changes)?;
                let corpus = self.corpus.try_borrow().map_err(|_| borrowed())?;
                let empty = Corpus::default();
                search(store, caller, corpus.as_ref().unwrap_or(&empty), *models, question)?
            }
        };
        found.degraded = self.has_failed.get() || indexer.is_failing();
        Ok(found)
    }

    /// Gives a context a vector, in its row and in memory, where it is compared with the others.
    ///
    /// # Errors
    /// `invalid-request` if it cannot be; those of [`SqlStore::give_vector`].
    pub(crate) fn give_vector<D: Database>(
        &self,
        store: &SqlStore<D>,
        changes: &Changes,
        (address, given): (&Address, &GivenVector),
        indexer: &Indexer,
        entropy: &mut Entropy,
    ) -> Result<()> {
        self.refresh(store, changes)?;
        let mut held = self.corpus.try_borrow_mut().map_err(|_| borrowed())?;
        let Some(corpus) = held.as_mut() else { return Err(borrowed()) };
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

    /// Whether all documents are in memory.
    pub(crate) fn is_loaded(&self) -> bool {
        self.corpus.try_borrow().is_ok_and(|corpus| corpus.is_some())
    }

    /// Whether there is something to do behind the answer.
    pub(crate) fn needs_a_look(&self) -> bool {
        !self.is_loaded() || host::now() > self.asked.get().later(BELIEVED_MILLIS)
    }

    /// Notes what became of a call to the shared database.
    pub(crate) fn note(&self, has_failed: bool) {
        self.has_failed.set(has_failed);
        self.asked.set(host::now());
    }

    /// Forgets the corpus: the store is another one now.
    pub(crate) fn forget(&self) {
        if let Ok(mut corpus) = self.corpus.try_borrow_mut() {
            *corpus = None;
        }
    }

    /// Tells the corpus of a document that was encoded. Where the corpus has another document of the
    /// context, or is not in memory yet, the context counts as changed: its row is read again.
    pub(crate) fn give_meaning(&self, document: &Document, changes: &Changes) {
        let Document { facts, row, meaning, .. } = document;
        if let Ok(mut corpus) = self.corpus.try_borrow_mut()
            && let Some(corpus) = corpus.as_mut()
            && corpus.facts(&row.address) == Some(facts)
            && let Some(meaning) = meaning
        {
            corpus.give_meaning(&row.address, meaning);
        } else {
            changes.note(&row.address);
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
        self.note(matches!(answer, Asked::Failed));
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
        database: &SearchDatabase,
        budget_millis: u64,
    ) {
        let is_used =
            store.search().is_ok_and(|state| state.is_some_and(|state| !state.mark.is_empty()));
        if is_used && host::now() > self.asked.get().later(BELIEVED_MILLIS) {
            // Once is enough, however many searches come meanwhile.
            self.asked.set(host::now());
            self.note(!database.is_there(budget_millis).await);
        }
    }

    /// Brings the corpus up to date. Loads it at once if it is not in memory.
    fn refresh<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<()> {
        let mut held = self.corpus.try_borrow_mut().map_err(|_| borrowed())?;
        let mut corpus = match held.take() {
            Some(corpus) if corpus.waste() > corpus.len().max(PART) => corpus.compacted()?,
            Some(corpus) => corpus,
            None => {
                if !self.is_loading.get() {
                    changes.take(); // All of them are in the rows.
                }
                let mut corpus = Corpus::default();
                let mut after = None;
                while let Some(last) = load_part(&mut corpus, store, after.as_ref())? {
                    after = Some(last);
                }
                put_lacking(&mut corpus, store)?;
                put_pending(&mut corpus, store)?;
                corpus
            }
        };
        put_changed(&mut corpus, store, changes.take())?;
        *held = Some(corpus);
        Ok(())
    }

    /// Loads the corpus behind an answer, part by part, so that other requests come between.
    ///
    /// # Errors
    /// `store-unavailable`. Then the next search loads it.
    pub(crate) async fn load<D: Database>(
        &self,
        store: &SqlStore<D>,
        changes: &Changes,
    ) -> Result<()> {
        if self.is_loaded() || self.is_loading.replace(true) {
            return Ok(());
        }
        let outcome = self.load_slowly(store, changes).await;
        self.is_loading.set(false);
        outcome
    }

    async fn load_slowly<D: Database>(&self, store: &SqlStore<D>, changes: &Changes) -> Result<()> {
        let Some(state) = store.search()? else { return Ok(()) };
        changes.take(); // All of them are in the rows.
        // What leaves the outbox during the load may have been read before its document was written.
        let waiting = store.due(usize::MAX, false)?;
        let mut corpus = Corpus::default();
        let mut after = None;
        loop {
            host::give_way().await;
            match load_part(&mut corpus, store, after.as_ref())? {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        // The store may have been erased meanwhile, or a search may have been quicker.
        let is_same = store.search()?.is_some_and(|now| now.key == state.key);
        if self.is_loaded() || !is_same {
            return Ok(());
        }
        put_lacking(&mut corpus, store)?;
        put_pending(&mut corpus, store)?;
        let mut changed = changes.take();
        changed.extend(waiting.into_iter().map(|due| due.address));
        let mut held = self.corpus.try_borrow_mut().map_err(|_| borrowed())?;
        put_changed(&mut corpus, store, changed)?;
        *held = Some(corpus);
        Ok(())
    }
}

/// Puts the next documents into a corpus; the address of the last one, `None` if there are no more.
fn load_part<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    after: Option<&Address>,
) -> Result<Option<Address>> {
    let mut last = None;
    for (address, plain) in store.documents(after, PART)? {
        if corpus.upsert_encoded(&plain).is_none() {
            // It is of another version, and waits to be made anew.
            put_as_it_is(corpus, store, &address)?;
        }
        last = Some(address);
    }
    Ok(last)
}

/// Puts in what the rows do not have yet.
fn put_pending<D: Database>(corpus: &mut Corpus, store: &SqlStore<D>) -> Result<()> {
    for due in store.due(usize::MAX, false)? {
        put_as_it_is(corpus, store, &due.address)?;
    }
    Ok(())
}

/// Puts in the contexts that have no document yet, while an index is made.
fn put_lacking<D: Database>(corpus: &mut Corpus, store: &SqlStore<D>) -> Result<()> {
    for address in store.without_document()? {
        put_as_it_is(corpus, store, &address)?;
    }
    Ok(())
}

/// Brings changed contexts up to date: from their rows, which also say what the models say of them,
/// or, if they wait in the outbox, as they are now.
fn put_changed<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    mut changed: BTreeSet<Address>,
) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let addresses: Vec<Address> = changed.iter().cloned().collect();
    for (address, plain) in store.settled_documents_of(&addresses)? {
        if corpus.upsert_encoded(&plain).is_some() {
            changed.remove(&address);
        }
    }
    changed.iter().try_for_each(|address| put_as_it_is(corpus, store, address))
}

/// Makes the document of a context as it is now.
fn put_as_it_is<D: Database>(
    corpus: &mut Corpus,
    store: &SqlStore<D>,
    address: &Address,
) -> Result<()> {
    match Document::read(store, address)? {
        Some(document) => corpus.renew(document),
        None => drop(corpus.remove(address)),
    }
    Ok(())
}

fn borrowed() -> Error {
    Error::bug("the corpus is borrowed")
}
