//! Resolving: properties against a naive fold of trees.

use std::collections::BTreeMap;

use nacre_core::{
    contribution::{Contribution, Said, What, contribution},
    diff::diff,
    explain::explain,
    json,
    layer::Layer,
    patch::merge_patch,
    pointer::Pointer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use proptest::{collection::vec, prelude::*};

fn layer(value: &Value) -> Layer {
    Layer::from_value(value).expect("a document")
}

/// The definition: RFC 7396 over trees, one layer after the other.
fn naive_fold(layers: &[Object]) -> Value {
    let mut view = Value::Object(Object::new());
    for layer in layers {
        merge_patch(&mut view, Value::Object(layer.clone()));
    }
    view
}

/// Where values stand in a document: every scalar, array and empty object.
fn leaves(value: &Value, at: &Pointer, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object.iter() {
                leaves(value, &at.child(name), found);
            }
        }
        _ => {
            found.insert(at.to_string(), value.clone());
        }
    }
}

/// Does to a document what a layer says.
fn tell(document: &mut Value, Contribution { replaces, members }: Contribution<'_>) {
    if replaces || document.as_object().is_none() {
        *document = Value::Object(Object::new());
    }
    let object = document.as_object_mut().expect("an object");
    let read = |text: &[u8]| json::read(text, 64).expect("canonical text");
    for Said { name, what } in members {
        match what {
            What::Nothing => drop(object.remove(&name)),
            What::Value(stored) | What::Instead(stored) => {
                object.insert(name, read(stored.text()));
            }
            What::List(text) => drop(object.insert(name, read(&text))),
            What::Object(said) => {
                let mut inner = object.remove(&name).unwrap_or(Value::Null);
                tell(&mut inner, said);
                object.insert(name, inner);
            }
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let names = ["", "/a", "/b", "/a/b", "/a/c", "/c", "/b/a"];
    let kinds = ["replace", "deep", "union", "append", "keyed:a", "lock"];
    vec((proptest::sample::select(names.to_vec()), proptest::sample::select(kinds.to_vec())), 0..4)
        .prop_map(|pairs| {
            let mut object = Object::new();
            for (pointer, rule) in pairs {
                object.insert(pointer, Value::from(rule));
            }
            Rules::from_object(&object).expect("rules")
        })
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn resolving_is_the_fold_of_rfc_7396(layers in vec(arbitrary::object(), 1..=4)) {
        let none = Rules::default();
        let indexed: Vec<_> = layers.iter().map(|o| layer(&Value::Object(o.clone()))).collect();
        let chain: Vec<_> =
            indexed.iter().map(|layer| Link { layer, rules: &none }).collect();
        let view = resolve(&chain);
        let naive = naive_fold(&layers);
        prop_assert_eq!(
            String::from_utf8(view.clone()).unwrap(),
            String::from_utf8(json::write(&naive)).unwrap()
        );
        prop_assert_eq!(view_hash(&chain), layer(&naive).hash());

        // Every leaf of the view has one origin, and the layer it names holds that value.
        let mut found = BTreeMap::new();
        leaves(&naive, &Pointer::root(), &mut found);
        let origins: BTreeMap<_, _> =
            explain(&chain).origins.into_iter().map(|o| (o.pointer.clone(), o)).collect();
        for (pointer, value) in found {
            if pointer.is_empty() { continue; }
            let origin = origins.get(&pointer);
            prop_assert!(origin.is_some(), "no origin for {}", pointer);
            let Some(origin) = origin else { continue };
            let at = Pointer::parse(pointer.as_str()).unwrap();
            let held = indexed[origin.layer].get(&at);
            let text = json::write(&value);
            prop_assert!(
                held == Some(&text[..]) || value == Value::Object(Object::new()),
                "{} is not what layer {} holds", pointer, origin.layer
            );
            prop_assert!(origin.shadowed.iter().all(|&layer| usize::from(layer) < origin.layer));
        }
    }

    #[test]
    fn rules_change_neither_canonical_form_nor_the_hash_law(
        layers in vec((arbitrary::object(), rules()), 1..=4)
    ) {
        let indexed: Vec<_> =
            layers.iter().map(|(o, rules)| (layer(&Value::Object(o.clone())), rules)).collect();
        let chain: Vec<_> =
            indexed.iter().map(|(layer, rules)| Link { layer, rules }).collect();
        let view = resolve(&chain);
        let value = json::read(&view, 64).unwrap();
        prop_assert_eq!(&json::write(&value), &view);
        prop_assert_eq!(view_hash(&chain), Layer::from_canonical(view).unwrap().hash());
        explain(&chain);

        let mut told = Value::Object(Object::new());
        (1..=chain.len()).for_each(|count| tell(&mut told, contribution(&chain[..count])));
        prop_assert_eq!(&json::write(&told), &json::write(&value));
    }

    #[test]
    fn a_locked_value_is_the_same_whatever_is_below(
        above in arbitrary::object(),
        below in vec(arbitrary::object(), 0..=3)
    ) {
        let mut locks = Object::new();
        locks.insert("/a", Value::from("lock"));
        let locks = Rules::from_object(&locks).unwrap();
        let none = Rules::default();
        let above = layer(&Value::Object(above));
        let below: Vec<_> = below.iter().map(|o| layer(&Value::Object(o.clone()))).collect();
        let mut chain = vec![Link { layer: &above, rules: &locks }];
        let locked = |chain: &[Link<'_>]| {
            let view = Layer::from_canonical(resolve(chain)).unwrap();
            view.get(&Pointer::parse("/a").unwrap()).map(<[u8]>::to_vec)
        };
        let alone = locked(&chain);
        chain.extend(below.iter().map(|layer| Link { layer, rules: &none }));
        prop_assert_eq!(locked(&chain), alone);
    }

    #[test]
    fn a_difference_applied_is_the_other_document(a in arbitrary::object(), b in arbitrary::object()) {
        let (from, to) = (layer(&Value::Object(a)), layer(&Value::Object(b)));
        let mut value = from.to_value().unwrap();
        diff(&from, &to).unwrap().apply(&mut value).unwrap();
        prop_assert_eq!(json::write(&value), to.text());
    }

    #[test]
    fn a_difference_between_wide_objects_is_found_among_equal_groups(
        names in vec("[a-z]{1,6}", 0..300),
        edits in vec(("[a-z]{1,6}", 0..3u64), 0..6)
    ) {
        let mut a = Object::new();
        for name in names { a.insert(name, Value::from(1u64)); }
        let mut b = a.clone();
        for (name, value) in edits {
            if value == 0 { b.remove(&name); } else { b.insert(name, Value::from(value)); }
        }
        let (from, to) = (layer(&Value::Object(a)), layer(&Value::Object(b)));
        let patch = diff(&from, &to).unwrap();
        prop_assert!(patch.operations.len() <= 6);
        let mut value = from.to_value().unwrap();
        patch.apply(&mut value).unwrap();
        prop_assert_eq!(json::write(&value), to.text());

        // The same objects as layers: the lower one's hash is found among the upper one's groups.
        let none = Rules::default();
        let chain = [Link { layer: &from, rules: &none }, Link { layer: &to, rules: &none }];
        let view = Layer::from_canonical(resolve(&chain)).unwrap();
        prop_assert_eq!(view_hash(&chain), view.hash());
    }
}
