//! The vectors, through the component: the bytes of every answer are those of the native runner.

use std::{collections::BTreeSet, fs, path::Path};

use nacre_component_tests::{
    Call, World,
    bindings::exports::nacre::context::{
        lint::Context,
        types::{Address, Error, Level},
    },
    call::{Answer, LayerTexts, Search, model_files},
    transcript::Transcript,
};
use nacre_core::{
    json,
    retrieval::{Collection, ContextTexts, Models},
};
use nacre_tests::vectors;
use nacre_topics::{
    Case, Shape, Topic, hex, list,
    retrieval::{self as searches_of, Texts},
    text,
};
use serde_json::{Value, json};

/// Topics that do not reach the component, and why.
const ELSEWHERE: [(&str, &str); 12] = [
    ("auth", "tokens are the Worker's"),
    ("live", "sockets are the Worker's; `store` has views as of a seq"),
    ("mcp", "agents reach the Worker"),
    ("msgpack", "documents cross as JSON only"),
    ("pack", "the component has no packs"),
    ("promotion", "promotions are the server's"),
    ("rebase", "replicas are the browser's"),
    ("seal", "keys and rows at rest are the Worker's; sealed fields are in `store`"),
    ("search", "words and rankings are inside of searches, which are in `retrieval`"),
    (
        "three-way",
        "edits are merged by servers and replicas; the conflicts of writes are in `store`",
    ),
    ("template", "templates are the server's"),
    ("wordpieces", "they are inside of the models"),
];

/// The topic of the component with searches.
const SEARCHED: &str = "retrieval";

#[test]
fn every_vector_gives_the_same_bytes() {
    let transcript = Transcript::of(World::Contexts).expect("an instance");
    let mut run = BTreeSet::from(of_layers(&transcript));
    run.extend([operation(&transcript), store(&transcript), errors(&transcript)]);
    run.insert(open(&transcript));
    transcript.write().expect("a transcript");
    run.insert(SEARCHED);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    let topics: BTreeSet<String> = fs::read_dir(folder)
        .expect("vectors")
        .map(|entry| entry.expect("a topic").file_name().to_string_lossy().into_owned())
        .collect();
    let known = run.iter().copied().chain(ELSEWHERE.map(|(topic, _)| topic));
    assert_eq!(topics, known.map(String::from).collect(), "a topic is not run");
}

#[test]
fn without_a_store_the_bytes_are_the_same() {
    let transcript = Transcript::of(World::Layers).expect("an instance");
    of_layers(&transcript);
    transcript.write().expect("a transcript");
}

/// Searches, and what the models say of contexts.
#[test]
fn searches_give_the_same_bytes() {
    let transcript = Transcript::of(World::Searches).expect("an instance");
    retrieval(&transcript);
    meanings(&transcript);
    transcript.write().expect("a transcript");
}

/// The owner's searches; a collection has no guests.
fn retrieval(transcript: &Transcript) {
    vectors::run(shape(SEARCHED), |case| {
        let contexts = searches_of::texts(&mut searches_of::after(case));
        let searches = list(&case["searches"]);
        let own = searches.iter().filter(|asked| searches_of::is_owners(asked));
        let questions = own.map(json_text).collect();
        let vectors = searches_of::vectors(case).into_iter();
        let vectors = vectors.map(|(at, numbers)| (wit_address(&at), numbers)).collect();
        let call = Call::Search(Search { contexts, vectors, models: false, questions });
        let found = transcript.call(SEARCHED, &case["title"], &call).expect("a collection");
        let mut found = found["answers"].as_array().expect("answers").clone().into_iter();
        let expected = searches.iter().zip(list(&case["answers"]));
        let answers = expected.map(|(asked, expected)| {
            if !searches_of::is_owners(asked) {
                return expected.clone();
            }
            let mut answer = found.next().expect("an answer");
            match answer["ok"].is_string() {
                true => searches_of::shown(canonical(&answer["ok"])),
                false => in_vector(&mut answer["error"]),
            }
        });
        [answers.collect()]
    });
}

/// An address for the component.
fn wit_address(address: &nacre_core::address::Address) -> Address {
    let level = match address.level {
        nacre_core::level::Level::Global => Level::Global,
        nacre_core::level::Level::Project => Level::Project,
        nacre_core::level::Level::Branch => Level::Branch,
        nacre_core::level::Level::Task => Level::Task,
    };
    Address { level, id: address.id.as_str().into() }
}

/// An error as vectors have it.
fn in_vector(error: &mut Value) -> Value {
    let mut member = |name: &str| error[name].take();
    json!({"code": member("code"), "detail": member("detail"), "pointer": member("pointer")})
}

/// With the models: the bytes of each meaning, and every answer by them.
fn meanings(transcript: &Transcript) {
    let [vocabulary, table, expansion, sparse] = model_files();
    let models = Models::read(&vocabulary, &table, &expansion).expect("models");
    let models = models.with_sparse(&sparse).expect("models");
    let context = |id: &str, title: &str, seq: u64| Texts {
        context: json!({
            "level": "project", "id": id, "rules": {}, "version": 1, "data": {"title": title},
            "created_at": "2026-11-30T12:00:00.000Z", "updated_at": "2026-11-30T12:00:00.000Z",
            "updated_by": "alice",
        })
        .to_string(),
        seq,
        insights: "[]".into(),
        progress: "[]".into(),
    };
    let contexts = vec![
        context("cars", "The automobile needs new tyres and a motor", 1),
        context("food", "A recipe for soup with onions", 2),
        context("logs", "The server writes its logs to a file", 3),
    ];
    let ask = |q: &str, mode: &str| json!({"q": q, "mode": mode}).to_string();
    let questions = vec![
        ask("vehicle engine", "hybrid"),
        ask("vehicle engine", "semantic"),
        ask("cooking a meal", "hybrid"),
        ask("soup", "text"),
    ];

    let mut native = Collection::default();
    for Texts { context, seq, insights, progress } in &contexts {
        let given = ContextTexts { context, seq: *seq, insights, progress };
        native.put(&given).expect("a context");
    }
    let mut meanings = Vec::new();
    while let Some((address, meaning)) = native.encode(&models).expect("a meaning") {
        meanings.push(json!([address.to_string(), nacre_topics::to_hex(&meaning.to_bytes())]));
    }
    let answers: Vec<Value> = questions
        .iter()
        .map(|question| {
            let answer = native.find(question, Some(&models)).expect("an answer");
            json!({"ok": String::from_utf8(answer).expect("UTF-8")})
        })
        .collect();
    assert!(answers[0].to_string().contains("terms"), "models rank: {}", answers[0]);

    let vectors = Vec::new();
    let call = Call::Search(Search { contexts, vectors, models: true, questions });
    let found = transcript.call("meaning", &json!("with models"), &call).expect("a collection");
    assert_eq!(found["meanings"], json!(meanings));
    assert_eq!(found["answers"], json!(answers));
}

/// Topics that take no store.
fn of_layers(transcript: &Transcript) -> [&'static str; 10] {
    [
        resolve(transcript),
        diff(transcript),
        merge_patch(transcript),
        json_patch(transcript),
        append(transcript),
        unset(transcript),
        pointer(transcript),
        reader(transcript),
        number(transcript),
        lint(transcript),
    ]
}

fn resolve(transcript: &Transcript) -> &'static str {
    vectors::run(shape("resolve"), |case| {
        let layers: Vec<LayerTexts> = list(&case["layers"])
            .iter()
            .map(|layer| (json_text(&layer["data"]), Some(json_text(&layer["rules"]))))
            .collect();
        let ask = |call| transcript.call("resolve", &case["title"], &call);
        let view = ask(Call::Resolve(layers.clone())).expect("a view");
        assert_eq!(ask(Call::ResolvePrepared(layers.clone())).expect("a view"), view);
        let hash = ask(Call::Hash(layers.clone())).expect("a hash");
        let explained = ask(Call::Explain(layers)).expect("an explanation");
        let list = |name: &str| explained[name].as_array().expect("a list").clone().into_iter();
        let origins = list("origins").map(|of| {
            let told = json!({"layer": of[1], "rule": of[2], "shadowed": of[3]});
            (of[0].as_str().expect("a pointer").to_owned(), told)
        });
        let ignored =
            list("ignored").map(|of| json!({"pointer": of[0], "layer": of[1], "locked_by": of[2]}));
        [canonical(&view), hash, Value::Object(origins.collect()), ignored.collect()]
    });
    "resolve"
}

fn diff(transcript: &Transcript) -> &'static str {
    vectors::run(shape("diff"), |case| {
        let call = Call::Diff([json_text(&case["from"]), json_text(&case["to"])]);
        [canonical(&transcript.call("diff", &case["title"], &call).expect("a patch"))]
    });
    "diff"
}

fn merge_patch(transcript: &Transcript) -> &'static str {
    vectors::run(shape("merge-patch"), |case| {
        let call = Call::MergePatch([json_text(&case["target"]), json_text(&case["patch"])]);
        [canonical(&transcript.call("merge-patch", &case["title"], &call).expect("a document"))]
    });
    "merge-patch"
}

fn json_patch(transcript: &Transcript) -> &'static str {
    vectors::run(shape("json-patch"), |case| {
        let call = Call::JsonPatch([json_text(&case["document"]), json_text(&case["patch"])]);
        edited(&transcript.call("json-patch", &case["title"], &call))
    });
    "json-patch"
}

fn append(transcript: &Transcript) -> &'static str {
    vectors::run(shape("append"), |case| {
        let list = text(&case["pointer"]).to_owned();
        let call = Call::Append(json_text(&case["document"]), list, json_text(&case["values"]));
        edited(&transcript.call("append", &case["title"], &call))
    });
    "append"
}

fn unset(transcript: &Transcript) -> &'static str {
    vectors::run(shape("unset"), |case| {
        let pointers = list(&case["pointers"]).iter();
        let pointers = pointers.map(|p| p.as_str().expect("a pointer").to_owned()).collect();
        let call = Call::Unset(json_text(&case["document"]), pointers);
        edited(&transcript.call("unset", &case["title"], &call))
    });
    "unset"
}

/// What a pointer leads to is what a `test` of a JSON Patch finds there.
fn pointer(transcript: &Transcript) -> &'static str {
    vectors::run(shape("pointer"), |case| {
        let patch = json!([{"op": "test", "path": case["pointer"], "value": case["value"]}]);
        let call = Call::JsonPatch([json_text(&case["document"]), json_text(&patch)]);
        let answer = transcript.call("pointer", &case["title"], &call);
        let value = if answer.is_ok() { case["value"].clone() } else { Value::Null };
        let refused = answer.as_ref().err();
        let error = match refused.filter(|error| error.code == "invalid-pointer") {
            // In a patch the place of a pointer is the operation that holds it.
            Some(error) => json!({
                "code": error.code, "detail": error.detail, "pointer": case["error"]["pointer"]
            }),
            None => Value::Null,
        };
        [answer.is_ok().into(), value, error]
    });
    "pointer"
}

/// Texts that are read to the depth of a context's data; others cannot be asked for here, and neither
/// can bytes that are no text.
fn reader(transcript: &Transcript) -> &'static str {
    vectors::run(shape("json"), |case| {
        let input = match text(&case["encoding"]) {
            "hex" => String::from_utf8(hex(text(&case["input"]))).ok(),
            _ => Some(text(&case["input"]).to_owned()),
        };
        let Some(input) = input.filter(|_| case["max_depth"] == 64) else {
            return as_expected(case, ["canonical", "error"]);
        };
        let answer = transcript.call("json", &case["title"], &Call::Canonical(input));
        [answer.clone().ok().into(), refusal(&answer)]
    });
    "json"
}

/// Doubles, in the form that Rust prints.
fn number(transcript: &Transcript) -> &'static str {
    vectors::run(shape("number"), |case| {
        let bits = u64::from_str_radix(text(&case["bits"]), 16).expect("16 hex digits");
        let printed = format!("{:e}", f64::from_bits(bits));
        let answer = transcript.call("number", &case["title"], &Call::Canonical(printed));
        [answer.ok().into()]
    });
    "number"
}

/// Whether an operation is understood; what it does then is for `store` to say.
fn operation(transcript: &Transcript) -> &'static str {
    vectors::run(shape("operation"), |case| {
        let batch = json!({"operations": [case["operation"]]});
        let answer =
            transcript.call("operation", &case["title"], &Call::Store(vec![json_text(&batch)]));
        let answers = answer.expect("a store");
        let problem = match case["error"].is_null() {
            true => Value::Null,
            false => in_batch(&answers["answers"][0]["error"]),
        };
        [case["write"].clone(), problem]
    });
    "operation"
}

fn store(transcript: &Transcript) -> &'static str {
    vectors::run(shape("store"), |case| {
        let operations = list(&case["operations"]).iter();
        let bodies = operations
            .map(|operation| json_text(&json!({"transaction": false, "operations": [operation]})));
        let answer = transcript.call("store", &case["title"], &Call::Store(bodies.collect()));
        let answers = answer.expect("a store")["answers"].as_array().expect("answers").clone();
        [answers.iter().map(result_of).collect()]
    });
    "store"
}

/// Refused operations of the owner. The other folders of `errors` need other callers, raw texts or
/// HTTP, which the component does not have.
fn errors(transcript: &Transcript) -> &'static str {
    vectors::run(shape("errors/store"), |case| {
        let operations = list(&case["before"]).iter().chain([&case["operation"]]);
        let bodies = operations
            .map(|operation| json_text(&json!({"transaction": false, "operations": [operation]})));
        let answer = transcript.call("errors", &case["title"], &Call::Store(bodies.collect()));
        let answers = answer.expect("a store")["answers"].as_array().expect("answers").clone();
        [result_of(answers.last().expect("an answer"))]
    });
    "errors"
}

/// The result of the one operation of a batch.
fn result_of(answer: &Value) -> Value {
    let mut body = canonical(&answer["ok"][0]);
    let mut result = body["results"][0].take();
    // Vectors say where in the operation; an answer says where in the batch.
    let place = result["pointer"].as_str().unwrap_or_default();
    if let Some(place) = place.strip_prefix("/operations/0") {
        result["pointer"] = place.into();
    }
    result
}

fn lint(transcript: &Transcript) -> &'static str {
    vectors::run(shape("lint"), |case| {
        let contexts = list(&case["layers"]).iter().map(|layer| {
            let level = match layer["level"].as_str() {
                Some("global") => Level::Global,
                Some("project") => Level::Project,
                Some("branch") => Level::Branch,
                _ => Level::Task,
            };
            let address = Address { level, id: layer["id"].as_str().expect("an id").into() };
            let parent = layer["parent"].as_str().map(String::from);
            Context {
                address,
                parent,
                data: json_text(&layer["data"]),
                rules: Some(json_text(&layer["rules"])),
            }
        });
        let call = Call::Check(contexts.collect());
        [transcript.call("lint", &case["title"], &call).expect("findings")]
    });
    "lint"
}

/// Exports that open give themselves again.
fn open(transcript: &Transcript) -> &'static str {
    vectors::run(shape("open"), |case| {
        let lines = list(&case["lines"]).iter();
        let line = |line: &Value| line.as_str().map_or_else(|| line.to_string(), String::from);
        let lines: Vec<String> = lines.map(line).collect();
        let lines = lines.join("\n");
        match transcript.call("open", &case["title"], &Call::Open(lines)) {
            Ok(_) => [Value::Null],
            Err(error) => {
                let document: Value = serde_json::from_str(&error.document).expect("JSON");
                let mut told = told(&error);
                told["line"] = document["failed_operation"].clone();
                [told]
            }
        }
    });
    "open"
}

fn shape(topic: &str) -> &'static Shape {
    &Topic::of(topic).expect("a topic").shape
}

fn json_text(value: &Value) -> String {
    value.to_string()
}

/// An answer's document, which has to be canonical.
fn canonical(answer: &Value) -> Value {
    let text = text(answer);
    let value = json::read(text.as_bytes(), 128).expect("JSON");
    assert_eq!(json::write(&value), text.as_bytes(), "an answer is not canonical");
    serde_json::from_str(text).expect("JSON")
}

fn edited(answer: &Answer) -> [Value; 2] {
    [answer.as_ref().map_or(Value::Null, canonical), refusal(answer)]
}

fn refusal(answer: &Answer) -> Value {
    answer.as_ref().err().map_or(Value::Null, told)
}

fn told(error: &Error) -> Value {
    json!({"code": error.code, "detail": error.detail, "pointer": error.pointer})
}

/// The error of a batch's first operation, with its place in the operation.
fn in_batch(error: &Value) -> Value {
    let place = error["pointer"].as_str().and_then(|place| place.strip_prefix("/operations/0"));
    json!({"code": error["code"], "detail": error["detail"], "pointer": place})
}

fn as_expected<const N: usize>(case: &Case, names: [&str; N]) -> [Value; N] {
    names.map(|name| case[name].clone())
}
