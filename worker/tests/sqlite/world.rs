//! The store under test beside its twin in memory, with a clock and keys of their own.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::Error,
    hash::Hash,
    id::{ContextId, User},
    json,
    level::Level,
    memory::MemoryStore,
    moment::Moment,
    op::{Administration, Caller, Command, Edit, Expect, Idempotency, Put, Request},
    plan::Plan,
    pointer::Pointer,
    promotion::{Proposal, Verdict},
    quota::Used,
    record::{EntryId, EntryKind},
    retrieval::Document,
    revocation::{Subject, TokenId},
    seal::{MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    sheet::SheetKind,
    store::{AsOf, Filter, Reads, Write, resolve_records},
    value::Value,
    wire::{Answer, remember},
};
use nacre_worker::sql_store::{Delivery, Founding, Retention, Rotation, SqlStore};
use proptest::{prelude::*, sample::select};

use super::Sqlite;

pub(crate) const DAY: u64 = 24 * 60 * 60 * 1000;
pub(crate) const RETENTION: Retention = Retention { history_millis: 90 * DAY };
pub(crate) const SECRET: &str = "plant-7f3a91";

/// The store under test, its twin, and a clock.
pub(crate) struct World {
    pub(crate) sql: SqlStore<Sqlite>,
    pub(crate) database: Sqlite,
    pub(crate) twin: MemoryStore<'static>,
    pub(crate) masters: MasterKeyring,
    pub(crate) names: SensitiveNames,
    pub(crate) now: u64,
    pub(crate) seeds: u64,
}

pub(crate) fn masters(ids: &[&str]) -> MasterKeyring {
    let entries: Vec<String> =
        ids.iter().map(|id| format!("{id}:{}=", id.repeat(43).get(..43).unwrap())).collect();
    MasterKeyring::parse(&entries.join(",")).unwrap()
}

pub(crate) fn alice() -> User {
    User::parse("alice").unwrap()
}

pub(crate) fn id(text: &str) -> ContextId {
    ContextId::parse(text).unwrap()
}

pub(crate) fn value(text: &str) -> Value {
    json::read(text.as_bytes(), 64).unwrap()
}

/// Creates a context, or replaces its data.
pub(crate) fn put(level: &str, name: &str, parent: Option<&str>, data: Value) -> Edit {
    Edit::Put(Put {
        address: Address::parse(level, name).unwrap(),
        data: data.as_object().unwrap().clone(),
        parent: parent.map(id),
        rules: None,
        summary: None,
        create_parents: true,
        expect: Expect::Anything,
    })
}

impl World {
    pub(crate) fn new() -> World {
        let database = Sqlite::new();
        World {
            sql: SqlStore::new(database.clone(), RETENTION),
            database,
            twin: MemoryStore::new(),
            masters: masters(&["A"]),
            names: SensitiveNames::default(),
            now: 1_790_000_000_000,
            seeds: 0,
        }
    }

    pub(crate) fn entropy(&mut self) -> Entropy {
        self.seeds += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.to_le_bytes());
        Entropy::from_seed(seed)
    }

    /// What an object does after it was evicted.
    pub(crate) fn sleep(&mut self) {
        self.sql = SqlStore::new(self.database.clone(), RETENTION);
    }

    pub(crate) fn open(&mut self) -> Result<(), Error> {
        let mut entropy = self.entropy();
        self.sql.open(&alice(), &self.masters, &mut entropy)
    }

    pub(crate) fn founding(&mut self) -> Option<Founding> {
        let mut entropy = self.entropy();
        let void = self.sql.is_void().unwrap();
        void.then(|| Founding::new(&alice(), &self.masters, &mut entropy).unwrap())
    }

    pub(crate) fn plan(
        &mut self,
        command: &(impl Into<Command> + Clone),
        key: Option<&str>,
    ) -> Result<(Plan, Option<Founding>), Error> {
        self.open()?;
        let founding = self.founding();
        let held = self.sql.keys()?;
        let keys = founding.as_ref().map(|founding| &*founding.keys).or(held.as_deref());
        let keys = keys.map(|keys| keys as _);
        let mut entropy = self.entropy();
        let at = Moment(self.now).max(self.sql.last_commit()?);
        let (names, content) = (&self.names, SealContent::Seal(credentials::find));
        let mut setting = Setting { at, entropy: &mut entropy, keys, names, content };
        let scopes = Scopes::UNSTATED.with(Scopes::REVEAL).with(Scopes::ADMIN);
        let caller = Caller { user: alice(), owner: alice(), scopes };
        let idempotency = key.map(|key| Idempotency { key: key.into(), request: Hash::of(&[1]) });
        let request = Request {
            caller,
            command: command.clone().into(),
            idempotency,
            id: Some("r-1".into()),
        };
        let mut plan = decide(&self.sql, &mut setting, &request)?;
        remember(&mut plan, Answer::of)?;
        Ok((plan, founding))
    }

    pub(crate) fn run(
        &mut self,
        command: &(impl Into<Command> + Clone),
        key: Option<&str>,
    ) -> Result<Plan, Error> {
        let (plan, founding) = self.plan(command, key)?;
        let mut entropy = self.entropy();
        self.sql.apply(&plan.writes, founding.as_ref(), &mut entropy)?;
        self.twin.apply(&plan.writes);
        Ok(plan)
    }

    /// Runs the alarm, once it is due if that is within a second. As on the platform, one that was
    /// set to the time it had is forgotten with the run.
    pub(crate) fn alarm(&mut self) -> Result<(), Error> {
        let running = self.database.alarm.get();
        self.now = running.map_or(self.now, |at| self.now.max(at.0.min(self.now + 1000)));
        let mut entropy = self.entropy();
        self.sql.wake(&self.masters, &mut entropy)?;
        self.sql.upkeep(Moment(self.now), &self.masters, &mut entropy)?;
        self.drain()?;
        self.sql.arm(None)?;
        if self.database.alarm.get() == running {
            self.database.alarm.set(None);
        }
        Ok(())
    }

    /// Drains the next part of the outbox if it is due, as the object's alarm does without a shared
    /// database.
    pub(crate) fn drain(&mut self) -> Result<(), Error> {
        let now = Moment(self.now);
        if self.sql.drain_due()?.is_none_or(|due| due > now) {
            return Ok(());
        }
        let mut entropy = self.entropy();
        let Some(state) = self.sql.begin_search(&mut entropy)? else { return Ok(()) };
        if state.must_clear() {
            self.sql.cleared(&state.key, &mut entropy)?;
        }
        self.sql.queue_part(&mut entropy)?;
        let part = self.sql.next_part(&state.key, true)?;
        self.sql.settle(&state.key, &part.settled, &Delivery::Unneeded, now, &mut entropy)
    }

    /// The index has exactly the documents of the live contexts, once the outbox is empty.
    pub(crate) fn compare_documents(&mut self) -> Result<(), TestCaseError> {
        self.now += 2000;
        for _ in 0..50 {
            self.open().unwrap();
            if self.sql.drain_due().unwrap().is_none() {
                break;
            }
            self.alarm().unwrap();
        }
        prop_assert_eq!(self.sql.waiting(), Ok(0));
        let mut live = BTreeMap::new();
        for heading in self.twin.list(&Filter::default(), None, usize::MAX).unwrap() {
            let document = Document::read(&self.twin, &heading.address).unwrap().unwrap();
            live.insert(heading.address.clone(), document);
        }
        let found = self.sql.documents(None, 1000).unwrap();
        let found: BTreeMap<Address, Document> = found
            .into_iter()
            .map(|(address, plain)| (address, Document::decode(&plain).unwrap()))
            .collect();
        prop_assert_eq!(&found, &live);
        let words: u64 = live.values().map(|document| u64::from(document.row.length)).sum();
        let state = self.sql.search().unwrap();
        let counted = state.map_or((0, 0), |state| (state.documents, state.words));
        prop_assert_eq!(counted, (live.len() as u64, words));
        Ok(())
    }

    /// Replaces the markers of older fingerprint keys in the next contexts, as the object's alarm does.
    pub(crate) fn mark(&mut self) -> Result<(), Error> {
        let World { sql, twin, names, now, .. } = self;
        let names = &*names;
        let mut entropy = Entropy::from_seed([0x5a; 32]);
        sql.mark_part(Moment(*now), |owner, address| {
            let keys = sql.keys()?;
            let mut setting = Setting {
                at: Moment(*now).max(sql.last_commit()?),
                entropy: &mut entropy,
                keys: keys.as_deref().map(|keys| keys as _),
                names,
                content: SealContent::Off,
            };
            let plan = decide(sql, &mut setting, &Request::rewrite(owner, address))?;
            sql.apply(&plan.writes, None, &mut entropy)?;
            twin.apply(&plan.writes);
            Ok(())
        })
    }

    /// Runs the alarm as long as there is one that is due within a second.
    pub(crate) fn alarms(&mut self) {
        let mut rounds = 0;
        while self.database.alarm.get().is_some_and(|at| at.0 <= self.now + 1000) {
            self.alarm().unwrap();
            rounds += 1;
            assert!(rounds < 50);
        }
    }

    /// Begins a rotation; its line in the audit trail is a commit of both stores.
    pub(crate) fn rotate(&mut self) -> Result<Option<Rotation>, Error> {
        self.open()?;
        let (mut entropy, before) = (self.entropy(), self.sql.seq()?);
        let now = Moment(self.now);
        let rotation = self.sql.rotate(now, &alice(), None, &self.masters, &mut entropy)?;
        if self.sql.seq()? > before {
            self.twin.apply(&[Write::Audit(self.sql.audit(None, 1)?.remove(0))]);
        }
        Ok(rotation)
    }

    /// Asks both stores everything and compares.
    pub(crate) fn compare(&mut self) -> Result<(), TestCaseError> {
        self.open().unwrap();
        let (sql, twin) = (&self.sql, &self.twin);
        prop_assert_eq!(sql.seq(), twin.seq());
        for address in universe() {
            prop_assert_eq!(sql.record(&address), twin.record(&address));
            for (from, limit) in [(0, 100), (2, 2), (9, 1)] {
                prop_assert_eq!(
                    sql.versions_from(&address, from, limit),
                    twin.versions_from(&address, from, limit)
                );
            }
            for (before, limit) in [(None, 100), (None, 1), (Some(3), 2), (Some(1), 5)] {
                prop_assert_eq!(
                    sql.versions_before(&address, before, limit),
                    twin.versions_before(&address, before, limit)
                );
            }
            let times = (0..60).map(|n| AsOf::Time(Moment(1_790_000_000_000 + n * 1000)));
            for at in (0..60).map(AsOf::Seq).chain(times) {
                prop_assert_eq!(sql.version_as_of(&address, at), twin.version_as_of(&address, at));
            }
            for kind in [EntryKind::Insight, EntryKind::Progress] {
                for (before, limit) in [(None, 100), (None, 1), (Some(EntryId { seq: 5, n: 1 }), 3)]
                {
                    prop_assert_eq!(
                        sql.entries(&address, kind, before, limit),
                        twin.entries(&address, kind, before, limit)
                    );
                }
            }
        }
        for seq in 0..40 {
            prop_assert_eq!(sql.deleted_by(seq), twin.deleted_by(seq));
        }
        for (before, limit) in [(None, 100), (None, 2), (Some(4), 2)] {
            prop_assert_eq!(sql.audit(before, limit), twin.audit(before, limit));
        }
        for user in [None, Some(User::parse("bob").unwrap()), Some(alice())] {
            prop_assert_eq!(sql.members(user.as_ref()), twin.members(user.as_ref()));
        }
        let revoked = |store: &dyn Reads| {
            let mut found = Vec::new();
            store.each_revocation(&mut |one| found.push(one.clone())).unwrap();
            found
        };
        prop_assert_eq!(revoked(sql), revoked(twin));
        for (waiting, before, limit) in [(false, None, 100), (false, None, 1), (true, None, 100)] {
            let sheets = |store: &dyn Reads| {
                store.sheets(SheetKind::Promotion, waiting, before, limit).unwrap()
            };
            prop_assert_eq!(sheets(sql), sheets(twin));
            for sheet in sheets(sql) {
                let (kind, name) = (sheet.kind, &*sheet.name);
                prop_assert_eq!(sql.sheet(kind, name), twin.sheet(kind, name));
                let before = Some(name);
                prop_assert_eq!(
                    sql.sheets(kind, waiting, before, 1),
                    twin.sheets(kind, waiting, before, 1)
                );
            }
        }
        for key in ["k0", "k1", "k2"] {
            prop_assert_eq!(sql.replay(&alice(), key), twin.replay(&alice(), key));
        }
        Ok(())
    }

    /// The counts that were kept are those of a recount, after a wake-up too.
    pub(crate) fn compare_counts(&mut self) -> Result<(), TestCaseError> {
        self.open().unwrap();
        if self.sql.is_void().unwrap() {
            prop_assert_eq!(self.sql.used(), Ok(Used::default()));
            return Ok(());
        }
        let counted = self.sql.count_all();
        prop_assert_eq!(&self.sql.used(), &counted);
        self.sleep();
        self.open().unwrap();
        prop_assert_eq!(&self.sql.used(), &counted);
        Ok(())
    }

    pub(crate) fn compare_lists(&self) -> Result<(), TestCaseError> {
        let (sql, twin) = (&self.sql, &self.twin);
        for filter in filters() {
            let whole = twin.list(&filter, None, usize::MAX).unwrap();
            prop_assert_eq!(&sql.list(&filter, None, usize::MAX).unwrap(), &whole, "{:?}", filter);
            for limit in [1, 3] {
                let mut paged = Vec::new();
                let mut after: Option<Address> = None;
                loop {
                    let page = sql.list(&filter, after.as_ref(), limit).unwrap();
                    prop_assert!(page.len() <= limit);
                    let Some(last) = page.last() else { break };
                    after = Some(last.address.clone());
                    paged.extend(page);
                }
                prop_assert_eq!(&paged, &whole, "{:?} by {}", &filter, limit);
            }
        }
        Ok(())
    }

    pub(crate) fn compare_views(&self) -> Result<(), TestCaseError> {
        for address in universe() {
            let mut chain = Vec::new();
            let mut next = Some(address);
            while let Some(address) = next {
                let Some(record) = self.sql.record(&address).unwrap().filter(|r| r.is_live())
                else {
                    break;
                };
                next = record.above();
                chain.insert(0, record);
            }
            if !chain.is_empty() {
                prop_assert_eq!(self.sql.view(&chain).unwrap(), resolve_records(&chain));
            }
        }
        Ok(())
    }
}

pub(crate) fn universe() -> Vec<Address> {
    let mut all = vec![Address::global()];
    let ids = [
        (Level::Project, ["p", "p1", "P"]),
        (Level::Branch, ["b", "b~", "p"]),
        (Level::Task, ["t", "t:1", "b"]),
    ];
    for (level, ids) in ids {
        all.extend(ids.map(|text| Address { level, id: id(text) }));
    }
    all
}

pub(crate) fn filters() -> Vec<Filter> {
    let levels = [None, Some(Level::Global), Some(Level::Branch), Some(Level::Task)];
    let parents = [None, Some("global"), Some("p"), Some("b")];
    let roots = universe().into_iter().map(Some).chain([None]);
    let mut all = Vec::new();
    for under in roots {
        for level in levels {
            for parent in parents {
                for prefix in [None, Some("p"), Some("b~"), Some("")] {
                    all.push(Filter {
                        level,
                        parent: parent.map(id),
                        under: under.clone(),
                        prefix: prefix.map(String::from),
                    });
                }
            }
        }
    }
    all
}

/// Proposals between contexts of the universe, and decisions about them.
pub(crate) fn promoting() -> impl Strategy<Value = Administration> {
    let verdicts = select(vec![Verdict::Approve, Verdict::Decline, Verdict::Undo]);
    let ids = (1..30u64).prop_map(|seq| EntryId { seq, n: 0 });
    prop_oneof![
        (select(universe()), select(universe()), select(vec!["/a", "/b", ""])).prop_map(
            |(from, to, pointer)| {
                let proposal = Proposal {
                    from,
                    pointer: Pointer::parse(pointer).unwrap(),
                    to,
                    reason: Some("plant-7f3a91 reason".into()),
                    evidence: Some("plant-7f3a91 evidence".into()),
                };
                Administration::Propose(proposal.into())
            }
        ),
        (ids, verdicts).prop_map(|(id, verdict)| Administration::Settle(id, verdict)),
    ]
}

/// Tokens that are refused, and let in again.
pub(crate) fn revoking() -> impl Strategy<Value = Administration> {
    let user = |name: &str| Subject::User(User::parse(name).unwrap());
    let subjects = vec![user("bob"), user("alice"), Subject::Token(TokenId::parse("t").unwrap())];
    (select(subjects), any::<bool>()).prop_map(|(subject, ends)| match ends {
        true => Administration::Unrevoke(subject),
        false => Administration::Revoke { subject, time: None },
    })
}
