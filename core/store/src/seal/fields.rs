//! Sealed fields: sensitive values are removed from a document before it is stored, and restored
//! only on request.
//!
//! Data, history, diffs and events never contain the plaintext. [`seal_fields`] runs on the whole
//! data of a context before anything else sees it. It replaces sensitive values by markers, at any
//! depth, also inside arrays.
//!
//! - Under a sensitive name a text, an array or an object is sealed as one value, whatever the names
//!   of its members are. So is a number, where [`SensitiveNames::holds_number`] says so. Booleans
//!   and `null` stay.
//! - In `{"name":"API_KEY","value":…}` the value is sealed by that name.
//! - A text that looks like a credential is sealed under any name ([`SealContent`]).
//! - A marker in the data stays, under any name, if the caller may use it here ([`Target`]). So
//!   reading a context and writing it back keeps its secrets.
//! - `$sealed` has no other use. It is refused with a pointer beside other members, in another
//!   form, as the data itself, or inside a value that is about to be sealed (where it would look
//!   like plaintext later). Only in an array it is opened first: earlier versions sealed what was
//!   inside arrays.
//! - What an earlier version stored in the clear is sealed by the next write of its context.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};

use zeroize::Zeroizing;

use super::{
    admission::Kept,
    content::{Found, SealContent},
    keyring::Keyring,
    secret::NewSecret,
    target::Target,
};
use crate::{entropy::Entropy, limits, plan::Warning};
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
    json,
    marker::{Fingerprint, markers},
    pointer,
    sensitive::{Kind, SensitiveNames, is_label, is_labelled},
    value::{Object, SEALED, Value},
};

/// What is sealed.
#[derive(Clone, Copy, Debug)]
pub struct SealRules<'r> {
    /// The names of members that are sealed.
    pub names: &'r SensitiveNames,
    /// What happens to texts that look like credentials.
    pub content: SealContent,
}

/// What sealing made of a document.
#[derive(Debug, Default)]
pub struct Sealed {
    /// The secrets that the store does not hold yet, each once, in document order.
    pub new: Vec<NewSecret>,
    /// The texts that look like credentials, under other names.
    pub warnings: Vec<Warning>,
    /// How many different markers were looked up, to see whether they may stay.
    pub looked_up: usize,
}

/// Replaces the sensitive values in the data of one context by markers. After an error `data` may
/// be partly sealed and must be dropped.
///
/// # Errors
/// `invalid-request` with the pointer to a marker that is malformed, misplaced, unknown, or not for
/// this caller; `too-deep` past [`limits::DEPTH`]; `too-large` past [`limits::SEALED_VALUES`], or if
/// what is sealed would be too large for the data of a context; the errors of the store.
pub fn seal_fields(
    data: &mut Value,
    rules: SealRules<'_>,
    keys: &Keyring,
    target: &Target<'_>,
    entropy: &mut Entropy,
) -> Result<Sealed> {
    let root = Path { above: None, token: Token::Root, depth: 0 };
    if data.as_object().is_some_and(|object| object.contains(SEALED)) {
        return Err(refuse(&root, "the data of a context must not be a sealed value"));
    }
    let (settled, plain, sealed) = (BTreeSet::new(), BTreeMap::new(), Sealed::default());
    let (to_seal, to_open) = (Room::default(), Room::default());
    let count = 0;
    let mut sealing =
        Sealing { rules, keys, target, entropy, settled, plain, sealed, count, to_seal, to_open };
    sealing.walk(data, &root)?;
    Ok(sealing.sealed)
}

/// How a block of lines begins and ends, such as a private key (RFC 7468).
const BLOCK_BEGIN: &str = "-----BEGIN ";
const BLOCK_END: &str = "-----END ";

struct Sealing<'a> {
    rules: SealRules<'a>,
    keys: &'a Keyring,
    target: &'a Target<'a>,
    entropy: &'a mut Entropy,
    /// Fingerprints that stay, or that have their secret in `sealed`.
    settled: BTreeSet<Fingerprint>,
    /// The values that were sealed, by their hash.
    plain: BTreeMap<Hash, Fingerprint>,
    sealed: Sealed,
    /// How many different values were sealed, whether the store holds them or not. Markers in the data
    /// do not count.
    count: usize,
    to_seal: Room,
    to_open: Room,
}

/// What the sealed values of one write may still take. The whole data of a context has room, in one
/// value or in many: otherwise markers would get around the limits of data.
struct Room {
    bytes: usize,
    values: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room { bytes: limits::DATA_BYTES, values: limits::DATA_VALUES }
    }
}

impl Room {
    fn take(&mut self, bytes: usize, values: usize, place: &Path<'_>) -> Result<()> {
        let left = (self.bytes.checked_sub(bytes), self.values.checked_sub(values));
        let (detail, limit) = match left {
            (Some(bytes), Some(values)) => {
                *self = Room { bytes, values };
                return Ok(());
            }
            (None, _) => {
                ("the sealed values of one write must be at most 1 MiB", limits::DATA_BYTES)
            }
            (_, None) => {
                let detail = "the sealed values of one write must have at most 100000 values";
                (detail, limits::DATA_VALUES)
            }
        };
        Err(Error::new(Code::TooLarge, detail).at(place.pointer()).limit(limit as u64))
    }
}

/// Where a value that is sealed comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The write has it in the clear.
    Given,
    /// A part of it was a marker.
    Opened,
}

impl Sealing<'_> {
    fn walk(&mut self, value: &mut Value, place: &Path<'_>) -> Result<()> {
        match value {
            Value::Object(object) => {
                place.enter()?;
                if object.contains(SEALED) {
                    return self.check_marker(value, place);
                }
                let by_label = self.seals_labelled(object);
                for (name, value) in object.iter_mut() {
                    let place = place.below(Token::Member(name));
                    let is_marker = value.as_object().is_some_and(|it| it.contains(SEALED));
                    let kind = Kind::of(value);
                    let is_sensitive = self.rules.names.seals(name, kind)
                        || (is_labelled(name) && by_label == Some(kind));
                    if is_sensitive && !is_marker {
                        self.seal_member(value, &place)?;
                    } else {
                        self.walk(value, &place)?;
                    }
                }
                Ok(())
            }
            Value::Array(items) => {
                place.enter()?;
                self.walk_items(items, place)
            }
            Value::String(text) => match self.rules.content.find(text) {
                Some(found) => self.seal_found(value, found, place),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Walks through a list. A credential that begins with a line of it goes on to its last line.
    fn walk_items(&mut self, items: &mut [Value], place: &Path<'_>) -> Result<()> {
        let mut block = None;
        for (index, item) in items.iter_mut().enumerate() {
            let place = place.below(Token::Element(index));
            let Value::String(text) = item else {
                self.walk(item, &place)?;
                continue;
            };
            let Some(found) = self.rules.content.find(text).or(block) else { continue };
            let line = text.trim();
            let begins = line.starts_with(BLOCK_BEGIN) && !line.contains('\n');
            let ends = |(at, _)| line.get(at..).is_some_and(|rest| rest.starts_with(BLOCK_END));
            let goes_on = (begins || block.is_some()) && !line.match_indices('-').any(ends);
            block = goes_on.then_some(found);
            self.seal_found(item, found, &place)?;
        }
        Ok(())
    }

    /// Seals a text that is or belongs to a credential, and tells the writer.
    fn seal_found(
        &mut self,
        value: &mut Value,
        (what, is_sealed): Found,
        place: &Path<'_>,
    ) -> Result<()> {
        if self.sealed.warnings.len() < limits::WARNINGS {
            self.sealed.warnings.push(warning(place.pointer(), what, is_sealed));
        }
        if is_sealed {
            *value = self.seal(value, place, Origin::Given)?;
        }
        Ok(())
    }

    /// The kind of the value in `{"name":…,"value":…}`, if the name asks to seal it.
    fn seals_labelled(&self, object: &Object) -> Option<Kind> {
        let (_, value) = object.iter().find(|(name, _)| is_labelled(name))?;
        let kind = Kind::of(value);
        let mut labels = object.iter().filter(|(name, _)| is_label(name));
        let seals = |label: &str| self.rules.names.seals(label, kind);
        labels.any(|(_, label)| label.as_str().is_some_and(seals)).then_some(kind)
    }

    fn check_marker(&mut self, value: &mut Value, place: &Path<'_>) -> Result<()> {
        let fingerprint = marked(value, place)?;
        if self.settled.contains(&fingerprint) {
            return Ok(());
        }
        self.sealed.looked_up += 1;
        let kept = self.keys.admit(fingerprint, self.target, self.entropy)?;
        let kept = self.keep(kept.ok_or_else(|| unknown(place))?);
        if kept != fingerprint {
            *value = kept.marker();
        }
        Ok(())
    }

    /// Seals the value of a sensitive member.
    fn seal_member(&mut self, value: &mut Value, place: &Path<'_>) -> Result<()> {
        let mut origin = Origin::Given;
        if value.as_array().is_some() && markers(value).next().is_some() {
            if self.target.caller.is_none() {
                return self.walk(value, place);
            }
            self.open_markers(value, place)?;
            origin = Origin::Opened;
        }
        *value = self.seal(value, place, origin)?;
        Ok(())
    }

    fn open_markers(&mut self, value: &mut Value, place: &Path<'_>) -> Result<()> {
        match value {
            Value::Object(object) if object.contains(SEALED) => {
                let opened = self.keys.open(&marked(value, place)?, self.target)?;
                let opened = opened.ok_or_else(|| unknown(place))?;
                // A marker is short, and its value may be long. To open it takes time in any case.
                let bytes = json::length(&opened) + json::length(value);
                self.to_open.take(bytes, opened.count(), place)?;
                *value = opened;
                Ok(())
            }
            Value::Object(object) => {
                place.enter()?;
                object.iter_mut().try_for_each(|(name, value)| {
                    self.open_markers(value, &place.below(Token::Member(name)))
                })
            }
            Value::Array(items) => {
                place.enter()?;
                items.iter_mut().enumerate().try_for_each(|(i, item)| {
                    self.open_markers(item, &place.below(Token::Element(i)))
                })
            }
            _ => Ok(()),
        }
    }

    fn seal(&mut self, value: &Value, place: &Path<'_>, origin: Origin) -> Result<Value> {
        refuse_markers(value, place)?;
        let mut canonical = Zeroizing::new(Vec::new());
        json::write_to(value, &mut canonical);
        let hash = Hash::of(&canonical);
        // Equal markers would tell whether a guess beside it equals what was opened.
        let is_alone = origin == Origin::Opened && self.target.is_blind();
        if let Some(fingerprint) = self.plain.get(&hash).filter(|_| !is_alone) {
            return Ok(fingerprint.marker());
        }
        // What another store held is taken as it is.
        if self.target.caller.is_some() {
            self.to_seal.take(canonical.len(), value.count(), place)?;
            refuse_one_too_many(self.count)?;
        }
        let kept = self.keys.seal(&canonical, self.target, self.entropy)?;
        let fingerprint = self.keep(kept);
        if !is_alone {
            self.plain.insert(hash, fingerprint);
        }
        self.count += 1;
        Ok(fingerprint.marker())
    }

    fn keep(&mut self, (fingerprint, new): Kept) -> Fingerprint {
        if self.settled.insert(fingerprint) {
            self.sealed.new.extend(new);
        }
        fingerprint
    }
}

fn refuse_one_too_many(sealed: usize) -> Result<()> {
    if sealed < limits::SEALED_VALUES {
        return Ok(());
    }
    let detail = "one write must seal at most 1000 different values; split it";
    Err(Error::new(Code::TooLarge, detail).limit(limits::SEALED_VALUES as u64))
}

/// The fingerprint of an object that has `$sealed`.
fn marked(value: &Value, place: &Path<'_>) -> Result<Fingerprint> {
    Fingerprint::in_marker(value).ok_or_else(|| {
        refuse(
            place,
            "`$sealed` must be the only member, with a marker read from this store; to change a \
             part of a sealed value, write the whole value",
        )
    })
}

fn unknown(place: &Path<'_>) -> Error {
    refuse(
        place,
        "unknown marker in `$sealed`; write the plaintext, or a marker read from this store",
    )
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

    fn pointer(&self) -> String {
        let mut pointer = String::new();
        self.write_to(&mut pointer);
        pointer
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
    Error::new(Code::InvalidRequest, detail).at(place.pointer())
}

/// Tells the writer of a text that looks like a credential.
fn warning(pointer: String, what: &str, is_sealed: bool) -> Warning {
    let detail = match is_sealed {
        true => format!("this text looks like {what} and was sealed"),
        false => format!("this text looks like {what}; seal it under a sensitive name"),
    };
    Warning { code: "sealed-by-content", pointer, detail }
}
