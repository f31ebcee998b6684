//! Where a page ends: what its cursor holds.
//!
//! ```text
//! cursor := question id  rankers  meanings  ["+"  dense vectors]  "."  given …  "."  [score  address]
//! ```
//! Ids, numbers and scores are hexadecimal, rankers one digit to base 32. `given` are the tokens of addresses, 16 digits each.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use nacre_layers::{address::Address, sort::sort_by};
use nacre_search::token::{TermKey as _, Token, Unkeyed};

use crate::ranking::Rankers;

/// Where a page ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// What the pages are ranked by.
    pub(crate) rankers: Rankers,
    /// How many documents had a meaning when the first page was made. Later meanings do not rank.
    pub(crate) meanings: usize,
    /// How many documents had a dense vector then; 0 if these did not rank.
    pub(crate) dense: usize,
    /// The items of a first page that was made without all documents, sorted. All others come
    /// behind it.
    pub(crate) given: Vec<Token>,
    /// The last item, and its score; `None` behind a first page that was made without all documents.
    pub(crate) last: Option<(f32, Address)>,
}

impl Place {
    /// The text of a cursor for the question with this id.
    pub(crate) fn write(&self, question: u64) -> String {
        let Place { rankers, meanings, dense, given, last } = self;
        let given: String = given.iter().map(|Token(bits)| format!("{bits:016x}")).collect();
        let last = last.as_ref().map_or_else(String::new, |(score, address)| {
            format!("{:08x}{address}", score.to_bits())
        });
        let dense = if *dense == 0 { String::new() } else { format!("+{dense:x}") };
        format!("{question:016x}{}{meanings:x}{dense}.{given}.{last}", rankers.digit())
    }

    /// Reads the text of a cursor; `None` if it is not for the question with this id.
    pub(crate) fn read(text: &str, question: u64) -> Option<Place> {
        let rest = text.strip_prefix(&format!("{question:016x}"))?;
        let (rankers, rest) = rest.split_at_checked(1)?;
        let mut parts = rest.splitn(3, '.');
        let (meanings, given, last) = (parts.next()?, parts.next()?, parts.next()?);
        let (meanings, dense) = meanings
            .split_once('+')
            .map_or((meanings, None), |(meanings, dense)| (meanings, Some(dense)));
        let last = if last.is_empty() { None } else { Some(read_last(last)?) };
        Some(Place {
            rankers: Rankers::of_digit(rankers)?,
            meanings: usize::from_str_radix(meanings, 16).ok()?,
            dense: dense.map_or(Ok(0), |dense| usize::from_str_radix(dense, 16)).ok()?,
            given: read_given(given)?,
            last,
        })
    }

    /// Whether an item comes after this place: higher scores come first, then lower addresses.
    pub(crate) fn is_before(&self, score: f32, address: &Address) -> bool {
        let comes_later = |(last_score, last): &(f32, Address)| {
            last_score.total_cmp(&score).then_with(|| address.cmp(last)).is_gt()
        };
        self.last.as_ref().is_none_or(comes_later)
            && (self.given.is_empty() || self.given.binary_search(&token(address)).is_err())
    }
}

/// What stands for the items of a page.
pub(crate) fn tokens<'a>(addresses: impl Iterator<Item = &'a Address>) -> Vec<Token> {
    let mut tokens: Vec<Token> = addresses.map(token).collect();
    sort_by(&mut tokens, Ord::cmp);
    tokens
}

fn token(address: &Address) -> Token {
    Unkeyed.token(&address.to_string())
}

fn read_last(text: &str) -> Option<(f32, Address)> {
    let (score, address) = text.split_at_checked(8)?;
    let (level, id) = address.split_once('/')?;
    let score = f32::from_bits(u32::from_str_radix(score, 16).ok()?);
    score.is_finite().then_some((score, Address::parse(level, id).ok()?))
}

fn read_given(text: &str) -> Option<Vec<Token>> {
    let digits = text.as_bytes().chunks(16).map(|digits| core::str::from_utf8(digits).ok());
    let tokens = digits.map(|digits| Some(Token(u64::from_str_radix(digits?, 16).ok()?)));
    tokens.collect::<Option<Vec<Token>>>().filter(|tokens| tokens.is_sorted())
}
