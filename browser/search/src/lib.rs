//! The core's search for JavaScript, over what a replica shows.
//!
//! The script in `npm/src/search.ts` hands over contexts and their notes as the replica's reads give
//! them, and asks questions. `nacre_core::retrieval` decides what is found. This module is apart from
//! the replica's, so that only those who search download it.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

#[cfg(target_family = "wasm")]
mod runtime;

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Error, Result},
    id::User,
    retrieval::{Collection, ContextTexts, Models},
    wire,
};
use wasm_bindgen::prelude::*;

/// An error for JavaScript: the text of its problem details.
fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&String::from_utf8(wire::problem(&error)).unwrap_or_default())
}

/// The models, for all searches of a page.
#[wasm_bindgen]
pub struct Meanings(Models<'static>);

#[wasm_bindgen]
impl Meanings {
    /// Reads the files of the models. They stay in memory until the page is left.
    #[wasm_bindgen(constructor)]
    pub fn new(
        vocabulary: Vec<u8>,
        table: Vec<u8>,
        expansion: Vec<u8>,
        sparse: Vec<u8>,
    ) -> Result<Meanings, JsValue> {
        let read = || {
            // Checked before they are kept for good.
            Models::read(&vocabulary, &table, &expansion)?.with_sparse(&sparse)?;
            Models::read(vocabulary.leak(), table.leak(), expansion.leak())?
                .with_sparse(sparse.leak())
        };
        read().map(Meanings).map_err(thrown)
    }
}

/// The search of one replica.
#[wasm_bindgen]
pub struct Searcher(Collection);

#[wasm_bindgen]
impl Searcher {
    /// Creates a search of nothing, for the user of a replica.
    #[wasm_bindgen(constructor)]
    pub fn new(user: &str) -> Result<Searcher, JsValue> {
        User::parse(user).map(|user| Searcher(Collection::new(user))).map_err(thrown)
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
        let given = ContextTexts { context, seq: seq.max(0.0) as u64, insights, progress };
        self.0.put(&given).map_err(thrown)
    }

    /// Removes a context that the replica no longer shows.
    pub fn remove(&mut self, level: &str, id: &str) -> Result<(), JsValue> {
        let mut remove = || self.0.remove(&Address::parse(level, id)?);
        remove().map_err(thrown)
    }

    /// The number of contexts.
    pub fn documents(&self) -> usize {
        self.0.documents()
    }

    /// The number of contexts that are not encoded yet.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// Encodes the document of one context, if one waits.
    pub fn encode(&mut self, meanings: &Meanings) -> Result<(), JsValue> {
        self.0.encode(&meanings.0).map(drop).map_err(thrown)
    }

    /// Gives a context a vector that a model elsewhere made.
    pub fn give_vector(&mut self, level: &str, id: &str, vector: Vec<f32>) -> Result<(), JsValue> {
        let mut give = || self.0.give_vector(&Address::parse(level, id)?, &vector);
        give().map_err(thrown)
    }

    /// Answers a question by words: the JSON of the HTTP API.
    pub fn find(&self, question: &str) -> Result<String, JsValue> {
        self.answer(question, None).map_err(thrown)
    }

    /// Answers a question by words and meaning.
    pub fn find_with(&self, question: &str, meanings: &Meanings) -> Result<String, JsValue> {
        self.answer(question, Some(&meanings.0)).map_err(thrown)
    }
}

impl Searcher {
    fn answer(&self, question: &str, models: Option<&Models<'_>>) -> Result<String> {
        Ok(String::from_utf8(self.0.find(question, models)?).unwrap_or_default())
    }
}
