//! Flights: queued writes that are sent to the server in one request, all or none.

use alloc::{string::String, vec::Vec};

use super::{
    Entry, FLIGHT, Replica, Step, odd,
    pending::{Landed, Pending, Refused, integer},
    rebase::expects,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    value::{Object, SEALED, Value},
};
use nacre_store::{limits, memory::MemoryStore, moment::Moment, op::Edit, store::Reads};

/// Most writes in one flight, unless one group is larger.
pub(super) const MOST: usize = 100;

/// Most bytes in one flight: the largest body that the server accepts.
pub(super) const BYTES: usize = limits::BATCH_BYTES - (64 << 10);

/// Answers without a verdict, after which a flight is looked up and turned back.
const VAIN: u64 = 4;

/// The size of a write in a flight, in bytes.
pub(super) fn weight(op: &Value) -> usize {
    json::length(op) + 64
}

/// The flight, stored until it is answered.
#[derive(Debug)]
pub(super) struct Flight {
    /// The request's body.
    body: String,
    /// The places in the queue, in the order of the operations.
    pub(super) items: Vec<u64>,
    /// The time when it was sent first, or was found not to be stored, in milliseconds since the
    /// Unix epoch.
    pub(super) at: u64,
    /// The least `seq` of the server at that time. The commit of the flight has a larger one.
    pub(super) since: u64,
    /// How many answers said nothing about its writes.
    vain: u64,
    /// The last of them, as a problem.
    unsaid: Option<Value>,
}

impl Flight {
    pub(super) fn read(kept: &[u8]) -> Result<Flight> {
        let kept = json::read(kept, limits::DEPTH)?;
        let number = |name| member(&kept, name).and_then(integer).unwrap_or_default();
        let items = member(&kept, "items").and_then(Value::as_array).ok_or_else(odd)?;
        Ok(Flight {
            body: member(&kept, "body").and_then(Value::as_str).ok_or_else(odd)?.into(),
            items: items.iter().filter_map(integer).collect(),
            at: number("at"),
            since: number("since"),
            vain: number("vain"),
            unsaid: member(&kept, "unsaid").cloned(),
        })
    }

    /// As it is kept.
    pub(super) fn entry(&self) -> Entry {
        let mut kept = Object::new();
        kept.insert("at", self.at.into());
        kept.insert("body", self.body.as_str().into());
        kept.insert("items", Value::Array(self.items.iter().map(|n| (*n).into()).collect()));
        kept.insert("since", self.since.into());
        if let Some(unsaid) = &self.unsaid {
            kept.insert("unsaid", unsaid.clone());
            kept.insert("vain", self.vain.into());
        }
        (FLIGHT.into(), Some(json::write(&Value::Object(kept))))
    }

    /// Treats the flight as if it were sent first at this time.
    pub(super) fn anew(mut self, at: Moment) -> Flight {
        self.at = at.0;
        self
    }

    /// The last answer, if so many said nothing that it must not go on like this.
    pub(super) fn in_vain(&self) -> Option<&Value> {
        self.unsaid.as_ref().filter(|_| self.vain >= VAIN)
    }

    pub(super) fn holds(&self, n: u64) -> bool {
        self.items.contains(&n)
    }
}

impl Replica {
    /// The body of the flight, for `POST /v1/batch`.
    pub fn under_way(&self) -> Option<&str> {
        self.flight.as_ref().map(|flight| flight.body.as_str())
    }

    /// Starts a flight with the next writes: store the step's entries, then send the body. There is
    /// no flight if there is nothing to send, or if the copy does not yet show writes that have
    /// landed.
    ///
    /// # Errors
    /// `internal`.
    pub fn take_off(&mut self, at: Moment) -> Result<Step> {
        let mut step = Step::default();
        if self.flight.is_some() || self.queue.iter().any(|pending| pending.kept.landed.is_some()) {
            return Ok(step);
        }
        self.give_up(&mut step)?;
        let (mut items, mut operations, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut now = MemoryStore::over(&*self.base);
        let mut group: Option<&str> = None;
        let mut unsure: Vec<&Address> = Vec::new();
        for pending in self.queue.iter().filter(|pending| !pending.is_refused()) {
            let goes_on = group.is_some() && group == pending.kept.group.as_deref();
            let mut op = pending.kept.op.clone();
            bytes += weight(&op);
            if !items.is_empty() && !goes_on && (items.len() >= self.most || bytes > BYTES) {
                break;
            }
            let record = now.record(pending.address())?;
            let live = record.as_ref().filter(|record| record.is_live());
            // After the rebase it can be done; if not, the server says why.
            let is_done = pending.perform(&self.holder, &mut now).is_ok();
            let changed = if is_done { now.record(pending.address())? } else { None };
            let sealed = match (live, &changed) {
                (Some(before), Some(after)) => {
                    loses_marker(before.layer.text(), after.layer.text())
                }
                _ => false,
            };
            if let Some(members) = op.as_object_mut() {
                match (live, &*pending.op) {
                    (Some(live), of) if expects(of) && !unsure.contains(&pending.address()) => {
                        drop(members.insert("expect_version", live.version.into()));
                    }
                    // A new context must not exist, or it would be overwritten unseen.
                    (None, Edit::Put(_)) => drop(members.insert("action", "create".into())),
                    _ => {}
                }
            }
            items.push(pending.n);
            operations.push(op);
            group = pending.kept.group.as_deref();
            // In place of a marker only the server knows whether the secret has changed, and so
            // whether there is a new version. Later writes in the same transaction need not name a version, because this
            // one does.
            if sealed && group.is_none() {
                break;
            }
            if sealed && expects(&pending.op) {
                unsure.push(pending.address());
            }
        }
        drop(now);
        if !items.is_empty() {
            let mut body = Object::new();
            body.insert("operations", Value::Array(operations));
            let body = String::from_utf8(json::write(&Value::Object(body))).map_err(|_| odd())?;
            let (at, since) = (at.0, self.seq());
            let flight = Flight { body, items, at, since, vain: 0, unsaid: None };
            step.entries.push(flight.entry());
            self.flight = Some(flight);
        }
        Ok(step)
    }

    /// Refuses for good the writes whose reason the copy does not see, although it has caught up
    /// with the server. The others are tried again.
    fn give_up(&mut self, step: &mut Step) -> Result<()> {
        let seq = self.seq();
        let waits = |pending: &&mut Pending| {
            pending.kept.refused.as_ref().is_some_and(|refused| !refused.stands)
        };
        let mut stands = false;
        for pending in self.queue.iter_mut().filter(waits) {
            match pending.kept.refused.take() {
                Some(refused) if refused.seq >= seq => {
                    pending.refuse(refused.problem, seq);
                    step.told.push(pending.shown("refused"));
                    step.entries.push(pending.entry()?);
                    stands = true;
                }
                _ => step.entries.push(pending.entry()?),
            }
        }
        if stands {
            // Later writes may have built on them.
            self.bring_forward(step)?;
        }
        Ok(())
    }

    /// Takes the server's `answer` to the batch: the flight is stored.
    ///
    /// # Errors
    /// `internal` if it is not an answer to a batch.
    pub fn land(&mut self, answer: &Value) -> Result<Step> {
        let mut step = Step::default();
        let flight = self.flight.take().ok_or_else(|| Error::bug("no write was being sent"))?;
        step.entries.push((FLIGHT.into(), None));
        let seq = member(answer, "seq").and_then(integer).ok_or_else(odd)?;
        let results = member(answer, "results").ok_or_else(odd)?;
        let results = results.as_array().ok_or_else(odd)?;
        for (n, result) in flight.items.iter().zip(results) {
            let Some(pending) = self.queue.iter_mut().find(|pending| pending.n == *n) else {
                continue;
            };
            let version = member(result, "version").and_then(integer).unwrap_or_default();
            // A write that changed nothing answers with a version that may be by others.
            if version > pending.version_in(&*self.base) {
                self.own.insert(pending.address().clone(), version);
            }
            pending.kept.landed = Some(Landed { seq, version });
            pending.kept.refused = None;
            step.told.push(pending.shown("done"));
            step.entries.push(pending.entry()?);
        }
        self.most = MOST;
        step.entries.push(self.state());
        self.show();
        Ok(step)
    }

    /// Takes an answer that says nothing about the writes, as a problem: a gateway's own, or a failure
    /// of the server. It may come from what is in the flight, so after some of them the flight [is in
    /// doubt](Replica::is_in_doubt): the trail says whether it was stored, and if not, it is turned
    /// back in parts until the write that cannot be carried is alone.
    ///
    /// # Errors
    /// `internal` if there is no flight.
    pub fn pass_over(&mut self, problem: &Value) -> Result<Step> {
        let mut step = Step::default();
        let flight = self.flight.as_mut().ok_or_else(|| Error::bug("no write was being sent"))?;
        flight.vain += 1;
        flight.unsaid = Some(problem.clone());
        step.entries.push(flight.entry());
        Ok(step)
    }

    /// Takes the server's `problem`: it refused the whole flight. The writes wait again, except those
    /// that can never pass. Catch up with the server before the next flight.
    ///
    /// # Errors
    /// `internal`.
    pub fn turn_back(&mut self, problem: &Value) -> Result<Step> {
        let mut step = Step::default();
        let flight = self.flight.take().ok_or_else(|| Error::bug("no write was being sent"))?;
        step.entries.push((FLIGHT.into(), None));
        let place = member(problem, "failed_operation")
            .and_then(integer)
            .and_then(|n| usize::try_from(n).ok());
        let code = member(problem, "code").and_then(Value::as_str).unwrap_or_default();
        let is = |codes: &[Code]| codes.iter().any(|known| known.as_str() == code);
        let fewer = self.most.min(flight.items.len()) / 2;
        let failed = match place {
            Some(place) => flight.items.get(place..=place).unwrap_or_default(),
            // The caller may not write at all.
            None if is(&[Code::Forbidden, Code::NotFound]) => &flight.items,
            // If a large flight was refused as a whole, a smaller one may pass; a small one will
            // not.
            None if fewer > 0 => &[],
            None => &flight.items,
        };
        // The writes before the failed one are valid, so they are sent first.
        self.most = place.unwrap_or(fewer).max(1);
        let may_pass = place.is_some()
            && is(&[
                Code::VersionConflict,
                Code::MergeConflict,
                Code::AlreadyExists,
                Code::Locked,
                Code::HasChildren,
                Code::NotFound,
                Code::ParentNotFound,
            ]);
        for pending in self.queue.iter_mut().filter(|pending| failed.contains(&pending.n)) {
            // A copy that is newer than the flight may find the reason, and then it is a conflict.
            let (problem, seq) = (problem.clone(), flight.since);
            pending.kept.refused = Some(Refused { problem, seq, stands: !may_pass });
            if !may_pass {
                step.told.push(pending.shown("refused"));
            }
            step.entries.push(pending.entry()?);
        }
        if !step.told.is_empty() {
            self.bring_forward(&mut step)?;
        }
        Ok(step)
    }
}

/// A member of an object from the server.
pub(super) fn member<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.as_object()?.get(name)
}

/// Whether a document lacks a marker that it had before.
fn loses_marker(before: &[u8], after: &[u8]) -> bool {
    // `$sealed":"f1.` and 22 characters; less of them if the number of the key is longer.
    const LENGTH: usize = SEALED.len() + 28;
    let is_marker = |text: &&[u8]| text.starts_with(SEALED.as_bytes());
    before.windows(LENGTH).filter(is_marker).any(|marker| {
        let mut kept = after.windows(LENGTH);
        !kept.any(|other| other == marker)
    })
}
