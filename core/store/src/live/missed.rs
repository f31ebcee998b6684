//! The changes that a subscriber has missed, from the audit trail and the history.

use alloc::{rc::Rc, vec::Vec};
use core::cell::Cell;

use super::{Crossing, Line, Notice, Step};
use crate::{
    delta::Deltas,
    history::{chain_as_of, record_as_of, record_of, state_at, steps_to},
    limits,
    plan::Changed,
    record::{Audit, Deed, Entry, EntryId, EntryKind, Heading, Record, State, Version},
    sight::Sight,
    store::{AsOf, Filter, Reads},
    topic::Topic,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    layer::Layer,
    sort::Distinct,
};

/// Rows of the audit trail read at once.
const AT_ONCE: usize = 64;

/// The notices of the commits after `since` up to `seq`, oldest first; `None` if they are too many
/// or no longer kept.
pub(super) fn missed(
    reads: &dyn Reads,
    sight: &dyn Sight,
    topic: &Topic,
    since: u64,
    seq: u64,
) -> Result<Option<Vec<Notice>>> {
    if since > seq {
        // The store was erased and started again.
        return Ok(None);
    }
    let Some(commits) = commits(reads, since)? else { return Ok(None) };
    let walk = Walk { reads, left: Cell::new(limits::MISSED_BYTES) };
    let told = match topic {
        Topic::Context(_) | Topic::Subtree(_) => changes(&walk, sight, topic, since, &commits),
        Topic::Resolved(address) => deltas(&walk, sight, address, since, &commits),
    };
    match told {
        Err(error) if matches!(error.code(), Code::HistoryExpired | Code::NotFound) => Ok(None),
        told => told,
    }
}

/// Past states, as long as making them does not go through too much.
struct Walk<'r> {
    reads: &'r dyn Reads,
    /// What may still be gone through, in bytes.
    left: Cell<usize>,
}

impl Walk<'_> {
    /// A context at a past state.
    fn record_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Rc<Record>>> {
        let record = record_as_of(self.reads, address, at)?;
        record.as_ref().map_or(Ok(()), |record| self.count(record))?;
        Ok(record)
    }

    /// A chain at a past state, as far as the subscriber sees it.
    fn chain(&self, sight: &dyn Sight, address: &Address, seq: u64) -> Result<Vec<Rc<Record>>> {
        let at = AsOf::Seq(seq);
        let chain = chain_as_of(self.reads, address, at)?;
        chain.iter().try_for_each(|record| self.count(record))?;
        sight.chain(chain, Some(at))
    }

    /// A version, and the context after it.
    fn made(&self, address: &Address, version: u64) -> Result<(Version, Record)> {
        let current = self.reads.record(address)?.ok_or_else(Error::not_found)?;
        let (row, state) = state_at(self.reads, &current, version)?;
        let record = record_of(&current, &row, state);
        self.count(&record)?;
        Ok((row, record))
    }

    /// Counts what making a state went through: about its own size for every version undone.
    fn count(&self, made: &Record) -> Result<()> {
        let current = self.reads.record(&made.address)?.map_or(0, |current| current.version);
        let bytes = made.layer.text().len() * steps_to(made.version, current);
        let left = self.left.get().checked_sub(bytes).ok_or_else(|| {
            Error::new(Code::HistoryExpired, "the missed changes are too large; read again")
        })?;
        self.left.set(left);
        Ok(())
    }
}

/// The commits after `since` that changed contexts or added entries, oldest first; `None` if they changed too many.
fn commits(reads: &dyn Reads, since: u64) -> Result<Option<Vec<Audit>>> {
    let (mut commits, mut changes, mut before) = (Vec::new(), 0, None);
    loop {
        let page = reads.audit(before, AT_ONCE)?;
        let is_last = page.len() < AT_ONCE;
        for mut audit in page {
            if audit.seq <= since {
                commits.reverse();
                return Ok(Some(commits));
            }
            before = Some(audit.seq);
            audit.deeds.retain(|deed| deed.version.is_some() || added(deed).is_some());
            changes += audit.deeds.len();
            if changes > limits::MISSED_CHANGES {
                return Ok(None);
            }
            if !audit.deeds.is_empty() {
                commits.push(audit);
            }
        }
        if is_last {
            commits.reverse();
            return Ok(Some(commits));
        }
    }
}

fn changes(
    walk: &Walk<'_>,
    sight: &dyn Sight,
    topic: &Topic,
    since: u64,
    commits: &[Audit],
) -> Result<Option<Vec<Notice>>> {
    let reads = walk.reads;
    if !sight.sees_at(reads, topic.address(), since)? {
        return Ok(None);
    }
    let (mut notices, mut bytes) = (Vec::new(), 0);
    for commit in commits {
        let mut midway = Midway { walk, before: commit.seq - 1, made: Vec::new() };
        let mut entries = 0;
        for deed in &commit.deeds {
            let n = entries;
            entries += u64::from(added(deed).is_some());
            let Some(address) = &deed.address else { continue };
            if address != topic.address() && !matches!(topic, Topic::Subtree(_)) {
                continue;
            }
            let holds = |line: &Line| {
                let within = match topic {
                    Topic::Subtree(top) => line.0.contains(top),
                    _ => true,
                };
                within && sight.sees_project(line.project(), commit.seq)
            };
            let before = midway.line(address)?;
            let Some(version) = deed.version else {
                if let Some(kind) = added(deed).filter(|_| holds(&before)) {
                    let id = EntryId { seq: commit.seq, n };
                    let Some(entry) = entry(reads, address, kind, id)? else { return Ok(None) };
                    bytes += entry.content.len();
                    notices.push(Notice::Entry(Rc::new(entry)));
                }
                continue;
            };
            let (row, record) = walk.made(address, version)?;
            // The context may be a successor of a purged one, whose versions start at 1 again.
            if row.seq != commit.seq {
                return Ok(None);
            }
            midway.made.push(record.heading.clone());
            let after = midway.line(address)?;
            let is_elsewhere = before.is_elsewhere(&after);
            let step = Step { before, after, below: None };
            let (was, is) = step.across(holds);
            if !was && !is {
                continue;
            }
            let changed = Rc::new(changed(&row, &record)?);
            if was && is && !step.returns(sight, &changed) {
                bytes += changed.patch.bytes();
                notices.push(Notice::Change(changed));
                continue;
            }
            let mut crossing = Vec::from([Rc::new(record)]);
            if is_elsewhere {
                let Some(below) = midway.below(address, commits)? else { return Ok(None) };
                crossing.extend(below);
            }
            for record in &crossing {
                notices.push(if is {
                    bytes += record.layer.text().len();
                    Crossing::entered(commit.seq, row.change, record)?
                } else {
                    Crossing::left(commit.seq, record)
                });
            }
            if bytes > limits::ANSWER_BYTES {
                return Ok(None);
            }
        }
        if bytes > limits::ANSWER_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(notices))
}

/// The list that a deed added an entry to; `None` for other deeds.
fn added(deed: &Deed) -> Option<EntryKind> {
    [EntryKind::Insight, EntryKind::Progress].into_iter().find(|kind| kind.deed() == deed.action)
}

/// One entry; `None` if it is no longer there.
fn entry(
    reads: &dyn Reads,
    address: &Address,
    kind: EntryKind,
    id: EntryId,
) -> Result<Option<Entry>> {
    let after = EntryId { n: id.n + 1, ..id };
    let found = reads.entries(address, kind, Some(after), 1)?;
    Ok(found.into_iter().next().filter(|entry| entry.id == id))
}

/// The contexts at a point within a commit: their state before it, plus its changes so far.
struct Midway<'r> {
    walk: &'r Walk<'r>,
    before: u64,
    made: Vec<Rc<Heading>>,
}

impl Midway<'_> {
    /// A context that was live, and its ancestors.
    fn line(&self, address: &Address) -> Result<Line> {
        Line::climb(address, &|address| self.heading(address))
    }

    /// The contexts that were live below another one: some of those that are now, or that commits
    /// have changed since. `None` if they may be too many.
    fn below(&self, top: &Address, commits: &[Audit]) -> Result<Option<Vec<Rc<Record>>>> {
        let filter = Filter { under: Some(top.clone()), ..Filter::default() };
        let mut candidates = Distinct::new();
        let now = self.walk.reads.list(&filter, None, limits::MISSED_CHANGES + 1)?;
        if now.len() > limits::MISSED_CHANGES {
            return Ok(None);
        }
        now.iter().for_each(|context| candidates.push(context.address.clone()));
        let later = commits.iter().filter(|commit| commit.seq > self.before);
        for address in
            later.flat_map(|commit| &commit.deeds).filter_map(|deed| deed.address.as_ref())
        {
            candidates.push(address.clone());
        }
        let mut below = Vec::new();
        for address in candidates.into_sorted() {
            if address != *top && self.line(&address)?.0.contains(top) {
                below.extend(self.record(&address)?);
            }
        }
        Ok(Some(below))
    }

    /// A context, deleted or not.
    fn heading(&self, address: &Address) -> Result<Option<Rc<Heading>>> {
        match self.made(address) {
            Some(made) => Ok(Some(made.clone())),
            None => Ok(self.before(address)?.map(|record| record.heading.clone())),
        }
    }

    /// As [`Self::heading`], with its data.
    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        match self.made(address) {
            Some(heading) => Ok(Some(Rc::new(self.walk.made(address, heading.version)?.1))),
            None => self.before(address),
        }
    }

    /// The newest of the commit's changes so far to a context.
    fn made(&self, address: &Address) -> Option<&Rc<Heading>> {
        self.made.iter().rev().find(|made| made.address == *address)
    }

    /// A context before the commit.
    fn before(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        self.walk.record_as_of(address, AsOf::Seq(self.before))
    }
}

/// The event of a version, without the layers, because up to a thousand are held at once.
fn changed(row: &Version, record: &Record) -> Result<Changed> {
    let state = State::of(record);
    let before = row.undo.as_ref().map(|undo| state.undone(undo)).transpose()?;
    let patch = state.patch_from(before.as_ref())?;
    let before = before.map(|state| State { layer: Rc::new(Layer::empty()), ..state });
    Ok(Changed { context: record.heading.clone(), before, change: row.change, patch })
}

/// The differences of a view, one for each commit that changed it.
fn deltas(
    walk: &Walk<'_>,
    sight: &dyn Sight,
    address: &Address,
    since: u64,
    commits: &[Audit],
) -> Result<Option<Vec<Notice>>> {
    let (mut notices, mut deltas) = (Vec::new(), Deltas::default());
    let (mut looked_at, mut bytes) = (0, 0);
    let mut before = walk.chain(sight, address, since)?;
    for commit in commits {
        let touched = commit.deeds.iter().any(|deed| {
            deed.address.as_ref().is_some_and(|deed| {
                *deed == Address::global() || before.iter().any(|record| record.address == *deed)
            })
        });
        if !touched {
            continue;
        }
        looked_at += 1;
        if looked_at > limits::MISSED_VIEWS {
            return Ok(None);
        }
        let after = walk.chain(sight, address, commit.seq)?;
        if let Some(delta) = deltas.between(&before, &after)? {
            bytes += json::length(&delta.patch);
            if bytes > limits::ANSWER_BYTES {
                return Ok(None);
            }
            notices.push(Notice::Delta { seq: commit.seq, delta });
        }
        before = after;
    }
    Ok(Some(notices))
}
