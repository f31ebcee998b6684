//! Member names as canonical text: their order, and their place in a hash tree.
//!
//! A walk over layers compares names in their text form. Nearly all names are *plain* (no escapes,
//! nothing above U+DFFF), and their bytes are in the order of RFC 8785. Other names are compared by
//! the UTF-16 code units of their meaning.

use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

use crate::json;

/// A name in canonical text form, without the quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: Vec<u8>,
    pub(crate) plain: bool,
}

impl Name {
    /// The canonical text of a name.
    pub(crate) fn encode(name: &str) -> Name {
        let mut text = Vec::with_capacity(name.len() + 2);
        json::write_string(name, &mut text);
        text.pop();
        if !text.is_empty() {
            text.remove(0);
        }
        let plain = is_plain(&text);
        Name { text, plain }
    }

    #[inline(always)]
    pub(crate) fn key(&self) -> Key<'_> {
        Key { head: head(&self.text), text: &self.text }
    }
}

/// A name's text, with its first bytes as a number that decides most comparisons.
#[derive(Clone, Copy)]
pub(crate) struct Key<'n> {
    pub(crate) head: u64,
    pub(crate) text: &'n [u8],
}

/// The first eight bytes, most significant first, zeros after the end.
#[inline(always)]
pub(crate) fn head(text: &[u8]) -> u64 {
    let mut head = [0; 8];
    head.iter_mut().zip(text).for_each(|(slot, &byte)| *slot = byte);
    u64::from_be_bytes(head)
}

impl Key<'_> {
    /// Compares two names; `plain` says that both are plain.
    #[inline(always)]
    pub(crate) fn compare(&self, other: &Key<'_>, plain: bool) -> Ordering {
        if !plain {
            return compare(self.text, other.text, false);
        }
        match self.head.cmp(&other.head) {
            // A plain name has no zero byte, so a zero in the last byte means that the whole name
            // was compared.
            Ordering::Equal if self.head as u8 != 0 => self.text.cmp(other.text),
            order => order,
        }
    }
}

/// Whether the bytes of a name's text have the same order as its meaning.
#[inline(always)]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    // From 0xEE on, UTF-8 (code points) and UTF-16 (surrogates first) order differently.
    text.iter().all(|&byte| byte != b'\\' && byte < 0xEE)
}

/// Compares two names as text; `plain` says that both are plain.
#[inline(always)]
pub(crate) fn compare(a: &[u8], b: &[u8], plain: bool) -> Ordering {
    if plain { a.cmp(b) } else { units(a).cmp(units(b)) }
}

/// UTF-16 code units of a name's text, escapes resolved.
fn units(text: &[u8]) -> impl Iterator<Item = u16> + '_ {
    decoded(text).flat_map(|c| {
        let mut buffer = [0; 2];
        let len = c.encode_utf16(&mut buffer).len();
        buffer.into_iter().take(len)
    })
}

/// The characters that a name's text stands for.
pub(crate) fn decode(text: &[u8]) -> String {
    decoded(text).collect()
}

fn decoded(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    let text = core::str::from_utf8(text).unwrap_or_default();
    let mut chars = text.chars();
    core::iter::from_fn(move || {
        Some(match chars.next()? {
            '\\' => match chars.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    // Canonical text escapes only control characters this way.
                    let code = chars
                        .by_ref()
                        .take(4)
                        .fold(0, |code, digit| code * 16 + digit.to_digit(16).unwrap_or_default());
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
                other => other,
            },
            other => other,
        })
    })
}

/// How many levels of groups a name closes in its object's hash tree: 0 for 7 names of 8, 1 for 7
/// of 64 and so on, at most 7. FNV-1a (64 bit) with a final mix; It only shapes the tree, and is
/// not a security measure.
#[inline(always)]
pub(crate) fn rank(text: &[u8]) -> u8 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for &byte in text {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash >> 32) as u32 | 1 << 21).trailing_zeros() as u8 / 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_order_as_utf16_whatever_their_escapes() {
        let names = ["", "\u{1}", "\n", "\"", "A", "\\", "a", "é", "\u{ffff}", "\u{10000}", "😀"];
        for a in names {
            for b in names {
                let (x, y) = (Name::encode(a), Name::encode(b));
                let meant = a.encode_utf16().cmp(b.encode_utf16());
                assert_eq!(compare(&x.text, &y.text, x.plain && y.plain), meant, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn one_name_in_eight_closes_a_group() {
        let count = |at_least: u8| {
            (0..65_536)
                .filter(|i| rank(alloc::format!("service_{i}").as_bytes()) >= at_least)
                .count()
        };
        assert!((7_900..8_500).contains(&count(1)), "{}", count(1));
        assert!((960..1_090).contains(&count(2)), "{}", count(2));
    }
}
