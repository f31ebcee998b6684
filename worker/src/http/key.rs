//! The `Idempotency-Key` of a write, bound to the request it came with.

use nacre_core::{
    error::{Code, Error, Result},
    hash::Hash,
    op::Idempotency,
    wire::operation::check_key,
};

use super::{Head, routes::Route};

/// An idempotency key, and a hash of the request's head.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    head: Hash,
}

impl Key {
    /// Reads the header of a request whose route takes a key.
    ///
    /// # Errors
    /// `invalid-request` for a malformed key.
    pub(super) fn of(head: &Head<'_>, route: &Route) -> Result<Option<Key>> {
        if !route.takes_key() {
            return Ok(None);
        }
        let Some(header) = head.headers.get("idempotency-key") else { return Ok(None) };
        let text = header.trim();
        // The draft's form is a structured string, in quotes; most clients send the bare key.
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
        check_key(text)?;
        if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(Error::new(
                Code::InvalidRequest,
                "the idempotency key must be printable ASCII",
            ));
        }
        let content_type = head.headers.get("content-type").unwrap_or_default();
        let mut bytes = Vec::new();
        for part in [head.method, head.path, head.query, &content_type] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        Ok(Some(Key { text: text.into(), head: Hash::of(&bytes) }))
    }

    /// Binds the key to a body, given by its hash, and to a part of the request.
    pub(super) fn bind(&self, body: Hash) -> Hash {
        let mut both = [0; 64];
        let bytes = self.head.as_bytes().iter().chain(body.as_bytes());
        both.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        Hash::of(&both)
    }

    /// The key of a request with this body.
    pub(super) fn of_body(self, body: &[u8]) -> Idempotency {
        let request = self.bind(Hash::of(body));
        Idempotency { key: self.text, request }
    }
}
