//! Previews: how writes would change the view of every context below.

use alloc::{rc::Rc, string::String, vec::Vec};

use super::{Asker, Setting, draft::Draft, permit};
use crate::{
    history::chain,
    limits,
    op::Edit,
    plan::{Affected, Preview, Reply},
    record::Record,
    seal::Purpose,
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
    sort::{distinct, sort_by},
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
    let keeps_past = edits.len() > 1;
    let preview = preview_of(reads, setting, asker, keeps_past, |draft| {
        for (index, edit) in edits.iter().enumerate() {
            permit::permit_edit(&draft.store, asker.caller, asker.sight, edit)
                .and_then(|()| draft.edit(edit).map(drop))
                .map_err(|error| error.failed_operation(index))?;
        }
        Ok(())
    })?;
    Ok(Reply::Preview(preview))
}

/// How edits that `make` makes would change views. Versions hold the way back with `keeps_past`.
pub(super) fn preview_of(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    asker: Asker<'_>,
    keeps_past: bool,
    make: impl FnOnce(&mut Draft<'_, '_>) -> Result<()>,
) -> Result<Preview> {
    let mut draft = Draft::new(reads, setting, asker)?;
    draft.purpose = Purpose::Show;
    draft.keeps_past = keeps_past;
    make(&mut draft)?;
    let mut written: Vec<Written> = Vec::new();
    for address in distinct(draft.changed().cloned().collect()) {
        written.push(Written::of(reads, &draft.store, address)?);
    }
    let mut look = Look {
        before: reads,
        after: &draft.store,
        sight: asker.sight,
        written: &written,
        preview: Preview::default(),
        room: Room {
            looked_at: limits::PREVIEW_BYTES,
            names: limits::PREVIEW_NAME_BYTES,
            values: limits::ANSWER_BYTES,
        },
    };
    for Written { address, .. } in &written {
        // A context below another written one is met on the way down from there.
        let chain = chain_of(reads, asker.sight, address)?.unwrap_or_default();
        let mut above = chain.iter().filter(|record| record.address != *address);
        if !above.any(|record| look.written(record).is_some()) {
            look.at_and_below(address)?;
        }
    }
    let mut preview = look.preview;
    sort_by(&mut preview.affected, |a, b| a.address.cmp(&b.address));
    preview.overridden_by = distinct(preview.overridden_by);
    Ok(preview)
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

/// A context that the edits change.
struct Written {
    address: Address,
    /// The paths at which its layer changes; none for a context that comes or goes.
    paths: Vec<Pointer>,
    /// The context after the edits, if it changes.
    after: Option<Rc<Record>>,
}

impl Written {
    fn of(before: &dyn Reads, after: &dyn Reads, address: Address) -> Result<Written> {
        let record = |reads: &dyn Reads| -> Result<_> {
            Ok(reads.record(&address)?.filter(|record| record.is_live()))
        };
        let (Some(old), Some(new)) = (record(before)?, record(after)?) else {
            return Ok(Written { address, paths: Vec::new(), after: None });
        };
        let paths = changed_paths(&old.layer, &new.layer)?;
        // What cannot be told is not looked for.
        let names = paths.iter().map(|path| LINE + path.as_str().len());
        let mut room = limits::PREVIEW_NAME_BYTES;
        take(&mut room, names.sum(), limits::PREVIEW_NAME_BYTES)?;
        Ok(Written { address, paths, after: Some(new) })
    }
}

/// The bytes that a preview may still take.
struct Room {
    /// Of views.
    looked_at: usize,
    /// Of its answer: ids, pointers, and what is around them.
    names: usize,
    /// Of its answer: values before and after.
    values: usize,
}

impl Room {
    fn look_at(&mut self, layer: &Layer) -> Result<()> {
        take(&mut self.looked_at, layer.text().len(), limits::PREVIEW_BYTES)
    }

    /// Takes room for a line of the answer.
    fn name(&mut self, names: &[&str]) -> Result<()> {
        let bytes: usize = names.iter().map(|name| name.len()).sum();
        take(&mut self.names, LINE + bytes, limits::PREVIEW_NAME_BYTES)
    }

    /// The value of a text, if there is room for it.
    fn read(&mut self, text: Option<&[u8]>) -> Result<Option<Value>> {
        let Some(text) = text else { return Ok(None) };
        take(&mut self.values, text.len(), limits::ANSWER_BYTES)?;
        json::read(text, limits::DEPTH).map(Some)
    }
}

/// What a line of the answer takes beside its names and values, in bytes.
const LINE: usize = 40;

fn take(left: &mut usize, bytes: usize, limit: usize) -> Result<()> {
    *left = left.checked_sub(bytes).ok_or_else(|| {
        let detail = "the preview would be too large; preview fewer or smaller changes";
        Error::new(Code::TooLarge, detail).limit(limit as u64)
    })?;
    Ok(())
}

/// A look at all views that the edits may change, each at one time.
struct Look<'p> {
    before: &'p dyn Reads,
    after: &'p dyn Reads,
    sight: &'p dyn Sight,
    written: &'p [Written],
    preview: Preview,
    room: Room,
}

impl<'p> Look<'p> {
    fn written(&self, record: &Record) -> Option<&'p Written> {
        let at = self.written.binary_search_by(|of| of.address.cmp(&record.address)).ok()?;
        self.written.get(at)
    }

    /// Looks at a context, then at the contexts below it. So the chain of each one was just read.
    ///
    /// A context that comes to its place by the edits is written itself. So the tree before the
    /// edits holds all others.
    fn at_and_below(&mut self, address: &Address) -> Result<()> {
        self.at(address)?;
        let Some(level) = address.level.below() else { return Ok(()) };
        let parent = Some(address.id.clone());
        let filter = Filter { level: Some(level), parent, ..Filter::default() };
        let mut after = None;
        loop {
            let found = self.before.list(&filter, after.as_ref(), limits::PAGE)?;
            let is_last = found.len() < limits::PAGE;
            after = found.last().map(|record| record.address.clone());
            for record in found {
                self.at_and_below(&record.address)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn at(&mut self, address: &Address) -> Result<()> {
        let before = chain_of(self.before, self.sight, address)?;
        let after = chain_of(self.after, self.sight, address)?;
        // Views that do not change take time too: the layers above are at hand, this one is read.
        let own = [&before, &after].map(|chain| chain.as_ref()?.last());
        for record in own.into_iter().flatten() {
            self.room.look_at(&record.layer)?;
        }
        let hash = |chain: &[Rc<Record>]| resolve::view_hash(&links(chain));
        if before.as_deref().map(hash) == after.as_deref().map(hash) {
            self.preview.unchanged += 1;
        } else {
            self.room.name(&[address.id.as_str()])?;
            let changes = changes(before.as_deref(), after.as_deref(), &mut self.room)?;
            self.preview.affected.push(Affected { address: address.clone(), changes });
        }
        match (before, after.as_deref().and_then(|chain| chain.split_last())) {
            (Some(before), Some((own, above))) => self.overrides(&before, above, own),
            _ => Ok(()),
        }
    }

    /// Notes where a layer has a value at a changed path of a layer above.
    fn overrides(
        &mut self,
        before: &[Rc<Record>],
        above: &[Rc<Record>],
        own: &Record,
    ) -> Result<()> {
        for record in above {
            let Some(written) = self.written(record) else { continue };
            if !before.iter().any(|old| old.address == record.address) {
                continue;
            }
            let Some(after) = &written.after else { continue };
            for path in &written.paths {
                hiding(&own.layer, &after.layer, path, &mut |pointer| {
                    self.room.name(&[own.address.id.as_str(), pointer.as_str()])?;
                    let pointer = pointer.as_str().into();
                    self.preview.overridden_by.push((own.address.clone(), pointer));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

type Change = (String, Option<Value>, Option<Value>);

/// Every path at which two views differ, with both values.
fn changes(
    before: Option<&[Rc<Record>]>,
    after: Option<&[Rc<Record>]>,
    room: &mut Room,
) -> Result<Vec<Change>> {
    let view = |chain: Option<&[Rc<Record>]>| match chain {
        Some(chain) => Layer::from_canonical(resolve::resolve(&links(chain))),
        None => Ok(Layer::empty()),
    };
    let (before, after) = (view(before)?, view(after)?);
    room.look_at(&before)?;
    room.look_at(&after)?;
    let mut changes: Vec<Change> = Vec::new();
    for pointer in changed_paths(&before, &after)? {
        room.name(&[pointer.as_str()])?;
        let (old, new) = (room.read(before.get(&pointer))?, room.read(after.get(&pointer))?);
        changes.push((pointer.as_str().into(), old, new));
    }
    Ok(changes)
}

/// The paths at which two layers differ. The values of the difference are let go first: read again, a
/// full layer would be in memory twice.
fn changed_paths(from: &Layer, to: &Layer) -> Result<Vec<Pointer>> {
    let operations = diff(from, to)?.operations;
    Ok(operations.into_iter().map(|operation| operation.path().clone()).collect())
}

/// The places at which a layer hides what a layer above has at `pointer`, be it a value or none: each is
/// told. No values are built, for of a full layer there are as many as places.
fn hiding(
    own: &Layer,
    above: &Layer,
    pointer: &Pointer,
    tell: &mut dyn FnMut(&Pointer) -> Result<()>,
) -> Result<()> {
    let mut at = Pointer::root();
    for token in pointer.tokens() {
        at.push(&token);
        if own.get(&at).is_none() {
            return Ok(());
        }
        if own.names_at(&at).is_none() {
            return tell(pointer);
        }
    }
    members(own, above, &mut at, tell)
}

/// The leaves of an own object that stand over a value above. Two objects merge, so only members
/// that both have count; another value is hidden by every leaf.
fn members(
    own: &Layer,
    above: &Layer,
    at: &mut Pointer,
    tell: &mut dyn FnMut(&Pointer) -> Result<()>,
) -> Result<()> {
    let Some(names) = own.names_at(at) else { return tell(at) };
    let merges = above.names_at(at).is_some();
    for name in names {
        at.push(&name);
        let told = match merges && above.get(at).is_none() {
            true => Ok(()),
            false => members(own, above, at, tell),
        };
        at.pop();
        told?;
    }
    Ok(())
}
