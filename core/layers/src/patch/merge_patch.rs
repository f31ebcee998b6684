//! JSON Merge Patch (RFC 7396): apply it to a document, or make it from two.

use alloc::vec::Vec;
use core::{cmp::Ordering, mem};

use crate::value::{Object, Value, compare_names};

/// Applies a merge patch to `target` (RFC 7396 §2): objects merge, `null` removes a member,
/// anything else replaces.
///
/// Nulls in the target (tombstones) stay unless the patch names them. A sealed value's marker
/// counts as a scalar on both sides.
///
/// ```
/// use nacre_layers::{json, patch::merge_patch};
///
/// let mut document = json::read(br#"{"a":{"b":1,"c":2},"d":3}"#, 64)?;
/// merge_patch(&mut document, json::read(br#"{"a":{"b":null},"d":4}"#, 64)?);
/// assert_eq!(json::write(&document), br#"{"a":{"c":2},"d":4}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
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

/// Walks both sides once; inserting member by member would be quadratic.
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

/// The merge patch that turns `from` into `to`, for any implementation of RFC 7396.
///
/// Markers of sealed values count as objects, as they do for other implementations. A merge patch
/// cannot set a member to `null`; views have such members only in arrays.
///
/// ```
/// use nacre_layers::{json, patch::merge_difference};
///
/// let from = json::read(br#"{"a":1,"b":{"c":2}}"#, 64)?;
/// let to = json::read(br#"{"b":{"c":3}}"#, 64)?;
/// assert_eq!(json::write(&merge_difference(&from, &to)), br#"{"a":null,"b":{"c":3}}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn merge_difference(from: &Value, to: &Value) -> Value {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => Value::Object(objects_differ(from, to)),
        _ => to.clone(),
    }
}

fn objects_differ(from: &Object, to: &Object) -> Object {
    let mut changes = Vec::new();
    let (mut olds, mut news) = (from.iter().peekable(), to.iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => return Object::from_sorted(changes),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((old, _)), Some((new, _))) => compare_names(old, new),
        };
        let old = if order.is_le() { olds.next() } else { None };
        let new = if order.is_ge() { news.next() } else { None };
        match (old, new) {
            (Some((name, _)), None) => changes.push((name.into(), Value::Null)),
            (None, Some((name, new))) => changes.push((name.into(), new.clone())),
            (Some((name, old)), Some((_, new))) if old != new => {
                changes.push((name.into(), merge_difference(old, new)));
            }
            _ => {}
        }
    }
}
