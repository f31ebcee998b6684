//! Why a context was found: the words, their fields and pointers, and a piece of text to show.
//!
//! It is made of the opened document, so no index holds texts, and what is sealed is never shown.

use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::ops::Range;

use nacre_layers::{
    pointer::Pointer,
    sort::{distinct, sort_by},
    value::Object,
};

use crate::{
    piece::{Field, Piece, pieces},
    query::Query,
    rank,
    row::path_term,
    text::{Kind, terms},
};

/// The most bytes of a snippet's text, before it is cut to whole words.
pub const SNIPPET_BYTES: usize = 240;

/// The bytes before the first word found.
const LEAD: usize = 60;

/// Why a context was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Where the snippet stands.
    pub pointer: Pointer,
    /// The snippet in fragments; empty when no word of the query is in the context.
    pub snippet: Vec<Fragment>,
    /// One for each word found, in the order of the query.
    pub reasons: Vec<Reason>,
}

/// A part of a snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// The text as it is stored. Where more was left out, it begins or ends with `…`.
    pub text: String,
    /// Whether it is a word of the query.
    pub found: bool,
}

/// A word of the query that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The word as it was typed, folded.
    pub word: String,
    /// The field that it was found in: the most telling one.
    pub field: Field,
    /// Where.
    pub pointer: Pointer,
    /// How often it is in the context.
    pub count: u32,
}

/// Says why a context was found by a query. `rarity` tells how rare a term is (see
/// [`Index::rarity`](crate::index::Index::rarity)); rare words decide which piece is shown.
pub fn explain(
    query: &Query,
    id: &str,
    data: &Object,
    notes: &[String],
    rarity: &dyn Fn(&str) -> f32,
) -> Explanation {
    let pieces = pieces(id, data, notes);
    let worth: Vec<f32> =
        query.words.iter().map(|word| word.weight * (1.0 + rarity(&word.term))).collect();
    let searched: Vec<Searched<'_>> =
        pieces.iter().map(|piece| Searched::new(query, &worth, piece)).collect();
    let mut best: Option<&Searched<'_>> = None;
    for searched in searched.iter().filter(|searched| !searched.found.is_empty()) {
        if best.is_none_or(|best| searched.rank() > best.rank()) {
            best = Some(searched);
        }
    }
    Explanation {
        pointer: best.map(|best| best.piece.pointer.clone()).unwrap_or_default(),
        snippet: best
            .map(|best| snippet(&shown(best.piece, &pieces), &best.found))
            .unwrap_or_default(),
        reasons: reasons(query, &searched),
    }
}

/// What to show of a document where no word was found: its title, else the first text of several
/// words, else its first value.
pub fn opening(data: &Object) -> (Pointer, Vec<Fragment>) {
    let pieces = pieces("", data, &[]);
    let values = |field: Field| {
        let is_shown = move |piece: &&Piece<'_>| piece.field == field && !piece.text.is_empty();
        pieces.iter().filter(is_shown)
    };
    let title = values(Field::Title).next();
    let text = || values(Field::Text).find(|piece| has_several_words(&piece.text));
    match title.or_else(text).or_else(|| values(Field::Text).next()) {
        Some(piece) => (piece.pointer.clone(), snippet(&piece.text, &[])),
        None => (Pointer::root(), Vec::new()),
    }
}

/// Whether a text has two words with a letter, or as many characters of a script without blanks.
fn has_several_words(text: &str) -> bool {
    let is_word = |word: &&str| word.chars().any(char::is_alphabetic);
    if text.split_whitespace().filter(is_word).nth(1).is_some() {
        return true;
    }
    let mut characters = 0;
    terms(text, 0, &mut |term| characters += usize::from(term.kind == Kind::Single));
    characters > 3
}

/// The text to show for a piece: behind a name, its value.
fn shown<'p>(piece: &'p Piece<'_>, pieces: &[Piece<'_>]) -> Cow<'p, str> {
    let is_value = |other: &&Piece<'_>| other.field != Field::Key && other.pointer == piece.pointer;
    let value = Some(piece).filter(|piece| piece.field == Field::Key);
    match value.and_then(|_| pieces.iter().find(is_value)) {
        Some(value) => Cow::Owned(format!("{}: {}", piece.text, value.text)),
        None => Cow::Borrowed(&piece.text),
    }
}

/// A piece with the words found in it.
struct Searched<'p> {
    piece: &'p Piece<'p>,
    found: Vec<Found>,
    /// Whether it is under a path of the query.
    on_path: bool,
    worth: f32,
}

/// A word found in a piece.
struct Found {
    /// The place of the word in the query; past its end for the prefix.
    word: usize,
    place: Range<usize>,
}

impl<'p> Searched<'p> {
    fn new(query: &Query, worth: &[f32], piece: &'p Piece<'p>) -> Searched<'p> {
        let mut found = Vec::new();
        terms(&piece.text, 0, &mut |term| {
            if term.kind == Kind::Single && !query.words.iter().any(|word| word.term == term.text) {
                return;
            }
            let word = query.words.iter().position(|word| word.term == term.text);
            let begun = |prefix: &String| term.surface.starts_with(prefix.as_str());
            let prefix = query.prefix.as_ref().filter(|prefix| begun(prefix));
            let word = word.or_else(|| prefix.map(|_| query.words.len()));
            found.extend(word.map(|word| Found { word, place: term.place }));
        });
        let path = path_term(piece.pointer.tokens());
        let on_path = query.paths.iter().any(|above| {
            path.strip_prefix(above.as_str())
                .is_some_and(|below| below.is_empty() || below.starts_with('/'))
        });
        let words = distinct(found.iter().map(|found| found.word).collect());
        let sum: f32 = words.iter().map(|word| worth.get(*word).copied().unwrap_or(1.0)).sum();
        Searched { piece, found, on_path, worth: sum * weight(piece.field) }
    }

    /// What makes a piece worth showing: being where the query looks, then its words.
    fn rank(&self) -> (bool, f32) {
        (self.on_path, self.worth)
    }
}

fn weight(field: Field) -> f32 {
    match field {
        Field::Title | Field::Text | Field::Note => 1.0,
        Field::Key => rank::KEY,
        Field::Id => rank::ID * 0.5,
    }
}

fn reasons(query: &Query, searched: &[Searched<'_>]) -> Vec<Reason> {
    let words = query.words.iter().map(|word| &word.surface).chain(&query.prefix);
    let reason = |(at, word): (usize, &String)| {
        let times = |searched: &Searched<'_>| {
            searched.found.iter().filter(|found| found.word == at).count()
        };
        let with = || searched.iter().filter(|searched| times(searched) > 0);
        let first = with().min_by_key(|searched| (!searched.on_path, searched.piece.field))?;
        Some(Reason {
            word: word.clone(),
            field: first.piece.field,
            pointer: first.piece.pointer.clone(),
            count: with().map(times).sum::<usize>() as u32,
        })
    };
    words.enumerate().filter_map(reason).collect()
}

/// The stretch of a text with most of the words found, and its fragments.
fn snippet(text: &str, found: &[Found]) -> Vec<Fragment> {
    let window = window(text, found);
    let mut fragments: Vec<Fragment> = Vec::new();
    let mut push = |range: Range<usize>, found: bool| {
        if let Some(text) = text.get(range).filter(|text| !text.is_empty()) {
            fragments.push(Fragment { text: text.into(), found });
        }
    };
    let mut at = window.start;
    for place in marked(found) {
        if place.start >= at && place.end <= window.end {
            push(at..place.start, false);
            push(place.clone(), true);
            at = place.end;
        }
    }
    push(at..window.end, false);
    if window.start > 0 {
        elide(&mut fragments, 0);
    }
    if window.end < text.len() {
        let end = fragments.len();
        elide(&mut fragments, end);
    }
    fragments
}

/// Puts `…` at the beginning or the end.
fn elide(fragments: &mut Vec<Fragment>, at: usize) {
    fragments.insert(at, Fragment { text: "…".into(), found: false });
}

/// The places found, in order, those that overlap as one.
fn marked(found: &[Found]) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = found.iter().map(|found| found.place.clone()).collect();
    sort_by(&mut places, |a, b| (a.start, a.end).cmp(&(b.start, b.end)));
    let mut marked: Vec<Range<usize>> = Vec::new();
    for place in places {
        match marked.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => marked.push(place),
        }
    }
    marked
}

/// The bytes to show: of the windows that begin at a word found, the one with most distinct words.
fn window(text: &str, found: &[Found]) -> Range<usize> {
    if text.len() <= SNIPPET_BYTES {
        return 0..text.len();
    }
    let distinct = |start: usize| {
        let end = start + SNIPPET_BYTES - LEAD;
        let inside =
            found.iter().filter(|found| found.place.start >= start && found.place.end <= end);
        distinct(inside.map(|found| found.word).collect()).len()
    };
    let mut best = (0, 0);
    for start in found.iter().map(|found| found.place.start) {
        let words = distinct(start);
        if words > best.0 || words == best.0 && start < best.1 {
            best = (words, start);
        }
    }
    let start = best.1.saturating_sub(LEAD).min(text.len() - SNIPPET_BYTES);
    word_start(text, start, best.1)..word_end(text, start + SNIPPET_BYTES)
}

/// The first beginning of a word at or after `at`, and at most `limit`.
fn word_start(text: &str, at: usize, limit: usize) -> usize {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    if at == 0 {
        return 0;
    }
    let after_blank = |at: &usize| {
        boundary(at) && text.get(..*at).is_some_and(|before| before.ends_with(char::is_whitespace))
    };
    let begins = (at..=limit).find(after_blank);
    begins.or_else(|| (at..=limit).find(boundary)).unwrap_or(limit)
}

/// The last end of a word at or before `at`, if one is near.
fn word_end(text: &str, at: usize) -> usize {
    let boundary = |at: &usize| text.is_char_boundary(*at);
    if at >= text.len() {
        return text.len();
    }
    let before_blank = |at: &usize| {
        boundary(at) && text.get(*at..).is_some_and(|after| after.starts_with(char::is_whitespace))
    };
    let near = at.saturating_sub(LEAD)..=at;
    near.clone().rev().find(before_blank).or_else(|| near.rev().find(boundary)).unwrap_or(at)
}
