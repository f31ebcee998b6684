//! The store's laws, over random histories: what `decide` says, applied to the memory twin.

use std::collections::{BTreeMap, BTreeSet};

use nacre_core::{
    address::Address,
    error::{Code, Error},
    json,
    level::Level,
    moment::Moment,
    op::{Batch, BatchItem, Edit, Expect, Patch, Put, Read, Which},
    patch::JsonPatch,
    plan::{Event, Reply},
    rules::Rules,
    store::{AsOf, Filter, Reads},
    value::{Object, Value},
};
use nacre_tests::{
    arbitrary,
    histories::{address, object, universe, write},
};
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*};

fn views(world: &mut World) -> BTreeMap<Address, Option<Vec<u8>>> {
    universe().into_iter().map(|address| (address.clone(), world.view(&address, None))).collect()
}

fn batch(ops: Vec<Edit>, transaction: bool) -> Batch {
    let item = |op: Edit| Ok(BatchItem { op: op.into(), idempotency: None });
    Batch { transaction, operations: ops.into_iter().map(item).collect() }
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn every_past_view_can_be_read_again(ops in vec(write(), 1..40)) {
        let mut world = World::empty();
        let mut past = Vec::new();
        for op in ops {
            let _refused_or_not = world.run(op);
            let seq = world.store.seq().unwrap();
            past.push((seq, world.requests, views(&mut world)));
        }
        for (seq, requests, views) in past {
            for (address, view) in views {
                prop_assert_eq!(&world.view(&address, Some(AsOf::Seq(seq))), &view, "{}", &address);
                let time = AsOf::Time(Moment(requests * 1000));
                prop_assert_eq!(&world.view(&address, Some(time)), &view, "{}", &address);
            }
        }
    }

    #[test]
    fn every_version_can_be_rolled_back_to(ops in vec(write(), 1..30)) {
        let mut world = World::empty();
        let mut versions: BTreeMap<(Address, u64), Vec<u8>> = BTreeMap::new();
        for op in ops {
            let _refused_or_not = world.run(op);
            for address in universe() {
                if let Some(record) = world.store.record(&address).unwrap() {
                    versions.insert((address, record.version), record.layer.text().to_vec());
                }
            }
        }
        for ((address, version), text) in versions {
            let which = Which::Version(version);
            let get = Read::Get { address: address.clone(), which, reveal: false };
            let Ok(Reply::Context(context)) = world.run(get) else { panic!("a version is gone") };
            prop_assert_eq!(context.shown.layer().unwrap().text(), &text[..]);
            let expect = Expect::Anything;
            let rollback = Edit::Rollback { address: address.clone(), version, summary: None, expect };
            match world.run(rollback) {
                Ok(_) => prop_assert_eq!(world.data(&address), Some(text)),
                Err(error) => prop_assert!(
                    matches!(error.code(), Code::NotFound | Code::Locked), "{}", error
                ),
            }
        }
    }

    #[test]
    fn a_plan_applied_twice_is_a_plan_applied_once(ops in vec(write(), 1..20)) {
        let mut world = World::empty();
        for op in ops {
            let Ok(plan) = world.plan(op) else { continue };
            world.store.apply(&plan.writes);
            let (once, seq) = (views(&mut world), world.store.seq().unwrap());
            world.store.apply(&plan.writes);
            prop_assert_eq!(once, views(&mut world));
            prop_assert_eq!(seq, world.store.seq().unwrap());
        }
    }

    #[test]
    fn events_carry_exactly_the_change(ops in vec(write(), 1..30)) {
        let mut world = World::empty();
        for op in ops {
            let Ok(plan) = world.plan(op) else { continue };
            let mut before: BTreeMap<Address, Value> = BTreeMap::new();
            for event in &plan.events {
                let Event::Change(changed) = event else { continue };
                let value = before.entry(changed.context.address.clone()).or_insert_with(|| {
                    match world.store.record(&changed.context.address).unwrap() {
                        Some(record) => record.layer.to_value().unwrap(),
                        None => Value::Object(Object::new()),
                    }
                });
                changed.patch.apply(value).unwrap();
            }
            world.store.apply(&plan.writes);
            for (address, value) in before {
                let record = world.store.record(&address).unwrap().unwrap();
                prop_assert_eq!(record.layer.text(), json::write(&value));
            }
        }
    }

    #[test]
    fn a_batch_equals_its_operations_one_by_one(
        start in vec(write(), 0..10), ops in vec(write(), 1..12)
    ) {
        let (mut one, mut other) = (World::empty(), World::empty());
        for op in start {
            let _ = one.run(op.clone());
            let _ = other.run(op);
        }
        let codes: Vec<_> =
            ops.iter().map(|op| one.run(op.clone()).err().map(|error| error.code())).collect();
        let reply = other.run(batch(ops.clone(), false)).unwrap();
        let Reply::Batch(results) = reply else { panic!("a batch") };
        let batched: Vec<_> =
            results.iter().map(|r| r.as_ref().err().map(Error::code)).collect();
        // A restore names a delete by its commit, and in a batch all deletes are one commit.
        let restores = ops.iter().any(|op| matches!(op, Edit::Restore { .. }));
        if !restores {
            prop_assert_eq!(batched, codes);
            prop_assert_eq!(views(&mut one), views(&mut other));
        }
    }

    #[test]
    fn a_refused_transaction_changes_nothing(
        start in vec(write(), 0..10), ops in vec(write(), 1..12)
    ) {
        let mut world = World::empty();
        for op in start {
            let _ = world.run(op);
        }
        let (before, seq) = (views(&mut world), world.store.seq().unwrap());
        match world.run(batch(ops.clone(), true)) {
            Ok(Reply::Batch(results)) => prop_assert!(results.iter().all(Result::is_ok)),
            Ok(_) => panic!("a batch"),
            Err(error) => {
                prop_assert!(error.operation().is_some_and(|index| index < ops.len()));
                prop_assert_eq!(before, views(&mut world));
                prop_assert_eq!(seq, world.store.seq().unwrap());
            }
        }
    }

    #[test]
    fn a_preview_tells_what_then_happens(start in vec(write(), 0..15), op in write()) {
        let mut world = World::empty();
        for op in start {
            let _ = world.run(op);
        }
        let before = views(&mut world);
        let preview = Read::Preview { address: Address::global(), edits: vec![op.clone()] };
        let previewed = world.run(preview);
        prop_assert_eq!(&before, &views(&mut world));
        let happened = world.run(op);
        match (previewed, happened) {
            (Ok(Reply::Preview(preview)), Ok(_)) => {
                let after = views(&mut world);
                let changed: BTreeSet<_> = before
                    .iter()
                    .filter(|(address, view)| after[*address] != **view)
                    .map(|(address, _)| address.clone())
                    .collect();
                let told: BTreeSet<_> = preview
                    .affected
                    .iter()
                    .map(|affected| affected.address.clone())
                    .filter(|address| before.contains_key(address))
                    .collect();
                prop_assert_eq!(told, changed);
            }
            (Err(a), Err(b)) => prop_assert_eq!(a.code(), b.code()),
            (a, b) => panic!("preview {a:?}, then {b:?}"),
        }
    }

    #[test]
    fn lists_page_without_gap_or_repeat(ops in vec(write(), 0..30), limit in 1usize..4) {
        let mut world = World::empty();
        for op in ops {
            let _ = world.run(op);
        }
        let live: Vec<_> =
            world.store.list(&Filter::default(), None, usize::MAX).unwrap();
        let live: Vec<_> = live.iter().map(|record| record.address.clone()).collect();
        let mut paged = Vec::new();
        let mut after = None;
        loop {
            let filter = Filter::default();
            let list = Read::List { filter, after, limit, data: false, reveal: false };
            let Ok(Reply::Contexts { items, next }) = world.run(list) else { panic!("a list") };
            paged.extend(items.iter().map(|item| item.shown.address.clone()));
            after = next;
            if after.is_none() { break; }
        }
        prop_assert_eq!(paged, live);
    }

    #[test]
    fn no_secret_reaches_a_document(secret in "[a-z]{12,20}", value in arbitrary::object()) {
        let mut world = World::empty();
        let mut data = value;
        data.insert("db_password", Value::from(secret.as_str()));
        let put = Edit::Put(Put {
            address: Address::global(), data: data.clone(), parent: None, rules: None,
            summary: None, create_parents: false, expect: Expect::Anything,
        });
        let plan = world.plan(put).unwrap();
        let printed = format!("{plan:?}");
        prop_assert!(!printed.contains(&secret));
        world.store.apply(&plan.writes);
        let Some(view) = world.view(&Address::global(), None) else { panic!("a view") };
        prop_assert!(!String::from_utf8(view).unwrap().contains(&secret));
        let op = Read::Get { address: Address::global(), which: Which::Current, reveal: true };
        let Reply::Context(context) = world.run(op).unwrap() else { panic!("a context") };
        prop_assert_eq!(context.revealed.clone().unwrap(), Value::Object(data));
    }
}

#[test]
fn one_of_two_writers_on_one_version_wins() {
    let mut world = World::empty();
    let global = Address::global();
    let put = |member: &'static str, expect| {
        Edit::Put(Put {
            address: Address::global(),
            data: object(vec![("shared", Value::from(member))]),
            parent: None,
            rules: None,
            summary: None,
            create_parents: false,
            expect,
        })
    };
    world.run(put("base", Expect::Absent)).unwrap();
    world.run(put("first", Expect::Version(1))).unwrap();
    let error = world.run(put("second", Expect::Version(1))).unwrap_err();
    assert_eq!(error.code(), Code::VersionConflict);
    assert_eq!(error.version(), Some(2));
    let Some([conflict]) = error.conflict_list() else { panic!("one conflict") };
    assert_eq!(conflict.pointer, "/shared");
    assert_eq!(conflict.base, Some(Value::from("base")));
    assert_eq!(conflict.current, Some(Value::from("first")));
    assert_eq!(conflict.yours, Some(Value::from("second")));
    assert_eq!(world.data(&global), Some(br#"{"shared":"first"}"#.to_vec()));
}

#[test]
fn a_locked_path_is_refused_and_what_was_there_may_stay_or_go() {
    let mut world = World::empty();
    let project = address(Level::Project, "p0");
    let put = |address: Address, data: Vec<(&'static str, Value)>, lock: bool| {
        let lock =
            lock.then(|| Rules::from_object(&object(vec![("/a", Value::from("lock"))])).unwrap());
        Edit::Put(Put {
            address,
            data: object(data),
            parent: None,
            rules: lock,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        })
    };
    let one = || Value::from(1u64);
    world.run(put(project.clone(), vec![("a", one())], false)).unwrap();
    world.run(put(Address::global(), vec![("a", Value::from(0u64))], true)).unwrap();
    let keep = put(project.clone(), vec![("a", one()), ("b", one())], false);
    world.run(keep).expect("what was there before the lock may stay");
    let change = put(project.clone(), vec![("a", Value::from(2u64))], false);
    let error = world.run(change).unwrap_err();
    assert_eq!((error.code(), error.pointer()), (Code::Locked, Some("/a")));
    let patch = JsonPatch::parse(json::read(br#"[{"op":"remove","path":"/a"}]"#, 8).unwrap());
    let patch = Patch::Json(patch.unwrap());
    let expect = Expect::Anything;
    world
        .run(Edit::Update { address: project.clone(), patch, summary: None, expect })
        .expect("and it may go");
    assert_eq!(world.view(&project, None), Some(br#"{"a":0,"b":1}"#.to_vec()));
}
