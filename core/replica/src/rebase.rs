//! Rebases queued writes onto the changes of others.
//!
//! Three documents decide about a write of data: the one it was made upon (the *ancestor*, with the
//! writes queued before it), the one that it made, and the one that the server has now.
//! [`three_way`] merges them, here as in the server's answers: what both sides changed differently
//! is a conflict, everything else goes on.
//!
//! ```text
//! ancestor ──▶ mine:    /a 1→2, /b 1→2
//!          └─▶ theirs:  /b 1→3           ⇒  goes on: /a 1→2;  conflict: /b (1, theirs 3, mine 2)
//! ```
//! **Nothing is dropped silently**: every path of a write continues, is already there, or is in a
//! conflict.

use alloc::{rc::Rc, string::ToString, vec::Vec};

use super::{
    Holder,
    conflict::{Aspect, OpenConflict},
    pending::{Own, Pending},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    layer::Layer,
    patch::Operation,
    pointer::Pointer,
    rules::Rules,
    sort::distinct,
    three_way::{ThreeWay, three_way},
    value::{Object, Value},
};
use nacre_store::{
    decide::contexts::edited,
    history::{chain, state_at},
    memory::MemoryStore,
    moment::Moment,
    op::{Edit, Expect, Patch, Put},
    record::{Record, State},
    store::{Reads, Write},
};

/// The result of rebasing a queue.
#[derive(Default)]
pub(super) struct Rebased {
    /// The writes that continue, in order.
    pub(super) queue: Vec<Pending>,
    /// The new conflicts.
    pub(super) conflicts: Vec<OpenConflict>,
    /// The rows that they write over the base.
    pub(super) writes: Vec<Write>,
}

/// Rebases a queue onto `base`. A write whose context nobody else has changed stays as it is, as
/// long as it is still possible.
pub(super) fn rebase(
    holder: &Holder,
    base: &dyn Reads,
    own: &Own,
    queue: &[Pending],
) -> Result<Rebased> {
    let mut rebase = Rebase {
        holder,
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
    holder: &'r Holder,
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
        if pending.is_refused() {
            self.rebased.queue.push(pending.clone());
            return Ok(());
        }
        let address = pending.address();
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
        if let Some(landed) = &pending.kept.landed {
            // What the base includes is not decided again, also where it cannot be recognised.
            if landed.seq > self.base.seq()?
                && !pending.shows_in(self.base)
                && let Ok(plan) = pending.perform(self.holder, &mut self.now)
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
                match goes.perform(self.holder, &mut self.now) {
                    Ok(plan) => {
                        self.rebased.writes.extend(plan.writes);
                        self.rebased.queue.push(goes);
                        Ok(())
                    }
                    Err(error) => self.refuse(pending, &error),
                }
            }
            Err(error) => self.refuse(pending, &error),
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
        let place = self.place_of(pending.address());
        let held = place.ok().and_then(|place| self.seen.get_mut(place));
        let before = match held {
            Some((_, version, data)) if *version >= known => data.take(), // and replaced below
            // Another tab knew less than this one; the writes between are its own too.
            _ => state(known).map(|state| state.layer.to_value()).transpose()?,
        };
        let after = match &*pending.op {
            Edit::Put(put) => Some(Value::Object(put.data.clone())),
            Edit::Update { patch, .. } => match &before {
                Some(before) => edited(&Layer::from_value(before)?, patch).ok(),
                None => None,
            },
            Edit::Rollback { version, .. } => {
                state(*version).map(|state| state.layer.to_value()).transpose()?
            }
            Edit::Delete { .. } => None,
            _ => before.clone(),
        };
        let seen = match &*pending.op {
            // It can no longer be done, so later writes continue from the state before it.
            Edit::Update { .. } if after.is_none() => before.clone(),
            _ => after.clone(),
        };
        if let Some(held) = place.ok().and_then(|place| self.seen.get_mut(place)) {
            (held.1, held.2) = (known, seen);
        } else if let Err(place) = place {
            self.seen.insert(place, (pending.address().clone(), known, seen));
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
        let now = self.now.record(pending.address())?;
        let live = now.filter(|now| now.is_live());
        match (&*pending.op, live) {
            (Edit::Restore { .. }, Some(_)) | (Edit::Delete { .. }, None) => Ok(None),
            // Appends never conflict; a move needs its context.
            (Edit::AddEntry(_) | Edit::Restore { .. }, _)
            | (Edit::Move { .. }, None)
            | (Edit::Update { patch: Patch::Append { .. }, .. }, Some(_)) => {
                Ok(Some(pending.clone()))
            }
            (Edit::Move { parent, .. }, Some(live)) => {
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
            (Edit::Put(_) | Edit::Update { .. } | Edit::Rollback { .. }, Some(live))
                if pending.kept.known > 0 && before.is_some() =>
            {
                let (Some(before), Some(after)) = (before, after) else {
                    return Ok(Some(pending.clone()));
                };
                self.merge(pending, record, &live, &before, &after)
            }
            // The version that it is based on is no longer known, so it is shown as it is.
            (op, _) if after.is_none() && !matches!(op, Edit::Delete { .. }) => Err(Error::new(
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
        let (base, mine) = (Layer::from_value(before)?, Layer::from_value(after)?);
        let merge = merge(&self.now, live, &base, &live.layer, &mine);
        let places = merge.conflicts.iter().map(|place| lasting(after, place)).collect();
        let places: Vec<Pointer> = distinct(places);
        let mut data = merge.document()?.to_value()?;
        for place in &places {
            let theirs = live.layer.value_at(place)?;
            let (ancestor, mine) = (base.value_at(place)?, mine.value_at(place)?);
            if let (Some(here), Some(theirs)) = (place.get_mut(&mut data), &theirs) {
                here.clone_from(theirs);
            }
            self.conflict(pending, Aspect::Data, place, |conflict| {
                conflict.ancestor = ancestor;
                conflict.theirs = theirs;
                conflict.mine = mine;
            });
        }
        if let Edit::Put(put) = &*pending.op
            && let Some(whole) = self.merge_frame(pending, put, record, live)?
        {
            return pending.with(whole_op(pending, data, &whole)).map(Some);
        }
        let merged = Layer::from_value(&data)?;
        if merged == *live.layer {
            return Ok(None);
        }
        if let Edit::Update { patch, .. } = &*pending.op
            && places.is_empty()
        {
            let goes_on = match edited(&live.layer, patch) {
                Ok(edited) => edited == data,
                // A test is the writer's own condition; the server says that it does not hold.
                Err(_) => has_test(patch),
            };
            if goes_on {
                return Ok(Some(pending.clone()));
            }
        }
        let patch = diff(&live.layer, &merged)?.to_value();
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
                let table = |rules: &Rules| Some(Value::Object(rules.to_object()));
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
        fill: impl FnOnce(&mut OpenConflict),
    ) {
        let mut conflict = OpenConflict::new(pending.key(), aspect, pending.address(), pointer);
        fill(&mut conflict);
        self.rebased.conflicts.push(dated(conflict, pending));
    }

    /// Keeps a write that cannot be done, as refused.
    fn refuse(&mut self, pending: &Pending, error: &Error) -> Result<()> {
        let mut refused = pending.clone();
        refused.refuse(nacre_wire::read_json(&nacre_wire::problem(error))?, self.base.seq()?);
        self.rebased.queue.push(refused);
        Ok(())
    }
}

fn dated(mut conflict: OpenConflict, pending: &Pending) -> OpenConflict {
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

/// Merges two edits of a context's data by the rules that hold for it.
pub(super) fn merge(
    reads: &dyn Reads,
    live: &Rc<Record>,
    base: &Layer,
    current: &Layer,
    yours: &Layer,
) -> ThreeWay {
    // A copy of a part of a store may lack what is above it.
    let chain = chain(reads, &live.address).unwrap_or_else(|_| Vec::from([live.clone()]));
    let rules: Vec<&Rules> = chain.iter().map(|record| &*record.rules).collect();
    three_way(Some(base), current, yours, &rules)
}

/// The place of a conflict, as it can be kept: items of an array move when others change it, so the
/// array stands for them.
fn lasting(document: &Value, place: &Pointer) -> Pointer {
    let (mut lasting, mut here) = (Pointer::root(), Some(document));
    for token in place.tokens() {
        here = match here {
            Some(Value::Object(object)) => object.get(&token),
            Some(Value::Array(_)) => return lasting,
            _ => None,
        };
        lasting.push(&token);
    }
    lasting
}

fn has_test(patch: &Patch) -> bool {
    match patch {
        Patch::Json(patch) => {
            patch.operations.iter().any(|operation| matches!(operation, Operation::Test { .. }))
        }
        _ => false,
    }
}

/// Whether the server must check the version; not for writes that fit any version.
pub(super) fn expects(edit: &Edit) -> bool {
    match edit {
        Edit::Put(put) => put.expect != Expect::Absent,
        Edit::Update { patch, .. } => !matches!(patch, Patch::Append { .. }),
        Edit::Delete { .. } | Edit::Rollback { .. } | Edit::Move { .. } => true,
        _ => false,
    }
}
