//! Reading and writing JSON and MessagePack, and indexing what was written.

use nacre_core::{
    error::Code, json, layer::Layer, limits, number::Number, pointer::Pointer, value::Value,
};
use nacre_msgpack as msgpack;

/// What is read can be written, and what was written is read as the same and written as the same.
/// Who accepts less than other readers still means what they mean.
pub fn json(bytes: &[u8]) {
    match json::read(bytes, limits::DEPTH) {
        Ok(value) => {
            let text = written(&value);
            let theirs: serde_json::Value =
                serde_json::from_slice(bytes).expect("what is read here is JSON");
            same(&value, &theirs);
            assert_eq!(msgpack::read(&msgpack::write(&value), limits::DEPTH).as_ref(), Ok(&value));
            indexed(&value, &text);
        }
        Err(error) => {
            let code = error.code();
            assert!(
                matches!(code, Code::InvalidJson | Code::TooDeep | Code::TooLarge),
                "refused as {code}"
            );
        }
    }
}

/// The same for MessagePack.
pub fn msgpack(bytes: &[u8]) {
    match msgpack::read(bytes, limits::DEPTH) {
        Ok(value) => {
            let packed = msgpack::write(&value);
            assert_eq!(msgpack::read(&packed, limits::DEPTH).as_ref(), Ok(&value));
            assert_eq!(msgpack::write(&value), packed);
            // All but floats of 32 bits are written in their shortest form.
            assert!(packed.len() <= 2 * bytes.len());
            written(&value);
        }
        Err(error) => {
            let code = error.code();
            assert!(
                matches!(code, Code::InvalidJson | Code::TooDeep | Code::TooLarge),
                "refused as {code}"
            );
        }
    }
}

/// Whatever stands where a layer's text should stand, indexing it ends, and so does walking what
/// was indexed.
pub fn layer(bytes: &[u8]) {
    let Ok(layer) = Layer::from_canonical(bytes.to_vec()) else { return };
    assert_eq!(layer.text(), bytes);
    super::resolve::walks(&[&layer, &Layer::empty(), &layer]);
    // Numbers and strings are taken on trust; where that was justified, all laws hold.
    if let Ok(value) = json::read(bytes, limits::DEPTH)
        && json::write(&value) == bytes
    {
        indexed(&value, bytes);
    }
}

/// Text and pointers: one form for each list of tokens.
pub fn pointer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pointer) = Pointer::parse(text) else { return };
    assert_eq!(pointer.as_str(), text);
    let tokens: Vec<_> = pointer.tokens().collect();
    assert_eq!(tokens.len(), pointer.len());
    assert_eq!(Pointer::from_tokens(tokens.iter().map(|token| &**token)), pointer);
    let mut built = Pointer::root();
    for token in &tokens {
        let above = built.clone();
        built.push(token);
        assert!(built.starts_with(&above) && !above.starts_with(&built));
        assert_eq!(above.join(&built.strip_prefix(&above).expect("it is below")), built);
        let (parent, last) = built.split_last().expect("it has a token");
        assert_eq!((&parent, &last), (&above, token));
    }
    assert_eq!(built, pointer);
    // A document made for the pointer holds something there, and nothing deeper.
    if tokens.len() < limits::DEPTH {
        let document = tokens.iter().rev().fold(Value::Bool(true), |value, token| {
            let mut object = nacre_core::value::Object::new();
            object.insert(&**token, value);
            Value::Object(object)
        });
        assert_eq!(pointer.get(&document), Some(&Value::Bool(true)));
        assert_eq!(pointer.child("x").get(&document), None);
    }
}

/// Canonical text, having checked that it is.
fn written(value: &Value) -> Vec<u8> {
    let text = json::write(value);
    assert_eq!(text.len(), json::length(value));
    let again = json::read(&text, limits::DEPTH).expect("what was written can be read");
    assert_eq!(&again, value);
    assert_eq!(json::write(&again), text);
    assert!(value.depth() <= limits::DEPTH);
    text
}

/// A layer of the value holds it, whole and in parts.
fn indexed(value: &Value, text: &[u8]) {
    let layer = Layer::from_value(value);
    if !matches!(value, Value::Object(_)) || value.sealed().is_some() {
        assert_eq!(layer.expect_err("no document").code(), Code::InvalidRequest);
        return;
    }
    let layer = layer.expect("an object within the limits is a layer");
    assert_eq!(layer.text(), text);
    assert_eq!(layer.to_value().as_ref(), Ok(value));
    assert_eq!(Layer::from_canonical(text.to_vec()).expect("the same text").hash(), layer.hash());
    parts(value, &layer, &mut Pointer::root());
}

fn parts(value: &Value, layer: &Layer, at: &mut Pointer) {
    assert_eq!(layer.get(at), Some(&json::write(value)[..]), "at {at}");
    // A sealed value is opaque.
    if value.sealed().is_some() && !at.is_root() {
        return;
    }
    match value {
        Value::Object(object) => {
            for (name, value) in object.iter() {
                at.push(name);
                parts(value, layer, at);
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                at.push_index(index);
                parts(value, layer, at);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Whether another reader understood the same.
fn same(ours: &Value, theirs: &serde_json::Value) {
    use serde_json::Value as Theirs;
    match (ours, theirs) {
        (Value::Null, Theirs::Null) => {}
        (Value::Bool(a), Theirs::Bool(b)) => assert_eq!(a, b),
        (Value::String(a), Theirs::String(b)) => assert_eq!(a, b),
        (Value::Number(a), Theirs::Number(b)) => match a {
            Number::Unsigned(a) if b.is_u64() => assert_eq!(Some(*a), b.as_u64()),
            Number::Signed(a) if b.is_i64() => assert_eq!(Some(*a), b.as_i64()),
            _ => assert_eq!(Some(a.as_f64()), b.as_f64()),
        },
        (Value::Array(a), Theirs::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| same(a, b));
        }
        (Value::Object(a), Theirs::Object(b)) => {
            assert_eq!(a.len(), b.len());
            for (name, value) in a.iter() {
                same(value, &b[name]);
            }
        }
        _ => panic!("{} here, something else there", ours.kind()),
    }
}
