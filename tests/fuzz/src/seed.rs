//! Where the fuzzer starts: the vectors, told to each target in its own way.

use std::{fs, path::Path};

use nacre_core::{
    address::Address,
    json, limits,
    op::Expect,
    pointer::Pointer,
    record::EntryKind,
    row::Row,
    value::{Object, Value},
    wire::{
        operation::BatchBody,
        request::{self, PutBody},
    },
};

use crate::{tape::Recorder, world::World};

/// Bodies that ask for everything a batch can do.
const BODIES: [&str; 6] = [
    r#"{"operations":[{"action":"create","level":"task","context_id":"u","parent":"c","create_parents":true,"data":{"a":1},"rules":{"/a":"lock"},"summary":"s","idempotency_key":"k"},{"action":"update","level":"task","context_id":"t","patch":{"a":{"b":null}},"expect_version":1},{"action":"append","level":"task","context_id":"t","pointer":"/l","values":[1]},{"action":"unset","level":"task","context_id":"t","pointers":["/x/y"]},{"action":"rollback","level":"task","context_id":"t","version":1},{"action":"move","level":"task","context_id":"t","parent":"c"}]}"#,
    r#"{"transaction":false,"operations":[{"action":"delete","level":"project","context_id":"default","cascade":true},{"action":"restore","level":"project","context_id":"default"},{"action":"put","level":"global","context_id":"global","data":{"token":{"$sealed":"f1.x"}}},{"action":"add_insight","level":"task","context_id":"t","content":"c","category":"d","importance":0.5,"agent":"e"},{"action":"add_progress","level":"task","context_id":"t","content":"c"},{"action":"get","level":"task","context_id":"t","at":1,"reveal":true},{"action":"resolve","level":"task","context_id":"t","path":"/a","explain":true,"at":"2026-01-01T00:00:00Z"}]}"#,
    r#"{"operations":[{"action":"update","level":"task","context_id":"t","patch":[{"op":"test","path":"/a/b/0","value":1},{"op":"move","from":"/a","path":"/c"},{"op":"copy","from":"/c","path":"/d"},{"op":"replace","path":"","value":{}}]}]}"#,
    r#"{"patch":{"a":null}}"#,
    r#"{"content":"c","category":"d","importance":1}"#,
    "{\"data\":{\"password\":{\"p\":1}},\"level\":\"branch\",\"id\":\"b\",\"parent\":\"default\"}\n{\"level\":\"task\",\"id\":\"t\",\"parent\":\"b\",\"data\":{},\"rules\":{\"\":\"replace\"}}",
];

pub(crate) fn json() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = cases("json")
        .iter()
        .map(|case| match text(case, "encoding") {
            "hex" => hex(text(case, "input")),
            _ => text(case, "input").into(),
        })
        .collect();
    for (topic, member) in [("merge-patch", "target"), ("append", "document"), ("diff", "to")] {
        seeds.extend(cases(topic).iter().filter_map(|case| Some(json::write(case.get(member)?))));
    }
    seeds
}

pub(crate) fn msgpack() -> Vec<Vec<u8>> {
    cases("msgpack").iter().map(|case| hex(text(case, "input"))).collect()
}

pub(crate) fn pointers() -> Vec<Vec<u8>> {
    cases("pointer").iter().map(|case| text(case, "pointer").into()).collect()
}

pub(crate) fn merge_patches() -> Vec<Vec<u8>> {
    tapes("merge-patch", |tape, case| {
        tape.value(case.get("target")?);
        tape.value(case.get("patch")?);
        Some(())
    })
}

pub(crate) fn json_patches() -> Vec<Vec<u8>> {
    tapes("json-patch", |tape, case| {
        tape.value(case.get("document")?);
        tape.byte(0);
        for operation in case.get("patch")?.as_array()? {
            let operation = operation.as_object()?;
            let names = ["add", "remove", "replace", "move", "copy", "test"];
            let name = operation.get("op")?.as_str()?;
            let choice = names.iter().position(|known| *known == name)?;
            tape.byte(choice as u8);
            tape.pointer(&pointer(operation.get("path")?)?);
            match choice {
                1 => {}
                3 | 4 => tape.pointer(&pointer(operation.get("from")?)?),
                _ => {
                    if choice == 5 {
                        tape.byte(128);
                    }
                    tape.value(operation.get("value")?);
                }
            }
        }
        Some(())
    })
}

pub(crate) fn edits() -> Vec<Vec<u8>> {
    let mut seeds = tapes("append", |tape, case| {
        tape.object(case.get("document")?.as_object()?);
        tape.pointer(&pointer(case.get("pointer")?)?);
        tape.byte(0);
        let values = case.get("values")?.as_array()?;
        tape.byte(values.len() as u8);
        values.iter().for_each(|value| tape.value(value));
        Some(())
    });
    seeds.extend(tapes("unset", |tape, case| {
        tape.object(case.get("document")?.as_object()?);
        tape.pointer(&pointer(case.get("pointers")?.as_array()?.first()?)?);
        tape.byte(128);
        Some(())
    }));
    seeds
}

pub(crate) fn chains() -> Vec<Vec<u8>> {
    tapes("resolve", |tape, case| {
        let layers = case.get("layers")?.as_array()?;
        tape.byte(0xf0 | (layers.len() as u8 - 1));
        for layer in layers {
            let layer = layer.as_object()?;
            tape.object(layer.get("data")?.as_object()?);
            let rules = layer.get("rules")?.as_object()?;
            tape.byte(rules.len().min(4) as u8);
            for (path, rule) in rules.iter().take(4) {
                tape.pointer(&Pointer::parse(path).ok()?);
                let known = ["replace", "deep", "union", "append", "keyed:id", "keyed:a", "lock"];
                let rule = known.iter().position(|known| Some(*known) == rule.as_str());
                tape.byte(rule.unwrap_or(4) as u8);
            }
        }
        Some(())
    })
}

/// Rows of every table, as a store writes them.
pub(crate) fn rows() -> Vec<Vec<u8>> {
    let mut world = World::default();
    let task = Address::parse("task", "t").expect("an address");
    let put = r#"{"data":{"a":{"b":[1]}},"parent":"b","rules":{"/a":"lock"},"summary":"s"}"#;
    let put = json::read(put.as_bytes(), limits::DEPTH)
        .and_then(request::decode::<PutBody>)
        .and_then(|body| body.into_edit(task.clone(), true, Expect::Anything));
    world.ask(put.expect("a body"), None).expect("a context");
    for body in BODIES {
        let body = json::read(body.as_bytes(), limits::DEPTH + 4).and_then(request::decode);
        if let Ok(op) = body.and_then(BatchBody::into_batch) {
            let _ = world.ask(op, None);
        }
    }
    let store = world.store();
    let mut seeds = Vec::new();
    let mut add = |table: u8, row: nacre_core::error::Result<Vec<u8>>| {
        seeds.push([vec![table], row.expect("a row has bytes")].concat());
    };
    let all = nacre_core::store::Filter::default();
    for context in store.list(&all, None, usize::MAX).expect("memory") {
        let address = &context.address;
        let record = store.record(address).expect("memory").expect("a listed context");
        add(0, record.encode());
        for version in store.versions_from(address, 1, usize::MAX).expect("memory") {
            add(1, version.encode());
        }
        for kind in [EntryKind::Insight, EntryKind::Progress] {
            for entry in store.entries(address, kind, None, usize::MAX).expect("memory") {
                add(2, entry.encode());
            }
        }
    }
    for commit in store.audit(None, usize::MAX).expect("memory") {
        add(5, commit.encode());
    }
    seeds.push(b"\x03\x01\x01".to_vec());
    seeds.push([b"\x04\x01\x03bob\x03key".as_slice(), &[0; 32], b"answer"].concat());
    seeds.push(b"\x06\x01\x00\xc8\0\0\0\0\0\0\0\x01\0\x04\0\x02\"v1\"/x{}".to_vec());
    seeds.push([b"\x07\x01\x01\0\x01".as_slice(), &[0; 40]].concat());
    seeds
}

pub(crate) fn bodies() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = BODIES.iter().map(|body| (*body).into()).collect();
    seeds.extend(cases("live").iter().filter_map(|case| {
        let message = case.get("messages")?.as_array()?.last()?;
        Some(json::write(message))
    }));
    seeds.extend(cases("resolve").iter().filter_map(|case| {
        let layer = case.get("layers")?.as_array()?.first()?;
        Some(json::write(layer))
    }));
    seeds
}

/// Exports: the lines of the vectors, as they stand or as they are written.
pub(crate) fn exports() -> Vec<Vec<u8>> {
    let line = |line: &Value| match line {
        Value::String(text) => text.clone().into_bytes(),
        other => json::write(other),
    };
    cases("open")
        .iter()
        .filter_map(|case| {
            let lines: Vec<_> = case.get("lines")?.as_array()?.iter().map(line).collect();
            Some(lines.join(&b'\n'))
        })
        .collect()
}

/// Histories: a context at the start, and then every kind of request.
pub(crate) fn requests() -> Vec<Vec<u8>> {
    let put = |address: u8, data: &str| {
        let mut tape = Recorder::default();
        tape.byte(0);
        tape.byte(address);
        let data = json::read(data.as_bytes(), limits::DEPTH).expect("JSON");
        tape.object(data.as_object().expect("an object"));
        let mut tape = tape.finish();
        // Parent, no rules, with parents, anything expected.
        tape.extend(if address % 8 > 2 { &[0, 0, 0, 0][..] } else { &[0, 0, 0] });
        tape
    };
    let start = [
        put(0, r#"{"a":{"b":1,"c":[1,2]},"token":"x"}"#),
        put(5, r#"{"a":{"b":null},"m":{"id":1}}"#),
        put(5, r#"{"a":{"b":2,"c":[1,2,3]}}"#),
    ]
    .concat();
    (0..32u8).map(|choice| [&start[..], &[choice, 5], &[1; 24]].concat()).collect()
}

/// The cases of a topic that can be told as a tape.
fn tapes(topic: &str, tell: impl Fn(&mut Recorder, &Object) -> Option<()>) -> Vec<Vec<u8>> {
    let tape = |case: &Object| {
        let mut tape = Recorder::default();
        tell(&mut tape, case)?;
        Some(tape.finish())
    };
    cases(topic).iter().filter_map(tape).collect()
}

fn cases(topic: &str) -> Vec<Object> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(topic);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            match json::read(&text, 2 * limits::DEPTH) {
                Ok(Value::Object(case)) => case,
                _ => panic!("{} is no case", path.display()),
            }
        })
        .collect()
}

fn text<'c>(case: &'c Object, member: &str) -> &'c str {
    case.get(member).and_then(Value::as_str).unwrap_or_else(|| panic!("a case without {member}"))
}

fn pointer(value: &Value) -> Option<Pointer> {
    Pointer::parse(value.as_str()?).ok()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let pair = str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hex digits")
    };
    digits.chunks(2).map(byte).collect()
}

/// Messages of the Model Context Protocol, and frames of the store.
pub fn messages() -> Vec<Vec<u8>> {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let request = |method: &str, params: &str| {
        [
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","id":"a","method":"{method}","params":{{{params},{meta}}}}}"#
            ),
        ]
    };
    let context = r#""uri":"nacre://contexts/task/t""#;
    let requests = [
        request("initialize", r#""protocolVersion":"2025-06-18""#),
        request("tools/call", r#""name":"resolve_context","arguments":"{\"id\":\"t\"}""#),
        request("resources/list", r#""cursor":"MWxicmFuY2gvYg""#),
        request("resources/read", context),
        request("resources/read", r#""uri":"nacre://start""#),
        request("resources/subscribe", context),
        request("prompts/get", r#""name":"hand_over_task","arguments":{"level":"task","id":"t"}"#),
        request(
            "completion/complete",
            r#""ref":{"type":"ref/prompt","name":"record_decision"},"argument":{"name":"id","value":"t"}"#,
        ),
        request(
            "subscriptions/listen",
            r#""notifications":{"resourcesListChanged":true,"resourceSubscriptions":["nacre://views/task/t"]}"#,
        ),
    ];
    let others = [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"id":"list","type":"change","action":"create"}"#,
        r#"{"items":[{"level":"task","id":"t","updated_at":"2026-01-01T00:00:00Z"}],"next_cursor":"x"}"#,
    ];
    let requests = requests.into_iter().flatten().map(String::into_bytes);
    requests.chain(others.map(|text| text.as_bytes().to_vec())).collect()
}
