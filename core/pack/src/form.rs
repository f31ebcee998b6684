//! What a form of packs has to write, piece by piece. A pack is its pieces one after the other, so it has
//! at most as many tokens as they have together.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    contribution::{Said, Stored, What},
    json,
    pointer::Pointer,
    value::{Object, SEALED, Value},
};
use nacre_store::record::{Entry, EntryKind, Heading};

use crate::{ask::Calls, left_out::LeftOut};

/// What is known of a pack before its sections are.
#[derive(Clone)]
pub(crate) struct Frame<'p> {
    /// The context whose chain is told.
    pub(crate) address: &'p Address,
    /// The commit that it shows.
    pub(crate) seq: u64,
    /// The content hash of the view.
    pub(crate) hash: String,
    /// The most tokens.
    pub(crate) max_tokens: usize,
    /// How calls are named.
    pub(crate) calls: Calls,
}

/// What stands behind the sections.
pub(crate) struct Rest<'p> {
    /// The values that did not fit their sections.
    pub(crate) more: &'p str,
    /// The places that are left out.
    pub(crate) left_out: &'p str,
    /// How many places are not among them.
    pub(crate) unlisted: usize,
    /// The tokens of the pack, at most.
    pub(crate) tokens: usize,
}

/// A form of packs.
pub(crate) trait Form {
    /// What stands before the first section: the same for all packs, so that they begin alike.
    fn head(&self) -> &'static str;
    /// Begins a section; `origins` says who made the last change, and when.
    fn open_section(&self, of: &Heading, origins: bool, replaces: bool) -> String;
    /// Ends what a section says of values.
    fn close_data(&self) -> &'static str;
    /// Begins the insights or progress notes of a section.
    fn open_entries(&self, kind: EntryKind) -> &'static str;
    /// One of them.
    fn entry(&self, entry: &Entry) -> String;
    /// Ends them.
    fn close_entries(&self) -> &'static str;
    /// Ends a section.
    fn close_section(&self) -> &'static str;
    /// What a layer says of a member, whole. `depth` counts the objects around it.
    fn member(&self, said: &Said<'_>, depth: usize) -> String;
    /// Begins an object of which only a part is told.
    fn open_object(&self, name: &str, depth: usize, replaces: bool) -> String;
    /// Ends it.
    fn close_object(&self) -> &'static str;
    /// A value that did not fit its section, and does fit the pack.
    fn more(&self, of: &Address, pointer: &Pointer, stored: Stored<'_>) -> String;
    /// One place in the list of what is left out.
    fn left_out(&self, of: &Address, left: &LeftOut<'_>) -> String;
    /// What stands behind the last section.
    fn end(&self, frame: &Frame<'_>, rest: &Rest<'_>) -> String;
    /// Appends a piece that ends something, which may need a look at what stands before it.
    fn close(&self, text: &mut String, end: &str) {
        text.push_str(end);
    }
}

/// A stored value, with nothing of sealed ones.
pub(crate) fn value(stored: Stored<'_>) -> Value {
    shown(stored.text())
}

/// Reads canonical text, and leaves out what identifies sealed values.
pub(crate) fn shown(text: &[u8]) -> Value {
    // A layer that cannot be read would not have been written.
    let mut value = json::read(text, usize::MAX).unwrap_or(Value::Null);
    hide(&mut value);
    value
}

fn hide(value: &mut Value) {
    if value.sealed().is_some() {
        let mut marker = Object::new();
        marker.insert(SEALED, Value::Bool(true));
        *value = Value::Object(marker);
        return;
    }
    match value {
        Value::Object(object) => object.iter_mut().for_each(|(_, value)| hide(value)),
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// Whether a value is sealed.
pub(crate) fn is_sealed(value: &Value) -> bool {
    let is_marker = |object: &Object| object.len() == 1 && object.contains(SEALED);
    value.as_object().is_some_and(is_marker)
}

/// The canonical text of a value.
pub(crate) fn text(value: &Value) -> String {
    String::from_utf8(json::write(value)).unwrap_or_default()
}

/// The canonical text of a string.
pub(crate) fn string(text: &str) -> String {
    let mut out = Vec::new();
    json::write_string(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// About how many bytes it takes to tell what a layer says of a member.
pub(crate) fn bytes(said: &Said<'_>) -> usize {
    let value = match &said.what {
        What::Value(stored) | What::Instead(stored) => stored.text().len(),
        What::List(text) => text.len(),
        What::Object(object) => object.members.iter().map(bytes).sum::<usize>() + 2,
        What::Nothing => 4,
    };
    said.name.len() + value
}

/// The time of an entry or of a change, to the second.
pub(crate) fn second(moment: nacre_store::moment::Moment) -> String {
    let text = moment.to_string();
    text.get(..19).map_or(text.clone(), |second| format!("{second}Z"))
}
