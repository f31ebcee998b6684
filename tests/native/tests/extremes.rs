//! Documents at the limits, edited as much as can be: what was stored can be read again, every row
//! fits, no request takes long, and no answer shows a secret.
#![expect(clippy::expect_used, clippy::panic, reason = "test code stops at the first surprise")]

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use nacre_core::{
    access::Scopes,
    address::Address,
    credentials,
    decide::{Setting, decide},
    entropy::Entropy,
    error::{Code, Error, Result},
    id::{ContextId, User},
    json,
    memory::MemoryStore,
    moment::Moment,
    op::{Caller, Command, Edit, Expect, Put, Read, Request, Which},
    plan::Reply,
    record::{Heading, Record},
    row::Row,
    seal::{Keyring, MasterKeyring, SealContent},
    sensitive::SensitiveNames,
    store::{AsOf, Reads, Write},
    value::{Object, Value},
    wire::{self, Answer},
};

/// Unoptimised, on a busy machine. What is quadratic in a document of a mebibyte takes minutes.
const LONG: Duration = Duration::from_secs(20);

struct World {
    store: MemoryStore<'static>,
    keys: Keyring,
    names: SensitiveNames,
}

impl World {
    fn new() -> World {
        let masters = MasterKeyring::parse(&format!("m1:{}=", "A".repeat(43))).expect("a key");
        let wrapped = Keyring::create(&alice(), &masters, &mut Entropy::from_seed([1; 32]));
        World {
            store: MemoryStore::new(),
            keys: Keyring::unwrap(&alice(), &wrapped.expect("keys"), &masters).expect("a ring"),
            names: SensitiveNames::default(),
        }
    }

    fn ask(&mut self, command: impl Into<Command>) -> Result<Reply> {
        let begun = Instant::now();
        let mut entropy = Entropy::from_seed([2; 32]);
        let mut setting = Setting {
            at: Moment(1000),
            entropy: &mut entropy,
            keys: Some(&self.keys),
            names: &self.names,
            content: SealContent::Seal(credentials::find),
        };
        let caller = Caller { user: alice(), owner: alice(), scopes: Scopes::UNSTATED };
        let request = Request { caller, command: command.into(), idempotency: None, id: None };
        let plan = decide(&self.store, &mut setting, &request);
        assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
        let plan = plan?;
        for write in &plan.writes {
            if let Write::Version(version) = write {
                let entropy = &mut Entropy::from_seed([3; 32]);
                version.seal(&self.keys, entropy).expect("a version fits its row");
            }
        }
        self.store.apply(&plan.writes);
        Answer::of(&plan.reply, plan.seq).expect("an answer");
        Ok(plan.reply)
    }

    fn put(&mut self, data: &Object) {
        self.ask(put(data, Expect::Anything)).expect("a version");
    }
}

fn alice() -> User {
    User::parse("alice").expect("a user")
}

fn put(data: &Object, expect: Expect) -> Edit {
    Edit::Put(Put {
        address: Address::global(),
        data: data.clone(),
        parent: None,
        rules: None,
        summary: None,
        create_parents: false,
        expect,
    })
}

/// A list of runs of equal numbers.
fn list(runs: &[(u64, usize)]) -> Object {
    let items = runs.iter().flat_map(|(number, count)| vec![Value::from(*number); *count]);
    let mut object = Object::new();
    object.insert("list", Value::Array(items.collect()));
    object
}

/// Many members, of which every `step`th is there.
fn wide(letter: char, step: usize, value: u64) -> Object {
    let mut object = Object::new();
    for n in (0..80_000).step_by(step) {
        object.try_push_sorted(format!("{letter}{n:05}"), value.into()).expect("in order");
    }
    object
}

/// Both directions are stored, undone and told.
fn there_and_back(a: &Object, b: &Object) {
    let mut world = World::new();
    let address = Address::global;
    for data in [a, b, a] {
        world.put(data);
    }
    for (version, data) in [(1, a), (2, b), (3, a)] {
        let which = Which::Version(version);
        let get = Read::Get { address: address(), which, reveal: false };
        let Ok(Reply::Context(context)) = world.ask(get) else { panic!("version {version}") };
        let expected = json::write(&Value::Object(data.clone()));
        assert!(
            context.shown.layer().unwrap().text() == expected,
            "version {version} is another document"
        );
    }
    world.ask(Read::History { address: address(), before: None, limit: 9 }).expect("a history");
    world.ask(Read::Diff { address: address(), from: 2, to: Some(1) }).expect("a diff");
    let (from, to) = (AsOf::Seq(1), Some(AsOf::Seq(2)));
    world.ask(Read::ViewDiff { address: address(), from, to }).expect("a diff of views");
    let op = put(&wide('z', 1, 0), Expect::Version(1));
    assert_eq!(world.ask(op).expect_err("stale").code(), Code::VersionConflict);
    let (summary, expect) = (None, Expect::Anything);
    let rollback = Edit::Rollback { address: address(), version: 2, summary, expect };
    world.ask(rollback).expect("a rollback");
}

#[test]
fn the_first_half_of_a_long_list_goes_and_comes_back() {
    there_and_back(&list(&[(0, 49_000), (2, 49_000)]), &list(&[(2, 49_000)]));
}

#[test]
fn every_item_of_a_long_list_changes() {
    there_and_back(&list(&[(0, 99_000)]), &list(&[(1, 99_000)]));
}

#[test]
fn a_long_list_grows_by_half() {
    there_and_back(&list(&[(0, 79_000)]), &list(&[(0, 79_000), (1, 20_000)]));
}

#[test]
fn all_members_go_and_come_back() {
    there_and_back(&wide('a', 1, 0), &Object::new());
}

#[test]
fn every_other_member_goes_and_comes_back() {
    there_and_back(&wide('a', 1, 0), &wide('a', 2, 0));
}

#[test]
fn all_members_make_way_for_others() {
    there_and_back(&wide('a', 1, 0), &wide('b', 1, 0));
}

#[test]
fn two_writers_change_thousands_of_members_at_once() {
    let mut world = World::new();
    let mut document = wide('a', 1, 0);
    world.put(&document);
    let mut edited = |value: u64, count: usize| {
        for (_, member) in document.iter_mut().take(count) {
            *member = value.into();
        }
        document.clone()
    };
    let (theirs, mine) = (edited(1, 15_000), edited(2, 20_000));
    world.put(&theirs);
    let error = world.ask(put(&mine, Expect::Version(1))).expect_err("stale");
    assert_eq!(error.conflict_list().map(<[_]>::len), Some(15_000));
    wire::problem(&error);
}

#[test]
fn a_conflict_shows_no_secret() {
    let mut world = World::new();
    let object = |secret: &str| {
        let mut object = Object::new();
        object.insert("db_password", secret.into());
        object
    };
    world.put(&object("first secret"));
    world.put(&object("second secret"));
    let error: Error =
        world.ask(put(&object("third secret"), Expect::Version(1))).expect_err("stale");
    let Some([conflict]) = error.conflict_list() else { panic!("one conflict") };
    for value in [&conflict.base, &conflict.current, &conflict.yours] {
        assert!(value.as_ref().is_some_and(|value| value.sealed().is_some()));
    }
    let problem = String::from_utf8(wire::problem(&error)).expect("text");
    assert!(!problem.contains("secret"), "{problem}");
}

#[test]
fn a_preview_counts_every_layer_that_it_reads() {
    let mut world = World::new();
    let below = |level: &str, id: &str, parent: Option<&str>, data: Object| {
        Edit::Put(Put {
            address: Address::parse(level, id).expect("an address"),
            data,
            parent: parent.map(|id| ContextId::parse(id).expect("an id")),
            rules: None,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        })
    };
    world.ask(below("project", "p", None, Object::new())).expect("a project");
    world.ask(below("branch", "b", Some("p"), Object::new())).expect("a branch");
    world.ask(below("task", "t0", Some("b"), wide('x', 1, 7))).expect("a task");
    let first = Address::parse("task", "t0").expect("an address");
    let task = world.store.record(&first).expect("a store").expect("a task");
    let size = task.layer.text().len();
    for n in 1..=(256 << 20) / (2 * size) {
        let address = Address::parse("task", &format!("t{n}")).expect("an address");
        let heading = Rc::new(Heading { address, ..(*task.heading).clone() });
        world.store.apply(&[Write::Record(Rc::new(Record { heading, ..(*task).clone() }))]);
    }
    // Every task has a value of its own in this place, so no view of them changes.
    let mut data = Object::new();
    data.insert("x00000", 1u64.into());
    let preview = Read::Preview {
        address: Address::parse("project", "p").expect("an address"),
        edits: vec![below("project", "p", None, data)],
    };
    let error = world.ask(preview).expect_err("too much");
    assert_eq!((error.code(), error.limit_value()), (Code::TooLarge, Some(256 << 20)));
}
