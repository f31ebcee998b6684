//! Patches: the RFC 6902 suites, bounds, and properties against a naive twin.

use nacre_core::{
    error::Code,
    json, limits,
    patch::{JsonPatch, append, merge_patch, unset},
    pointer::Pointer,
    value::{Object, Value, check_limits},
};
use nacre_tests::{arbitrary, shared};
use nacre_topics::{from_serde, patch::edit, to_serde};
use proptest::prelude::*;

/// json-patch/json-patch-tests. Every enabled case holds as written: what their parser for the
/// cases lets through and ours would not (a member `op` twice) is `disabled` there as well.
#[test]
fn the_json_patch_suites() {
    let mut run = 0;
    for name in ["json-patch-tests", "json-patch-spec-tests"] {
        let Some(suite) = shared(&format!("vectors/{name}.json")) else { return };
        let suite: Vec<serde_json::Value> = serde_json::from_slice(&suite).expect("JSON");
        for case in suite {
            if case["disabled"] == true {
                continue;
            }
            run += 1;
            let [result, error] = edit(&case["doc"], |document| {
                JsonPatch::parse(from_serde(&case["patch"]))?.apply(document)
            });
            match case.get("error") {
                Some(_) => assert!(!error.is_null(), "accepted: {case}"),
                // A case without `expected` only has to apply.
                None => {
                    assert!(error.is_null(), "refused with {error}: {case}");
                    if let Some(expected) = case.get("expected") {
                        assert_eq!(result, *expected, "{case}");
                    }
                }
            }
        }
    }
    assert_eq!(run, 92 + 16);
}

fn patch(text: &str) -> JsonPatch {
    JsonPatch::parse(json::read(text.as_bytes(), limits::DEPTH).expect("JSON")).expect("a patch")
}

#[test]
fn a_short_patch_cannot_make_a_huge_document() {
    let double = r#"{"op":"copy","from":"","path":"/a"},{"op":"copy","from":"/a","path":"/b"}"#;
    let doubling = patch(&format!("[{}]", vec![double; 30].join(",")));
    let mut document = json::read(br#"{"x":"0123456789"}"#, 1).unwrap();
    let error = doubling.apply(&mut document).expect_err("a gigabyte");
    assert!(matches!(error.code(), Code::TooLarge | Code::TooDeep), "{error}");

    let flat = r#"{"op":"copy","from":"/x","path":"/-"},"#.replace("/x", "/0").repeat(30);
    let flat = patch(&format!("[{}]", flat.trim_end_matches(',')));
    let mut document = Value::Array(vec!["x".repeat(100_000).into()]);
    let error = flat.apply(&mut document).expect_err("three million bytes");
    assert_eq!(error.code(), Code::TooLarge);
    assert_eq!(document.as_array().map(<[_]>::len), Some(1));
}

#[test]
fn a_short_patch_cannot_run_for_minutes() {
    let started = std::time::Instant::now();
    let inserts = vec![r#"{"op":"add","path":"/0","value":1}"#; 20_000].join(",");
    let mut list = Value::Array(vec![0u64.into(); 500_000]);
    let error = patch(&format!("[{inserts}]")).apply(&mut list).expect_err("ten milliard shifts");
    assert_eq!(error.code(), Code::TooLarge);

    let moves = r#"{"op":"move","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/a"}"#;
    let mut document = Object::new();
    document.insert("a", list);
    let error = patch(&format!("[{}]", vec![moves; 10_000].join(",")))
        .apply(&mut Value::Object(document))
        .expect_err("ten milliard steps");
    assert_eq!(error.code(), Code::TooLarge);
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn a_merge_of_wide_objects_is_linear() {
    let wide = |names: std::ops::Range<u32>| {
        let members = names.map(|i| (format!("{i:06}"), Value::from(true))).collect();
        Value::Object(Object::from_unsorted(members).expect("names once"))
    };
    let mut target = wide(100_000..200_000);
    // One insertion at a time these would shift 10^10 members.
    merge_patch(&mut target, wide(0..100_000));
    assert_eq!(target, wide(0..200_000));
}

#[test]
fn limits_hold_at_their_edges() {
    let nested =
        |depth| json::read(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes(), 99);
    assert!(check_limits(&nested(limits::DEPTH).unwrap()).is_ok());
    let error = check_limits(&nested(limits::DEPTH + 1).unwrap()).expect_err("too deep");
    assert_eq!((error.code(), error.limit_value()), (Code::TooDeep, Some(64)));
    let sized = |bytes: usize| Value::from("x".repeat(bytes - 2));
    assert!(check_limits(&sized(limits::DATA_BYTES)).is_ok());
    let error = check_limits(&sized(limits::DATA_BYTES + 1)).expect_err("too large");
    assert_eq!((error.code(), error.limit_value()), (Code::TooLarge, Some(1 << 20)));
}

/// The algorithm of RFC 7396 §2, word for word.
fn naive_merge(target: Option<serde_json::Value>, patch: &serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(patch) = patch else { return patch.clone() };
    let mut target = match target {
        Some(serde_json::Value::Object(target)) => target,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let before = target.get(name).cloned();
            target.insert(name.clone(), naive_merge(before, value));
        }
    }
    target.into()
}

/// A pointer that often leads somewhere.
fn pointer() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec!["a", "b", "c", "", "0", "1", "-", "~1", "~01"]);
    proptest::collection::vec(token, 0..4)
        .prop_map(|tokens| tokens.iter().map(|token| format!("/{token}")).collect())
}

fn operation() -> impl Strategy<Value = serde_json::Value> {
    let names = ["add", "remove", "replace", "move", "copy", "test"];
    (prop::sample::select(Vec::from(names)), pointer(), pointer(), arbitrary::value()).prop_map(
        |(op, path, from, value)| {
            serde_json::json!({"op": op, "path": path, "from": from, "value": to_serde(&value)})
        },
    )
}

/// JSON Patch over serde_json, written as the RFC reads; `None` when it fails.
fn naive_patch(
    mut root: serde_json::Value,
    patch: &[serde_json::Value],
) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    fn split(path: &str) -> Option<(&str, String)> {
        let (parent, token) = path.rsplit_once('/')?;
        Some((parent, token.replace("~1", "/").replace("~0", "~")))
    }
    fn index(token: &str) -> Option<usize> {
        token.parse().ok().filter(|index: &usize| index.to_string() == token)
    }
    fn add(root: &mut Json, path: &str, value: Json) -> Option<()> {
        let Some((parent, token)) = split(path) else {
            *root = value;
            return Some(());
        };
        match root.pointer_mut(parent)? {
            Json::Object(object) => {
                object.insert(token, value);
            }
            Json::Array(items) => {
                let at = if token == "-" { items.len() } else { index(&token)? };
                if at > items.len() {
                    return None;
                }
                items.insert(at, value);
            }
            _ => return None,
        }
        Some(())
    }
    fn remove(root: &mut Json, path: &str) -> Option<Json> {
        let (parent, token) = split(path)?;
        match root.pointer_mut(parent)? {
            Json::Object(object) => object.remove(&token),
            Json::Array(items) => {
                let at = index(&token).filter(|at| *at < items.len())?;
                Some(items.remove(at))
            }
            _ => None,
        }
    }
    for operation in patch {
        let member = |name: &str| operation[name].as_str().expect("a string");
        let (path, value) = (member("path"), operation["value"].clone());
        match member("op") {
            "add" => add(&mut root, path, value)?,
            "remove" => drop(remove(&mut root, path)?),
            "replace" => *root.pointer_mut(path)? = value,
            "move" if member("from") == path => drop(root.pointer(path)?),
            "move" if path.starts_with(&format!("{}/", member("from"))) => return None,
            "move" => {
                let moved = remove(&mut root, member("from"))?;
                add(&mut root, path, moved)?;
            }
            "copy" => {
                let copied = root.pointer(member("from"))?.clone();
                add(&mut root, path, copied)?;
            }
            "test" => (*root.pointer(path)? == value).then_some(())?,
            other => panic!("{other}"),
        }
    }
    Some(root)
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn merge_patch_is_the_algorithm_of_the_rfc(target in arbitrary::value(), patch in arbitrary::value()) {
        let naive = naive_merge(Some(to_serde(&target)), &to_serde(&patch));
        let mut ours = target;
        merge_patch(&mut ours, patch);
        prop_assert_eq!(ours, from_serde(&naive));
    }

    #[test]
    fn json_patch_does_as_its_naive_twin(
        document in arbitrary::value(),
        operations in proptest::collection::vec(operation(), 0..6),
    ) {
        let before = document.clone();
        let mut ours = document;
        let naive = naive_patch(to_serde(&ours), &operations);
        let applied = JsonPatch::parse(from_serde(&operations.into())).and_then(|patch| patch.apply(&mut ours));
        match naive {
            Some(naive) => {
                prop_assert!(applied.is_ok(), "{:?}", applied);
                prop_assert_eq!(ours, from_serde(&naive));
            }
            None => {
                prop_assert!(applied.is_err());
                prop_assert_eq!(ours, before);
            }
        }
    }

    /// Appending through a merge patch that knew the list comes to the same.
    #[test]
    fn append_adds_at_the_end(
        mut object in arbitrary::object(),
        list in proptest::collection::vec(arbitrary::value(), 0..4),
        values in proptest::collection::vec(arbitrary::value(), 0..4),
    ) {
        object.insert("list", list.clone().into());
        let mut expected = object.clone();
        expected.insert("list", [list, values.clone()].concat().into());
        let mut document = Value::Object(object);
        append(&mut document, &Pointer::parse("/list").unwrap(), values).expect("a list");
        prop_assert_eq!(document, Value::Object(expected));
    }

    /// What was unset reads as null or as something below a null, and nothing else changed.
    #[test]
    fn unset_hides_exactly_what_it_names(object in arbitrary::object(), name in arbitrary::name()) {
        let mut expected = object.clone();
        expected.insert(name.clone(), Value::Null);
        let mut document = Value::Object(object);
        unset(&mut document, &[Pointer::root().child(&name)]).expect("a member");
        prop_assert_eq!(document, Value::Object(expected));
    }
}
