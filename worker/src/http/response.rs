//! A response as data.

use std::borrow::Cow;

/// Status, headers and body, for a shell to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Headers; each name once.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body; empty for HEAD, 204 and 304.
    pub body: Vec<u8>,
}

impl Response {
    pub(super) fn new(status: u16) -> Response {
        Response { status, headers: Vec::with_capacity(12), body: Vec::new() }
    }

    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.push((name, value.into()));
    }

    /// Replaces a header that is set already.
    pub(super) fn replace(&mut self, name: &'static str, value: &'static str) {
        self.headers.retain(|(known, _)| *known != name);
        self.set(name, value);
    }

    /// Adds to the list that a header holds already.
    pub(super) fn add_to(&mut self, name: &str, value: &str) {
        if let Some((_, list)) = self.headers.iter_mut().find(|(known, _)| *known == name) {
            list.to_mut().push_str(", ");
            list.to_mut().push_str(value);
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }
}
