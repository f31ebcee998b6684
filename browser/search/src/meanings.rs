//! The models, in modules with vector instructions.

use alloc::vec::Vec;

use nacre_core::retrieval::Models;
use wasm_bindgen::prelude::*;

use crate::thrown;

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

impl Meanings {
    /// The models.
    pub(crate) fn models(&self) -> &Models<'static> {
        &self.0
    }
}
