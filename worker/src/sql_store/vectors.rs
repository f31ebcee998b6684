//! Vectors that callers give to contexts: a part of their documents, sealed with them.
//!
//! A context whose last change waits in the outbox gets its document at once. A document that is made
//! anew keeps the vector if the context has not changed.

use std::{borrow::Cow, collections::BTreeMap};

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Error, Result},
    moment::Moment,
    retrieval::{Document, GivenVector},
    search::semantic::vector::Vector,
    store::Reads as _,
};

use super::{
    SqlStore,
    outbox::{Delivery, Due, Made, due},
    search_document::seal_document,
};
use crate::sql::{Bind, Database};

impl<D: Database> SqlStore<D> {
    /// Writes the vector of a context. `delivers` says that a shared database gets documents, too.
    ///
    /// # Errors
    /// `not-found`, `version-conflict`; `store-unavailable`, and then nothing was written.
    pub fn give_vector(
        &self,
        address: &Address,
        given: &GivenVector,
        delivers: bool,
        now: Moment,
        entropy: &mut Entropy,
    ) -> Result<()> {
        let record = self.record(address)?.filter(|record| record.is_live());
        let record = record.ok_or_else(Error::not_found)?;
        given.check_version(&record)?;
        let state = self.begin_search(entropy)?.ok_or_else(Error::not_found)?;
        let embedding = given.vector.clone();
        let held = self.document_of(address)?;
        if let Some(held) = held.filter(|held| held.facts.seq == record.seq) {
            return self.replace_document(&Document { embedding, ..held }, entropy);
        }
        if embedding.is_none() {
            return Ok(());
        }
        let document = Document::read(self, address)?.ok_or_else(Error::not_found)?;
        let made = Made::Document(Box::new(Document { embedding, ..document }));
        let [level, id] = super::place(address);
        // It waits already, unless the index is being made.
        self.database.run(QUEUE_ONE, &[level, id, Bind::Number(record.seq)])?;
        let waiting = self.opened(WAITING_ONE, &[level, id], due)?;
        let settled: Vec<_> = waiting.into_iter().map(|due| (due, made.clone())).collect();
        let delivery = match delivers {
            true => Delivery::Failed(now.later(1)),
            false => Delivery::Unneeded,
        };
        self.settle(&state.key, &settled, &delivery, now, entropy)
    }

    /// Writes a document that is there in another form, with as many words.
    fn replace_document(&self, document: &Document, entropy: &mut Entropy) -> Result<()> {
        let Some((_, keys)) = self.opened_state()? else { return Ok(()) };
        let sealed = seal_document(document, &keys, entropy)?;
        let [level, id] = super::place(&document.row.address);
        self.database.run(REPLACE_DOCUMENT, &[Bind::Blob(&sealed), level, id])
    }

    /// The vectors of the documents that are there for these contexts, by address.
    pub(super) fn vectors_of(&self, settled: &[(Due, Made)]) -> Result<Vectors> {
        let is_made = |(_, made): &&(Due, Made)| matches!(made, Made::Document(_));
        let made = settled.iter().filter(is_made).map(|(due, _)| due.address.clone());
        let made: Vec<Address> = made.collect();
        if made.is_empty() {
            return Ok(Vectors::default());
        }
        let found = self.documents_of(&made)?.into_iter();
        let vectors =
            found.filter_map(|(address, plain)| Some((address, Document::given_vector(&plain)?)));
        Ok(Vectors(vectors.collect()))
    }
}

/// Vectors that contexts were given, with the `seq` of their last change then.
#[derive(Default)]
pub(super) struct Vectors(BTreeMap<Address, (u64, Vector)>);

impl Vectors {
    /// A document that was made anew, with its vector if the context has not changed since.
    pub(super) fn kept_by<'d>(&self, document: &'d Document) -> Cow<'d, Document> {
        match self.0.get(&document.row.address) {
            Some((seq, vector)) if *seq == document.facts.seq && document.embedding.is_none() => {
                Cow::Owned(Document { embedding: Some(vector.clone()), ..document.clone() })
            }
            _ => Cow::Borrowed(document),
        }
    }
}

const REPLACE_DOCUMENT: &str = "UPDATE search SET value = ? WHERE level = ? AND id = ?";

const QUEUE_ONE: &str = "INSERT INTO outbox (level, id, seq) VALUES (?, ?, ?)
    ON CONFLICT (level, id) DO NOTHING";

const WAITING_ONE: &str = "SELECT level, id, seq, indexed FROM outbox WHERE level = ? AND id = ?";
