//! Walks over all sealed values of a store in bounded parts.

use nacre_core::{
    error::Result,
    marker::Fingerprint,
    record::{Audit, Entry, Member, Record, Replay, Version},
    revocation::Revocation,
    row::Row as _,
    seal::{KeyId, Keyring, RowIdentity, reseal_row, reseal_secret, sealed_with},
    sheet::Sheet,
};

use super::{
    SqlStore,
    meta::Place,
    reads::{
        audit_columns, context_columns, entry_columns, member_columns, replay_columns,
        revocation_columns, sheet_columns, version_columns,
    },
    search::document_columns,
    search_state::SearchState,
};
use crate::sql::{Bind, Cell, Database, Row, odd};

/// Most rows in one part of a walk.
const PART_ROWS: u64 = 200;

/// Most sealed bytes in one part of a walk, unless one row alone has more.
const PART_BYTES: u64 = 4 << 20;

/// A table with sealed values.
struct Table {
    /// Parameters that come before every key.
    before: &'static [Bind<'static>],
    /// Lengths of values after a key.
    lengths: &'static str,
    /// Columns and values after a key; the key's columns first.
    rows: &'static str,
    /// Replaces the value of one row.
    put: &'static str,
    /// Counts rows whose value is not sealed with a given data key.
    foreign: &'static str,
    /// What the values are bound to when they are sealed.
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    /// To the row.
    Row(fn(&mut Row) -> Result<RowIdentity>),
    /// To the fingerprint of a secret.
    Secret,
}

const fn number() -> Bind<'static> {
    Bind::Number(0)
}

const fn text() -> Bind<'static> {
    Bind::Text("")
}

/// The tables that mention secrets come first; see [`CONTEXTS`], [`VERSIONS`] and [`ENTRIES`].
const TABLES: [Table; 11] = [
    Table {
        before: &[number(), text()],
        lengths: "SELECT length(value) FROM contexts WHERE (level, id) > (?, ?)
            ORDER BY level, id LIMIT ?",
        rows: "SELECT level, id, parent, updated_at, deleted, value FROM contexts
            WHERE (level, id) > (?, ?) ORDER BY level, id LIMIT ?",
        put: "UPDATE contexts SET value = ? WHERE level = ? AND id = ?",
        foreign: "SELECT count(*) FROM contexts WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| context_columns(row).map(|columns| Record::identity(&columns))),
    },
    Table {
        before: &[number(), text(), number()],
        lengths: "SELECT length(value) FROM versions WHERE (level, id, version) > (?, ?, ?)
            ORDER BY level, id, version LIMIT ?",
        rows: "SELECT level, id, version, seq, at, value FROM versions
            WHERE (level, id, version) > (?, ?, ?) ORDER BY level, id, version LIMIT ?",
        put: "UPDATE versions SET value = ? WHERE level = ? AND id = ? AND version = ?",
        foreign: "SELECT count(*) FROM versions WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| version_columns(row).map(|columns| Version::identity(&columns))),
    },
    Table {
        before: &[number(), text(), number(), number(), number()],
        lengths: "SELECT length(value) FROM entries
            WHERE (level, id, kind, seq, n) > (?, ?, ?, ?, ?)
            ORDER BY level, id, kind, seq, n LIMIT ?",
        rows: "SELECT level, id, kind, seq, n, at, value FROM entries
            WHERE (level, id, kind, seq, n) > (?, ?, ?, ?, ?)
            ORDER BY level, id, kind, seq, n LIMIT ?",
        put: "UPDATE entries SET value = ?
            WHERE level = ? AND id = ? AND kind = ? AND seq = ? AND n = ?",
        foreign: "SELECT count(*) FROM entries WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| entry_columns(row).map(|columns| Entry::identity(&columns))),
    },
    Table {
        before: &[number()],
        lengths: "SELECT length(value) FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",
        rows: "SELECT seq, at, value FROM audit WHERE seq > ? ORDER BY seq LIMIT ?",
        put: "UPDATE audit SET value = ? WHERE seq = ?",
        foreign: "SELECT count(*) FROM audit WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| audit_columns(row).map(|columns| Audit::identity(&columns))),
    },
    Table {
        before: &[Bind::Blob(&[])],
        lengths: "SELECT length(value) FROM replays WHERE id > ? ORDER BY id LIMIT ?",
        rows: "SELECT id, expires, value FROM replays WHERE id > ? ORDER BY id LIMIT ?",
        put: "UPDATE replays SET value = ? WHERE id = ?",
        foreign: "SELECT count(*) FROM replays WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| replay_columns(row).map(|columns| Replay::identity(&columns))),
    },
    Table {
        before: &[text(), text()],
        lengths: "SELECT length(value) FROM members WHERE (project, user) > (?, ?)
            ORDER BY project, user LIMIT ?",
        rows: "SELECT project, user, value FROM members WHERE (project, user) > (?, ?)
            ORDER BY project, user LIMIT ?",
        put: "UPDATE members SET value = ? WHERE project = ? AND user = ?",
        foreign: "SELECT count(*) FROM members WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| member_columns(row).map(|columns| Member::identity(&columns))),
    },
    Table {
        before: &[text()],
        lengths: "SELECT length(value) FROM secrets WHERE fingerprint > ?
            ORDER BY fingerprint LIMIT ?",
        rows: "SELECT fingerprint, value FROM secrets WHERE fingerprint > ?
            ORDER BY fingerprint LIMIT ?",
        put: "UPDATE secrets SET value = ? WHERE fingerprint = ?",
        foreign: "SELECT count(*) FROM secrets WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Secret,
    },
    Table {
        before: &[number(), text()],
        lengths: "SELECT length(value) FROM revocations WHERE (kind, name) > (?, ?)
            ORDER BY kind, name LIMIT ?",
        rows: "SELECT kind, name, value FROM revocations WHERE (kind, name) > (?, ?)
            ORDER BY kind, name LIMIT ?",
        put: "UPDATE revocations SET value = ? WHERE kind = ? AND name = ?",
        foreign: "SELECT count(*) FROM revocations WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| {
            revocation_columns(row).map(|columns| Revocation::identity(&columns))
        }),
    },
    Table {
        before: &[number(), text()],
        lengths: "SELECT length(value) FROM search WHERE (level, id) > (?, ?)
            ORDER BY level, id LIMIT ?",
        rows: "SELECT level, id, words, value FROM search
            WHERE (level, id) > (?, ?) ORDER BY level, id LIMIT ?",
        put: "UPDATE search SET value = ? WHERE level = ? AND id = ?",
        foreign: "SELECT count(*) FROM search WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| document_columns(row).map(|columns| columns.identity())),
    },
    Table {
        before: &[number()],
        lengths: "SELECT length(value) FROM search_state WHERE one > ? ORDER BY one LIMIT ?",
        rows: "SELECT one, value FROM search_state WHERE one > ? ORDER BY one LIMIT ?",
        put: "UPDATE search_state SET value = ? WHERE one = ?",
        foreign: "SELECT count(*) FROM search_state WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|_| Ok(SearchState::identity())),
    },
    Table {
        before: &[number(), text()],
        lengths: "SELECT length(value) FROM sheets WHERE (kind, name) > (?, ?)
            ORDER BY kind, name LIMIT ?",
        rows: "SELECT kind, name, waits, value FROM sheets WHERE (kind, name) > (?, ?)
            ORDER BY kind, name LIMIT ?",
        put: "UPDATE sheets SET value = ? WHERE kind = ? AND name = ?",
        foreign: "SELECT count(*) FROM sheets WHERE substr(value, 3, 2) <> ?",
        bound: Bound::Row(|row| sheet_columns(row).map(|columns| Sheet::identity(&columns))),
    },
];

/// The places of contexts, versions and entries in the walk: only they mention secrets.
pub(super) const CONTEXTS: u64 = 0;
pub(super) const VERSIONS: u64 = 1;
pub(super) const ENTRIES: u64 = 2;

/// One part of a walk.
pub(super) struct Part {
    /// Rows of one table, key columns first.
    pub(super) rows: Vec<Row>,
    /// The start of the next part; `None` after the last table.
    pub(super) next: Option<Place>,
}

impl<D: Database> SqlStore<D> {
    /// The part of the walk that starts at `place`.
    pub(super) fn part(&self, place: &Place) -> Result<Part> {
        let Some(table) = usize::try_from(place.table).ok().and_then(|at| TABLES.get(at)) else {
            return Ok(Part { rows: Vec::new(), next: None });
        };
        let mut bindings: Vec<Bind<'_>> = if place.after.is_empty() {
            table.before.to_vec()
        } else {
            place.after.iter().map(Cell::bind).collect()
        };
        bindings.push(Bind::Number(PART_ROWS));
        let mut bytes = 0;
        let mut count = 0;
        // The last table may be missing.
        let lengths = self.database.query_if_there(table.lengths, &bindings)?;
        for mut row in lengths.unwrap_or_default() {
            bytes += row.number()?;
            if bytes > PART_BYTES && count > 0 {
                break;
            }
            count += 1;
        }
        if let Some(limit) = bindings.last_mut() {
            *limit = Bind::Number(count);
        }
        let rows =
            if count == 0 { Vec::new() } else { self.database.query(table.rows, &bindings)? };
        let next = match rows.last() {
            Some(last) => {
                let after = last.cells().iter().take(table.before.len()).cloned().collect();
                Some(Place { table: place.table, after })
            }
            None => {
                let table = place.table + 1;
                (table < TABLES.len() as u64).then_some(Place { table, after: Vec::new() })
            }
        };
        Ok(Part { rows, next })
    }

    /// Reseals the rows of one part with the newest key. Returns how many could not be opened; they
    /// stay as they are.
    pub(super) fn reseal(
        &self,
        place: &Place,
        rows: Vec<Row>,
        keys: &Keyring,
        mut nonce: impl FnMut() -> [u8; 12],
    ) -> Result<u64> {
        let Some(table) = usize::try_from(place.table).ok().and_then(|at| TABLES.get(at)) else {
            return Ok(0);
        };
        let newest = keys.newest();
        let mut unopened = 0;
        for mut row in rows {
            let key: Vec<Cell> = row.cells().iter().take(table.before.len()).cloned().collect();
            let Some(Cell::Blob(value)) = row.cells().last().cloned() else { return Err(odd()) };
            if sealed_with(&value) == Some(newest) {
                continue;
            }
            let resealed = match table.bound {
                Bound::Row(identity) => identity(&mut row)
                    .and_then(|identity| reseal_row(keys, &identity, &value, nonce())),
                Bound::Secret => fingerprint(&mut row)
                    .and_then(|fingerprint| reseal_secret(keys, &fingerprint, &value, nonce())),
            };
            let Ok(resealed) = resealed else {
                unopened += 1;
                continue;
            };
            let bindings: Vec<Bind<'_>> =
                std::iter::once(Bind::Blob(&resealed)).chain(key.iter().map(Cell::bind)).collect();
            self.database.run(table.put, &bindings)?;
        }
        Ok(unopened)
    }

    /// How many values are sealed with another data key.
    pub(super) fn sealed_otherwise(&self, key: KeyId) -> Result<u64> {
        let KeyId::Data(generation) = key else { return Err(odd()) };
        let generation = generation.to_be_bytes();
        let mut count = 0;
        for table in &TABLES {
            let foreign =
                self.database.query_if_there(table.foreign, &[Bind::Blob(&generation)])?;
            let Some(rows) = foreign else { continue };
            count += rows.into_iter().next().ok_or_else(odd)?.number()?;
        }
        Ok(count)
    }
}

fn fingerprint(row: &mut Row) -> Result<Fingerprint> {
    row.text()?.parse().map_err(|_| odd())
}
