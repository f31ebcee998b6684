//! Canonical decompositions (NFD, without the order of marks), and which characters are marks.
//!
//! `decompose.bin` holds Unicode's data as small as it gets with gzip, for every page that searches
//! downloads it: the tables of `unicode-normalization` take 25 KB more, because hashes do not compress.
//! A test compares both for all characters, and writes the file with `NACRE_UPDATE=1`.
//!
//! ```text
//! file  := numbers of runs, pairs and borders (u16 each) ‖ runs ‖ firsts ‖ seconds ‖ borders
//! run   := the first of some characters that follow one another (u24) ‖ the place of its pair (u16)
//! pair  := a first character (u24), and a second one (u24), 0 for none; they may decompose further
//! border:= where characters begin to be marks, and where they end to be (u24)
//! ```

/// The file.
static DATA: &[u8] = include_bytes!("decompose.bin");

/// The bytes of a run.
const RUN: usize = 5;

/// The bytes of a character.
const CHARACTER: usize = 3;

/// The bytes of the header.
const HEADER: usize = 6;

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
    let borders = Table::new().borders;
    let passed = first_after(borders.len() / CHARACTER, &|at| {
        number(borders, at * CHARACTER, CHARACTER) <= u32::from(character)
    });
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
    let Table { runs, firsts, seconds, .. } = Table::new();
    let start = |run: usize| number(runs, run * RUN, CHARACTER);
    let place = |run: usize| number(runs, run * RUN + CHARACTER, 2);
    let count = runs.len() / RUN;
    let run = first_after(count, &|run| start(run) <= code).checked_sub(1)?;
    let at = place(run) + (code - start(run));
    let end = if run + 1 < count { place(run + 1) } else { (firsts.len() / CHARACTER) as u32 };
    let part = |list| number(list, at as usize * CHARACTER, CHARACTER);
    (at < end).then(|| (part(firsts), part(seconds)))
}

/// The parts of the file.
struct Table {
    runs: &'static [u8],
    firsts: &'static [u8],
    seconds: &'static [u8],
    borders: &'static [u8],
}

impl Table {
    fn new() -> Table {
        let count = |at| number(DATA, at, 2) as usize;
        let [runs, pairs, borders] = [count(0) * RUN, count(2) * CHARACTER, count(4) * CHARACTER];
        let part = |from: usize, bytes: usize| DATA.get(from..from + bytes).unwrap_or_default();
        Table {
            runs: part(HEADER, runs),
            firsts: part(HEADER + runs, pairs),
            seconds: part(HEADER + runs + pairs, pairs),
            borders: part(HEADER + runs + 2 * pairs, borders),
        }
    }
}

/// A number of two or three bytes, little endian.
fn number(bytes: &[u8], at: usize, length: usize) -> u32 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// How many of some sorted places come before one that `is_before` refuses.
fn first_after(count: usize, is_before: &dyn Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, vec::Vec};
    use std::{env, fs};

    use unicode_normalization::char::{decompose_canonical, is_combining_mark};

    use super::*;

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
        let [mut runs, mut firsts, mut seconds] = [const { Vec::new() }; 3];
        let put = |list: &mut Vec<u8>, number: u32, bytes: usize| {
            list.extend_from_slice(&number.to_le_bytes()[..bytes]);
        };
        let mut next = None;
        for (place, (character, parts)) in made.iter().enumerate() {
            let code = u32::from(*character);
            if next != Some(code) {
                put(&mut runs, code, 3);
                put(&mut runs, place as u32, 2);
            }
            next = Some(code + 1);
            let (second, first) = match parts.as_slice() {
                [one] => (0, *one),
                [one, other] => (u32::from(*other), *one),
                [most @ .., last] => (u32::from(*last), by_parts[most]),
                [] => (0, *character),
            };
            put(&mut firsts, u32::from(first), 3);
            put(&mut seconds, second, 3);
        }
        let mut borders = Vec::new();
        let mut inside = false;
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            if is_combining_mark(character) != inside {
                inside = !inside;
                put(&mut borders, u32::from(character), 3);
            }
        }
        let mut file = Vec::new();
        for (list, bytes) in [(&runs, 5), (&firsts, 3), (&borders, 3)] {
            put(&mut file, (list.len() / bytes) as u32, 2);
        }
        [file, runs, firsts, seconds, borders].concat()
    }

    #[test]
    fn all_characters_decompose_as_unicode_says() {
        let file = file();
        if env::var_os("NACRE_UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/decompose.bin");
            fs::write(path, &file).unwrap();
            return;
        }
        assert!(file == DATA, "NACRE_UPDATE=1 writes the file anew");
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let mut parts = Vec::new();
            decompose(character, &mut |part| parts.push(part));
            assert_eq!(parts, whole(character), "{character:?}");
            assert_eq!(is_mark(character), is_combining_mark(character), "{character:?}");
        }
    }
}
