//! Edits: merge patch, JSON Patch, append and unset, against naive and foreign implementations.

use nacre_core::{
    error::Code,
    json, limits,
    patch::{JsonPatch, Operation, append, merge_patch, unset},
    value::{Object, Value},
};

use crate::tape::{Tape, markers_alone};

/// A merge patch does what RFC 7396 says in six lines, with sealed values as scalars.
pub fn merge(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let (mut target, patch) = (tape.value(), tape.value());
    markers_alone(&mut target);
    let mut edited = target.clone();
    merge_patch(&mut edited, patch.clone());
    assert_eq!(edited, naive_merge(Some(target), patch.clone(), true));
    // Again changes nothing.
    let mut again = edited.clone();
    merge_patch(&mut again, patch);
    assert_eq!(again, edited);
}

/// RFC 7396 §2, but for sealed values.
pub(crate) fn naive_merge(target: Option<Value>, patch: Value, root: bool) -> Value {
    if !root && patch.sealed().is_some() {
        return patch;
    }
    let Value::Object(patch) = patch else { return patch };
    let mut object = match target {
        Some(Value::Object(object)) if root || Value::Object(object.clone()).sealed().is_none() => {
            object
        }
        _ => Object::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            object.remove(&name);
        } else {
            let before = object.remove(&name);
            object.insert(name, naive_merge(before, value, false));
        }
    }
    Value::Object(object)
}

/// A JSON Patch happens whole or not at all, prints as what it was read from, stays within the
/// limits, and does what another implementation does.
pub fn json_patch(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let target = tape.value();
    if target.depth() > limits::DEPTH {
        return;
    }
    // Any value may claim to be a patch.
    if tape.byte() == 255 {
        if let Err(error) = JsonPatch::parse(tape.value()) {
            assert!(matches!(error.code(), Code::InvalidRequest | Code::InvalidPointer));
        }
        return;
    }
    let mut so_far = target.clone();
    let mut operations = Vec::new();
    let mut failed = None;
    while !tape.is_done() && operations.len() < 32 {
        let operation = operation(&mut tape, &so_far);
        let Some(operation) = parsed(&operation) else { continue };
        operations.push(operation.clone());
        let before = so_far.clone();
        let alone = JsonPatch { operations: vec![operation] };
        if let Err(error) = alone.apply(&mut so_far) {
            assert_eq!(so_far, before, "a failed patch has changed something");
            assert!(
                matches!(error.code(), Code::MergeConflict | Code::TooDeep | Code::TooLarge),
                "{error}"
            );
            failed = Some(error.code());
            break;
        }
        assert!(so_far.depth() <= limits::DEPTH);
    }
    let patch = JsonPatch { operations };
    assert_eq!(JsonPatch::parse(patch.to_value()).as_ref(), Ok(&patch));
    let mut whole = target.clone();
    match (patch.apply(&mut whole), failed) {
        (Ok(()), None) => assert_eq!(whole, so_far),
        (Err(error), Some(code)) => {
            assert_eq!(error.code(), code);
            assert_eq!(whole, target, "a failed patch has changed something");
        }
        (outcome, failed) => panic!("together {outcome:?}, one by one {failed:?}"),
    }
    as_others_do(&target, &patch, failed, &so_far);
}

fn operation(tape: &mut Tape<'_>, document: &Value) -> Value {
    let mut object = Object::new();
    let names = ["add", "remove", "replace", "move", "copy", "test"];
    let choice = tape.below(names.len());
    object.insert("op", names[choice].into());
    let path = tape.pointer(document);
    object.insert("path", path.as_str().into());
    match choice {
        3 | 4 => {
            object.insert("from", tape.pointer(document).as_str().into());
        }
        // A test that holds, every other time.
        5 if tape.byte() < 128 => {
            object.insert("value", path.get(document).cloned().unwrap_or(Value::Null));
        }
        1 => {}
        _ => {
            object.insert("value", tape.value());
        }
    }
    Value::Object(object)
}

fn parsed(operation: &Value) -> Option<Operation> {
    JsonPatch::parse(Value::Array(vec![operation.clone()])).ok()?.operations.pop()
}

/// The crate json-patch comes to the same, where it can be asked: it knows neither sealed values
/// nor our limits, and takes the whole document away if told to.
fn as_others_do(target: &Value, patch: &JsonPatch, failed: Option<Code>, after: &Value) {
    let text = json::write(&patch.to_value());
    let whole_removed = patch.operations.iter().any(|operation| match operation {
        Operation::Remove { path } => path.is_root(),
        Operation::Move { from, .. } => from.is_root(),
        _ => false,
    });
    let before = json::write(target);
    let sealed = |text: &[u8]| text.windows(7).any(|window| window == b"$sealed");
    if whole_removed
        || sealed(&text)
        || sealed(&before)
        || matches!(failed, Some(Code::TooDeep | Code::TooLarge))
    {
        return;
    }
    let mut theirs: serde_json::Value = serde_json::from_slice(&before).expect("JSON");
    let their_patch: json_patch::Patch = serde_json::from_slice(&text).expect("a JSON Patch");
    let outcome = json_patch::patch_unsafe(&mut theirs, &their_patch);
    assert_eq!(outcome.is_ok(), failed.is_none(), "{outcome:?}");
    if failed.is_none() {
        let theirs = serde_json::to_vec(&theirs).expect("JSON");
        let theirs = json::read(&theirs, limits::DEPTH).expect("JSON");
        assert_eq!(&theirs, after);
    }
}

/// Appending adds to the end and nothing else; tombstones stand where they were stored.
pub fn edits(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let target = Value::Object(tape.object());
    if target.depth() > limits::DEPTH || target.sealed().is_some() {
        return;
    }
    let pointer = tape.pointer(&target);
    let mut edited = target.clone();
    if tape.byte() < 128 {
        let values: Vec<_> = (0..tape.below(4)).map(|_| tape.value()).collect();
        match append(&mut edited, &pointer, values.clone()) {
            Ok(()) => {
                let before = pointer.get(&target).and_then(Value::as_array).unwrap_or(&[]);
                let expected = [before, &values].concat();
                assert_eq!(pointer.get(&edited).and_then(Value::as_array), Some(&expected[..]));
                assert!(edited.depth() <= limits::DEPTH);
            }
            Err(error) => refused(&error, &edited, &target),
        }
    } else {
        match unset(&mut edited, std::slice::from_ref(&pointer)) {
            Ok(()) => {
                let held = pointer.get(&edited);
                assert!(held.is_none_or(Value::is_null), "there is a value left at {pointer}");
                let mut again = edited.clone();
                unset(&mut again, std::slice::from_ref(&pointer)).expect("again");
                assert_eq!(again, edited);
                assert!(edited.depth() <= limits::DEPTH);
            }
            Err(error) => refused(&error, &edited, &target),
        }
    }
}

fn refused(error: &nacre_core::error::Error, edited: &Value, target: &Value) {
    assert_eq!(edited, target, "a failed edit has changed something");
    let code = error.code();
    assert!(
        matches!(code, Code::MergeConflict | Code::TooDeep | Code::InvalidPointer),
        "refused as {code}"
    );
}
