//! Made-up histories: writes to a handful of contexts, so that they often meet.

use nacre_core::{
    address::Address,
    id::ContextId,
    level::Level,
    op::{Edit, Expect, NewEntry, Patch, Put},
    pointer::Pointer,
    record::EntryKind,
    rules::Rules,
    value::{Object, Value},
};
use proptest::{collection::vec, prelude::*};

/// An address that is valid.
pub fn address(level: Level, id: &str) -> Address {
    Address::new(level, ContextId::parse(id).unwrap()).unwrap()
}

/// Every address that made-up histories speak of.
pub fn universe() -> Vec<Address> {
    let mut all = vec![Address::global()];
    for (level, letter) in [(Level::Project, 'p'), (Level::Branch, 'b'), (Level::Task, 't')] {
        all.extend((0..2).map(|i| address(level, &format!("{letter}{i}"))));
    }
    all
}

/// One of them.
pub fn any_address() -> impl Strategy<Value = Address> {
    proptest::sample::select(universe())
}

/// The id of one of the two possible parents at a level.
pub fn parent_of(level: Level, which: u8) -> Option<ContextId> {
    let letter = match level {
        Level::Global | Level::Project => return None,
        Level::Branch => 'p',
        Level::Task => 'b',
    };
    Some(ContextId::parse(&format!("{letter}{}", which % 2)).unwrap())
}

/// Plain data: nothing in it is sensitive.
pub fn data() -> impl Strategy<Value = Object> {
    let names = proptest::sample::select(vec!["a", "b", "c", "d"]);
    let leaf = prop_oneof![Just(Value::Null), (0u64..3).prop_map(Value::from)];
    let inner =
        vec((names.clone(), leaf.clone()), 0..3).prop_map(|members| Value::Object(object(members)));
    let list =
        vec(0u64..3, 0..3).prop_map(|l| Value::Array(l.into_iter().map(Value::from).collect()));
    vec((names, prop_oneof![leaf, inner, list]), 0..4).prop_map(object)
}

/// An object of these members.
pub fn object(members: Vec<(&str, Value)>) -> Object {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object
}

/// Rules for the paths of [`data`], or none named.
pub fn rules() -> impl Strategy<Value = Option<Rules>> {
    let rule = proptest::sample::select(vec!["replace", "append", "union", "lock"]);
    let pointer = proptest::sample::select(vec!["/a", "/b", "/a/b"]);
    prop_oneof![
        4 => Just(None),
        1 => (pointer, rule).prop_map(|(pointer, rule)| {
            Some(Rules::from_object(&object(vec![(pointer, Value::from(rule))])).unwrap())
        }),
    ]
}

/// Any write to a context, entries included.
pub fn write() -> impl Strategy<Value = Edit> {
    let expect = Expect::Anything;
    let summary = None;
    prop_oneof![
        6 => (any_address(), data(), rules(), 0u8..2, any::<bool>()).prop_map(
            |(address, data, rules, parent, create_parents)| Edit::Put(Put {
                parent: parent_of(address.level, parent),
                address, data, rules, summary: None, create_parents, expect: Expect::Anything,
            })),
        6 => (any_address(), data()).prop_map(move |(address, patch)| Edit::Update {
            address, patch: Patch::Merge(Value::Object(patch)), summary: None, expect }),
        2 => (any_address(), proptest::sample::select(vec!["/a", "/b", "/c/d"])).prop_map(
            move |(address, at)| Edit::Update {
                address, patch: Patch::Unset(vec![Pointer::parse(at).unwrap()]),
                summary: None, expect }),
        2 => (any_address(), 0u64..3).prop_map(move |(address, value)| Edit::Update {
            address,
            patch: Patch::Append {
                pointer: Pointer::parse("/list").unwrap(), values: vec![Value::from(value)] },
            summary: None, expect }),
        2 => (any_address(), any::<bool>()).prop_map(move |(address, cascade)| Edit::Delete {
            address, cascade, summary: summary.clone(), expect }),
        2 => any_address().prop_map(|address| Edit::Restore { address, summary: None }),
        1 => (any_address(), 1u64..6).prop_map(move |(address, version)| Edit::Rollback {
            address, version, summary: None, expect }),
        2 => (any_address(), 0u8..2).prop_map(move |(address, parent)| Edit::Move {
            parent: parent_of(address.level, parent).unwrap_or_else(ContextId::global),
            address, summary: None, expect }),
        1 => (any_address(), any::<bool>(), "[a-z]{1,4}").prop_map(|(address, insight, content)| {
            Edit::AddEntry(NewEntry {
                address,
                kind: if insight { EntryKind::Insight } else { EntryKind::Progress },
                content,
                category: None,
                importance: None,
                agent: None,
            })
        }),
    ]
}
