//! Reads as SQL statements. Each one uses a primary key or one of the two indexes.

use std::rc::Rc;

use nacre_core::{
    address::Address,
    error::Result,
    id::{ContextId, User},
    limits,
    marker::Fingerprint,
    moment::Moment,
    record::{Audit, Entry, EntryId, EntryKind, Heading, Member, Record, Replay, Secret, Version},
    revocation::Revocation,
    row::{
        AuditColumns, ContextColumns, EntryColumns, Listed, MemberColumns, ReplayColumns,
        RevocationColumns, Row as _, SheetColumns, VersionColumns, kind_number, kind_of, level_of,
        open_listed,
    },
    seal::Keyring,
    sheet::{Sheet, SheetKind},
    store::{AsOf, Filter, Reads, View},
};

use super::{Known, SqlStore, list::small_at_once, place};
use crate::sql::{Bind, Database, Row, odd, refused};

impl<D: Database> Reads for SqlStore<D> {
    fn seq(&self) -> Result<u64> {
        match &self.held()?.state {
            Known::Open { meta, .. } => Ok(meta.seq),
            Known::Void => Ok(0),
            Known::Unknown => Err(refused()),
        }
    }

    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        self.record_of(address)
    }

    fn list(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>> {
        self.list_page(filter, after, limit)
    }

    fn deleted_by(&self, seq: u64) -> Result<Vec<Rc<Heading>>> {
        self.contexts(DELETED_BY, &[small_at_once(usize::MAX), Bind::Number(seq)])
    }

    fn versions_from(&self, address: &Address, from: u64, limit: usize) -> Result<Vec<Version>> {
        let [level, id] = place(address);
        self.opened(VERSIONS_FROM, &[level, id, Bind::Number(from), most(limit)], version)
    }

    fn versions_before(
        &self,
        address: &Address,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Version>> {
        let [level, id] = place(address);
        let before = Bind::Number(before.unwrap_or(limits::EXACT_INTEGER));
        self.opened(VERSIONS_BEFORE, &[level, id, before, most(limit)], version)
    }

    /// `seq` and time grow with the version, so a binary search finds the row. An index would cost
    /// a row with every write.
    fn version_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Version>> {
        if self.keys()?.is_none() {
            return Ok(None);
        }
        let [level, id] = place(address);
        let newest = self.database.query(NEWEST_VERSION, &[level, id])?;
        let Some(newest) = newest.into_iter().next().map(|mut row| row.number()).transpose()?
        else {
            return Ok(None);
        };
        // Versions below `from` match, those from `to` on do not; `found` is the last match.
        let (mut from, mut to, mut found) = (0, newest + 1, None);
        while from < to {
            let middle = from + (to - from) / 2;
            let row = self.database.query(VERSION_AT_LEAST, &[level, id, Bind::Number(middle)])?;
            let Some(mut row) = row.into_iter().next() else {
                to = middle;
                continue;
            };
            let (version, seq, time) = (row.number()?, row.number()?, row.number()?);
            let fits = match at {
                AsOf::Seq(at) => seq <= at,
                AsOf::Time(at) => time <= at.0,
            };
            if fits {
                found = Some(version);
                from = version + 1;
            } else {
                to = middle;
            }
        }
        let Some(found) = found else { return Ok(None) };
        Ok(self.versions_from(address, found, 1)?.into_iter().next())
    }

    fn entries(
        &self,
        address: &Address,
        kind: EntryKind,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let [level, id] = place(address);
        let before =
            before.unwrap_or(EntryId { seq: limits::EXACT_INTEGER, n: limits::EXACT_INTEGER });
        let [kind, seq, n] = [kind_number(kind), before.seq, before.n].map(Bind::Number);
        self.opened(ENTRIES_BEFORE, &[level, id, kind, seq, n, most(limit)], entry)
    }

    fn replay(&self, user: &User, key: &str) -> Result<Option<Replay>> {
        let id = ReplayColumns::id_of(user, key);
        Ok(self.opened(REPLAY, &[Bind::Blob(&id)], replay)?.into_iter().next())
    }

    fn members(&self, user: Option<&User>) -> Result<Vec<Member>> {
        let known = self.held()?.members.clone();
        let members = match known {
            Some(members) => members,
            None => {
                let members: Rc<[Member]> = self.opened(MEMBERS, &[], member)?.into();
                self.held()?.members = Some(members.clone());
                members
            }
        };
        Ok(members
            .iter()
            .filter(|member| user.is_none_or(|user| member.user == *user))
            .cloned()
            .collect())
    }

    fn each_revocation(&self, see: &mut dyn FnMut(&Revocation)) -> Result<()> {
        self.revocations()?.iter().for_each(see);
        Ok(())
    }

    fn sheet(&self, kind: SheetKind, name: &str) -> Result<Option<Sheet>> {
        Ok(self.sheets_of(SHEET, &sheet_key(kind, name))?.into_iter().next())
    }

    fn sheets(
        &self,
        kind: SheetKind,
        waiting: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Sheet>> {
        let statement = if waiting { WAITING_SHEETS } else { SHEETS };
        let [kind, before] = sheet_key(kind, before.unwrap_or(PAST_NAMES));
        self.sheets_of(statement, &[kind, before, most(limit)])
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<Audit>> {
        let before = Bind::Number(before.unwrap_or(limits::EXACT_INTEGER));
        self.opened(AUDIT_BEFORE, &[before, most(limit)], audit)
    }

    fn secret(&self, fingerprint: &Fingerprint) -> Result<Option<Secret>> {
        let name = fingerprint.to_string();
        let found = self.opened(SECRET, &[Bind::Text(&name)], |mut row, _| row.blob())?;
        let secret = |sealed| Secret { fingerprint: *fingerprint, sealed };
        Ok(found.into_iter().next().map(secret))
    }

    fn has_secret(&self, fingerprint: &Fingerprint) -> Result<bool> {
        let name = fingerprint.to_string();
        Ok(!self.opened(HAS_SECRET, &[Bind::Text(&name)], |_, _| Ok(()))?.is_empty())
    }

    fn view(&self, chain: &[Rc<Record>]) -> Result<Rc<View>> {
        Ok(self.held()?.views.view(chain))
    }
}

impl<D: Database> SqlStore<D> {
    /// All revocations, read once for each wake-up.
    pub(super) fn revocations(&self) -> Result<Rc<[Revocation]>> {
        if let Some(known) = &self.held()?.revocations {
            return Ok(known.clone());
        }
        // The table is made with the first revocation.
        let found = match self.keys()? {
            Some(keys) => {
                let rows = self.database.query_if_there(REVOCATIONS, &[])?.unwrap_or_default();
                let opened = rows.into_iter().map(|row| revocation(row, &keys));
                opened.collect::<Result<Rc<[Revocation]>>>()?
            }
            None => Rc::default(),
        };
        self.held()?.revocations = Some(found.clone());
        Ok(found)
    }

    /// Sheets, whose table is made with the first one.
    fn sheets_of(&self, statement: &str, bindings: &[Bind<'_>]) -> Result<Vec<Sheet>> {
        let Some(keys) = self.keys()? else { return Ok(Vec::new()) };
        let rows = self.database.query_if_there(statement, bindings)?.unwrap_or_default();
        let open = |mut row: Row| Sheet::open(sheet_columns(&mut row)?, &keys, &row.blob()?);
        rows.into_iter().map(open).collect()
    }

    /// Runs a statement and opens its rows; empty if there is no store.
    pub(super) fn opened<T>(
        &self,
        statement: &str,
        bindings: &[Bind<'_>],
        open: impl Fn(Row, &Keyring) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(keys) = self.keys()? else { return Ok(Vec::new()) };
        let rows = self.database.query(statement, bindings)?;
        rows.into_iter().map(|row| open(row, &keys)).collect()
    }

    /// Runs a statement for contexts without their data, using records in memory where possible.
    pub(super) fn contexts(
        &self,
        statement: &str,
        bindings: &[Bind<'_>],
    ) -> Result<Vec<Rc<Heading>>> {
        let Some(keys) = self.keys()? else { return Ok(Vec::new()) };
        let rows = self.database.query(statement, bindings)?;
        rows.into_iter().map(|row| self.listed(row, &keys)).collect()
    }

    /// The context of a row, which has its value only if that is small.
    fn listed(&self, mut row: Row, keys: &Keyring) -> Result<Rc<Heading>> {
        let address = address(&mut row)?;
        if let Some(Some(known)) = self.held()?.records.get(&address) {
            return Ok(known.heading.clone());
        }
        let columns = context_columns_at(address, &mut row)?;
        let value = match row.optional_blob()? {
            Some(value) => value,
            None => {
                let rows = self.database.query(VALUE, &place(&columns.address))?;
                rows.into_iter().next().ok_or_else(odd)?.blob()?
            }
        };
        match open_listed(columns, keys, &value)? {
            Listed::Heading(heading) => Ok(Rc::new(heading)),
            Listed::Whole(record) => {
                let record = Rc::new(record);
                self.held()?.records.put(&record.address, Some(&record), value.len());
                Ok(record.heading.clone())
            }
        }
    }
}

/// The key of a sheet's row.
pub(super) fn sheet_key(kind: SheetKind, name: &str) -> [Bind<'_>; 2] {
    [Bind::Number(kind.number()), Bind::Text(name)]
}

/// A limit as a bound parameter.
pub(super) fn most(limit: usize) -> Bind<'static> {
    Bind::Number((limit as u64).min(limits::EXACT_INTEGER))
}

pub(super) fn address(row: &mut Row) -> Result<Address> {
    let level = level_of(row.number()?)?;
    Address::new(level, context_id(row)?).map_err(|_| odd())
}

fn context_id(row: &mut Row) -> Result<ContextId> {
    ContextId::stored(&row.text()?).map_err(|_| odd())
}

/// Opens a row of [`CONTEXT`] and similar statements. Returns the bytes of its value too.
pub(super) fn record(mut row: Row, keys: &Keyring) -> Result<(Record, usize)> {
    let columns = context_columns(&mut row)?;
    let value = row.blob()?;
    Ok((Record::open(columns, keys, &value)?, value.len()))
}

fn context_columns_at(address: Address, row: &mut Row) -> Result<ContextColumns> {
    let parent = row.optional_text()?;
    Ok(ContextColumns {
        address,
        parent: parent.map(|id| ContextId::stored(&id)).transpose().map_err(|_| odd())?,
        updated_at: Moment(row.number()?),
        deleted: row.optional_number()?,
    })
}

// The columns of each table in the order of its statements, the value after them.

pub(super) fn context_columns(row: &mut Row) -> Result<ContextColumns> {
    let address = address(row)?;
    context_columns_at(address, row)
}

pub(super) fn version_columns(row: &mut Row) -> Result<VersionColumns> {
    Ok(VersionColumns {
        address: address(row)?,
        version: row.number()?,
        seq: row.number()?,
        at: Moment(row.number()?),
    })
}

pub(super) fn entry_columns(row: &mut Row) -> Result<EntryColumns> {
    Ok(EntryColumns {
        address: address(row)?,
        kind: kind_of(row.number()?)?,
        id: EntryId { seq: row.number()?, n: row.number()? },
        at: Moment(row.number()?),
    })
}

pub(super) fn audit_columns(row: &mut Row) -> Result<AuditColumns> {
    Ok(AuditColumns { seq: row.number()?, at: Moment(row.number()?) })
}

pub(super) fn replay_columns(row: &mut Row) -> Result<ReplayColumns> {
    let id = row.blob()?.try_into().map_err(|_| odd())?;
    Ok(ReplayColumns { id, expires: Moment(row.number()?) })
}

pub(super) fn member_columns(row: &mut Row) -> Result<MemberColumns> {
    let project = context_id(row)?;
    Ok(MemberColumns { project, user: User::parse(&row.text()?).map_err(|_| odd())? })
}

pub(super) fn revocation_columns(row: &mut Row) -> Result<RevocationColumns> {
    let kind = row.number()?;
    RevocationColumns::of(kind, &row.text()?)
}

pub(super) fn sheet_columns(row: &mut Row) -> Result<SheetColumns> {
    let kind = row.number()?;
    SheetColumns::of(kind, row.text()?, row.number()?)
}

pub(super) fn version(mut row: Row, keys: &Keyring) -> Result<Version> {
    Version::open(version_columns(&mut row)?, keys, &row.blob()?)
}

pub(super) fn entry(mut row: Row, keys: &Keyring) -> Result<Entry> {
    Entry::open(entry_columns(&mut row)?, keys, &row.blob()?)
}

fn audit(mut row: Row, keys: &Keyring) -> Result<Audit> {
    Audit::open(audit_columns(&mut row)?, keys, &row.blob()?)
}

fn replay(mut row: Row, keys: &Keyring) -> Result<Replay> {
    Replay::open(replay_columns(&mut row)?, keys, &row.blob()?)
}

fn member(mut row: Row, keys: &Keyring) -> Result<Member> {
    Member::open(member_columns(&mut row)?, keys, &row.blob()?)
}

fn revocation(mut row: Row, keys: &Keyring) -> Result<Revocation> {
    Revocation::open(revocation_columns(&mut row)?, keys, &row.blob()?)
}

pub(super) const CONTEXT: &str = "SELECT level, id, parent, updated_at, deleted, value
    FROM contexts WHERE level = ? AND id = ?";

const VALUE: &str = "SELECT value FROM contexts WHERE level = ? AND id = ?";

const DELETED_BY: &str = "SELECT level, id, parent, updated_at, deleted,
    CASE WHEN length(value) <= ? THEN value END FROM contexts WHERE deleted = ? ORDER BY level, id";

const VERSIONS_FROM: &str = "SELECT level, id, version, seq, at, value FROM versions
    WHERE level = ? AND id = ? AND version >= ? ORDER BY version LIMIT ?";

const VERSIONS_BEFORE: &str = "SELECT level, id, version, seq, at, value FROM versions
    WHERE level = ? AND id = ? AND version < ? ORDER BY version DESC LIMIT ?";

const NEWEST_VERSION: &str = "SELECT version FROM versions
    WHERE level = ? AND id = ? ORDER BY version DESC LIMIT 1";

const VERSION_AT_LEAST: &str = "SELECT version, seq, at FROM versions
    WHERE level = ? AND id = ? AND version >= ? ORDER BY version LIMIT 1";

const ENTRIES_BEFORE: &str = "SELECT level, id, kind, seq, n, at, value FROM entries
    WHERE level = ? AND id = ? AND kind = ? AND (seq, n) < (?, ?)
    ORDER BY seq DESC, n DESC LIMIT ?";

const REPLAY: &str = "SELECT id, expires, value FROM replays WHERE id = ?";

const MEMBERS: &str = "SELECT project, user, value FROM members ORDER BY project, user";

const REVOCATIONS: &str = "SELECT kind, name, value FROM revocations ORDER BY kind, name";

/// A text that sorts after every name of a sheet.
const PAST_NAMES: &str = "\u{7f}";

const SHEET: &str = "SELECT kind, name, waits, value FROM sheets WHERE kind = ? AND name = ?";

const SHEETS: &str = "SELECT kind, name, waits, value FROM sheets WHERE kind = ? AND name < ?
    ORDER BY name DESC LIMIT ?";

const WAITING_SHEETS: &str = "SELECT kind, name, waits, value FROM sheets INDEXED BY waiting
    WHERE kind = ? AND name < ? AND waits = 1 ORDER BY name DESC LIMIT ?";

const AUDIT_BEFORE: &str =
    "SELECT seq, at, value FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?";

const HAS_SECRET: &str = "SELECT 1 FROM secrets WHERE fingerprint = ?";

const SECRET: &str = "SELECT value FROM secrets WHERE fingerprint = ?";
