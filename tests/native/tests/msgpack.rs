//! MessagePack: the third-party suite, and properties.

use nacre_core::{json, limits, number::Number, value::Value};
use nacre_msgpack as msgpack;
use nacre_tests::{arbitrary, shared_gz};
use nacre_topics::hex;
use proptest::prelude::*;

/// kawanet/msgpack-test-suite: what has a form in JSON reads from every encoding; binary,
/// timestamps and extensions are refused.
#[test]
fn the_msgpack_test_suite() {
    let Some(suite) = shared_gz("vectors/msgpack-test-suite.json.gz") else { return };
    let suite: serde_json::Value = serde_json::from_slice(&suite).expect("JSON");
    let (mut accepted, mut refused) = (0, 0);
    for case in suite.as_object().expect("groups").values().flat_map(|group| group.as_array()) {
        for case in case {
            let expected = expected(case);
            for encoding in case["msgpack"].as_array().expect("encodings") {
                let encoding = encoding.as_str().expect("hex");
                let read = msgpack::read(&hex(encoding), limits::DEPTH);
                let Some(expected) = &expected else {
                    assert!(read.is_err(), "{encoding}");
                    refused += 1;
                    continue;
                };
                let value = read.unwrap_or_else(|error| panic!("{encoding}: {error}"));
                assert_eq!(value, *expected, "{encoding}");
                let again = msgpack::read(&msgpack::write(&value), limits::DEPTH);
                assert_eq!(again.expect("our own bytes"), value);
                accepted += 1;
            }
            if let Some(expected) = &expected {
                // Ours is the shortest, except that no single (`ca`) is written.
                let encodings = case["msgpack"].as_array().expect("encodings").iter();
                let encodings = encodings.map(|encoding| hex(encoding.as_str().expect("hex")));
                let best =
                    encodings.filter(|bytes| bytes[0] != 0xca).map(|bytes| bytes.len()).min();
                assert_eq!(Some(msgpack::write(expected).len()), best, "{case}");
            }
        }
    }
    assert_eq!((accepted, refused), (194, 39));
}

/// The value a case stands for; `None` where it has no form in JSON.
fn expected(case: &serde_json::Value) -> Option<Value> {
    // `bignum` is exact; `number` beside it may have been rounded.
    if let Some(exact) = case["bignum"].as_str() {
        return Some(Number::parse(exact).expect("a 64-bit integer").into());
    }
    let kinds = ["nil", "bool", "number", "string", "array", "map"];
    let value = kinds.iter().find_map(|kind| case.get(*kind))?;
    Some(json::read(value.to_string().as_bytes(), limits::DEPTH).expect("our kind of JSON"))
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn reading_undoes_writing(value in arbitrary::value()) {
        let bytes = msgpack::write(&value);
        prop_assert_eq!(msgpack::read(&bytes, value.depth()).expect("our own bytes"), value);
    }

    /// Whatever bytes come, reading ends, and what it takes it can write and read again.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = msgpack::read(&bytes, limits::DEPTH) {
            prop_assert_eq!(msgpack::read(&msgpack::write(&value), limits::DEPTH).expect("ours"), value);
        }
    }

    #[test]
    fn every_cut_is_refused(value in arbitrary::value(), cut in any::<prop::sample::Index>()) {
        let bytes = msgpack::write(&value);
        let cut = cut.index(bytes.len());
        prop_assert!(msgpack::read(&bytes[..cut], limits::DEPTH).is_err());
    }
}
