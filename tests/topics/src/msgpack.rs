//! Reading MessagePack, and writing it in its shortest form.

use nacre_core::json;
use nacre_msgpack as msgpack;

use crate::{Case, Json, Topic, error, hex, text, to_hex};

pub(crate) const TOPIC: Topic =
    Topic::new("msgpack", &["input", "max_depth"], &["json", "written", "error"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let max_depth = case["max_depth"].as_u64().expect("a depth") as usize;
    let read = msgpack::read(&hex(text(&case["input"])), max_depth);
    let value = read.as_ref().ok();
    let json = value.map(|value| String::from_utf8(json::write(value)).expect("UTF-8"));
    vec![json.into(), value.map(|value| to_hex(&msgpack::write(value))).into(), error(&read)]
}
