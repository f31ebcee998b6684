//! Drops secrets that no context and no kept version mentions.
//!
//! ```text
//! begin: no secret is marked ─▶ each alarm: mark what the next part of contexts and versions
//! mentions; meanwhile every commit marks what it mentions ─▶ at the end: drop what has no mark
//! ```
//! A row that cannot be opened might mention any secret, so it ends the sweep.

use nacre_core::{
    error::Result,
    json,
    layer::Layer,
    limits,
    marker::{Fingerprint, markers},
    moment::Moment,
    patch::Operation,
    record::Version,
    seal::Keyring,
    store::Write,
    value::{SEALED, Value},
};

use super::{
    SqlStore,
    meta::{Meta, Place},
    reads,
    walk::{CONTEXTS, ENTRIES, VERSIONS},
};
use crate::sql::{Bind, Database};

/// Shortest time between two sweeps, in milliseconds: a sweep reads all contexts and versions.
const EVERY_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

impl<D: Database> SqlStore<D> {
    /// Starts a sweep, after rows were dropped that may have mentioned secrets.
    pub(super) fn begin_sweep(&self, meta: &mut Meta, at: Moment) -> Result<()> {
        let is_due = at >= meta.chores.swept.later(EVERY_MILLIS);
        if meta.chores.sweep.is_none() && is_due && !self.database.query(ANY, &[])?.is_empty() {
            self.database.run(UNMARK, &[])?;
            meta.chores.sweep = Some(Place::START);
            meta.chores.swept = at;
        }
        Ok(())
    }

    /// Runs the next part of a sweep, inside the alarm's transaction. Returns the bytes of the
    /// dropped secrets.
    pub(super) fn sweep_part(&self, meta: &mut Meta, keys: &Keyring) -> Result<u64> {
        let Some(place) = meta.chores.sweep.take() else { return Ok(0) };
        let Ok(part) = self.part(&place) else { return Ok(0) };
        for row in part.rows {
            let mentioned = match place.table {
                CONTEXTS => {
                    reads::record(row, keys).and_then(|(record, _)| of_layer(&record.layer))
                }
                VERSIONS => reads::version(row, keys).and_then(|version| of_version(&version)),
                ENTRIES => reads::entry(row, keys).map(|entry| of_text(&entry.content)),
                _ => break,
            };
            let Ok(mentioned) = mentioned else { return Ok(0) };
            self.mark(&mentioned)?;
        }
        match part.next.filter(|next| next.table <= ENTRIES) {
            Some(next) => meta.chores.sweep = Some(next),
            None => return Ok(self.dropped(DROP_UNMARKED, &[])?.bytes),
        }
        Ok(0)
    }

    /// Marks the secrets that a commit mentions, while a sweep is running.
    pub(super) fn mark_written(&self, writes: &[Write]) -> Result<()> {
        for write in writes {
            match write {
                Write::Record(record) => self.mark(&of_layer(&record.layer)?)?,
                Write::Version(version) => self.mark(&of_version(version)?)?,
                Write::Entry(entry) => self.mark(&of_text(&entry.content))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn mark(&self, mentioned: &[Fingerprint]) -> Result<()> {
        for fingerprint in mentioned {
            self.database.run(MARK, &[Bind::Text(&fingerprint.to_string())])?;
        }
        Ok(())
    }
}

fn of_version(version: &Version) -> Result<Vec<Fingerprint>> {
    let mut mentioned = Vec::new();
    let undo = version.undo.as_ref().map_or(&[][..], |undo| &undo.data.operations);
    for operation in undo {
        if let Operation::Add { value, .. }
        | Operation::Replace { value, .. }
        | Operation::Test { value, .. } = operation
        {
            mentioned.extend(markers(value));
        }
    }
    if let Some(full) = &version.full {
        mentioned.extend(of_layer(&full.layer)?);
    }
    Ok(mentioned)
}

/// The secret of a note whose text is a marker.
fn of_text(text: &str) -> Vec<Fingerprint> {
    let marker = text.starts_with('{').then(|| json::read(text.as_bytes(), 1).ok()).flatten();
    marker.as_ref().and_then(Fingerprint::in_marker).into_iter().collect()
}

/// The secrets that a layer mentions.
pub(super) fn of_layer(layer: &Layer) -> Result<Vec<Fingerprint>> {
    let name = SEALED.as_bytes();
    if !layer.text().windows(name.len()).any(|window| window == name) {
        return Ok(Vec::new());
    }
    let value: Value = json::read(layer.text(), limits::DEPTH)?;
    Ok(markers(&value).collect())
}

const ANY: &str = "SELECT 1 FROM secrets LIMIT 1";

const UNMARK: &str = "UPDATE secrets SET mark = 0 WHERE mark <> 0";

const MARK: &str = "UPDATE secrets SET mark = 1 WHERE fingerprint = ? AND mark = 0";

const DROP_UNMARKED: &str = "DELETE FROM secrets WHERE mark = 0 RETURNING length(value)";
