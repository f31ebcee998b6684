//! Applies a JSON Patch, all or nothing, within bounds.

use alloc::{borrow::Cow, format};

use super::{JsonPatch, Operation, conflict, sealed};
use crate::{
    error::{Code, Error, Result},
    json, limits,
    pointer::{self, Pointer},
    value::{Value, check_depth},
};

/// How deep a document may be between two operations. Only the end must keep [`limits::DEPTH`], but
/// what walks a document calls itself once a level.
const DEPTH_MIDWAY: usize = 4 * limits::DEPTH;

/// Most bytes of canonical JSON that the `copy` operations of one patch may copy. A patch of a
/// kilobyte could otherwise double a document thirty times.
const COPIED_BYTES: usize = 2 * limits::DATA_BYTES;

/// Most steps of hidden work in one patch: values walked to measure what is moved, and members and
/// elements shifted to make or close a gap (which are cheap, so 16 make a step). A short patch
/// that inserts thousands of times before a long list could otherwise run for minutes.
const STEPS: usize = 1 << 24;

impl JsonPatch {
    /// Applies every operation to `target`, or none.
    ///
    /// The result is at most [`limits::DEPTH`] deep. The caller must check its size.
    ///
    /// ```
    /// use nacre_layers::{json, patch::JsonPatch};
    ///
    /// let patch = r#"[{"op":"remove","path":"/a"},{"op":"test","path":"/b","value":1}]"#;
    /// let patch = JsonPatch::parse(json::read(patch.as_bytes(), 64)?)?;
    /// let mut document = json::read(br#"{"a":1,"b":2}"#, 64)?;
    /// let error = patch.apply(&mut document).unwrap_err();
    /// assert_eq!((error.code().as_str(), error.pointer()), ("merge-conflict", Some("/b")));
    /// assert_eq!(json::write(&document), br#"{"a":1,"b":2}"#);
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `merge-conflict` with the pointer if a `test` fails or a path does not exist; `too-deep`;
    /// `too-large` if the operations copy or shift too much.
    pub fn apply(&self, target: &mut Value) -> Result<()> {
        *target = self.apply_to(target.clone())?;
        Ok(())
    }

    /// As [`JsonPatch::apply`], for a document that is not needed after a failure.
    ///
    /// # Errors
    /// As [`JsonPatch::apply`].
    pub fn apply_to(&self, target: Value) -> Result<Value> {
        let mut document = Document { root: target, copied: 0, steps: 0 };
        for (index, operation) in self.operations.iter().enumerate() {
            document.run(operation).map_err(|error| {
                error.reworded(|detail| {
                    format!("operation {index} ({}): {detail}", operation.name())
                })
            })?;
        }
        check_depth(document.root.depth())?;
        Ok(document.root)
    }
}

/// Refuses a value of this depth if its place is too deep for it, even between two operations.
fn check_place(path: &Pointer, depth: usize) -> Result<()> {
    if path.len() + depth > DEPTH_MIDWAY {
        return Err(json::too_deep(DEPTH_MIDWAY).at(path));
    }
    Ok(())
}

/// A document that is being changed, and the cost so far.
struct Document {
    root: Value,
    copied: usize,
    steps: usize,
}

impl Document {
    fn run(&mut self, operation: &Operation) -> Result<()> {
        match operation {
            Operation::Add { path, value } => {
                check_place(path, value.depth())?;
                self.add(path, value.clone())
            }
            Operation::Remove { path } => self.remove(path).map(drop),
            Operation::Replace { path, value } => {
                check_place(path, value.depth())?;
                self.replace(path, value.clone())
            }
            Operation::Move { from, path } => {
                if from == path {
                    return find(&self.root, from).map(drop);
                }
                let value = self.remove(from)?;
                let mut walked = 0;
                check_place(path, measure(&value, &mut walked))?;
                self.charge(walked)?;
                self.add(path, value)
            }
            Operation::Copy { from, path } => {
                let value = find(&self.root, from)?;
                self.copied += json::length(value);
                if self.copied > COPIED_BYTES {
                    return Err(Error::new(
                        Code::TooLarge,
                        "a patch must copy at most 2 MiB; split it",
                    )
                    .at(from)
                    .limit(COPIED_BYTES as u64));
                }
                check_place(path, value.depth())?;
                let value = value.clone();
                self.add(path, value)
            }
            Operation::Test { path, value } => {
                if find(&self.root, path)? == value {
                    Ok(())
                } else {
                    Err(conflict("the value at this path is not the expected one", path))
                }
            }
        }
    }

    fn add(&mut self, path: &Pointer, value: Value) -> Result<()> {
        let shifted = match parent(&mut self.root, path)? {
            None => {
                self.root = value;
                0
            }
            Some((Value::Object(object), name)) => {
                let before = object.len();
                let at = object.position(&name);
                object.insert(name, value);
                at.map_or_else(|at| before - at, |_| 0)
            }
            Some((Value::Array(items), token)) => {
                let at = match &*token {
                    "-" => items.len(),
                    token => pointer::index(token)
                        .filter(|at| *at <= items.len())
                        .ok_or_else(|| conflict("the array has no such index; use an index up to its length, or `-`", path))?,
                };
                let shifted = items.len() - at;
                items.insert(at, value);
                shifted
            }
            Some(_) => {
                return Err(conflict(
                    "cannot add here: the parent is not an object or array",
                    path,
                ));
            }
        };
        self.charge(shifted / 16)
    }

    fn remove(&mut self, path: &Pointer) -> Result<Value> {
        let (removed, shifted) = match parent(&mut self.root, path)? {
            None => return Err(conflict("the whole document cannot be removed", path)),
            Some((Value::Object(object), name)) => {
                let at = object.position(&name).map_err(|_| absent(path))?;
                let shifted = object.len() - at;
                (object.remove(&name).ok_or_else(|| absent(path))?, shifted)
            }
            Some((Value::Array(items), token)) => {
                let at = pointer::index(&token)
                    .filter(|at| *at < items.len())
                    .ok_or_else(|| absent(path))?;
                let shifted = items.len() - at;
                (items.remove(at), shifted)
            }
            Some(_) => return Err(absent(path)),
        };
        self.charge(shifted / 16)?;
        Ok(removed)
    }

    fn replace(&mut self, path: &Pointer, value: Value) -> Result<()> {
        let place = match parent(&mut self.root, path)? {
            None => Some(&mut self.root),
            Some((holder, token)) => step_mut(holder, &token),
        };
        *place.ok_or_else(|| absent(path))? = value;
        Ok(())
    }

    fn charge(&mut self, steps: usize) -> Result<()> {
        self.steps += steps;
        if self.steps > STEPS {
            return Err(Error::new(
                Code::TooLarge,
                "the patch moves too many elements; replace the whole list",
            )
            .limit(STEPS as u64));
        }
        Ok(())
    }
}

/// The parent of a place, and the last token; `None` for the root.
fn parent<'v, 'p>(
    root: &'v mut Value,
    path: &'p Pointer,
) -> Result<Option<(&'v mut Value, Cow<'p, str>)>> {
    let mut tokens = path.tokens();
    let Some(last) = tokens.next_back() else { return Ok(None) };
    let mut here = root;
    for token in tokens {
        here = step_mut(here, &token).ok_or_else(|| absent(path))?;
        if here.sealed().is_some() {
            return Err(sealed(path));
        }
    }
    Ok(Some((here, last)))
}

fn find<'v>(root: &'v Value, path: &Pointer) -> Result<&'v Value> {
    let mut here = root;
    for (depth, token) in path.tokens().enumerate() {
        if depth > 0 && here.sealed().is_some() {
            return Err(sealed(path));
        }
        here = match here {
            Value::Object(object) => object.get(&token),
            Value::Array(items) => pointer::index(&token).and_then(|at| items.get(at)),
            _ => None,
        }
        .ok_or_else(|| absent(path))?;
    }
    Ok(here)
}

fn step_mut<'v>(value: &'v mut Value, token: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(object) => object.get_mut(token),
        Value::Array(items) => items.get_mut(pointer::index(token)?),
        _ => None,
    }
}

fn absent(path: &Pointer) -> Error {
    conflict("there is no value at this path", path)
}

/// The depth of a value. `walked` counts the visited values.
fn measure(value: &Value, walked: &mut usize) -> usize {
    *walked += 1;
    match value {
        Value::Array(items) => {
            1 + items.iter().map(|item| measure(item, walked)).max().unwrap_or(0)
        }
        Value::Object(object) => {
            1 + object.iter().map(|(_, value)| measure(value, walked)).max().unwrap_or(0)
        }
        _ => 0,
    }
}
