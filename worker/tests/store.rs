//! The store over SQL equals the twin in memory: the same answers to every read, after any history,
//! wake-ups, refusals, failing storage and rotations of keys included.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code stops at the first surprise"
)]
#![allow(dead_code, reason = "the world is shared with tests of other matters")]

mod sqlite;

use nacre_core::{
    access::Scopes,
    address::Address,
    error::{Code, Error},
    id::{ContextId, User},
    level::Level,
    live::{Notice, subscribe},
    moment::Moment,
    op::{
        Administration, Batch, BatchItem, Caller, Command, Edit, Expect, NewEntry, Patch, Put,
        Read, Resolve,
    },
    quota::Quotas,
    record::{EntryKind, Role},
    seal::open_secret,
    store::{AsOf, Filter, Reads},
    topic::Topic,
    value::Value,
};
use nacre_tests::arbitrary::config;
use nacre_worker::sql_store::SqlStore;
use proptest::{collection::vec, prelude::*, sample::select};
use sqlite::world::{
    DAY, RETENTION, SECRET, World, alice, id, masters, promoting, revoking, universe, value,
};

#[derive(Clone, Debug)]
enum Step {
    Write(Command, Option<&'static str>),
    Sleep,
    Tick,
    Rotate,
    Alarm,
}

fn any_address() -> impl Strategy<Value = Address> {
    select(universe())
}

fn parent(level: Level, which: usize) -> Option<ContextId> {
    let ids = match level {
        Level::Global | Level::Project => return None,
        Level::Branch => ["p", "p1"],
        Level::Task => ["b", "p"],
    };
    Some(id(ids[which % 2]))
}

fn data() -> impl Strategy<Value = Value> {
    let texts = vec![
        "{}",
        r#"{"a":1,"b":{"x":[1,2]}}"#,
        r#"{"a":null,"b":{"y":true}}"#,
        r#"{"api_key":"plant-7f3a91 one","c":"c"}"#,
        r#"{"db":{"password":"plant-7f3a91 two"}}"#,
        r#"{"token":{"id":1,"value":"plant-7f3a91 three"}}"#,
    ];
    select(texts).prop_map(value)
}

fn edit() -> impl Strategy<Value = Edit> {
    let expect = Expect::Anything;
    let summary = proptest::option::of(Just(String::from("because")));
    prop_oneof![
        6 => (any_address(), data(), 0..2usize, any::<bool>(), summary).prop_map(
            |(address, data, which, create_parents, summary)| Edit::Put(Put {
                parent: parent(address.level, which),
                data: data.as_object().unwrap().clone(),
                address,
                rules: None,
                summary,
                create_parents,
                expect: Expect::Anything,
            })),
        6 => (any_address(), data()).prop_map(move |(address, patch)| Edit::Update {
            address, patch: Patch::Merge(patch), summary: None, expect }),
        2 => (any_address(), any::<bool>()).prop_map(move |(address, cascade)| Edit::Delete {
            address, cascade, summary: None, expect }),
        2 => any_address().prop_map(|address| Edit::Restore { address, summary: None }),
        1 => (any_address(), 1u64..6).prop_map(move |(address, version)| Edit::Rollback {
            address, version, summary: None, expect }),
        1 => (any_address(), 0..2usize).prop_map(move |(address, which)| Edit::Move {
            parent: parent(address.level, which).unwrap_or_else(ContextId::global),
            address, summary: None, expect }),
        2 => (any_address(), any::<bool>()).prop_map(|(address, insight)| Edit::AddEntry(NewEntry {
            address,
            kind: if insight { EntryKind::Insight } else { EntryKind::Progress },
            content: "plant-7f3a91 content".into(),
            category: Some("c".into()),
            importance: Some(0.5),
            agent: None,
        })),
    ]
}

fn sharing() -> impl Strategy<Value = Administration> {
    (select(vec!["bob", "carol"]), 0..3usize).prop_map(|(user, role)| {
        let (user, project) = (User::parse(user).unwrap(), id("p"));
        match [Some(Role::Reader), Some(Role::Writer), None][role] {
            Some(role) => Administration::PutMember { user, project, terms: role.into() },
            None => Administration::DeleteMember { user, project },
        }
    })
}

fn batch(edits: Vec<Edit>, transaction: bool) -> Batch {
    let item = |edit: Edit| Ok(BatchItem { op: edit.into(), idempotency: None });
    Batch { transaction, operations: edits.into_iter().map(item).collect() }
}

fn step() -> impl Strategy<Value = Step> {
    let key = proptest::option::of(select(vec!["k0", "k1", "k2"]));
    prop_oneof![
        11 => (edit(), key.clone()).prop_map(|(edit, key)| Step::Write(edit.into(), key)),
        1 => (sharing(), key).prop_map(|(sharing, key)| Step::Write(sharing.into(), key)),
        3 => prop_oneof![revoking(), promoting(), promoting()]
            .prop_map(|work| Step::Write(work.into(), None)),
        3 => (vec(edit(), 1..5), any::<bool>())
            .prop_map(|(edits, transaction)| Step::Write(batch(edits, transaction).into(), None)),
        3 => Just(Step::Sleep),
        3 => Just(Step::Tick),
        1 => Just(Step::Rotate),
        1 => Just(Step::Alarm),
    ]
}

fn small() -> ProptestConfig {
    ProptestConfig { cases: 64, ..config() }
}

proptest! {
    #![proptest_config(small())]

    #[test]
    fn the_store_equals_its_twin_in_memory(steps in vec(step(), 1..40)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Write(op, key) => {
                    let (before, seq) = (world.database.bytes(), world.twin.seq());
                    match world.run(&op, key) {
                        Ok(plan) => prop_assert_eq!(world.sql.seq(), Ok(plan.seq)),
                        Err(_) => {
                            prop_assert_eq!(world.sql.seq(), seq);
                            prop_assert!(world.database.bytes() == before, "a refusal wrote");
                        }
                    }
                }
                Step::Sleep => world.sleep(),
                Step::Tick => world.now += 1000,
                Step::Rotate => {
                    world.rotate().unwrap();
                }
                Step::Alarm => world.alarm().unwrap(),
            }
        }
        world.compare()?;
        world.compare_lists()?;
        world.compare_views()?;
        world.compare_counts()?;
        world.sleep();
        world.compare()?;
        world.compare_documents()?;
        let bytes = world.database.bytes();
        prop_assert!(!contains(&bytes, SECRET.as_bytes()), "a value is stored in the clear");
    }

    #[test]
    fn a_storage_call_that_fails_undoes_the_whole_write(
        steps in vec(edit(), 1..12), last in vec(edit(), 1..4), key in any::<bool>()
    ) {
        let mut world = World::new();
        for op in steps {
            let _refused_or_not = world.run(&op, None);
            world.now += 1000;
        }
        let op = batch(last, false);
        let key = key.then_some("k0");
        for fuse in 0.. {
            world.sleep();
            world.open().unwrap();
            let (plan, founding) = world.plan(&op, key)?;
            let before = (world.database.bytes(), world.database.alarm.get());
            let mut entropy = world.entropy();
            world.database.fuse.set(Some(fuse));
            let outcome = world.sql.apply(&plan.writes, founding.as_ref(), &mut entropy);
            world.database.fuse.set(None);
            match outcome {
                Ok(()) => {
                    world.twin.apply(&plan.writes);
                    break;
                }
                Err(error) => {
                    prop_assert_eq!(error.code(), Code::StoreUnavailable);
                    let after = (world.database.bytes(), world.database.alarm.get());
                    prop_assert!(before == after, "call {} left something behind", fuse);
                    world.compare()?;
                }
            }
        }
        world.compare()?;
        world.compare_lists()?;
        world.compare_counts()?;
    }

    #[test]
    fn a_rotation_killed_anywhere_ends_with_everything_under_the_new_key(
        steps in vec(edit(), 1..12), fuse in 0..40u64
    ) {
        let mut world = World::new();
        for op in steps {
            let _refused_or_not = world.run(&op, Some("k1"));
        }
        let now = Moment(world.now);
        let begun = world.rotate().unwrap();
        let Some(begun) = begun else { return Ok(()) };
        prop_assert_eq!(begun.key.to_string(), "d2");
        prop_assert!(begun.goes_on && world.database.alarm.get() == Some(now));
        world.database.fuse.set(Some(fuse));
        for _ in 0..20 {
            if world.alarm().is_err() {
                world.database.fuse.set(None);
                world.sleep();
                world.open().unwrap();
            }
            if world.sql.rotation().unwrap().is_some_and(|rotation| !rotation.goes_on) {
                break;
            }
            prop_assert!(world.database.alarm.get().is_some_and(|alarm| alarm.0 <= world.now + 1));
        }
        world.database.fuse.set(None);
        world.open().unwrap();
        prop_assert!(!world.sql.rotation().unwrap().unwrap().goes_on);
        for table in ["contexts", "versions", "entries", "audit", "replays", "members", "secrets", "search", "search_state"] {
            let old = format!("SELECT count(*) FROM {table} WHERE substr(value, 3, 2) <> x'0002'");
            let old: i64 = world.database.connection.query_row(&old, [], |row| row.get(0)).unwrap();
            prop_assert_eq!(old, 0, "{}", table);
        }
        prop_assert_eq!(ids(&world), "d2, f2");
        world.sleep();
        world.compare()?;
        world.compare_counts()?;
    }
}

fn ids(world: &World) -> String {
    let keys = world.sql.keys().unwrap().unwrap();
    format!("{keys:?}").replace("Keyring(", "").replace(')', "")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

// --- one at a time

fn put(address: &Address, data: &str) -> Edit {
    Edit::Put(Put {
        address: address.clone(),
        data: value(data).as_object().unwrap().clone(),
        parent: None,
        rules: None,
        summary: None,
        create_parents: true,
        expect: Expect::Anything,
    })
}

fn update(address: &Address, data: &str) -> Edit {
    Edit::Update {
        address: address.clone(),
        patch: Patch::Merge(value(data)),
        summary: None,
        expect: Expect::Anything,
    }
}

fn project() -> Address {
    Address { level: Level::Project, id: id("p") }
}

#[test]
fn reading_what_was_never_written_leaves_no_trace() {
    let mut world = World::new();
    let empty = world.database.bytes();
    let resolve = Read::Resolve(Resolve {
        address: project(),
        path: None,
        as_of: None,
        explain: false,
        reveal: false,
    });
    assert_eq!(world.run(&resolve, None).unwrap_err().code(), Code::NotFound);
    let list = Read::List {
        filter: Filter::default(),
        after: None,
        limit: 10,
        data: false,
        reveal: false,
    };
    assert!(world.run(&list, None).is_ok());
    let refused = update(&project(), "{}");
    assert_eq!(world.run(&refused, None).unwrap_err().code(), Code::NotFound);
    world.alarm().unwrap();
    assert_eq!(world.database.bytes(), empty);
    assert_eq!(world.database.alarm.get(), None);
}

#[test]
fn a_warm_store_reads_nothing() {
    let mut world = World::new();
    world.run(&put(&Address::global(), "{}"), None).unwrap();
    world.run(&put(&project(), r#"{"a":1}"#), None).unwrap();
    world.sleep();
    let chain = |world: &mut World| {
        world.open().unwrap();
        let chain = [Address::global(), project()];
        let chain = chain.map(|address| world.sql.record(&address).unwrap().unwrap());
        assert_eq!(world.sql.view(&chain).unwrap().text, br#"{"a":1}"#);
        assert_eq!(world.sql.record(&Address { level: Level::Task, id: id("t") }), Ok(None));
        world.sql.seq().unwrap();
        world.database.calls.get()
    };
    let before = world.database.calls.get();
    assert_eq!(chain(&mut world), before + 4, "metadata and three rows");
    assert_eq!(chain(&mut world), before + 4);
    world.run(&update(&project(), r#"{"b":2,"a":null}"#), None).unwrap();
    let before = world.database.calls.get();
    let chain = [Address::global(), project()];
    let chain = chain.map(|address| world.sql.record(&address).unwrap().unwrap());
    assert_eq!(world.sql.view(&chain).unwrap().text, br#"{"b":2}"#);
    assert_eq!(world.database.calls.get(), before);
}

#[test]
fn rows_that_were_swapped_changed_or_moved_do_not_open() {
    let other = Address { level: Level::Project, id: id("q") };
    for damage in [
        "UPDATE contexts SET value = (SELECT value FROM contexts WHERE id = 'q') WHERE id = 'p'",
        "UPDATE contexts SET parent = 'other' WHERE id = 'p'",
        "UPDATE contexts SET deleted = 1 WHERE id = 'p'",
        "UPDATE contexts SET updated_at = updated_at + 1 WHERE id = 'p'",
        "UPDATE contexts SET value = (SELECT value FROM versions WHERE id = 'p') WHERE id = 'p'",
        "UPDATE contexts SET value = x'00' WHERE id = 'p'",
        "UPDATE contexts SET value = CAST(substr(value, 1, length(value) - 1) AS BLOB) WHERE id = 'p'",
        "UPDATE contexts SET value = CAST(substr(value, 1, 20) || x'fe' || substr(value, 22) AS BLOB) WHERE id = 'p'",
    ] {
        let mut world = World::new();
        world.run(&put(&project(), r#"{"a":"plant-7f3a91"}"#), None).unwrap();
        world.run(&put(&other, r#"{"b":2}"#), None).unwrap();
        world.database.connection.execute(damage, []).unwrap();
        world.sleep();
        world.open().unwrap();
        let error = world.sql.record(&project()).unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable, "{damage}");
        assert!(!format!("{error:?}").contains(SECRET));
        assert!(world.sql.record(&other).unwrap().is_some());
        let error = world.run(&update(&project(), "{}"), None).unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable, "{damage}");
    }
}

#[test]
fn another_owner_another_master_key_and_newer_code_are_refused() {
    let mut world = World::new();
    world.run(&put(&project(), "{}"), None).unwrap();
    let mut entropy = world.entropy();
    let bob = User::parse("bob").unwrap();
    let refused = |outcome: Result<(), Error>| {
        assert_eq!(outcome.unwrap_err().code(), Code::StoreUnavailable);
    };
    refused(world.sql.open(&bob, &world.masters, &mut entropy));
    world.sleep();
    refused(world.sql.open(&bob, &world.masters, &mut entropy));
    world.sleep();
    refused(world.sql.open(&alice(), &masters(&["E"]), &mut entropy));
    let schema = |schema: u64, needs: u64| {
        let statement = format!("UPDATE meta SET schema = {schema}, needs = {needs}");
        world.database.connection.execute(&statement, []).unwrap();
    };
    schema(99, 99);
    world.sql = SqlStore::new(world.database.clone(), RETENTION);
    refused(world.sql.open(&alice(), &world.masters, &mut entropy));
    schema(99, 1);
    world.sql = SqlStore::new(world.database.clone(), RETENTION);
    world.run(&update(&project(), r#"{"a":1}"#), None).unwrap();
    let kept: (i64, i64) = world
        .database
        .connection
        .query_row("SELECT schema, needs FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(kept, (99, 1), "a newer schema stays what it is");
}

#[test]
fn a_new_master_key_wraps_the_keys_anew_at_the_next_wake_up() {
    let mut world = World::new();
    world.run(&put(&project(), r#"{"a":1}"#), None).unwrap();
    world.masters = masters(&["E", "A"]);
    world.sleep();
    world.open().unwrap();
    world.masters = masters(&["E"]);
    world.sleep();
    world.compare().unwrap();
    assert_eq!(ids(&world), "d1, f1");
}

#[test]
fn history_older_than_the_retention_goes_and_every_state_inside_it_stays() {
    let mut world = World::new();
    let start = world.now;
    for day in 0..200u64 {
        world.now = start + day * DAY;
        let op = if day == 0 { put } else { update };
        world
            .run(
                &op(&project(), &format!(r#"{{"day":{day},"api_key":"{SECRET} {day}"}}"#)),
                Some("k"),
            )
            .ok();
        // The key's answer has expired by then.
    }
    assert!(world.database.alarm.get().is_some_and(|alarm| alarm.0 < start + 2 * DAY));
    world.alarms();
    world.sleep();
    world.open().unwrap();
    let kept = world.sql.versions_from(&project(), 0, 1000).unwrap();
    let cutoff = world.now - 90 * DAY;
    assert_eq!(kept.iter().filter(|version| version.at.0 <= cutoff).count(), 1);
    assert_eq!(kept.last().unwrap().version, 200);
    assert_eq!(kept.len(), 91);
    for day in 109..200u64 {
        let at = AsOf::Time(Moment(start + day * DAY + 1));
        let version = world.sql.version_as_of(&project(), at).unwrap().unwrap();
        assert_eq!(version.version, day + 1);
    }
    assert_eq!(world.sql.version_as_of(&project(), AsOf::Time(Moment(start))), Ok(None));
    // The next alarm is for the version that is outdated next.
    let next = world.database.alarm.get().unwrap().0;
    assert!((world.now..=world.now + 2 * DAY).contains(&next), "{}", next - world.now);
    // Of the secrets those stay that a kept version or the context mentions.
    let secrets: Vec<String> = {
        let mut all = world.database.connection.prepare("SELECT fingerprint FROM secrets").unwrap();
        all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    // 91 versions, and what the oldest of them replaced.
    assert_eq!(secrets.len(), 92);
    let keys = world.sql.keys().unwrap().unwrap();
    let mut open = 0;
    for fingerprint in secrets {
        let fingerprint = fingerprint.parse().unwrap();
        let secret = world.sql.secret(&fingerprint).unwrap().unwrap();
        let plain = open_secret(&keys, &fingerprint, &secret.sealed).unwrap();
        open += usize::from(plain.as_str().is_some_and(|text| text.starts_with(SECRET)));
    }
    assert_eq!(open, 92);
}

#[test]
fn a_context_deleted_longer_than_the_retention_is_purged_with_all_that_is_its() {
    let mut world = World::new();
    let branch = Address { level: Level::Branch, id: id("b") };
    world.run(&put(&project(), r#"{"password":"x"}"#), None).unwrap();
    let Edit::Put(mut new) = put(&branch, r#"{"token":"y"}"#) else { panic!() };
    new.parent = Some(id("p"));
    world.run(&Edit::Put(new), None).unwrap();
    let entry = NewEntry {
        address: branch.clone(),
        kind: EntryKind::Insight,
        content: "c".into(),
        category: None,
        importance: None,
        agent: None,
    };
    world.run(&Edit::AddEntry(entry), None).unwrap();
    let expect = Expect::Anything;
    let delete = Edit::Delete { address: branch.clone(), cascade: false, summary: None, expect };
    world.run(&delete, None).unwrap();
    world.now += 89 * DAY;
    world.alarms();
    assert!(world.sql.record(&branch).unwrap().is_some());
    let next = world.database.alarm.get().unwrap();
    assert!(next.0 > world.now && next.0 <= world.now + 2 * DAY);
    world.now = next.0;
    world.alarms();
    assert_eq!(world.sql.record(&branch), Ok(None));
    assert_eq!(world.sql.versions_from(&branch, 0, 9), Ok(Vec::new()));
    assert_eq!(world.sql.entries(&branch, EntryKind::Insight, None, 9), Ok(Vec::new()));
    assert!(world.sql.record(&project()).unwrap().is_some());
    let left: i64 = world
        .database
        .connection
        .query_row("SELECT count(*) FROM secrets", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 1, "the branch's secret is gone, the project's is not");
    assert_eq!(world.database.alarm.get(), None, "nothing is left to be due");
}

#[test]
fn a_secret_mentioned_anew_during_a_sweep_stays() {
    let mut world = World::new();
    let other = Address { level: Level::Project, id: id("zz") };
    world.run(&put(&project(), r#"{"password":"one"}"#), None).unwrap();
    let marker = {
        let record = world.sql.record(&project()).unwrap().unwrap();
        String::from_utf8(record.layer.text().to_vec()).unwrap()
    };
    world.run(&put(&other, "{}"), None).unwrap();
    // More rows than one part of the walk has, so that the sweep takes several alarms.
    for n in 0..250 {
        let task = Address { level: Level::Task, id: id(&format!("t{n}")) };
        let Edit::Put(mut new) = put(&task, "{}") else { panic!() };
        new.parent = Some(id("b"));
        let op = Edit::Put(new);
        if n == 0 {
            let Edit::Put(mut branch) = put(&Address { level: Level::Branch, id: id("b") }, "{}")
            else {
                panic!()
            };
            branch.parent = Some(id("zz"));
            world.run(&Edit::Put(branch), None).unwrap();
        }
        world.run(&op, None).unwrap();
    }
    world.run(&update(&project(), r#"{"password":null}"#), None).unwrap();
    world.now += 91 * DAY;
    world.run(&update(&project(), r#"{"n":1}"#), None).unwrap();
    world.now += 91 * DAY;
    world.run(&update(&project(), r#"{"n":2}"#), None).unwrap();
    world.alarm().unwrap();
    // The walk is past the projects; now one of them mentions the secret again.
    world.run(&update(&other, &marker), None).unwrap();
    for _ in 0..20 {
        world.alarm().unwrap();
    }
    let record = world.sql.record(&other).unwrap().unwrap();
    let data = record.layer.to_value().unwrap();
    let fingerprint = nacre_core::marker::markers(&data).next().unwrap();
    assert!(world.sql.secret(&fingerprint).unwrap().is_some());
}

#[test]
fn a_project_that_was_purged_takes_its_members_along() {
    let mut world = World::new();
    let bob = User::parse("bob").unwrap();
    world.run(&put(&project(), "{}"), None).unwrap();
    let share = Administration::PutMember {
        user: bob.clone(),
        project: id("p"),
        terms: Role::Reader.into(),
    };
    world.run(&share, None).unwrap();
    let (address, expect) = (project(), Expect::Anything);
    world.run(&Edit::Delete { address, cascade: false, summary: None, expect }, None).unwrap();
    assert_eq!(world.sql.members(Some(&bob)).unwrap().len(), 1, "it may come back");
    world.now += 91 * DAY;
    world.alarms();
    assert_eq!(world.sql.record(&project()), Ok(None));
    world.run(&put(&project(), r#"{"a":1}"#), None).unwrap();
    assert_eq!(world.sql.members(Some(&bob)), Ok(Vec::new()));
    world.sleep();
    world.open().unwrap();
    assert_eq!(world.sql.members(None), Ok(Vec::new()));
}

#[test]
fn what_was_missed_of_a_context_that_was_purged_is_not_what_its_successor_did() {
    let mut world = World::new();
    world.run(&put(&project(), r#"{"a":1}"#), None).unwrap();
    world.run(&update(&project(), r#"{"a":2}"#), None).unwrap();
    let (address, expect) = (project(), Expect::Anything);
    world.run(&Edit::Delete { address, cascade: false, summary: None, expect }, None).unwrap();
    world.now += 91 * DAY;
    world.alarms();
    world.run(&put(&project(), r#"{"b":1}"#), None).unwrap();
    world.run(&update(&project(), r#"{"b":2}"#), None).unwrap();
    world.run(&update(&project(), r#"{"b":3}"#), None).unwrap();
    let caller = Caller { user: alice(), owner: alice(), scopes: Scopes::READ };
    for topic in [Topic::Context(project()), Topic::Subtree(project())] {
        let missed = |since| subscribe(&world.sql, &caller, &topic, Some(since)).unwrap().missed;
        assert_eq!(missed(1), [Notice::Resync { seq: 6 }]);
        assert_eq!(missed(3).len(), 3);
    }
}

#[test]
fn who_has_not_heard_of_a_delete_before_the_context_was_purged_reads_anew() {
    let mut world = World::new();
    let branch = Address { level: Level::Branch, id: id("b") };
    world.run(&put(&project(), "{}"), None).unwrap();
    let Edit::Put(mut new) = put(&branch, "{}") else { panic!() };
    new.parent = Some(id("p"));
    world.run(&Edit::Put(new.clone()), None).unwrap();
    let (address, expect) = (branch, Expect::Anything);
    world.run(&Edit::Delete { address, cascade: false, summary: None, expect }, None).unwrap();
    world.now += 91 * DAY;
    world.alarms();
    world.run(&update(&project(), r#"{"a":1}"#), None).unwrap();
    let caller = Caller { user: alice(), owner: alice(), scopes: Scopes::READ };
    let missed = |world: &World, since| {
        let below = Topic::Subtree(project());
        subscribe(&world.sql, &caller, &below, Some(since)).unwrap().missed
    };
    assert_eq!(missed(&world, 2), [Notice::Resync { seq: 4 }]);
    assert_eq!(missed(&world, 3).len(), 1);
    // Nor is it told of the one that has its id now alone.
    world.run(&Edit::Put(new), None).unwrap();
    assert_eq!(missed(&world, 2), [Notice::Resync { seq: 5 }]);
    assert_eq!(missed(&world, 3).len(), 2);
}

#[test]
fn a_store_of_the_first_schema_is_counted_once_and_goes_on() {
    let mut world = World::new();
    let put = |name: &str| {
        Edit::Put(Put {
            address: Address { level: Level::Project, id: id(name) },
            data: value(r#"{"a":1}"#).as_object().unwrap().clone(),
            parent: None,
            rules: None,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        })
    };
    world.run(&put("p"), Some("k0")).unwrap();
    world.run(&put("q"), None).unwrap();
    let connection = &world.database.connection;
    connection
        .execute_batch(
            "ALTER TABLE audit DROP COLUMN used; ALTER TABLE replays DROP COLUMN user;
             DROP TABLE outbox; DROP TABLE search; DROP TABLE search_state;
             UPDATE meta SET schema = 1",
        )
        .unwrap();
    world.sleep();
    world.open().unwrap();
    let used = world.sql.used().unwrap();
    assert_eq!((used.contexts, used.idempotency.len()), (2, 0));
    world.run(&put("r"), Some("k1")).unwrap();
    world.compare_counts().unwrap();
    assert_eq!(world.sql.used().unwrap().contexts, 3);
    world.compare_documents().unwrap();
}

#[test]
fn a_commit_past_a_quota_writes_nothing() {
    let mut world = World::new();
    let add = |n: usize| {
        Edit::AddEntry(NewEntry {
            address: Address::global(),
            kind: EntryKind::Insight,
            content: format!("{n}"),
            category: None,
            importance: None,
            agent: None,
        })
    };
    let global = Edit::Put(Put {
        address: Address::global(),
        data: value("{}").as_object().unwrap().clone(),
        parent: None,
        rules: None,
        summary: None,
        create_parents: false,
        expect: Expect::Anything,
    });
    world.run(&global, None).unwrap();
    let quotas = Quotas::parse("stored_bytes=1000").unwrap();
    world.sql = SqlStore::new(world.database.clone(), RETENTION).with_quotas(quotas);
    let refused = (0..50).find_map(|n| {
        let before = world.database.bytes();
        let error = world.run(&add(n), None).err()?;
        assert!(world.database.bytes() == before, "a refusal wrote");
        Some(error)
    });
    let error = refused.unwrap();
    assert_eq!((error.code(), error.limit_value()), (Code::QuotaExceeded, Some(1000)));
    assert!(world.sql.used().unwrap().stored_bytes <= 1000);
}
