//! Writes as SQL statements. Each one is idempotent.
//!
//! A statement crosses into JavaScript and back, which takes as long as writing two rows. So many
//! contexts, versions or rows of the outbox, the bulk of every batch, go into one statement, and
//! all these statements cross together. Their keys differ, so their order does not matter;
//! everything else is written in order.

use nacre_core::{
    error::Result,
    quota::Used,
    record::Record,
    row::{ReplayColumns, Row as _, kind_number, subject_columns},
    store::Write,
};

use super::{SqlStore, outbox::queued, place, reads::sheet_key, usage::used_text};
use crate::{
    schema,
    sql::{Bind, Bound, Database},
};

/// Values that a Durable Object binds in one statement.
const MOST_BOUND: usize = 100;

/// Columns of a context's row and of a version's.
const COLUMNS: usize = 6;

type Bindings<'a> = [Bind<'a>; COLUMNS];

impl<D: Database> SqlStore<D> {
    /// Writes rows, each with its sealed value. `used` is what the store holds after them.
    pub(super) fn write(&self, writes: &[Write], sealed: &[Vec<u8>], used: &Used) -> Result<()> {
        let (mut contexts, mut in_place, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        for (write, value) in writes.iter().zip(sealed) {
            match write {
                Write::Record(record) if self.stays_in_place(record)? => {
                    in_place.push(context(record, value));
                }
                Write::Record(record) => contexts.push(context(record, value)),
                Write::Version(version) => {
                    let [level, id] = place(&version.address);
                    let numbers = [version.version, version.seq, version.at.0].map(Bind::Number);
                    let [version, seq, at] = numbers;
                    versions.push([level, id, version, seq, at, Bind::Blob(value)]);
                }
                _ => self.write_one(write, Bind::Blob(value), used)?,
            }
        }
        let statements: Vec<Bound<'_>> =
            [(PUT_CONTEXTS, contexts), (PUT_CONTEXTS_IN_PLACE, in_place), (PUT_VERSIONS, versions)]
                .iter()
                .flat_map(|(statement, rows)| together(*statement, rows))
                .chain(queued(writes))
                .collect();
        if statements.is_empty() { Ok(()) } else { self.database.run_all(&statements) }
    }

    fn write_one(&self, write: &Write, value: Bind<'_>, used: &Used) -> Result<()> {
        match write {
            Write::Record(_) | Write::Version(_) => Ok(()),
            Write::Entry(entry) => {
                let [level, id] = place(&entry.address);
                let numbers = [kind_number(entry.kind), entry.id.seq, entry.id.n, entry.at.0];
                let [kind, seq, n, at] = numbers.map(Bind::Number);
                self.database.run(PUT_ENTRY, &[level, id, kind, seq, n, at, value])
            }
            Write::Secret(secret) => {
                let fingerprint = secret.fingerprint.to_string();
                let sealed = Bind::Blob(&secret.sealed);
                self.database.run(PUT_SECRET, &[Bind::Text(&fingerprint), sealed])
            }
            Write::Member(member) => {
                let key = [member.project.as_str(), member.user.as_str()].map(Bind::Text);
                let [project, user] = key;
                self.database.run(PUT_MEMBER, &[project, user, value])
            }
            Write::Expel { user, project } => {
                self.database.run(DROP_MEMBER, &[project.as_str(), user.as_str()].map(Bind::Text))
            }
            Write::Revoke(subject, revocation) => {
                let (kind, name) = subject_columns(subject);
                let key = [Bind::Number(kind), Bind::Text(name)];
                if revocation.is_none() {
                    return self.database.run(DROP_REVOCATION, &key);
                }
                self.database.run(schema::REVOCATIONS, &[])?;
                let [kind, name] = key;
                self.database.run(PUT_REVOCATION, &[kind, name, value])
            }
            Write::Sheet(sheet) => {
                for statement in schema::SHEETS_TABLE {
                    self.database.run(statement, &[])?;
                }
                let [kind, name] = sheet_key(sheet.kind, &sheet.name);
                if sheet.is_end() {
                    return self.database.run(DROP_SHEET, &[kind, name]);
                }
                let waits = Bind::Number(sheet.waits.into());
                self.database.run(PUT_SHEET, &[kind, name, waits, value])
            }
            Write::Replay(replay) => {
                let ReplayColumns { id, expires } = replay.columns();
                let [id, user] = [Bind::Blob(&id), Bind::Text(replay.user.as_str())];
                self.database.run(PUT_REPLAY, &[id, Bind::Number(expires.0), value, user])
            }
            Write::Audit(audit) => {
                let [seq, at] = [audit.seq, audit.at.0].map(Bind::Number);
                let used = used_text(used)?;
                self.database.run(PUT_AUDIT, &[seq, at, value, Bind::Text(&used)])
            }
        }
    }

    /// Whether a context keeps its parent and its deleted state. Then its indexes need no write.
    fn stays_in_place(&self, record: &Record) -> Result<bool> {
        let known = self.held()?.records.get(&record.address).flatten();
        Ok(known
            .is_some_and(|known| known.parent == record.parent && known.deleted == record.deleted))
    }
}

/// Rows in as few statements as may be. `around` is the text before and after the values.
pub(super) fn together<'a, const COLUMNS: usize>(
    around: [&'static str; 2],
    rows: &[[Bind<'a>; COLUMNS]],
) -> impl Iterator<Item = Bound<'a>> {
    let [insert, conflict] = around;
    let row = format!("(?{})", ", ?".repeat(COLUMNS.saturating_sub(1)));
    rows.chunks(MOST_BOUND / COLUMNS.max(1)).map(move |rows| Bound {
        statement: format!("{insert} VALUES {} {conflict}", vec![&*row; rows.len()].join(", "))
            .into(),
        bindings: rows.as_flattened().to_vec(),
    })
}

fn context<'a>(record: &'a Record, value: &'a [u8]) -> Bindings<'a> {
    let [level, id] = place(&record.address);
    let parent = record.parent.as_ref().map(|parent| parent.as_str()).into();
    let updated_at = Bind::Number(record.updated_at.0);
    [level, id, parent, updated_at, record.deleted.into(), Bind::Blob(value)]
}

// An upsert without indexed columns costs one row. With them it costs one more row for each index
// that contains the row before or after. These are the texts before and after the values:

const PUT_CONTEXTS: [&str; 2] = [
    "INSERT INTO contexts (level, id, parent, updated_at, deleted, value)",
    "ON CONFLICT (level, id) DO UPDATE SET parent = excluded.parent,
        updated_at = excluded.updated_at, deleted = excluded.deleted, value = excluded.value",
];

const PUT_CONTEXTS_IN_PLACE: [&str; 2] = [
    "INSERT INTO contexts (level, id, parent, updated_at, deleted, value)",
    "ON CONFLICT (level, id) DO UPDATE SET updated_at = excluded.updated_at, value = excluded.value",
];

const PUT_VERSIONS: [&str; 2] =
    ["INSERT OR REPLACE INTO versions (level, id, version, seq, at, value)", ""];

const PUT_ENTRY: &str = "INSERT OR REPLACE INTO entries (level, id, kind, seq, n, at, value)
    VALUES (?, ?, ?, ?, ?, ?, ?)";

const PUT_SECRET: &str = "INSERT OR REPLACE INTO secrets (fingerprint, value) VALUES (?, ?)";

const PUT_MEMBER: &str = "INSERT OR REPLACE INTO members (project, user, value) VALUES (?, ?, ?)";

const DROP_MEMBER: &str = "DELETE FROM members WHERE project = ? AND user = ?";

const PUT_REVOCATION: &str =
    "INSERT OR REPLACE INTO revocations (kind, name, value) VALUES (?, ?, ?)";

const DROP_REVOCATION: &str = "DELETE FROM revocations WHERE kind = ? AND name = ?";

const PUT_SHEET: &str =
    "INSERT OR REPLACE INTO sheets (kind, name, waits, value) VALUES (?, ?, ?, ?)";

const DROP_SHEET: &str = "DELETE FROM sheets WHERE kind = ? AND name = ?";

const PUT_REPLAY: &str = "INSERT OR REPLACE INTO replays (id, expires, value, user)
    VALUES (?, ?, ?, ?)";

const PUT_AUDIT: &str = "INSERT OR REPLACE INTO audit (seq, at, value, used) VALUES (?, ?, ?, ?)";
