//! A draft of a commit: rows, events and actions, over the current store.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use super::{Asker, Setting};
use crate::{
    history::{self, WHOLE_EVERY},
    limits,
    memory::MemoryStore,
    plan::{Changed, Event, Plan, Remember, Reply, Warning},
    record::{Audit, Change, Deed, Heading, Record, State, Undo, Version},
    seal::{Held, Purpose, Sealed, Target},
    store::{Reads, Write},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    layer::Layer,
    locks::{Breach, breaches},
    patch::JsonPatch,
    pointer::Pointer,
    rules::{Rules, Scope},
    value::{Value, check_depth, check_limits},
};

pub(super) struct Draft<'d, 's> {
    pub(super) store: MemoryStore<'d>,
    pub(super) setting: &'d mut Setting<'s>,
    pub(super) asker: Asker<'d>,
    /// The `seq` of this commit.
    pub(super) seq: u64,
    /// The number of entries that this commit has added.
    pub(super) entries: u64,
    /// The results of a batch that have their own idempotency keys.
    pub(super) remember: Vec<Remember>,
    /// What conflicts may still take in the answer, in bytes of JSON.
    pub(super) conflict_bytes: usize,
    /// What may surprise about the operation that is being decided.
    pub(super) warnings: Vec<Warning>,
    /// Whether an import is decided: locks ignore values instead of refusing them.
    pub(super) imports: bool,
    /// Whether versions hold the way back. A preview of one edit needs none.
    pub(super) keeps_past: bool,
    /// What this commit may still hold, in bytes of memory.
    room: usize,
    /// What this commit may still make, in bytes of data.
    work: usize,
    /// The new secrets of the next change, in bytes.
    secrets: usize,
    /// What is done with the sealed data.
    pub(super) purpose: Purpose,
    writes: Vec<Write>,
    events: Vec<Event>,
    deeds: Vec<Deed>,
}

/// A change of one context, before it is written.
pub(super) struct Made<'m> {
    pub(super) address: &'m Address,
    /// The chain above; `None` if the context goes.
    pub(super) above: Option<&'m [Rc<Record>]>,
    /// The row that it replaces.
    pub(super) existing: Option<&'m Rc<Record>>,
    pub(super) before: Option<&'m State>,
    pub(super) state: &'m State,
    /// From the state before.
    pub(super) patch: &'m JsonPatch,
    pub(super) undo: Option<&'m Undo>,
    /// Whether the version holds the whole state too.
    pub(super) is_full: bool,
    /// Whether locks do not refuse this kind of change, so that they may ignore a part of it.
    pub(super) may_break_locks: bool,
}

/// What the rows and the event of one change take beside data and patches, in bytes of memory.
const ROWS_BYTES: usize = 1024;

/// What looking a marker up takes, as bytes of data gone through: its secret is read and opened.
const MARKER_WORK: usize = 2048;

/// The results of a finished part of a draft.
pub(super) struct Part {
    writes: Vec<Write>,
    events: Vec<Event>,
    deeds: Vec<Deed>,
    entries: u64,
}

impl<'d, 's> Draft<'d, 's> {
    pub(super) fn new(
        reads: &'d dyn Reads,
        setting: &'d mut Setting<'s>,
        asker: Asker<'d>,
    ) -> Result<Draft<'d, 's>> {
        let seq = reads.seq()? + 1;
        if seq > limits::EXACT_INTEGER {
            return Err(Error::bug("the store has reached its last `seq`"));
        }
        Ok(Draft {
            store: MemoryStore::over(reads),
            setting,
            asker,
            seq,
            entries: 0,
            conflict_bytes: limits::CONFLICT_BYTES,
            warnings: Vec::new(),
            imports: false,
            keeps_past: true,
            room: limits::COMMIT_BYTES,
            work: limits::COMMIT_WORK_BYTES,
            secrets: 0,
            purpose: Purpose::Store,
            writes: Vec::new(),
            events: Vec::new(),
            deeds: Vec::new(),
            remember: Vec::new(),
        })
    }

    /// Runs `decide` on a draft over this one, and keeps its results only if it succeeds.
    pub(super) fn attempt<T>(
        &mut self,
        decide: impl FnOnce(&mut Draft<'_, 's>) -> Result<T>,
    ) -> Result<T> {
        let mut inner = Draft {
            store: MemoryStore::over(&self.store),
            setting: &mut *self.setting,
            asker: self.asker,
            seq: self.seq,
            entries: self.entries,
            conflict_bytes: self.conflict_bytes,
            warnings: Vec::new(),
            imports: self.imports,
            keeps_past: self.keeps_past,
            room: self.room,
            work: self.work,
            secrets: 0,
            purpose: self.purpose,
            writes: Vec::new(),
            events: Vec::new(),
            deeds: Vec::new(),
            remember: Vec::new(),
        };
        let outcome = decide(&mut inner);
        let Draft { writes, events, deeds, entries, room, work, .. } = inner;
        if outcome.is_err() {
            // Nothing of it is held, but it took its time.
            self.work = work.saturating_sub(self.room.saturating_sub(room));
            return outcome;
        }
        (self.room, self.work) = (room, work);
        self.absorb(Part { writes, events, deeds, entries });
        outcome
    }

    fn absorb(&mut self, part: Part) {
        self.entries = part.entries;
        self.events.extend(part.events);
        part.deeds.into_iter().for_each(|deed| self.deed(deed));
        part.writes.into_iter().for_each(|write| self.write(write));
    }

    pub(super) fn write(&mut self, write: Write) {
        if let Write::Record(record) = &write
            && let Some(old) = self.store.write_over(record)
        {
            // Many changes of one context hold only its last layer.
            self.writes
                .retain(|write| !matches!(write, Write::Record(own) if Rc::ptr_eq(own, &old)));
            self.room += old.layer.memory();
        }
        self.store.write(write.clone());
        self.writes.push(write);
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn deed(&mut self, deed: Deed) {
        // Reads from here on show this commit.
        self.store.set_seq(self.seq);
        self.deeds.push(deed);
    }

    /// The contexts that this draft has changed, in order, with repetitions.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Address> {
        self.events.iter().filter_map(|event| match event {
            Event::Change(changed) => Some(&changed.context.address),
            Event::Entry(_) => None,
        })
    }

    /// Closes the commit: one row per context, however often it changed, and one line in the audit
    /// trail. A commit without actions does not change the `seq`.
    pub(super) fn commit(self, reply: Reply, request: Option<String>) -> Result<Plan> {
        let Draft { mut writes, events, deeds, remember, seq, setting, asker, .. } = self;
        if deeds.is_empty() {
            return Ok(Plan { writes, events, remember, reply, seq: seq - 1 });
        }
        writes.push(Write::Audit(Audit {
            seq,
            at: setting.at,
            by: asker.caller.user.clone(),
            request,
            deeds,
        }));
        Ok(Plan { writes, events, remember, reply, seq })
    }

    /// A live context.
    pub(super) fn live(&self, address: &Address) -> Result<Rc<Record>> {
        self.store.record(address)?.filter(|record| record.is_live()).ok_or_else(Error::not_found)
    }

    /// Prepares a whole document for storing in a context: limits, sealed fields, canonical form.
    /// `held` is the stored layer that it comes from.
    pub(super) fn take_in(
        &mut self,
        mut data: Value,
        address: &Address,
        parent: Option<&ContextId>,
        held: Option<&Layer>,
    ) -> Result<Rc<Layer>> {
        check_depth(data.depth())?;
        self.seal(&mut data, address, parent, held)?;
        // The stored size counts: many short secrets are longer as markers.
        check_limits(&data)?;
        Ok(Rc::new(Layer::from_value(&data)?))
    }

    /// Replaces the sensitive values in the data of a context by markers.
    fn seal(
        &mut self,
        data: &mut Value,
        address: &Address,
        parent: Option<&ContextId>,
        held: Option<&Layer>,
    ) -> Result<()> {
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let (reads, caller, purpose) = (&self.store, Some(self.asker.caller), self.purpose);
        let held = &Held::of(held);
        let target = Target { reads, caller, address, parent, held, purpose };
        let rules = self.setting.rules();
        let sealed = keys.seal_fields(data, rules, &target, self.setting.entropy)?;
        let work = MARKER_WORK * sealed.looked_up;
        self.keep(sealed);
        self.work(work)
    }

    /// A note as it is stored with a context.
    pub(super) fn seal_note(&mut self, text: &str, context: &Record) -> Result<String> {
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let rules = self.setting.rules();
        let target = Target {
            reads: &self.store,
            caller: Some(self.asker.caller),
            address: &context.address,
            parent: context.parent.as_ref(),
            held: &Held::default(),
            purpose: self.purpose,
        };
        let (text, sealed) = keys.seal_note(text, rules, &target, self.setting.entropy)?;
        self.keep(sealed);
        Ok(text)
    }

    /// Opens a sealed list of a context, to append to it.
    pub(super) fn open_list(
        &self,
        data: &mut Value,
        list: &Pointer,
        context: &Record,
    ) -> Result<()> {
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let target = Target {
            reads: &self.store,
            caller: Some(self.asker.caller),
            address: &context.address,
            parent: context.parent.as_ref(),
            held: &Held::of(Some(&context.layer)),
            purpose: self.purpose,
        };
        keys.open_list(data, list, self.setting.rules(), &target)
    }

    fn keep(&mut self, sealed: Sealed) {
        for secret in sealed.new {
            self.secrets += secret.sealed.len();
            self.write(Write::Secret(secret));
        }
        self.warnings.extend(sealed.warnings);
    }

    /// Gives a context a new state: a new version, unless an update changes nothing.
    pub(super) fn advance(
        &mut self,
        address: &Address,
        existing: Option<&Rc<Record>>,
        state: State,
        change: Change,
        summary: Option<&str>,
    ) -> Result<Rc<Record>> {
        if summary.is_some_and(|summary| summary.len() > limits::SUMMARY_BYTES) {
            return Err(Error::new(Code::TooLarge, "`summary` must be at most 1024 bytes")
                .at("/summary")
                .limit(limits::SUMMARY_BYTES as u64));
        }
        let before = existing.map(|record| State::of(record));
        if let (Some(existing), Change::Update) = (existing, change)
            && before.as_ref() == Some(&state)
        {
            return Ok(existing.clone());
        }
        let above = match change {
            Change::Delete => None,
            _ => Some(self.above(address, &state)?),
        };
        let may_break_locks = self.imports || matches!(change, Change::Move | Change::Restore);
        if let Some(above) = above.as_ref().filter(|_| !may_break_locks) {
            respect_locks(above, existing, &state)?;
        }
        let version = existing.map_or(1, |record| record.version + 1);
        let patch = match self.purpose {
            Purpose::Store => state.patch_from(before.as_ref())?,
            // Nobody is told of what is only shown.
            Purpose::Show => JsonPatch { operations: Vec::new() },
        };
        let past = before.as_ref().filter(|_| self.keeps_past);
        let undo = past.map(|before| state.undo_to(before)).transpose()?;
        let full = version.is_multiple_of(WHOLE_EVERY).then(|| Box::new(state.clone()));
        self.check(&Made {
            address,
            above: above.as_deref(),
            existing,
            before: before.as_ref(),
            state: &state,
            patch: &patch,
            undo: undo.as_ref(),
            is_full: full.is_some(),
            may_break_locks,
        })?;
        let at = self.setting.at;
        let by = self.asker.caller.user.clone();
        self.write(Write::Version(Version {
            address: address.clone(),
            version,
            seq: self.seq,
            at,
            by: by.clone(),
            summary: summary.map(Into::into),
            change,
            undo,
            full,
        }));
        let record = Rc::new(Record {
            heading: Rc::new(Heading {
                address: address.clone(),
                parent: state.parent,
                version,
                seq: self.seq,
                rules: state.rules,
                created_at: existing
                    .filter(|_| change != Change::Create)
                    .map_or(at, |record| record.created_at),
                updated_at: at,
                updated_by: by.clone(),
                deleted: (change == Change::Delete).then_some(self.seq),
            }),
            layer: state.layer,
        });
        self.write(Write::Record(record.clone()));
        self.deed(Deed {
            action: change.as_str(),
            address: Some(address.clone()),
            version: Some(version),
            member: None,
            pointers: Vec::new(),
        });
        // Followers need no data, and many changes of one context must not hold all its layers.
        let nothing = Rc::new(Layer::empty());
        let before = before.map(|state| State { layer: nothing, ..state });
        let changed = Changed { context: record.heading.clone(), before, change, patch };
        self.event(Event::Change(Rc::new(changed)));
        Ok(record)
    }

    /// Checks a change as this host does.
    pub(super) fn check(&mut self, made: &Made<'_>) -> Result<()> {
        (self.asker.host.check)(self, made)
    }

    /// Counts what the commit holds and has made by a change.
    ///
    /// # Errors
    /// `too-large` past [`limits::COMMIT_BYTES`] or [`limits::COMMIT_WORK_BYTES`].
    pub(super) fn hold_change(&mut self, made: &Made<'_>) -> Result<()> {
        let Made { existing, state, patch, undo, is_full, .. } = made;
        // An old layer of this commit has been counted as a new one.
        let is_new =
            |old: &&Rc<Record>| old.seq < self.seq && !Rc::ptr_eq(&old.layer, &state.layer);
        let old = existing.filter(is_new).map_or(0, |old| old.layer.memory());
        let new = state.layer.memory() * if *is_full { 2 } else { 1 };
        let patches = patch.memory() + undo.map_or(0, |undo| undo.data.memory());
        let secrets = core::mem::take(&mut self.secrets);
        let held = ROWS_BYTES + old + new + patches + secrets;
        self.hold(held, state.layer.text().len() + secrets)
    }

    /// Counts what the commit holds from now on, and what it has made, in bytes.
    pub(super) fn hold(&mut self, held: usize, made: usize) -> Result<()> {
        let (room, work) = (self.room.checked_sub(held), self.work.checked_sub(made));
        self.room = room.ok_or_else(|| too_much(limits::COMMIT_BYTES))?;
        self.work = work.ok_or_else(|| too_much(limits::COMMIT_WORK_BYTES))?;
        Ok(())
    }

    /// Notes work that leaves nothing behind, in bytes gone through, as this host does.
    pub(super) fn work(&mut self, bytes: usize) -> Result<()> {
        (self.asker.host.work)(self, bytes)
    }

    /// Counts work that leaves nothing behind, in bytes gone through.
    ///
    /// # Errors
    /// `too-large` past [`limits::COMMIT_WORK_BYTES`].
    pub(super) fn hold_work(&mut self, bytes: usize) -> Result<()> {
        let left = self.work.checked_sub(bytes);
        self.work = left.unwrap_or(0);
        left.map(drop).ok_or_else(|| too_much(limits::COMMIT_WORK_BYTES))
    }

    /// The chain above a state of a context.
    pub(super) fn above(&self, address: &Address, state: &State) -> Result<Vec<Rc<Record>>> {
        let parent = state.parent.as_ref().and_then(|id| Address::above(address.level, id));
        match parent {
            // The global layer may be missing, or deleted.
            Some(parent) if self.store.record(&parent)?.is_some_and(|up| up.is_live()) => {
                history::chain(&self.store, &parent)
            }
            _ => Ok(Vec::new()),
        }
    }
}

fn too_much(limit: usize) -> Error {
    let detail = "the commit would change too much at once; split the request";
    Error::new(Code::TooLarge, detail).limit(limit as u64)
}

/// Refuses a state that sets or removes a value that a layer above locks. A value from before the
/// lock may stay or be removed.
fn respect_locks(above: &[Rc<Record>], existing: Option<&Rc<Record>>, state: &State) -> Result<()> {
    let old = match existing.filter(|record| record.is_live()) {
        Some(existing) => in_breach(above, &existing.rules, &existing.layer),
        None => Vec::new(),
    };
    let is_new = |breach: &Breach<'_>| !old.contains(breach);
    match in_breach(above, &state.rules, &state.layer).into_iter().find(is_new) {
        Some(breach) => Err(Error::new(
            Code::Locked,
            "a layer above locks this path; change the value in that layer",
        )
        .at(breach.pointer)),
        None => Ok(()),
    }
}

/// Where a layer below `above` breaks a lock. Its own rules count too: a layer that replaces what is
/// locked would count for nothing.
fn in_breach<'l>(above: &[Rc<Record>], own: &Rules, layer: &'l Layer) -> Vec<Breach<'l>> {
    let tables = above.iter().map(|record| &*record.rules).chain([own]);
    Scope::of_chain(tables).map_or_else(Vec::new, |scope| breaches(&scope, above.len(), layer))
}
