//! The laws of live updates, over random histories: whoever follows a topic holds what a reader
//! gets, after every commit and after every break.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    address::Address,
    error::Code,
    id::{ContextId, User},
    json,
    level::Level,
    live::{Audience, Crossing, Notice, Watch, subscribe},
    op::{Administration, Batch, BatchItem, Caller, Command, Patch},
    plan::Changed,
    record::Role,
    store::Reads,
    topic::Topic,
    value::Object,
    wire::{
        live::{Telling, reply},
        operation, read_body, read_json,
    },
};
use nacre_tests::{
    arbitrary,
    histories::{universe, write},
};
use nacre_topics::{
    live::{alice, audience},
    world::World,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// RFC 7396 §2, as the pseudocode there has it.
fn merge(target: serde_json::Value, patch: &serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(patch) = patch else { return patch.clone() };
    let mut target = match target {
        serde_json::Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let before = target.remove(name).unwrap_or(serde_json::Value::Null);
            target.insert(name.clone(), merge(before, value));
        }
    }
    serde_json::Value::Object(target)
}

fn foreign(text: &[u8]) -> serde_json::Value {
    serde_json::from_slice(text).unwrap()
}

fn canonical(value: &serde_json::Value) -> Vec<u8> {
    json::write(&json::read(value.to_string().as_bytes(), 128).unwrap())
}

/// Runs a write and gives what the owner's subscribers to the topics are told.
fn publish(world: &mut World, op: impl Into<Command>, topics: &[Topic]) -> Vec<(usize, Notice)> {
    let audiences: Vec<_> = topics.iter().map(|topic| audience(&alice(), topic.clone())).collect();
    publish_to(world, op, &audiences)
}

fn publish_to(
    world: &mut World,
    op: impl Into<Command>,
    audiences: &[Audience],
) -> Vec<(usize, Notice)> {
    let Ok(plan) = world.plan(op) else { return Vec::new() };
    let watch = Watch::before(&world.store, audiences.iter(), &plan).unwrap();
    world.store.apply(&plan.writes);
    watch.notices(&world.store, audiences.iter(), &plan).unwrap()
}

/// What a subscriber to a context or a subtree is told; `None` if it must read again.
fn said(notice: &Notice) -> Option<String> {
    match notice {
        Notice::Change(changed) => Some(told_of("change", changed)),
        Notice::Entry(entry) => Some(format!("{entry:?}")),
        Notice::Entered(Crossing { seq, changed }) => {
            Some(format!("{seq} {}", told_of("entered", changed)))
        }
        Notice::Left(Crossing { seq, changed }) => {
            Some(format!("{seq} {}", told_of("left", changed)))
        }
        _ => None,
    }
}

/// What follows a view: the document as the deltas leave it.
fn follow(mut held: Vec<u8>, notices: &[Notice]) -> Result<Option<Vec<u8>>, TestCaseError> {
    for notice in notices {
        let Notice::Delta { delta, .. } = notice else { return Ok(None) };
        let patch = foreign(&json::write(&delta.patch));
        let next = canonical(&merge(foreign(&held), &patch));
        prop_assert_ne!(&next, &held, "a shadowed change is no news");
        let layer = nacre_core::layer::Layer::from_canonical(next.clone()).unwrap();
        prop_assert_eq!(layer.hash(), delta.hash);
        held = next;
    }
    Ok(Some(held))
}

/// A write, or several in one commit or each for itself.
fn commit() -> impl Strategy<Value = Command> {
    let several = (any::<bool>(), vec(write(), 1..6)).prop_map(|(transaction, writes)| {
        let operations =
            writes.into_iter().map(|op| Ok(BatchItem { op: op.into(), idempotency: None }));
        Command::Batch(Batch { transaction, operations: operations.collect() })
    });
    prop_oneof![2 => write().prop_map(Command::from), 1 => several]
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn whoever_applies_every_delta_holds_the_view(ops in vec(commit(), 1..40)) {
        let mut world = World::empty();
        let topics: Vec<Topic> = universe().into_iter().map(Topic::Resolved).collect();
        let mut held: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for op in ops {
            let mut told: BTreeMap<usize, Vec<Notice>> = BTreeMap::new();
            for (place, notice) in publish(&mut world, op, &topics) {
                told.entry(place).or_default().push(notice);
            }
            for (place, topic) in topics.iter().enumerate() {
                let view = world.view(topic.address(), None);
                let notices = told.remove(&place).unwrap_or_default();
                match (held.remove(&place), &notices[..]) {
                    (None, []) => prop_assert_eq!(&view, &None),
                    (None, [Notice::Resync { .. }]) => prop_assert!(view.is_some()),
                    (Some(_), [Notice::Lost(_)]) => prop_assert_eq!(&view, &None),
                    (Some(before), notices) => prop_assert_eq!(&follow(before, notices)?, &view),
                    (None, other) => prop_assert!(false, "{:?}", other),
                }
                if let Some(view) = view {
                    held.insert(place, view);
                }
            }
        }
    }

    #[test]
    fn a_break_loses_nothing_and_repeats_nothing(
        ops in vec(commit(), 1..40), away in any::<Index>()
    ) {
        let mut world = World::empty();
        let addresses = universe();
        let topics: Vec<Topic> = addresses.iter().flat_map(|address| [
            Topic::Context(address.clone()),
            Topic::Subtree(address.clone()),
            Topic::Resolved(address.clone()),
        ]).collect();
        let away = away.index(ops.len());
        let (mut since, mut held) = (0, BTreeMap::new());
        let mut live: BTreeMap<usize, Vec<Notice>> = BTreeMap::new();
        for (step, op) in ops.into_iter().enumerate() {
            if step == away {
                since = world.store.seq().unwrap();
                live.clear();
                for (place, topic) in topics.iter().enumerate() {
                    held.insert(place, world.view(topic.address(), None));
                }
            }
            for (place, notice) in publish(&mut world, op, &topics) {
                live.entry(place).or_default().push(notice);
            }
        }
        for (place, topic) in topics.iter().enumerate() {
            let told = live.remove(&place).unwrap_or_default();
            let begun = subscribe(&world.store, &alice(), topic, Some(since));
            match topic {
                Topic::Resolved(address) => {
                    let view = world.view(address, None);
                    let Ok(begun) = begun else {
                        prop_assert_eq!(view, None);
                        continue;
                    };
                    if let Some(Some(before)) = held.remove(&place)
                        && !matches!(begun.missed[..], [Notice::Resync { .. }])
                    {
                        prop_assert_eq!(&begun.missed, &told);
                        prop_assert_eq!(follow(before, &begun.missed)?, view);
                    }
                }
                _ => {
                    let all = |notices: &[Notice]| notices.iter().map(said).collect::<Option<Vec<_>>>();
                    let missed = all(&begun.unwrap().missed).expect("nothing is too old here");
                    prop_assert_eq!(missed, all(&told).unwrap(), "{:?} since {}", topic, since);
                }
            }
        }
    }
}

#[test]
fn what_is_not_there_or_not_theirs_cannot_be_followed() {
    let world = World::empty();
    let task = Address::parse("task", "t").unwrap();
    let view = Topic::Resolved(task.clone());
    let refused = subscribe(&world.store, &alice(), &view, None).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    // A context that is yet to come can be waited for.
    assert_eq!(subscribe(&world.store, &alice(), &Topic::Context(task), None).unwrap().seq, 0);
    let stranger = Caller { user: User::parse("bob").unwrap(), ..alice() };
    let all = Topic::Subtree(Address::global());
    let refused = subscribe(&world.store, &stranger, &all, None).unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let blind = Caller { scopes: Scopes::WRITE, ..alice() };
    let refused = subscribe(&world.store, &blind, &all, None).unwrap_err();
    assert_eq!(refused.code(), Code::Forbidden);
}

fn told_of(how: &str, changed: &Changed) -> String {
    let Changed { context, patch, .. } = changed;
    format!("{how} {} {} {:?}", context.address, context.version, patch.to_value())
}

/// Runs operations as a batch has them, one commit each.
fn run(world: &mut World, operations: &[&str]) {
    for text in operations {
        let item = operation::item(json::read(text.as_bytes(), 64).unwrap()).unwrap();
        world.run(item.op).unwrap();
    }
}

#[test]
fn what_a_view_was_in_a_project_that_is_not_shared_is_not_told_later() {
    let mut world = World::empty();
    run(
        &mut world,
        &[
            r#"{"action":"put","level":"project","context_id":"mine","data":{"plan":"a"}}"#,
            r#"{"action":"put","level":"project","context_id":"ours","data":{"goal":1}}"#,
            r#"{"action":"put","level":"branch","context_id":"b","parent":"mine","data":{}}"#,
            r#"{"action":"update","level":"project","context_id":"mine","patch":{"plan":"b"}}"#,
            r#"{"action":"move","level":"branch","context_id":"b","parent":"ours"}"#,
            r#"{"action":"update","level":"project","context_id":"ours","patch":{"goal":2}}"#,
        ],
    );
    let user = User::parse("bob").unwrap();
    let project = ContextId::parse("ours").unwrap();
    world
        .run(Administration::PutMember { user: user.clone(), project, terms: Role::Reader.into() })
        .unwrap();
    let bob = Caller { user, ..alice() };
    let view = Topic::Resolved(Address::parse("branch", "b").unwrap());
    let missed = |caller: &Caller, since| {
        subscribe(&world.store, caller, &view, Some(since)).unwrap().missed
    };
    assert_eq!(missed(&alice(), 3).len(), 3);
    for since in [3, 4] {
        assert_eq!(missed(&bob, since), [Notice::Resync { seq: 7 }]);
    }
    assert_eq!(missed(&bob, 5).len(), 1);
}

#[test]
fn what_leaves_in_the_midst_of_a_commit_is_told_no_more() {
    let mut world = World::empty();
    run(
        &mut world,
        &[
            r#"{"action":"put","level":"project","context_id":"ours","data":{}}"#,
            r#"{"action":"put","level":"project","context_id":"mine","data":{}}"#,
            r#"{"action":"put","level":"branch","context_id":"b","parent":"ours","data":{}}"#,
            r#"{"action":"put","level":"task","context_id":"t","parent":"b","data":{}}"#,
        ],
    );
    let items = [
        r#"{"action":"update","level":"task","context_id":"t","patch":{"for":"both"}}"#,
        r#"{"action":"move","level":"branch","context_id":"b","parent":"mine"}"#,
        r#"{"action":"update","level":"task","context_id":"t","patch":{"for":"me"}}"#,
    ];
    let operations = items.map(|item| operation::item(json::read(item.as_bytes(), 64).unwrap()));
    let ours = Topic::Subtree(Address::parse("project", "ours").unwrap());
    let batch = Command::Batch(Batch { transaction: true, operations: operations.into() });
    let told = publish(&mut world, batch, core::slice::from_ref(&ours));
    let missed = subscribe(&world.store, &alice(), &ours, Some(4)).unwrap().missed;
    let versions = |notices: &mut dyn Iterator<Item = &Notice>| -> Vec<_> {
        let version = |how: &str, Changed { context, .. }: &Changed| {
            format!("{how} {} {}", context.address, context.version)
        };
        notices
            .map(|notice| match notice {
                Notice::Change(event) => version("change", event),
                Notice::Left(crossing) => version("left", &crossing.changed),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let expected = ["change task/t 2", "left branch/b 2", "left task/t 2"];
    assert_eq!(versions(&mut told.iter().map(|(_, notice)| notice)), expected);
    assert_eq!(versions(&mut missed.iter()), expected);
}

#[test]
fn what_was_missed_and_is_too_long_for_one_answer_is_read_anew() {
    let mut world = World::empty();
    run(&mut world, &[r#"{"action":"put","level":"project","context_id":"p","data":{}}"#]);
    for n in 0..8 {
        let text = n.to_string().repeat(900_000);
        let update = format!(
            r#"{{"action":"update","level":"project","context_id":"p","patch":{{"text":"{text}"}}}}"#
        );
        run(&mut world, &[&update]);
    }
    let project = Address::parse("project", "p").unwrap();
    for topic in [
        Topic::Context(project.clone()),
        Topic::Subtree(project.clone()),
        Topic::Resolved(project.clone()),
    ] {
        let missed = |since| subscribe(&world.store, &alice(), &topic, Some(since)).unwrap().missed;
        assert_eq!(missed(1), [Notice::Resync { seq: 9 }], "{topic:?}");
        assert_eq!(missed(6).len(), 3, "{topic:?}");
    }
}

#[test]
fn a_past_that_never_was_and_one_too_long_ago_are_read_anew() {
    use nacre_core::op::{Edit, Expect};
    let mut world = World::empty();
    let address = Address::global();
    let all = Topic::Subtree(address.clone());
    for n in 0..1010u64 {
        let mut patch = Object::new();
        patch.insert("n", n.into());
        let (address, expect) = (address.clone(), Expect::Anything);
        let op = if n == 0 {
            let put = nacre_core::op::Put {
                address,
                data: patch,
                parent: None,
                rules: None,
                summary: None,
                create_parents: false,
                expect,
            };
            Edit::Put(put)
        } else {
            Edit::Update { address, patch: Patch::Merge(patch.into()), summary: None, expect }
        };
        world.run(op).unwrap();
    }
    assert_eq!(address.level, Level::Global);
    let missed = |topic: &Topic, since| {
        subscribe(&world.store, &alice(), topic, Some(since)).unwrap().missed
    };
    let anew = [Notice::Resync { seq: 1010 }];
    assert_eq!(missed(&all, 9), anew);
    assert_eq!(missed(&all, 10).len(), 1000);
    assert_eq!(missed(&all, 1010), []);
    assert_eq!(missed(&all, 1011), anew);
    let view = Topic::Resolved(Address::global());
    assert_eq!(missed(&view, 809), anew);
    assert_eq!(missed(&view, 810).len(), 200);
}

#[test]
fn both_formats_say_the_same() {
    let op =
        r#"{"action":"put","level":"project","context_id":"p","data":{"n":18446744073709551615}}"#;
    let item = operation::item(json::read(op.as_bytes(), 64).unwrap()).unwrap();
    let plan = World::empty().plan(item.op).unwrap();
    let reply = json::read(&reply("é", &plan.reply, plan.seq).unwrap(), 64).unwrap();
    assert_eq!(nacre_msgpack::read(&nacre_msgpack::write(&reply), 64).unwrap(), reply);
    let message = Telling::notice(&Notice::Resync { seq: 7 }).message(Some("é"));
    let (text, bytes) = (json::write(&message), nacre_msgpack::write(&message));
    assert_eq!(read_body(nacre_msgpack::read, &bytes).unwrap(), read_json(&text).unwrap());
    assert_eq!(json::write(&json::read(&text, 64).unwrap()), text, "canonical");
}

#[test]
fn who_missed_much_of_a_large_context_reads_it_again() {
    let project = |text: &str| {
        format!(
            r#"{{"action":"put","level":"project","context_id":"p","data":{{"text":"{text}"}}}}"#
        )
    };
    let missed = |text: &str| {
        let mut world = World::empty();
        run(&mut world, &[&project(text)]);
        for n in 0..14 {
            let update = format!(
                r#"{{"action":"update","level":"project","context_id":"p","patch":{{"n":{n}}}}}"#
            );
            run(&mut world, &[&update]);
        }
        let project = Address::parse("project", "p").unwrap();
        [Topic::Context(project.clone()), Topic::Resolved(project)]
            .map(|topic| subscribe(&world.store, &alice(), &topic, Some(1)).unwrap().missed)
    };
    for missed in missed("small") {
        assert_eq!(missed.len(), 14);
    }
    // To make each of its states from the newest one would go through 70 MB.
    for missed in missed(&"x".repeat(800_000)) {
        assert_eq!(missed, [Notice::Resync { seq: 15 }]);
    }
}
