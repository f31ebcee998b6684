//! A local copy of a store: the known state of the server, and a queue of writes that the server
//! has not answered yet.
//!
//! ```text
//! base (what the server has) ◀── announced changes, exports
//!   └─ shown: base, with every queued write decided over it     reads answer from here
//! queue ──▶ flight ──▶ server ──▶ landed or refused
//! ```
//! A shell stores entries, which are keys and bytes, and transports messages. Each step returns a
//! [`Step`]: entries to store in one transaction, and to pass to every other replica of the same
//! user on the same device, which [absorbs](Replica::absorb) them.
//!
//! **A write is sent until it is answered.** A *flight* (the writes of one request) is stored
//! before it is sent. It is sent again, byte for byte the same, until the server answers;
//! idempotency keys ensure that it counts once. When the server may have forgotten the keys, the
//! audit trail is checked first. Only after the answer are writes rebased or sent in another form.
//! Each write names the version that it was decided on, so the server refuses it instead of
//! overwriting an unknown change.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod change;
mod conflict;
mod flight;
mod open;
mod pending;
mod rebase;
mod recall;
mod settle;

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use change::Announced;
use conflict::OpenConflict;
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::User,
    json,
    layer::Layer,
    level::Level,
    sensitive::SensitiveNames,
    value::{Object, Value, decode_known},
};
use nacre_store::{
    memory::MemoryStore,
    moment::Moment,
    op::Read,
    record::EntryKind,
    row::{pack, row_key, unpack},
    store::{Filter, Reads, Write},
};
use nacre_wire::Answer;
use pending::{Kept, Own, Pending, integer};

pub use settle::Choice;

/// Keys of entries other than rows (`r/…`): the state of the copy, the flight, the queue by place,
/// and conflicts by name.
const STATE: &str = "s";
const FLIGHT: &str = "f";
const QUEUE: &str = "q/";
const CONFLICT: &str = "c/";

/// The user of the copy, and the settings of decisions.
struct Holder {
    user: User,
    names: SensitiveNames,
}

/// An entry to store; `None` removes it.
pub type Entry = (String, Option<Vec<u8>>);

/// The result of a step.
#[derive(Debug, Default)]
pub struct Step {
    /// The entries to store in one transaction.
    pub entries: Vec<Entry>,
    /// Whether these are all entries. If so, all others are removed, except the queue and the
    /// shell's own.
    pub anew: bool,
    /// The new conflicts.
    pub conflicts: Vec<Value>,
    /// The writes that have come to an end or are refused, in the form of [`Replica::pending`]. Their
    /// `state` is `refused`, `done`, `conflict` or `discarded`.
    pub told: Vec<Value>,
}

/// A write that was decided.
#[derive(Debug)]
pub struct Decided {
    /// The answer, in the form of the server.
    pub answer: Answer,
    /// The writes to store under the next places of the queue, in order.
    pub kept: Vec<Vec<u8>>,
}

/// A replica.
pub struct Replica {
    holder: Holder,
    base: Rc<MemoryStore<'static>>,
    shown: MemoryStore<'static>,
    queue: Vec<Pending>,
    own: Own,
    conflicts: Vec<OpenConflict>,
    flight: Option<flight::Flight>,
    /// Most writes in the next flight.
    most: usize,
    /// Whether there is a copy.
    is_open: bool,
}

impl Replica {
    /// Creates an empty replica.
    ///
    /// # Errors
    /// `invalid-id`.
    pub fn new(user: &str) -> Result<Replica> {
        Ok(Replica {
            holder: Holder::new(User::parse(user)?),
            base: Rc::default(),
            shown: MemoryStore::new(),
            queue: Vec::new(),
            own: Own::default(),
            conflicts: Vec::new(),
            flight: None,
            most: flight::MOST,
            is_open: false,
        })
    }

    /// Whether it holds a copy of the store.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The `seq` of the server's state that it holds.
    pub fn seq(&self) -> u64 {
        self.base.seq().unwrap_or_default()
    }

    /// The number of unsent or unanswered writes. Refused ones do not count.
    pub fn queued(&self) -> usize {
        let waits = |pending: &&Pending| pending.kept.landed.is_none() && !pending.is_refused();
        self.queue.iter().filter(waits).count()
    }

    /// The number of refused writes.
    pub fn refused(&self) -> usize {
        self.queue.iter().filter(|pending| pending.is_refused()).count()
    }

    /// Takes stored entries, from this replica or another one of the same user.
    ///
    /// # Errors
    /// `store-unavailable` for entries that are not from a replica.
    pub fn absorb(&mut self, entries: Vec<Entry>, anew: bool) -> Result<()> {
        self.shown = MemoryStore::new();
        if anew {
            self.base = Rc::default();
        }
        let base = Rc::get_mut(&mut self.base).ok_or_else(shared)?;
        for (key, bytes) in entries {
            if key.starts_with("r/") {
                if let Some(bytes) = &bytes {
                    base.write(unpack(bytes)?);
                }
            } else if let Some(n) = key.strip_prefix(QUEUE) {
                let n = n.parse().map_err(|_| odd())?;
                let at = self.queue.binary_search_by_key(&n, |pending| pending.n);
                match (at, bytes) {
                    (Ok(at), None) => drop(self.queue.remove(at)),
                    (Err(_), None) => {}
                    (Ok(at), Some(bytes)) => {
                        if let Some(place) = self.queue.get_mut(at) {
                            *place = Pending::read(n, &bytes)?;
                        }
                    }
                    (Err(at), Some(bytes)) => self.queue.insert(at, Pending::read(n, &bytes)?),
                }
            } else if let Some(id) = key.strip_prefix(CONFLICT) {
                self.conflicts.retain(|conflict| conflict.id != id);
                if let Some(bytes) = bytes {
                    self.conflicts.push(decode_known(nacre_wire::read_json(&bytes)?)?);
                }
            } else if key == FLIGHT {
                self.flight = bytes.as_deref().map(flight::Flight::read).transpose()?;
            } else if let (STATE, Some(bytes)) = (key.as_str(), bytes) {
                let state = nacre_wire::read_json(&bytes)?;
                let member = |name: &str| state.as_object().and_then(|state| state.get(name));
                base.set_seq(member("seq").and_then(integer).ok_or_else(odd)?);
                self.own = member("own").map(Own::read).unwrap_or_default();
                self.is_open = true;
            }
        }
        self.show();
        Ok(())
    }

    /// Decides the queue again over the base.
    fn show(&mut self) {
        let mut shown = MemoryStore::over_shared(Rc::<MemoryStore<'static>>::clone(&self.base));
        let shows = |pending: &&Pending| !pending.is_refused() && !pending.shows_in(&*self.base);
        for pending in self.queue.iter().filter(shows) {
            // A write that cannot be done shows as not done. The replica that talks to the server
            // makes a conflict of it.
            let _ = pending.perform(&self.holder, &mut shown);
        }
        self.shown = shown;
    }

    /// Adds newly queued writes at the end of the queue.
    ///
    /// # Errors
    /// `store-unavailable` for entries that are not from a replica.
    pub fn queue(&mut self, entries: Vec<(u64, Vec<u8>)>) -> Result<()> {
        for (n, kept) in entries {
            if self.queue.last().is_some_and(|last| last.n >= n) {
                self.absorb(Vec::from([(queue_key(n), Some(kept))]), false)?;
                continue;
            }
            let pending = Pending::read(n, &kept)?;
            let _ = pending.perform(&self.holder, &mut self.shown);
            self.queue.push(pending);
        }
        Ok(())
    }

    /// Answers a question from the shown state. `at` is the current time, for previews.
    ///
    /// # Errors
    /// The errors of the question; for a preview, those of its writes.
    pub fn read(&self, ask: &Read, at: Moment) -> Result<Answer> {
        self.holder.read(&self.shown, ask, at)
    }

    /// The text of a view, without an envelope. This is the fastest read.
    ///
    /// # Errors
    /// `not-found`.
    pub fn view(&self, address: &Address) -> Result<Rc<nacre_store::store::View>> {
        self.shown.view(&nacre_store::history::chain(&self.shown, address)?)
    }

    /// Decides writes to contexts, given as operations of a batch, all or none. They count after
    /// they are stored and [queued](Replica::queue). `key` is the prefix of their idempotency keys.
    ///
    /// # Errors
    /// The errors of the writes, with the failed operation; `too-large` for more than the server
    /// accepts.
    pub fn write(&self, operations: Vec<Value>, key: &str, at: Moment) -> Result<Decided> {
        let group = (operations.len() > 1).then(|| key.to_string());
        let (mut kept, mut texts, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut shown = MemoryStore::over(&self.shown);
        for (place, mut operation) in operations.into_iter().enumerate() {
            let mut perform = || {
                let members = operation.as_object_mut().ok_or_else(no_operation)?;
                members.remove("expect_version");
                let key = if place == 0 { key.to_string() } else { format!("{key}.{place}") };
                members.insert("idempotency_key", key.into());
                bytes += flight::weight(&operation);
                if bytes > flight::BYTES {
                    let detail = "this is more than one request can carry; write it in parts";
                    return Err(Error::new(Code::TooLarge, detail).limit(flight::BYTES as u64));
                }
                let op = core::mem::replace(&mut operation, Value::Null);
                let (at, group) = (at.0, group.clone());
                let one = Kept { at, group, known: 0, landed: None, op, refused: None };
                let mut pending = Pending::new(u64::MAX, one)?;
                pending.kept.known = pending.version_in(&*self.base);
                let plan = pending.perform(&self.holder, &mut shown)?;
                texts.push(Ok(plan.reply));
                kept.extend(pending.entry()?.1);
                Ok(())
            };
            perform().map_err(|error: Error| error.failed_operation(place))?;
        }
        let answer = Answer::ahead(&nacre_store::plan::Reply::Batch(texts), self.shown.seq()?)?;
        Ok(Decided { answer, kept })
    }

    /// Brings a draft, which was made of `base`, forward onto what the context holds now: the merged
    /// `data`, and as `conflicts` the pointers of the places that both changed differently. There the
    /// draft stands.
    ///
    /// # Errors
    /// `not-found`; `invalid-request` for a base or a draft that is not an object.
    pub fn merge(&self, address: &Address, base: &Value, draft: &Value) -> Result<Value> {
        let live = self.shown.record(address)?.filter(|record| record.is_live());
        let live = live.ok_or_else(Error::not_found)?;
        let at = |member: &'static str| move |error: Error| error.at(member);
        let base = Layer::from_value(base).map_err(at("/base"))?;
        let draft = Layer::from_value(draft).map_err(at("/draft"))?;
        let merge = rebase::merge(&self.shown, &live, &base, &draft, &live.layer);
        let pointers = merge.conflicts.iter().map(|pointer| pointer.as_str().into()).collect();
        let mut merged = Object::new();
        merged.insert("conflicts", Value::Array(pointers));
        merged.insert("data", merge.document()?.to_value()?);
        Ok(merged.into())
    }

    /// Applies announced changes and entries in order, and rebases the queue. `seq` is the new state of the
    /// copy. It may be below the `seq` of the last change, if more changes of that commit will
    /// follow. There must be no flight.
    ///
    /// # Errors
    /// `history-expired` if the copy has missed a change. Then nothing has changed, and the store
    /// must be fetched again.
    pub fn advance(&mut self, changes: Vec<Value>, seq: u64) -> Result<Step> {
        if self.flight.is_some() {
            return Err(Error::bug("changes must not arrive while writes are being sent"));
        }
        let mut step = Step::default();
        if changes.is_empty() && !self.queue.iter().any(|pending| pending.is_behind(&*self.base)) {
            return self.reach(seq);
        }
        let mut next = MemoryStore::over(&*self.base);
        let reached = seq.max(self.seq());
        for message in changes {
            let rows = match change::entry(&message)? {
                Some(entry) => Vec::from([entry]),
                None => Announced::read(message)?.rows(&next)?,
            };
            for write in rows {
                step.entries.push(entry(&write)?);
                next.write(write);
            }
        }
        drop(next);
        self.shown = MemoryStore::new();
        let base = Rc::get_mut(&mut self.base).ok_or_else(shared)?;
        for (_, bytes) in &step.entries {
            if let Some(bytes) = bytes {
                base.write(unpack(bytes)?);
            }
        }
        base.set_seq(reached);
        self.bring_forward(&mut step)?;
        Ok(step)
    }

    /// Advances the copy to `seq` without changes. Writes that landed by then are done.
    fn reach(&mut self, seq: u64) -> Result<Step> {
        let mut step = Step::default();
        let reached = seq.max(self.seq());
        let is_done = |pending: &Pending| {
            pending.kept.landed.as_ref().is_some_and(|landed| landed.seq <= reached)
        };
        let done: Vec<u64> =
            self.queue.iter().filter(|pending| is_done(pending)).map(|pending| pending.n).collect();
        if done.is_empty() && reached == self.seq() {
            return Ok(step);
        }
        step.entries.extend(done.iter().map(|n| (queue_key(*n), None)));
        self.queue.retain(|pending| !done.contains(&pending.n));
        self.shown = MemoryStore::new();
        Rc::get_mut(&mut self.base).ok_or_else(shared)?.set_seq(reached);
        step.entries.push(self.state());
        self.show();
        Ok(step)
    }

    /// Rebases the queue onto the base, and shows both.
    fn bring_forward(&mut self, step: &mut Step) -> Result<()> {
        let rebased = rebase::rebase(&self.holder, &*self.base, &self.own, &self.queue)?;
        let reached = self.seq();
        let old = core::mem::take(&mut self.queue);
        let mut queue: Vec<Pending> = Vec::new();
        for pending in rebased.queue {
            // Writes that have landed and are in the base are done.
            if pending.kept.landed.as_ref().is_none_or(|landed| landed.seq > reached) {
                queue.push(pending);
            }
        }
        for pending in &old {
            match queue.binary_search_by_key(&pending.n, |pending| pending.n) {
                Err(_) => {
                    step.entries.push((queue_key(pending.n), None));
                    if pending.kept.landed.is_none() {
                        let of = |conflict: &OpenConflict| conflict.is_of(pending.key());
                        // Without a conflict there is nothing left to do: the server has it already.
                        let is_open = rebased.conflicts.iter().any(of);
                        step.told.push(pending.shown(if is_open { "conflict" } else { "done" }));
                    }
                }
                Ok(at) => {
                    let Some(now) = queue.get(at) else { continue };
                    if now.is_refused() && !pending.is_refused() {
                        step.told.push(now.shown("refused"));
                    }
                    let kept = now.entry()?;
                    if kept != pending.entry()? {
                        step.entries.push(kept);
                    }
                }
            }
        }
        self.queue = queue;
        for conflict in rebased.conflicts {
            self.raise(conflict, step)?;
        }
        step.entries.push(self.state());
        let mut shown = MemoryStore::over_shared(Rc::<MemoryStore<'static>>::clone(&self.base));
        shown.apply(&rebased.writes);
        self.shown = shown;
        Ok(())
    }

    /// Adds a conflict. A conflict of another write about the same place is merged into it.
    fn raise(&mut self, mut conflict: OpenConflict, step: &mut Step) -> Result<()> {
        if let Some(at) = self.conflicts.iter().position(|old| old.is_followed_by(&conflict)) {
            let mut old = self.conflicts.remove(at);
            step.entries.push((conflict_key(&old.id), None));
            // The later write wins, whichever of the two came first.
            if old.at > conflict.at {
                core::mem::swap(&mut old, &mut conflict);
                conflict.theirs = old.theirs;
            }
            conflict.ancestor = old.ancestor;
        }
        let value = conflict.to_value()?;
        step.entries.push((conflict_key(&conflict.id), Some(json::write(&value))));
        step.conflicts.push(value);
        self.conflicts.push(conflict);
        Ok(())
    }

    /// The entry of the copy's state.
    fn state(&self) -> Entry {
        let mut state = Object::new();
        state.insert("own", self.own.to_value());
        state.insert("seq", self.seq().into());
        (STATE.into(), Some(json::write(&Value::Object(state))))
    }

    /// A text that changes with the state of a topic: a context, a subtree, or a view.
    pub fn stamp(&self, address: &Address, below: bool, view: bool) -> String {
        if view {
            return self.view(address).map(|view| view.hash.to_string()).unwrap_or_default();
        }
        let mut text = String::new();
        let addresses = if below {
            let under = Some(address.clone()).filter(|top| top.level != Level::Global);
            let filter = Filter { under, ..Filter::default() };
            let contexts = self.shown.list(&filter, None, usize::MAX).unwrap_or_default();
            contexts.into_iter().map(|context| context.address.clone()).collect()
        } else {
            Vec::from([address.clone()])
        };
        for address in &addresses {
            let Ok(Some(record)) = self.shown.record(address) else { continue };
            let version = record.version;
            text.push_str(&format!(
                "{address} {version} {} {};",
                record.layer.hash(),
                record.is_live()
            ));
            for kind in [EntryKind::Insight, EntryKind::Progress] {
                let newest = self.shown.entries(address, kind, None, 1).unwrap_or_default();
                let newest = newest.first().map(|entry| entry.id);
                text.push_str(&newest.map_or(String::new(), |id| format!("{}-{} ", id.seq, id.n)));
            }
        }
        Hash::of(text.as_bytes()).to_string()
    }

    /// The writes that are not with the server, for display: queued, in flight or refused.
    pub fn pending(&self) -> Value {
        let shown = |pending: &Pending| {
            let flies = self.flight.as_ref().is_some_and(|flight| flight.holds(pending.n));
            pending.shown(match pending.is_refused() {
                true => "refused",
                false if flies => "in-flight",
                false => "queued",
            })
        };
        let waiting = self.queue.iter().filter(|pending| pending.kept.landed.is_none());
        Value::Array(waiting.map(shown).collect())
    }

    /// Queues a refused write again. Others' changes since then are merged in.
    ///
    /// # Errors
    /// `not-found` if no refused write has this key.
    pub fn retry(&mut self, key: &str) -> Result<Step> {
        let mut step = Step::default();
        let refused = |pending: &&mut Pending| pending.is_refused() && pending.key() == key;
        let pending = self.queue.iter_mut().find(refused).ok_or_else(no_write)?;
        pending.kept.refused = None;
        step.entries.push(pending.entry()?);
        self.decide_again(&mut step)?;
        Ok(step)
    }

    /// Removes a write, queued or refused, and its conflicts: the context stays as the server has it.
    /// Later writes are decided again without it.
    ///
    /// # Errors
    /// `not-found` if no write has this key; `invalid-request` if it is being sent.
    pub fn discard(&mut self, key: &str) -> Result<Step> {
        let mut step = Step::default();
        let of = |pending: &&Pending| pending.kept.landed.is_none() && pending.key() == key;
        let n = self.queue.iter().find(of).map(|pending| pending.n);
        let flies = |n: u64| self.flight.as_ref().is_some_and(|flight| flight.holds(n));
        if n.is_some_and(flies) {
            return Err(Error::new(
                Code::InvalidRequest,
                "the write is being sent; wait for the server's answer",
            ));
        }
        let (gone, kept) = core::mem::take(&mut self.conflicts)
            .into_iter()
            .partition::<Vec<_>, _>(|conflict| conflict.is_of(key));
        self.conflicts = kept;
        if n.is_none() && gone.is_empty() {
            return Err(no_write());
        }
        step.entries.extend(gone.iter().map(|conflict| (conflict_key(&conflict.id), None)));
        if let Some(n) = n {
            let gone = self.queue.iter().filter(|pending| pending.n == n);
            step.told.extend(gone.map(|pending| pending.shown("discarded")));
            self.queue.retain(|pending| pending.n != n);
            step.entries.push((queue_key(n), None));
            self.decide_again(&mut step)?;
        }
        Ok(step)
    }

    /// Decides the queue again after the user changed it. What is being sent keeps its form.
    fn decide_again(&mut self, step: &mut Step) -> Result<()> {
        if self.flight.is_none() {
            return self.bring_forward(step);
        }
        self.show();
        Ok(())
    }
}

fn entry(write: &Write) -> Result<Entry> {
    let key =
        row_key(write).ok_or_else(|| Error::bug("a replica does not keep this kind of row"))?;
    Ok((key, Some(pack(write)?)))
}

/// The key of a place in the queue. Keys sort like places.
pub fn queue_key(n: u64) -> String {
    format!("{QUEUE}{n:016}")
}

fn conflict_key(id: &str) -> String {
    format!("{CONFLICT}{id}")
}

fn shared() -> Error {
    Error::bug("the base is borrowed twice")
}

fn odd() -> Error {
    Error::new(Code::StoreUnavailable, "the data stored on this device is not a valid replica")
}

fn no_write() -> Error {
    let detail = "no waiting write has this key; it may be with the server or discarded already";
    Error::new(Code::NotFound, detail)
}

fn no_operation() -> Error {
    Error::new(Code::InvalidRequest, "an operation must be an object").at("")
}
