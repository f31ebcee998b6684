//! Past states: undo versions from the current one, or from the nearest one that was stored whole.
//!
//! A version row holds the patch back to the previous version; every [`WHOLE_EVERY`]th also holds
//! its whole state. So the newest state costs nothing, an older one at most that many small
//! patches, and dropping the oldest rows does not affect the others.

use alloc::{rc::Rc, vec::Vec};

use crate::{
    record::{Change, Heading, Record, State, Undo, Version},
    store::{AsOf, Reads},
};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::{Code, Error, Result},
    id::ContextId,
    layer::Layer,
    level::Level,
    patch::JsonPatch,
};

/// Every version with a number divisible by this stores its whole state.
pub const WHOLE_EVERY: u64 = 32;

impl State {
    /// The state of a record.
    pub fn of(record: &Record) -> State {
        State {
            layer: record.layer.clone(),
            rules: record.rules.clone(),
            parent: record.parent.clone(),
        }
    }

    /// The state before a version, from the state after it.
    pub(crate) fn undone(&self, undo: &Undo) -> Result<State> {
        let layer = if undo.data.operations.is_empty() {
            self.layer.clone()
        } else {
            let mut value = self.layer.to_value()?;
            undo.data.apply(&mut value).map_err(|_| broken())?;
            Rc::new(Layer::from_value(&value)?)
        };
        Ok(State {
            layer,
            rules: undo.rules.clone().map_or_else(|| self.rules.clone(), Rc::new),
            parent: undo.parent.clone().or_else(|| self.parent.clone()),
        })
    }

    /// The edit that turns the data of the previous state, or `{}`, into this one.
    pub(crate) fn patch_from(&self, before: Option<&State>) -> Result<JsonPatch> {
        match before {
            Some(before) => diff(&before.layer, &self.layer),
            None => diff(&Layer::empty(), &self.layer),
        }
    }

    /// The way from this state back to an earlier one.
    pub fn undo_to(&self, before: &State) -> Result<Undo> {
        Ok(Undo {
            data: diff(&self.layer, &before.layer)?,
            rules: (self.rules != before.rules).then(|| (*before.rules).clone()),
            parent: before.parent.clone().filter(|_| self.parent != before.parent),
        })
    }
}

/// The state of a context at a version, with that version.
///
/// # Errors
/// `not-found` for a version that never existed, `history-expired` for one that is no longer kept.
pub fn state_at(reads: &dyn Reads, current: &Record, wanted: u64) -> Result<(Version, State)> {
    if wanted == 0 || wanted > current.version {
        return Err(no_version());
    }
    // Every version from the nearest whole one, or the current one, down to the wanted one.
    let mut top = wanted.next_multiple_of(WHOLE_EVERY).min(current.version);
    let mut state = State::of(current);
    let mut above = top + 1;
    'whole: loop {
        let limit = VERSIONS_AT_ONCE.min(above - wanted) as usize;
        let rows = reads.versions_before(&current.address, Some(above), limit)?;
        if rows.is_empty() {
            return Err(expired());
        }
        for row in rows {
            above -= 1;
            if row.version < above {
                return Err(expired());
            }
            match &row.full {
                Some(full) if above == top => state = (**full).clone(),
                // A state that is too large for its row is not stored; the next one may be.
                None if above == top && top < current.version => {
                    top = (top + WHOLE_EVERY).min(current.version);
                    above = top + 1;
                    continue 'whole;
                }
                _ => {}
            }
            if above == wanted {
                return Ok((row, state));
            }
            state = state.undone(row.undo.as_ref().ok_or_else(expired)?)?;
        }
    }
}

/// How many versions [`state_at`] undoes to make one, if each whole state is stored.
pub(crate) fn steps_to(wanted: u64, current: u64) -> usize {
    let top = wanted.next_multiple_of(WHOLE_EVERY).min(current);
    top.saturating_sub(wanted) as usize
}

/// Most versions read at once, because each may have [`DATA_BYTES`](crate::limits::DATA_BYTES) several times.
pub(crate) const VERSIONS_AT_ONCE: u64 = 4;

/// A context at a past state; `not-found` if it did not exist then.
pub(crate) fn record_as_of(
    reads: &dyn Reads,
    address: &Address,
    at: AsOf,
) -> Result<Option<Rc<Record>>> {
    let Some(current) = reads.record(address)? else { return Ok(None) };
    let Some(version) = reads.version_as_of(address, at)? else {
        let oldest = reads.versions_from(address, 1, 1)?;
        return match oldest.first() {
            Some(oldest) if oldest.version > 1 => Err(expired()),
            _ => Ok(None),
        };
    };
    if version.change == Change::Delete {
        return Ok(None);
    }
    let (row, state) = state_at(reads, &current, version.version)?;
    Ok(Some(Rc::new(record_of(&current, &row, state))))
}

/// The record of a context at a version.
pub(crate) fn record_of(current: &Record, row: &Version, state: State) -> Record {
    let heading = Heading {
        address: current.address.clone(),
        parent: state.parent,
        version: row.version,
        seq: row.seq,
        rules: state.rules,
        created_at: current.created_at,
        updated_at: row.at,
        updated_by: row.by.clone(),
        deleted: (row.change == Change::Delete).then_some(row.seq),
    };
    Record { heading: Rc::new(heading), layer: state.layer }
}

/// The live chain of a context, global first. `not-found` if the context is not live.
pub fn chain(reads: &dyn Reads, address: &Address) -> Result<Vec<Rc<Record>>> {
    let mut find = |address: &_| Ok(reads.record(address)?.filter(|record| record.is_live()));
    climb(address, &mut find, || Error::bug("the parent of a stored context is missing"))
}

/// The chain of a context at a past state; `history-expired` if an ancestor of that time is no
/// longer kept.
pub(crate) fn chain_as_of(
    reads: &dyn Reads,
    address: &Address,
    at: AsOf,
) -> Result<Vec<Rc<Record>>> {
    climb(address, &mut |address| record_as_of(reads, address, at), expired)
}

/// Follows parents upward. Only the global layer may be missing.
fn climb(
    address: &Address,
    find: &mut dyn FnMut(&Address) -> Result<Option<Rc<Record>>>,
    missing: fn() -> Error,
) -> Result<Vec<Rc<Record>>> {
    let mut chain = Vec::with_capacity(4);
    let mut next = Some(address.clone());
    while let Some(address) = next {
        let Some(record) = find(&address)? else {
            if chain.is_empty() {
                return Err(Error::not_found());
            }
            if address.level.above().is_none() {
                break;
            }
            return Err(missing());
        };
        next = record.above();
        chain.push(record);
    }
    chain.reverse();
    Ok(chain)
}

/// The project in which a context stood after a commit; `None` if it did not exist then, or if that
/// is no longer known.
pub(crate) fn project_at(
    reads: &dyn Reads,
    address: &Address,
    seq: u64,
) -> Result<Option<ContextId>> {
    match parent_at(reads, address, seq)? {
        Some(parent) => project_with(reads, address, Some(&parent), seq),
        None => Ok(None),
    }
}

/// The project in which a context with this parent stood after a commit.
pub(crate) fn project_with(
    reads: &dyn Reads,
    address: &Address,
    parent: Option<&ContextId>,
    seq: u64,
) -> Result<Option<ContextId>> {
    if address.level == Level::Project {
        return Ok(Some(address.id.clone()));
    }
    match parent.and_then(|parent| Address::above(address.level, parent)) {
        Some(above) => project_at(reads, &above, seq),
        None => Ok(None),
    }
}

/// The parent of a context after a commit, without its data; `None` if it was not live then, or has
/// none.
fn parent_at(reads: &dyn Reads, address: &Address, seq: u64) -> Result<Option<ContextId>> {
    let Some(current) = reads.record(address)? else { return Ok(None) };
    if current.seq <= seq {
        return Ok(current.parent.clone().filter(|_| current.is_live()));
    }
    let then = reads.version_as_of(address, AsOf::Seq(seq))?;
    let Some(then) = then.filter(|then| then.change != Change::Delete) else { return Ok(None) };
    if let Some(state) = then.full {
        return Ok(state.parent);
    }
    // The next version that changed the parent says what it was before.
    let mut next = then.version + 1;
    while next <= current.version {
        let rows = reads.versions_from(address, next, WHOLE_EVERY as usize)?;
        let Some(last) = rows.last() else { break };
        next = last.version + 1;
        for row in rows {
            let moved = row.undo.and_then(|undo| undo.parent);
            if let Some(parent) = moved.or(row.full.and_then(|state| state.parent)) {
                return Ok(Some(parent));
            }
        }
    }
    Ok(current.parent.clone())
}

pub(crate) fn no_version() -> Error {
    Error::new(Code::NotFound, "the context has no such version")
}

fn expired() -> Error {
    Error::new(Code::HistoryExpired, "this state is no longer kept; read a newer one")
}

fn broken() -> Error {
    Error::new(Code::StoreUnavailable, "the stored history of this context is not consistent")
}
