//! What a refused write tells: within bounds, without secrets, and as much as history still knows.

use nacre_core::{
    limits,
    op::Batch,
    wire::{Answer, operation},
};
use nacre_topics::{Json, from_serde, world::World};
use serde_json::json;

/// The results of operations that are decided one by one in a batch, and the answer's length.
fn batch(world: &mut World, operations: &[Json]) -> (Vec<Json>, usize) {
    let operations = operations.iter().map(|one| operation::item(from_serde(one))).collect();
    let reply = world.run(Batch { transaction: false, operations }).expect("a batch");
    let body = Answer::of(&reply, 1).expect("an answer").body;
    let mut answer: Json = serde_json::from_slice(&body).expect("JSON");
    let results = answer["results"].as_array_mut().map(std::mem::take).expect("results");
    (results, body.len())
}

fn ask(world: &mut World, operation: &Json) -> Json {
    batch(world, std::slice::from_ref(operation)).0.remove(0)
}

fn write(action: &str, mut members: Json) -> Json {
    members["action"] = action.into();
    members["level"] = "project".into();
    members["context_id"] = "p".into();
    members
}

fn text(problem: &Json, member: &str) -> String {
    problem[member].as_str().expect("text").to_owned()
}

#[test]
fn a_base_that_is_no_longer_kept_is_told_so() {
    let mut world = World::empty();
    ask(&mut world, &write("create", json!({"data": {"a": 1, "b": 1}})));
    for a in 2..5 {
        ask(&mut world, &write("update", json!({"patch": {"a": a}})));
    }
    let export = String::from_utf8(world.export(false)).unwrap();
    let mut line: Json = serde_json::from_str(&export).unwrap();
    line["history"].as_array_mut().unwrap().truncate(2);
    let mut world = world.opened(format!("{line}\n").as_bytes()).unwrap();

    let stale = write("update", json!({"patch": {"a": 9, "c": 1}, "expect_version": 3}));
    assert_eq!(
        ask(&mut world, &stale)["conflicts"],
        json!([{"pointer": "/a", "base": 3, "current": 4, "yours": 9}])
    );
    let gone = write("update", json!({"patch": {"a": 9, "c": 1}, "expect_version": 1}));
    let problem = ask(&mut world, &gone);
    let detail = text(&problem, "detail");
    assert!(detail.starts_with("expected version 1; current is 4."), "{detail}");
    assert!(detail.contains("Version 1 is no longer kept"), "{detail}");
    assert!(!detail.contains("go through"), "{detail}");
    assert_eq!(problem["current_version"], 4);
    assert_eq!(
        problem["conflicts"],
        json!([{"pointer": "/a", "current": 4, "yours": 9}, {"pointer": "/c", "yours": 1}])
    );
}

#[test]
fn conflicts_that_are_too_long_for_an_answer_are_told_without_their_values() {
    let mut world = World::empty();
    let list = |item: &str| json!(vec![item.repeat(1000); 500]);
    ask(&mut world, &write("create", json!({"data": {"a": 1, "l": list("b")}})));
    ask(&mut world, &write("update", json!({"patch": {"a": 2, "l": list("c")}})));
    let stale = json!({"patch": {"a": 3, "l": list("y")}, "expect_version": 1});
    let (results, length) = batch(&mut world, &[write("update", stale)]);
    let problem = &results[0];
    assert_eq!(
        problem["conflicts"],
        json!([{"pointer": "/a", "base": 1, "current": 2, "yours": 3}, {"pointer": "/l"}])
    );
    assert_eq!(problem["limit"], limits::CONFLICT_BYTES);
    let detail = text(problem, "detail");
    assert!(detail.contains("2 of 2 are listed, 1 of them without their values"), "{detail}");
    assert!(length < limits::CONFLICT_BYTES);
}

#[test]
fn the_conflicts_of_a_whole_batch_are_bounded() {
    let mut world = World::empty();
    let data = |value: u64| {
        let names = (0..2000).map(|n| (format!("n{n:04}"), value.into()));
        Json::Object(names.collect())
    };
    ask(&mut world, &write("create", json!({"data": data(1)})));
    ask(&mut world, &write("put", json!({"data": data(2)})));
    let stale = write("put", json!({"data": data(3), "expect_version": 1}));
    let (results, length) = batch(&mut world, &vec![stale; 20]);
    assert_eq!(results[0]["conflicts"].as_array().map(Vec::len), Some(2000));
    assert_eq!(results[0]["limit"], Json::Null);
    let last = &results[19];
    assert_eq!(last["code"], "version-conflict");
    assert_eq!(last.get("conflicts"), None, "an empty list would say that there are none");
    assert!(text(last, "detail").contains("0 of 2000 are listed"), "{last}");
    assert_eq!(last["limit"], limits::CONFLICT_BYTES);
    assert!(length < limits::CONFLICT_BYTES + 20 * 1024, "{length}");
}
