//! Sensitive member names: splits names into words, and compares them with a list.
//!
//! A name is split into words. A word ends at a character that is neither a letter nor a digit,
//! between letters and digits, between a script with capitals and one without (`用户token`), and
//! before a capital in `camelCase`. In `JWTtoken`, `APIKey` or `TOKENs` the end of the capitals is
//! not clear (`JW-Ttoken` or `JWT-token`?), so a word may end on either side of the last capital:
//! in doubt a value is sealed.
//!
//! A name is sensitive if it contains the words of a listed entry, whole and in order, written
//! apart or together (`api_key`, `apiKey`, `APIKEY`), in the singular or a simple plural (`-s`,
//! `-y` → `-ies`), in any case. `tokenizer`, `secretary` and `passwordless` contain no listed word.

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::error::{Code, Error, Result};

/// Most entries in a list.
const ENTRIES: usize = 256;

/// Longest entry, in bytes.
const ENTRY_BYTES: usize = 128;

/// The words that make a member name sensitive.
///
/// ```
/// use nacre_layers::sensitive::SensitiveNames;
///
/// let names = SensitiveNames::parse("api_key, token")?;
/// assert!(names.holds("stripeApiKey") && names.holds("TOKENS"));
/// assert!(!names.holds("tokenizer"));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SensitiveNames {
    patterns: Vec<Pattern>,
    fold: Fold,
}

/// Folds the case of a character, which gives up to three characters.
type Fold = fn(char) -> [Option<char>; 3];

/// For any list. It needs Unicode's table of capitals, the largest piece of data in a module.
fn unicode(c: char) -> [Option<char>; 3] {
    let mut folded = c.to_lowercase();
    [folded.next(), folded.next(), folded.next()]
}

/// For lists of ASCII words. It gives the same result as [`unicode`]: apart from ASCII, only the
/// Kelvin sign folds to ASCII alone.
fn ascii(c: char) -> [Option<char>; 3] {
    let folded = if c == '\u{212a}' { 'k' } else { c.to_ascii_lowercase() };
    [Some(folded), None, None]
}

/// An entry, in the singular or as a plural.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// Folded words joined by `_`.
    words: Box<str>,
    /// The [`letters`] that an ASCII name must have; all bits if the words are not ASCII.
    letters: u32,
}

impl SensitiveNames {
    /// The list to use if none is configured. (`pass_word` finds `password` too, and also
    /// `passWord` and `pass-word`.)
    pub const DEFAULT: &str = "api_key, pass_word, secret, token, credential";

    /// Reads a list: entries separated by commas, each one or more words in any spelling
    /// (`api_key`, `apiKey`, `api key`).
    ///
    /// # Errors
    /// `invalid-request` if there is no entry, an entry has no letter or digit, one has more than
    /// 128 bytes, or there are more than 256.
    pub fn parse(list: &str) -> Result<SensitiveNames> {
        SensitiveNames::read(list, unicode)
    }

    fn read(list: &str, fold: Fold) -> Result<SensitiveNames> {
        let invalid = |detail| Err(Error::new(Code::InvalidRequest, detail));
        let entries: Vec<&str> =
            list.split(',').map(str::trim_ascii).filter(|entry| !entry.is_empty()).collect();
        if entries.is_empty() {
            return invalid("the list of sensitive names must have an entry");
        }
        if entries.len() > ENTRIES || entries.iter().any(|entry| entry.len() > ENTRY_BYTES) {
            return invalid(
                "the list of sensitive names must have at most 256 entries of at most 128 bytes",
            );
        }
        let mut patterns = Vec::new();
        for entry in entries {
            let words = words_of(entry, fold);
            if words.is_empty() {
                return invalid(
                    "an entry of the list of sensitive names must have a letter or a digit",
                );
            }
            if let Some(stem) = words.strip_suffix('y') {
                patterns.push(Pattern::new(alloc::format!("{stem}ies")));
            }
            patterns.push(Pattern::new(alloc::format!("{words}s")));
            patterns.push(Pattern::new(words));
        }
        Ok(SensitiveNames { patterns, fold })
    }

    /// Whether values under this member name must be sealed.
    ///
    /// Called for every member of a write, so it does not allocate. One pass over the bytes of the
    /// name finds its letters; only entries whose letters all occur are compared.
    pub fn holds(&self, name: &str) -> bool {
        let lacking = if name.is_ascii() { !letters(name) } else { 0 };
        self.patterns
            .iter()
            .any(|pattern| pattern.letters & lacking == 0 && pattern.occurs_in(name, self.fold))
    }
}

impl Default for SensitiveNames {
    fn default() -> SensitiveNames {
        // The list is a constant, and a test parses it. Without it nothing would be sealed.
        SensitiveNames::read(Self::DEFAULT, ascii)
            .unwrap_or(SensitiveNames { patterns: Vec::new(), fold: ascii })
    }
}

impl PartialEq for SensitiveNames {
    fn eq(&self, other: &SensitiveNames) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for SensitiveNames {}

impl Pattern {
    fn new(words: String) -> Pattern {
        let letters = if words.is_ascii() {
            words.bytes().filter(|byte| *byte != b'_').fold(0, with_letter)
        } else {
            u32::MAX
        };
        Pattern { words: words.into(), letters }
    }

    /// Whether a name contains the words.
    fn occurs_in(&self, name: &str, fold: Fold) -> bool {
        let Some(first) = self.words.chars().next() else { return false };
        let mut seen = Seen::default();
        let mut rest = name.chars();
        loop {
            let here = rest.clone();
            let Some(next) = rest.next() else { return false };
            let may_begin = match next.is_ascii() {
                true => next.to_ascii_lowercase() == first,
                false => fold(next)[0] == Some(first),
            };
            if may_begin
                && seen.edge(next, rest.clone().next()) != Edge::None
                && stands_at(&self.words, here, fold)
            {
                return true;
            }
            seen.push(next);
        }
    }
}

/// Whether `rest`, which starts with a word, starts with the pattern, ending at the end of a word.
fn stands_at(pattern: &str, mut rest: core::str::Chars<'_>, fold: Fold) -> bool {
    let mut seen = Seen::default();
    let mut pattern = pattern.chars().peekable();
    while let Some(&expected) = pattern.peek() {
        let mut apart = seen.last.is_none();
        if expected == '_' {
            pattern.next();
            apart = true;
        }
        let Some(mut next) = rest.next() else { return false };
        while apart && kind(next) == Kind::Separator {
            let Some(following) = rest.next() else { return false };
            next = following;
        }
        if !apart && seen.edge(next, rest.clone().next()) == Edge::Sure {
            return false;
        }
        for folded in fold(next).into_iter().flatten() {
            if pattern.next() != Some(folded) {
                return false;
            }
        }
        seen.push(next);
    }
    let mut after = rest;
    match after.next() {
        None => true,
        Some(next) => seen.edge(next, after.next()) != Edge::None,
    }
}

/// An entry's words, folded, joined by `_`.
fn words_of(entry: &str, fold: Fold) -> String {
    let mut words = String::new();
    let mut seen = Seen::default();
    let mut rest = entry.chars();
    while let Some(next) = rest.next() {
        let following = rest.clone().next();
        if kind(next) != Kind::Separator {
            let begins = match seen.edge(next, following) {
                Edge::Sure => true,
                // Of the two readings, the usual one: the last capital starts the next word.
                Edge::Perhaps => next.is_uppercase(),
                Edge::None => false,
            };
            if begins && !words.is_empty() {
                words.push('_');
            }
            words.extend(fold(next).into_iter().flatten());
        }
        seen.push(next);
    }
    words
}

/// The letters of an ASCII text in any case, as bits 1 to 26. Other characters may set the same
/// bits, so the set can only be too large.
fn letters(text: &str) -> u32 {
    text.bytes().fold(0, with_letter)
}

fn with_letter(letters: u32, byte: u8) -> u32 {
    letters | 1 << (byte & 31)
}

/// Whether a word starts before a character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    None,
    Perhaps,
    Sure,
}

/// The role of a character in words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Upper,
    Lower,
    /// A letter of a script without case.
    Plain,
    Digit,
    Separator,
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' => Kind::Lower,
        'A'..='Z' => Kind::Upper,
        '0'..='9' => Kind::Digit,
        _ if c.is_ascii() => Kind::Separator,
        _ if c.is_uppercase() => Kind::Upper,
        _ if c.is_lowercase() => Kind::Lower,
        _ if c.is_numeric() => Kind::Digit,
        _ if c.is_alphabetic() => Kind::Plain,
        _ => Kind::Separator,
    }
}

/// The two characters before the current one.
#[derive(Clone, Copy, Default)]
struct Seen {
    before: Option<char>,
    last: Option<char>,
}

impl Seen {
    fn push(&mut self, c: char) {
        self.before = self.last;
        self.last = Some(c);
    }

    /// Whether a word ends before `next`, which `following` follows.
    fn edge(&self, next: char, following: Option<char>) -> Edge {
        let Some(last) = self.last else { return Edge::Sure };
        match (kind(last), kind(next)) {
            (Kind::Upper, Kind::Upper) => match following.map(kind) {
                Some(Kind::Lower) => Edge::Perhaps,
                _ => Edge::None,
            },
            (Kind::Upper, Kind::Lower) => match self.before.map(kind) {
                Some(Kind::Upper) => Edge::Perhaps,
                _ => Edge::None,
            },
            (last, next) if last == next && last != Kind::Separator => Edge::None,
            _ => Edge::Sure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_list_is_a_list() {
        assert_eq!(SensitiveNames::parse(SensitiveNames::DEFAULT), Ok(SensitiveNames::default()));
        assert!(SensitiveNames::default().holds("password"));
    }

    #[test]
    fn words_of_ascii_need_no_table() {
        for c in '\0'..=char::MAX {
            let (with, without) = (unicode(c), ascii(c));
            match with.iter().flatten().all(char::is_ascii) {
                true => assert_eq!(with, without),
                false => assert_eq!(without, [Some(c), None, None]),
            }
        }
        let names = SensitiveNames::default();
        assert!(names.holds("TO\u{212a}EN") && !names.holds("CREDENT\u{130}AL"));
    }

    #[test]
    fn entries_are_read_as_words() {
        for (entry, words) in [
            ("apiKey", "api_key"),
            ("API Key", "api_key"),
            ("APIKey", "api_key"),
            ("oauth2", "oauth_2"),
            ("--x--", "x"),
            ("Ключ", "ключ"),
        ] {
            assert_eq!(words_of(entry, unicode), words);
        }
    }

    #[test]
    fn a_list_without_words_is_refused() {
        for list in ["", " , ,", "token,--", &"x,".repeat(257), &"x".repeat(129)] {
            assert_eq!(
                SensitiveNames::parse(list).map_err(|error| error.code()),
                Err(Code::InvalidRequest)
            );
        }
    }
}
