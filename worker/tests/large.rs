//! A store with many contexts, more than the caches hold: what is looked at costs the same for each
//! context as in a small store, in rows and in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::unreachable,
    reason = "test code stops at the first surprise"
)]
#![allow(dead_code, reason = "the world is shared with the tests of the store")]

mod sqlite;

use allocation_counter::measure;
use nacre_core::{
    address::Address,
    op::{Batch, BatchItem, Command, Edit, Expect, Patch, Read},
    plan::Reply,
    wire::{Answer, Export},
};
use sqlite::world::{World, put, value};

const MIB: u64 = 1 << 20;

/// A context of 300 bytes.
fn small(level: &str, name: &str, parent: Option<&str>) -> Edit {
    let note = "x".repeat(240);
    put(level, name, parent, value(&format!(r#"{{"id":"{name}","note":"{note}","n":[1,2,3]}}"#)))
}

/// A store of about so many contexts, 300 bytes each: half of the tasks below one branch, the others
/// spread over many.
fn store(contexts: usize) -> World {
    let mut world = World::new();
    let branches = contexts / 20;
    let mut edits = vec![small("global", "global", None), small("project", "p", None)];
    edits.extend((0..branches).map(|n| small("branch", &format!("b{n:05}"), Some("p"))));
    edits.extend((branches + 2..contexts).map(|n| {
        let branch = if n % 2 == 0 { 0 } else { n % branches };
        small("task", &format!("t{n:05}"), Some(&format!("b{branch:05}")))
    }));
    for edits in edits.chunks(500) {
        let item = |edit: &Edit| Ok(BatchItem { op: edit.clone().into(), idempotency: None });
        let operations = edits.iter().map(item).collect();
        world.run(&Batch { transaction: true, operations }, None).unwrap();
        // What the twin in memory holds is not the store's.
        world.twin = nacre_core::memory::MemoryStore::new();
    }
    world.sleep();
    world.open().unwrap();
    world
}

/// Rows and peak memory of a command on a store that has just woken up.
fn cost(world: &mut World, run: impl FnOnce(&mut World)) -> (u64, u64) {
    world.sleep();
    world.open().unwrap();
    let before = world.database.rows.get();
    let taken = measure(|| run(world));
    (world.database.rows.get() - before, taken.bytes_max)
}

fn preview(world: &mut World) {
    let edit = Edit::Update {
        address: Address::global(),
        patch: Patch::Merge(value(r#"{"new":1}"#)),
        summary: None,
        expect: Expect::Anything,
    };
    let plan = world.run(&Read::Preview { address: Address::global(), edits: vec![edit] }, None);
    let plan = plan.unwrap();
    Answer::of(&plan.reply, plan.seq).unwrap();
    let Reply::Preview(preview) = plan.reply else { unreachable!("a preview") };
    assert_eq!(preview.unchanged, 0);
}

fn export(world: &mut World) {
    let (mut export, mut lines) = (Export::new(false), 0);
    let mut text = Vec::new();
    while let Some(part) = export.next() {
        let reply = world.run(&Command::from(part), None).unwrap().reply;
        export.write(&reply, &mut text).unwrap();
        if text.len() > 64 << 10 {
            lines += text.iter().filter(|byte| **byte == b'\n').count();
            text.clear();
        }
    }
    assert!(lines > 900);
}

#[test]
fn a_context_costs_no_more_rows_when_the_caches_are_full() {
    const SMALL: usize = 1000;
    const LARGE: usize = 20_000;
    let (mut small, mut large) = (store(SMALL), store(LARGE));
    type Run = fn(&mut World);
    let runs: [(&str, Run, u64); 2] = [("a preview", preview, 1), ("an export", export, 2)];
    for (what, run, rows) in runs {
        let (few, _) = cost(&mut small, run);
        let (many, bytes) = cost(&mut large, run);
        println!("{what}: {few} rows of {SMALL}, {many} rows of {LARGE}, {} MiB", bytes / MIB);
        // Some rows for the wake-up, and for the contexts above.
        assert!(few <= rows * SMALL as u64 + SMALL as u64 / 20, "{what}: {few} rows");
        assert!(many <= rows * LARGE as u64 + LARGE as u64 / 20, "{what}: {many} rows");
        assert!(bytes <= 64 * MIB, "{what}: {bytes} bytes");
    }
}
