//! No models: without vector instructions they would take half a second for a document. The script
//! asks for none then.

use alloc::vec::Vec;
use core::convert::Infallible;

use nacre_core::{
    error::{Code, Error},
    retrieval::Models,
};
use wasm_bindgen::prelude::*;

use crate::thrown;

// Both forms of the module have one glue, with these names and comments.
/// The models, for all searches of a page.
#[wasm_bindgen]
pub struct Meanings(Infallible);

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
        drop((vocabulary, table, expansion, sparse));
        let detail = "the models need vector instructions; search by words on this host";
        Err(thrown(Error::new(Code::SearchUnavailable, detail)))
    }
}

impl Meanings {
    /// The models.
    pub(crate) fn models(&self) -> &Models<'static> {
        match self.0 {}
    }
}
