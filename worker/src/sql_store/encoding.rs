//! Documents that have no meaning yet. The models take long, so many of them are encoded later than
//! they are indexed, in a walk over all documents.
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
    moment::Moment,
    retrieval::{Document, Meaning, Models, notes},
    store::Reads as _,
};

use super::{
    SqlStore,
    search_document::seal_document,
    search_state::{SearchState, Walk},
};
use crate::{
    search_key::SearchKey,
    sql::{Bind, Database},
};

/// Documents that one part looks at. Encoding one may take 50 ms.
const DOCUMENTS: usize = 16;

/// A part of the walk.
#[derive(Debug)]
pub struct Unencoded {
    /// The contexts whose documents have no meaning.
    pub contexts: Vec<Address>,
    /// Where the next part begins; `None` if this one is the last.
    next: Option<Address>,
    /// The key of the store that this is a part of.
    key: Rc<SearchKey>,
    /// Where this part began. If the walk has begun anew meanwhile, the next part is not `next`.
    after: Option<Address>,
}

impl Unencoded {
    /// Ends the part after so many of its contexts, one at least. The others are in the next one.
    pub fn end_after(&mut self, count: usize) {
        if count < self.contexts.len() {
            self.contexts.truncate(count.max(1));
            self.next = self.contexts.last().cloned();
        }
    }
}

impl<D: Database> SqlStore<D> {
    /// The next part of the walk; `None` if all documents are encoded.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn unencoded(&self) -> Result<Option<Unencoded>> {
        let Some(state) = self.search()? else { return Ok(None) };
        let Some(walk) = &state.encoding else { return Ok(None) };
        let found = self.documents(walk.after.as_ref(), DOCUMENTS)?;
        let is_last = found.len() < DOCUMENTS;
        let last = found.last().map(|(address, _)| address.clone());
        let lacks = |plain: &[u8]| {
            Document::decode(plain).is_some_and(|document| document.meaning.is_none())
        };
        let lacking = found.into_iter().filter(|(_, plain)| lacks(plain));
        Ok(Some(Unencoded {
            contexts: lacking.map(|(address, _)| address).collect(),
            next: last.filter(|_| !is_last),
            key: Rc::clone(&state.key),
            after: walk.after.clone(),
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
        let Some((_, keys)) = self.opened_state()? else { return Ok(Vec::new()) };
        let Some(before) = self.search()?.filter(|state| state.key == part.key) else {
            return Ok(Vec::new());
        };
        let mut state = SearchState::clone(&before);
        if state.encoding.as_ref().is_some_and(|walk| walk.after == part.after) {
            state.encoding = part.next.clone().map(|next| Walk { after: Some(next) });
        }
        let (addresses, meanings): (Vec<_>, Vec<_>) = meanings.into_iter().unzip();
        let mut documents = Vec::new();
        for (address, plain) in self.documents_of(&addresses)? {
            let place = addresses.iter().position(|other| *other == address);
            let meaning = place.and_then(|place| meanings.get(place));
            if let (Some(mut document), Some(meaning)) = (Document::decode(&plain), meaning) {
                document.meaning = Some(meaning.clone());
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
                self.database.run(PUT_MEANING, &[Bind::Blob(sealed), level, id])?;
            }
            self.store_search(&state, &keys, entropy)
        });
        let goes_on = state.encoding.is_some();
        self.keep_search(outcome, Some(state))?;
        if goes_on {
            self.drain_by(now.later(1))?;
        }
        Ok(documents)
    }
}

const PUT_MEANING: &str = "UPDATE search SET value = ? WHERE level = ? AND id = ?";
