//! JSON Merge Patch (RFC 7396) as an edit of one document.

use alloc::vec::Vec;
use core::mem;

use crate::value::{Object, Value, compare_names};

/// Edits `target` as RFC 7396 §2 says: objects merge, `null` removes a member, anything else
/// replaces.
///
/// Nulls that the target holds already (tombstones for the layers above) stay unless the patch
/// names them. A sealed value's marker counts as a scalar on both sides.
pub fn merge_patch(target: &mut Value, patch: Value) {
    match patch {
        Value::Object(patch) => merge(target, patch),
        patch => *target = patch,
    }
}

fn merge(target: &mut Value, patch: Object) {
    let members = match target {
        Value::Object(members) => mem::take(members),
        _ => Object::new(),
    };
    *target = Value::Object(join(members, patch));
}

/// Walks both sides once: inserting member by member would be quadratic.
fn join(members: Object, patch: Object) -> Object {
    let mut joined = Vec::with_capacity(members.len() + patch.len());
    let mut members = members.into_iter().peekable();
    for (name, change) in patch {
        while let Some(member) = members.next_if(|(other, _)| compare_names(other, &name).is_lt()) {
            joined.push(member);
        }
        let before = members.next_if(|(other, _)| *other == name).map(|(_, value)| value);
        if change.sealed().is_some() {
            joined.push((name, change));
            continue;
        }
        match change {
            Value::Null => {}
            Value::Object(change) => {
                let mut value =
                    before.filter(|value| value.sealed().is_none()).unwrap_or(Value::Null);
                merge(&mut value, change);
                joined.push((name, value));
            }
            change => joined.push((name, change)),
        }
    }
    joined.extend(members);
    Object::from_sorted(joined)
}
