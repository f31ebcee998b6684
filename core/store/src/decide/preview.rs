//! Previews: how writes would change the view of every context below.

use alloc::{rc::Rc, vec::Vec};

use super::{Setting, draft::Draft, expect::Refuse, permit};
use crate::{
    history::chain,
    limits,
    op::{Caller, Edit},
    plan::{Affected, Preview, Reply},
    record::Record,
    store::{Filter, Reads, links},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    json,
    layer::Layer,
    pointer::Pointer,
    resolve,
    sort::{Distinct, distinct},
};

pub(super) fn preview(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    caller: &Caller,
    edits: &[Edit],
    refuse: Refuse,
) -> Result<Reply> {
    if edits.len() > limits::BATCH_OPERATIONS {
        return Err(Error::new(
            Code::TooManyOperations,
            "a preview must have at most 500 operations; split it",
        )
        .limit(limits::BATCH_OPERATIONS as u64));
    }
    let mut draft = Draft::new(reads, setting, caller, refuse)?;
    for (index, edit) in edits.iter().enumerate() {
        permit::permit_edit(&draft.store, caller, edit)
            .and_then(|()| draft.edit(edit))
            .map_err(|error| error.failed_operation(index))?;
    }
    let written = distinct(draft.changed().cloned().collect());
    let mut concerned = Distinct::new();
    for address in &written {
        let filter = Filter { under: Some(address.clone()), ..Filter::default() };
        let below = |store: &dyn Reads| store.list(&filter, None, usize::MAX);
        // Before and after, because moved and deleted contexts change too.
        for record in below(reads)?.into_iter().chain(below(&draft.store)?) {
            concerned.push(record.address.clone());
        }
    }
    let (mut preview, mut bytes) = (Preview::default(), 0);
    let mut hidden = Distinct::new();
    for address in concerned.into_sorted() {
        let before = chain_of(reads, &address)?;
        let after = chain_of(&draft.store, &address)?;
        let hash = |chain: &[Rc<Record>]| resolve::view_hash(&links(chain));
        if before.as_deref().map(hash) == after.as_deref().map(hash) {
            preview.unchanged += 1;
        } else {
            let changes = changes(before.as_deref(), after.as_deref(), &mut bytes)?;
            preview.affected.push(Affected { address: address.clone(), changes });
        }
        if let (Some(before), Some(after)) = (before, after) {
            overrides(&written, &before, &after, &mut hidden)?;
        }
    }
    preview.overridden_by = hidden.into_sorted();
    Ok(Reply::Preview(preview))
}

/// The chain of a context, if it exists.
fn chain_of(reads: &dyn Reads, address: &Address) -> Result<Option<Vec<Rc<Record>>>> {
    match chain(reads, address) {
        Ok(chain) => Ok(Some(chain)),
        Err(error) if error.code() == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

type Change =
    (alloc::string::String, Option<nacre_layers::value::Value>, Option<nacre_layers::value::Value>);

/// Every path at which two views differ, with both values; `bytes` is the size of the answer.
fn changes(
    before: Option<&[Rc<Record>]>,
    after: Option<&[Rc<Record>]>,
    bytes: &mut usize,
) -> Result<Vec<Change>> {
    let view = |chain: Option<&[Rc<Record>]>| match chain {
        Some(chain) => Layer::from_canonical(resolve::resolve(&links(chain))),
        None => Ok(Layer::empty()),
    };
    let (before, after) = (view(before)?, view(after)?);
    let mut read = |layer: &Layer, pointer: &Pointer| {
        let Some(text) = layer.get(pointer) else { return Ok(None) };
        *bytes += text.len();
        if *bytes > limits::ANSWER_BYTES {
            return Err(Error::new(
                Code::TooLarge,
                "the preview would be larger than 4 MiB; preview fewer or smaller changes",
            )
            .limit(limits::ANSWER_BYTES as u64));
        }
        json::read(text, limits::DEPTH).map(Some)
    };
    let mut changes: Vec<Change> = Vec::new();
    for operation in diff(&before, &after)?.operations {
        let pointer = operation.path();
        changes.push((pointer.as_str().into(), read(&before, pointer)?, read(&after, pointer)?));
    }
    Ok(changes)
}

/// Notes the layers below a written one that have a value at a changed path.
fn overrides(
    written: &[Address],
    before: &[Rc<Record>],
    after: &[Rc<Record>],
    hidden: &mut Distinct<(Address, alloc::string::String)>,
) -> Result<()> {
    for (place, record) in
        after.iter().enumerate().filter(|(_, r)| written.binary_search(&r.address).is_ok())
    {
        let old = before.iter().find(|old| old.address == record.address);
        let Some(old) = old.filter(|old| old.layer != record.layer) else { continue };
        for operation in diff(&old.layer, &record.layer)?.operations {
            let pointer = operation.path();
            for lower in after.iter().skip(place + 1) {
                if hides(&lower.layer, pointer) {
                    hidden.push((lower.address.clone(), pointer.as_str().into()));
                }
            }
        }
    }
    Ok(())
}

/// Whether a layer has a value at a pointer, or a value above it that is not an object.
fn hides(layer: &Layer, pointer: &Pointer) -> bool {
    let mut pointer = pointer.clone();
    if layer.get(&pointer).is_some_and(|text| !text.starts_with(b"{")) {
        return true;
    }
    while pointer.pop() {
        match layer.get(&pointer) {
            Some(text) => return !text.starts_with(b"{"),
            None => continue,
        }
    }
    false
}
