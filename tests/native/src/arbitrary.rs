//! Made-up values for property tests: few names, so that two values often meet, and every kind of
//! number and string.

use nacre_core::{
    number::Number,
    value::{Object, Value},
};
use proptest::{collection::vec, prelude::*};

/// How property tests run: a failure is printed to become a vector, not kept in a file of seeds.
pub fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// A member's name: mostly one of a few, which include every class of the UTF-16 order.
pub fn name() -> impl Strategy<Value = String> {
    let few = ["a", "b", "c", "", "~1", "/", "0", "-", "é", "\u{e000}", "\u{ffff}", "\u{1f600}"];
    prop_oneof![
        8 => proptest::sample::select(Vec::from(few)).prop_map(String::from),
        1 => any::<String>(),
    ]
}

/// A number of any kind, with the edges of the kinds.
pub fn number() -> impl Strategy<Value = Number> {
    let edges = [
        0,
        1,
        (1 << 53) - 1,
        (1 << 53) + 1,
        i64::MAX as u64,
        i64::MAX as u64 + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    let powers = -350..350i32;
    prop_oneof![
        any::<u64>().prop_map(Number::from),
        any::<i64>().prop_map(Number::from),
        (-9i64..9).prop_map(Number::from),
        proptest::sample::select(Vec::from(edges)).prop_map(Number::from),
        any::<f64>().prop_filter_map("finite", Number::from_f64),
        (any::<i32>(), powers)
            .prop_filter_map("finite", |(d, e)| Number::parse(&format!("{d}e{e}")).ok()),
    ]
}

/// A value of at most six levels and about sixty values.
pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => number().prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        1 => name().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => object_of(inner).prop_map(Value::from),
        ]
    })
}

/// An object, as the data of a context is.
pub fn object() -> impl Strategy<Value = Object> {
    object_of(value())
}

fn object_of(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Object> {
    vec((name(), values), 0..8).prop_map(|members| {
        let mut object = Object::new();
        for (name, value) in members {
            object.insert(name, value);
        }
        object
    })
}
