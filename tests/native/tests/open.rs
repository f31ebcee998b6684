//! Opening exports: what comes back is what was exported, and nothing else opens.

use std::collections::BTreeSet;

use nacre_core::{
    address::Address,
    error::{Code, Error},
    level::Level,
    op::{Command, Edit, Expect, NewEntry, Patch, Put, Read, Resolve},
    plan::Reply,
    record::EntryKind,
    store::{AsOf, Filter, Reads},
    value::{Object, Value},
    wire::Answer,
};
use nacre_tests::{
    arbitrary,
    histories::{address, any_address, object, universe, write},
};
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*};

fn entry() -> impl Strategy<Value = Edit> {
    let label = || proptest::option::of("[a-z]{1,4}");
    let importance = proptest::option::of(0.0..=1.0);
    (any_address(), any::<bool>(), ".{1,8}", label(), importance, label()).prop_map(
        |(address, is_insight, content, category, importance, agent)| {
            let (category, importance) =
                if is_insight { (category, importance) } else { (None, None) };
            let kind = if is_insight { EntryKind::Insight } else { EntryKind::Progress };
            Edit::AddEntry(NewEntry { address, kind, content, category, importance, agent })
        },
    )
}

/// Writes of every kind; summaries and secrets among them.
fn op() -> impl Strategy<Value = Edit> {
    let noted = (write(), "[a-z]{0,5}").prop_map(|(mut op, why)| {
        if let Edit::Put(Put { summary, .. }) | Edit::Update { summary, .. } = &mut op {
            *summary = Some(why);
        }
        op
    });
    let secret = (any_address(), "[a-z]{1,2}").prop_map(|(address, secret)| {
        let patch = Value::Object(object(vec![("password", Value::from(secret))]));
        Edit::Update {
            address,
            patch: Patch::Merge(patch),
            summary: None,
            expect: Expect::Anything,
        }
    });
    prop_oneof![6 => write(), 2 => noted, 2 => entry(), 1 => secret]
}

fn history(ops: Vec<Edit>) -> World {
    let mut world = World::empty();
    for op in ops {
        let _refused_or_not = world.run(op);
    }
    world
}

fn live(world: &World) -> Vec<Address> {
    let all = world.store.list(&Filter::default(), None, usize::MAX).unwrap();
    all.iter().map(|record| record.address.clone()).collect()
}

fn view(world: &mut World, address: &Address, as_of: Option<AsOf>) -> Result<Vec<u8>, Error> {
    let address = address.clone();
    let op = Read::Resolve(Resolve { address, path: None, as_of, explain: false, reveal: false });
    match world.run(op)? {
        Reply::View(view) => Ok(view.view.text.clone()),
        other => panic!("not a view: {other:?}"),
    }
}

fn answer(world: &mut World, op: impl Into<Command>) -> Result<Vec<u8>, Error> {
    let reply = world.run(op)?;
    Ok(Answer::of(&reply, 0)?.body)
}

#[test]
fn long_histories_keep_every_32nd_version_whole() {
    let mut world = World::empty();
    for i in 0..150u64 {
        let data = object(vec![("n", Value::from(i)), ("same", Value::from(1u64))]);
        let put = Put {
            address: Address::global(),
            data,
            parent: None,
            rules: None,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        };
        world.run(Edit::Put(put)).unwrap();
    }
    let export = world.export(false);
    let opened = world.opened(&export).unwrap();
    let rows = |world: &World| world.store.versions_from(&Address::global(), 1, 1000).unwrap();
    assert_eq!(rows(&opened), rows(&world));
    assert_eq!(rows(&opened).iter().filter(|row| row.full.is_some()).count(), 4);
}

#[test]
fn a_history_that_was_shortened_opens_as_far_as_it_goes() {
    let mut world = World::empty();
    for i in 0..5u64 {
        let patch = Patch::Merge(Value::Object(object(vec![("n", Value::from(i))])));
        let address = Address::global();
        if i == 0 {
            let put = Put {
                address,
                data: Object::new(),
                parent: None,
                rules: None,
                summary: None,
                create_parents: false,
                expect: Expect::Anything,
            };
            world.run(Edit::Put(put)).unwrap();
        } else {
            let (summary, expect) = (None, Expect::Anything);
            world.run(Edit::Update { address, patch, summary, expect }).unwrap();
        }
    }
    let text = String::from_utf8(world.export(false)).unwrap();
    let mut line: serde_json::Value = serde_json::from_str(&text).unwrap();
    line["history"].as_array_mut().unwrap().truncate(3);
    let text = format!("{line}\n");
    let mut opened = world.opened(text.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(opened.export(false)).unwrap(), text);
    let global = Address::global();
    assert_eq!(
        view(&mut opened, &global, Some(AsOf::Seq(3))),
        view(&mut world, &global, Some(AsOf::Seq(3)))
    );
    let error = view(&mut opened, &global, Some(AsOf::Seq(2))).unwrap_err();
    assert_eq!(error.code(), Code::HistoryExpired);
}

#[test]
fn a_past_parent_that_is_not_in_the_export_is_history_that_is_not_kept() {
    let mut world = World::empty();
    let put = |address: Address, parent: Option<&str>| {
        Edit::Put(Put {
            parent: parent.map(|id| nacre_core::id::ContextId::parse(id).unwrap()),
            address,
            data: Object::new(),
            rules: None,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        })
    };
    let (branch, gone) = (address(Level::Branch, "b"), address(Level::Project, "p0"));
    let (summary, expect) = (None, Expect::Anything);
    world.run(put(gone.clone(), None)).unwrap();
    world.run(put(address(Level::Project, "p1"), None)).unwrap();
    world.run(put(branch.clone(), Some("p0"))).unwrap();
    let parent = nacre_core::id::ContextId::parse("p1").unwrap();
    world.run(Edit::Move { address: branch.clone(), parent, summary: None, expect }).unwrap();
    world.run(Edit::Delete { address: gone, cascade: false, summary, expect }).unwrap();
    let export = world.export(false);
    let mut opened = world.opened(&export).unwrap();
    assert_eq!(opened.export(false), export);
    assert!(view(&mut opened, &branch, Some(AsOf::Seq(4))).is_ok());
    let error = view(&mut opened, &branch, Some(AsOf::Seq(3))).unwrap_err();
    assert_eq!(error.code(), Code::HistoryExpired);
}

#[test]
fn an_export_with_sealed_values_opened_is_sealed_again() {
    let mut world = World::empty();
    let nested = object(vec![("apiKey", Value::from("an open secret"))]);
    let put = Put {
        address: Address::global(),
        data: object(vec![("db", Value::Object(nested))]),
        parent: None,
        rules: None,
        summary: None,
        create_parents: false,
        expect: Expect::Anything,
    };
    world.run(Edit::Put(put)).unwrap();
    let (sealed, open) = (world.export(false), world.export(true));
    assert!(String::from_utf8_lossy(&open).contains("an open secret"));
    let mut opened = world.opened(&open).unwrap();
    assert_eq!(opened.export(false), sealed);
    assert_eq!(opened.export(true), open);
    // Without the secrets, markers stay and cannot be opened.
    let mut opened = world.opened(&sealed).unwrap();
    assert_eq!(opened.export(false), sealed);
    let op = Read::Get { address: Address::global(), which: Default::default(), reveal: true };
    assert_eq!(opened.run(op).unwrap_err().code(), Code::StoreUnavailable);
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn an_opened_export_is_the_store_it_was_made_of(ops in vec(op(), 1..40)) {
        let mut world = history(ops);
        let export = world.export(false);
        let mut opened = world.opened(&export).unwrap();
        prop_assert_eq!(
            String::from_utf8(opened.export(false)).unwrap(),
            String::from_utf8(export).unwrap()
        );
        let live = live(&world);
        prop_assert_eq!(&live, &self::live(&opened));
        let mut seq = 0;
        for address in &live {
            let (one, other) = (&world.store, &opened.store);
            prop_assert_eq!(one.record(address).unwrap(), other.record(address).unwrap());
            let versions = one.versions_from(address, 1, 1000).unwrap();
            seq = seq.max(versions.iter().map(|version| version.seq).max().unwrap_or(0));
            prop_assert_eq!(versions, other.versions_from(address, 1, 1000).unwrap());
            for kind in [EntryKind::Insight, EntryKind::Progress] {
                let mut entries = one.entries(address, kind, None, 1000).unwrap();
                // Those from before it was created again are shown to nobody.
                let created = one.record(address).unwrap().unwrap().created_at;
                entries.retain(|entry| entry.at >= created);
                seq = seq.max(entries.iter().map(|entry| entry.id.seq).max().unwrap_or(0));
                prop_assert_eq!(entries, other.entries(address, kind, None, 1000).unwrap());
            }
        }
        prop_assert_eq!(opened.store.seq().unwrap(), seq);

        // Contexts that are gone were part of the past.
        let known: BTreeSet<_> = universe().into_iter().collect();
        let deleted = known.iter().any(|address| {
            world.store.record(address).unwrap().is_some_and(|record| !record.is_live())
        });
        for address in &live {
            let op = Read::History { address: address.clone(), before: None, limit: 200 };
            prop_assert_eq!(answer(&mut world, op.clone()), answer(&mut opened, op));
            // Commits after the largest seq that the export names are none of the opened store's.
            for seq in 0..=seq {
                for at in [AsOf::Seq(seq), AsOf::Time(nacre_core::moment::Moment(seq * 1500))] {
                    let then = view(&mut world, address, Some(at));
                    let now = view(&mut opened, address, Some(at));
                    if deleted && then.is_ok() {
                        let expired =
                            now.as_ref().is_err_and(|error| error.code() == Code::HistoryExpired);
                        let global = world.store.record(&Address::global()).unwrap();
                        let without_global = global.is_some_and(|global| !global.is_live());
                        prop_assert!(expired || without_global || now == then);
                    } else {
                        prop_assert_eq!(now, then);
                    }
                }
            }
        }
    }

    #[test]
    fn an_opened_store_goes_on_as_the_other_does(start in vec(op(), 1..20), ops in vec(op(), 1..20)) {
        let mut world = history(start);
        let deleted = universe().iter().any(|address| {
            world.store.record(address).unwrap().is_some_and(|record| !record.is_live())
        });
        let secrets = world.export(false);
        prop_assume!(!deleted && !String::from_utf8_lossy(&secrets).contains("$sealed"));
        let mut opened = world.opened(&secrets).unwrap();
        opened.requests = world.requests;
        for op in ops {
            let (one, other) = (world.run(op.clone()), opened.run(op));
            prop_assert_eq!(one.map_err(|e| e.code()), other.map_err(|e| e.code()));
        }
        prop_assert_eq!(world.export(false), opened.export(false));
    }

    #[test]
    fn nothing_that_is_not_an_export_does_harm(
        ops in vec(op(), 1..15),
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..4),
        numbers in vec((any::<prop::sample::Index>(), proptest::sample::select(vec![
            "0", "1", "2", "7", "9007199254740991", "9007199254740990", "18446744073709551615", "-1",
            "1e300", "null", "\"x\"", "[]", "{}", "[[[[[[", "\"task\"", "\"global\"",
        ])), 0..3),
    ) {
        let mut world = history(ops);
        let mut text = world.export(false);
        // Values after a colon become others.
        for (at, value) in numbers {
            let colons: Vec<_> =
                (0..text.len()).filter(|&at| text[at] == b':').collect();
            if colons.is_empty() { continue; }
            let from = colons[at.index(colons.len())] + 1;
            let end = (from..text.len())
                .find(|&at| matches!(text[at], b',' | b'}' | b']'))
                .unwrap_or(text.len());
            text.splice(from..end, value.bytes());
        }
        for (at, byte, how) in edits {
            if text.is_empty() { continue; }
            let at = at.index(text.len());
            match how {
                0 => text[at] = byte,
                1 => { text.remove(at); }
                2 => text.insert(at, byte),
                // A line or a part of it comes twice.
                _ => { let part = text[at..].to_vec(); text.extend(part); }
            }
        }
        match world.opened(&text) {
            Err(error) => prop_assert!(
                !matches!(error.code(), Code::Internal | Code::StoreUnavailable), "{}", error
            ),
            Ok(mut opened) => {
                let again = opened.export(false);
                prop_assert_eq!(opened.opened(&again).unwrap().export(false), again);
                let seq = opened.store.seq().unwrap();
                for address in live(&opened) {
                    for at in [0, 1, 2, 5, seq / 2].map(|at| at.min(seq)) {
                        if let Err(error) = view(&mut opened, &address, Some(AsOf::Seq(at))) {
                            let expected = [Code::NotFound, Code::HistoryExpired];
                            prop_assert!(expected.contains(&error.code()), "{}", error);
                        }
                    }
                    let (summary, expect) = (None, Expect::Anything);
                    let rollback = Edit::Rollback { address, version: 1, summary, expect };
                    if let Err(error) = opened.run(rollback) {
                        prop_assert!(error.code() != Code::Internal, "{}", error);
                    }
                }
            }
        }
    }
}
