//! Reads of stored contexts: one, a list, entries, history.

use alloc::{boxed::Box, format, rc::Rc, vec::Vec};

use super::{Asker, Setting, preview, reveal::revealed, view};
use crate::{
    history::{VERSIONS_AT_ONCE, chain_as_of, no_version, record_as_of, record_of, state_at},
    limits,
    moment::Moment,
    op::{Read, Which},
    plan::{ContextReply, DiffLine, HistoryItem, Reply, Shown},
    record::{Entry, EntryId, EntryKind, Heading, Record, State, Version},
    sight::{Sight, shared_sealed},
    store::{AsOf, Filter, Reads},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    sort::sort_by,
};

/// Most contexts or entries read at once, which have no data or little.
const AT_ONCE: usize = 32;

/// The parts of a context to show.
#[derive(Clone, Copy)]
pub(super) struct Show {
    pub(super) data: bool,
    /// Whether to show sealed values.
    pub(super) reveal: bool,
}

pub(super) fn read(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    asker: Asker<'_>,
    read: &Read,
) -> Result<Reply> {
    let sight = asker.sight;
    for at in past_states(read).into_iter().flatten() {
        refuse_the_future(reads.seq()?, setting.at, at)?;
    }
    match read {
        Read::Get { address, which, reveal } => {
            get(reads, setting, sight, address, *which, *reveal)
        }
        Read::List { filter, after, limit, data, reveal } => {
            let show = Show { data: *data, reveal: *reveal };
            list(reads, setting, sight, filter, after.as_ref(), *limit, show)
        }
        Read::Resolve(resolve) => view::resolve(reads, setting, sight, resolve),
        Read::ViewDiff { address, from, to } => view::diff(reads, sight, address, *from, *to),
        Read::Preview { edits, .. } => preview::preview(reads, setting, asker, edits),
        Read::Entries { address, kind, before, limit, .. } => {
            entries(reads, sight, address, *kind, *before, *limit)
        }
        Read::History { address, before, limit } => {
            let current = known(reads, address)?;
            history(reads, sight, &current, *before, *limit)
        }
        Read::Diff { address, from, to } => {
            let record = known(reads, address)?;
            let from = seen(reads, sight, &record, *from)?;
            let to = match to {
                Some(to) => seen(reads, sight, &record, *to)?,
                None => State::of(&record),
            };
            let patch = diff(&from.layer, &to.layer)?;
            let lines = patch.operations.into_iter();
            Ok(Reply::Diff(
                lines.map(|operation| DiffLine { operation, layers: Vec::new() }).collect(),
            ))
        }
    }
}

/// The past states that a question names.
fn past_states(read: &Read) -> [Option<AsOf>; 2] {
    match read {
        Read::Get { which: Which::AsOf(at), .. } => [Some(*at), None],
        Read::Resolve(resolve) => [resolve.as_of, None],
        Read::ViewDiff { from, to, .. } => [Some(*from), *to],
        _ => [None, None],
    }
}

/// Refuses a state that is not in the past of a store, whose newest commit is `newest`. A host without
/// a clock gives 0 as `now`, and then every time counts as past.
///
/// # Errors
/// `invalid-request`.
pub fn refuse_the_future(newest: u64, now: Moment, at: AsOf) -> Result<()> {
    let is_to_come = match at {
        AsOf::Seq(seq) => seq > newest,
        AsOf::Time(time) => now > Moment(0) && time > now,
    };
    if is_to_come {
        let detail = format!("this state is in the future; the newest is {newest}");
        return Err(Error::new(Code::InvalidRequest, detail));
    }
    Ok(())
}

fn get(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    sight: &dyn Sight,
    address: &Address,
    which: Which,
    reveal: bool,
) -> Result<Reply> {
    let record = match which {
        Which::Current => known(reads, address)?,
        Which::Version(version) => {
            let current = known(reads, address)?;
            let (row, state) = seen_version(reads, sight, &current, version)?;
            if reveal && !sight.reveals_version(reads, &row, &state)? {
                return Err(shared_sealed());
            }
            Rc::new(record_of(&current, &row, state))
        }
        Which::AsOf(at) => {
            if !sight.is_owner() {
                let chain = sight.chain(chain_as_of(reads, address, at)?, Some(at))?;
                if reveal && !sight.reveals_chain(&chain) {
                    return Err(shared_sealed());
                }
            }
            record_as_of(reads, address, at)?.ok_or_else(Error::not_found)?
        }
    };
    if which == Which::Current && !record.is_live() {
        return Err(Error::not_found());
    }
    Ok(Reply::Context(Box::new(whole(reads, setting, record, reveal)?)))
}

/// A context with its data.
fn whole(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    record: Rc<Record>,
    reveal: bool,
) -> Result<ContextReply> {
    let revealed = if reveal { Some(revealed(reads, setting, &record.layer)?) } else { None };
    Ok(ContextReply { revealed, ..ContextReply::of(Shown::Whole(record)) })
}

/// A context, deleted or not, because its history outlives it.
pub(super) fn known(reads: &dyn Reads, address: &Address) -> Result<Rc<Record>> {
    reads.record(address)?.ok_or_else(Error::not_found)
}

/// The state of a context at a version that the caller sees.
///
/// # Errors
/// As [`state_at`]; `not-found` for a version that the caller does not see.
pub(super) fn seen(
    reads: &dyn Reads,
    sight: &dyn Sight,
    current: &Record,
    version: u64,
) -> Result<State> {
    seen_version(reads, sight, current, version).map(|(_, state)| state)
}

fn seen_version(
    reads: &dyn Reads,
    sight: &dyn Sight,
    current: &Record,
    version: u64,
) -> Result<(Version, State)> {
    let found = state_at(reads, current, version)?;
    if sight.sees(reads, &found.0, &found.1)? { Ok(found) } else { Err(no_version()) }
}

pub(super) fn page(limit: usize) -> usize {
    limit.clamp(1, limits::PAGE)
}

/// A page of contexts. It ends early when it has enough data.
pub(super) fn list(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    sight: &dyn Sight,
    filter: &Filter,
    after: Option<&Address>,
    limit: usize,
    show: Show,
) -> Result<Reply> {
    let limit = page(limit);
    let mut items: Vec<ContextReply> = Vec::with_capacity(limit);
    let (mut bytes, mut after) = (0, after.cloned());
    loop {
        let wanted = AT_ONCE.min(limit - items.len() + 1);
        let found = listed(reads, sight, filter, after.as_ref(), wanted)?;
        let is_last = found.len() < wanted;
        for heading in found {
            if items.len() == limit || bytes >= limits::ANSWER_BYTES {
                return Ok(Reply::Contexts { items, next: after });
            }
            after = Some(heading.address.clone());
            let item = match show.data {
                true => whole(reads, setting, known(reads, &heading.address)?, show.reveal)?,
                false => ContextReply::of(Shown::Heading(heading)),
            };
            bytes += item.memory();
            items.push(item);
        }
        if is_last {
            return Ok(Reply::Contexts { items, next: None });
        }
    }
}

/// The next contexts of a list; for guests, only those of their projects.
fn listed(
    reads: &dyn Reads,
    sight: &dyn Sight,
    filter: &Filter,
    after: Option<&Address>,
    limit: usize,
) -> Result<Vec<Rc<Heading>>> {
    let Some(memberships) = sight.memberships().filter(|_| filter.under.is_none()) else {
        return reads.list(filter, after, limit);
    };
    let mut found = Vec::new();
    for member in memberships {
        let project = member.project.clone();
        let under = Address { level: nacre_layers::level::Level::Project, id: project };
        let filter = Filter { under: Some(under), ..filter.clone() };
        found.extend(reads.list(&filter, after, limit)?); // each one is a separate part of the tree
    }
    sort_by(&mut found, |a, b| a.address.cmp(&b.address));
    found.truncate(limit);
    Ok(found)
}

/// A page of entries. `reveal_entries` opens their sealed texts.
pub(super) fn entries(
    reads: &dyn Reads,
    sight: &dyn Sight,
    address: &Address,
    kind: EntryKind,
    before: Option<EntryId>,
    limit: usize,
) -> Result<Reply> {
    let current = known(reads, address)?;
    let (found, more) = paged(
        page(limit),
        |last: Option<&Entry>, limit| {
            reads.entries(address, kind, last.map(|last| last.id).or(before), limit)
        },
        |entry| entry.content.len(),
    )?;
    // A context that was created again starts without the entries of the one before.
    let is_own = |entry: &&Entry| entry.at >= current.created_at && entry.id.seq >= sight.first();
    let next = found.last().filter(is_own).map(|last| last.id).filter(|_| more);
    let mut items = Vec::with_capacity(found.len());
    for entry in found {
        if is_own(&&entry) && sight.sees_at(reads, address, entry.id.seq)? {
            items.push(entry);
        }
    }
    Ok(Reply::Entries { items, next, revealed: Vec::new() })
}

/// A page of rows, and whether there are more. It ends early when it has enough for one answer.
pub(super) fn paged<T>(
    limit: usize,
    next: impl Fn(Option<&T>, usize) -> Result<Vec<T>>,
    bytes: impl Fn(&T) -> usize,
) -> Result<(Vec<T>, bool)> {
    let (mut items, mut taken) = (Vec::new(), 0);
    loop {
        let wanted = AT_ONCE.min(limit - items.len() + 1);
        let found = next(items.last(), wanted)?;
        let is_last = found.len() < wanted;
        for item in found {
            if items.len() == limit || taken >= limits::ANSWER_BYTES {
                return Ok((items, true));
            }
            taken += bytes(&item);
            items.push(item);
        }
        if is_last {
            return Ok((items, false));
        }
    }
}

fn history(
    reads: &dyn Reads,
    sight: &dyn Sight,
    current: &Record,
    before: Option<u64>,
    limit: usize,
) -> Result<Reply> {
    let mut items = Vec::new();
    let next = descend(reads, current, before, page(limit), |mut version, state, earlier| {
        if !sight.sees(reads, &version, state)? {
            return Ok(Step { bytes: 0, is_last: version.seq < sight.first() });
        }
        // The reason for a commit belongs to the project, and the time, of the commit.
        if !sight.sees_commit(reads, &version)? {
            version.summary = None;
        }
        // The patch tells of the state before.
        let before = version.seq.saturating_sub(1);
        let patch = match earlier {
            Some(_) if !sight.sees_at(reads, &version.address, before)? => None,
            _ => Some(state.patch_from(earlier)?),
        };
        // Many small values take more memory than text, here and again when they are written.
        let bytes = patch
            .as_ref()
            .map_or(0, |patch| patch.bytes().max(2 * (patch.memory() - patch.bytes())));
        items.push(HistoryItem { version, patch });
        Ok(Step { bytes, is_last: false })
    })?;
    Ok(Reply::History { items, next })
}

/// One version of a walk.
pub(super) struct Step {
    /// What it takes in the answer, in bytes.
    pub(super) bytes: usize,
    /// Whether to look at no older one.
    pub(super) is_last: bool,
}

/// Most bytes of data that one page of history goes through. Each version is made from the one after
/// it, so a page of large versions is slow, however little they differ.
const WALKED_BYTES: usize = 16 << 20;

/// Walks down a history from the version before `before`, newest first, with the state of each
/// version and of the previous one. It stops after `limit` versions, when their bytes are enough for
/// one answer, or when it has gone through [`WALKED_BYTES`]. Returns the last version, if there are
/// older ones.
pub(super) fn descend(
    reads: &dyn Reads,
    current: &Record,
    before: Option<u64>,
    limit: usize,
    mut take: impl FnMut(Version, &State, Option<&State>) -> Result<Step>,
) -> Result<Option<u64>> {
    let (mut taken, mut bytes, mut walked, mut before) = (0, 0, 0, before);
    let mut state = None;
    loop {
        let wanted = (VERSIONS_AT_ONCE as usize).min(limit - taken + 1);
        let rows = reads.versions_before(&current.address, before, wanted)?;
        let is_last = rows.len() < wanted;
        for version in rows {
            if taken == limit || bytes >= limits::ANSWER_BYTES || walked >= WALKED_BYTES {
                return Ok(before);
            }
            let made = match state.take() {
                Some(state) => state,
                None if version.version == current.version => State::of(current),
                None => state_at(reads, current, version.version)?.1,
            };
            before = Some(version.version);
            let earlier = version.undo.as_ref().map(|undo| made.undone(undo)).transpose()?;
            taken += 1;
            walked += made.layer.text().len();
            // What leads back to the earlier version has been used.
            let version = Version { undo: None, full: None, ..version };
            let step = take(version, &made, earlier.as_ref())?;
            bytes += step.bytes;
            state = earlier;
            if step.is_last {
                return Ok(None);
            }
        }
        if is_last {
            return Ok(None);
        }
    }
}
