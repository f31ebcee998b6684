//! Sealed fields: sensitive values are removed from a document before it is stored, and restored
//! only on request.
//!
//! Data, history, diffs and events never contain the plaintext. [`seal_fields`] runs on the whole
//! data of a context before anything else sees it. It replaces each string or object under a
//! sensitive name by a marker, at any depth, also inside arrays.
//!
//! - A sensitive object is sealed as one value, whatever the names of its members are.
//! - A marker in the data stays, under any name, if the store knows its fingerprint. So reading a
//!   context and writing it back keeps its secrets.
//! - `$sealed` has no other use. It is refused with a pointer beside other members, in another
//!   form, as the data itself, or inside a value that is about to be sealed (where it would look
//!   like plaintext later).
//! - Numbers, booleans, `null` and arrays under sensitive names stay as they are; arrays are
//!   walked.

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use zeroize::Zeroizing;

use super::{secret::NewSecret, vault::Vault};
use crate::{entropy::Entropy, limits};
use nacre_layers::{
    error::{Code, Error, Result},
    json,
    marker::Fingerprint,
    pointer,
    sensitive::SensitiveNames,
    value::{SEALED, Value},
};

/// Replaces the sensitive values in the data of one context by markers. Returns the secrets that
/// the store does not know yet, each once, in document order.
///
/// `known` says whether the store holds a secret with this fingerprint. After an error `data` may
/// be partly sealed and must be dropped.
///
/// # Errors
/// `invalid-request` with the pointer to a marker that is unknown, malformed or misplaced;
/// `too-deep` past [`limits::DEPTH`]; the errors of `known`.
pub fn seal_fields(
    data: &mut Value,
    names: &SensitiveNames,
    keys: &dyn Vault,
    entropy: &mut Entropy,
    known: &dyn Fn(&Fingerprint) -> Result<bool>,
) -> Result<Vec<NewSecret>> {
    seal_data(data, Sealing::new(names, keys, entropy, known))
}

/// As [`seal_fields`], for data from another store: markers stay, even if their secret is unknown
/// here.
///
/// # Errors
/// As [`seal_fields`], except for unknown markers.
pub fn seal_foreign_fields(
    data: &mut Value,
    names: &SensitiveNames,
    keys: &dyn Vault,
    entropy: &mut Entropy,
    known: &dyn Fn(&Fingerprint) -> Result<bool>,
) -> Result<Vec<NewSecret>> {
    seal_data(data, Sealing { foreign: true, ..Sealing::new(names, keys, entropy, known) })
}

fn seal_data(data: &mut Value, mut sealing: Sealing<'_>) -> Result<Vec<NewSecret>> {
    let root = Path { above: None, token: Token::Root, depth: 0 };
    if data.as_object().is_some_and(|object| object.contains(SEALED)) {
        return Err(refuse(&root, "the data of a context must not be a sealed value"));
    }
    sealing.walk(data, &root)?;
    Ok(sealing.new)
}

struct Sealing<'a> {
    names: &'a SensitiveNames,
    keys: &'a dyn Vault,
    entropy: &'a mut Entropy,
    known: &'a dyn Fn(&Fingerprint) -> Result<bool>,
    /// Fingerprints that the store knows or that are in `new`.
    settled: BTreeSet<Fingerprint>,
    new: Vec<NewSecret>,
    /// Markers may come from another store.
    foreign: bool,
}

impl<'a> Sealing<'a> {
    fn new(
        names: &'a SensitiveNames,
        keys: &'a dyn Vault,
        entropy: &'a mut Entropy,
        known: &'a dyn Fn(&Fingerprint) -> Result<bool>,
    ) -> Sealing<'a> {
        let (settled, new) = (BTreeSet::new(), Vec::new());
        Sealing { names, keys, entropy, known, settled, new, foreign: keys.is_apart() }
    }

    fn walk(&mut self, value: &mut Value, place: &Path<'_>) -> Result<()> {
        match value {
            Value::Object(object) => {
                place.enter()?;
                if object.contains(SEALED) {
                    return self.check_marker(value, place);
                }
                for (name, value) in object.iter_mut() {
                    let place = place.below(Token::Member(name));
                    if is_sealable(value) && self.names.holds(name) {
                        *value = self.seal(value, &place)?;
                    } else {
                        self.walk(value, &place)?;
                    }
                }
                Ok(())
            }
            Value::Array(items) => {
                place.enter()?;
                items
                    .iter_mut()
                    .enumerate()
                    .try_for_each(|(i, item)| self.walk(item, &place.below(Token::Element(i))))
            }
            _ => Ok(()),
        }
    }

    fn check_marker(&mut self, value: &Value, place: &Path<'_>) -> Result<()> {
        let Some(fingerprint) = Fingerprint::in_marker(value) else {
            return Err(refuse(
                place,
                "`$sealed` must be the only member, with a marker read from this store",
            ));
        };
        if self.foreign || self.settled.contains(&fingerprint) {
            return Ok(());
        }
        if !(self.known)(&fingerprint)? {
            return Err(refuse(
                place,
                "unknown marker in `$sealed`; write the plaintext, or a marker read from this \
                 store",
            ));
        }
        self.settled.insert(fingerprint);
        Ok(())
    }

    fn seal(&mut self, value: &Value, place: &Path<'_>) -> Result<Value> {
        refuse_markers(value, place)?;
        let mut canonical = Zeroizing::new(Vec::new());
        json::write_to(value, &mut canonical);
        let fingerprint = self.keys.fingerprint(&canonical);
        if self.settled.insert(fingerprint) && !(self.known)(&fingerprint)? {
            self.new.push(self.keys.seal(fingerprint, &canonical, self.entropy)?);
        }
        Ok(fingerprint.marker())
    }
}

/// Seals strings and objects. An object with `$sealed` is checked as a marker instead.
fn is_sealable(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Object(object) => !object.contains(SEALED),
        _ => false,
    }
}

fn refuse_markers(value: &Value, place: &Path<'_>) -> Result<()> {
    match value {
        Value::Object(object) => {
            place.enter()?;
            if object.contains(SEALED) {
                return Err(refuse(
                    place,
                    "a value under a sensitive name must not contain a marker; write the whole \
                     value in plaintext",
                ));
            }
            object.iter().try_for_each(|(name, value)| {
                refuse_markers(value, &place.below(Token::Member(name)))
            })
        }
        Value::Array(items) => {
            place.enter()?;
            items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| refuse_markers(item, &place.below(Token::Element(i))))
        }
        _ => Ok(()),
    }
}

/// The path to a value, on the stack. It becomes a pointer only for an error.
struct Path<'a> {
    above: Option<&'a Path<'a>>,
    token: Token<'a>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Token<'a> {
    Root,
    Member(&'a str),
    Element(usize),
}

impl<'a> Path<'a> {
    fn below(&'a self, token: Token<'a>) -> Path<'a> {
        Path { above: Some(self), token, depth: self.depth + 1 }
    }

    /// Limits the recursion into an array or object.
    fn enter(&self) -> Result<()> {
        if self.depth < limits::DEPTH {
            return Ok(());
        }
        Err(Error::new(Code::TooDeep, "arrays and objects are nested too deeply")
            .limit(limits::DEPTH as u64))
    }

    fn write_to(&self, text: &mut String) {
        if let Some(above) = self.above {
            above.write_to(text);
        }
        match self.token {
            Token::Root => {}
            Token::Member(name) => {
                text.push('/');
                pointer::escape(name, text);
            }
            Token::Element(index) => text.push_str(&alloc::format!("/{index}")),
        }
    }
}

fn refuse(place: &Path<'_>, detail: &'static str) -> Error {
    let mut pointer = String::new();
    place.write_to(&mut pointer);
    Error::new(Code::InvalidRequest, detail).at(pointer)
}
