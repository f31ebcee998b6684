//! The memory that one request takes, whatever it asks for: the worst of each kind at its limits,
//! on the store over SQL. An allocator counts; SQLite's own memory does not.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unreachable,
    reason = "test code stops at the first surprise"
)]
#![allow(dead_code, reason = "the world is shared with the tests of the store")]

mod sqlite;

use std::fmt::Write as _;

use allocation_counter::measure;
use nacre_core::{
    address::Address,
    error::{Code, Error},
    moment::Moment,
    op::{Command, Edit, Expect, Patch, Read, Resolve},
    plan::Reply,
    record::EntryKind,
    store::{AsOf, Filter},
    value::Value,
    wire::{self, Answer, operation::BatchBody, request},
};
use nacre_worker::sql_store::{Delivery, SqlStore};
use sqlite::world::{RETENTION, World, put, value};

const MIB: u64 = 1 << 20;

/// What a request took, in bytes above what was held before, and how it ended.
fn cost(world: &mut World, command: &Command) -> (u64, Result<usize, Error>) {
    // The caches are a part of what an idle object may hold; here each request fills them anew.
    world.sql = SqlStore::new(world.database.clone(), RETENTION);
    let mut outcome = Ok(0);
    let taken = measure(|| {
        outcome = world
            .run(command, None)
            .and_then(|plan| Ok(Answer::of(&plan.reply, plan.seq)?.body.len()));
    });
    (taken.bytes_max, outcome)
}

/// Asserts how a request ends, and that it takes at most so many MiB.
fn check(
    world: &mut World,
    what: &str,
    command: impl Into<Command>,
    code: Option<Code>,
    most: u64,
) {
    let (bytes, outcome) = cost(world, &command.into());
    let told = outcome.as_ref().map_or_else(|error| error.to_string(), |size| format!("{size} B"));
    println!("{what}: {:.1} MiB of {most}, {told}", bytes as f64 / MIB as f64);
    assert_eq!(outcome.as_ref().err().map(Error::code), code, "{what}: {told}");
    if let Err(error) = &outcome {
        assert!(error.limit_value().is_some(), "{what}: {told}");
    }
    assert!(bytes <= most * MIB, "{what}: {bytes} bytes, {told}");
}

/// A world whose requests touch nothing that was left from an earlier one.
fn world() -> World {
    World::new()
}

/// As many small numbers as a context may have.
fn numbers(digit: u64) -> Value {
    let list = Value::Array(vec![digit.into(); 99_990]);
    let mut object = nacre_core::value::Object::new();
    object.insert("list", list);
    object.into()
}

/// Data of a mebibyte with as many values as a context may have; `salt` tells two of them apart.
fn full(salt: u64) -> Value {
    let mut text = String::from("{");
    for n in 0..99_000 {
        let comma = if n > 0 { "," } else { "" };
        write!(text, "{comma}\"{n:05}\":{salt}").unwrap();
    }
    text.push('}');
    value(&text)
}

/// A text of almost a mebibyte.
fn long(letter: &str) -> Value {
    let mut object = nacre_core::value::Object::new();
    object.insert("text", letter.repeat((1 << 20) - 100).into());
    object.into()
}

fn list(data: bool, limit: usize) -> Read {
    Read::List { filter: Filter::default(), after: None, limit, data, reveal: false }
}

#[test]
fn a_list_without_data_loads_none() {
    let mut world = world();
    for n in 0..40 {
        world.run(&put("project", &format!("p{n}"), None, numbers(n % 10)), None).unwrap();
    }
    check(&mut world, "a list of 40 large contexts", list(false, 200), None, 2);
    check(&mut world, "the same with data", list(true, 200), None, 24);
}

#[test]
fn a_context_has_at_most_so_many_values() {
    let mut world = world();
    world.run(&put("project", "p", None, numbers(1)), None).unwrap();
    let mut text = String::from(r#"{"list":[0"#);
    text.push_str(&",0".repeat(99_998));
    text.push_str("]}");
    let error = world.run(&put("project", "p", None, value(&text)), None).unwrap_err();
    assert_eq!((error.code(), error.limit_value()), (Code::TooLarge, Some(100_000)));
}

#[test]
fn a_preview_is_bounded_in_what_it_tells() {
    let mut world = world();
    world.run(&put("global", "global", None, value("{}")), None).unwrap();
    for n in 0..500 {
        world.run(&put("project", &format!("p{n}"), None, value("{}")), None).unwrap();
    }
    let mut patch = String::from("{");
    for n in 0..2400 {
        let comma = if n > 0 { "," } else { "" };
        write!(patch, "{comma}\"{n:04}\":1").unwrap();
    }
    patch.push('}');
    assert!(patch.len() < 24 << 10);
    let preview = |patch: &str| Read::Preview {
        address: Address::global(),
        edits: vec![Edit::Update {
            address: Address::global(),
            patch: Patch::Merge(value(patch)),
            summary: None,
            expect: Expect::Anything,
        }],
    };
    check(&mut world, "a wide preview", preview(&patch), Some(Code::TooLarge), 48);
    check(&mut world, "a narrow preview", preview(r#"{"a":1}"#), None, 8);
}

/// A chain of four layers at their limits.
fn deep() -> World {
    let mut world = world();
    for (level, name, parent, salt) in [
        ("global", "global", None, 1),
        ("project", "p", None, 2),
        ("branch", "b", Some("p"), 3),
        ("task", "t", Some("b"), 4),
    ] {
        world.run(&put(level, name, parent, full(salt)), None).unwrap();
    }
    world
}

#[test]
fn reads_of_four_full_layers_are_bounded() {
    let mut world = deep();
    let task = || Address::parse("task", "t").unwrap();
    let resolve = |explain| {
        let (path, as_of, reveal) = (None, None, false);
        Read::Resolve(Resolve { address: task(), path, as_of, explain, reveal })
    };
    check(&mut world, "a view", resolve(false), None, 32);
    check(&mut world, "an explanation", resolve(true), Some(Code::TooLarge), 64);
    let edits = vec![put("project", "p", None, full(9))];
    let preview = Read::Preview { address: Address::parse("project", "p").unwrap(), edits };
    check(&mut world, "a preview of one full layer", preview, Some(Code::TooLarge), 72);
    let edits = [("global", "global", None), ("project", "p", None), ("branch", "b", Some("p"))];
    let edits = edits.map(|(level, name, parent)| put(level, name, parent, full(9))).to_vec();
    let preview = Read::Preview { address: Address::global(), edits };
    check(&mut world, "a preview of three full layers", preview, Some(Code::TooLarge), 96);
    world.run(&put("task", "t", Some("b"), full(5)), None).unwrap();
    world.run(&put("task", "t", Some("b"), long("x")), None).unwrap();
    let diff = Read::ViewDiff { address: task(), from: AsOf::Seq(4), to: Some(AsOf::Seq(5)) };
    check(&mut world, "a difference of views", diff, None, 96);
    let history = Read::History { address: task(), before: None, limit: 200 };
    check(&mut world, "a page of history", history, None, 64);
}

#[test]
fn a_commit_is_bounded_in_what_it_holds() {
    let mut world = deep();
    let batch = |operation: &dyn Fn(usize) -> String, count: usize| {
        let operations: Vec<String> = (0..count).map(operation).collect();
        let text = format!(r#"{{"operations":[{}]}}"#, operations.join(","));
        request::decode::<BatchBody>(value(&text)).unwrap().into_batch().unwrap()
    };
    let mut half = numbers(1);
    if let Some(list) = half.as_object_mut().and_then(|half| half.get_mut("list")) {
        list.as_array_mut().unwrap().truncate(50_000);
    }
    world.run(&put("project", "l", None, half), None).unwrap();
    let append = |n: usize| {
        format!(
            r#"{{"action":"append","level":"project","context_id":"l","pointer":"/list","values":[{n}]}}"#
        )
    };
    let append = batch(&append, 200);
    check(&mut world, "200 appends to one large context", append, None, 64);
    let update = |n: usize| {
        let (level, name) =
            [("global", "global"), ("project", "p"), ("branch", "b"), ("task", "t")][n % 4];
        format!(
            r#"{{"action":"update","level":"{level}","context_id":"{name}","patch":{{"00001":{n}}}}}"#
        )
    };
    check(&mut world, "small updates of full contexts", batch(&update, 3), None, 64);
    check(&mut world, "many of them", batch(&update, 500), Some(Code::TooLarge), 96);
    check(&mut world, "a full context replaced", put("task", "t", Some("b"), full(7)), None, 64);
    let read = |n: usize| {
        update(n).replace("update", "get").replace(&format!(r#","patch":{{"00001":{n}}}"#), "")
    };
    check(&mut world, "many reads", batch(&read, 500), Some(Code::TooLarge), 48);
}

#[test]
fn a_page_of_entries_ends_when_it_has_enough() {
    let mut world = world();
    world.run(&put("project", "p", None, value("{}")), None).unwrap();
    for n in 0..120 {
        let entry = nacre_core::op::NewEntry {
            address: Address::parse("project", "p").unwrap(),
            kind: EntryKind::Insight,
            content: "i".repeat((64 << 10) - n),
            category: None,
            importance: None,
            agent: None,
        };
        world.run(&Edit::AddEntry(entry), None).unwrap();
    }
    let entries = Read::Entries {
        address: Address::parse("project", "p").unwrap(),
        kind: EntryKind::Insight,
        before: None,
        limit: 200,
        reveal: false,
    };
    let Reply::Entries { items, next, .. } = world.run(&entries, None).unwrap().reply else {
        unreachable!("entries")
    };
    assert!((60..80).contains(&items.len()) && next.is_some(), "{}", items.len());
    check(&mut world, "a page of entries", entries, None, 32);
}

#[test]
fn one_secret_is_not_revealed_without_end() {
    let mut world = world();
    let secret = format!(r#"{{"token":"{}"}}"#, "s".repeat(500_000));
    world.run(&put("project", "p", None, value(&secret)), None).unwrap();
    let get = |reveal| Read::Get {
        address: Address::parse("project", "p").unwrap(),
        which: nacre_core::op::Which::Current,
        reveal,
    };
    let Reply::Context(context) = world.run(&get(false), None).unwrap().reply else {
        unreachable!("a context")
    };
    let marker = String::from_utf8(context.shown.layer().unwrap().text().to_vec()).unwrap();
    let marker = marker.strip_prefix(r#"{"token":"#).unwrap().strip_suffix('}').unwrap();
    let members: Vec<String> =
        (0..5000).map(|n| format!(r#""k{n:04}":{{"token":{marker}}}"#)).collect();
    let copies = format!("{{{}}}", members.join(","));
    world.run(&put("project", "p", None, value(&copies)), None).unwrap();
    check(&mut world, "a secret revealed 5000 times", get(true), Some(Code::TooLarge), 48);
}

#[test]
fn a_document_for_searches_is_bounded() {
    let mut world = world();
    let names: String = (0..36_000).map(|n| format!(",\"poolSize{n:05}\":{n}")).collect();
    let names = value(&format!("{{{}}}", names.trim_start_matches(',')));
    let words: String = (0..140_000).map(|n| format!("{n:06x} ")).collect();
    let words = value(&format!(r#"{{"text":"{words}"}}"#));
    for (name, data) in
        [("numbers", numbers(7)), ("full", full(1)), ("names", names), ("words", words)]
    {
        world.run(&put("project", name, None, data), None).unwrap();
        let mut entropy = world.entropy();
        let state = world.sql.begin_search(&mut entropy).unwrap().unwrap();
        let taken = measure(|| {
            let part = world.sql.next_part(&state.key, true).unwrap();
            let now = Moment(world.now);
            let delivery = Delivery::Unneeded;
            world.sql.settle(&state.key, &part.settled, &delivery, now, &mut entropy).unwrap();
        });
        println!("{name}: {:.1} MiB", taken.bytes_max as f64 / MIB as f64);
        assert!(taken.bytes_max <= 48 * MIB, "{name}: {}", taken.bytes_max);
    }
}

#[test]
fn a_body_is_bounded_in_values() {
    let text = format!("[0{}]", ",0".repeat((2 << 20) - 2));
    let mut outcome = Ok(Value::Null);
    let taken = measure(|| outcome = wire::read_json(text.as_bytes()));
    assert_eq!(outcome.map_err(|error| error.code()), Err(Code::TooLarge));
    assert!(taken.bytes_max <= 48 * MIB, "{}", taken.bytes_max);
}
