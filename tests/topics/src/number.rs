//! Doubles as canonical text.

use nacre_core::{json, number::Number, value::Value};

use crate::{Case, Json, Topic, text};

pub(crate) const TOPIC: Topic = Topic::new("number", &["bits"], &["text"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let bits = u64::from_str_radix(text(&case["bits"]), 16).expect("16 hex digits");
    let number = Number::from_f64(f64::from_bits(bits));
    let text = number.map(|number| json::write(&Value::from(number)));
    vec![text.map(|text| String::from_utf8(text).expect("digits")).into()]
}
