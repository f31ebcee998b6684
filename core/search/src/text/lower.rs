//! Small letters.
//!
//! `lower.bin` holds what the standard library knows, in a tenth of its bytes with gzip. A test compares
//! both for all characters, and writes the file with `NACRE_UPDATE=1`.
//!
//! ```text
//! file := number of runs (u16) ‖ firsts ‖ lasts ‖ steps ‖ distances
//! run  := some characters with a step between them (u24, u24, u8), all as far from their small letters
//!         (u24, wrapping)
//! ```

use super::column::Column;

/// The file.
static DATA: &[u8] = include_bytes!("lower.bin");

/// The small letter of a character; the character itself if it has none. That of `İ` is two characters
/// in Unicode; it is not among them.
pub(crate) fn lower(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    let code = u32::from(character);
    let distance = distance(code).unwrap_or(0);
    char::from_u32(code.wrapping_add(distance) & 0x00ff_ffff).unwrap_or(character)
}

fn distance(code: u32) -> Option<u32> {
    let (header, mut table) = DATA.split_first_chunk()?;
    let count = usize::from(u16::from_le_bytes(*header));
    let [firsts, lasts, steps, distances] =
        [3, 3, 1, 3].map(|width| Column::take(&mut table, count, width));
    let run = firsts.up_to(code).checked_sub(1)?;
    let from_first = code.wrapping_sub(firsts.get(run));
    let is_in = code <= lasts.get(run) && from_first.is_multiple_of(steps.get(run).max(1));
    is_in.then(|| distances.get(run))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::text::column::tests::{column, is_current};

    /// The first and the last character of a run, its step, and its distance.
    type Run = (u32, u32, u32, u32);

    fn library(character: char) -> Option<char> {
        let mut small = character.to_lowercase();
        small.next().filter(|_| small.next().is_none())
    }

    /// The file as the standard library makes it.
    fn file() -> Vec<u8> {
        let mut runs: Vec<Run> = Vec::new();
        for character in (0x80..=0x0010_ffff).filter_map(char::from_u32) {
            let Some(small) = library(character).filter(|small| *small != character) else {
                continue;
            };
            let code = u32::from(character);
            let distance = u32::from(small).wrapping_sub(code) & 0x00ff_ffff;
            match runs.last_mut() {
                Some((first, last, step, same))
                    if *same == distance
                        && code - *last <= 2
                        && (*first == *last || code - *last == *step) =>
                {
                    *step = code - *last;
                    *last = code;
                }
                _ => runs.push((code, code, 1, distance)),
            }
        }
        let part = |of: fn(&Run) -> u32| runs.iter().map(of).collect::<Vec<u32>>();
        [
            (runs.len() as u16).to_le_bytes().to_vec(),
            column(&part(|run| run.0), 3),
            column(&part(|run| run.1), 3),
            column(&part(|run| run.2), 1),
            column(&part(|run| run.3), 3),
        ]
        .concat()
    }

    #[test]
    fn all_characters_have_the_small_letters_of_the_library() {
        if !is_current("lower.bin", DATA, &file()) {
            return;
        }
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let expected = library(character).unwrap_or(character);
            assert_eq!(lower(character), expected, "{character:?}");
        }
    }
}
