//! The core in wasm, as the Worker compiles it: layers are loaded once, then chains resolved.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod pack;
mod search;
mod semantic;

use std::hint::black_box;

use nacre_core::{
    layer::Layer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
};
use wasm_bindgen::prelude::wasm_bindgen;

/// A set of layers and chains in wasm's memory.
#[derive(Debug, Default)]
#[wasm_bindgen]
pub struct Chains {
    layers: Vec<Layer>,
    /// Places in `layers`, global first.
    chains: Vec<Vec<usize>>,
    none: Rules,
}

#[wasm_bindgen]
impl Chains {
    /// No chains.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Chains {
        Chains::default()
    }

    /// Adds a layer's canonical text.
    ///
    /// # Panics
    /// When it is none.
    pub fn layer(&mut self, text: &[u8]) {
        self.layers.push(Layer::from_canonical(text.to_vec()).expect("canonical text"));
    }

    /// Adds a chain by the places of its layers.
    pub fn chain(&mut self, places: &[u32]) {
        self.chains.push(places.iter().map(|&place| place as usize).collect());
    }

    /// Resolves every chain; the views stay in wasm.
    pub fn resolve_all(&self) {
        for chain in 0..self.chains.len() {
            black_box(resolve(&self.links(chain)));
        }
    }

    /// Resolves one chain and hands the view over to JavaScript.
    pub fn resolve(&self, chain: usize) -> Vec<u8> {
        resolve(&self.links(chain))
    }

    /// Hashes the view of every chain.
    pub fn hash_all(&self) {
        for chain in 0..self.chains.len() {
            black_box(view_hash(&self.links(chain)));
        }
    }

    fn links(&self, chain: usize) -> Vec<Link<'_>> {
        let link = |&place: &usize| Link { layer: &self.layers[place], rules: &self.none };
        self.chains[chain].iter().map(link).collect()
    }
}
