//! Names near a name that does not exist: "did you mean".

use alloc::{string::String, vec::Vec};

/// Longer names are compared by their beginnings.
const LETTERS: usize = 64;

/// Up to `most` of the names that are near one, the nearest first. A name is near if it is the same but
/// for case and for one letter in three (Damerau 1964), or if one is a part of the other.
pub(crate) fn nearest<'n>(
    name: &str,
    among: impl Iterator<Item = &'n str>,
    most: usize,
) -> Vec<&'n str> {
    let name = folded(name);
    let mut near: Vec<(usize, &str)> = among
        .filter_map(|other| {
            let folded = folded(other);
            let distance = distance(&name, &folded);
            let is_part = name.len().min(folded.len()) >= 3 && contains(&name, &folded);
            let is_near = is_part || distance * 3 <= name.len().max(folded.len());
            is_near.then_some((distance, other))
        })
        .collect();
    near.sort();
    near.truncate(most);
    near.into_iter().map(|(_, name)| name).collect()
}

fn folded(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).take(LETTERS).collect()
}

fn contains(one: &[char], other: &[char]) -> bool {
    let text = |letters: &[char]| letters.iter().collect::<String>();
    let (one, other) = (text(one), text(other));
    one.contains(&other) || other.contains(&one)
}

/// The fewest letters to insert, remove, replace or swap with the next one.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut next = Vec::from([row + 1]);
        for (column, other) in to.iter().enumerate() {
            let cost =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = cost(&above, column) + usize::from(letter != other);
            let mut least = replaced.min(cost(&above, column + 1) + 1).min(cost(&next, column) + 1);
            let is_swap = row.checked_sub(1).and_then(|row| from.get(row)) == Some(other)
                && column.checked_sub(1).and_then(|column| to.get(column)) == Some(letter);
            if is_swap {
                least = least.min(cost(&before, column - 1).saturating_add(1));
            }
            next.push(least);
        }
        before = core::mem::replace(&mut above, next);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["fix-login", "fix-logout", "shop", "shop-api", "billing"];
        for (name, meant) in [
            ("fix-logn", &["fix-login", "fix-logout"][..]),
            ("Fix-Login", &["fix-login", "fix-logout"]),
            ("shp", &["shop"]),
            ("bill", &["billing"]),
            ("xyz", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(name, names.into_iter(), 2), meant, "{name}");
        }
    }

    #[test]
    fn counts_letters() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let distance = |a, b| distance(&letters(a), &letters(b));
        assert_eq!(distance("", ""), 0);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("paht", "path"), 1);
    }
}
