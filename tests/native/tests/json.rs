//! JSON, numbers and pointers: the JCS pairs, and properties.

use nacre_core::{
    error::Code,
    json, limits,
    number::Number,
    pointer::Pointer,
    value::{Object, Value, compare_names, decode, decode_known, encode},
};
use nacre_tests::{arbitrary, shared};
use nacre_topics::{from_serde, to_serde};
use proptest::prelude::*;

/// RFC 8785: the pairs of its author.
#[test]
fn jcs_pairs() {
    for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
        let folder = "vectors/jcs";
        let Some(input) = shared(&format!("{folder}/{name}.input.json")) else { return };
        let output = shared(&format!("{folder}/{name}.output.json")).expect("the other half");
        let value = json::read(&input, limits::DEPTH).expect("a JSON document");
        assert_eq!(json::write(&value), output, "{name}");
    }
}

#[test]
fn a_body_of_too_many_values_is_refused() {
    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1)).into_bytes();
    assert!(json::read(&zeros(limits::VALUES - 1), 1).is_ok());
    let error = json::read(&zeros(limits::VALUES), 1).expect_err("one too many");
    assert_eq!((error.code(), error.limit_value()), (Code::TooLarge, Some(1 << 19)));
}

#[test]
fn no_refusal_quotes_the_input() {
    for text in [
        r#"{"hunter2":hunter2}"#,
        r#"["hunter2\q"]"#,
        r#"{"a":"hunter2","b":hunter2"#,
        "[123456789012345678901234567890]",
        "\"hunter2\u{1}\"",
    ] {
        let error = json::read(text.as_bytes(), 8).expect_err("malformed");
        assert!(!error.detail().contains("hunter"), "{error}");
        assert!(!error.detail().contains("1234"), "{error}");
    }
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    list: Vec<Part>,
    any: Value,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    Empty,
    Number(i64),
    Pair(i64, f64),
    Named { name: String },
}

#[test]
fn a_wire_type_names_the_place_that_does_not_fit() {
    let decode_text =
        |text: &str| decode::<Wire>(json::read(text.as_bytes(), 8).expect("well-formed"));
    let wire = Wire {
        text: "x".into(),
        count: Some(u64::MAX),
        list: vec![
            Part::Empty,
            Part::Number(i64::MIN),
            Part::Pair(-1, 0.5),
            Part::Named { name: "n".into() },
        ],
        any: json::read(br#"{"k":[null,18446744073709551615,-9223372036854775808]}"#, 8).unwrap(),
    };
    let encoded = encode(&wire).expect("encodable");
    assert_eq!(decode::<Wire>(encoded).expect("decodable"), wire);

    let cases = [
        (r#"[]"#, "", "this must be an object, not an array"),
        (r#"{"text":"","list":[]}"#, "", "the member `any` is required"),
        (r#"{"text":"","a/b":"hunter2","list":[],"any":1}"#, "/a~1b", "unknown member"),
        (r#"{"text":5,"list":[],"any":1}"#, "/text", "this must be a string, not a number"),
        (r#"{"text":"","count":"hunter2","list":[],"any":1}"#, "/count", "not a string"),
        (r#"{"text":"","count":-1,"list":[],"any":1}"#, "/count", "an integer from 0"),
        (r#"{"text":"","list":["hunter2"],"any":1}"#, "/list/0", "this must be one of"),
        (
            r#"{"text":"","list":["empty",{"number":"hunter2"}],"any":1}"#,
            "/list/1/number",
            "an integer",
        ),
        (r#"{"text":"","list":[{"pair":[1,2,3]}],"any":1}"#, "/list/0/pair", "too many elements"),
        (r#"{"text":"","list":[{"pair":[1]}],"any":1}"#, "/list/0/pair", "this must be"),
        (
            r#"{"text":"","list":[{"named":{"name":"","hunter2":1}}],"any":1}"#,
            "/list/0/named/hunter2",
            "unknown member",
        ),
        (r#"{"text":"","list":["number"],"any":1}"#, "/list/0", "not a string"),
        (r#"{"text":"","list":[{"empty":1}],"any":1}"#, "/list/0", "not an object"),
        (r#"{"text":"","list":[{"empty":1,"number":1}],"any":1}"#, "/list/0", "one member"),
        (
            r#"{"text":"","list":[{"number":9223372036854775808}],"any":1}"#,
            "/list/0/number",
            "an integer",
        ),
    ];
    for (text, pointer, detail) in cases {
        let error = decode_text(text).expect_err(text);
        assert_eq!(error.code(), Code::InvalidRequest);
        assert_eq!(error.pointer(), Some(pointer), "{text}");
        assert!(error.detail().contains(detail), "{text}: {error}");
        assert!(!error.detail().contains("hunter2"), "{error}");
    }
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Name(String);

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Fields {
    name: Name,
    part: Part,
    optional: Option<u64>,
    any: Option<Value>,
    #[serde(skip)]
    skipped: u8,
    #[serde(default, rename = "passed")]
    _passed: serde::de::IgnoredAny,
    #[serde(default)]
    small: Option<u8>,
}

fn parsed(text: &str) -> Value {
    json::read(text.as_bytes(), 8).expect("well-formed")
}

fn least() -> Fields {
    Fields {
        name: Name("n".into()),
        part: Part::Empty,
        optional: None,
        any: None,
        skipped: 0,
        _passed: serde::de::IgnoredAny,
        small: None,
    }
}

#[test]
fn members_that_are_not_there_are_nothing_or_missing() {
    let cases = [
        (r#"{"name":"n","part":"empty"}"#, least()),
        (r#"{"name":"n","part":"empty","optional":null,"any":null,"small":null}"#, least()),
        (r#"{"name":"n","part":"empty","passed":{"a":[1,{"b":null}]}}"#, least()),
        (
            r#"{"small":8,"part":{"pair":[1,2]},"optional":1,"name":"n","any":0}"#,
            Fields {
                part: Part::Pair(1, 2.0),
                optional: Some(1),
                any: Some(Value::from(0u64)),
                small: Some(8),
                ..least()
            },
        ),
    ];
    for (text, fields) in cases {
        assert_eq!(decode::<Fields>(parsed(text)), Ok(fields), "{text}");
    }

    let byte = "this must be an integer from 0 to 255";
    let integer = "this must be an integer from 0 to 18446744073709551615, not a number";
    let cases = [
        (r#"{}"#, "", "the member `name` is required"),
        (r#"{"part":"empty"}"#, "", "the member `name` is required"),
        (r#"{"name":"n"}"#, "", "the member `part` is required"),
        (r#"{"name":"n","part":{"named":{}}}"#, "/part/named", "the member `name` is required"),
        (r#"{"name":null}"#, "/name", "this must be a string, not null"),
        (r#"{"name":"n","part":"empty","optional":0.5}"#, "/optional", integer),
        (r#"{"name":"n","part":"empty","small":256}"#, "/small", byte),
    ];
    for (text, pointer, detail) in cases {
        let error = decode::<Fields>(parsed(text)).expect_err(text);
        assert_eq!((error.pointer(), error.detail()), (Some(pointer), detail), "{text}");
    }
}

#[test]
fn members_of_a_newer_version_are_refused_or_passed_over() {
    let text = r#"{"name":"n","newer":{"a":[null]},"part":{"named":{"name":"","newer":1}}}"#;
    let error = decode::<Fields>(parsed(text)).expect_err("unknown");
    assert_eq!(error.pointer(), Some("/newer"));
    let possible = "name, part, optional, any, passed, small";
    let detail = format!("unknown member; allowed: {possible}");
    assert_eq!(error.detail(), detail);

    // What one kind of decoding passes over, it passes over at every depth, whatever the type says.
    let fields = Fields { part: Part::Named { name: String::new() }, ..least() };
    assert_eq!(decode_known::<Fields>(parsed(text)), Ok(fields));
    let error = decode_known::<Fields>(parsed(r#"{"newer":1,"part":"empty"}"#));
    assert_eq!(error.expect_err("incomplete").detail(), "the member `name` is required");
    let error = decode_known::<Fields>(parsed(r#"{"name":"n","newer":1,"part":["hunter2"]}"#));
    assert_eq!(error.expect_err("an array").pointer(), Some("/part"));
}

#[test]
fn what_json_cannot_say_is_not_encoded() {
    assert_eq!(encode(&f64::NAN).expect_err("NaN").code(), Code::Internal);
    let map = std::collections::BTreeMap::from([(1, 2)]);
    assert_eq!(encode(&map).expect_err("a number as a name").code(), Code::Internal);
}

fn print(number: Number) -> String {
    let mut text = Vec::new();
    number.write(&mut text);
    String::from_utf8(text).expect("digits")
}

/// `Number::toString` of ECMAScript (ECMA-262 §6.1.6.1.20) over the digits that Rust finds.
fn ecmascript(float: f64) -> String {
    let sign = if float < 0.0 { "-" } else { "" };
    let scientific = format!("{:e}", float.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent");
    let digits = even_of_a_tie(float, mantissa.replace('.', ""));
    let (k, n) = (digits.len() as i32, exponent.parse::<i32>().expect("an integer") + 1);
    let zeros = |count: i32| "0".repeat(count as usize);
    let text = match n {
        _ if k <= n && n <= 21 => format!("{digits}{}", zeros(n - k)),
        1..=21 => format!("{}.{}", &digits[..n as usize], &digits[n as usize..]),
        -5..=0 => format!("0.{}{digits}", zeros(-n)),
        _ => {
            let point = if k > 1 { "." } else { "" };
            format!("{}{point}{}e{:+}", &digits[..1], &digits[1..], n - 1)
        }
    };
    format!("{sign}{text}")
}

/// Of two shortest texts that are equally near, ECMAScript takes the even one and Rust the larger.
fn even_of_a_tie(float: f64, digits: String) -> String {
    // No double has more significant digits.
    let exact = format!("{:.767e}", float.abs()).replace('.', "");
    let exact = exact.split('e').next().expect("a mantissa").trim_end_matches('0');
    match exact.strip_suffix('5') {
        Some(lower) if lower.len() == digits.len() && !lower.ends_with(ODD) => lower.to_owned(),
        _ => digits,
    }
}

const ODD: [char; 5] = ['1', '3', '5', '7', '9'];

/// The members of every object from first to last, to see that order survives.
fn sorted(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(sorted),
        Value::Object(object) => {
            let names: Vec<Vec<u16>> =
                object.iter().map(|(name, _)| name.encode_utf16().collect()).collect();
            names.is_sorted_by(|a, b| a < b) && object.iter().all(|(_, value)| sorted(value))
        }
        _ => true,
    }
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn reading_undoes_writing(value in arbitrary::value()) {
        let text = json::write(&value);
        prop_assert_eq!(json::length(&value), text.len());
        let read = json::read(&text, value.depth()).expect("canonical text");
        prop_assert!(sorted(&read));
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(json::write(&read), text);
        if value.depth() > 0 {
            let error = json::read(&json::write(&value), value.depth() - 1).expect_err("deeper");
            prop_assert_eq!(error.code(), Code::TooDeep);
        }
    }

    #[test]
    fn serde_json_reads_the_same(value in arbitrary::value()) {
        let text = json::write(&value);
        let theirs: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        prop_assert_eq!(encode(&theirs).expect("encodable"), value.clone());
        prop_assert_eq!(decode::<serde_json::Value>(value.clone()).expect("decodable"), theirs);
        prop_assert_eq!(serde_json::from_slice::<Value>(&text).expect("JSON"), value);
    }

    /// Whatever a broken document is taken for, serde_json takes it for the same; what only we
    /// refuse has one of our reasons.
    #[test]
    fn a_broken_document_is_read_as_serde_json_reads_it(
        value in arbitrary::value(),
        edits in proptest::collection::vec(
            (any::<prop::sample::Index>(), prop::sample::select(br#"{}[],:"\u0123dE+-.etfnl "#.to_vec())),
            0..4,
        ),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut text = json::write(&value);
        for (at, byte) in edits {
            let at = at.index(text.len());
            text[at] = byte;
        }
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len()));
        }
        let theirs = serde_json::from_slice::<serde_json::Value>(&text);
        match (json::read(&text, 100), theirs) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(to_serde(&ours), to_serde(&from_serde(&theirs))),
            (Ok(_), Err(error)) => prop_assert!(false, "only we accept it: {}", error),
            (Err(error), Ok(_)) => prop_assert!(
                error.detail().contains("same member twice") || error.detail().contains("64 bits"),
                "only we refuse it: {}", error
            ),
            (Err(_), Err(_)) => {}
        }
    }

    #[test]
    fn a_number_has_one_text(number in arbitrary::number()) {
        let text = print(number);
        let read = Number::parse(&text).expect("a canonical number");
        prop_assert_eq!(read, number);
        prop_assert_eq!(print(read), text);
    }

    /// A double that no 64-bit integer equals prints as ECMAScript and JCS have it.
    #[test]
    fn a_double_survives_its_text(float in any::<f64>()) {
        if let Some(number) = Number::from_f64(float) {
            let text = print(number);
            let back: f64 = text.parse().expect("a number");
            prop_assert_eq!(back, float);
            prop_assert_eq!(number.as_f64(), float);
            if let Number::Float(_) = number {
                prop_assert_eq!(text, ecmascript(float));
            }
        }
    }

    #[test]
    fn names_compare_as_utf16(a in arbitrary::name(), b in arbitrary::name(), c in any::<String>()) {
        let names = [a.clone() + &b, a + &c, b + &c, c];
        for a in &names {
            for b in &names {
                prop_assert_eq!(compare_names(a, b), a.encode_utf16().cmp(b.encode_utf16()));
            }
        }
    }

    #[test]
    fn an_object_is_a_map(edits in proptest::collection::vec((arbitrary::name(), any::<Option<u64>>()), 0..40)) {
        let mut object = Object::new();
        let mut map = std::collections::BTreeMap::new();
        for (name, value) in edits {
            let (ours, theirs) = match value {
                Some(value) => (object.insert(name.clone(), value.into()), map.insert(name.clone(), value)),
                None => (object.remove(&name), map.remove(&name)),
            };
            prop_assert_eq!(ours, theirs.map(Value::from));
            prop_assert_eq!(object.get(&name).cloned(), map.get(&name).copied().map(Value::from));
            prop_assert_eq!(object.len(), map.len());
        }
        prop_assert!(sorted(&Value::Object(object.clone())));
        let members: Vec<_> = object.into_iter().collect();
        prop_assert!(members.iter().all(|(name, value)| map.get(name).copied().map(Value::from).as_ref() == Some(value)));
        let reversed = members.iter().rev().cloned().collect();
        prop_assert!(Object::from_unsorted(reversed).expect("names once").into_iter().eq(members));
    }

    #[test]
    fn a_pointer_finds_what_it_was_made_for(value in arbitrary::value()) {
        fn walk(root: &Value, here: &Value, pointer: &mut Pointer) {
            let parsed = Pointer::parse(pointer.as_str()).expect("our own pointer");
            assert_eq!(parsed.get(root), Some(here));
            assert_eq!(Pointer::from_tokens(parsed.tokens().collect::<Vec<_>>().iter().map(|t| &**t)), parsed);
            match here {
                Value::Array(items) => for (i, item) in items.iter().enumerate() {
                    pointer.push_index(i);
                    walk(root, item, pointer);
                    pointer.pop();
                },
                Value::Object(object) => for (name, value) in object.iter() {
                    pointer.push(name);
                    walk(root, value, pointer);
                    pointer.pop();
                },
                _ => {}
            }
        }
        walk(&value, &value, &mut Pointer::root());
    }
}
