//! Writes an object's canonical text member by member, without a tree.

use alloc::vec::Vec;

use nacre_layers::json;

/// An object that is being written. Members must come in sorted order, with plain ASCII names.
pub(super) struct ObjectText<'o> {
    out: &'o mut Vec<u8>,
    last: &'static str,
}

impl<'o> ObjectText<'o> {
    pub(super) fn open(out: &'o mut Vec<u8>) -> ObjectText<'o> {
        out.push(b'{');
        ObjectText { out, last: "" }
    }

    /// Continues an object whose last member was `last`.
    pub(super) fn after(last: &'static str, out: &'o mut Vec<u8>) -> ObjectText<'o> {
        ObjectText { out, last }
    }

    /// Starts a member, and returns the buffer for the text of its value.
    pub(super) fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        debug_assert!(self.last < name, "{name} comes after {}", self.last);
        if !self.last.is_empty() {
            self.out.push(b',');
        }
        self.last = name;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// Adds a member whose value is canonical text.
    pub(super) fn raw(&mut self, name: &'static str, text: &[u8]) {
        self.member(name).extend_from_slice(text);
    }

    pub(super) fn string(&mut self, name: &'static str, text: &str) {
        json::write_string(text, self.member(name));
    }

    /// A string, or null.
    pub(super) fn option(&mut self, name: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.string(name, text),
            None => self.raw(name, b"null"),
        }
    }

    pub(super) fn number(&mut self, name: &'static str, number: u64) {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(number);
        self.member(name).extend_from_slice(text.as_bytes());
    }

    pub(super) fn close(self) {
        self.out.push(b'}');
    }
}

/// Writes an array, one item after another.
pub(super) fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut item: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (at, value) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item(out, value);
    }
    out.push(b']');
}
