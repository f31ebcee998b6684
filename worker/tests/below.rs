//! What is done with the contexts below another one: lists leave data out, so each context must be
//! read, but only where it is needed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code stops at the first surprise")]
#![allow(dead_code, reason = "the world is shared with the tests of the store")]

#[path = "sqlite/mod.rs"]
mod sqlite;

use nacre_core::{
    address::Address,
    id::ContextId,
    json,
    level::Level,
    live::{Audience, Crossing, Notice, Watch},
    op::{Batch, BatchItem, Edit, Expect, Read, Which},
    plan::Reply,
    store::Reads as _,
    topic::Topic,
};
use sqlite::world::{World, alice, put, value};

fn address(level: Level, id: &str) -> Address {
    Address::new(level, ContextId::parse(id).unwrap()).unwrap()
}

/// Projects `p` and `q`, and in `p` a branch with a task that holds a secret.
fn planted() -> World {
    let mut world = World::new();
    for edit in [
        put("project", "p", None, value("{}")),
        put("project", "q", None, value("{}")),
        put("branch", "b", Some("p"), value(r#"{"of":"b"}"#)),
        put("task", "t", Some("b"), value(r#"{"of":"t","api_key":"same"}"#)),
    ] {
        world.run(&edit, None).unwrap();
    }
    world
}

fn move_branch() -> Edit {
    Edit::Move {
        address: address(Level::Branch, "b"),
        parent: ContextId::parse("q").unwrap(),
        summary: None,
        expect: Expect::Anything,
    }
}

fn layer(world: &World, address: &Address) -> (u64, String) {
    let record = world.sql.record(address).unwrap().unwrap();
    (record.version, String::from_utf8(record.layer.text().to_vec()).unwrap())
}

#[test]
fn secrets_below_a_moved_context_get_the_markers_of_their_new_project() {
    let mut world = planted();
    let task = address(Level::Task, "t");
    let (version, before) = layer(&world, &task);
    world.run(&move_branch(), None).unwrap();
    let (now, after) = layer(&world, &task);
    assert_eq!(now, version + 1);
    assert!(after.contains("$sealed") && after != before, "{after}");
    let read = Read::Get { address: task, which: Which::Current, reveal: true };
    let Reply::Context(context) = world.run(&read, None).unwrap().reply else {
        panic!("a context")
    };
    let revealed = json::write(&context.revealed.unwrap());
    assert_eq!(revealed, br#"{"api_key":"same","of":"t"}"#);
}

#[test]
fn a_delete_in_a_batch_looks_for_one_child_only() {
    let mut world = World::new();
    world.run(&put("project", "p", None, value("{}")), None).unwrap();
    for n in 0..50 {
        world.run(&put("branch", &format!("b{n}"), Some("p"), value("{}")), None).unwrap();
    }
    let delete = Edit::Delete {
        address: address(Level::Project, "p"),
        cascade: false,
        summary: None,
        expect: Expect::Anything,
    };
    let edits =
        [put("global", "global", None, value("{}")), delete.clone(), delete.clone(), delete];
    let item = |edit: Edit| Ok(BatchItem { op: edit.into(), idempotency: None });
    let batch = Batch { transaction: false, operations: edits.map(item).into() };
    let before = world.database.calls.get();
    world.run(&batch, None).unwrap();
    assert!(world.database.calls.get() - before < 20, "each delete walks through the project");
}

#[test]
fn contexts_below_a_moved_one_enter_with_their_data() {
    let mut world = planted();
    world.sleep();
    world.open().unwrap();
    let topic = Topic::Subtree(address(Level::Project, "q"));
    let audiences = [Audience { topic, user: alice(), owner: alice() }];
    let (plan, _) = world.plan(&move_branch(), None).unwrap();
    let watch = Watch::before(&world.sql, audiences.iter(), &plan).unwrap();
    world.run(&move_branch(), None).unwrap();
    let notices = watch.notices(&world.sql, audiences.iter(), &plan).unwrap();
    let entered: Vec<_> = notices
        .iter()
        .filter_map(|(_, notice)| match notice {
            Notice::Entered(Crossing { changed, .. }) => Some((
                changed.context.address.to_string(),
                format!("{:?}", changed.patch.to_value()),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(entered.len(), 2);
    for (address, patch) in entered {
        let of = address.split_once('/').unwrap().1;
        assert!(patch.contains("\"/of\"") && patch.contains(of), "{address} {patch}");
    }
}

fn ids(world: &World) -> String {
    let keys = world.sql.keys().unwrap().unwrap();
    format!("{keys:?}").replace("Keyring(", "").replace(')', "")
}

#[test]
fn a_rotation_replaces_markers_by_commits_and_old_ones_still_open() {
    let mut world = World::new();
    let put = |id: String, data: &str| put("project", &id, None, value(data));
    for n in 0..60 {
        world.run(&put(format!("p{n}"), r#"{"api_key":"same","n":1}"#), None).unwrap();
    }
    world.run(&put("open".into(), r#"{"n":1}"#), None).unwrap();
    let layer = |world: &World, id: &str| layer(world, &address(Level::Project, id));
    let before = layer(&world, "p7").1;
    world.rotate().unwrap();
    for _ in 0..30 {
        world.alarm().unwrap();
        world.mark().unwrap();
    }
    assert_eq!(ids(&world), "d2, f2");
    for n in 0..60 {
        let (version, text) = layer(&world, &format!("p{n}"));
        assert!(version == 2 && text.contains("f2."), "p{n} at {version}: {text}");
    }
    assert_eq!(layer(&world, "open").0, 1);
    world.compare().unwrap();
    // Whoever holds an old marker may still write it, and it opens.
    let marked = layer(&world, "p7");
    world.run(&put("p7".into(), &before), None).unwrap();
    assert_eq!(layer(&world, "p7"), marked);
    let old = Which::Version(1);
    let address = address(Level::Project, "p7");
    let plan = world.run(&Read::Get { address, which: old, reveal: true }, None).unwrap();
    let Reply::Context(context) = plan.reply else { panic!("a context") };
    let revealed = json::write(&context.revealed.unwrap());
    assert_eq!(revealed, br#"{"api_key":"same","n":1}"#);
}
