//! The laws of three-way merges, over documents that have much in common.

use nacre_core::{
    json,
    layer::Layer,
    limits,
    number::Number,
    patch::merge_patch,
    pointer::Pointer,
    rules::Rules,
    three_way::three_way,
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use proptest::{collection::vec, prelude::*, sample::subsequence};

/// A document and two edits of it.
type Edits = [Value; 3];

/// Edits by merge patches, so that most of the document stays.
fn edits() -> impl Strategy<Value = Edits> {
    let object = || arbitrary::object().prop_map(Value::from);
    (object(), object(), object()).prop_map(|(base, one, other)| {
        let edited = |patch| {
            let mut document = base.clone();
            merge_patch(&mut document, patch);
            document
        };
        let (current, yours) = (edited(one), edited(other));
        [base, current, yours]
    })
}

/// Edits of a list whose items have ids: some are left out, changed, added, or moved.
fn keyed() -> impl Strategy<Value = Edits> {
    let ids: Vec<u64> = (0..6).collect();
    let side = || {
        let ids = subsequence(ids.clone(), 0..=6).prop_shuffle();
        (ids, vec(0..3u64, 6), any::<bool>()).prop_map(|(mut ids, values, sorted)| {
            if sorted {
                ids.sort_unstable();
            }
            let item = |id: u64| {
                let mut item = Object::new();
                item.insert("id", id.into());
                item.insert("v", values[id as usize].into());
                item.insert("w", Value::from(Number::from(values[id as usize] / 2)));
                Value::from(item)
            };
            let mut document = Object::new();
            document.insert("l", Value::Array(ids.into_iter().map(item).collect()));
            Value::from(document)
        })
    };
    [side(), side(), side()]
}

fn layer(value: &Value) -> Layer {
    Layer::from_value(value).expect("a document")
}

fn rules() -> Rules {
    let mut rules = Object::new();
    rules.insert("/l", "keyed:id".into());
    Rules::from_object(&rules).expect("rules")
}

/// The conflicts and the merged document.
fn merge(base: &Value, current: &Value, yours: &Value) -> (Vec<Pointer>, Option<Value>) {
    let merge = three_way(Some(&layer(base)), &layer(current), &layer(yours), &[&rules()]);
    let conflicts = merge.conflicts.clone();
    let merged = merge.merged().expect("canonical text");
    (conflicts, merged.map(|merged| merged.to_value().expect("a document")))
}

fn laws([base, current, yours]: &Edits) {
    let (conflicts, merged) = merge(base, current, yours);
    assert_eq!(conflicts.is_empty(), merged.is_some());
    assert_eq!(merge(base, yours, current), (conflicts.clone(), merged.clone()), "swapped");

    let to = |document: &Value| (Vec::new(), Some(document.clone()));
    assert_eq!(merge(base, current, base), to(current));
    assert_eq!(merge(base, base, current), to(current));
    assert_eq!(merge(base, current, current), to(current));

    for (n, pointer) in conflicts.iter().enumerate() {
        let at = [base, current, yours].map(|side| pointer.get(side));
        assert!(at[0] != at[1] && at[1] != at[2] && at[0] != at[2], "{pointer}: {at:?}");
        assert!(!conflicts[..n].iter().any(|other| pointer.starts_with(other)), "{pointer}");
        assert!(!conflicts[..n].iter().any(|other| other.starts_with(pointer)), "{pointer}");
    }
}

/// The same without rules, member by member over trees.
fn naive(
    at: &Pointer,
    base: Option<&Value>,
    current: Option<&Value>,
    yours: Option<&Value>,
    conflicts: &mut Vec<Pointer>,
) -> Option<Value> {
    if current == yours || base == yours {
        return current.cloned();
    }
    if base == current {
        return yours.cloned();
    }
    let object = |value: &Option<&Value>| {
        value.is_some_and(|value| value.as_object().is_some() && value.sealed().is_none())
    };
    if !object(&current) || !object(&yours) || !(base.is_none() || object(&base)) {
        conflicts.push(at.clone());
        return current.cloned();
    }
    let sides = [base, current, yours].map(|side| side.and_then(Value::as_object));
    let mut names = Object::new();
    for (name, _) in sides.iter().flatten().flat_map(|side| side.iter()) {
        names.insert(name, Value::Null);
    }
    let mut merged = Object::new();
    for (name, _) in names.iter() {
        let [base, current, yours] = sides.map(|side| side?.get(name));
        if let Some(value) = naive(&at.child(name), base, current, yours, conflicts) {
            merged.insert(name, value);
        }
    }
    Some(merged.into())
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn documents_merge_by_the_laws(edits in edits()) {
        laws(&edits);
    }

    #[test]
    fn keyed_lists_merge_by_the_laws(edits in keyed()) {
        laws(&edits);
    }

    #[test]
    fn documents_merge_as_trees_do(edits in edits()) {
        let [base, current, yours] = &edits;
        let mut conflicts = Vec::new();
        let document =
            naive(&Pointer::root(), Some(base), Some(current), Some(yours), &mut conflicts);
        let merge = three_way(Some(&layer(base)), &layer(current), &layer(yours), &[]);
        prop_assert_eq!(&merge.conflicts, &conflicts);
        prop_assert_eq!(merge.document().unwrap().to_value().ok(), document);
    }

    /// Every item stands once, whoever it is from.
    #[test]
    fn keyed_lists_keep_each_item_once(edits in keyed()) {
        let [base, current, yours] = &edits;
        if let (_, Some(merged)) = merge(base, current, yours) {
            let ids = |document: &Value| -> Vec<u64> {
                let list = document.as_object().unwrap().get("l").unwrap().as_array().unwrap();
                let id = |item: &Value| item.as_object()?.get("id")?.as_number()?.as_u64();
                list.iter().map(|item| id(item).unwrap()).collect()
            };
            let mut merged = ids(&merged);
            merged.sort_unstable();
            let (base, current, yours) = (ids(base), ids(current), ids(yours));
            let expected: Vec<u64> = (0..6)
                .filter(|id| match base.contains(id) {
                    true => current.contains(id) && yours.contains(id),
                    false => current.contains(id) || yours.contains(id),
                })
                .collect();
            prop_assert_eq!(merged, expected);
        }
    }
}

/// A long name above many members: each conflict's pointer would repeat it.
#[test]
fn conflicts_weigh_little_more_than_the_documents() {
    let started = std::time::Instant::now();
    for (above, members) in [(1usize, 40_000), (100, 40_000), (3000, 40_000), (600_000, 10_000)] {
        let document = |value: u64| {
            let mut inner = Object::new();
            (0..members).for_each(|n| drop(inner.insert(format!("{n:05}"), value.into())));
            let mut document = Object::new();
            document.insert("n".repeat(above), inner.into());
            layer(&document.into())
        };
        let [base, current, yours] = [1, 2, 3].map(document);
        let merge = three_way(Some(&base), &current, &yours, &[]);
        assert!(!merge.conflicts.is_empty());
        let weight: usize = merge.conflicts.iter().map(|pointer| pointer.as_str().len()).sum();
        assert!(weight <= current.text().len() + (16 << 10) + limits::POINTER_BYTES, "{weight}");
        assert!(merge.conflicts.iter().all(|it| it.as_str().len() <= limits::POINTER_BYTES));
        assert_eq!(merge.document().unwrap(), current);
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn documents_as_deep_as_they_may_be_merge() {
    let deep = |leaf: &str| {
        let text = format!("{}{leaf}{}", "{\"a\":".repeat(63), "}".repeat(63));
        layer(&json::read(text.as_bytes(), limits::DEPTH).expect("64 levels"))
    };
    let [base, current, yours] = [r#"{"x":1}"#, r#"{"x":2}"#, r#"{"x":1,"y":1}"#].map(deep);
    let merged = three_way(Some(&base), &current, &yours, &[]).merged().unwrap();
    assert_eq!(merged, Some(deep(r#"{"x":2,"y":1}"#)));
}
