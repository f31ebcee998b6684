//! Opening sealed values, for those who may see them.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use super::{Setting, no_keys};
use crate::{
    error::{Code, Error, Result},
    layer::Layer,
    record::Record,
    resolve::{self, Link},
    seal,
    store::Reads,
    value::{SEALED, Value},
};

/// A layer's document with every sealed value opened.
pub(super) fn revealed(reads: &dyn Reads, setting: &Setting<'_>, layer: &Layer) -> Result<Value> {
    let mut value = layer.to_value()?;
    let mut opened = BTreeMap::new();
    seal::reveal(&mut value, &mut |fingerprint| {
        if let Some(value) = opened.get(fingerprint) {
            return Ok(Value::clone(value));
        }
        let secret = reads.secret(fingerprint)?.ok_or_else(|| {
            Error::new(Code::StoreUnavailable, "a sealed value is missing from the store")
        })?;
        let keys = setting.keys.ok_or_else(no_keys)?;
        let value = keys.open(fingerprint, &secret.sealed)?;
        opened.insert(*fingerprint, value.clone());
        Ok(value)
    })?;
    Ok(value)
}

/// The view's text with every sealed value opened: opened layer by layer, so that sealed objects
/// merge as any others do.
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
    let links: Vec<Link<'_>> = layers
        .iter()
        .zip(chain)
        .map(|(layer, record)| Link { layer, rules: &record.rules })
        .collect();
    Ok(resolve::resolve(&links))
}

fn holds_sealed(layer: &Layer) -> bool {
    layer.text().windows(SEALED.len()).any(|window| window == SEALED.as_bytes())
}
