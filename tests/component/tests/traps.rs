//! No function traps, whatever it is given: what is wrong is answered with an error.
//!
//! `NACRE_TRAPS=N` tries N times as many arguments.

use nacre_component_tests::{
    Call, Host, World,
    bindings::exports::nacre::context::{
        lint::Context,
        store::{EntryKind, Filter, ImportMode, Page, ViewOptions, Which},
        types::{Address, AsOf, Error, Level},
    },
    call::{LayerTexts, load, shown},
    tape::{Dice, draw, texts},
};
use wasmtime::Result;

const SEEDS: u64 = 150;
const CALLS: usize = 30;

fn times() -> u64 {
    std::env::var("NACRE_TRAPS").ok().and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[test]
fn no_text_stops_the_resolver_or_the_linter() {
    let texts = texts();
    // Each component in turn: they are made of the same code.
    for (seed, world) in (0..SEEDS * times()).zip(World::RESOLVERS.into_iter().cycle()) {
        let (mut dice, mut host) = (Dice(seed), Host::of(world).expect("an instance"));
        for _ in 0..CALLS {
            let call = any_call(&mut dice, &texts);
            if let Err(trap) = call.run(&mut host) {
                panic!("seed {seed}: {call:?}: {trap:?}");
            }
        }
    }
}

fn any_call(dice: &mut Dice, texts: &[String]) -> Call {
    let mut text = || draw(dice, texts);
    let pair = [text(), text()];
    let third = text();
    let chain = |dice: &mut Dice| {
        (0..dice.below(6)).map(|_| (draw(dice, texts), rules(dice, texts))).collect()
    };
    match dice.below(11) {
        0 => Call::Resolve(chain(dice)),
        1 => Call::ResolvePrepared(chain(dice)),
        2 => Call::Explain(chain(dice)),
        3 => Call::Hash(chain(dice)),
        4 => Call::Diff(pair),
        5 => Call::MergePatch(pair),
        6 => Call::JsonPatch(pair),
        7 => Call::Append(third, draw(dice, texts), draw(dice, texts)),
        8 => Call::Unset(third, (0..dice.below(4)).map(|_| draw(dice, texts)).collect()),
        9 => Call::Check(
            (0..dice.below(6))
                .map(|_| {
                    let parent = (dice.below(2) == 0).then(|| id(dice, texts));
                    let (data, rules) = (draw(dice, texts), rules(dice, texts));
                    Context { address: address(dice, texts), parent, data, rules }
                })
                .collect(),
        ),
        _ => Call::Canonical(third),
    }
}

fn rules(dice: &mut Dice, texts: &[String]) -> Option<String> {
    (dice.below(8) > 0).then(|| draw(dice, texts))
}

#[test]
fn no_text_stops_a_store() {
    let texts = texts();
    for seed in 0..SEEDS * times() {
        let mut host = Host::new().expect("an instance");
        if let Err(trap) = life_of_a_store(&mut Dice(seed), &mut host, &texts) {
            panic!("seed {seed}: {trap:?}");
        }
    }
}

/// Calls of all of a store's functions, in any order.
fn life_of_a_store(dice: &mut Dice, host: &mut Host, texts: &[String]) -> Result<()> {
    let (contexts, mut context) = host.contexts();
    let of = contexts.store();
    let owner = if dice.below(8) == 0 { draw(dice, texts) } else { "alice".into() };
    let made = match dice.below(3) {
        0 => of.call_open(&mut context, &owner, &draw(dice, texts), &entropy(dice))?,
        _ => of.call_create(&mut context, &owner, &entropy(dice))?,
    };
    let Ok(store) = made else { return Ok(()) };
    let mut exports = Vec::new();
    for _ in 0..CALLS {
        let (at, body, seed) = (address(dice, texts), draw(dice, texts), entropy(dice));
        let now = if dice.below(9) == 0 { dice.number() } else { 1_800_000_000_000 };
        match dice.below(13) {
            0..3 => drop(of.call_run(&mut context, store, &body, now, &seed)?),
            3 | 4 => {
                let body = format!(r#"{{"operations":[{body}],"transaction":false}}"#);
                drop(of.call_batch(&mut context, store, &body, now, &seed)?);
            }
            5 => {
                let mode = *dice.pick(&[ImportMode::Create, ImportMode::Replace]);
                drop(of.call_import_lines(&mut context, store, &body, mode, now, &seed)?);
            }
            6 => drop(of.call_preview(&mut context, store, &at, &body, now, &seed)?),
            7 => {
                let which = match dice.below(3) {
                    0 => Which::Current,
                    1 => Which::Version(small(dice)),
                    _ => Which::Past(as_of(dice)),
                };
                drop(of.call_get(&mut context, store, &at, which, dice.below(2) == 0)?);
            }
            8 => {
                let options = ViewOptions {
                    path: (dice.below(2) == 0).then(|| draw(dice, texts)),
                    at: (dice.below(2) == 0).then(|| as_of(dice)),
                    explain: dice.below(2) == 0,
                    reveal: dice.below(2) == 0,
                };
                drop(of.call_view(&mut context, store, &at, &options)?);
            }
            9 => {
                let (before, after) = (as_of(dice), (dice.below(2) == 0).then(|| as_of(dice)));
                drop(of.call_view_diff(&mut context, store, &at, before, after)?);
                let (before, after) = (small(dice), (dice.below(2) == 0).then(|| small(dice)));
                drop(of.call_diff(&mut context, store, &at, before, after)?);
            }
            10 => {
                let filter = Filter {
                    level: (dice.below(2) == 0).then_some(at.level),
                    parent: (dice.below(3) == 0).then(|| id(dice, texts)),
                    under: (dice.below(3) == 0).then(|| at.clone()),
                    prefix: (dice.below(3) == 0).then(|| draw(dice, texts)),
                };
                let page = page(dice, texts);
                drop(of.call_contexts(&mut context, store, &filter, true, &page)?);
            }
            11 => {
                let page = page(dice, texts);
                drop(of.call_history(&mut context, store, &at, &page)?);
                let kind = *dice.pick(&[EntryKind::Insight, EntryKind::Progress]);
                drop(of.call_entries(&mut context, store, &at, kind, &page)?);
                drop(of.call_audit(&mut context, store, &page)?);
                of.call_seq(&mut context, store)?;
            }
            _ => {
                let lines = of.call_export_lines(&mut context, store, dice.below(2) == 0)?;
                drop(contexts.lines().call_next(&mut context, lines)?);
                exports.push(lines);
            }
        }
    }
    // Exports outlive their store.
    store.resource_drop(&mut context)?;
    for lines in exports {
        drop(contexts.lines().call_next(&mut context, lines)?);
        lines.resource_drop(&mut context)?;
    }
    Ok(())
}

#[test]
fn no_text_stops_a_collection() {
    let texts = texts();
    for seed in 0..SEEDS * times() {
        let mut host = Host::of(World::Searches).expect("an instance");
        if let Err(trap) = life_of_a_collection(&mut Dice(seed), &mut host, &texts) {
            panic!("seed {seed}: {trap:?}");
        }
    }
}

/// Calls of all of a collection's functions, in any order.
fn life_of_a_collection(dice: &mut Dice, host: &mut Host, texts: &[String]) -> Result<()> {
    let (search, mut context) = host.search();
    let mut bytes = || draw(dice, texts).into_bytes();
    let files = [bytes(), bytes(), bytes(), bytes()];
    let [vocabulary, table, expansion, sparse] = &files;
    let of = search.models();
    assert!(of.call_load(&mut context, vocabulary, table, expansion, sparse)?.is_err());
    let of = search.collection();
    let collection = of.call_constructor(&mut context)?;
    let none = String::from("[]");
    for _ in 0..CALLS {
        let (at, body, seq) = (address(dice, texts), draw(dice, texts), dice.number());
        match dice.below(9) {
            0 => drop(of.call_put(&mut context, collection, &body, seq, &none, &none)?),
            1..4 => {
                let body = searched(&at, &body);
                let notes = if dice.below(2) == 0 { draw(dice, texts) } else { note(dice, texts) };
                drop(of.call_put(&mut context, collection, &body, seq, &notes, &none)?);
            }
            4 => drop(of.call_remove(&mut context, collection, &at)?),
            5 => {
                let meaning: Vec<u8> = (0..dice.below(600)).map(|_| dice.number() as u8).collect();
                let meaning = [&[1][..], &meaning].concat();
                drop(of.call_give_meaning(&mut context, collection, &at, &meaning)?);
            }
            6 => {
                let numbers: Vec<f32> = (0..dice.below(5)).map(|_| any_float(dice)).collect();
                drop(of.call_give_vector(&mut context, collection, &at, &numbers)?);
                let body = serde_json::json!({"q": body, "vector": [1, dice.number()]}).to_string();
                drop(of.call_find(&mut context, collection, &body, None)?);
            }
            7 => drop(of.call_find(&mut context, collection, &body, None)?),
            _ => {
                let question = serde_json::json!({"q": body}).to_string();
                drop(of.call_find(&mut context, collection, &question, None)?);
            }
        }
        let documents = of.call_documents(&mut context, collection)?;
        assert!(of.call_waiting(&mut context, collection)? <= documents);
    }
    collection.resource_drop(&mut context)
}

fn any_float(dice: &mut Dice) -> f32 {
    if dice.below(2) == 0 { f32::from_bits(dice.number() as u32) } else { 0.5 }
}

/// A context around any data.
fn searched(address: &Address, data: &str) -> String {
    let address = shown(address);
    let (level, id) = address.split_once('/').unwrap_or_default();
    let (level, id) = (serde_json::json!(level), serde_json::json!(id));
    format!(
        r#"{{"level":{level},"id":{id},"version":1,"rules":{{}},"data":{data},"updated_by":"bob",
        "created_at":"2026-11-30T12:00:00.000Z","updated_at":"2026-11-30T12:00:00.000Z"}}"#
    )
}

/// One insight with any text.
fn note(dice: &mut Dice, texts: &[String]) -> String {
    let content = draw(dice, texts);
    let (at, id) = ("2026-11-30T12:00:00.000Z", "0000000000000000-0000");
    serde_json::json!([{"id": id, "at": at, "by": "alice", "content": content}]).to_string()
}

fn address(dice: &mut Dice, texts: &[String]) -> Address {
    let level = *dice.pick(&[Level::Global, Level::Project, Level::Branch, Level::Task]);
    Address { level, id: id(dice, texts) }
}

fn id(dice: &mut Dice, texts: &[String]) -> String {
    match dice.below(6) {
        0 => draw(dice, texts),
        _ => (*dice.pick(&["global", "p", "q", "b", "c", "t"])).into(),
    }
}

fn entropy(dice: &mut Dice) -> Vec<u8> {
    let length = if dice.below(20) == 0 { dice.below(40) } else { 32 };
    (0..length).map(|_| dice.number() as u8).collect()
}

fn small(dice: &mut Dice) -> u64 {
    if dice.below(6) == 0 { dice.number() } else { dice.number() % 8 }
}

fn as_of(dice: &mut Dice) -> AsOf {
    if dice.below(2) == 0 { AsOf::Seq(small(dice)) } else { AsOf::Time(dice.number() >> 22) }
}

fn page(dice: &mut Dice, texts: &[String]) -> Page {
    Page {
        cursor: (dice.below(4) == 0).then(|| draw(dice, texts)),
        limit: (dice.below(2) == 0).then(|| small(dice) as u32),
    }
}

/// The code of what a call is refused with; it must not trap.
fn code(call: &Call) -> Option<String> {
    let answer = call.run(&mut Host::new().expect("an instance")).expect("no trap");
    answer.err().map(|error| error.code)
}

#[test]
fn deep_and_huge_arguments_are_refused() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let long = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes));
    fn layers(data: String) -> Vec<LayerTexts> {
        vec![(data.clone(), None), (data, Some("{}".into()))]
    }
    let calls: [fn(String) -> Call; 8] = [
        |data| Call::Resolve(layers(data)),
        |data| Call::ResolvePrepared(layers(data)),
        |data| Call::Explain(layers(data)),
        |data| Call::Hash(layers(data)),
        |data| Call::Diff([data.clone(), data]),
        |data| Call::MergePatch([data.clone(), data]),
        |data| Call::Unset(data, vec!["/b".into()]),
        Call::Canonical,
    ];
    for call in calls {
        assert_eq!(code(&call(nested(64))), None);
        for depth in [65, 1000, 500_000] {
            assert_eq!(code(&call(nested(depth))).as_deref(), Some("too-deep"));
        }
        assert_eq!(code(&call(long(1_000_000))), None);
        assert_eq!(code(&call(long(5_000_000))).as_deref(), Some("too-large"));
    }
    let wide = format!("[{}0]", "0,".repeat(2_000_000));
    assert_eq!(code(&Call::Canonical(wide)).as_deref(), Some("too-large"));
}

/// Origins hold a pointer for each value: a long name above many values makes more of them than there
/// is memory.
#[test]
fn long_names_above_many_values_are_not_explained() {
    let data = |name: usize, values: usize| {
        let values: Vec<String> = (0..values).map(|value| format!("\"{value}\":1")).collect();
        format!("{{\"{}\":{{{}}}}}", "x".repeat(name), values.join(","))
    };
    let explain = |data| Call::Explain(vec![(data, None)]);
    assert_eq!(code(&explain(data(10, 50_000))), None);
    assert_eq!(code(&explain(data(400_000, 50_000))).as_deref(), Some("too-large"));
}

/// A context's data may be as deep as it may be, whatever stands around it.
#[test]
fn a_store_takes_the_deepest_data_and_tells_of_deeper() {
    let put = |depth: usize| {
        let data = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let body = format!(
            r#"{{"operations":[{{"action":"put","level":"global","context_id":"global","data":{data}}}]}}"#
        );
        let answer = Call::Store(vec![body]).run(&mut Host::new().expect("an instance"));
        answer.expect("no trap").expect("a store")["answers"][0]["error"]["code"].clone()
    };
    assert_eq!(put(64), serde_json::Value::Null);
    assert_eq!(put(65), "too-deep");
    assert_eq!(put(100_000), "too-deep");
}

#[test]
fn an_instance_holds_a_store_of_many_large_contexts() {
    let mut host = Host::new().expect("an instance");
    let (contexts, mut context) = host.contexts();
    let of = contexts.store();
    let made = of.call_create(&mut context, "alice", &vec![1; 32]).expect("no trap");
    let Ok(store) = made else { panic!("a store") };
    let text = "x".repeat(1_000_000);
    for place in 0..40u64 {
        let body = format!(
            r#"{{"action":"put","level":"project","context_id":"p{place}","data":{{"a":"{text}"}}}}"#
        );
        let answer = of.call_run(&mut context, store, &body, place, &vec![2; 32]);
        assert!(answer.expect("no trap").is_ok());
    }
}

/// Findings are about data that a store would refuse, too.
#[test]
fn too_much_data_is_a_finding() {
    let mut host = Host::new().expect("an instance");
    let data = format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000_000));
    let address = Address { level: Level::Global, id: "global".into() };
    let given = [Context { address, parent: None, data, rules: None }];
    let (lint, context) = host.lint();
    let found: std::result::Result<_, Error> =
        lint.call_check(context, &given, None).expect("no trap");
    let kinds: Vec<String> = found.expect("findings").into_iter().map(|f| f.kind).collect();
    assert!(kinds.contains(&"data-too-large".into()), "{kinds:?}");
}

/// What is not there and what is cut off is an error; what other models made is none.
#[test]
fn a_meaning_is_taken_for_a_context_that_is_there() {
    let mut host = Host::of(World::Searches).expect("an instance");
    let (search, mut context) = host.search();
    let models = load(search, context).expect("models");
    let of = search.collection();
    let collection = of.call_constructor(&mut context).expect("no trap");
    let at = Address { level: Level::Project, id: "p".into() };
    let give = |context: &mut wasmtime::Store<()>, meaning: &[u8]| {
        let given = of.call_give_meaning(context, collection, &at, meaning).expect("no trap");
        given.map_err(|error| error.code)
    };
    assert_eq!(give(context, &[0]), Err("not-found".into()));
    let (body, none) = (searched(&at, r#"{"title":"tyres"}"#), String::from("[]"));
    let put = of.call_put(&mut context, collection, &body, 1, &none, &none).expect("no trap");
    assert!(put.is_ok(), "{put:?}");
    assert_eq!(give(context, &[1, 2]), Err("store-unavailable".into()));
    assert_eq!(give(context, &[0, 2]), Ok(false));
    assert_eq!(of.call_waiting(&mut context, collection).expect("no trap"), 1);

    let encoded = of.call_encode(&mut context, collection, models).expect("no trap");
    let encoded = encoded.expect("no error").expect("a context");
    assert_eq!(of.call_waiting(&mut context, collection).expect("no trap"), 0);
    let ask = &String::from(r#"{"q":"car wheels","mode":"semantic"}"#);
    let by_encoding = of.call_find(&mut context, collection, ask, Some(models)).expect("no trap");
    let by_encoding = by_encoding.expect("an answer");
    assert!(by_encoding.contains(r#""ranking":["terms","vectors"]"#), "{by_encoding}");

    // The same data again waits until the meaning that was kept is given.
    let put = of.call_put(&mut context, collection, &body, 1, &none, &none).expect("no trap");
    assert!(put.is_ok(), "{put:?}");
    assert_eq!(of.call_waiting(&mut context, collection).expect("no trap"), 1);
    assert_eq!(give(context, &encoded.meaning), Ok(true));
    assert_eq!(of.call_waiting(&mut context, collection).expect("no trap"), 0);
    let again = of.call_find(&mut context, collection, ask, Some(models)).expect("no trap");
    assert_eq!(again.expect("an answer"), by_encoding);
}
