//! Checking layers: what must hold for any layers.

use std::collections::BTreeMap;

use nacre_core::{
    address::Address,
    explain::explain,
    id::ContextId,
    json,
    layer::Layer,
    level::Level,
    lint::{Context, Finding, Kind, lint},
    patch::JsonPatch,
    pointer::Pointer,
    resolve::{Link, resolve, view_hash},
    rules::{Rule, Rules},
    sensitive::SensitiveNames,
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use nacre_topics::lint::{Given, check};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

#[test]
fn no_layers_no_findings() {
    assert_eq!(check(&[]), []);
}

/// What is said of one context whose data is this, as (kind, pointer, bytes).
fn told(data: Object) -> Vec<(&'static str, String, Option<usize>)> {
    let findings = check(&[Given::new(Level::Global, "global", None, data, Rules::default())]);
    findings.into_iter().map(|f| (f.kind.as_str(), f.pointer, f.bytes)).collect()
}

fn object(members: Vec<(&str, Value)>) -> Object {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object
}

/// A string that takes so many bytes, quotes included.
fn long(bytes: usize) -> Value {
    Value::from("x".repeat(bytes - 2))
}

#[test]
fn data_near_and_past_its_limit_is_told_with_its_size() {
    let small = (0..10).map(|_| long(100_000)).collect::<Vec<_>>();
    let array = |bytes| ("value-large", "/a".to_owned(), Some(bytes));
    let size = 10 * 100_001 + 1;
    assert_eq!(
        told(object(vec![("a", Value::from(small.clone()))])),
        [("data-near-limit", String::new(), Some(size + 6)), array(size)]
    );
    let more = [small, vec![long(100_000)]].concat();
    let size = 11 * 100_001 + 1;
    assert_eq!(
        told(object(vec![("a", Value::from(more))])),
        [("data-too-large", String::new(), Some(size + 6)), array(size)]
    );
    assert_eq!(told(object(vec![("a", long(131_071))])), []);
}

#[test]
fn of_a_large_array_and_the_large_string_in_it_the_string_is_told() {
    let inner = Value::Object(object(vec![("b", long(140_000))]));
    let numbers = vec![Value::from(0u64); 70_000];
    assert_eq!(
        told(object(vec![("a", Value::from(vec![inner])), ("c", Value::from(numbers))])),
        [
            ("value-large", "/a/0/b".to_owned(), Some(140_000)),
            ("value-large", "/c".to_owned(), Some(140_001)),
        ]
    );
}

#[test]
fn a_pointer_too_long_to_name_ends_at_the_value_around_it() {
    let name = "n".repeat(5000);
    let inner = object(vec![(name.as_str(), Value::from(vec![long(140_000)])), ("x", Value::Null)]);
    let findings = told(object(vec![("a", Value::Object(inner))]));
    let expected = [
        ("value-large", "/a".to_owned(), Some(140_000)),
        ("tombstone-idle", "/a/x".to_owned(), Some(9)),
    ];
    assert_eq!(findings, expected);
}

#[test]
fn wide_layers_take_time_that_grows_with_them() {
    // A layer of 60,000 members over one just as wide, both nearly at the limit. Quadratic would be
    // hours.
    let wide = |value: u64| {
        let mut all = Object::new();
        for i in 0..60_000 {
            all.insert(format!("member_{i}"), Value::from(if i % 2 == 0 { 0 } else { value }));
        }
        all
    };
    let none = Rules::default();
    let given = [
        Given::new(Level::Global, "global", None, wide(1), none.clone()),
        Given::new(Level::Project, "p", None, wide(2), none),
    ];
    let findings = check(&given);
    let repeated = findings.iter().filter(|f| f.kind == Kind::ValueRepeated).count();
    assert_eq!(repeated, nacre_core::lint::MOST);
    assert_eq!(findings.last().map(|f| f.kind), Some(Kind::LeftOut));
}

fn rules() -> impl Strategy<Value = Rules> {
    let names = ["", "/a", "/b", "/a/b", "/a/c", "/c", "/b/a", "/~01", "/é/a"];
    let kinds = ["replace", "deep", "union", "append", "keyed:a", "keyed:b", "lock"];
    vec((proptest::sample::select(names.to_vec()), proptest::sample::select(kinds.to_vec())), 0..4)
        .prop_map(|pairs| {
            let mut object = Object::new();
            for (pointer, rule) in pairs {
                object.insert(pointer, Value::from(rule));
            }
            Rules::from_object(&object).expect("rules")
        })
}

/// A tree of every level, twice: two of each below one global context.
fn tree() -> impl Strategy<Value = Vec<Given>> {
    vec((arbitrary::object(), rules()), 7).prop_map(|layers| {
        let places = [
            (Level::Global, "global", None),
            (Level::Project, "p0", None),
            (Level::Project, "p1", Some("global")),
            (Level::Branch, "b0", Some("p0")),
            (Level::Branch, "b1", Some("p0")),
            (Level::Task, "t0", Some("b0")),
            (Level::Task, "t1", Some("b1")),
        ];
        places
            .into_iter()
            .zip(layers)
            .map(|((level, id, parent), (data, rules))| Given::new(level, id, parent, data, rules))
            .collect()
    })
}

/// The chain of every context, in the order of the contexts.
fn chains(given: &[Given]) -> Vec<Vec<Link<'_>>> {
    given
        .iter()
        .map(|own| {
            let mut chain = vec![own.link()];
            let mut own = own;
            while let Some(level) = own.address.level.above() {
                let id = own.parent.clone().unwrap_or(ContextId::global());
                own = given
                    .iter()
                    .find(|above| above.address.level == level && above.address.id == id)
                    .expect("a whole tree");
                chain.push(own.link());
            }
            chain.reverse();
            chain
        })
        .collect()
}

/// The layer without what stands at these pointers; the root is emptied.
fn without(layer: &Layer, pointers: &[&str]) -> Layer {
    let mut value = layer.to_value().unwrap();
    for pointer in pointers {
        if pointer.is_empty() {
            return Layer::empty();
        }
        let patch = json!([{"op": "remove", "path": pointer}]).to_string();
        let patch = JsonPatch::parse(json::read(patch.as_bytes(), 8).unwrap()).unwrap();
        patch.apply(&mut value).unwrap();
    }
    Layer::from_value(&value).unwrap()
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn what_is_reported_as_idle_can_go_from_everywhere_at_once(given in tree()) {
        let findings = check(&given);
        let mut idle: BTreeMap<&Address, Vec<&Finding>> = BTreeMap::new();
        for finding in &findings {
            prop_assert!(Pointer::parse(finding.pointer.as_str()).is_ok());
            if matches!(finding.kind, Kind::ValueRepeated | Kind::TombstoneIdle) {
                idle.entry(&finding.address).or_default().push(finding);
            }
        }
        let mut thinned = given.clone();
        for own in &mut thinned {
            let Some(findings) = idle.get(&own.address) else { continue };
            for finding in findings {
                let alone = without(&own.layer, &[&finding.pointer]);
                prop_assert_eq!(finding.bytes, Some(own.layer.text().len() - alone.text().len()));
            }
            let pointers: Vec<_> = findings.iter().map(|f| f.pointer.as_str()).collect();
            own.layer = without(&own.layer, &pointers);
        }
        for (before, after) in chains(&given).iter().zip(chains(&thinned)) {
            prop_assert_eq!(view_hash(before), view_hash(&after));
        }
        let again = check(&thinned);
        let repeated = again.iter().find(|f| f.kind == Kind::ValueRepeated);
        prop_assert!(repeated.is_none(), "{:?} after {:?}", repeated, findings);
    }

    #[test]
    fn what_explain_ignores_is_a_broken_lock(given in tree()) {
        let findings = check(&given);
        for (own, chain) in given.iter().zip(chains(&given)) {
            let broken: Vec<_> = findings
                .iter()
                .filter(|f| f.address == own.address && f.kind == Kind::LockBroken)
                .map(|f| f.pointer.as_str())
                .collect();
            for ignored in explain(&chain).ignored {
                if ignored.layer == chain.len() - 1 {
                    prop_assert!(
                        broken.iter().any(|at| ignored.pointer.starts_with(at)),
                        "{:?} is not among {:?}", ignored, broken
                    );
                }
            }
            if !chain.iter().any(|link| link.rules.iter().any(|(_, rule)| *rule == Rule::Lock)) {
                prop_assert!(broken.is_empty());
            }
        }
    }

    #[test]
    fn a_layer_that_is_the_view_above_repeats_all_of_it(given in tree(), names in vec("[a-z]{1,3}", 0..200)) {
        let none = Rules::default();
        for chain in chains(&given) {
            let chain: Vec<_> =
                chain.into_iter().take(3).map(|l| Link { layer: l.layer, rules: &none }).collect();
            let mut wide = chain.clone();
            let mut object = Object::new();
            for name in &names { object.insert(name.clone(), Value::from(1u64)); }
            let top = Layer::from_value(&Value::Object(object)).unwrap();
            wide.insert(0, Link { layer: &top, rules: &none });
            for chain in [chain, wide] {
                let chain = &chain[..chain.len().min(3)];
                let view = Layer::from_canonical(resolve(chain)).unwrap();
                let levels = Level::ALL.into_iter();
                let ids = ["global", "p", "b", "t"];
                let parents = [None, None, Some("p"), Some("b")];
                let layers = chain.iter().map(|link| link.layer).chain([&view]);
                let contexts: Vec<_> = levels
                    .zip(ids)
                    .zip(parents)
                    .zip(layers)
                    .map(|(((level, id), parent), layer)| Context {
                        address: Address::new(level, ContextId::parse(id).unwrap()).unwrap(),
                        parent: parent.map(|parent| ContextId::parse(parent).unwrap()),
                        layer,
                        rules: &none,
                    })
                    .collect();
                let last = &contexts[chain.len()].address;
                let findings = lint(&contexts, &SensitiveNames::default());
                let repeated: Vec<_> = findings
                    .iter()
                    .filter(|f| f.address == *last && f.kind == Kind::ValueRepeated)
                    .map(|f| (f.pointer.as_str(), f.bytes.unwrap()))
                    .collect();
                let all = [("", view.text().len() - 2)];
                prop_assert_eq!(repeated, if view.text() == b"{}" { &[][..] } else { &all });
            }
        }
    }

    #[test]
    fn broken_trees_are_told_and_never_panic(
        given in tree(), broken in vec((0usize..7, 0usize..7, 0u8..4), 0..5)
    ) {
        let mut given = given;
        for (at, other, how) in broken {
            let own = given[other].clone();
            match how {
                0 => given[at].address = own.address,
                1 => given[at].parent = own.parent,
                2 => given[at].parent = Some(own.address.id),
                _ => given.push(own),
            }
        }
        let findings = check(&given);
        // Findings come in order, whatever the layers are.
        let order: Vec<_> = findings.iter().map(|f| (&f.address, f.kind)).collect();
        let mut sorted = order.clone();
        sorted.sort_by_key(|(address, _)| *address);
        prop_assert_eq!(order, sorted);
    }
}
