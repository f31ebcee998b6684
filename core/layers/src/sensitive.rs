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
//!
//! Some names hold no secret although they contain an entry (`max_tokens`, `password_policy`). They
//! are exceptions under any list, unless an entry names them itself. `list.rs` holds the built-in
//! entries and the exceptions.

mod list;

use alloc::{boxed::Box, string::String, vec::Vec};

use crate::{
    error::{Code, Error, Result},
    value::Value,
};

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
/// assert!(!names.holds("tokenizer") && !names.holds("max_tokens"));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SensitiveNames {
    patterns: Vec<Pattern>,
    /// Words that directly follow an entry and tell that the value only describes the secret.
    describing: Vec<Pattern>,
    /// Harmless names that contain an entry.
    harmless: Vec<Pattern>,
    /// Words that say that a number counts something.
    counting: Vec<Pattern>,
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

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// Folded words joined by `_`, without a `y` at the end.
    stem: Box<str>,
    /// What may follow the stem.
    endings: &'static [&'static str],
    /// The [`letters`] that an ASCII name must have; all bits if the words are not ASCII.
    letters: u32,
    /// Only as the last words of a name.
    last: bool,
}

/// The kinds of values that a sensitive name treats alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A boolean or `null`, which is never sealed.
    Flag,
    /// A number, which is sealed if [`SensitiveNames::holds_number`] says so.
    Number,
    /// A text, an array or an object, which is sealed as one value.
    Whole,
}

impl Kind {
    /// The kind of a value.
    pub fn of(value: &Value) -> Kind {
        match value {
            Value::Null | Value::Bool(_) => Kind::Flag,
            Value::Number(_) => Kind::Number,
            Value::String(_) | Value::Array(_) | Value::Object(_) => Kind::Whole,
        }
    }
}

/// Whether a member names what [`is_labelled`] holds, as in `{"name":"API_KEY","value":"…"}` or
/// `{"Key":"API_KEY","Value":"…"}`.
pub fn is_label(name: &str) -> bool {
    name.eq_ignore_ascii_case("name") || name.eq_ignore_ascii_case("key")
}

/// Whether a member holds the value that [`is_label`] names.
pub fn is_labelled(name: &str) -> bool {
    name.eq_ignore_ascii_case("value")
}

/// Where a pattern stands in a name, in bytes.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    /// Whether the entry is in the plural here.
    plural: bool,
}

impl SensitiveNames {
    /// Reads a list, which replaces the built-in one: entries separated by commas, each one or more
    /// words in any spelling (`api_key`, `apiKey`, `api key`). [`SensitiveNames::default`] is the
    /// built-in list.
    ///
    /// # Errors
    /// `invalid-request` if there is no entry, an entry has no letter or digit, one has more than
    /// 128 bytes, or there are more than 256.
    pub fn parse(list: &str) -> Result<SensitiveNames> {
        let invalid = |detail| Err(Error::new(Code::InvalidRequest, detail));
        let patterns: Vec<Pattern> = patterns(list, unicode).collect();
        if patterns.is_empty() {
            return invalid("the list of sensitive names must have an entry");
        }
        if patterns.len() > ENTRIES || entries(list).any(|entry| entry.len() > ENTRY_BYTES) {
            return invalid(
                "the list of sensitive names must have at most 256 entries of at most 128 bytes",
            );
        }
        if patterns.iter().any(|pattern| pattern.first().is_none()) {
            return invalid(
                "an entry of the list of sensitive names must have a letter or a digit",
            );
        }
        Ok(SensitiveNames::of(patterns, unicode))
    }

    /// The general words alone, without exceptions, for [`mentions`](SensitiveNames::mentions): a
    /// replica hides their values in its own writes until the server has sealed what is sensitive.
    /// The whole list would not fit in its module.
    pub fn general() -> SensitiveNames {
        SensitiveNames {
            patterns: patterns(list::GENERAL, ascii).collect(),
            describing: Vec::new(),
            harmless: Vec::new(),
            counting: Vec::new(),
            fold: ascii,
        }
    }

    fn of(patterns: Vec<Pattern>, fold: Fold) -> SensitiveNames {
        let [describing, harmless, counting] = [list::DESCRIBING, list::HARMLESS, list::COUNTING]
            .map(|list| self::patterns(list, fold).collect());
        SensitiveNames { patterns, describing, harmless, counting, fold }
    }

    /// Whether a value of this kind under this member name must be sealed.
    pub fn seals(&self, name: &str, kind: Kind) -> bool {
        match kind {
            Kind::Flag => false,
            Kind::Number => self.holds_number(name),
            Kind::Whole => self.holds(name),
        }
    }

    /// Whether texts, arrays and objects under this member name must be sealed.
    ///
    /// Called for every member of a write, so it does not allocate. One pass over the bytes of the
    /// name finds its letters; only entries whose letters all occur are compared, and exceptions
    /// only if an entry is found.
    pub fn holds(&self, name: &str) -> bool {
        self.finds(name, |pattern, place| !pattern.last || is_end(name, place))
    }

    /// Whether numbers under this member name must be sealed.
    ///
    /// A number is a credential (`password`, `db_pwd_2`) if the name ends with a sensitive entry in
    /// the singular and no word of the name says that it counts. A plural (`tokens`) counts.
    pub fn holds_number(&self, name: &str) -> bool {
        self.finds(name, |_, place| !place.plural && is_end(name, place))
            && !self.counting.iter().any(|word| word.stands_in(name, self.fold, |_| true))
    }

    /// Whether a name contains an entry, exceptions or not.
    pub fn mentions(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.stands_in(name, self.fold, |_| true))
    }

    fn finds(&self, name: &str, suits: impl Fn(&Pattern, Place) -> bool) -> bool {
        let lacking = if name.is_ascii() { !letters(name) } else { 0 };
        self.patterns.iter().any(|pattern| {
            pattern.letters & lacking == 0
                && pattern.stands_in(name, self.fold, |place| {
                    suits(pattern, place) && !self.excepts(name, place)
                })
        })
    }

    /// Whether the entry at this place says nothing, because of the words around it. An exception
    /// must reach further than the entry, and not end before it.
    fn excepts(&self, name: &str, place: Place) -> bool {
        let after = name.get(place.end..).unwrap_or_default();
        self.describing.iter().any(|word| word.begins(after, self.fold).next().is_some())
            || self.harmless.iter().any(|harmless| {
                harmless.stands_in(name, self.fold, |around| {
                    (around.start < place.start && around.end == place.end)
                        || (around.start < place.end && around.end > place.end)
                })
            })
    }
}

impl Default for SensitiveNames {
    fn default() -> SensitiveNames {
        let last = patterns(list::LAST, ascii).map(|pattern| Pattern { last: true, ..pattern });
        let anywhere = [list::GENERAL, list::ANYWHERE].into_iter();
        let anywhere = anywhere.flat_map(|list| patterns(list, ascii));
        SensitiveNames::of(anywhere.chain(last).collect(), ascii)
    }
}

impl PartialEq for SensitiveNames {
    fn eq(&self, other: &SensitiveNames) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for SensitiveNames {}

impl Pattern {
    fn new(entry: &str, fold: Fold) -> Pattern {
        let words = words_of(entry, fold);
        let (stem, endings): (_, &[_]) = match words.strip_suffix('y') {
            Some(stem) if !stem.is_empty() => (stem, &["y", "ys", "ies"]),
            _ => (words.as_str(), &["", "s"]),
        };
        let letters = if stem.is_ascii() {
            stem.bytes().filter(|byte| *byte != b'_').fold(0, with_letter)
        } else {
            u32::MAX
        };
        Pattern { stem: stem.into(), endings, letters, last: false }
    }

    fn first(&self) -> Option<char> {
        self.stem.chars().next()
    }

    /// Whether a name contains the words at a place that suits.
    fn stands_in(&self, name: &str, fold: Fold, suits: impl Fn(Place) -> bool) -> bool {
        let Some(first) = self.first() else { return false };
        let mut seen = Seen::default();
        let mut rest = name.chars();
        loop {
            let here = rest.as_str();
            let Some(next) = rest.next() else { return false };
            let may_begin = match next.is_ascii() {
                true => next.to_ascii_lowercase() == first,
                false => fold(next)[0] == Some(first),
            };
            let start = name.len() - here.len();
            if may_begin
                && seen.edge(next, rest.clone().next()) != Edge::None
                && self
                    .begins(here, fold)
                    .any(|(length, plural)| suits(Place { start, end: start + length, plural }))
            {
                return true;
            }
            seen.push(next);
        }
    }

    /// The lengths at which the words may end if `text`, which starts with a word, starts with
    /// them, and whether they are a plural there.
    fn begins<'a>(&'a self, text: &'a str, fold: Fold) -> impl Iterator<Item = (usize, bool)> + 'a {
        self.endings.iter().filter_map(move |ending| {
            let rest = after(self.stem.chars().chain(ending.chars()), text.chars(), fold)?;
            Some((text.len() - rest.as_str().len(), ending.ends_with('s')))
        })
    }
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim_ascii).filter(|entry| !entry.is_empty())
}

fn patterns(list: &str, fold: Fold) -> impl Iterator<Item = Pattern> {
    entries(list).map(move |entry| Pattern::new(entry, fold))
}

/// Whether only digits and separators follow.
fn is_end(name: &str, place: Place) -> bool {
    let rest = name.get(place.end..).unwrap_or_default();
    rest.chars().all(|c| matches!(glyph(c), Glyph::Digit | Glyph::Separator))
}

/// What follows the pattern if `rest`, which starts with a word, starts with it and the pattern ends
/// at the end of a word.
fn after<'n>(
    pattern: impl Iterator<Item = char>,
    mut rest: core::str::Chars<'n>,
    fold: Fold,
) -> Option<core::str::Chars<'n>> {
    let mut seen = Seen::default();
    let mut pattern = pattern.peekable();
    while let Some(&expected) = pattern.peek() {
        let mut apart = seen.last.is_none();
        if expected == '_' {
            pattern.next();
            apart = true;
        }
        let mut next = rest.next()?;
        while apart && glyph(next) == Glyph::Separator {
            next = rest.next()?;
        }
        if !apart && seen.edge(next, rest.clone().next()) == Edge::Sure {
            return None;
        }
        for folded in fold(next).into_iter().flatten() {
            if pattern.next() != Some(folded) {
                return None;
            }
        }
        seen.push(next);
    }
    let mut ahead = rest.clone();
    match ahead.next() {
        Some(next) if seen.edge(next, ahead.next()) == Edge::None => None,
        _ => Some(rest),
    }
}

/// An entry's words, folded, joined by `_`.
fn words_of(entry: &str, fold: Fold) -> String {
    let mut words = String::new();
    let mut seen = Seen::default();
    let mut rest = entry.chars();
    while let Some(next) = rest.next() {
        let following = rest.clone().next();
        if glyph(next) != Glyph::Separator {
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
enum Glyph {
    Upper,
    Lower,
    /// A letter of a script without case.
    Plain,
    Digit,
    Separator,
}

fn glyph(c: char) -> Glyph {
    match c {
        'a'..='z' => Glyph::Lower,
        'A'..='Z' => Glyph::Upper,
        '0'..='9' => Glyph::Digit,
        _ if c.is_ascii() => Glyph::Separator,
        _ if c.is_uppercase() => Glyph::Upper,
        _ if c.is_lowercase() => Glyph::Lower,
        _ if c.is_numeric() => Glyph::Digit,
        _ if c.is_alphabetic() => Glyph::Plain,
        _ => Glyph::Separator,
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
        match (glyph(last), glyph(next)) {
            (Glyph::Upper, Glyph::Upper) => match following.map(glyph) {
                Some(Glyph::Lower) => Edge::Perhaps,
                _ => Edge::None,
            },
            (Glyph::Upper, Glyph::Lower) => match self.before.map(glyph) {
                Some(Glyph::Upper) => Edge::Perhaps,
                _ => Edge::None,
            },
            (last, next) if last == next && last != Glyph::Separator => Edge::None,
            _ => Edge::Sure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The built-in lists are read without a check: nothing would be sealed by an entry that has no
    /// word, and an exception would not hold.
    #[test]
    fn the_built_in_lists_are_lists() {
        for list in [
            list::GENERAL,
            list::ANYWHERE,
            list::LAST,
            list::DESCRIBING,
            list::HARMLESS,
            list::COUNTING,
        ] {
            let names = SensitiveNames::parse(list).unwrap();
            let entries: Vec<&str> = entries(list).collect();
            assert!(list.is_ascii() && entries.iter().all(|entry| names.holds(entry)), "{list}");
            for entry in &entries {
                assert_eq!(entries.iter().filter(|other| *other == entry).count(), 1, "{entry}");
            }
        }
        let names = SensitiveNames::default();
        for entry in [list::GENERAL, list::ANYWHERE, list::LAST].into_iter().flat_map(entries) {
            assert!(names.holds(entry) && names.holds_number(entry), "{entry}");
        }
        for word in entries(list::COUNTING) {
            assert!(!names.holds_number(&alloc::format!("{word}_password")), "{word}");
        }
        for entry in entries(list::HARMLESS) {
            assert!(!names.holds(entry), "{entry}");
            let without = SensitiveNames { harmless: Vec::new(), ..names.clone() };
            assert!(without.holds(entry), "{entry} needs no exception");
        }
        for word in entries(list::DESCRIBING) {
            assert!(!names.holds(&alloc::format!("password_{word}")), "{word}");
        }
    }

    #[test]
    fn an_entry_prevails_over_the_exceptions_that_it_contains() {
        let names = SensitiveNames::parse("max_tokens, token, password_policy").unwrap();
        assert!(names.holds("max_tokens") && names.holds("password_policy"));
        assert!(!names.holds("total_tokens") && !names.holds("token_policy"));
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
