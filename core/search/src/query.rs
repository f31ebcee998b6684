//! Queries as people type them: words, "phrases", -exclusions, `level:`, `path:` and a last prefix*.
//!
//! There is no wrong query. What is not understood is words.

use alloc::{string::String, vec::Vec};

use nacre_layers::{level::Level, pointer::Pointer};

use crate::{
    rank,
    row::path_term,
    text::{Kind, fold, is_stop_word, terms},
};

/// The fewest bytes of a prefix.
const PREFIX_BYTES: usize = 2;

/// A query, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The words that documents are scored by, those of phrases too.
    pub words: Vec<Word>,
    /// What a document must have.
    pub phrases: Vec<Phrase>,
    /// What a document must not have.
    pub excluded: Vec<Phrase>,
    /// The levels to search in; all if empty.
    pub levels: Vec<Level>,
    /// The paths that a document must have, as terms.
    pub paths: Vec<String>,
    /// The folded beginning of a last word that is not typed to its end.
    pub prefix: Option<String>,
}

/// A word of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// The term.
    pub term: String,
    /// How much it counts: 1 for a word typed once.
    pub weight: f32,
}

/// Words that follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The terms, each with its distance from the first.
    pub terms: Vec<(u32, String)>,
}

impl Phrase {
    /// The phrase of a text; `None` if there is no word in it.
    fn of(text: &str) -> Option<Phrase> {
        let mut found = Vec::new();
        terms(text, 0, &mut |term| {
            if term.kind == Kind::Word {
                found.push((term.position, String::from(term.text)));
            }
        });
        (!found.is_empty()).then_some(Phrase { terms: found })
    }
}

impl Query {
    /// Takes a text apart.
    pub fn parse(text: &str) -> Query {
        let mut query = Query::default();
        let mut rest = text.trim();
        while let Some((item, after)) = next(rest) {
            rest = after;
            query.add(item, rest.is_empty());
        }
        if query.is_empty() {
            query.excluded.clear();
            query.plain(text);
        }
        query
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self.prefix.is_none()
            && self.levels.is_empty()
            && self.paths.is_empty()
    }

    fn add(&mut self, item: Item<'_>, last: bool) {
        match item {
            Item::Phrase(text) => {
                self.phrases.extend(Phrase::of(text));
                self.plain(text);
            }
            Item::Excluded(text) => self.excluded.extend(Phrase::of(text)),
            Item::Levels(levels) => self.levels.extend(levels),
            Item::Path(pointer) => self.paths.push(path_term(pointer.tokens())),
            Item::Words(text) => match text.strip_suffix('*').filter(|_| last).and_then(prefix) {
                Some(prefix) => self.prefix = Some(prefix),
                None => self.plain(text),
            },
        }
    }

    /// Adds the words of a text.
    fn plain(&mut self, text: &str) {
        terms(text, 0, &mut |term| {
            let weight = match term.kind {
                Kind::Single => return,
                Kind::Whole => rank::WHOLE,
                Kind::Word if is_stop_word(term.surface) => rank::STOP_WORD,
                Kind::Word => 1.0,
            };
            match self.words.iter_mut().find(|word| word.term == term.text) {
                Some(word) => word.weight += weight,
                None => self.words.push(Word { term: term.text.into(), weight }),
            }
        });
    }
}

/// An item of a query, between blanks.
enum Item<'q> {
    Words(&'q str),
    Phrase(&'q str),
    Excluded(&'q str),
    Levels(Vec<Level>),
    Path(Pointer),
}

/// Takes the first item of a text that does not begin with a blank.
fn next(text: &str) -> Option<(Item<'_>, &str)> {
    if text.is_empty() {
        return None;
    }
    let (quoted, negated) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    if let Some((phrase, after)) = quotation(quoted) {
        let item = if negated { Item::Excluded(phrase) } else { Item::Phrase(phrase) };
        return Some((item, after.trim_start()));
    }
    let (word, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    let item = match word.strip_prefix('-').filter(|word| is_excluded(word)) {
        Some(word) => Item::Excluded(word),
        None => filter(word).unwrap_or(Item::Words(word)),
    };
    Some((item, after.trim_start()))
}

/// A text in quotation marks at the beginning, with a blank or nothing behind it.
fn quotation(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix(['"', '“', '”', '„'])?;
    let (phrase, after) = inside.split_once(['"', '“', '”'])?;
    let closed = after.is_empty() || after.starts_with(char::is_whitespace);
    (closed && phrase.contains(char::is_alphanumeric)).then_some((phrase, after))
}

/// Whether a word behind a dash is one that a document must not have. A letter alone, a word of
/// mixed case, and one with signs or a digit after a large letter are options of programs: `-x`,
/// `-DskipTests`, `-Xmx4g`, `-Dtest=one`.
fn is_excluded(word: &str) -> bool {
    let plain =
        word.chars().all(|character| character.is_alphanumeric() || "-_'".contains(character));
    let mut characters = word.chars();
    let large = characters.next().is_some_and(char::is_uppercase);
    let rest = characters.as_str();
    let like = |is: fn(char) -> bool| rest.chars().filter(|c| c.is_alphabetic()).all(is);
    let digits = rest.contains(char::is_numeric);
    let one_case = if large {
        !digits && (like(|c| !c.is_uppercase()) || like(|c| !c.is_lowercase()))
    } else {
        like(|c| !c.is_uppercase())
    };
    plain && one_case && !rest.is_empty() && word.starts_with(char::is_alphanumeric)
}

/// A filter, if the word is one.
fn filter(word: &str) -> Option<Item<'_>> {
    let (name, value) = word.split_once(':')?;
    match name {
        "level" => {
            let levels: Option<Vec<Level>> =
                value.split(',').map(|level| Level::parse(level).ok()).collect();
            levels.map(Item::Levels)
        }
        "path" if value.starts_with('/') => Pointer::parse(value).ok().map(Item::Path),
        _ => None,
    }
}

/// The folded prefix, if the text is one word.
fn prefix(text: &str) -> Option<String> {
    let mut folded = String::new();
    fold(text, &mut folded);
    let one = folded.len() >= PREFIX_BYTES && folded.chars().all(char::is_alphanumeric);
    one.then_some(folded)
}
