//! Previews: how writes would change the view of every context below.

use alloc::{rc::Rc, string::String, vec::Vec};

use super::{Asker, Setting, draft::Draft, permit};
use crate::{
    history::chain,
    limits,
    op::Edit,
    plan::{Affected, Preview, Reply},
    record::Record,
    sight::Sight,
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
    value::Value,
};

pub(super) fn preview(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    asker: Asker<'_>,
    edits: &[Edit],
) -> Result<Reply> {
    if edits.len() > limits::BATCH_OPERATIONS {
        return Err(Error::new(
            Code::TooManyOperations,
            "a preview must have at most 500 operations; split it",
        )
        .limit(limits::BATCH_OPERATIONS as u64));
    }
    let mut draft = Draft::new(reads, setting, asker)?;
    for (index, edit) in edits.iter().enumerate() {
        permit::permit_edit(&draft.store, asker.caller, asker.sight, edit)
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
        let before = chain_of(reads, asker.sight, &address)?;
        let after = chain_of(&draft.store, asker.sight, &address)?;
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

/// The chain of a context, if it exists where the caller sees it.
fn chain_of(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
) -> Result<Option<Vec<Rc<Record>>>> {
    match chain(reads, address).and_then(|chain| sight.chain(chain, None)) {
        Ok(chain) => Ok(Some(chain)),
        Err(error) if error.code() == Code::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

type Change = (String, Option<Value>, Option<Value>);

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
    hidden: &mut Distinct<(Address, String)>,
) -> Result<()> {
    for (place, record) in
        after.iter().enumerate().filter(|(_, r)| written.binary_search(&r.address).is_ok())
    {
        let old = before.iter().find(|old| old.address == record.address);
        let Some(old) = old.filter(|old| old.layer != record.layer) else { continue };
        for operation in diff(&old.layer, &record.layer)?.operations {
            let pointer = operation.path();
            let value = record.layer.value_at(pointer)?;
            for lower in after.iter().skip(place + 1) {
                let mut at = Vec::new();
                hiding(&lower.layer, pointer, value.as_ref(), &mut at)?;
                let address = &lower.address;
                at.into_iter().for_each(|pointer| hidden.push((address.clone(), pointer)));
            }
        }
    }
    Ok(())
}

/// The places at which a layer hides a changed value of a layer above: the value at `pointer`, or
/// its absence.
fn hiding(
    layer: &Layer,
    pointer: &Pointer,
    value: Option<&Value>,
    found: &mut Vec<String>,
) -> Result<()> {
    let mut at = Pointer::root();
    for token in pointer.tokens() {
        at.push(&token);
        match layer.get(&at) {
            None => return Ok(()),
            Some(text) if text.starts_with(b"{") => {}
            Some(_) => {
                found.push(pointer.as_str().into());
                return Ok(());
            }
        }
    }
    if let Some(own) = layer.value_at(&at)? {
        members(&own, value, &mut at, found);
    }
    Ok(())
}

/// The leaves of an own object that stand over a value above. Two objects merge, so only members
/// that both have count; another value is hidden by every leaf.
fn members(own: &Value, above: Option<&Value>, at: &mut Pointer, found: &mut Vec<String>) {
    let Value::Object(own) = own else {
        found.push(at.as_str().into());
        return;
    };
    for (name, value) in own.iter() {
        let above = match above {
            Some(Value::Object(above)) => match above.get(name) {
                Some(above) => Some(above),
                None => continue,
            },
            other => other,
        };
        at.push(name);
        members(value, above, at, found);
        at.pop();
    }
}
