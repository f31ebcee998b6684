//! Resolving a chain: the view's text, spliced from the layers, and its content hash.

use alloc::vec::Vec;

use crate::{
    hash::Hash,
    layer::Layer,
    level::LAYERS,
    merge::{Chain, HashSink, Sink, TextSink, Walk},
    rules::{Rules, Scope},
};

/// One link of a chain: a layer and the rules it brings.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// Its rules, for itself and below.
    pub rules: &'a Rules,
}

/// Resolves a chain (global first, at most four links; more are not read): the view's canonical
/// text.
pub fn resolve(chain: &[Link<'_>]) -> Vec<u8> {
    let capacity = chain.iter().map(|link| link.layer.text().len()).sum();
    walk(chain, TextSink::new(layers(chain), capacity)).into_text()
}

/// The content hash of a chain's view, without making the view: costs what the layers do not
/// share, not what they hold. Equals [`Layer::hash`] of the resolved text.
pub fn view_hash(chain: &[Link<'_>]) -> Hash {
    walk(chain, HashSink::new(layers(chain))).hash()
}

/// Walks a chain into any sink.
pub(crate) fn walk<'a, S: Sink<'a>>(chain: &[Link<'a>], sink: S) -> S {
    let scope = Scope::of_chain(chain.iter().map(|link| link.rules));
    let chain = Chain { layers: layers(chain), count: chain.len().min(LAYERS) };
    Walk { chain, sink }.run(scope.as_ref())
}

pub(crate) fn layers<'a>(chain: &[Link<'a>]) -> [&'a Layer; LAYERS] {
    static NOTHING: Layer = Layer::NOTHING;
    let mut layers: [&'a Layer; LAYERS] = [&NOTHING; LAYERS];
    for (slot, link) in layers.iter_mut().zip(chain) {
        *slot = link.layer;
    }
    layers
}
