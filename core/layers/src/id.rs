//! Identifiers that people choose: contexts and users.

use alloc::{rc::Rc, string::String};
use core::fmt;

use crate::{
    error::{Code, Error, Result},
    limits,
};

/// The id of a context within its level: 1–128 characters of `A–Z a–z 0–9 . _ : ~ -`, but not `.` or
/// `..`, which URLs remove from a path (RFC 3986 §5.2.4).
///
/// Cloning is cheap; ids travel in plans, events and caches.
///
/// ```
/// use nacre_layers::id::ContextId;
///
/// assert_eq!(ContextId::parse("shop.checkout")?.as_str(), "shop.checkout");
/// assert_eq!(ContextId::parse("a b").unwrap_err().code().as_str(), "invalid-id");
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(Rc<str>);

impl ContextId {
    /// Parses an id.
    ///
    /// # Errors
    /// `invalid-id` if it is empty, `.` or `..`, longer than [`limits::ID_LENGTH`], or holds another
    /// character.
    pub fn parse(text: &str) -> Result<ContextId> {
        if matches!(text, "." | "..") {
            return Err(invalid());
        }
        ContextId::stored(text)
    }

    /// An id that was stored, perhaps before `.` and `..` were refused.
    ///
    /// # Errors
    /// As [`ContextId::parse`], but for those two.
    pub fn stored(text: &str) -> Result<ContextId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:~-".contains(&byte);
        if text.is_empty() || text.len() > limits::ID_LENGTH || !text.bytes().all(allowed) {
            return Err(invalid());
        }
        Ok(ContextId(text.into()))
    }

    /// The one id of the global level.
    pub fn global() -> ContextId {
        ContextId("global".into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The characters of Unicode's property `Bidi_Control`.
fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn invalid() -> Error {
    let detail = "an id must be 1 to 128 characters of A-Z a-z 0-9 . _ : ~ -, and not `.` or `..`";
    Error::new(Code::InvalidId, detail).limit(limits::ID_LENGTH as u64)
}

/// A user, the `sub` of a token: 1–256 bytes, no control characters, and none that reorder text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User(Rc<str>);

impl User {
    /// Parses a user.
    ///
    /// # Errors
    /// `invalid-id` if it is empty, longer than 256 bytes, or holds a control character or one that
    /// reorders text (Unicode's `Bidi_Control`), with which one user could look like another.
    pub fn parse(text: &str) -> Result<User> {
        let allowed = |c: char| !c.is_control() && !reorders(c);
        if text.is_empty() || text.len() > 256 || !text.chars().all(allowed) {
            return Err(Error::new(
                Code::InvalidId,
                "a user must be 1 to 256 bytes without control characters",
            ));
        }
        Ok(User(text.into()))
    }

    /// The user as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&User> for String {
    fn from(user: &User) -> String {
        user.as_str().into()
    }
}
