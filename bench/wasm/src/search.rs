//! An index in wasm: contexts go in as text, queries are answered with places of contexts.

use std::hint::black_box;

use nacre_core::{
    address::Address,
    json,
    search::{index::Index, query::Query, row::Row, token::Unkeyed},
};
use wasm_bindgen::prelude::wasm_bindgen;

/// The answers that a search gives.
const ANSWERS: usize = 10;

/// An index in wasm's memory.
#[derive(Debug, Default)]
#[wasm_bindgen]
pub struct Search {
    index: Index,
}

#[wasm_bindgen]
impl Search {
    /// An index of nothing.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Search {
        Search::default()
    }

    /// Adds a context.
    ///
    /// # Panics
    /// When the text is no object.
    pub fn add(&mut self, place: u32, data: &[u8]) {
        let data = json::read(data, 64).expect("JSON");
        let address = Address::parse("task", &format!("d{place}")).expect("an address");
        let row = Row::of(&address, data.as_object().expect("an object"), &[]);
        self.index.upsert(&row, &Unkeyed);
    }

    /// The places of the best contexts.
    ///
    /// # Panics
    /// Never: every part of the index is there.
    pub fn search(&self, text: &str) -> Vec<u32> {
        let query = Query::parse(text);
        let answers = self.index.score(&query, &Unkeyed, &mut |_| true);
        let best = black_box(self.index.top(&answers, ANSWERS));
        best.into_iter().map(|found| found.number).collect()
    }
}
