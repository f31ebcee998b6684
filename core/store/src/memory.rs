//! The store in memory: rows in a sorted map, alone or over another store.
//!
//! Alone it is the reference implementation of every SQL store; tests, the browser and the
//! component use it. Over another store it is the overlay through which later operations of a batch
//! see the results of earlier ones.

use alloc::{
    collections::BTreeMap,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    record::{Audit, Entry, EntryId, EntryKind, Heading, Member, Record, Replay, Secret, Version},
    revocation::{Revocation, Subject},
    sheet::{Sheet, SheetKind},
    store::{AsOf, Filter, Reads, Write},
};
use nacre_layers::{
    address::Address,
    error::Result,
    id::{ContextId, User},
    marker::Fingerprint,
    sort::sort_by,
};

/// Rows in memory over `base`.
#[derive(Default)]
pub struct MemoryStore<'a> {
    base: Option<Base<'a>>,
    seq: Option<u64>,
    /// The last value of each row. One map for all kinds of rows, because the compiler generates
    /// the code of a map once per type.
    rows: BTreeMap<Key, Write>,
}

/// The key of a row: its kind, and its name within that kind.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// The first kind, and [`Key::Member`] the last: both are scanned without a bound.
    Record(Address),
    Version(Address, u64),
    Entry(Address, EntryKind, EntryId),
    Secret(Fingerprint),
    Replay(User, String),
    Audit(u64),
    Revocation(Subject),
    Sheet(SheetKind, String),
    Member(ContextId, User),
}

impl Key {
    fn of(row: &Write) -> Key {
        match row {
            Write::Record(record) => Key::Record(record.address.clone()),
            Write::Version(version) => Key::Version(version.address.clone(), version.version),
            Write::Entry(entry) => Key::Entry(entry.address.clone(), entry.kind, entry.id),
            Write::Secret(secret) => Key::Secret(secret.fingerprint),
            Write::Member(member) => Key::Member(member.project.clone(), member.user.clone()),
            Write::Expel { user, project } => Key::Member(project.clone(), user.clone()),
            Write::Revoke(subject, _) => Key::Revocation(subject.clone()),
            Write::Sheet(sheet) => Key::Sheet(sheet.kind, sheet.name.clone()),
            Write::Replay(replay) => Key::Replay(replay.user.clone(), replay.key.clone()),
            Write::Audit(audit) => Key::Audit(audit.seq),
        }
    }
}

/// The store below: borrowed for one decision, or shared for the lifetime of this store.
enum Base<'a> {
    Lent(&'a dyn Reads),
    Shared(Rc<dyn Reads>),
}

impl<'a> MemoryStore<'a> {
    /// Creates an empty store.
    pub fn new() -> MemoryStore<'static> {
        MemoryStore::default()
    }

    /// Creates a store over `base`, which it shows until rows are written.
    pub fn over(base: &'a dyn Reads) -> MemoryStore<'a> {
        MemoryStore { base: Some(Base::Lent(base)), ..MemoryStore::default() }
    }

    /// As [`MemoryStore::over`], over a shared store.
    pub fn over_shared(base: Rc<dyn Reads>) -> MemoryStore<'static> {
        MemoryStore { base: Some(Base::Shared(base)), ..MemoryStore::default() }
    }

    fn base(&self) -> Option<&dyn Reads> {
        match self.base.as_ref()? {
            Base::Lent(base) => Some(*base),
            Base::Shared(base) => Some(&**base),
        }
    }

    /// Sets the number of the last commit.
    pub fn set_seq(&mut self, seq: u64) {
        self.seq = Some(seq);
    }

    /// Applies a plan's writes.
    pub fn apply<'w>(&mut self, writes: impl IntoIterator<Item = &'w Write>) {
        for write in writes {
            self.write(write.clone());
        }
    }

    /// Applies one write.
    pub fn write(&mut self, write: Write) {
        if let Write::Audit(audit) = &write {
            self.seq = Some(audit.seq);
        }
        self.rows.insert(Key::of(&write), write);
    }

    /// The row of this store that a record replaces, if it is not in the base.
    pub(crate) fn write_over(&self, record: &Record) -> Option<Rc<Record>> {
        self.own_record(&record.address).cloned()
    }

    fn own_record(&self, address: &Address) -> Option<&Rc<Record>> {
        match self.rows.get(&Key::Record(address.clone()))? {
            Write::Record(record) => Some(record),
            _ => None,
        }
    }

    fn own_records(&self) -> impl Iterator<Item = &Rc<Record>> {
        self.rows.values().map_while(|row| match row {
            Write::Record(record) => Some(record),
            _ => None,
        })
    }

    /// Versions of one context, both ends included.
    fn own_versions(
        &self,
        address: &Address,
        from: u64,
        to: u64,
    ) -> impl DoubleEndedIterator<Item = &Version> {
        let key = |version| Key::Version(address.clone(), version);
        self.rows.range(key(from)..=key(to)).filter_map(|(_, row)| match row {
            Write::Version(version) => Some(version),
            _ => None,
        })
    }

    /// A page of live contexts, selected by level, parent and prefix.
    fn list_flat(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>> {
        let mut found = Vec::new();
        if let Some(base) = self.base() {
            // Own rows may replace rows of the base, so that many more are read.
            let limit = limit.saturating_add(self.own_records().count());
            found = base.list(filter, after, limit)?;
        }
        let own = self.own_records().filter(|record| {
            record.is_live()
                && after.is_none_or(|after| record.address > *after)
                && matches_row(filter, record)
        });
        let mut found = self.laid_over(found, own);
        found.truncate(limit);
        Ok(found)
    }

    /// The rows of the base, replaced by own rows where they exist, sorted.
    fn laid_over<'r>(
        &'r self,
        mut found: Vec<Rc<Heading>>,
        own: impl Iterator<Item = &'r Rc<Record>>,
    ) -> Vec<Rc<Heading>> {
        found.retain(|context| self.own_record(&context.address).is_none());
        found.extend(own.map(|record| record.heading.clone()));
        sort_by_address(&mut found);
        found
    }

    /// All live contexts of a subtree, found by following parents downward.
    fn subtree(&self, root: &Address) -> Result<Vec<Rc<Heading>>> {
        let mut found = Vec::new();
        let top = self.record(root)?.filter(|record| record.is_live());
        found.extend(top.map(|record| record.heading.clone()));
        let mut row = alloc::vec![root.clone()];
        while let Some(level) = row.first().and_then(|address| address.level.below()) {
            let mut below = Vec::new();
            for parent in &row {
                let filter = Filter {
                    level: Some(level),
                    parent: Some(parent.id.clone()),
                    ..Filter::default()
                };
                let children = self.list_flat(&filter, None, usize::MAX)?;
                below.extend(children.iter().map(|child| child.address.clone()));
                found.extend(children);
            }
            row = below;
        }
        sort_by_address(&mut found);
        Ok(found)
    }
}

fn sort_by_address(contexts: &mut [Rc<Heading>]) {
    sort_by(contexts, |a, b| a.address.cmp(&b.address));
}

fn matches_row(filter: &Filter, context: &Heading) -> bool {
    filter.level.is_none_or(|level| level == context.address.level)
        && filter.parent.as_ref().is_none_or(|parent| context.parent.as_ref() == Some(parent))
        && filter
            .prefix
            .as_ref()
            .is_none_or(|prefix| context.address.id.as_str().starts_with(prefix.as_str()))
}

impl Reads for MemoryStore<'_> {
    fn seq(&self) -> Result<u64> {
        match (self.seq, self.base()) {
            (Some(seq), _) => Ok(seq),
            (None, Some(base)) => base.seq(),
            (None, None) => Ok(0),
        }
    }

    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        match (self.own_record(address), self.base()) {
            (Some(record), _) => Ok(Some(record.clone())),
            (None, Some(base)) => base.record(address),
            (None, None) => Ok(None),
        }
    }

    fn list(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>> {
        let (Some(root), true) = (&filter.under, self.own_records().next().is_some()) else {
            return self.list_flat(filter, after, limit);
        };
        let all = self.subtree(root)?.into_iter();
        Ok(all
            .filter(|record| after.is_none_or(|after| record.address > *after))
            .filter(|record| matches_row(filter, record))
            .take(limit)
            .collect())
    }

    fn deleted_by(&self, seq: u64) -> Result<Vec<Rc<Heading>>> {
        let found = match self.base() {
            Some(base) => base.deleted_by(seq)?,
            None => Vec::new(),
        };
        let own = self.own_records().filter(|record| record.deleted == Some(seq));
        Ok(self.laid_over(found, own))
    }

    fn versions_from(&self, address: &Address, from: u64, limit: usize) -> Result<Vec<Version>> {
        let mut found = match self.base() {
            Some(base) => base.versions_from(address, from, limit)?,
            None => Vec::new(),
        };
        found.extend(self.own_versions(address, from, u64::MAX).cloned());
        found.truncate(limit);
        Ok(found)
    }

    fn versions_before(
        &self,
        address: &Address,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Version>> {
        let last = before.map_or(u64::MAX, |before| before.saturating_sub(1));
        let mut found: Vec<Version> =
            self.own_versions(address, 0, last).rev().take(limit).cloned().collect();
        if let Some(base) = self.base() {
            found.extend(base.versions_before(address, before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn version_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Version>> {
        let own = self.own_versions(address, 0, u64::MAX).rev().find(|version| match at {
            AsOf::Seq(seq) => version.seq <= seq,
            AsOf::Time(time) => version.at <= time,
        });
        match (own, self.base()) {
            (Some(version), _) => Ok(Some(version.clone())),
            (None, Some(base)) => base.version_as_of(address, at),
            (None, None) => Ok(None),
        }
    }

    fn entries(
        &self,
        address: &Address,
        kind: EntryKind,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let key = |id| Key::Entry(address.clone(), kind, id);
        let first = EntryId { seq: 0, n: 0 };
        let last = before.unwrap_or(EntryId { seq: u64::MAX, n: u64::MAX });
        let own = self.rows.range(key(first)..=key(last)).rev().filter_map(|(_, row)| match row {
            Write::Entry(entry) if before != Some(entry.id) => Some(entry),
            _ => None,
        });
        let mut found: Vec<Entry> = own.take(limit).cloned().collect();
        if let Some(base) = self.base() {
            found.extend(base.entries(address, kind, before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn replay(&self, user: &User, key: &str) -> Result<Option<Replay>> {
        match (self.rows.get(&Key::Replay(user.clone(), key.to_string())), self.base()) {
            (Some(Write::Replay(replay)), _) => Ok(Some(replay.clone())),
            (_, Some(base)) => base.replay(user, key),
            (_, None) => Ok(None),
        }
    }

    fn members(&self, user: Option<&User>) -> Result<Vec<Member>> {
        let mut found = match self.base() {
            Some(base) => base.members(user)?,
            None => Vec::new(),
        };
        let key = |member: &Member| Key::Member(member.project.clone(), member.user.clone());
        found.retain(|member| !self.rows.contains_key(&key(member)));
        for row in self.rows.values().rev() {
            match row {
                Write::Member(member) if user.is_none_or(|user| *user == member.user) => {
                    found.push(member.clone());
                }
                Write::Member(_) | Write::Expel { .. } => {}
                _ => break,
            }
        }
        sort_by(&mut found, |a, b| (&a.project, &a.user).cmp(&(&b.project, &b.user)));
        Ok(found)
    }

    /// No batch changes revocations, so an overlay shows those of its base.
    fn each_revocation(&self, see: &mut dyn FnMut(&Revocation)) -> Result<()> {
        if let Some(base) = self.base() {
            return base.each_revocation(see);
        }
        for row in self.rows.values() {
            if let Write::Revoke(_, Some(revocation)) = row {
                see(revocation);
            }
        }
        Ok(())
    }

    /// No batch changes sheets, so an overlay shows those of its base.
    fn sheet(&self, kind: SheetKind, name: &str) -> Result<Option<Sheet>> {
        if let Some(base) = self.base() {
            return base.sheet(kind, name);
        }
        Ok(match self.rows.get(&Key::Sheet(kind, name.into())) {
            Some(Write::Sheet(sheet)) if !sheet.is_end() => Some(sheet.clone()),
            _ => None,
        })
    }

    fn sheets(
        &self,
        kind: SheetKind,
        waiting: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Sheet>> {
        if let Some(base) = self.base() {
            return base.sheets(kind, waiting, before, limit);
        }
        let own = self.rows.values().rev().filter_map(|row| match row {
            Write::Sheet(sheet) => Some(sheet),
            _ => None,
        });
        let is_wanted = |sheet: &&Sheet| {
            sheet.kind == kind
                && !sheet.is_end()
                && (sheet.waits || !waiting)
                && before.is_none_or(|before| *sheet.name < *before)
        };
        Ok(own.filter(is_wanted).take(limit).cloned().collect())
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<Audit>> {
        // The first `seq` is 1, so there is nothing at 0.
        let last = before.map_or(u64::MAX, |before| before.saturating_sub(1));
        let own = self.rows.range(Key::Audit(0)..=Key::Audit(last)).rev();
        let own = own.filter_map(|(_, row)| match row {
            Write::Audit(audit) => Some(audit),
            _ => None,
        });
        let mut found: Vec<Audit> = own.take(limit).cloned().collect();
        if let Some(base) = self.base() {
            found.extend(base.audit(before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn secret(&self, fingerprint: &Fingerprint) -> Result<Option<Secret>> {
        match (self.rows.get(&Key::Secret(*fingerprint)), self.base()) {
            (Some(Write::Secret(secret)), _) => Ok(Some(secret.clone())),
            (_, Some(base)) => base.secret(fingerprint),
            (_, None) => Ok(None),
        }
    }

    fn has_secret(&self, fingerprint: &Fingerprint) -> Result<bool> {
        match (self.rows.contains_key(&Key::Secret(*fingerprint)), self.base()) {
            (false, Some(base)) => base.has_secret(fingerprint),
            (is_own, _) => Ok(is_own),
        }
    }
}

impl core::fmt::Debug for MemoryStore<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "MemoryStore({} contexts)", self.own_records().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{moment::Moment, record::Role};

    fn member(user: &str, project: &str, role: Role) -> Member {
        let project = ContextId::parse(project).unwrap();
        Member {
            user: User::parse(user).unwrap(),
            project,
            terms: role.into(),
            since: Moment(1),
            seq: 1,
        }
    }

    #[test]
    fn what_an_overlay_says_of_a_member_counts() {
        let [a, b, c] = ["a", "b", "c"].map(|user| member(user, "p", Role::Reader));
        let mut base = MemoryStore::new();
        base.apply(&[b.clone(), a.clone()].map(Write::Member));
        let mut over = MemoryStore::over(&base);
        over.apply(&[
            Write::Expel { user: a.user.clone(), project: a.project.clone() },
            Write::Expel { user: c.user.clone(), project: c.project.clone() },
            Write::Member(member("b", "p", Role::Writer)),
            Write::Member(c.clone()),
            Write::Member(member("a", "o", Role::Reader)),
        ]);
        assert_eq!(base.members(None), Ok(alloc::vec![a.clone(), b]));
        let [ours, b] = [member("a", "o", Role::Reader), member("b", "p", Role::Writer)];
        assert_eq!(over.members(None), Ok(alloc::vec![ours.clone(), b, c.clone()]));
        assert_eq!(over.members(Some(&a.user)), Ok(alloc::vec![ours]));
        assert_eq!(over.members(Some(&c.user)), Ok(alloc::vec![c]));
    }

    #[test]
    fn the_audit_trail_goes_on_in_the_base() {
        let user = User::parse("a").unwrap();
        let audit = |seq| Audit::of_rotation(seq, Moment(seq), &user, None);
        let mut base = MemoryStore::new();
        base.apply(&[1, 2, 3].map(|seq| Write::Audit(audit(seq))));
        let mut over = MemoryStore::over(&base);
        assert_eq!(over.seq(), Ok(3));
        over.apply(&[4, 5].map(|seq| Write::Audit(audit(seq))));
        assert_eq!((base.seq(), over.seq()), (Ok(3), Ok(5)));
        let seqs = |before, limit| {
            let page = over.audit(before, limit).unwrap();
            page.iter().map(|audit| audit.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(None, 9), [5, 4, 3, 2, 1]);
        assert_eq!(seqs(None, 3), [5, 4, 3]);
        assert_eq!(seqs(Some(5), 1), [4]);
        assert_eq!(seqs(Some(3), 9), [2, 1]);
        assert!(seqs(Some(1), 9).is_empty() && seqs(Some(0), 9).is_empty());
    }
}
