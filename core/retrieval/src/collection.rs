//! The documents of a host that keeps the contexts itself: a page with its replica, or any host of the
//! component. It hands contexts over as JSON, and asks as over HTTP.

mod held;

use alloc::vec::Vec;

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
};
use nacre_search::semantic::{
    models::{Meaning, Models},
    vector::Vector,
};
use nacre_wire::read_json;

use crate::{
    answer::answer,
    corpus::Corpus,
    document::{Document, notes},
    question::Question,
    search::search_own,
};
use held::Held;

/// Removed documents that a corpus may keep beside as many as it has.
const WASTE: usize = 256;

/// Contexts that the asker may read, and what is needed to find them.
#[derive(Default)]
pub struct Collection {
    held: Held,
    corpus: Corpus,
    /// Contexts whose document is not encoded yet, in order.
    waiting: Vec<Address>,
}

/// A context as the reads of the HTTP API give it.
#[derive(Clone, Copy, Debug)]
pub struct ContextTexts<'a> {
    /// The context: its address, data, rules, version and last change.
    pub context: &'a str,
    /// The `seq` of its last change.
    pub seq: u64,
    /// The newest insights: an array of items, the newest first.
    pub insights: &'a str,
    /// The newest notes on progress.
    pub progress: &'a str,
}

impl Collection {
    /// Takes a context, in the place of an earlier state. With the same data it keeps its vector.
    ///
    /// # Errors
    /// `invalid-request` and others for JSON that no read gives.
    pub fn put(&mut self, given: &ContextTexts<'_>) -> Result<()> {
        let (address, is_same) = self.held.put(given)?;
        let vector = self.corpus.given_vector(&address).filter(|_| is_same);
        let document = Document::read(&self.held, &address)?;
        document.into_iter().for_each(|document| self.corpus.upsert(document));
        if let Some(vector) = vector {
            self.corpus.give_vector(&address, &vector)?;
        }
        if let Err(place) = self.waiting.binary_search(&address) {
            self.waiting.insert(place, address);
        }
        self.tidy();
        Ok(())
    }

    /// Removes a context.
    pub fn remove(&mut self, address: &Address) {
        self.held.remove(address);
        self.await_no_more(address);
        self.corpus.remove(address);
        self.tidy();
    }

    /// The number of contexts.
    pub fn documents(&self) -> usize {
        self.corpus.len()
    }

    /// The number of contexts that are not encoded yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The context that is encoded next, if one waits.
    pub fn next(&self) -> Option<&Address> {
        self.waiting.last()
    }

    /// Encodes the document of one context that waits; gives the context and its meaning.
    ///
    /// # Errors
    /// Those of the store.
    pub fn encode(&mut self, models: &Models<'_>) -> Result<Option<(Address, Meaning)>> {
        let Some(address) = self.waiting.pop() else { return Ok(None) };
        let Some(record) = self.held.live(&address) else { return Ok(None) };
        let notes = notes(&self.held, &address)?;
        let meaning = Document::meaning_of(models, &record, &notes)?;
        self.corpus.give_meaning(&address, &meaning);
        Ok(Some((address, meaning)))
    }

    /// Takes what [`encode`](Collection::encode) gave for the same state of a context. Gives whether it
    /// can be used: what other models made cannot, and the context still waits.
    ///
    /// # Errors
    /// `not-found` without the context; `store-unavailable` if bytes are missing.
    pub fn give_meaning(&mut self, address: &Address, meaning: &[u8]) -> Result<bool> {
        self.check(address)?;
        let Some(meaning) = Meaning::from_bytes(meaning)? else { return Ok(false) };
        self.corpus.give_meaning(address, &meaning);
        self.await_no_more(address);
        Ok(true)
    }

    /// Gives a context a vector that a model elsewhere made of its data. It is compared with the
    /// `vector` of questions.
    ///
    /// # Errors
    /// `not-found` without the context; `invalid-request` if the numbers are no vector, or not as many
    /// as the first one had.
    pub fn give_vector(&mut self, address: &Address, numbers: &[f32]) -> Result<()> {
        self.check(address)?;
        let vector = Vector::new(numbers).map_err(|error| error.at("/vector"))?;
        self.corpus.give_vector(address, &vector)
    }

    /// Answers a question, the body of `POST /v1/search`, with the body of its answer.
    ///
    /// # Errors
    /// As [`Question::of_body`] and [`search_own`].
    pub fn find(&self, question: &str, models: Option<&Models<'_>>) -> Result<Vec<u8>> {
        let question = Question::of_body(read_json(question.as_bytes())?)?;
        answer(&search_own(&self.held, &self.corpus, models, &question)?)
    }

    fn check(&self, address: &Address) -> Result<()> {
        let missing =
            || Error::new(Code::NotFound, "the collection has no such context; put it first");
        self.held.live(address).map(drop).ok_or_else(missing)
    }

    fn await_no_more(&mut self, address: &Address) {
        if let Ok(place) = self.waiting.binary_search(address) {
            self.waiting.remove(place);
        }
    }

    /// Makes the corpus anew when most of it is removed documents.
    fn tidy(&mut self) {
        if self.corpus.waste() > self.corpus.len() + WASTE {
            self.corpus = self.corpus.compacted();
        }
    }
}
