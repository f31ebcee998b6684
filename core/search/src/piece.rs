//! A context as pieces of text, each with its field and the pointer to it.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

use nacre_layers::{
    number::Number,
    pointer::Pointer,
    value::{Object, Value},
};

/// Names of members that hold a title, folded.
const TITLES: [&str; 8] =
    ["headline", "heading", "label", "name", "subject", "summary", "title", "topic"];

/// How deep a title may stand: the members of the document, and of its members.
const TITLE_DEPTH: usize = 2;

/// What a piece is to its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// A text under a name such as `title`.
    Title,
    /// Any other text or number.
    Text,
    /// An insight or a note on progress.
    Note,
    /// The name of a member.
    Key,
    /// The context's id.
    Id,
}

impl Field {
    /// The field in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Field::Title => "title",
            Field::Text => "text",
            Field::Note => "note",
            Field::Key => "key",
            Field::Id => "id",
        }
    }
}

/// A piece of text of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'d> {
    /// What it is.
    pub field: Field,
    /// Where it stands in the data; that of the member, for a key. The root for ids and notes.
    pub pointer: Pointer,
    /// The text.
    pub text: Cow<'d, str>,
}

/// The pieces of a context in a fixed order: id, titles and texts and keys as they stand, notes.
/// Sealed values give none, and neither do `null`, `true` and `false`.
pub fn pieces<'d>(id: &'d str, data: &'d Object, notes: &'d [String]) -> Vec<Piece<'d>> {
    let mut pieces = Vec::new();
    each_piece(id, data, notes, &mut |piece| pieces.push(piece));
    pieces
}

/// Shows the [`pieces`] of a context one by one: all of them together may take many times its size.
pub(crate) fn each_piece<'d>(
    id: &'d str,
    data: &'d Object,
    notes: &'d [String],
    see: &mut dyn FnMut(Piece<'d>),
) {
    let piece = |field, text: &'d str| Piece { field, pointer: Pointer::root(), text: text.into() };
    see(piece(Field::Id, id));
    Walk { see: &mut *see, pointer: Pointer::root(), in_array: false }.object(data);
    notes.iter().for_each(|note| see(piece(Field::Note, note)));
}

struct Walk<'d, 's> {
    see: &'s mut dyn FnMut(Piece<'d>),
    pointer: Pointer,
    in_array: bool,
}

impl<'d> Walk<'d, '_> {
    fn object(&mut self, object: &'d Object) {
        for (name, value) in object.iter() {
            self.pointer.push(name);
            self.add(Field::Key, Cow::Borrowed(name));
            self.value(name, value);
            self.pointer.pop();
        }
    }

    fn value(&mut self, name: &str, value: &'d Value) {
        if value.sealed().is_some() {
            return;
        }
        match value {
            Value::Object(object) => self.object(object),
            Value::Array(items) => {
                let outside = core::mem::replace(&mut self.in_array, true);
                for (index, item) in items.iter().enumerate() {
                    self.pointer.push_index(index);
                    self.value("", item);
                    self.pointer.pop();
                }
                self.in_array = outside;
            }
            Value::String(text) => {
                let titled = !self.in_array && self.pointer.len() <= TITLE_DEPTH && is_title(name);
                self.add(if titled { Field::Title } else { Field::Text }, Cow::Borrowed(text));
            }
            Value::Number(number) => self.add(Field::Text, Cow::Owned(written(*number))),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn add(&mut self, field: Field, text: Cow<'d, str>) {
        (self.see)(Piece { field, pointer: self.pointer.clone(), text });
    }
}

fn is_title(name: &str) -> bool {
    TITLES.iter().any(|title| name.eq_ignore_ascii_case(title))
}

fn written(number: Number) -> String {
    let mut bytes = Vec::new();
    number.write(&mut bytes);
    String::from_utf8_lossy(&bytes).to_string()
}
