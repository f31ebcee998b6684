//! Reveals sealed values, for callers who may see them, and tells the audit trail.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use super::{Setting, no_keys};
use crate::{
    plan::{ContextReply, Reply},
    record::{Deed, Entry, EntryId, POINTER_BYTES, REVEAL, Record},
    seal::marker_in,
    sight::Sight,
    store::Reads,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    layer::Layer,
    marker::{self, Fingerprint},
    pointer::Pointer,
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

/// Reveals the notes in an answer. Those from a project without secrets for the caller stay sealed.
pub(super) fn reveal_entries(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    sight: &dyn Sight,
    reply: &mut Reply,
) -> Result<()> {
    if let Reply::Entries { items, revealed, .. } = reply {
        for entry in items {
            if sight.reveals_at(reads, &entry.address, entry.id.seq)? {
                revealed.extend(reveal_entry(reads, setting, entry)?);
            }
        }
    }
    Ok(())
}

/// Puts the plaintext in place of an entry's sealed text. Returns the line for the audit trail.
fn reveal_entry(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    entry: &mut Entry,
) -> Result<Option<Deed>> {
    let Some(mut text) = marker_in(&entry.content) else { return Ok(None) };
    open(reads, setting, &mut text)?;
    if let Value::String(text) = text {
        entry.content = text;
    }
    let EntryId { seq, n } = entry.id;
    let pointer = format!("/{}/{seq}-{n}", entry.kind.as_str());
    let (address, pointers) = (Some(entry.address.clone()), Vec::from([pointer]));
    Ok(Some(Deed { action: REVEAL, address, version: None, member: None, pointers }))
}

/// The sealed values that an answer shows, for the audit trail.
pub(super) fn deeds(reply: &Reply) -> Result<Vec<Deed>> {
    let of_context =
        |ContextReply { shown, revealed, .. }: &ContextReply| match (revealed, shown.layer()) {
            (Some(_), Some(layer)) => deed_of(&shown.address, shown.version, layer),
            _ => Ok(None),
        };
    let mut deeds = Vec::new();
    match reply {
        Reply::Context(context) => deeds.extend(of_context(context)?),
        Reply::Contexts { items, .. } => {
            for context in items {
                deeds.extend(of_context(context)?);
            }
        }
        Reply::View(view) if view.reveals => {
            for record in &view.chain {
                deeds.extend(deed_of(&record.address, record.version, &record.layer)?);
            }
        }
        Reply::Versions { revealed, .. } | Reply::Entries { revealed, .. } => {
            deeds.extend(revealed.iter().cloned())
        }
        Reply::Batch(replies) => {
            for reply in replies.iter().flatten() {
                deeds.extend(self::deeds(reply)?);
            }
        }
        _ => {}
    }
    Ok(deeds)
}

/// The line of the audit trail for revealing a layer; `None` if it holds no sealed value.
pub(super) fn deed_of(address: &Address, version: u64, layer: &Layer) -> Result<Option<Deed>> {
    if !holds_sealed(layer) {
        return Ok(None);
    }
    let mut pointers = Vec::new();
    collect(&layer.to_value()?, &mut Pointer::root(), &mut pointers);
    if pointers.iter().map(String::len).sum::<usize>() > POINTER_BYTES {
        pointers = Vec::from([String::new()]);
    }
    let (address, version) = (Some(address.clone()), Some(version));
    let deed = Deed { action: REVEAL, address, version, member: None, pointers };
    Ok((!deed.pointers.is_empty()).then_some(deed))
}

/// The pointers to all markers in a value.
fn collect(value: &Value, at: &mut Pointer, found: &mut Vec<String>) {
    match value {
        _ if value.sealed().is_some() => found.push(at.as_str().into()),
        Value::Object(object) => {
            for (name, value) in object.iter() {
                at.push(name);
                collect(value, at, found);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                at.push(&index.to_string());
                collect(value, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}
