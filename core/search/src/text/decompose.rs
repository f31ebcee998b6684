//! Canonical decompositions (NFD, without the order of marks), and which characters are marks.
//!
//! `decompose.bin` holds Unicode's data as small as it gets with gzip, for every page that searches
//! downloads it: the tables of `unicode-normalization` take 25 KB more, because hashes do not compress.
//! A test compares both for all characters, and writes the file with `NACRE_UPDATE=1`.
//!
//! ```text
//! file  := numbers of runs, pairs and borders (u16 each) ‖ starts ‖ places ‖ firsts ‖ seconds ‖ borders
//! run   := the first of some characters that follow one another (u24), the place of its pair (u16)
//! pair  := a first character (u24), and a second one (u24), 0 for none; they may decompose further
//! border:= where characters begin to be marks, and where they end to be (u24)
//! ```

use super::column::Column;

/// The file.
static DATA: &[u8] = include_bytes!("decompose.bin");

/// Shows the characters that a character is made of.
pub(crate) fn decompose(character: char, show: &mut dyn FnMut(char)) {
    if character.is_ascii() {
        return show(character);
    }
    if let Some(parts) = hangul(character) {
        return parts.into_iter().flatten().for_each(show);
    }
    match pair(u32::from(character)) {
        None => show(character),
        Some((first, second)) => [first, second]
            .into_iter()
            .filter(|part| *part != 0)
            .filter_map(char::from_u32)
            .for_each(|part| decompose(part, show)),
    }
}

/// Whether a character is a mark on another one.
pub(crate) fn is_mark(character: char) -> bool {
    let passed = Table::new().borders.up_to(u32::from(character));
    passed % 2 == 1
}

/// The parts of a Korean syllable (The Unicode Standard, 3.12).
fn hangul(character: char) -> Option<[Option<char>; 3]> {
    let place = u32::from(character).checked_sub(0xac00).filter(|place| *place < 11172)?;
    let last = place % 28;
    Some([
        char::from_u32(0x1100 + place / 588),
        char::from_u32(0x1161 + place % 588 / 28),
        char::from_u32(0x11a7 + last).filter(|_| last > 0),
    ])
}

fn pair(code: u32) -> Option<(u32, u32)> {
    let Table { starts, places, firsts, seconds, .. } = Table::new();
    let run = starts.up_to(code).checked_sub(1)?;
    let at = (places.get(run) + (code - starts.get(run))) as usize;
    let next = run + 1;
    let end = if next < starts.count { places.get(next) as usize } else { firsts.count };
    (at < end).then(|| (firsts.get(at), seconds.get(at)))
}

/// The parts of the file.
struct Table {
    starts: Column,
    places: Column,
    firsts: Column,
    seconds: Column,
    borders: Column,
}

impl Table {
    fn new() -> Table {
        let mut rest = DATA;
        let mut count = || {
            let (count, after) = rest.split_first_chunk().unwrap_or((&[0; 2], &[]));
            rest = after;
            usize::from(u16::from_le_bytes(*count))
        };
        let [runs, pairs, borders] = [count(), count(), count()];
        let mut column = |count, width| Column::take(&mut rest, count, width);
        Table {
            starts: column(runs, 3),
            places: column(runs, 2),
            firsts: column(pairs, 3),
            seconds: column(pairs, 3),
            borders: column(borders, 3),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec::Vec};

    use unicode_normalization::char::{decompose_canonical, is_combining_mark};

    use super::*;
    use crate::text::column::tests::{column, is_current};

    fn whole(character: char) -> Vec<char> {
        let mut parts = Vec::new();
        decompose_canonical(character, |part| parts.push(part));
        parts
    }

    /// The file as Unicode's data makes it.
    fn file() -> Vec<u8> {
        let all = || (0x80..=0x0010_ffff).filter_map(char::from_u32);
        let made: BTreeMap<char, Vec<char>> = all()
            .filter(|character| hangul(*character).is_none())
            .map(|character| (character, whole(character)))
            .filter(|(character, parts)| *parts != [*character])
            .collect();
        let by_parts: BTreeMap<&[char], char> =
            made.iter().map(|(character, parts)| (parts.as_slice(), *character)).collect();
        let [mut starts, mut places, mut firsts, mut seconds] = [const { Vec::new() }; 4];
        let mut next = None;
        for (place, (character, parts)) in made.iter().enumerate() {
            let code = u32::from(*character);
            if next != Some(code) {
                starts.push(code);
                places.push(place as u32);
            }
            next = Some(code + 1);
            let (first, second) = match parts.as_slice() {
                [one] => (*one, 0),
                [one, other] => (*one, u32::from(*other)),
                [most @ .., last] => (by_parts[most], u32::from(*last)),
                [] => (*character, 0),
            };
            firsts.push(u32::from(first));
            seconds.push(second);
        }
        let mut borders = Vec::new();
        let mut inside = false;
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            if is_combining_mark(character) != inside {
                inside = !inside;
                borders.push(u32::from(character));
            }
        }
        let counts = [&starts, &firsts, &borders].map(|list| (list.len() as u16).to_le_bytes());
        [
            counts.concat(),
            column(&starts, 3),
            column(&places, 2),
            column(&firsts, 3),
            column(&seconds, 3),
            column(&borders, 3),
        ]
        .concat()
    }

    #[test]
    fn all_characters_decompose_as_unicode_says() {
        if !is_current("decompose.bin", DATA, &file()) {
            return;
        }
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let mut parts = Vec::new();
            decompose(character, &mut |part| parts.push(part));
            assert_eq!(parts, whole(character), "{character:?}");
            assert_eq!(is_mark(character), is_combining_mark(character), "{character:?}");
        }
    }
}
