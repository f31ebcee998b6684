//! Moves a value of a layer up to a layer above, so that the view of the chain stays what it is.
//!
//! The upper layer gets what both layers make of the value by the rules of the chain; the lower one
//! loses its copy. Tombstones of both stay, because they still hide what is above. Where a layer
//! between them, or a rule, would then decide the value otherwise, the move is refused.

use crate::{
    error::{Code, Error, Result},
    layer::Layer,
    locks::breaches,
    pointer::Pointer,
    resolve::{Link, collect, resolve, view_hash},
    rules::Scope,
    value::{Object, SEALED, Value},
};

/// The two documents after a value has moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Promoted {
    /// The document of the upper layer.
    pub upper: Value,
    /// The document of the last layer.
    pub lower: Value,
}

/// Moves the value at `pointer` from the last layer of a chain to the layer `to`.
///
/// ```
/// use nacre_layers::{
///     json,
///     layer::Layer,
///     pointer::Pointer,
///     promote::promote,
///     resolve::Link,
///     rules::Rules,
/// };
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let global = layer(r#"{"db":{"kind":"sql"}}"#)?;
/// let project = layer(r#"{"db":{"port":1},"debug":true}"#)?;
/// let rules = Rules::default();
/// let chain = [&global, &project].map(|layer| Link { layer, rules: &rules });
/// let promoted = promote(&chain, 0, &Pointer::parse("/db/port")?)?;
/// assert_eq!(json::write(&promoted.upper), br#"{"db":{"kind":"sql","port":1}}"#);
/// assert_eq!(json::write(&promoted.lower), br#"{"debug":true}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `not-found` if the last layer holds no value there, `invalid-pointer` for a place inside a list or
/// a sealed value, `locked` if a layer above locks the place, `merge-conflict` if the view would
/// change.
pub fn promote(chain: &[Link<'_>], to: usize, pointer: &Pointer) -> Result<Promoted> {
    let (Some((last, above)), Some(upper)) = (chain.split_last(), chain.get(to)) else {
        return Err(Error::bug("a value is promoted within a chain"));
    };
    let own = held(last.layer, pointer)?;
    respect_locks(chain, above.len(), last.layer, pointer)?;

    let mut document = upper.layer.to_value()?;
    let old = pointer.get(&document).cloned();
    let mut value = both(chain, to, pointer)?;
    keep_tombstones(&mut value, old.as_ref(), Some(&own));
    set(&mut document, pointer, value)?;
    let mut lower = last.layer.to_value()?;
    remove(&mut lower, pointer);

    let layers = (Layer::from_value(&document)?, Layer::from_value(&lower)?);
    let after = collect(chain.iter().enumerate().map(|(place, link)| Link {
        layer: match place {
            place if place == to => &layers.0,
            place if place == above.len() => &layers.1,
            _ => link.layer,
        },
        rules: link.rules,
    }));
    if view_hash(&after) != view_hash(chain) {
        return Err(changes_the_view(pointer));
    }
    Ok(Promoted { upper: document, lower })
}

fn changes_the_view(pointer: &Pointer) -> Error {
    let detail = "the view would change: a layer between the two, or a merge rule, would decide this \
                  value otherwise; change both layers yourself";
    Error::new(Code::MergeConflict, detail).at(pointer.as_str())
}

/// The value that a layer holds at a place, inside objects only.
fn held(layer: &Layer, pointer: &Pointer) -> Result<Value> {
    let mut at = Pointer::root();
    for token in pointer.tokens() {
        let text = layer.get(&at).unwrap_or_default();
        if text.starts_with(b"[") || is_marker(text) {
            let detail = "a promotion moves a member of an object; name the whole list or the whole \
                          sealed value";
            return Err(Error::new(Code::InvalidPointer, detail).at(pointer.as_str()));
        }
        at.push(&token);
    }
    layer.value_at(pointer)?.filter(|value| !value.is_null()).ok_or_else(|| {
        let detail = "the layer itself holds no value here; promote from the layer that holds it";
        Error::new(Code::NotFound, detail).at(pointer.as_str())
    })
}

fn is_marker(text: &[u8]) -> bool {
    text.get(2..).is_some_and(|rest| rest.starts_with(SEALED.as_bytes()))
}

fn respect_locks(chain: &[Link<'_>], layer: usize, of: &Layer, pointer: &Pointer) -> Result<()> {
    let Some(scope) = Scope::of_chain(chain.iter().map(|link| link.rules)) else { return Ok(()) };
    for breach in breaches(&scope, layer, of) {
        let place = Pointer::parse(&*breach.pointer)?;
        if place.starts_with(pointer) || pointer.starts_with(&place) {
            let detail = "a layer above locks this path and ignores the value; change the value in \
                          that layer";
            return Err(Error::new(Code::Locked, detail).at(breach.pointer));
        }
    }
    Ok(())
}

/// What the two layers alone make of the value, by the rules of the chain.
fn both(chain: &[Link<'_>], to: usize, pointer: &Pointer) -> Result<Value> {
    let empty = Layer::empty();
    let last = chain.len().saturating_sub(1);
    let links = collect(chain.iter().enumerate().map(|(place, link)| Link {
        layer: if place == to || place == last { link.layer } else { &empty },
        rules: link.rules,
    }));
    let view = Layer::from_canonical(resolve(&links))?;
    view.value_at(pointer)?.ok_or_else(|| changes_the_view(pointer))
}

/// Puts the tombstones of two values into what they make, where it has nothing.
pub(crate) fn keep_tombstones(made: &mut Value, upper: Option<&Value>, lower: Option<&Value>) {
    let Value::Object(made) = made else { return };
    let [upper, lower] = [upper, lower].map(|side| side.and_then(Value::as_object));
    for side in [upper, lower].into_iter().flatten() {
        for (name, value) in side.iter() {
            if !made.contains(name) && value.is_null() {
                made.insert(name, Value::Null);
            }
        }
    }
    for (name, value) in made.iter_mut() {
        let [upper, lower] = [upper, lower].map(|side| side.and_then(|side| side.get(name)));
        keep_tombstones(value, upper, lower);
    }
}

/// Sets a value, and makes the objects around it.
fn set(document: &mut Value, pointer: &Pointer, value: Value) -> Result<()> {
    let mut place = document;
    let mut at = Pointer::root();
    for token in pointer.tokens() {
        let is_open = match &*place {
            Value::Object(object) => !object.contains(SEALED),
            Value::Null => true,
            _ => false,
        };
        if !is_open {
            let detail =
                "the upper layer holds another value around this place; it must be an object";
            return Err(Error::new(Code::MergeConflict, detail).at(at.as_str()));
        }
        if place.is_null() {
            *place = Value::Object(Object::new());
        }
        let Some(object) = place.as_object_mut() else {
            return Err(Error::bug("an object was made just above"));
        };
        place = object.get_or_insert_with(&token, || Value::Null);
        at.push(&token);
    }
    *place = value;
    Ok(())
}

/// Removes a value, and the objects around it that have nothing else.
fn remove(document: &mut Value, pointer: &Pointer) {
    let mut place = pointer.clone();
    while let Some((above, name)) = place.split_last() {
        let object = above.get_mut(document).and_then(Value::as_object_mut);
        let Some(object) = object else { return };
        object.remove(&name);
        if !object.is_empty() {
            return;
        }
        place = above;
    }
    *document = Value::Object(Object::new());
}
