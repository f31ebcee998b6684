//! Folding: texts that a reader takes for the same become the same characters.

use alloc::string::String;

use super::{decompose::decompose, lower::lower};

/// The full width forms of the half width katakana from U+FF66 on.
const KATAKANA: &str = "ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309a}";

/// Adds a text without case, width and accents.
///
/// Half and full width forms become the usual ones, ligatures their letters, raised and lowered
/// digits plain ones. Then characters are decomposed (NFD), lose the accents of Latin, Greek,
/// Cyrillic, Hebrew and Arabic, and get small letters. Marks that are letters of their own, as in
/// Hindi, stay. The whole of NFKD would take 90 KB of tables in every browser.
pub fn fold(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
        return;
    }
    for character in text.chars() {
        match usual(character) {
            Usual::Character(character) => decompose(character, &mut |part| small(part, out)),
            Usual::Letters(letters) => out.push_str(letters),
            Usual::Nothing => {}
        }
    }
}

/// What a character is a form of.
enum Usual {
    Character(char),
    Letters(&'static str),
    Nothing,
}

fn usual(character: char) -> Usual {
    let from = |base: u32, first: char| {
        let code = base + (u32::from(character) - u32::from(first));
        Usual::Character(char::from_u32(code).unwrap_or(character))
    };
    match character {
        '\u{ff01}'..='\u{ff5e}' => from(0x21, '\u{ff01}'),
        '\u{ff66}'..='\u{ff9f}' => {
            let place = (u32::from(character) - 0xff66) as usize;
            Usual::Character(KATAKANA.chars().nth(place).unwrap_or(character))
        }
        '⁰' | '⁴'..='⁹' => from(0x30, '⁰'),
        '₀'..='₉' => from(0x30, '₀'),
        '¹' => Usual::Character('1'),
        '²' => Usual::Character('2'),
        '³' => Usual::Character('3'),
        '’' | 'ʼ' => Usual::Character('\''),
        'ß' | 'ẞ' => Usual::Letters("ss"),
        'æ' | 'Æ' => Usual::Letters("ae"),
        'œ' | 'Œ' => Usual::Letters("oe"),
        'ﬀ' => Usual::Letters("ff"),
        'ﬁ' => Usual::Letters("fi"),
        'ﬂ' => Usual::Letters("fl"),
        'ﬃ' => Usual::Letters("ffi"),
        'ﬄ' => Usual::Letters("ffl"),
        'ø' | 'Ø' => Usual::Character('o'),
        'ł' | 'Ł' => Usual::Character('l'),
        'đ' | 'Đ' => Usual::Character('d'),
        // Soft hyphens, joiners and marks of direction, which nobody sees.
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => Usual::Nothing,
        other => Usual::Character(other),
    }
}

/// Adds a decomposed character in small letters, if it is no accent.
fn small(character: char, out: &mut String) {
    match character {
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}' => {}
        'ς' => out.push('σ'),
        'ı' | 'İ' => out.push('i'),
        other => out.push(lower(other)),
    }
}
