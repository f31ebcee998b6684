//! The core's search for JavaScript, over what a replica shows.
//!
//! The script in `npm/src/search.ts` hands over contexts and their notes as the replica's reads give
//! them, and asks questions. `nacre_core::retrieval` decides what is found. This module is apart from
//! the replica's, so that only those who search download it.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

mod held;
// A module without vector instructions carries no models.
#[cfg_attr(all(target_family = "wasm", not(target_feature = "simd128")), path = "no_meanings.rs")]
mod meanings;
#[cfg(target_family = "wasm")]
mod runtime;

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Error, Result},
    retrieval::{Corpus, Document, Meaning, Models, Question, answer, notes, search_own},
    wire,
};
use wasm_bindgen::prelude::*;

use held::Held;
use meanings::Meanings;

/// Removed documents that a corpus may keep beside as many as it has.
const WASTE: usize = 256;

/// An error for JavaScript: the text of its problem details.
fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&String::from_utf8(wire::problem(&error)).unwrap_or_default())
}

/// The search of one replica, which shows only what its user may read.
#[derive(Default)]
#[wasm_bindgen]
pub struct Searcher {
    held: Held,
    corpus: Corpus,
    /// Contexts whose document is not encoded yet, in order.
    waiting: Vec<Address>,
}

#[wasm_bindgen]
impl Searcher {
    /// Creates a search of nothing.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Searcher {
        Searcher::default()
    }

    /// Takes a context as the replica shows it: its stored layer, the `seq` of its last change, and
    /// its newest insights and notes on progress, the newest first.
    pub fn put(
        &mut self,
        context: &str,
        seq: f64,
        insights: &str,
        progress: &str,
    ) -> Result<(), JsValue> {
        let mut put = || {
            let address = self.held.put(context, seq.max(0.0) as u64, insights, progress)?;
            let document = Document::read(&self.held, &address)?;
            document.into_iter().for_each(|document| self.corpus.upsert(document));
            if let Err(place) = self.waiting.binary_search(&address) {
                self.waiting.insert(place, address);
            }
            self.tidy();
            Ok(())
        };
        put().map_err(thrown)
    }

    /// Removes a context that the replica no longer shows.
    pub fn remove(&mut self, level: &str, id: &str) -> Result<(), JsValue> {
        let address = Address::parse(level, id).map_err(thrown)?;
        self.held.remove(&address);
        self.await_no_more(&address);
        self.corpus.remove(&address);
        self.tidy();
        Ok(())
    }

    /// The number of contexts.
    pub fn documents(&self) -> usize {
        self.corpus.len()
    }

    /// The number of contexts that are not encoded yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The name of the context that is encoded next, such as `task/fix-1`, if one waits.
    pub fn next(&self) -> Option<String> {
        let address = self.waiting.last()?;
        Some([address.level.as_str(), "/", address.id.as_str()].concat())
    }

    /// Encodes the document of a context that waits. Gives what the models say of it, as
    /// [`Searcher::recall`] takes it.
    pub fn encode(&mut self, meanings: &Meanings) -> Result<Vec<u8>, JsValue> {
        let Some(address) = self.waiting.pop() else { return Ok(Vec::new()) };
        let mut encode = || {
            let Some(record) = self.held.live(&address) else { return Ok(Vec::new()) };
            let notes = notes(&self.held, &address)?;
            let meaning = Document::meaning_of(meanings.models(), &record, &notes)?;
            self.corpus.give_meaning(&address, &meaning);
            Ok(meaning.to_bytes())
        };
        encode().map_err(thrown)
    }

    /// Takes what [`Searcher::encode`] gave for a context as it is. Bytes of other models are left.
    pub fn recall(&mut self, level: &str, id: &str, meaning: &[u8]) {
        let Ok(address) = Address::parse(level, id) else { return };
        let Ok(Some(meaning)) = Meaning::from_bytes(meaning) else { return };
        self.corpus.give_meaning(&address, &meaning);
        self.await_no_more(&address);
    }

    /// Answers a question by words: the JSON of the HTTP API.
    pub fn find(&self, question: &str) -> Result<String, JsValue> {
        self.answer(question, None).map_err(thrown)
    }

    /// Answers a question by words and meaning.
    pub fn find_with(&self, question: &str, meanings: &Meanings) -> Result<String, JsValue> {
        self.answer(question, Some(meanings.models())).map_err(thrown)
    }
}

impl Searcher {
    fn answer(&self, question: &str, models: Option<&Models<'_>>) -> Result<String> {
        let question = Question::of_body(wire::read_json(question.as_bytes())?)?;
        let found = search_own(&self.held, &self.corpus, models, &question)?;
        Ok(String::from_utf8(answer(&found)?).unwrap_or_default())
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
