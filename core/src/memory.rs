//! The store in memory: rows in sorted maps, over another store or over nothing.
//!
//! Over nothing it is the reference twin of every SQL store — tests, the browser and the component
//! use it. Over another store it is the overlay that lets later operations of a batch see what
//! earlier ones decided.

use alloc::{
    collections::BTreeMap,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

use crate::{
    address::Address,
    error::Result,
    id::{ContextId, User},
    record::{Audit, Entry, EntryId, EntryKind, Member, Record, Replay, Secret, Version},
    seal::Fingerprint,
    store::{AsOf, Filter, Reads, Write},
};

/// Rows in memory over `base`.
#[derive(Default)]
pub struct MemoryStore<'a> {
    base: Option<Base<'a>>,
    seq: Option<u64>,
    records: BTreeMap<Address, Rc<Record>>,
    versions: BTreeMap<(Address, u64), Version>,
    entries: BTreeMap<(Address, EntryKind, EntryId), Entry>,
    secrets: BTreeMap<Fingerprint, Secret>,
    /// `None`: not a member any more, whatever the base says.
    members: BTreeMap<(ContextId, User), Option<Member>>,
    replays: BTreeMap<(User, String), Replay>,
    audit: BTreeMap<u64, Audit>,
}

/// What is under a store: lent for one decision, or shared for as long as the store lives.
enum Base<'a> {
    Lent(&'a dyn Reads),
    Shared(Rc<dyn Reads>),
}

impl<'a> MemoryStore<'a> {
    /// An empty store.
    pub fn new() -> MemoryStore<'static> {
        MemoryStore::default()
    }

    /// A store that shows `base` until rows are written over it.
    pub fn over(base: &'a dyn Reads) -> MemoryStore<'a> {
        MemoryStore { base: Some(Base::Lent(base)), ..MemoryStore::default() }
    }

    /// As [`MemoryStore::over`], over a store that others hold too.
    pub fn over_shared(base: Rc<dyn Reads>) -> MemoryStore<'static> {
        MemoryStore { base: Some(Base::Shared(base)), ..MemoryStore::default() }
    }

    fn base(&self) -> Option<&dyn Reads> {
        match self.base.as_ref()? {
            Base::Lent(base) => Some(*base),
            Base::Shared(base) => Some(&**base),
        }
    }

    /// Says which commit was the last.
    pub(crate) fn set_seq(&mut self, seq: u64) {
        self.seq = Some(seq);
    }

    /// Applies a plan's writes.
    pub fn apply<'w>(&mut self, writes: impl IntoIterator<Item = &'w Write>) {
        for write in writes {
            self.write(write.clone());
        }
    }

    pub(crate) fn write(&mut self, write: Write) {
        match write {
            Write::Record(record) => {
                self.records.insert(record.address.clone(), record);
            }
            Write::Version(version) => {
                self.versions.insert((version.address.clone(), version.version), version);
            }
            Write::Entry(entry) => {
                self.entries.insert((entry.address.clone(), entry.kind, entry.id), entry);
            }
            Write::Secret(secret) => {
                self.secrets.insert(secret.fingerprint, secret);
            }
            Write::Member(member) => {
                self.members.insert((member.project.clone(), member.user.clone()), Some(member));
            }
            Write::Expel { user, project } => {
                self.members.insert((project, user), None);
            }
            Write::Replay(replay) => {
                self.replays.insert((replay.user.clone(), replay.key.clone()), replay);
            }
            Write::Audit(audit) => {
                self.seq = Some(audit.seq);
                self.audit.insert(audit.seq, audit);
            }
        }
    }

    fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// A page of live contexts by their own row alone (level, parent, prefix).
    fn list_flat(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Record>>> {
        let mut found = BTreeMap::new();
        if let Some(base) = self.base() {
            // Rows written over the base may take its places, so as many more are asked for.
            let limit = limit.saturating_add(self.records.len());
            for record in base.list(filter, after, limit)? {
                if !self.records.contains_key(&record.address) {
                    found.insert(record.address.clone(), record);
                }
            }
        }
        for record in self.records.values() {
            if record.is_live()
                && after.is_none_or(|after| record.address > *after)
                && matches_row(filter, record)
            {
                found.insert(record.address.clone(), record.clone());
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// All live contexts of a subtree, by following parents downward.
    fn subtree(&self, root: &Address) -> Result<BTreeMap<Address, Rc<Record>>> {
        let mut found = BTreeMap::new();
        if let Some(record) = self.record(root)?.filter(|record| record.is_live()) {
            found.insert(root.clone(), record);
        }
        let mut row = alloc::vec![root.clone()];
        while let Some(level) = row.first().and_then(|address| address.level.below()) {
            let mut below = Vec::new();
            for parent in &row {
                let filter = Filter {
                    level: Some(level),
                    parent: Some(parent.id.clone()),
                    ..Filter::default()
                };
                for record in self.list_flat(&filter, None, usize::MAX)? {
                    below.push(record.address.clone());
                    found.insert(record.address.clone(), record);
                }
            }
            row = below;
        }
        Ok(found)
    }
}

fn matches_row(filter: &Filter, record: &Record) -> bool {
    filter.level.is_none_or(|level| level == record.address.level)
        && filter.parent.as_ref().is_none_or(|parent| record.parent.as_ref() == Some(parent))
        && filter
            .prefix
            .as_ref()
            .is_none_or(|prefix| record.address.id.as_str().starts_with(prefix.as_str()))
}

/// Rows of one context, in a map keyed by (address, …).
fn of<K: Ord, V>(map: &BTreeMap<K, V>, from: K, to: K) -> impl DoubleEndedIterator<Item = &V> {
    map.range(from..=to).map(|(_, row)| row)
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
        match (self.records.get(address), self.base()) {
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
    ) -> Result<Vec<Rc<Record>>> {
        let (Some(root), true) = (&filter.under, self.has_records()) else {
            return self.list_flat(filter, after, limit);
        };
        let all = self.subtree(root)?.into_values();
        Ok(all
            .filter(|record| after.is_none_or(|after| record.address > *after))
            .filter(|record| matches_row(filter, record))
            .take(limit)
            .collect())
    }

    fn deleted_by(&self, seq: u64) -> Result<Vec<Rc<Record>>> {
        let mut found = BTreeMap::new();
        if let Some(base) = self.base() {
            for record in base.deleted_by(seq)? {
                if !self.records.contains_key(&record.address) {
                    found.insert(record.address.clone(), record);
                }
            }
        }
        for record in self.records.values().filter(|record| record.deleted == Some(seq)) {
            found.insert(record.address.clone(), record.clone());
        }
        Ok(found.into_values().collect())
    }

    fn versions_from(&self, address: &Address, from: u64, limit: usize) -> Result<Vec<Version>> {
        let mut found = match self.base() {
            Some(base) => base.versions_from(address, from, limit)?,
            None => Vec::new(),
        };
        let key = |version| (address.clone(), version);
        found.extend(of(&self.versions, key(from), key(u64::MAX)).cloned());
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
        let key = |version| (address.clone(), version);
        let mut found: Vec<Version> =
            of(&self.versions, key(0), key(last)).rev().take(limit).cloned().collect();
        if let Some(base) = self.base() {
            found.extend(base.versions_before(address, before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn version_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Version>> {
        let key = |version| (address.clone(), version);
        let own = of(&self.versions, key(0), key(u64::MAX)).rev().find(|version| match at {
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
        let key = |id| (address.clone(), kind, id);
        let first = EntryId { seq: 0, n: 0 };
        let last = before.unwrap_or(EntryId { seq: u64::MAX, n: u64::MAX });
        let mut found: Vec<Entry> = of(&self.entries, key(first), key(last))
            .rev()
            .filter(|entry| before != Some(entry.id))
            .take(limit)
            .cloned()
            .collect();
        if let Some(base) = self.base() {
            found.extend(base.entries(address, kind, before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn replay(&self, user: &User, key: &str) -> Result<Option<Replay>> {
        match (self.replays.get(&(user.clone(), key.to_string())), self.base()) {
            (Some(replay), _) => Ok(Some(replay.clone())),
            (None, Some(base)) => base.replay(user, key),
            (None, None) => Ok(None),
        }
    }

    fn members(&self, user: Option<&User>) -> Result<Vec<Member>> {
        let mut found = BTreeMap::new();
        if let Some(base) = self.base() {
            for member in base.members(user)? {
                found.insert((member.project.clone(), member.user.clone()), Some(member));
            }
        }
        for ((project, of), member) in &self.members {
            if user.is_none_or(|user| user == of) {
                found.insert((project.clone(), of.clone()), member.clone());
            }
        }
        Ok(found.into_values().flatten().collect())
    }

    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<Audit>> {
        let own = self.audit.range(..before.unwrap_or(u64::MAX)).rev().take(limit);
        let mut found: Vec<Audit> = own.map(|(_, audit)| audit.clone()).collect();
        if let Some(base) = self.base() {
            found.extend(base.audit(before, limit)?);
            found.truncate(limit);
        }
        Ok(found)
    }

    fn secret(&self, fingerprint: &Fingerprint) -> Result<Option<Secret>> {
        match (self.secrets.get(fingerprint), self.base()) {
            (Some(secret), _) => Ok(Some(secret.clone())),
            (None, Some(base)) => base.secret(fingerprint),
            (None, None) => Ok(None),
        }
    }
}

impl core::fmt::Debug for MemoryStore<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "MemoryStore({} contexts)", self.records.len())
    }
}
