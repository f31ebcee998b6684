//! The row of a document: its terms, how often and where. All postings are made of such rows.
//!
//! A shell writes one row when a context changes, and removes it when the context is gone. The terms
//! are readable in it, so a shell seals it like any value.
//!
//! ```text
//! row    := version ‖ level ‖ id ‖ length ‖ number of terms ‖ terms, sorted
//! term   := bytes shared with the term before ‖ other bytes ‖ weight
//!           ‖ number of positions ‖ distances ‖ number of surfaces ‖ surfaces
//! surface := bytes shared with its term ‖ other bytes
//! ```
//! Integers have seven bits a byte (see `bytes`); a text follows its length.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use nacre_layers::{address::Address, id::ContextId, level::Level, value::Object};

use crate::{
    bytes::{put, put_bytes, take, take_text},
    list::unpack,
    piece::{Field, Piece, each_piece},
    rank,
    text::{Kind, Term, terms},
    token::{TermKey, Token},
};

/// The version of rows, and of the analysis that fills them. A row of another one is made anew.
pub const VERSION: u8 = 1;

/// What the terms of one document may take, by their lengths and [`EACH_TERM`]: about 50,000 terms. Once
/// there are so many, no further ones are added, so that a document of a million names takes no more.
const TERM_BYTES: usize = 2 << 20;

/// What a term takes beside its length, in bytes.
const EACH_TERM: usize = 32;

/// The positions between two pieces, so that no phrase spans both.
const GAP: u32 = 16;

/// The spaces of terms: words of texts stand alone, others behind a character that no term holds.
pub(crate) const KEY: char = '\u{1}';
pub(crate) const ID: char = '\u{2}';
pub(crate) const PATH: char = '\u{3}';

/// A document as its terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The context.
    pub address: Address,
    /// The number of words in its titles, texts and notes.
    pub length: u32,
    /// Its terms, sorted.
    pub terms: BTreeMap<String, Occurrences>,
}

/// How a term occurs in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// The number of times, each counted by the weight of its field; at most 255.
    pub weight: u8,
    /// Where it is a word, in rising order.
    pub positions: Vec<u32>,
    /// Its forms before stemming, sorted.
    pub surfaces: Vec<String>,
}

impl Row {
    /// The row of a context with this data, and the texts of its insights and notes on progress.
    pub fn of(address: &Address, data: &Object, notes: &[String]) -> Row {
        let row = Row { address: address.clone(), length: 0, terms: BTreeMap::new() };
        let mut making = Making { row, room: TERM_BYTES };
        let mut position = 0;
        each_piece(address.id.as_str(), data, notes, &mut |piece| {
            position = making.add(&piece, position).saturating_add(GAP);
        });
        making.row
    }

    /// The tokens of the words in the order in which they stand, for an index of another kind, such
    /// as FTS5. Wholes, keys and ids follow.
    pub fn tokens(&self, key: &dyn TermKey) -> Vec<Token> {
        let mut placed: Vec<(u32, Token)> = Vec::new();
        for (term, occurrences) in self.terms.iter().filter(|(term, _)| !term.starts_with(PATH)) {
            let token = key.token(term);
            placed.extend(occurrences.positions.iter().map(|position| (*position, token)));
            placed.extend(occurrences.positions.is_empty().then_some((u32::MAX, token)));
        }
        placed.sort_unstable();
        placed.into_iter().map(|(_, token)| token).collect()
    }

    /// The row as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::from([VERSION, self.address.level as u8]);
        put_bytes(&mut out, self.address.id.as_str().as_bytes());
        put(&mut out, self.length);
        put(&mut out, self.terms.len() as u32);
        let mut before = "";
        for (term, occurrences) in &self.terms {
            put_shared(&mut out, before, term);
            out.push(occurrences.weight);
            put(&mut out, occurrences.positions.len() as u32);
            put_rising(&mut out, &occurrences.positions);
            put(&mut out, occurrences.surfaces.len() as u32);
            occurrences.surfaces.iter().for_each(|surface| put_shared(&mut out, term, surface));
            before = term;
        }
        out
    }

    /// The context of an encoded row; `None` if it is of another version or damaged.
    pub fn address_of(bytes: &[u8]) -> Option<Address> {
        Packed::read(bytes).map(|packed| packed.address)
    }

    /// Reads a row; `None` if it is of another version or damaged. Then it has to be made anew.
    pub fn decode(bytes: &[u8]) -> Option<Row> {
        let mut packed = Packed::read(bytes)?;
        let mut terms: Vec<(String, Occurrences)> = Vec::new();
        packed.each(&mut |part| match part {
            Part::Term { term, weight, positions } => {
                let positions = unpack(positions).collect();
                let occurrences = Occurrences { weight, positions, surfaces: Vec::new() };
                terms.push((term.into(), occurrences));
            }
            Part::Surface(surface) => {
                if let Some((_, occurrences)) = terms.last_mut() {
                    occurrences.add_surface(surface);
                }
            }
        })?;
        let terms = terms.into_iter().collect();
        Some(Row { address: packed.address, length: packed.length, terms })
    }
}

/// A row while it is made.
struct Making {
    row: Row,
    /// Bytes that further terms may take.
    room: usize,
}

impl Making {
    /// Adds a piece; gives the next free position.
    fn add(&mut self, piece: &Piece<'_>, first: u32) -> u32 {
        if piece.field == Field::Key
            && let Some(occurrences) = self.entry(&path_term(piece.pointer.tokens()))
        {
            occurrences.weight = 1;
        }
        let (space, weight) = match piece.field {
            Field::Title => (None, rank::TITLE),
            Field::Text | Field::Note => (None, rank::TEXT),
            Field::Key => (Some(KEY), 1),
            Field::Id => (Some(ID), 1),
        };
        terms(&piece.text, first, &mut |term| {
            self.row.length += u32::from(space.is_none() && term.kind == Kind::Word);
            self.count(&term, space, weight);
        })
    }

    fn count(&mut self, term: &Term<'_>, space: Option<char>, weight: u8) {
        let marked: String;
        let name = match space {
            None => term.text,
            Some(mark) => {
                marked = [mark].into_iter().chain(term.text.chars()).collect();
                &marked
            }
        };
        let Some(occurrences) = self.entry(name) else { return };
        occurrences.weight = occurrences.weight.saturating_add(weight);
        if space.is_none() && term.kind == Kind::Word {
            occurrences.positions.push(term.position);
        }
        if term.kind != Kind::Single {
            occurrences.add_surface(term.surface);
        }
    }

    /// The occurrences of a term; `None` if there is no room for a further one.
    fn entry(&mut self, term: &str) -> Option<&mut Occurrences> {
        if !self.row.terms.contains_key(term) {
            self.room = self.room.checked_sub(term.len() + EACH_TERM)?;
            self.row.terms.insert(term.into(), Occurrences::default());
        }
        self.row.terms.get_mut(term)
    }
}

impl Occurrences {
    fn add_surface(&mut self, surface: &str) {
        if let Err(place) = self.surfaces.binary_search_by(|held| held.as_str().cmp(surface)) {
            self.surfaces.insert(place, surface.into());
        }
    }
}

/// A row in its bytes, read term by term.
pub(crate) struct Packed<'b> {
    pub(crate) address: Address,
    pub(crate) length: u32,
    terms: &'b [u8],
}

/// A part of a packed row.
pub(crate) enum Part<'p> {
    /// A term, with its positions as lists hold them.
    Term { term: &'p str, weight: u8, positions: &'p [u8] },
    /// A form of the term before.
    Surface(&'p str),
}

impl<'b> Packed<'b> {
    /// Reads whose row it is; `None` if it is of another version or damaged.
    pub(crate) fn read(mut bytes: &'b [u8]) -> Option<Packed<'b>> {
        let bytes = &mut bytes;
        if take(bytes)? != u32::from(VERSION) {
            return None;
        }
        let level = *Level::ALL.get(take(bytes)? as usize)?;
        let address = Address::new(level, ContextId::stored(take_text(bytes)?).ok()?).ok()?;
        let length = take(bytes)?;
        Some(Packed { address, length, terms: bytes })
    }

    /// Shows every term, each before its surfaces. `None` if the row is damaged; then only a part was
    /// shown.
    pub(crate) fn each(&mut self, see: &mut dyn FnMut(Part<'_>)) -> Option<()> {
        let bytes = &mut self.terms;
        let (mut term, mut surface) = (String::new(), String::new());
        for _ in 0..take(bytes)? {
            take_next(bytes, &mut term)?;
            let (weight, rest) = bytes.split_first()?;
            *bytes = rest;
            let positions = take_rising(bytes)?;
            see(Part::Term { term: &term, weight: *weight, positions });
            for _ in 0..take(bytes)? {
                surface.clone_from(&term);
                take_shared_into(bytes, &mut surface)?;
                see(Part::Surface(&surface));
            }
        }
        bytes.is_empty().then_some(())
    }
}

/// The term of a path: its names, without the indexes of arrays.
pub(crate) fn path_term<N: AsRef<str>>(names: impl Iterator<Item = N>) -> String {
    let mut term = String::from(PATH);
    for name in names {
        let name = name.as_ref();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_digit()) {
            term.push('/');
            term.push_str(name);
        }
    }
    term
}

/// Adds rising numbers as their distances.
pub(crate) fn put_rising(out: &mut Vec<u8>, numbers: &[u32]) {
    let mut before = 0;
    for number in numbers {
        put(out, number.wrapping_sub(before));
        before = *number;
    }
}

/// Takes the bytes of rising numbers, after their count.
fn take_rising<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let count = take(bytes)?;
    let start = *bytes;
    let mut last = 0_u32;
    for _ in 0..count {
        last = last.checked_add(take(bytes)?)?;
    }
    start.get(..start.len() - bytes.len())
}

/// Adds a text as what it shares with another at the beginning, and the rest.
fn put_shared(out: &mut Vec<u8>, with: &str, text: &str) {
    let same = with.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    let shared = (0..=same).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    put(out, shared as u32);
    put_bytes(out, text.get(shared..).unwrap_or_default().as_bytes());
}

/// Takes a text that comes after the one in whose place it is put.
fn take_next(bytes: &mut &[u8], text: &mut String) -> Option<()> {
    let shared = take(bytes)? as usize;
    let rest = take_text(bytes)?;
    if text.get(shared..)? >= rest {
        return None;
    }
    text.truncate(shared);
    text.push_str(rest);
    Some(())
}

/// Takes what [`put_shared`] added, in the place of the text that it shares with.
fn take_shared_into(bytes: &mut &[u8], text: &mut String) -> Option<()> {
    let shared = take(bytes)? as usize;
    text.get(..shared)?;
    text.truncate(shared);
    text.push_str(take_text(bytes)?);
    Some(())
}
