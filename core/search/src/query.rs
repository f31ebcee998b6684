//! Queries as people type them: words, "phrases", -exclusions, `level:`, `path:` and a last prefix*.
//!
//! There is no wrong query. What is not understood is words.

use alloc::{string::String, vec::Vec};

use nacre_layers::{level::Level, pointer::Pointer};

use crate::{
    rank,
    row::path_term,
    text::{Kind, Term, fold, head, is_stop_word, terms},
};

/// The longest query in bytes; of a longer one the beginning counts.
pub const QUERY_BYTES: usize = 4 << 10;

/// The fewest bytes of a prefix.
const PREFIX_BYTES: usize = 2;

/// The most words beside phrases in a query. A longer text is a sentence, where quotation marks only
/// quote: error messages and titles are full of them.
const SENTENCE: usize = 3;

/// A query, taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The words that documents are scored by, those of phrases too.
    pub words: Vec<Word>,
    /// Words that follow one another, stop words left out: their places in `words`.
    pub pairs: Vec<(usize, usize)>,
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
    /// The word as it was typed, folded.
    pub surface: String,
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
        let text = beginning(text);
        let mut reader = Reader::default();
        let mut rest = text.trim();
        while let Some((item, after)) = next(rest) {
            rest = after;
            reader.add(item, rest.is_empty());
        }
        if reader.query.is_empty() {
            reader.query.excluded.clear();
            reader.words(text);
        }
        if reader.others > SENTENCE {
            reader.query.phrases.clear();
        }
        reader.query
    }

    /// Asks for documents that have a path, as `path:` does.
    pub fn require_path(&mut self, path: &Pointer) {
        self.paths.push(path_term(path.tokens()));
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
            && self.prefix.is_none()
            && self.levels.is_empty()
            && self.paths.is_empty()
    }
}

/// A query while its text is read.
#[derive(Default)]
struct Reader {
    query: Query,
    /// The word before, if it is no stop word.
    last: Option<usize>,
    /// The number of words beside phrases.
    others: usize,
}

impl Reader {
    fn add(&mut self, item: Item<'_>, last: bool) {
        match item {
            Item::Phrase(text) => {
                self.query.phrases.extend(Phrase::of(text));
                self.words(text);
            }
            Item::Excluded(text) => self.query.excluded.extend(Phrase::of(text)),
            Item::Levels(levels) => self.query.levels.extend(levels),
            Item::Path(pointer) => self.query.require_path(&pointer),
            Item::Words(text) => {
                self.others += usize::from(text.contains(char::is_alphanumeric));
                match text.strip_suffix('*').filter(|_| last).and_then(prefix) {
                    Some(prefix) => self.query.prefix = Some(prefix),
                    None => self.words(text),
                }
            }
        }
    }

    /// Adds the words of a text.
    fn words(&mut self, text: &str) {
        terms(text, 0, &mut |term| match term.kind {
            Kind::Single => {}
            Kind::Whole => {
                self.word(&term, rank::WHOLE);
            }
            Kind::Word if is_stop_word(term.surface) => {
                self.word(&term, rank::STOP_WORD);
            }
            Kind::Word => {
                let word = self.word(&term, 1.0);
                if let Some(before) = self.last.replace(word)
                    && before != word
                    && !self.query.pairs.contains(&(before, word))
                {
                    self.query.pairs.push((before, word));
                }
            }
        });
    }

    /// Adds a word, or its weight to the same word before; gives its place.
    fn word(&mut self, term: &Term<'_>, weight: f32) -> usize {
        let words = &mut self.query.words;
        let known = words.iter().position(|word| word.term == term.text);
        let place = known.unwrap_or(words.len());
        match words.get_mut(place) {
            Some(word) => word.weight += weight,
            None => {
                words.push(Word { term: term.text.into(), surface: term.surface.into(), weight })
            }
        }
        place
    }
}

/// As much of a query as counts, without a word that is cut.
fn beginning(text: &str) -> &str {
    let head = head(text, QUERY_BYTES);
    let blank = if head.len() < text.len() { head.rfind(char::is_whitespace) } else { None };
    blank.and_then(|blank| head.get(..blank)).unwrap_or(head)
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
