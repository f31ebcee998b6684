//! Rebases queued writes onto the changes of others.
//!
//! Three documents decide about a write of data: the one it was based on (the *ancestor*, with the
//! writes queued before it), the one it made, and the current one of the server. If both sides
//! changed a path differently, that is a conflict; everything else continues. Arrays are compared
//! as wholes, because an index changes its meaning after an insertion by others.
//!
//! ```text
//! ancestor ──▶ mine:    /a 1→2, /b 1→2
//!          └─▶ theirs:  /b 1→3           ⇒  goes on: /a 1→2;  conflict: /b (1, theirs 3, mine 2)
//! ```
//! **Nothing is dropped silently**: every path of a write continues, is already there, or is in a
//! conflict.

use alloc::{rc::Rc, string::ToString, vec::Vec};

use super::{
    Place,
    conflict::{Aspect, Conflict},
    pending::{Own, Pending},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    json,
    layer::Layer,
    patch::{JsonPatch, Operation},
    pointer::Pointer,
    sort::distinct,
    value::{Object, Value},
};
use nacre_store::{
    decide::contexts::edited,
    history::state_at,
    limits,
    memory::MemoryStore,
    moment::Moment,
    op::{Edit, Expect, Op, Put},
    record::{Record, State},
    store::{Reads, Write},
};

/// The result of rebasing a queue.
#[derive(Default)]
pub(super) struct Rebased {
    /// The writes that continue, in order.
    pub(super) queue: Vec<Pending>,
    /// The new conflicts.
    pub(super) conflicts: Vec<Conflict>,
    /// The rows that they write over the base.
    pub(super) writes: Vec<Write>,
}

/// Rebases a queue onto `base`. A write whose context nobody else has changed stays as it is, as
/// long as it is still possible.
pub(super) fn rebase(
    place: &Place,
    base: &dyn Reads,
    own: &Own,
    queue: &[Pending],
) -> Result<Rebased> {
    let mut rebase = Rebase {
        place,
        base,
        own,
        commits: None,
        now: MemoryStore::over(base),
        seen: Vec::new(),
        rebased: Rebased::default(),
    };
    for pending in queue {
        rebase.take(pending)?;
    }
    Ok(rebase.rebased)
}

struct Rebase<'r> {
    place: &'r Place,
    base: &'r dyn Reads,
    own: &'r Own,
    /// The own commits in the base, computed on first use.
    commits: Option<Vec<u64>>,
    /// The base with the writes that continue.
    now: MemoryStore<'r>,
    /// For contexts that others have changed: the version that the writer knew, and its data with
    /// their own writes, sorted by address.
    seen: Vec<(Address, u64, Option<Value>)>,
    rebased: Rebased,
}

/// Rebases one write: its new form, or `None` if there is nothing left to do.
type Outcome = Option<Pending>;

impl Rebase<'_> {
    fn take(&mut self, pending: &Pending) -> Result<()> {
        let address = &pending.address;
        let record = self.base.record(address)?;
        let version = record.as_ref().map_or(0, |record| record.version);
        // A known context that is missing was in another store; see `open`.
        let mut is_moved = pending.kept.known > version;
        for version in pending.kept.known + 1..=version {
            is_moved = is_moved || !self.is_own(address, version)?;
        }
        let (before, after) = match &record {
            Some(record) if is_moved || self.place_of(address).is_ok() => {
                self.line(pending, record)?
            }
            _ => (None, None),
        };
        if pending.kept.landed.is_some() {
            if !pending.shows_in(self.base)
                && let Ok(plan) = pending.perform(self.place, &mut self.now)
            {
                self.rebased.writes.extend(plan.writes);
            }
            self.rebased.queue.push(pending.clone());
            return Ok(());
        }
        let outcome = match record {
            Some(record) if is_moved => self.meet(pending, &record, before, after),
            _ => Ok(Some(pending.clone())),
        };
        match outcome {
            Ok(None) => Ok(()),
            Ok(Some(mut goes)) => {
                goes.kept.known = version;
                match goes.perform(self.place, &mut self.now) {
                    Ok(plan) => {
                        self.rebased.writes.extend(plan.writes);
                        self.rebased.queue.push(goes);
                    }
                    Err(error) => self.refuse(pending, &error),
                }
                Ok(())
            }
            Err(error) => {
                self.refuse(pending, &error);
                Ok(())
            }
        }
    }

    /// Whether a version was made by a write queued here, including parents that it created, and
    /// contexts that it deleted or restored.
    fn is_own(&mut self, address: &Address, version: u64) -> Result<bool> {
        if self.own.contains(address, version) {
            return Ok(true);
        }
        let commit = |address: &Address, version| -> Result<Option<u64>> {
            let found = self.base.versions_from(address, version, 1)?;
            Ok(found.first().filter(|found| found.version == version).map(|found| found.seq))
        };
        let Some(of) = commit(address, version)? else { return Ok(false) };
        if self.commits.is_none() {
            let mut commits = Vec::new();
            for (address, version) in self.own.iter() {
                commits.extend(commit(address, *version)?);
            }
            self.commits = Some(commits);
        }
        Ok(self.commits.as_ref().is_some_and(|commits| commits.contains(&of)))
    }

    /// The data that the writer saw before and after this write; `None` if the context did not
    /// exist.
    fn line(
        &mut self,
        pending: &Pending,
        record: &Rc<Record>,
    ) -> Result<(Option<Value>, Option<Value>)> {
        let known = pending.kept.known;
        let state = |version: u64| match state_at(self.base, record, version) {
            Ok((_, state)) if version > 0 => Some(state),
            _ => None,
        };
        let place = self.place_of(&pending.address);
        let held = place.ok().and_then(|place| self.seen.get_mut(place));
        let before = match held {
            Some((_, version, data)) if *version >= known => data.take(), // and replaced below
            // Another tab knew less than this one; the writes between are its own too.
            _ => state(known).map(|state| state.layer.to_value()).transpose()?,
        };
        let after = match &pending.op {
            Op::Put(put) => Some(Value::Object(put.data.clone())),
            Op::Update { patch, .. } => match &before {
                Some(before) => edited(&Layer::from_value(before)?, patch).ok(),
                None => None,
            },
            Op::Rollback { version, .. } => {
                state(*version).map(|state| state.layer.to_value()).transpose()?
            }
            Op::Delete { .. } => None,
            _ => before.clone(),
        };
        let seen = match &pending.op {
            // It can no longer be done, so later writes continue from the state before it.
            Op::Update { .. } if after.is_none() => before.clone(),
            _ => after.clone(),
        };
        if let Some(held) = place.ok().and_then(|place| self.seen.get_mut(place)) {
            (held.1, held.2) = (known, seen);
        } else if let Err(place) = place {
            self.seen.insert(place, (pending.address.clone(), known, seen));
        }
        Ok((before, after))
    }

    fn place_of(&self, address: &Address) -> Result<usize, usize> {
        self.seen.binary_search_by(|(of, ..)| of.cmp(address))
    }

    /// Rebases a write whose context others have changed.
    fn meet(
        &mut self,
        pending: &Pending,
        record: &Record,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<Outcome> {
        let now = self.now.record(&pending.address)?;
        let live = now.filter(|now| now.is_live());
        match (&pending.op, live) {
            (Op::Restore { .. }, Some(_)) | (Op::Delete { .. }, None) => Ok(None),
            // Appends never conflict; a move needs its context.
            (Op::AddEntry(_) | Op::Restore { .. }, _)
            | (Op::Move { .. }, None)
            | (Op::Update { patch: Edit::Append { .. }, .. }, Some(_)) => Ok(Some(pending.clone())),
            (Op::Move { parent, .. }, Some(live)) => {
                let known =
                    state_at(self.base, record, pending.kept.known).map(|(_, state)| state.parent);
                let known = known.unwrap_or_default();
                if live.parent == known || live.parent.as_ref() == Some(parent) {
                    return Ok(Some(pending.clone()));
                }
                let id = |id: &nacre_layers::id::ContextId| Value::from(id.as_str());
                self.conflict(pending, Aspect::Parent, &Pointer::root(), |conflict| {
                    conflict.ancestor = known.as_ref().map(id);
                    conflict.theirs = live.parent.as_ref().map(id);
                    conflict.mine = Some(id(parent));
                });
                Ok(None)
            }
            (Op::Put(_) | Op::Update { .. } | Op::Rollback { .. }, Some(live))
                if pending.kept.known > 0 && before.is_some() =>
            {
                let (Some(before), Some(after)) = (before, after) else {
                    return Ok(Some(pending.clone()));
                };
                self.merge(pending, record, &live, &before, &after)
            }
            // The version that it is based on is no longer known, so it is shown as it is.
            (op, _) if after.is_none() && !matches!(op, Op::Delete { .. }) => Err(Error::new(
                Code::VersionConflict,
                "the context was replaced after this edit was made",
            )),
            // One side deleted what the other changed, or both made it.
            (_, live) => {
                let theirs = live.map(|live| live.layer.to_value()).transpose()?;
                if theirs.is_some() && theirs == after {
                    return Ok(None);
                }
                self.conflict(pending, Aspect::Context, &Pointer::root(), |conflict| {
                    conflict.ancestor = before;
                    conflict.theirs = theirs;
                    conflict.mine = after;
                });
                Ok(None)
            }
        }
    }

    /// Merges both sides' edits of one document.
    fn merge(
        &mut self,
        pending: &Pending,
        record: &Record,
        live: &Rc<Record>,
        before: &Value,
        after: &Value,
    ) -> Result<Outcome> {
        let layers = (Layer::from_value(before)?, Layer::from_value(after)?);
        let meeting = Meeting::of(before, &layers.0, &live.layer, &layers.1)?;
        for pointer in &meeting.conflicts {
            let read = |layer: &Layer| read(layer, pointer);
            let (ancestor, theirs) = (read(&layers.0)?, read(&live.layer)?);
            let mine = read(&layers.1)?;
            self.conflict(pending, Aspect::Data, pointer, |conflict| {
                conflict.ancestor = ancestor;
                conflict.theirs = theirs;
                conflict.mine = mine;
            });
        }
        if let Op::Put(put) = &pending.op {
            if let Some(whole) = self.merge_frame(pending, put, record, live)? {
                let mut data = live.layer.to_value()?;
                JsonPatch { operations: meeting.rest }.apply(&mut data)?;
                return pending.with(whole_op(pending, data, &whole)).map(Some);
            }
        } else if !meeting.met && !matches!(pending.op, Op::Rollback { .. }) {
            return Ok(Some(pending.clone()));
        }
        if meeting.rest.is_empty() {
            return Ok(None);
        }
        let patch = JsonPatch { operations: meeting.rest }.to_value();
        let mut op = frame(pending, "update");
        op.insert("patch", patch);
        pending.with(Value::Object(op)).map(Some)
    }

    /// The rules and the parent that a put sets, if they differ from the current ones.
    fn merge_frame(
        &mut self,
        pending: &Pending,
        put: &Put,
        record: &Record,
        live: &Record,
    ) -> Result<Option<Frame>> {
        let known = state_at(self.base, record, pending.kept.known).map(|(_, state)| state);
        let known = known.unwrap_or_else(|_| State::of(record));
        let mut frame = Frame { rules: None, parent: None };
        if let Some(rules) = put.rules.as_ref().filter(|rules| **rules != *live.rules) {
            if known.rules == live.rules || *known.rules == *rules {
                frame.rules = (*known.rules != *rules).then(|| Value::Object(rules.to_object()));
            } else {
                let table =
                    |rules: &nacre_layers::rules::Rules| Some(Value::Object(rules.to_object()));
                self.conflict(pending, Aspect::Rules, &Pointer::root(), |conflict| {
                    conflict.ancestor = table(&known.rules);
                    conflict.theirs = table(&live.rules);
                    conflict.mine = table(rules);
                });
            }
        }
        if let Some(parent) =
            put.parent.as_ref().filter(|parent| live.parent.as_ref() != Some(parent))
        {
            let id = |id: &nacre_layers::id::ContextId| Value::from(id.as_str());
            if known.parent == live.parent {
                frame.parent = Some(id(parent));
            } else if known.parent.as_ref() != Some(parent) {
                self.conflict(pending, Aspect::Parent, &Pointer::root(), |conflict| {
                    conflict.ancestor = known.parent.as_ref().map(id);
                    conflict.theirs = live.parent.as_ref().map(id);
                    conflict.mine = Some(id(parent));
                });
            }
        }
        Ok((frame.rules.is_some() || frame.parent.is_some()).then_some(frame))
    }

    fn conflict(
        &mut self,
        pending: &Pending,
        aspect: Aspect,
        pointer: &Pointer,
        fill: impl FnOnce(&mut Conflict),
    ) {
        let mut conflict = Conflict::new(pending.key(), aspect, &pending.address, pointer);
        fill(&mut conflict);
        self.rebased.conflicts.push(dated(conflict, pending));
    }

    fn refuse(&mut self, pending: &Pending, error: &Error) {
        self.rebased.conflicts.push(refused(pending, error));
    }
}

/// Adds a conflict for a write that cannot be done.
pub(super) fn refused(pending: &Pending, error: &Error) -> Conflict {
    let operation = pending.kept.op.clone();
    dated(Conflict::refused(pending.key(), &pending.address, operation, error), pending)
}

pub(super) fn dated(mut conflict: Conflict, pending: &Pending) -> Conflict {
    let op = pending.kept.op.as_object();
    conflict.at = Moment(pending.kept.at).to_string();
    conflict.summary = op.and_then(|op| op.get("summary")?.as_str()).map(Into::into);
    conflict
}

/// The parts of a put other than the data.
struct Frame {
    rules: Option<Value>,
    parent: Option<Value>,
}

fn whole_op(pending: &Pending, data: Value, set: &Frame) -> Value {
    let mut op = frame(pending, "put");
    op.insert("data", data);
    set.rules.iter().for_each(|rules| drop(op.insert("rules", rules.clone())));
    set.parent.iter().for_each(|parent| drop(op.insert("parent", parent.clone())));
    Value::Object(op)
}

/// Makes an operation on the same context, with the same reason and key.
fn frame(pending: &Pending, action: &str) -> Object {
    let mut op = Object::new();
    op.insert("action", action.into());
    for name in ["level", "context_id", "idempotency_key", "summary"] {
        if let Some(value) = pending.kept.op.as_object().and_then(|old| old.get(name)) {
            op.insert(name, value.clone());
        }
    }
    op
}

/// The value of a layer at a pointer.
pub(super) fn read(layer: &Layer, pointer: &Pointer) -> Result<Option<Value>> {
    if pointer.is_root() {
        return layer.to_value().map(Some);
    }
    layer.get(pointer).map(|text| json::read(text, limits::DEPTH)).transpose()
}

/// Two edits of one document, path by path.
struct Meeting {
    /// Paths that both sides set differently; none is below another.
    conflicts: Vec<Pointer>,
    /// The edits that only mine makes.
    rest: Vec<Operation>,
    /// Whether both sides change some path, differently or equally.
    met: bool,
}

impl Meeting {
    fn of(document: &Value, before: &Layer, theirs: &Layer, mine: &Layer) -> Result<Meeting> {
        let my_edits = diff(before, mine)?.operations;
        let their_edits = diff(before, theirs)?;
        let taken: Vec<Pointer> =
            their_edits.operations.iter().map(|edit| whole(document, edit.path())).collect();
        let taken = distinct(taken);
        let (mut places, mut rest) = (Vec::new(), Vec::new());
        for edit in my_edits {
            let place = whole(document, edit.path());
            // The upper one of two overlapping paths.
            let above = taken.iter().find(|taken| place.starts_with(taken)).cloned();
            let below = || taken.iter().any(|taken| taken.starts_with(&place));
            match above.or_else(|| below().then(|| place.clone())) {
                Some(upper) => places.push(upper),
                None => rest.push(edit),
            }
        }
        let met = !places.is_empty();
        let mut conflicts: Vec<Pointer> = Vec::new();
        for place in distinct(places) {
            let is_below = conflicts.iter().any(|upper| place.starts_with(upper));
            if !is_below && theirs.get(&place) != mine.get(&place) {
                conflicts.push(place);
            }
        }
        Ok(Meeting { conflicts, rest, met })
    }
}

/// The place of an edit; for one inside an array, the place of the array.
fn whole(document: &Value, path: &Pointer) -> Pointer {
    let (mut place, mut here) = (Pointer::root(), Some(document));
    for token in path.tokens() {
        here = match here {
            Some(Value::Object(object)) => object.get(&token),
            Some(Value::Array(_)) => return place,
            _ => None,
        };
        place.push(&token);
    }
    place
}

/// Whether the server must check the version; not for writes that fit any version.
pub(super) fn expects(op: &Op) -> bool {
    match op {
        Op::Put(put) => put.expect != Expect::Absent,
        Op::Update { patch, .. } => !matches!(patch, Edit::Append { .. }),
        Op::Delete { .. } | Op::Rollback { .. } | Op::Move { .. } => true,
        _ => false,
    }
}
