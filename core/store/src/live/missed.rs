//! The changes that a subscriber has missed, from the audit trail and the history.

use alloc::{rc::Rc, vec::Vec};

use super::Notice;
use crate::{
    decide::permit_chain,
    delta::Deltas,
    history::{chain_as_of, record_as_of, record_of, state_at},
    limits,
    op::Caller,
    plan::Changed,
    record::{Audit, Change, Deed, Entry, EntryId, EntryKind, Record, State, Version},
    store::{AsOf, Reads},
    topic::Topic,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    layer::Layer,
};

/// Rows of the audit trail read at once.
const AT_ONCE: usize = 64;

/// The notices of the commits after `since` up to `seq`, oldest first; `None` if they are too many
/// or no longer kept.
pub(super) fn missed(
    reads: &dyn Reads,
    caller: &Caller,
    topic: &Topic,
    since: u64,
    seq: u64,
) -> Result<Option<Vec<Notice>>> {
    if since > seq {
        // The store was erased and started again.
        return Ok(None);
    }
    let Some(commits) = commits(reads, since)? else { return Ok(None) };
    let told = match topic {
        Topic::Context(_) | Topic::Subtree(_) => changes(reads, topic, &commits),
        Topic::Resolved(address) => deltas(reads, caller, address, since, &commits),
    };
    match told {
        Err(error) if matches!(error.code(), Code::HistoryExpired | Code::NotFound) => Ok(None),
        told => told,
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

fn changes(reads: &dyn Reads, topic: &Topic, commits: &[Audit]) -> Result<Option<Vec<Notice>>> {
    let (mut notices, mut bytes) = (Vec::new(), 0);
    for commit in commits {
        let mut midway = Midway { reads, before: commit.seq - 1, made: Vec::new() };
        let mut entries = 0;
        for deed in &commit.deeds {
            let n = entries;
            entries += u64::from(added(deed).is_some());
            let Some(address) = &deed.address else { continue };
            let own = address == topic.address();
            if !own && !matches!(topic, Topic::Subtree(_)) {
                continue;
            }
            let Some(version) = deed.version else {
                let concerned = match topic {
                    Topic::Subtree(top) => own || midway.is_below(address, top)?,
                    _ => own,
                };
                if let Some(kind) = added(deed).filter(|_| concerned) {
                    let id = EntryId { seq: commit.seq, n };
                    let Some(entry) = entry(reads, address, kind, id)? else { return Ok(None) };
                    bytes += entry.content.len();
                    if bytes > limits::ANSWER_BYTES {
                        return Ok(None);
                    }
                    notices.push(Notice::Entry(Rc::new(entry)));
                }
                continue;
            };
            let (row, record) = made(reads, address, version)?;
            // The context may be a successor of a purged one, whose versions start at 1 again.
            if row.seq != commit.seq {
                return Ok(None);
            }
            let mut concerned = own;
            if let Topic::Subtree(top) = topic {
                concerned = concerned || midway.is_below(address, top)?;
                midway.made.push(Rc::new(bare(&record)));
                concerned = concerned || midway.is_below(address, top)?;
            }
            if concerned {
                let changed = changed(&row, &record)?;
                bytes += changed.patch.bytes();
                if bytes > limits::ANSWER_BYTES {
                    return Ok(None);
                }
                notices.push(Notice::Change(Rc::new(changed)));
            }
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
    reads: &'r dyn Reads,
    before: u64,
    made: Vec<Rc<Record>>,
}

impl Midway<'_> {
    /// Whether a context existed below another one.
    fn is_below(&self, address: &Address, top: &Address) -> Result<bool> {
        let mut next = self.record(address)?.filter(|record| record.is_live());
        while let Some(record) = next {
            // The global context may not exist.
            match record.above() {
                Some(above) if above == *top => return Ok(true),
                Some(above) => next = self.record(&above)?,
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// A context, deleted or not.
    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        match self.made.iter().rev().find(|made| made.address == *address) {
            Some(made) => Ok(Some(made.clone())),
            None => record_as_of(self.reads, address, AsOf::Seq(self.before)),
        }
    }
}

/// A version, and the context after it.
fn made(reads: &dyn Reads, address: &Address, version: u64) -> Result<(Version, Record)> {
    let current = reads.record(address)?.ok_or_else(Error::not_found)?;
    let (row, state) = state_at(reads, &current, version)?;
    let mut record = record_of(&current, &row, state);
    record.deleted = (row.change == Change::Delete).then_some(row.seq);
    Ok((row, record))
}

/// The event of a version, without the layers, because up to a thousand are held at once.
fn changed(row: &Version, record: &Record) -> Result<Changed> {
    let state = State::of(record);
    let before = row.undo.as_ref().map(|undo| state.undone(undo)).transpose()?;
    let patch = state.patch_from(before.as_ref())?;
    let before = before.map(|state| State { layer: Rc::new(Layer::empty()), ..state });
    Ok(Changed { record: Rc::new(bare(record)), before, change: row.change, patch })
}

/// A context without its layer.
fn bare(record: &Record) -> Record {
    Record { layer: Rc::new(Layer::empty()), ..record.clone() }
}

/// The differences of a view, one for each commit that changed it.
fn deltas(
    reads: &dyn Reads,
    caller: &Caller,
    address: &Address,
    since: u64,
    commits: &[Audit],
) -> Result<Option<Vec<Notice>>> {
    let (mut notices, mut deltas) = (Vec::new(), Deltas::default());
    let (mut looked_at, mut bytes) = (0, 0);
    let chain_at = |seq| -> Result<Vec<Rc<Record>>> {
        let chain = chain_as_of(reads, address, AsOf::Seq(seq))?;
        permit_chain(reads, caller, &chain)?;
        Ok(chain)
    };
    let mut before = chain_at(since)?;
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
        let after = chain_at(commit.seq)?;
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
