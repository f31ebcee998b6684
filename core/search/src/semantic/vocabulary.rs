//! The word pieces that the models know: each one's text, its row, and whether it carries meaning.

use alloc::{vec, vec::Vec};

pub use nacre_inference::encoder::Row;
use nacre_inference::{
    broken,
    encoder::{CLOSING, OPENING},
};
use nacre_layers::error::Result;

/// Marks a piece that goes on with a word: `token ##ization`.
const GOES_ON: &str = "##";

/// Places in the table of hashes: a power of two, more than twice the pieces.
const PLACES: usize = 1 << 16;

/// A free place. No piece has this row.
const FREE: Row = Row::MAX;

/// The most pieces that a vocabulary can have: half of the places stay free, so that a search for
/// an unknown piece ends soon.
const MOST: usize = PLACES / 2;

/// Words that say little by themselves. The sparse model predicts no terms at them.
const STOP_WORDS: &str = "a about above after again all am an and any are as at be because been \
    before being below between both but by can could did do does doing down during each few for \
    from further had has have having he her here hers him his how i if in into is it its itself me \
    more most my no nor not of off on once only or other our ours out over own same she should so \
    some such than that the their them then there these they this those through to too under until \
    up very was we were what when where which while who whom why will with would you your";

/// Word pieces, and a table that finds each by its text.
#[derive(Debug)]
pub struct Vocabulary<'a> {
    pieces: Vec<&'a str>,
    places: Vec<Row>,
    longest: usize,
    content: Vec<bool>,
}

impl<'a> Vocabulary<'a> {
    /// Reads a vocabulary: one piece a line, in the order of the rows.
    ///
    /// # Errors
    /// When the bytes are not ASCII, do not begin with `[CLS]` and `[SEP]`, or hold too many pieces,
    /// or one twice.
    pub fn read(bytes: &'a [u8]) -> Result<Vocabulary<'a>> {
        let text = core::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
        let pieces: Vec<&str> = text.map(|text| text.split('\n').collect()).unwrap_or_default();
        if !pieces.starts_with(&["[CLS]", "[SEP]"]) || pieces.len() > MOST {
            return Err(broken("the vocabulary"));
        }
        let mut vocabulary = Vocabulary {
            longest: pieces.iter().map(|piece| piece.len()).max().unwrap_or(0),
            content: pieces.iter().map(|piece| has_letter_or_digit(piece)).collect(),
            places: vec![FREE; PLACES],
            pieces,
        };
        vocabulary.fill_places()?;
        vocabulary.mark_stop_words();
        Ok(vocabulary)
    }

    /// The number of pieces, which is the number of rows of every model.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are no pieces. There always are.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The text of a piece; `##` stands before one that goes on with a word.
    pub fn piece(&self, row: Row) -> Option<&'a str> {
        self.pieces.get(usize::from(row)).copied()
    }

    /// Whether a piece carries meaning: it has a letter or a digit, and is not part of a stop word.
    pub fn is_content(&self, row: Row) -> bool {
        self.content.get(usize::from(row)).is_some_and(|&content| content)
    }

    /// Cuts a word into pieces, each the longest that fits. `false` when some part has no piece;
    /// then nothing was added.
    pub(crate) fn cut(&self, word: &[u8], rows: &mut Vec<Row>) -> bool {
        let before = rows.len();
        let mut rest = word;
        let mut goes_on = false;
        while !rest.is_empty() {
            let Some((row, length)) = self.longest_start(goes_on, rest) else {
                rows.truncate(before);
                return false;
            };
            rows.push(row);
            rest = rest.get(length..).unwrap_or_default();
            goes_on = true;
        }
        true
    }

    /// The longest piece that `text` starts with, and its length without `##`.
    fn longest_start(&self, goes_on: bool, text: &[u8]) -> Option<(Row, usize)> {
        let mut hash = Fnv::new(goes_on);
        let mut found = None;
        for (end, &byte) in (1..=self.longest).zip(text) {
            hash.add(byte);
            if let Some(row) = text.get(..end).and_then(|start| self.find(goes_on, start, hash)) {
                found = Some((row, end));
            }
        }
        found
    }

    fn find(&self, goes_on: bool, text: &[u8], hash: Fnv) -> Option<Row> {
        self.probe(hash)
            .take_while(|&row| row != FREE)
            .find(|&row| self.key(row) == (goes_on, text))
    }

    /// The rows in the places that a hash may have, the likeliest first.
    fn probe(&self, hash: Fnv) -> impl Iterator<Item = Row> + '_ {
        let start = hash.place();
        let (before, after) = self.places.split_at(start.min(self.places.len()));
        after.iter().chain(before).copied()
    }

    fn key(&self, row: Row) -> (bool, &'a [u8]) {
        key(self.piece(row).unwrap_or_default())
    }

    fn fill_places(&mut self) -> Result<()> {
        for (row, piece) in self.pieces.iter().enumerate() {
            let (goes_on, text) = key(piece);
            let mut hash = Fnv::new(goes_on);
            text.iter().for_each(|&byte| hash.add(byte));
            if self.find(goes_on, text, hash).is_some() {
                return Err(broken("the vocabulary"));
            }
            let free = self.probe(hash).position(|row| row == FREE).unwrap_or(0);
            let row = Row::try_from(row).map_err(|_| broken("the vocabulary"))?;
            if let Some(place) = self.places.get_mut((hash.place() + free) % PLACES) {
                *place = row;
            }
        }
        Ok(())
    }

    fn mark_stop_words(&mut self) {
        let mut rows = Vec::new();
        for word in STOP_WORDS.split_ascii_whitespace() {
            self.cut(word.as_bytes(), &mut rows);
        }
        rows.extend([OPENING, CLOSING]);
        for row in rows {
            if let Some(content) = self.content.get_mut(usize::from(row)) {
                *content = false;
            }
        }
    }
}

/// What a piece is found by: whether it goes on with a word, and its text without `##`.
fn key(piece: &str) -> (bool, &[u8]) {
    match piece.strip_prefix(GOES_ON) {
        Some(text) if !text.is_empty() => (true, text.as_bytes()),
        _ => (false, piece.as_bytes()),
    }
}

fn has_letter_or_digit(piece: &str) -> bool {
    piece.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// FNV-1a, which is quick for short texts and can be read off after each byte.
#[derive(Clone, Copy)]
struct Fnv(u32);

impl Fnv {
    fn new(goes_on: bool) -> Fnv {
        let mut hash = Fnv(0x811c_9dc5);
        hash.add(u8::from(goes_on));
        hash
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }

    /// The place to look at first.
    fn place(self) -> usize {
        ((self.0 >> 16) ^ self.0) as usize % PLACES
    }
}
