//! Promotions and templates over SQL: a storage call that fails undoes an approval as a whole, and
//! their rows follow a rotation of keys.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code stops at the first surprise")]
#![allow(dead_code, reason = "the world is shared with tests of other matters")]

mod sqlite;

use nacre_core::{
    address::Address,
    error::Code,
    id::ContextId,
    op::{Administration, Command},
    plan::Reply,
    pointer::Pointer,
    promotion::{Promotion, Proposal, Standing, Verdict},
    record::EntryId,
    sheet::SheetKind,
    store::Reads as _,
    value::Value,
};
use sqlite::world::{World, put, value};

fn begun() -> World {
    let mut world = World::new();
    for (level, id, parent, data) in [
        ("global", "global", None, r#"{"k":1}"#),
        ("project", "p", None, r#"{"a":{"x":1}}"#),
        ("branch", "b", Some("p"), "{}"),
        ("task", "t", Some("b"), r#"{"a":{"y":2},"z":3}"#),
    ] {
        run(&mut world, put(level, id, parent, value(data)).into());
    }
    world
}

fn run(world: &mut World, command: Command) -> Reply {
    let plan = world.run(&command, None).unwrap();
    world.now += 1000;
    plan.reply
}

fn place(level: &str, id: &str) -> Address {
    Address::parse(level, id).unwrap()
}

fn propose() -> Command {
    let (from, to) = (place("task", "t"), place("project", "p"));
    let pointer = Pointer::parse("/a").unwrap();
    let proposal = Proposal { from, pointer, to, reason: None, evidence: None };
    Administration::Propose(proposal.into()).into()
}

fn settle(verdict: Verdict) -> Command {
    // The proposal is the fifth commit.
    Administration::Settle(EntryId { seq: 5, n: 0 }, verdict).into()
}

fn template() -> Command {
    let Value::Object(members) = value(r#"{"layers":{"task":{"data":{"a":1}}}}"#) else {
        panic!("an object")
    };
    Administration::PutTemplate { name: ContextId::parse("own").unwrap(), members }.into()
}

#[test]
fn a_storage_call_that_fails_undoes_each_step_as_a_whole() {
    let mut world = begun();
    for command in [
        propose(),
        settle(Verdict::Approve),
        settle(Verdict::Undo),
        template(),
        Administration::DeleteTemplate(ContextId::parse("own").unwrap()).into(),
    ] {
        let mut failed = 0;
        for fuse in 0.. {
            world.sleep();
            world.open().unwrap();
            let (plan, founding) = world.plan(&command, None).unwrap();
            let before = world.database.bytes();
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
                    assert_eq!(error.code(), Code::StoreUnavailable);
                    assert!(before == world.database.bytes(), "call {fuse} left something behind");
                    failed += 1;
                }
            }
        }
        assert!(failed > 2, "the fuse reached the statements");
        world.open().unwrap();
        world.compare().unwrap();
        world.compare_counts().unwrap();
        world.now += 1000;
    }
    let data =
        |address: Address| world.sql.record(&address).unwrap().unwrap().layer.text().to_vec();
    assert_eq!(data(place("project", "p")), br#"{"a":{"x":1}}"#);
    assert_eq!(data(place("task", "t")), br#"{"a":{"y":2},"z":3}"#);
}

#[test]
fn sheets_follow_a_rotation_of_keys() {
    let mut world = begun();
    run(&mut world, propose());
    run(&mut world, template());
    let begun = world.rotate().unwrap().unwrap();
    assert!(begun.goes_on);
    world.alarms();
    world.sleep();
    world.open().unwrap();
    assert!(!world.sql.rotation().unwrap().unwrap().goes_on, "no value is sealed with the old key");
    let sheets = world.sql.sheets(SheetKind::Promotion, true, None, 10).unwrap();
    let promotion = Promotion::of_sheet(&sheets[0]).unwrap();
    assert_eq!((sheets.len(), promotion.standing), (1, Standing::Proposed));
    assert!(world.sql.sheet(SheetKind::Template, "own").unwrap().is_some());
    let Reply::Promotion(approved) = run(&mut world, settle(Verdict::Approve)) else {
        panic!("a promotion")
    };
    assert_eq!(approved.promotion.standing, Standing::Approved);
    assert!(world.sql.sheets(SheetKind::Promotion, true, None, 10).unwrap().is_empty());
    world.compare().unwrap();
    world.compare_counts().unwrap();
}
