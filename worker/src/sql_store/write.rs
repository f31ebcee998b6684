//! Writes as SQL statements. Each one is idempotent.
//!
//! A statement crosses into JavaScript and back, which takes as long as writing two rows. So many
//! contexts or versions, the bulk of every batch, go into one statement: it takes their columns as
//! one JSON text and their values as one blob. Their keys differ, so their order does not matter;
//! everything else is written in order.

use nacre_core::{
    error::{Error, Result},
    json,
    quota::Used,
    record::Record,
    row::{ReplayColumns, Row as _, kind_number, subject_columns},
    store::Write,
};

use super::{SqlStore, place, usage::used_text};
use crate::{
    schema,
    sql::{Bind, Database},
};

/// Most bytes of values in one statement; the platform takes 2 MB in one parameter.
const VALUES_BYTES: usize = 1 << 20;

/// A row of a context or of a version.
struct Put<'a> {
    columns: [Bind<'a>; 5],
    value: &'a [u8],
}

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
                    versions.push(Put { columns: [level, id, version, seq, at], value });
                }
                _ => self.write_one(write, Bind::Blob(value), used)?,
            }
        }
        self.write_many(PUT_CONTEXTS, &contexts)?;
        self.write_many(PUT_CONTEXTS_IN_PLACE, &in_place)?;
        self.write_many(PUT_VERSIONS, &versions)
    }

    fn write_many(&self, [insert, conflict]: [&str; 2], rows: &[Put<'_>]) -> Result<()> {
        if let [Put { columns: [a, b, c, d, e], value }] = rows {
            let statement = format!("{insert} VALUES (?, ?, ?, ?, ?, ?) {conflict}");
            return self.database.run(&statement, &[*a, *b, *c, *d, *e, Bind::Blob(value)]);
        }
        let statement = format!("{insert} {ROWS} {conflict}");
        let mut rows = rows.iter().peekable();
        while rows.peek().is_some() {
            let (mut columns, mut values) = (Vec::new(), Vec::new());
            while let Some(row) = rows
                .next_if(|row| values.is_empty() || values.len() + row.value.len() <= VALUES_BYTES)
            {
                columns.push(row.columns_as_json(values.len())?);
                values.extend_from_slice(row.value);
            }
            let columns = format!("[{}]", columns.join(","));
            self.database.run(&statement, &[Bind::Text(&columns), Bind::Blob(&values)])?;
        }
        Ok(())
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

impl Put<'_> {
    /// The columns and the place of the value as a JSON array. `start` is where the value begins.
    fn columns_as_json(&self, start: usize) -> Result<String> {
        let mut json = String::from("[");
        for column in self.columns {
            match column {
                Bind::Null => json.push_str("null"),
                Bind::Number(number) => json.push_str(&number.to_string()),
                Bind::Text(text) => {
                    let mut quoted = Vec::new();
                    json::write_string(text, &mut quoted);
                    json.push_str(&String::from_utf8_lossy(&quoted));
                }
                Bind::Blob(_) => return Err(Error::bug("a column of a row holds bytes")),
            }
            json.push(',');
        }
        // SQL counts from 1.
        json.push_str(&format!("{},{}]", start + 1, self.value.len()));
        Ok(json)
    }
}

fn context<'a>(record: &'a Record, value: &'a [u8]) -> Put<'a> {
    let [level, id] = place(&record.address);
    let parent = record.parent.as_ref().map(|parent| parent.as_str()).into();
    let updated_at = Bind::Number(record.updated_at.0);
    Put { columns: [level, id, parent, updated_at, record.deleted.into()], value }
}

/// The rows of [`Put::columns_as_json`]. The condition keeps SQLite from reading `ON CONFLICT` as a
/// part of a join.
const ROWS: &str = "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
    substr(?2, value ->> 5, value ->> 6) FROM json_each(?1) WHERE true";

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

const PUT_REPLAY: &str = "INSERT OR REPLACE INTO replays (id, expires, value, user)
    VALUES (?, ?, ?, ?)";

const PUT_AUDIT: &str = "INSERT OR REPLACE INTO audit (seq, at, value, used) VALUES (?, ?, ?, ?)";
