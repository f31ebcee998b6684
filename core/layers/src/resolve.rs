//! Resolves a chain: the view's text, built from slices of the layers, and its content hash.

use alloc::vec::Vec;

use tinyvec::ArrayVec;

use crate::{
    hash::Hash,
    layer::Layer,
    level::LAYERS,
    merge::{Chain, HashSink, Sink, TextSink, Walk},
    rules::{Rules, Scope},
};

/// One link of a chain: a layer and its rules.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// The stored layer.
    pub layer: &'a Layer,
    /// The rules that the layer sets, for itself and for lower layers.
    pub rules: &'a Rules,
}

/// The links of one chain, global first, in place: no chain has more than four, and every view
/// that is looked up asks for them.
pub type Links<'a> = ArrayVec<[Link<'a>; LAYERS]>;

/// The link that adds nothing: what an unused place of [`Links`] holds.
impl Default for Link<'_> {
    fn default() -> Self {
        static NO_RULES: Rules = Rules::NONE;
        Link { layer: &NOTHING, rules: &NO_RULES }
    }
}

/// Puts links together; those past the fourth are not read.
pub fn collect<'a>(links: impl Iterator<Item = Link<'a>>) -> Links<'a> {
    links.take(LAYERS).collect()
}

/// Resolves a chain, global first, and returns the view's canonical text. At most four links are
/// used; more are ignored.
pub fn resolve(chain: &[Link<'_>]) -> Vec<u8> {
    let capacity = chain.iter().map(|link| link.layer.text().len()).sum();
    walk(chain, TextSink::new(layers(chain), capacity)).into_text()
}

/// The content hash of a chain's view, without making the view. The cost depends on the parts that
/// layers do not share. It equals [`Layer::hash`] of the resolved text.
///
/// ```
/// use nacre_layers::{
///     json,
///     layer::Layer,
///     resolve::{Link, resolve, view_hash},
///     rules::Rules,
/// };
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let global = layer(r#"{"model":"small","tags":["a"]}"#)?;
/// let project = layer(r#"{"model":"large"}"#)?;
/// let rules = Rules::default();
/// let chain = [&global, &project].map(|layer| Link { layer, rules: &rules });
/// assert_eq!(view_hash(&chain), Layer::from_canonical(resolve(&chain))?.hash());
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn view_hash(chain: &[Link<'_>]) -> Hash {
    walk(chain, HashSink::new(layers(chain))).hash()
}

/// Walks a chain into any sink.
pub(crate) fn walk<'a, S: Sink<'a>>(chain: &[Link<'a>], sink: S) -> S {
    let scope = Scope::of_chain(chain.iter().map(|link| link.rules));
    let chain = Chain { layers: layers(chain), count: chain.len().min(LAYERS) };
    Walk { chain, sink }.run(scope.as_ref())
}

static NOTHING: Layer = Layer::NOTHING;

pub(crate) fn layers<'a>(chain: &[Link<'a>]) -> [&'a Layer; LAYERS] {
    let mut layers: [&'a Layer; LAYERS] = [&NOTHING; LAYERS];
    for (slot, link) in layers.iter_mut().zip(chain) {
        *slot = link.layer;
    }
    layers
}
