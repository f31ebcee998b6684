//! The search models in wasm, for `cargo xtask bench semantic`.

use std::hint::black_box;

use nacre_core::{
    hash::Hash,
    search::{
        fusion::fuse,
        semantic::{
            models::Models,
            ranker::{Matching, Nearest, Ranker as _},
            table::DIMENSIONS,
            term_index::TermIndex,
            vectors::Vectors,
        },
    },
};
use wasm_bindgen::prelude::wasm_bindgen;

/// The models, and encoded documents.
#[derive(Debug)]
#[wasm_bindgen]
pub struct Meanings {
    models: Models<'static>,
    vectors: Vectors,
    terms: TermIndex,
}

#[wasm_bindgen]
impl Meanings {
    /// Reads the models' files, which stay in memory as long as the module.
    ///
    /// # Panics
    /// When one is broken.
    #[wasm_bindgen(constructor)]
    pub fn new(
        vocabulary: Vec<u8>,
        table: Vec<u8>,
        expansion: Vec<u8>,
        sparse: Vec<u8>,
    ) -> Meanings {
        let models = Models::read(vocabulary.leak(), table.leak(), expansion.leak());
        let models = models.and_then(|models| models.with_sparse(sparse.leak()));
        Meanings {
            models: models.expect("whole files"),
            vectors: Vectors::new(DIMENSIONS),
            terms: TermIndex::new(),
        }
    }

    /// Has so many documents with this text.
    ///
    /// # Panics
    /// Never: the vectors have the table's dimensions.
    pub fn fill(&mut self, document: &str, count: u32) {
        let meaning = self.models.encode_document(document);
        for number in 0..count {
            self.vectors.set(number, &meaning.vector).expect("the table's dimensions");
            self.terms.set(number, &meaning.terms);
        }
    }

    /// Encodes a document.
    pub fn encode_document(&self, text: &str) {
        black_box(self.models.encode_document(text));
    }

    /// Encodes a query.
    pub fn encode_query(&self, text: &str) {
        black_box(self.models.encode_query(text));
    }

    /// Encodes a query, scores all documents by both models, and adds the scores.
    pub fn score(&self, query: &str) {
        let query = self.models.encode_query(query);
        let near = Nearest { documents: &self.vectors, query: &query.vector };
        let matching = Matching { documents: &self.terms, query: &query.terms };
        let (near_answers, matching_answers) = (near.answers(), matching.answers());
        black_box(fuse(&[
            near.ranking(&near_answers, 1.0),
            matching.ranking(&matching_answers, 1.0),
        ]));
    }

    /// The hash of what a document and a query are encoded as.
    pub fn digest(&self, document: &str, query: &str) -> String {
        let document = self.models.encode_document(document).to_bytes();
        let query = self.models.encode_query(query).to_bytes();
        Hash::of(&[document, query].concat()).to_string()
    }
}
