//! The name that was probably meant.

use alloc::vec::Vec;

/// Longest name that is compared, in bytes.
const BYTES: usize = 128;

/// The name that takes the fewest edits, if these are few enough to be a mistake.
pub(crate) fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if wrong.len() > BYTES {
        return None;
    }
    let scored = names.map(|name| (edits(wrong, name), name));
    let (edits, name) = scored.min_by_key(|(edits, _)| *edits)?;
    (edits <= wrong.len().max(name.len()) / 2).then_some(name)
}

/// Bytes to insert, delete or replace to make one text of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let replaced = diagonal + usize::from(x != y);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ab", 0)]
        {
            assert_eq!((edits(a, b), edits(b, a)), (count, count), "{a} {b}");
        }
    }

    #[test]
    fn only_a_likely_name_is_named() {
        let names = || ["resolve_context", "get_context_pack"].into_iter();
        assert_eq!(nearest("resolve-contexts", names()), Some("resolve_context"));
        assert_eq!(nearest("weather", names()), None);
    }
}
