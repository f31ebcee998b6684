//! Cuts a text into word pieces, as BERT's tokenizer does for lower-cased models.
//!
//! Letters lose their case and accents. White space and punctuation end a word; an ASCII sign is a
//! word of its own. A word that the vocabulary cannot spell is left out. There is one difference to
//! BERT: a sign outside ASCII, such as an arrow, ends a word, so that `a→b` is two known words
//! instead of an unknown one.

use alloc::vec::Vec;

use super::vocabulary::{Row, Vocabulary};
use crate::text::decompose::{decompose, is_mark};

/// Longer words are left out: they are data, not language.
const LONGEST_WORD: usize = 100;

/// The rows of the pieces of a text.
pub fn wordpieces(vocabulary: &Vocabulary<'_>, text: &str) -> Vec<Row> {
    let mut cutter = Cutter { vocabulary, word: Vec::new(), spelled: true, rows: Vec::new() };
    for character in text.chars() {
        cutter.read(character);
    }
    cutter.end_word();
    cutter.rows
}

/// What is read of a text so far.
struct Cutter<'a> {
    vocabulary: &'a Vocabulary<'a>,
    /// The word that is being read, lower-cased.
    word: Vec<u8>,
    /// Whether all letters of the word are ASCII.
    spelled: bool,
    rows: Vec<Row>,
}

impl Cutter<'_> {
    fn read(&mut self, character: char) {
        if character.is_ascii() {
            return self.read_ascii(character as u8);
        }
        decompose(character, &mut |part| match part {
            _ if part.is_ascii() => self.read_ascii(part as u8),
            _ if is_mark(part) || is_invisible(part) => {}
            _ if part.is_alphanumeric() && !is_ideograph(part) => self.spelled = false,
            _ => self.end_word(),
        });
    }

    fn read_ascii(&mut self, byte: u8) {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => self.word.push(byte.to_ascii_lowercase()),
            b' ' | b'\t' | b'\n' | b'\r' => self.end_word(),
            _ if byte.is_ascii_punctuation() => {
                self.end_word();
                self.word.push(byte);
                self.end_word();
            }
            // BERT drops control characters.
            _ => {}
        }
    }

    fn end_word(&mut self) {
        if self.spelled && self.word.len() <= LONGEST_WORD {
            self.vocabulary.cut(&self.word, &mut self.rows);
        }
        self.word.clear();
        self.spelled = true;
    }
}

/// Characters that show nothing and stand within words, which BERT drops: control and format
/// characters, and the sign for a byte that could not be read.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}'
            | '\u{feff}' | '\u{fffd}'
    )
}

/// Ideographs, each of which BERT takes for a word.
fn is_ideograph(character: char) -> bool {
    matches!(
        character,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2ceaf}' | '\u{2f800}'..='\u{2fa1f}'
    )
}
