//! Exact counts of what a store holds, without a row more than a commit writes anyway.
//!
//! Each line of the audit trail has the counts after its commit, so the last line has the current
//! ones. They are read before the first write after a wake-up, and then kept in memory. A line of
//! older code has none; then everything is counted once.

use nacre_core::{
    address::Address,
    error::{Error, Result},
    id::{ContextId, User},
    quota::{Quotas, Used},
    row::ReplayColumns,
    seal::Keyring,
    sheet::Sheet,
    store::{Reads as _, Write},
};

use super::{Known, SqlStore, place, reads::sheet_key};
use crate::sql::{Bind, Cell, Database, Row, odd};

impl<D: Database> SqlStore<D> {
    /// The limits of this deployment.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// What the store holds now.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn used(&self) -> Result<Used> {
        if let Some(used) = &self.held()?.used {
            return Ok(used.clone());
        }
        let used = match &self.held()?.state {
            Known::Open { .. } => None,
            Known::Void | Known::Unknown => Some(Used::default()),
        };
        if let Some(used) = used {
            return Ok(used);
        }
        let last = self.database.query(LAST, &[])?.into_iter().next();
        let text = last.map(|mut row| row.optional_text()).transpose()?.flatten();
        let used = match text.and_then(|text| Used::of_text(text.as_bytes())) {
            Some(used) => used,
            None => self.count_all()?,
        };
        self.held()?.used = Some(used.clone());
        Ok(used)
    }

    /// Counts all rows.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn count_all(&self) -> Result<Used> {
        let number = |statement| -> Result<u64> {
            let row = self.database.query(statement, &[])?.into_iter().next();
            row.ok_or_else(odd)?.number()
        };
        let mut used = Used {
            contexts: number(COUNT_CONTEXTS)?,
            members: number(COUNT_MEMBERS)?,
            ..Used::default()
        };
        for statement in [BYTES_OF_CONTEXTS, BYTES_OF_VERSIONS, BYTES_OF_ENTRIES, BYTES_OF_SECRETS]
        {
            used.stored_bytes += number(statement)?;
        }
        for mut row in self.database.query_if_there(BYTES_OF_SHEETS, &[])?.unwrap_or_default() {
            used.stored_bytes += row.number()?;
        }
        for mut row in self.database.query(BYTES_OF_ANSWERS, &[])? {
            if let Ok(user) = User::parse(&row.text()?) {
                used.change_answers(&user, row.number()?, 0);
            }
        }
        Ok(used)
    }

    /// What the store will hold after some writes, each with its sealed value.
    ///
    /// # Errors
    /// `quota-exceeded` if that is more than the owner or a guest may use; `store-unavailable`.
    pub(super) fn used_after(
        &self,
        writes: &[Write],
        sealed: &[Vec<u8>],
        owner: &User,
    ) -> Result<Used> {
        let before = self.used()?;
        let mut used = before.clone();
        for (write, value) in writes.iter().zip(sealed) {
            let bytes = value.len() as u64;
            match write {
                Write::Record(record) => {
                    let (old, was_live) = self.stored(&record.address)?;
                    used.stored_bytes = (used.stored_bytes + bytes).saturating_sub(old);
                    let live = used.contexts + u64::from(record.is_live());
                    used.contexts = live.saturating_sub(u64::from(was_live));
                }
                Write::Version(_) | Write::Entry(_) => used.stored_bytes += bytes,
                Write::Sheet(sheet) => {
                    let old = self.length_of_sheet(sheet)?;
                    used.stored_bytes = (used.stored_bytes + bytes).saturating_sub(old);
                }
                Write::Secret(secret) => used.stored_bytes += secret.sealed.len() as u64,
                Write::Replay(replay) => {
                    let id = ReplayColumns::id_of(&replay.user, &replay.key);
                    let old = self.opened(LENGTH_OF_ANSWER, &[Bind::Blob(&id)], length)?;
                    let old = old.first().copied().unwrap_or_default();
                    used.change_answers(&replay.user, bytes, old);
                }
                Write::Member(member) if !self.is_member(&member.user, &member.project)? => {
                    used.members += 1;
                }
                Write::Expel { user, project } if self.is_member(user, project)? => {
                    used.members = used.members.saturating_sub(1);
                }
                Write::Member(_) | Write::Expel { .. } | Write::Revoke(..) | Write::Audit(_) => {}
            }
        }
        used.permit(&before, &self.quotas, owner)?;
        Ok(used)
    }

    /// Bytes of a sheet's row; 0 if there is none.
    fn length_of_sheet(&self, sheet: &Sheet) -> Result<u64> {
        let key = sheet_key(sheet.kind, &sheet.name);
        let rows = self.database.query_if_there(LENGTH_OF_SHEET, &key)?.unwrap_or_default();
        Ok(rows.into_iter().next().map(|mut row| row.number()).transpose()?.unwrap_or_default())
    }

    /// Bytes of a context's row, and whether it is live.
    fn stored(&self, address: &Address) -> Result<(u64, bool)> {
        let known = self.held()?.records.stored(address);
        if let Some((record, bytes)) = known {
            return Ok((bytes as u64, record.as_deref().is_some_and(|record| record.is_live())));
        }
        let read =
            |mut row: Row, _: &Keyring| Ok((row.number()?, row.optional_number()?.is_none()));
        let found = self.opened(LENGTH_OF_CONTEXT, &place(address), read)?;
        Ok(found.first().copied().unwrap_or_default())
    }

    fn is_member(&self, user: &User, project: &ContextId) -> Result<bool> {
        Ok(self.members(Some(user))?.iter().any(|member| member.project == *project))
    }

    /// Notes the counts in the last line of the audit trail, after upkeep has dropped rows.
    pub(super) fn store_used(&self, used: &Used) -> Result<()> {
        let text = used_text(used)?;
        self.database.run(PUT_USED, &[Bind::Text(&text)])
    }

    /// Runs a statement that drops rows and returns their lengths; the sum of these.
    pub(super) fn dropped(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Dropped> {
        let mut dropped = Dropped::default();
        for row in self.database.query(statement, bindings)? {
            let Some(Cell::Number(bytes)) = row.cells().first() else { return Err(odd()) };
            dropped.rows += 1;
            dropped.bytes += bytes;
        }
        Ok(dropped)
    }
}

fn length(mut row: Row, _: &Keyring) -> Result<u64> {
    row.number()
}

/// Rows that were dropped.
#[derive(Clone, Copy, Default)]
pub(super) struct Dropped {
    pub(super) rows: u64,
    /// The bytes of their values.
    pub(super) bytes: u64,
}

/// The counts as a row has them.
pub(super) fn used_text(used: &Used) -> Result<String> {
    String::from_utf8(used.to_text()).map_err(|_| Error::bug("canonical JSON must be UTF-8"))
}

const LAST: &str = "SELECT used FROM audit ORDER BY seq DESC LIMIT 1";

const PUT_USED: &str = "UPDATE audit SET used = ? WHERE seq = (SELECT max(seq) FROM audit)";

const COUNT_CONTEXTS: &str = "SELECT count(*) FROM contexts WHERE deleted IS NULL";

const COUNT_MEMBERS: &str = "SELECT count(*) FROM members";

const BYTES_OF_CONTEXTS: &str = "SELECT coalesce(sum(length(value)), 0) FROM contexts";

const BYTES_OF_VERSIONS: &str = "SELECT coalesce(sum(length(value)), 0) FROM versions";

const BYTES_OF_ENTRIES: &str = "SELECT coalesce(sum(length(value)), 0) FROM entries";

const BYTES_OF_SECRETS: &str = "SELECT coalesce(sum(length(value)), 0) FROM secrets";

const BYTES_OF_SHEETS: &str = "SELECT coalesce(sum(length(value)), 0) FROM sheets";

const BYTES_OF_ANSWERS: &str = "SELECT user, sum(length(value)) FROM replays GROUP BY user";

const LENGTH_OF_CONTEXT: &str =
    "SELECT length(value), deleted FROM contexts WHERE level = ? AND id = ?";

const LENGTH_OF_SHEET: &str = "SELECT length(value) FROM sheets WHERE kind = ? AND name = ?";

const LENGTH_OF_ANSWER: &str = "SELECT length(value) FROM replays WHERE id = ?";
