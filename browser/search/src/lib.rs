//! The core's search for JavaScript, over what a replica shows.
//!
//! The script in `npm/src/search/search.ts` hands over contexts and their notes as the replica's reads give
//! them, and asks questions. `nacre_core::retrieval` decides what is found. This module is apart from
//! the replica's, so that only those who search download it.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

// A module without vector instructions carries no models.
#[cfg_attr(all(target_family = "wasm", not(target_feature = "simd128")), path = "no_meanings.rs")]
mod meanings;
#[cfg(target_family = "wasm")]
mod runtime;

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Error, Result},
    retrieval::{Collection, ContextTexts, Models},
    wire,
};
use wasm_bindgen::prelude::*;

use meanings::Meanings;

/// An error for JavaScript: the text of its problem details.
fn thrown(error: Error) -> JsValue {
    JsValue::from_str(&String::from_utf8(wire::problem(&error)).unwrap_or_default())
}

/// The search of one replica, which shows only what its user may read.
#[derive(Default)]
#[wasm_bindgen]
pub struct Searcher(Collection);

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
        let given = ContextTexts { context, seq: seq.max(0.0) as u64, insights, progress };
        self.0.put(&given).map_err(thrown)
    }

    /// Removes a context that the replica no longer shows.
    pub fn remove(&mut self, level: &str, id: &str) -> Result<(), JsValue> {
        let address = Address::parse(level, id).map_err(thrown)?;
        self.0.remove(&address);
        Ok(())
    }

    /// The number of contexts.
    pub fn documents(&self) -> usize {
        self.0.documents()
    }

    /// The number of contexts that are not encoded yet.
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }

    /// The name of the context that is encoded next, such as `task/fix-1`, if one waits.
    pub fn next(&self) -> Option<String> {
        let address = self.0.next()?;
        Some([address.level.as_str(), "/", address.id.as_str()].concat())
    }

    /// Encodes the document of a context that waits. Gives what the models say of it, as
    /// [`Searcher::recall`] takes it.
    pub fn encode(&mut self, meanings: &Meanings) -> Result<Vec<u8>, JsValue> {
        let encoded = self.0.encode(meanings.models()).map_err(thrown)?;
        Ok(encoded.map(|(_, meaning)| meaning.to_bytes()).unwrap_or_default())
    }

    /// Gives a context a vector that a model elsewhere made.
    pub fn give_vector(&mut self, level: &str, id: &str, vector: Vec<f32>) -> Result<(), JsValue> {
        let mut give = || self.0.give_vector(&Address::parse(level, id)?, &vector);
        give().map_err(thrown)
    }

    /// Takes what [`Searcher::encode`] gave for a context as it is. Bytes of other models are left.
    /// Of a context that is gone they are left, too.
    pub fn recall(&mut self, level: &str, id: &str, meaning: &[u8]) {
        let mut give = || self.0.give_meaning(&Address::parse(level, id)?, meaning);
        give().ok();
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
        Ok(String::from_utf8(self.0.find(question, models)?).unwrap_or_default())
    }
}
