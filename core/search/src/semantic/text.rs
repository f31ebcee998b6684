//! The text of a context that the models read.

use alloc::string::String;

use nacre_layers::value::Object;

use crate::piece::{Field, Piece, pieces};

/// A value of fewer words says little without its name: `eu-west-1`, but `region eu-west-1`.
const WORDS_WITHOUT_NAME: usize = 5;

/// The most bytes of a text, about ten thousand words. What follows changes a vector little, and the
/// sparse model does not read it.
const MOST_BYTES: usize = 65_536;

/// The titles of a context, its texts and numbers, its notes, a line each. The names of members stand
/// before short values. Sealed values are left out.
pub fn document_text(data: &Object, notes: &[String]) -> String {
    let pieces = pieces("", data, notes);
    let mut text = String::new();
    for piece in pieces.iter().filter(|piece| piece.field == Field::Title) {
        add_line(&mut text, None, &piece.text);
    }
    let mut name = None;
    for piece in &pieces {
        match piece.field {
            Field::Key => name = Some(&*piece.text),
            Field::Text if is_short(piece) => add_line(&mut text, name.take(), &piece.text),
            Field::Text | Field::Note => add_line(&mut text, None, &piece.text),
            Field::Title | Field::Id => {}
        }
    }
    text
}

fn is_short(piece: &Piece<'_>) -> bool {
    piece.text.split_whitespace().take(WORDS_WITHOUT_NAME).count() < WORDS_WITHOUT_NAME
}

fn add_line(text: &mut String, name: Option<&str>, value: &str) {
    // A name without a value says nothing.
    if value.trim().is_empty() {
        return;
    }
    if let Some(name) = name {
        add(text, name);
        add(text, " ");
    }
    add(text, value);
    add(text, "\n");
}

/// Adds as much of a part as there is room for.
fn add(text: &mut String, part: &str) {
    let room = MOST_BYTES.saturating_sub(text.len());
    text.push_str(part.get(..part.floor_char_boundary(room)).unwrap_or_default());
}
