//! Brings the index of searches up to date, part by part, behind the writes.
//!
//! ```text
//! names of erased stores ─▶ shared database: erase
//! reindex: clear ─▶ contexts ─▶ outbox
//! outbox ─▶ documents ─▶ shared database ─▶ settle
//! documents without a meaning ─▶ models ─▶ encoded
//! documents without a vector ─▶ embedding model ─▶ given_vectors
//! ```
//! Each alarm does one part, and the next alarm is set while there is more. Where the shared
//! database does not answer, the object's own rows are written all the same, and it is asked again
//! after growing waits.

use std::cell::Cell;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::Result,
    id::User,
    moment::Moment,
    retrieval::{DenseVector, Document, Wanted},
};

use crate::{
    embedder::Embedder,
    host,
    models::{ModelFiles, Need},
    search_database::{Candidates, Failure, SearchDatabase, SearchDatabases},
    search_key::SearchKey,
    sql::Database,
    sql_store::{Delivery, Made, Part, SqlStore, lacks_vector},
};

/// The first wait after a database did not answer, and the longest one, in milliseconds.
const WAITS_MILLIS: (u64, u64) = (2_000, 10 * 60 * 1000);

/// Documents of one part that are encoded before they are written. More of them are written first,
/// and encoded later: searches should find their words soon.
const ENCODED_AT_ONCE: usize = 4;

/// After so long, no further document is encoded in one part, in milliseconds: changes that came
/// meanwhile wait in the outbox.
const ENCODING_MILLIS: u64 = 1_000;

/// The first wait before models that could not be loaded are asked for again, and the longest one, in
/// milliseconds.
const MODELS_AGAIN_MILLIS: (u64, u64) = (60_000, 24 * 60 * 60 * 1000);

/// What comes of asking a shared database.
#[derive(Debug)]
pub(crate) enum Asked {
    /// There is none, or nothing was ever indexed: the own rows answer, and nothing is amiss.
    None,
    /// It has found these.
    Found(Candidates),
    /// It failed, took too long, or has not all documents: the own rows answer in its place.
    Failed,
}

/// Drains the outbox of one store.
#[derive(Debug)]
pub(crate) struct Indexer {
    databases: SearchDatabases,
    /// How often in a row a database did not answer.
    failures: Cell<u32>,
    /// When it is asked again.
    again: Cell<Moment>,
    /// When an embedding model that has failed is asked about documents again.
    embeds_again: Cell<Moment>,
}

/// What encodes the documents of the deployment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoders<'a> {
    pub(crate) models: &'a ModelFiles,
    pub(crate) embedder: Option<&'a Embedder>,
}

impl Indexer {
    pub(crate) fn new(databases: SearchDatabases) -> Indexer {
        let [again, embeds_again] = [(); 2].map(|()| Cell::new(Moment(0)));
        Indexer { databases, failures: Cell::new(0), again, embeds_again }
    }

    /// The shared database of an owner; `None` if the deployment has none.
    pub(crate) fn database(&self, owner: &User) -> Option<&SearchDatabase> {
        self.databases.of_owner(owner.as_str())
    }

    /// Whether the deployment has shared databases.
    pub(crate) fn has_databases(&self) -> bool {
        !self.databases.is_empty()
    }

    /// Tells a shared database that answers again at once what waits for it.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows.
    pub(crate) fn deliver_now<D: Database>(&self, store: &SqlStore<D>) -> Result<()> {
        if self.failures.replace(0) > 0 {
            self.again.set(Moment(0));
            store.drain_by(host::now().later(1))?;
            store.arm(None)?;
        }
        Ok(())
    }

    /// Does the next part of what is due. Returns the documents that were encoded with it.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows. Then the part is done again.
    pub(crate) async fn drain<D: Database>(
        &self,
        store: &SqlStore<D>,
        owner: &User,
        encoders: Encoders<'_>,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let now = host::now();
        if store.drain_due()?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let Some(state) = store.begin_search(entropy)? else { return Ok(Vec::new()) };
        let key = &*state.key;
        let database = self.database(owner).filter(|_| self.again.get() <= now);
        let mut may_deliver = database.is_some();
        if state.must_clear() {
            let is_clear = self.clear(key, now).await;
            may_deliver &= is_clear;
            if is_clear {
                store.cleared(key, entropy)?;
            }
        }
        store.queue_part(entropy)?;
        let is_alone = !self.has_databases();
        let mut part = store.next_part(key, is_alone || may_deliver)?;
        let mut encoded = encode_few(store, &mut part, encoders.models).await?;
        if let Some(embedder) = encoders.embedder {
            encoded.extend(self.embed_few(store, &mut part, embedder).await?);
        }
        let delivery = match database {
            _ if is_alone => Delivery::Unneeded,
            Some(database) if may_deliver && !part.entries.is_empty() => {
                match database.put(&key.owner(), &part.entries).await {
                    Ok(mark) => {
                        self.failures.set(0);
                        Delivery::Done(mark)
                    }
                    Err(_) => Delivery::Failed(self.fail(store.last_commit()?)),
                }
            }
            _ => Delivery::Failed(self.again.get().max(now.later(1))),
        };
        store.settle(key, &part.settled, &delivery, host::now(), entropy)?;
        Ok(encoded)
    }

    /// Encodes the next documents that have no meaning. Returns them, for the memory of searches.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows.
    pub(crate) async fn encode<D: Database>(
        &self,
        store: &SqlStore<D>,
        models: &ModelFiles,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let Some(mut part) = store.unencoded()? else { return Ok(Vec::new()) };
        let mut meanings = Vec::new();
        if !part.contexts.is_empty() {
            let Some(models) = models.load(Need::Documents).await else {
                store.drain_by(later(MODELS_AGAIN_MILLIS, store.last_commit()?))?;
                return Ok(Vec::new());
            };
            let end = host::now().later(ENCODING_MILLIS);
            let mut done = 0;
            for address in &part.contexts {
                host::wait_for_quiet().await;
                if let Some(meaning) = store.encode(&models, address)? {
                    meanings.push((address.clone(), meaning));
                }
                done += 1;
                if host::now() > end {
                    break;
                }
            }
            part.end_after(done);
        }
        store.encoded(&part, meanings, host::now(), entropy)
    }

    /// Asks the embedding model for the vectors of the next documents that have none of it. Returns
    /// these, for the memory of searches.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows.
    pub(crate) async fn embed<D: Database>(
        &self,
        store: &SqlStore<D>,
        embedder: &Embedder,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let Some(part) = store.without_vector()? else { return Ok(Vec::new()) };
        match self.vectors(store, embedder, &part.contexts).await? {
            Some(vectors) => store.given_vectors(&part, vectors, host::now(), entropy),
            None => {
                store.drain_by(self.embeds_again.get())?;
                Ok(Vec::new())
            }
        }
    }

    /// Gives the documents of a part their vectors, if they are few. Returns those that have one now.
    async fn embed_few<D: Database>(
        &self,
        store: &SqlStore<D>,
        part: &mut Part,
        embedder: &Embedder,
    ) -> Result<Vec<Document>> {
        let model = embedder.model();
        let made = part.settled.iter_mut().filter_map(|(due, made)| match made {
            Made::Document(document) if lacks_vector(document, model) => {
                Some((due.address.clone(), document))
            }
            _ => None,
        });
        let (addresses, made): (Vec<_>, Vec<_>) = made.unzip();
        if made.is_empty() || made.len() > ENCODED_AT_ONCE {
            return Ok(Vec::new());
        }
        let Some(vectors) = self.vectors(store, embedder, &addresses).await? else {
            return Ok(Vec::new());
        };
        let embedded = made.into_iter().zip(vectors).map(|(document, vector)| {
            document.dense = Some(vector);
            Document::clone(document)
        });
        Ok(embedded.collect())
    }

    /// The vectors of contexts, in one call; `None` if the model does not answer.
    async fn vectors<D: Database>(
        &self,
        store: &SqlStore<D>,
        embedder: &Embedder,
        addresses: &[Address],
    ) -> Result<Option<Vec<DenseVector>>> {
        if self.embeds_again.get() > host::now() {
            return Ok(None);
        }
        let texts = addresses.iter().map(|address| store.dense_text(address));
        let texts = texts.collect::<Result<Vec<_>>>()?;
        let asked: Vec<_> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
        let answer = match asked.as_slice() {
            [] => Some(Vec::new()),
            asked => embedder.documents(asked).await,
        };
        let Some(answer) = answer else {
            self.embeds_again.set(later(MODELS_AGAIN_MILLIS, store.last_commit()?));
            return Ok(None);
        };
        let mut answer = answer.into_iter();
        let model = embedder.model();
        let vector = |text: &String| (!text.is_empty()).then(|| answer.next()).flatten();
        let vectors = texts.iter().map(vector).map(|vector| DenseVector { model, vector });
        Ok(Some(vectors.collect()))
    }

    /// Asks the shared database which contexts may answer a search. It does not know what is in the
    /// outbox. Where its tables are not those that had the store's documents, they get them again.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows.
    pub(crate) async fn candidates<D: Database>(
        &self,
        store: &SqlStore<D>,
        owner: &User,
        wanted: &Wanted,
        budget_millis: u64,
        entropy: &mut Entropy,
    ) -> Result<Asked> {
        let (Some(database), Some(state)) = (self.database(owner), store.search()?) else {
            return Ok(Asked::None);
        };
        let found = database.query(&state.key, wanted, budget_millis).await;
        let is_whole = !state.is_reindexing();
        match found {
            Ok(found) if found.mark == state.mark && is_whole => Ok(Asked::Found(found)),
            Ok(_) | Err(Failure::Empty) if is_whole => {
                store.refill(&state, host::now(), entropy)?;
                Ok(Asked::Failed)
            }
            _ => Ok(Asked::Failed),
        }
    }

    /// Whether the shared databases have no row of the store any more.
    async fn clear(&self, key: &SearchKey, now: Moment) -> bool {
        if !self.has_databases() {
            return true;
        }
        if self.again.get() > now {
            return false;
        }
        match self.databases.erase(&key.owner()).await {
            Ok(()) => {
                self.failures.set(0);
                true
            }
            Err(_) => {
                self.fail(now);
                false
            }
        }
    }

    /// Drops what the shared databases have of erased stores. Returns whether nothing is left.
    ///
    /// # Errors
    /// `store-unavailable` of the object's own rows.
    pub(crate) async fn pay<D: Database>(&self, store: &SqlStore<D>) -> Result<bool> {
        for name in store.owed()? {
            let is_time = self.again.get() <= host::now();
            if is_time && self.databases.erase(&name).await.is_ok() {
                self.failures.set(0);
                store.paid(&name)?;
                continue;
            }
            if is_time {
                self.fail(host::now());
            }
            store.drain_at(self.again.get())?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes that a database did not answer. Returns when it is asked again.
    fn fail(&self, last_commit: Moment) -> Moment {
        let failures = self.failures.get().saturating_add(1);
        self.failures.set(failures);
        let (first, longest) = WAITS_MILLIS;
        let first = first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(longest);
        self.again.set(later((first, longest), last_commit));
        self.again.get()
    }
}

/// When something that failed is tried again: the longer nothing was written, the later, so that the
/// waits grow after wake-ups, too.
fn later((first, longest): (u64, u64), last_commit: Moment) -> Moment {
    let now = host::now();
    now.later(now.0.saturating_sub(last_commit.0).clamp(first, longest))
}

/// Gives the documents of a part their meaning, if they are few. Returns those that have one now.
async fn encode_few<D: Database>(
    store: &SqlStore<D>,
    part: &mut Part,
    models: &ModelFiles,
) -> Result<Vec<Document>> {
    let made = part.settled.iter_mut().filter_map(|(due, made)| match made {
        Made::Document(document) if document.meaning.is_none() => Some((&due.address, document)),
        _ => None,
    });
    let made: Vec<_> = made.collect();
    if made.is_empty() || made.len() > ENCODED_AT_ONCE {
        return Ok(Vec::new());
    }
    let Some(models) = models.load(Need::Documents).await else {
        return Ok(Vec::new());
    };
    let mut encoded = Vec::new();
    for (address, document) in made {
        host::wait_for_quiet().await;
        document.meaning = store.encode(&models, address)?;
        encoded.push(Document::clone(document));
    }
    Ok(encoded)
}
