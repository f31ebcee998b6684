//! JSON Pointer (RFC 6901): parse, print, build during a walk, and look values up.

use alloc::{borrow::Cow, string::String};
use core::fmt;

use crate::{
    error::{Code, Error, Result},
    limits,
    value::Value,
};

/// A JSON Pointer in its escaped text form; `""` is the whole document.
///
/// A token has exactly one escaped form, so equal texts are equal pointers. Tokens are pushed and
/// popped in place, so one buffer is enough for a whole walk.
///
/// ```
/// use nacre_layers::{json, pointer::Pointer};
///
/// let document = json::read(br#"{"a/b":[1,{"c":2}]}"#, 64)?;
/// let pointer = Pointer::parse("/a~1b/1/c")?;
/// assert_eq!(pointer.get(&document), Some(&json::read(b"2", 64)?));
/// assert_eq!(Pointer::root().child("a/b").as_str(), "/a~1b");
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    text: String,
}

impl Pointer {
    /// The pointer to the whole document.
    pub const fn root() -> Pointer {
        Pointer { text: String::new() }
    }

    /// Reads a pointer.
    ///
    /// ```
    /// use nacre_layers::pointer::Pointer;
    ///
    /// assert_eq!(Pointer::parse("/a/0")?.len(), 2);
    /// assert_eq!(Pointer::parse("a").unwrap_err().code().as_str(), "invalid-pointer");
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-pointer` if it is neither empty nor starts with `/`, if a `~` is not followed by
    /// `0` or `1`, or if it is longer than [`limits::POINTER_BYTES`].
    pub fn parse(text: impl Into<String>) -> Result<Pointer> {
        let text = text.into();
        check(&text)?;
        Ok(Pointer { text })
    }

    /// Makes a pointer of unescaped tokens.
    pub fn from_tokens<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Pointer {
        let mut pointer = Pointer::root();
        for token in tokens {
            pointer.push(token);
        }
        pointer
    }

    /// The escaped text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is the pointer to the whole document.
    pub fn is_root(&self) -> bool {
        self.text.is_empty()
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.text.bytes().filter(|byte| *byte == b'/').count()
    }

    /// The same as [`Pointer::is_root`].
    pub fn is_empty(&self) -> bool {
        self.is_root()
    }

    /// The tokens, unescaped, from the root down.
    pub fn tokens(&self) -> impl DoubleEndedIterator<Item = Cow<'_, str>> {
        // The text before the first slash is always empty, and is not a token.
        let mut tokens = self.text.split('/');
        tokens.next();
        tokens.map(unescape)
    }

    /// Appends a token, escaping it.
    pub fn push(&mut self, token: &str) {
        self.text.push('/');
        escape(token, &mut self.text);
    }

    /// Appends an array index.
    pub fn push_index(&mut self, index: usize) {
        self.text.push('/');
        self.text.push_str(itoa::Buffer::new().format(index));
    }

    /// Removes the last token; returns `false` at the root.
    pub fn pop(&mut self) -> bool {
        let Some(slash) = self.text.rfind('/') else { return false };
        self.text.truncate(slash);
        true
    }

    /// A copy of this pointer with one more token.
    #[must_use]
    pub fn child(&self, token: &str) -> Pointer {
        let mut child = self.clone();
        child.push(token);
        child
    }

    /// This pointer followed by all tokens of `below`.
    #[must_use]
    pub fn join(&self, below: &Pointer) -> Pointer {
        let mut text = String::with_capacity(self.text.len() + below.text.len());
        text.push_str(&self.text);
        text.push_str(&below.text);
        Pointer { text }
    }

    /// The pointer without its last token, and that token unescaped; `None` at the root.
    pub fn split_last(&self) -> Option<(Pointer, Cow<'_, str>)> {
        let (parent, last) = self.text.rsplit_once('/')?;
        Some((Pointer { text: parent.into() }, unescape(last)))
    }

    /// Whether `above` is this pointer or points at something that contains it.
    pub fn starts_with(&self, above: &Pointer) -> bool {
        self.strip_prefix(above).is_some()
    }

    /// The rest after `above`, if this pointer starts with it.
    ///
    /// ```
    /// use nacre_layers::pointer::Pointer;
    ///
    /// let whole = Pointer::parse("/a/b/c")?;
    /// assert_eq!(whole.strip_prefix(&Pointer::parse("/a")?), Some(Pointer::parse("/b/c")?));
    /// assert_eq!(whole.strip_prefix(&Pointer::parse("/ab")?), None);
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    pub fn strip_prefix(&self, above: &Pointer) -> Option<Pointer> {
        let rest = self.text.strip_prefix(above.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| Pointer { text: rest.into() })
    }

    /// The value at this pointer in `value`; `None` if there is none.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.tokens().try_fold(value, |value, token| match value {
            Value::Object(object) => object.get(&token),
            Value::Array(items) => items.get(index(&token)?),
            _ => None,
        })
    }

    /// The same, to change the value.
    pub fn get_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.tokens().try_fold(value, |value, token| match value {
            Value::Object(object) => object.get_mut(&token),
            Value::Array(items) => items.get_mut(index(&token)?),
            _ => None,
        })
    }
}

/// The array index of a token: digits without a leading zero (RFC 6901 §4). `-`, the place after
/// the last element, is not an index.
///
/// ```
/// use nacre_layers::pointer::index;
///
/// assert_eq!(index("12"), Some(12));
/// assert_eq!([index("012"), index("-"), index("a")], [None; 3]);
/// ```
pub fn index(token: &str) -> Option<usize> {
    let canonical = token.bytes().all(|byte| byte.is_ascii_digit())
        && (token.len() == 1 || !token.starts_with('0'));
    if canonical { token.parse().ok() } else { None }
}

/// Appends the escaped form of a token, without a slash.
pub fn escape(token: &str, out: &mut String) {
    for piece in token.split_inclusive(['~', '/']) {
        let escaped = match piece.as_bytes().last() {
            Some(b'~') => "~0",
            Some(b'/') => "~1",
            _ => {
                out.push_str(piece);
                continue;
            }
        };
        out.push_str(piece.get(..piece.len() - 1).unwrap_or_default());
        out.push_str(escaped);
    }
}

fn unescape(token: &str) -> Cow<'_, str> {
    let Some((plain, escaped)) = token.split_once('~') else { return Cow::Borrowed(token) };
    let mut text = String::from(plain);
    for piece in escaped.split('~') {
        // One pass, so that `~01` becomes `~1` and not `/` (RFC 6901 §4).
        text.push(if piece.starts_with('1') { '/' } else { '~' });
        text.push_str(piece.get(1..).unwrap_or_default());
    }
    Cow::Owned(text)
}

fn check(text: &str) -> Result<()> {
    let invalid = |detail| Err(Error::new(Code::InvalidPointer, detail));
    if text.len() > limits::POINTER_BYTES {
        return Err(Error::new(Code::InvalidPointer, "a JSON Pointer must be at most 4096 bytes")
            .limit(limits::POINTER_BYTES as u64));
    }
    if !text.is_empty() && !text.starts_with('/') {
        return invalid("a JSON Pointer must be empty or start with `/` (RFC 6901)");
    }
    let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !escaped {
        return invalid("in a JSON Pointer, write `~` as `~0`, and `/` in a name as `~1`");
    }
    Ok(())
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> String {
        pointer.text
    }
}

impl From<&Pointer> for String {
    fn from(pointer: &Pointer) -> String {
        pointer.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_a_round_trip() {
        for tokens in [&[][..], &[""], &["a", "b/c", "~1", "~", "/", "-", "", "ü"]] {
            let pointer = Pointer::from_tokens(tokens.iter().copied());
            let parsed = Pointer::parse(pointer.as_str()).unwrap();
            assert_eq!(parsed.len(), tokens.len());
            assert!(parsed.tokens().eq(tokens.iter().map(|token| Cow::from(*token))));
        }
    }

    #[test]
    fn pop_undoes_push() {
        let mut pointer = Pointer::parse("/a~1b").unwrap();
        pointer.push("c/d");
        pointer.push_index(12);
        assert_eq!(pointer.as_str(), "/a~1b/c~1d/12");
        assert!(pointer.pop() && pointer.pop());
        assert_eq!(pointer.as_str(), "/a~1b");
        assert!(pointer.pop() && !pointer.pop());
    }

    #[test]
    fn a_longer_name_is_not_a_child() {
        let parse = |text: &str| Pointer::parse(text).unwrap();
        assert!(parse("/a/b").starts_with(&parse("/a")));
        assert!(parse("/a").starts_with(&parse("/a")));
        assert!(parse("/a").starts_with(&Pointer::root()));
        assert!(!parse("/ab").starts_with(&parse("/a")));
        assert!(!parse("/a").starts_with(&parse("/a/b")));
    }

    #[test]
    fn indices_are_written_one_way() {
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("10"), Some(10));
        for other in ["", "-", "00", "01", "+1", "1e0", "-1", "99999999999999999999999"] {
            assert_eq!(index(other), None, "{other}");
        }
    }
}
