//! Edits that do not need to know the document: append to a list, store tombstones.

use alloc::vec::Vec;

use super::{check_place, conflict, sealed};
use crate::{
    error::{Code, Error, Result},
    pointer::{self, Pointer},
    value::{Object, Value},
};

/// Appends `values` to the list at `list`. A missing list, and missing objects above it, are
/// created. A tombstone in the place of the list counts as missing.
///
/// ```
/// use nacre_layers::{json, patch::append, pointer::Pointer};
///
/// let mut document = json::read(b"{}", 64)?;
/// append(&mut document, &Pointer::parse("/notes/open")?, vec![1u64.into(), 2u64.into()])?;
/// assert_eq!(json::write(&document), br#"{"notes":{"open":[1,2]}}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `merge-conflict` with the pointer if something else is in the way; `too-deep`.
pub fn append(document: &mut Value, list: &Pointer, values: Vec<Value>) -> Result<()> {
    let deepest = values.iter().map(Value::depth).max().unwrap_or(0);
    check_place(list, 1 + deepest)?;
    // After the first creation nothing can fail, so the walk is all or nothing.
    let mut here = document;
    let mut left = list.len();
    for token in list.tokens() {
        left -= 1;
        let make =
            || if left == 0 { Value::Array(Vec::new()) } else { Value::Object(Object::new()) };
        here = match here {
            Value::Object(object) => object.get_or_insert_with(&token, make),
            Value::Array(items) => pointer::index(&token)
                .and_then(|at| items.get_mut(at))
                .ok_or_else(|| conflict("the array has no such element", list))?,
            Value::Null => return Err(buried(list)),
            _ => return Err(in_the_way(list)),
        };
        if left > 0 && here.sealed().is_some() {
            return Err(sealed(list));
        }
    }
    match here {
        Value::Array(items) => items.extend(values),
        Value::Null => *here = Value::Array(values),
        _ => return Err(conflict("cannot append here: the value is not a list", list)),
    }
    Ok(())
}

/// Stores a tombstone (`null`) at every pointer, which hides the inherited value there. Missing
/// objects around it are created. A pointer below a tombstone changes nothing.
///
/// ```
/// use nacre_layers::{json, patch::unset, pointer::Pointer};
///
/// let mut document = json::read(br#"{"a":{"b":1}}"#, 64)?;
/// unset(&mut document, &[Pointer::parse("/a/b")?, Pointer::parse("/c")?])?;
/// assert_eq!(json::write(&document), br#"{"a":{"b":null},"c":null}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `invalid-pointer` for the root; `merge-conflict` with the pointer if a list or a scalar is in
/// the way; `too-deep`. The document is then unchanged.
pub fn unset(document: &mut Value, pointers: &[Pointer]) -> Result<()> {
    let mut edited = document.clone();
    for pointer in pointers {
        bury(&mut edited, pointer)?;
    }
    *document = edited;
    Ok(())
}

fn bury(document: &mut Value, pointer: &Pointer) -> Result<()> {
    check_place(pointer, 0)?;
    let mut tokens = pointer.tokens();
    let Some(last) = tokens.next_back() else {
        return Err(Error::new(
            Code::InvalidPointer,
            "the whole document cannot be unset; name a member",
        )
        .at(pointer));
    };
    let mut here = document;
    for token in tokens {
        here = match here {
            Value::Object(object) => {
                object.get_or_insert_with(&token, || Value::Object(Object::new()))
            }
            other => return no_member(other, pointer),
        };
        if here.sealed().is_some() {
            return Err(sealed(pointer));
        }
    }
    match here {
        Value::Object(object) => {
            object.insert(last, Value::Null);
            Ok(())
        }
        other => no_member(other, pointer),
    }
}

/// Handles a tombstone whose place is inside a value without members.
fn no_member(value: &Value, pointer: &Pointer) -> Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::Array(_) => Err(conflict(
            "an element of a list cannot be unset; replace the list, or use a JSON Patch",
            pointer,
        )),
        _ => Err(in_the_way(pointer)),
    }
}

fn in_the_way(pointer: &Pointer) -> Error {
    conflict("the path leads through a value that is not an object", pointer)
}

fn buried(pointer: &Pointer) -> Error {
    conflict("the path leads through a removed member (`null`); set it to an object first", pointer)
}
