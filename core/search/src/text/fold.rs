//! Folding: texts that a reader takes for the same become the same bytes.

use alloc::string::String;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Adds a text without case, width, accents and compatibility forms.
///
/// It is decomposed (NFKD), loses the accents of Latin, Greek, Cyrillic, Hebrew and Arabic, gets small
/// letters and is composed again (NFC). Marks that are letters of their own, as in Hindi, stay.
pub fn fold(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        return;
    }
    let bare = text.nfkd().filter(|character| !is_accent(*character));
    let small = bare.flat_map(char::to_lowercase).map(|character| match character {
        'ς' => 'σ',
        'ı' => 'i',
        '’' | 'ʼ' => '\'',
        other => other,
    });
    for character in small.nfc() {
        match character {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            other => out.push(other),
        }
    }
}

fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
        && is_combining_mark(character)
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}
