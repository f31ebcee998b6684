//! Laws of the tools for agents: they are described by their types, cost few tokens, and never answer
//! with more than was asked for.

use nacre_core::{
    access::Scopes,
    address::Address,
    id::User,
    mcp::{Setting, tools},
    op::{Caller, Edit, Expect, Put},
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use nacre_topics::{
    mcp::{call, shown},
    to_serde,
    world::World,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value as Json, json};
use tiktoken_rs::{cl100k_base, o200k_base};

/// What clients are shown.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../core/mcp/src/tools.json");

/// Calls with their answers.
const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/mcp");

/// The most tokens of the tools that are offered to a client that chooses none. A model reads them on every
/// turn.
const TOKENS: usize = 3_000;

#[test]
fn tools_are_shown_as_their_types_are() {
    let document = tools::schema::document();
    if std::env::var_os("NACRE_UPDATE").is_some() {
        std::fs::write(PATH, document).expect("tools.json can be written");
        return;
    }
    let kept = std::fs::read_to_string(PATH).expect("tools.json");
    assert!(kept == document, "tools.json differs from the types; write it with NACRE_UPDATE=1");
    let shown = listed(None);
    let names: Vec<&str> = shown.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, tools::TOOLS.iter().map(|tool| tool.name).collect::<Vec<_>>());
}

#[test]
fn tools_cost_few_tokens() {
    let shown = json!({ "tools": listed(None) }).to_string();
    for (name, tokenizer) in [("o200k", o200k_base()), ("cl100k", cl100k_base())] {
        let tokens = tokenizer.unwrap().encode_ordinary(&shown).len();
        assert!(tokens <= TOKENS, "{tokens} tokens of {name}");
        println!("{tokens} tokens of {name}");
    }
}

#[test]
fn a_client_chooses_sets_of_tools() {
    let names = |sets: &str| -> Vec<String> {
        listed(Some(sets)).iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("search"), ["search_contexts"]);
    assert_eq!(names("history, search").first().unwrap(), "search_contexts");
    assert_eq!(names("").len(), tools::TOOLS.len());
    let refused = tools::list(Some("searches")).unwrap_err();
    assert!(refused.detail().contains("context, search, history"), "{refused}");
}

/// What sloppy clients send is accepted, and not described.
const SLOPPY: &str = "sloppy.json";

#[test]
fn calls_and_answers_are_as_they_are_described() {
    let shown = listed(None);
    let mut checked = 0;
    for case in std::fs::read_dir(VECTORS).expect("vectors") {
        let path = case.unwrap().path();
        let is_sloppy = path.ends_with(SLOPPY);
        let case: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (calls, answers) =
            (case["calls"].as_array().unwrap(), case["answers"].as_array().unwrap());
        for (call, answer) in calls.iter().zip(answers) {
            // A failure has no data, and a pack is told by its lines.
            if answer.is_array() || answer.get("failed").is_some() {
                continue;
            }
            let tool = shown.iter().find(|tool| tool["name"] == call["tool"]).unwrap();
            let nothing = json!({});
            let arguments = call.get("arguments").unwrap_or(&nothing);
            for (schema, value) in [("inputSchema", arguments), ("outputSchema", answer)] {
                let validator = jsonschema::validator_for(&tool[schema]).unwrap();
                match validator.validate(value) {
                    Err(wrong) if !is_sloppy || schema == "outputSchema" => {
                        panic!("{call}: {value}: {wrong}")
                    }
                    _ => {}
                }
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

fn listed(sets: Option<&str>) -> Vec<Json> {
    match to_serde(&tools::list(sets).expect("a list")) {
        Json::Array(tools) => tools,
        other => panic!("{other}"),
    }
}

fn setting() -> Setting {
    let alice = User::parse("alice").unwrap();
    let caller = Caller { user: alice.clone(), owner: alice, scopes: Scopes::UNSTATED };
    let default = Some(Address::global());
    Setting { caller, default, standing: None, most_tokens: 1_000_000 }
}

fn holding(data: &Object) -> World {
    let mut world = World::empty();
    let put = Put {
        address: Address::global(),
        data: data.clone(),
        parent: None,
        rules: None,
        summary: None,
        create_parents: false,
        expect: Expect::Anything,
    };
    world.run(Edit::Put(put)).expect("a write");
    world
}

/// The values of `part` are those of `whole` at the same places: nothing is cut or moved.
fn is_part(part: &Json, whole: &Json) -> bool {
    match (part, whole) {
        (Json::Object(part), Json::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|whole| is_part(value, whole))),
        (Json::Array(part), Json::Array(whole)) => {
            part.len() <= whole.len()
                && part.iter().zip(whole).all(|(part, whole)| is_part(part, whole))
        }
        (part, whole) => part == whole,
    }
}

/// Documents that are often too long: objects of objects, with long lists and texts.
fn documents() -> impl Strategy<Value = Object> {
    let texts = vec("[a-zA-Z é0-9/\"]{0,300}", 0..8);
    (vec((arbitrary::name(), arbitrary::object()), 0..12), texts).prop_map(|(members, texts)| {
        let mut document = Object::new();
        for (name, member) in members {
            document.insert(name, member.into());
        }
        let texts = texts.into_iter().map(Value::from).collect::<Vec<_>>();
        document.insert("texts", texts.into());
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_answer_has_at_most_the_tokens_that_were_asked_for(
        data in documents(),
        room in 256u64..900,
    ) {
        let mut world = holding(&data);
        for (tool, arguments) in [
            ("resolve_context", json!({ "max_tokens": room })),
            ("explain_context", json!({ "max_tokens": room })),
            ("manage_context", json!({ "action": "get", "max_tokens": room })),
            ("manage_context", json!({ "action": "list", "data": true, "max_tokens": room })),
            ("get_context_history", json!({ "max_tokens": room })),
        ] {
            // `call` counts.
            let outcome = call(&mut world, tool, &arguments, &setting());
            prop_assert!(!outcome.failed, "{tool}: {}", shown(&outcome));
        }
    }

    #[test]
    fn what_is_shown_of_a_view_is_whole_and_where_it_was(
        data in documents(),
        room in 256u64..900,
    ) {
        let mut world = holding(&data);
        let mut view = |room: u64| {
            let arguments = json!({ "max_tokens": room });
            let outcome = call(&mut world, "resolve_context", &arguments, &setting());
            serde_json::from_str::<Json>(&shown(&outcome)).unwrap()
        };
        let whole = view(1_000_000)["data"].take();
        let answer = view(room);
        if let Some(part) = answer.get("data") {
            prop_assert!(is_part(part, &whole), "{part} is no part of {whole}");
        }
        let is_whole = answer.get("data") == Some(&whole);
        prop_assert_eq!(is_whole, answer.get("left_out").is_none(), "{}", answer);
    }
}
