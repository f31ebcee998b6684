//! Reveals sealed values, for callers who may see them.

use alloc::{rc::Rc, vec::Vec};

use super::{Setting, no_keys};
use crate::{record::Record, store::Reads};
use nacre_layers::{
    error::{Code, Error, Result},
    layer::Layer,
    marker::{self, Fingerprint},
    resolve::{self, Link},
    value::{SEALED, Value},
};

/// A layer's document with all sealed values revealed.
pub(super) fn revealed(reads: &dyn Reads, setting: &Setting<'_>, layer: &Layer) -> Result<Value> {
    let mut value = layer.to_value()?;
    open(reads, setting, &mut value)?;
    Ok(value)
}

/// Replaces every marker in a value by its plaintext.
pub(super) fn open(reads: &dyn Reads, setting: &Setting<'_>, value: &mut Value) -> Result<()> {
    let sealed = |fingerprint: &Fingerprint| match reads.secret(fingerprint)? {
        Some(secret) => Ok(secret.sealed),
        None => Err(Error::new(Code::StoreUnavailable, "a sealed value is missing in the store")),
    };
    match setting.keys {
        Some(keys) => keys.reveal(value, &sealed),
        None => marker::reveal(value, &mut |_| Err(no_keys())),
    }
}

/// The view's text with all sealed values revealed. Each layer is revealed before the merge, so
/// that sealed objects merge like others.
pub(super) fn revealed_view(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    chain: &[Rc<Record>],
) -> Result<Vec<u8>> {
    let mut layers = Vec::with_capacity(chain.len());
    for record in chain {
        layers.push(if holds_sealed(&record.layer) {
            Rc::new(Layer::from_value(&revealed(reads, setting, &record.layer)?)?)
        } else {
            record.layer.clone()
        });
    }
    let links =
        layers.iter().zip(chain).map(|(layer, record)| Link { layer, rules: &record.rules });
    Ok(resolve::resolve(&resolve::collect(links)))
}

/// Whether a layer holds markers.
pub(super) fn holds_sealed(layer: &Layer) -> bool {
    layer.text().windows(SEALED.len()).any(|window| window == SEALED.as_bytes())
}
