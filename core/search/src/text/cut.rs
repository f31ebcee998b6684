//! Cuts a text into terms, with their positions and places.
//!
//! Words are those of UAX #29. Identifiers give their parts and the whole: `refreshToken` gives
//! `refresh`, `token` and `refreshtoken`. Words joined without a blank where one has a digit give
//! the whole too: dates, versions, ticket numbers, UUIDs. Scripts without blanks between words give
//! their characters in pairs.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::{fold, stem};

/// The longest term in bytes; of a longer word its first bytes count.
const TERM_BYTES: usize = 128;

/// The longest chain of joined words in bytes.
const CHAIN_BYTES: usize = 64;

/// The words of a chain that make wholes.
const CHAIN_WORDS: usize = 6;

/// The lengths of a hash's beginning by which people name it.
const HASH_PREFIXES: [usize; 4] = [7, 8, 10, 12];

/// A term of a text.
#[derive(Debug)]
pub struct Term<'t> {
    /// The folded, stemmed text.
    pub text: &'t str,
    /// The folded text before stemming.
    pub surface: &'t str,
    /// The number of words before it.
    pub position: u32,
    /// Its bytes in the text.
    pub place: Range<usize>,
    /// What the term is.
    pub kind: Kind,
}

/// What a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A word, a part of one, or a pair of characters. These follow one another without a gap.
    Word,
    /// A whole, of parts that stand at its position and after it.
    Whole,
    /// One character of a script without blanks, in a text where pairs are words.
    Single,
}

/// Calls `emit` with the terms of a text. Positions start at `first`; gives the next free one.
pub fn terms(text: &str, first: u32, emit: &mut dyn FnMut(Term<'_>)) -> u32 {
    let mut cutter = Cutter { position: first, folded: String::new(), emit };
    if text.is_ascii() {
        cutter.words(text, 0);
        return cutter.position;
    }
    let mut start = 0;
    let mut dense = false;
    for (at, character) in text.char_indices() {
        let is = is_dense(character) || dense && is_voice_mark(character);
        if is != dense {
            cutter.stretch(text, start..at, dense);
            (start, dense) = (at, is);
        }
    }
    cutter.stretch(text, start..text.len(), dense);
    cutter.position
}

struct Cutter<'e> {
    position: u32,
    folded: String,
    emit: &'e mut dyn FnMut(Term<'_>),
}

/// A word of a chain.
struct Joined {
    place: Range<usize>,
    position: u32,
    numeric: bool,
}

impl Cutter<'_> {
    /// Cuts a stretch of one kind of script.
    fn stretch(&mut self, text: &str, place: Range<usize>, dense: bool) {
        let Some(stretch) = text.get(place.clone()) else { return };
        if dense { self.pairs(stretch, place.start) } else { self.words(stretch, place.start) }
    }

    /// Cuts text with blanks between its words.
    fn words(&mut self, text: &str, offset: usize) {
        let mut chain: Vec<Joined> = Vec::new();
        let mut joint = None;
        for (at, segment) in text.split_word_bound_indices() {
            if segment.contains(char::is_alphanumeric) {
                if joint.is_some_and(|joint| !joins(joint, chain.last(), segment)) {
                    self.chain(text, offset, &mut chain);
                }
                joint = None;
                let day = day_before_time(segment).unwrap_or(0);
                let time = if day > 0 { day + 1 } else { 0 };
                for (start, end) in [(0, day), (time, segment.len())] {
                    if let Some(word) = segment.get(start..end).filter(|word| !word.is_empty()) {
                        chain.push(Joined {
                            place: at + start..at + end,
                            position: self.position,
                            numeric: word.bytes().any(|byte| byte.is_ascii_digit()),
                        });
                        self.word(word, offset + at + start);
                    }
                }
            } else if joint.is_none() && !chain.is_empty() && is_joint(segment) {
                joint = segment.chars().next();
            } else {
                self.chain(text, offset, &mut chain);
                joint = None;
            }
        }
        self.chain(text, offset, &mut chain);
    }

    /// Ends a chain: its beginnings are wholes, from its first word and from its first number.
    fn chain(&mut self, text: &str, offset: usize, chain: &mut Vec<Joined>) {
        let number = chain.iter().position(|word| word.numeric);
        if let Some(number) = number.filter(|_| chain.len() > 1) {
            self.wholes(text, offset, chain, number);
            if number > 0 {
                self.wholes(text, offset, chain.get(number..).unwrap_or_default(), 0);
            }
        }
        chain.clear();
    }

    /// The wholes of a chain that hold the word `number`.
    fn wholes(&mut self, text: &str, offset: usize, chain: &[Joined], number: usize) {
        let Some(first) = chain.first() else { return };
        for last in chain.iter().take(CHAIN_WORDS).skip(number.max(1)) {
            let place = first.place.start..last.place.end;
            if place.len() <= CHAIN_BYTES
                && let Some(whole) = text.get(place.clone())
            {
                let place = offset + place.start..offset + place.end;
                self.emit(whole, place, first.position, Kind::Whole);
            }
        }
    }

    /// A word of UAX #29: pieces between its punctuation.
    fn word(&mut self, word: &str, at: usize) {
        let word = head(word, TERM_BYTES);
        let first = self.position;
        let mut pieces = 0;
        let mut start = None;
        for (index, character) in word.char_indices() {
            if is_punctuation(character) {
                if let Some(start) = start.take() {
                    pieces += 1;
                    self.piece(word, start..index, at);
                }
            } else {
                start = start.or(Some(index));
            }
        }
        if let Some(start) = start {
            pieces += 1;
            self.piece(word, start..word.len(), at);
        }
        let place = at..at + word.len();
        if pieces > 1 {
            match without_separators(word) {
                Some(number) => self.emit(&number, place, first, Kind::Whole),
                None => self.emit(word, place.clone(), first, Kind::Whole),
            }
            if let Some(version) = version(word) {
                self.emit(version, at + 1..at + word.len(), first, Kind::Whole);
            }
        }
    }

    /// A piece of a word: an identifier's parts, or a plain word.
    fn piece(&mut self, word: &str, place: Range<usize>, at: usize) {
        let Some(piece) = word.get(place.clone()) else { return };
        let at = at + place.start;
        let first = self.position;
        let cuts = seams(piece);
        if cuts.is_empty() {
            self.next(piece, at..at + piece.len());
            if is_hash(piece) {
                for beginning in HASH_PREFIXES.iter().filter_map(|length| piece.get(..*length)) {
                    self.emit(beginning, at..at + piece.len(), first, Kind::Whole);
                }
            }
            return;
        }
        let ends = cuts.iter().copied().chain([piece.len()]);
        let mut start = 0;
        for end in ends {
            if let Some(part) = piece.get(start..end) {
                self.next(part, at + start..at + end);
            }
            start = end;
        }
        self.emit(piece, at..at + piece.len(), first, Kind::Whole);
    }

    /// A word at the next position.
    fn next(&mut self, text: &str, place: Range<usize>) {
        self.emit(text, place, self.position, Kind::Word);
        self.position = self.position.saturating_add(1);
    }

    /// Cuts text without blanks between its words.
    fn pairs(&mut self, text: &str, offset: usize) {
        let mut units: Vec<Range<usize>> = Vec::new();
        for (at, character) in text.char_indices() {
            let end = at + character.len_utf8();
            match units.last_mut() {
                Some(last) if is_voice_mark(character) => last.end = end,
                _ => units.push(at..end),
            }
        }
        let place = |range: Range<usize>| offset + range.start..offset + range.end;
        if let [only] = units.as_slice() {
            return self.next(text, place(only.clone()));
        }
        for unit in &units {
            let single = text.get(unit.clone()).unwrap_or_default();
            self.emit(single, place(unit.clone()), self.position, Kind::Single);
            if let Some(after) = text.get(unit.end..).and_then(first_unit) {
                let pair = unit.start..unit.end + after;
                self.next(text.get(pair.clone()).unwrap_or_default(), place(pair));
            }
        }
        // The last character begins no pair, but stands at a position of its own.
        self.position = self.position.saturating_add(1);
    }

    fn emit(&mut self, text: &str, place: Range<usize>, position: u32, kind: Kind) {
        self.folded.clear();
        fold(text, &mut self.folded);
        if self.folded.is_empty() {
            return;
        }
        let stemmed = stem(&self.folded);
        (self.emit)(Term { text: &stemmed, surface: &self.folded, position, place, kind });
    }
}

/// The length of the first character with its voice marks.
fn first_unit(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    characters.next()?;
    let next = characters.find(|(_, character)| !is_voice_mark(*character));
    Some(next.map_or(text.len(), |(at, _)| at))
}

/// The beginning of a text, of at most so many bytes.
pub(crate) fn head(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether a character belongs to a script without blanks between words: Chinese, Japanese, Korean
/// (which has blanks, but joins its endings to words), Thai, Lao, Burmese, Khmer.
fn is_dense(character: char) -> bool {
    matches!(character,
        '\u{0e01}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}'
        | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{3131}'..='\u{318e}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9d}' | '\u{20000}'..='\u{323af}')
}

/// Whether a character belongs to the one before it: it changes its sound, or is the rest of a
/// syllable.
fn is_voice_mark(character: char) -> bool {
    matches!(character, '\u{3099}' | '\u{309a}' | '\u{ff9e}' | '\u{ff9f}' | '\u{1160}'..='\u{11ff}')
        || matches!(character, '\u{0e31}' | '\u{0e34}'..='\u{0e3a}' | '\u{0e47}'..='\u{0e4e}')
}

/// Whether a character in a word separates its pieces.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() && character != '\'' || matches!(character, '·' | '‿' | '：')
}

/// Whether a segment may join two words of a chain.
fn is_joint(segment: &str) -> bool {
    matches!(segment, "-" | "." | ":" | "/" | "+" | "‐" | "‑")
}

/// Whether a joint holds here: a slash only between numbers.
fn joins(joint: char, before: Option<&Joined>, after: &str) -> bool {
    let numeric = after.bytes().any(|byte| byte.is_ascii_digit());
    joint != '/' || numeric && before.is_some_and(|before| before.numeric)
}

/// The length of the day in front of a time, as in `15T10` of `2024-01-15T10:30`.
fn day_before_time(segment: &str) -> Option<usize> {
    let (day, time) = segment.split_once('T')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hour = time.get(..2).is_some_and(digits);
    (hour && matches!(day.len(), 1 | 2) && digits(day)).then_some(day.len())
}

/// Where the parts of an identifier meet, in bytes.
fn seams(piece: &str) -> Vec<usize> {
    let mut cuts = Vec::new();
    if piece.len() < 2 {
        return cuts;
    }
    let with_digits = has_digit_seams(piece);
    let mut two_before = None;
    let mut before: Option<(usize, char)> = None;
    for (at, character) in piece.char_indices() {
        if let Some((previous_at, previous)) = before {
            if previous.is_numeric() != character.is_numeric() {
                cuts.extend(with_digits.then_some(at));
            } else if previous.is_lowercase() && character.is_uppercase() {
                cuts.push(at);
            } else if two_before.is_some_and(char::is_uppercase)
                && previous.is_uppercase()
                && character.is_lowercase()
                && piece.get(at..) != Some("s")
            {
                cuts.push(previous_at);
            }
            two_before = Some(previous);
        }
        before = Some((at, character));
    }
    cuts
}

/// Whether letters and digits are parts of their own. They are not in short names such as `s3a`, and
/// not where they take turns as if by chance.
fn has_digit_seams(piece: &str) -> bool {
    let seams = match changes(piece) {
        0 | 1 => 4,
        2 | 3 => 6,
        _ => usize::MAX,
    };
    version(piece).is_some() || piece.len() >= seams && !is_hex_number(piece)
}

/// The number of a version behind its `v`.
fn version(word: &str) -> Option<&str> {
    let number = word.strip_prefix(['v', 'V'])?;
    let numeric = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (numeric && number.starts_with(|first: char| first.is_ascii_digit())).then_some(number)
}

/// A number without the commas between its thousands.
fn without_separators(word: &str) -> Option<String> {
    let number = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    number.then(|| word.replace(',', ""))
}

/// How often letters and digits take turns.
fn changes(piece: &str) -> usize {
    let pairs = piece.chars().zip(piece.chars().skip(1));
    pairs.filter(|(a, b)| a.is_numeric() != b.is_numeric()).count()
}

/// Whether a piece is a number in hexadecimal digits, with letters among them.
fn is_hex_number(piece: &str) -> bool {
    piece.len() >= 7
        && piece.bytes().all(|byte| byte.is_ascii_hexdigit())
        && piece.bytes().any(|byte| byte.is_ascii_digit())
        && changes(piece) > 1
}

fn is_hash(piece: &str) -> bool {
    piece.len() >= 16 && is_hex_number(piece)
}
