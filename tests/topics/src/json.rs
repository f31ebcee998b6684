//! Reading JSON, and writing it in its canonical form.

use nacre_core::json;

use crate::{Case, Json, Topic, error, hex, text};

pub(crate) const TOPIC: Topic =
    Topic::new("json", &["encoding", "input", "max_depth"], &["canonical", "error"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let input = text(&case["input"]);
    let bytes = match text(&case["encoding"]) {
        "text" => input.as_bytes().to_vec(),
        "hex" => hex(input),
        other => panic!("no encoding {other}"),
    };
    let max_depth = case["max_depth"].as_u64().expect("a depth") as usize;
    let read = json::read(&bytes, max_depth);
    let canonical = read.as_ref().ok().map(|value| {
        let text = json::write(value);
        assert_eq!(json::length(value), text.len());
        String::from_utf8(text).expect("JSON is UTF-8")
    });
    vec![canonical.into(), error(&read)]
}
