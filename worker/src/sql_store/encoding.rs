//! Documents that are not encoded yet. Models take long, so many documents are encoded later than they
//! are indexed, in a walk over all of them. The deployment's embedding model has a walk of its own: it
//! may not answer.
//!
//! ```text
//! settle: a document without a meaning ─▶ the walk begins anew, behind
//! alarm ─▶ next documents without ─▶ models ─▶ encoded, one transaction ─▶ next alarm
//! ```

use std::rc::Rc;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::Result,
    hash::Hash,
    moment::Moment,
    retrieval::{DenseVector, Document, EmbeddingModel, Meaning, Models, dense_text, notes},
    store::Reads as _,
};

use super::{
    SqlStore,
    search_document::seal_document,
    search_state::{DenseState, SearchState, Walk},
};
use crate::{
    search_key::SearchKey,
    sql::{Bind, Database},
};

/// Documents that one part looks at. Encoding one may take 50 ms.
const DOCUMENTS: usize = 16;

/// A part of a walk.
#[derive(Debug)]
pub struct Unencoded {
    /// The contexts whose documents are not encoded.
    pub contexts: Vec<Address>,
    /// Where the next part begins; `None` if this one is the last.
    next: Option<Address>,
    /// The key of the store that this is a part of.
    key: Rc<SearchKey>,
    /// Where this part began. If the walk has begun anew meanwhile, the next part is not `next`.
    after: Option<Address>,
    /// What the documents were then.
    hashes: Vec<Hash>,
    /// The embedding model, in its walk.
    model: Option<EmbeddingModel>,
}

impl Unencoded {
    /// Ends the part after so many of its contexts, one at least. The others are in the next one.
    pub fn end_after(&mut self, count: usize) {
        if count < self.contexts.len() {
            self.contexts.truncate(count.max(1));
            self.next = self.contexts.last().cloned();
        }
    }

    /// Where the walk is that this is a part of, if it is there.
    fn walk<'s>(&self, state: &'s mut SearchState) -> Option<&'s mut Option<Walk>> {
        match (self.model, &mut state.dense) {
            (None, _) => Some(&mut state.encoding),
            (Some(model), Some(DenseState { model: walks, walk })) if model == *walks => Some(walk),
            (Some(_), _) => None,
        }
    }
}

/// What a document gets.
#[derive(Clone, Debug)]
enum Encoded {
    Meaning(Meaning),
    Dense(DenseVector),
}

impl<D: Database> SqlStore<D> {
    /// The next part of the walk of the models; `None` if all documents are encoded.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn unencoded(&self) -> Result<Option<Unencoded>> {
        let Some(state) = self.search()? else { return Ok(None) };
        let lacks = |document: &Document| document.meaning.is_none();
        self.part_of(&state, state.encoding.as_ref(), None, &lacks)
    }

    /// The next part of the walk of the embedding model; `None` if all documents have its vectors.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn without_vector(&self) -> Result<Option<Unencoded>> {
        let (Some(state), Some(model)) = (self.search()?, self.model()) else { return Ok(None) };
        let dense = state.dense.as_ref().filter(|dense| dense.model == model);
        let lacks = |document: &Document| lacks_vector(document, model);
        self.part_of(&state, dense.and_then(|dense| dense.walk.as_ref()), Some(model), &lacks)
    }

    fn part_of(
        &self,
        state: &SearchState,
        walk: Option<&Walk>,
        model: Option<EmbeddingModel>,
        lacks: &dyn Fn(&Document) -> bool,
    ) -> Result<Option<Unencoded>> {
        let Some(walk) = walk else { return Ok(None) };
        let found = self.documents(walk.after.as_ref(), DOCUMENTS)?;
        let is_last = found.len() < DOCUMENTS;
        let last = found.last().map(|(address, _)| address.clone());
        let is_lacking = |plain: &[u8]| Document::decode(plain).is_some_and(|it| lacks(&it));
        let lacking = found.into_iter().filter(|(_, plain)| is_lacking(plain));
        let (contexts, hashes) =
            lacking.map(|(address, plain)| (address, Hash::of(&plain))).unzip();
        Ok(Some(Unencoded {
            contexts,
            next: last.filter(|_| !is_last),
            key: Rc::clone(&state.key),
            after: walk.after.clone(),
            hashes,
            model,
        }))
    }

    /// What the models say of a context as it is now; `None` if it is gone.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn encode(&self, models: &Models<'_>, address: &Address) -> Result<Option<Meaning>> {
        let record = self.record(address)?.filter(|record| record.is_live());
        let encode = |record: &_| Document::meaning_of(models, record, &notes(self, address)?);
        record.map(|record| encode(&record)).transpose()
    }

    /// What the embedding model is asked about a context as it is now. Empty if there is nothing to
    /// ask.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn dense_text(&self, address: &Address) -> Result<String> {
        match self.record(address)?.filter(|record| record.is_live()) {
            Some(record) => dense_text(&record, &notes(self, address)?),
            None => Ok(String::new()),
        }
    }

    /// Writes the meanings of a part, and goes on to the next one. Returns the encoded documents. A
    /// document that was written anew meanwhile gets the meaning all the same: what has changed is
    /// due in the outbox, or has begun the walk anew. Does nothing if the store is another one now.
    ///
    /// # Errors
    /// `store-unavailable`. Then nothing was written.
    pub fn encoded(
        &self,
        part: &Unencoded,
        meanings: Vec<(Address, Meaning)>,
        now: Moment,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let meanings = meanings.into_iter();
        let meanings = meanings.map(|(address, meaning)| (address, Encoded::Meaning(meaning)));
        self.write_encoded(part, meanings.collect(), true, now, entropy)
    }

    /// Writes the vectors of a part, one for each of its contexts, and goes on to the next one.
    /// Returns the documents. One that was written anew meanwhile gets none: the part comes again.
    /// Does nothing if the store is another one now.
    ///
    /// # Errors
    /// `store-unavailable`. Then nothing was written.
    pub fn given_vectors(
        &self,
        part: &Unencoded,
        vectors: Vec<DenseVector>,
        now: Moment,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let mut same = Vec::new();
        let mut are_all_same = true;
        let found = self.documents_of(&part.contexts)?;
        for ((address, hash), vector) in part.contexts.iter().zip(&part.hashes).zip(vectors) {
            match found.iter().find(|(other, _)| other == address) {
                Some((_, plain)) if Hash::of(plain) == *hash => {
                    same.push((address.clone(), Encoded::Dense(vector)));
                }
                Some(_) => are_all_same = false,
                None => {}
            }
        }
        self.write_encoded(part, same, are_all_same, now, entropy)
    }

    fn write_encoded(
        &self,
        part: &Unencoded,
        encoded: Vec<(Address, Encoded)>,
        goes_on: bool,
        now: Moment,
        entropy: &mut Entropy,
    ) -> Result<Vec<Document>> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(Vec::new()) };
        let Some(before) = self.search()?.filter(|state| state.key == part.key) else {
            return Ok(Vec::new());
        };
        let mut state = SearchState::clone(&before);
        let walk = part.walk(&mut state);
        if let Some(walk) = walk
            .filter(|walk| goes_on && walk.as_ref().is_some_and(|walk| walk.after == part.after))
        {
            *walk = part.next.clone().map(|next| Walk { after: Some(next) });
        }
        let (addresses, encoded): (Vec<_>, Vec<_>) = encoded.into_iter().unzip();
        let mut documents = Vec::new();
        for (address, plain) in self.documents_of(&addresses)? {
            let place = addresses.iter().position(|other| *other == address);
            let encoded = place.and_then(|place| encoded.get(place)).cloned();
            if let (Some(mut document), Some(encoded)) = (Document::decode(&plain), encoded) {
                match encoded {
                    Encoded::Meaning(meaning) => document.meaning = Some(meaning),
                    Encoded::Dense(dense) => document.dense = Some(dense),
                }
                documents.push(document);
            }
        }
        let sealed = documents
            .iter()
            .map(|document| Ok((document, seal_document(document, &keys, entropy)?)));
        let sealed = sealed.collect::<Result<Vec<_>>>()?;
        let outcome = self.database.transaction(&mut || {
            for (document, sealed) in &sealed {
                let [level, id] = super::place(&document.row.address);
                self.database.run(PUT_ENCODED, &[Bind::Blob(sealed), level, id])?;
            }
            self.store_search(&state, &keys, entropy)
        });
        let goes_on = part.walk(&mut state).is_some_and(|walk| walk.is_some());
        self.keep_search(outcome, Some(state))?;
        if goes_on {
            self.drain_by(now.later(1))?;
        }
        Ok(documents)
    }
}

/// Whether a document has no vector of a model, and no mark that it has nothing to ask about.
pub fn lacks_vector(document: &Document, model: EmbeddingModel) -> bool {
    document.dense.as_ref().is_none_or(|dense| dense.model != model)
}

const PUT_ENCODED: &str = "UPDATE search SET value = ? WHERE level = ? AND id = ?";
