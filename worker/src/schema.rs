//! The tables of one store and the numbered steps that make them.
//!
//! Code of two versions runs side by side for a while after every deployment, on the same objects.
//! So steps only add (tables, columns with a default, indexes), and each names the oldest version
//! of the code that works with its result. Older code that meets a newer schema continues if it is
//! new enough, and otherwise stops with a clear error.
//!
//! ```text
//! meta      one row: schema and needed versions, owner, wrapped keys, the alarm that is set, work
//!           that goes on over several alarms
//! contexts  level id ▸ parent updated_at deleted value     children(level, parent) of live ones
//! versions  level id version ▸ seq at value                gone(deleted) of deleted ones
//! entries   level id kind seq n ▸ at value
//! audit     seq ▸ at value used                           the last is the last commit
//! replays   id ▸ expires value user
//! members   project user ▸ value
//! secrets   fingerprint ▸ value mark
//! revocations  kind name ▸ value                      only where tokens were revoked
//! sheets    kind name ▸ waits value     waiting(kind, name) of those that wait; only where
//!           something was promoted, or a template was put
//! outbox    level id ▸ seq indexed      contexts that the index of searches does not have yet
//! search    level id ▸ words value      a document of the index
//! search_state  one row: value          only where documents were indexed
//! erased    name                        only after an erase, see [`ERASED`]
//! ```
//! Every `value` is sealed (see `row` and `seal` in the core). Every write to an indexed column
//! costs one row more, so there are only two indexes, each over a part of the contexts.

use nacre_core::error::{Code, Error, Result};

use crate::sql::Database;

/// One step: statements, and the oldest version of the code that works with the result.
struct Step {
    needs: u64,
    /// For every store.
    statements: &'static [&'static str],
    /// For stores that have the tables already. New ones are made with these columns, because every
    /// change of a table reads and writes rows.
    upgrade: &'static [&'static str],
}

/// The first `n` steps make schema version `n`.
const STEPS: &[Step] = &[FIRST, TERMS, USE, SEARCH, SHEETS];

/// Rows of members hold the terms of the membership.
const TERMS: Step = Step { needs: 2, statements: &[], upgrade: &[] };

/// What the store holds. Older code leaves both columns out, and then everything is counted anew.
const USE: Step = Step {
    needs: 1,
    statements: &[],
    upgrade: &[
        "ALTER TABLE audit ADD COLUMN used TEXT",
        "ALTER TABLE replays ADD COLUMN user TEXT NOT NULL DEFAULT ''",
    ],
};

/// The version from which on stores have an index of searches. One from before has its contexts
/// indexed part by part, see `sql_store::search`.
pub const SEARCHABLE: u64 = 4;

/// Stores may have promotions and templates. Older code would drop a data key that still seals them.
const SHEETS: Step = Step { needs: 5, statements: &[], upgrade: &[] };

/// What is kept for searches. Older code would leave its changes out of the index, and would drop a
/// data key that still seals documents.
const SEARCH: Step = Step {
    needs: SEARCHABLE,
    statements: &[
        "CREATE TABLE outbox (
            level INTEGER NOT NULL,
            id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            indexed INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (level, id)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE search (
            level INTEGER NOT NULL,
            id TEXT NOT NULL,
            words INTEGER NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (level, id)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE search_state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            value BLOB NOT NULL
        ) STRICT",
    ],
    upgrade: &[],
};

/// The table of revocations. It is made with the first one: most stores have none, and to look into
/// an empty table costs a row at every wake-up.
pub const REVOCATIONS: &str = "CREATE TABLE IF NOT EXISTS revocations (
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID";

/// The table of promotions and templates, and the promotions that wait. It is made with the first one.
pub const SHEETS_TABLE: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS sheets (
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        waits INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (kind, name)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS waiting ON sheets (kind, name) WHERE waits = 1",
];

/// The names under which a shared database may still have rows of stores that were erased here. It
/// stands alone: it is made when all tables are dropped, and a new store may come beside it.
pub const ERASED: &str =
    "CREATE TABLE IF NOT EXISTS erased (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID";

/// The tables of a store.
pub const TABLES: [&str; 13] = [
    "meta",
    "contexts",
    "versions",
    "entries",
    "audit",
    "replays",
    "members",
    "secrets",
    "revocations",
    "sheets",
    "outbox",
    "search",
    "search_state",
];

const FIRST: Step = Step {
    needs: 1,
    statements: &[
        "CREATE TABLE meta (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            schema INTEGER NOT NULL,
            needs INTEGER NOT NULL,
            owner TEXT NOT NULL,
            keys BLOB NOT NULL,
            alarm INTEGER,
            chores BLOB
        ) STRICT",
        "CREATE TABLE contexts (
            level INTEGER NOT NULL,
            id TEXT NOT NULL,
            parent TEXT,
            updated_at INTEGER NOT NULL,
            deleted INTEGER,
            value BLOB NOT NULL,
            PRIMARY KEY (level, id)
        ) STRICT, WITHOUT ROWID",
        "CREATE INDEX children ON contexts (level, parent) WHERE deleted IS NULL",
        "CREATE INDEX gone ON contexts (deleted) WHERE deleted IS NOT NULL",
        "CREATE TABLE versions (
            level INTEGER NOT NULL,
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            at INTEGER NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (level, id, version)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE entries (
            level INTEGER NOT NULL,
            id TEXT NOT NULL,
            kind INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            n INTEGER NOT NULL,
            at INTEGER NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (level, id, kind, seq, n)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE audit (
            seq INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            value BLOB NOT NULL,
            used TEXT
        ) STRICT",
        "CREATE TABLE replays (
            id BLOB PRIMARY KEY,
            expires INTEGER NOT NULL,
            value BLOB NOT NULL,
            user TEXT NOT NULL DEFAULT ''
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE members (
            project TEXT NOT NULL,
            user TEXT NOT NULL,
            value BLOB NOT NULL,
            PRIMARY KEY (project, user)
        ) STRICT, WITHOUT ROWID",
        "CREATE TABLE secrets (
            fingerprint TEXT PRIMARY KEY,
            value BLOB NOT NULL,
            mark INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID",
    ],
    upgrade: &[],
};

/// The schema version of this code.
pub const VERSION: u64 = STEPS.len() as u64;

/// The oldest version of the code that works with [`VERSION`].
pub const NEEDS: u64 = needs(STEPS);

const fn needs(steps: &[Step]) -> u64 {
    match steps {
        [] => 0,
        [rest @ .., last] => {
            let before = needs(rest);
            if before > last.needs { before } else { last.needs }
        }
    }
}

/// Runs the steps after version `from`. Runs inside a transaction that also notes the new version
/// in `meta`.
///
/// # Errors
/// `store-unavailable` when a statement fails.
pub fn migrate(database: &impl Database, from: u64) -> Result<()> {
    let steps = STEPS.iter().zip(1u64..).filter(|(_, version)| *version > from);
    for (step, _) in steps {
        let upgrade = if from > 0 { step.upgrade } else { &[] };
        for statement in step.statements.iter().chain(upgrade) {
            database.run(statement, &[])?;
        }
    }
    Ok(())
}

/// Whether this code can work with a store of version `schema` that needs code of version `needs`.
///
/// # Errors
/// `store-unavailable` if it cannot.
pub fn check(schema: u64, needs: u64) -> Result<()> {
    if schema > VERSION && needs > VERSION {
        return Err(Error::new(
            Code::StoreUnavailable,
            "the store needs a newer version of Nacre; deploy that version",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_fine_as_long_as_it_needs_no_newer_code() {
        assert!(check(VERSION, NEEDS).is_ok());
        assert!(check(VERSION + 1, VERSION).is_ok());
        assert!(check(VERSION + 1, VERSION + 1).is_err());
    }
}
