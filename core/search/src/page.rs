//! An index as pages: what a shell keeps so that a search need not read every document's row.
//!
//! ```text
//! directory := version ‖ pages ‖ number of documents ‖ (level ‖ id ‖ length)*
//! page      := (token ‖ list)*, the tokens whose first bits are the page's number
//! words     := the folded words of all documents, sorted, each without what it shares with the one before
//! ```
//! Writing them costs one row a page for all documents together, so a shell does it once for many
//! changes, and keeps the rows of later documents beside them.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use nacre_layers::{address::Address, id::ContextId, level::Level, sort::distinct};

use crate::{
    bytes::{put, put_bytes, take, take_text},
    index::Index,
    list::List,
    query::Query,
    row::{VERSION, put_shared, take_shared},
    score::tokens,
    token::{TermKey, Token},
};

/// The bytes that a page should have.
const PAGE_BYTES: usize = 64 << 10;

/// The most pages.
const MOST_PAGES: usize = 1 << 10;

/// A part of a written index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The documents: needed by every search.
    Directory,
    /// The words, for prefixes.
    Words,
    /// The postings of some tokens.
    Page(u32),
}

/// The postings of pages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paged {
    lists: BTreeMap<Token, List>,
    loaded: Vec<bool>,
    words_missing: bool,
}

impl Paged {
    pub(crate) fn list(&self, token: Token) -> Option<&List> {
        self.lists.get(&token)
    }

    pub(crate) fn tokens(&self) -> impl Iterator<Item = Token> {
        self.lists.keys().copied()
    }

    /// The missing page that a token's list is on.
    fn missing(&self, token: Token) -> Option<u32> {
        let page = page_of(token, self.loaded.len());
        (self.loaded.get(page) == Some(&false)).then_some(page as u32)
    }
}

/// The page of a token: the number that its first bits make.
fn page_of(token: Token, pages: usize) -> usize {
    let bits = pages.max(1).trailing_zeros();
    token.0.checked_shr(64 - bits).unwrap_or(0) as usize
}

impl Index {
    /// Opens an index by its directory; `None` if that is damaged or of another version. Then the
    /// index has to be made of all rows.
    pub fn open(mut directory: &[u8]) -> Option<Index> {
        let bytes = &mut directory;
        if take(bytes)? != u32::from(VERSION) {
            return None;
        }
        let pages = take(bytes)? as usize;
        if !pages.is_power_of_two() || pages > MOST_PAGES {
            return None;
        }
        let mut index = Index::new();
        index.paged.loaded.resize(pages, false);
        index.paged.words_missing = true;
        for _ in 0..take(bytes)? {
            let level = *Level::ALL.get(take(bytes)? as usize)?;
            let id = ContextId::stored(take_text(bytes)?).ok()?;
            let length = take(bytes)?;
            index.add_document(Address::new(level, id).ok()?, length);
        }
        bytes.is_empty().then_some(index)
    }

    /// Takes a part in; gives whether it could be read. One that could not stays missing.
    pub fn load(&mut self, part: Part, bytes: &[u8]) -> bool {
        match part {
            Part::Directory => false,
            Part::Words => self.load_words(bytes).is_some(),
            Part::Page(page) => self.load_page(page as usize, bytes).is_some(),
        }
    }

    fn load_words(&mut self, mut bytes: &[u8]) -> Option<()> {
        let (mut words, mut before) = (Vec::new(), String::new());
        while !bytes.is_empty() {
            let word = take_shared(&mut bytes, &before)?;
            before.clone_from(&word);
            words.push(word);
        }
        words.iter().for_each(|word| self.add_surface(word));
        self.paged.words_missing = false;
        Some(())
    }

    fn load_page(&mut self, page: usize, mut bytes: &[u8]) -> Option<()> {
        let mut lists = Vec::new();
        while !bytes.is_empty() {
            let (token, rest) = bytes.split_first_chunk()?;
            bytes = rest;
            lists.push((Token(u64::from_be_bytes(*token)), List::decode(&mut bytes)?));
        }
        *self.paged.loaded.get_mut(page)? = true;
        self.paged.lists.extend(lists);
        Some(())
    }

    /// The parts that are missing to answer a query.
    pub fn needs(&self, query: &Query, key: &dyn TermKey) -> Vec<Part> {
        let mut parts = Vec::new();
        if query.prefix.is_some() && self.paged.words_missing {
            // The words tell which pages the prefix needs.
            parts.push(Part::Words);
        }
        let pages = tokens(self, query, key).into_iter();
        parts.extend(pages.filter_map(|token| self.paged.missing(token)).map(Part::Page));
        distinct(parts)
    }

    /// The parts that are missing altogether. With all of them the index can be [written](Index::pages).
    pub fn missing(&self) -> Vec<Part> {
        let words = self.paged.words_missing.then_some(Part::Words);
        let pages = (0..).zip(&self.paged.loaded).filter(|(_, loaded)| !**loaded);
        words.into_iter().chain(pages.map(|(page, _)| Part::Page(page))).collect()
    }

    /// The index as its parts, without removed documents; `None` while a part is missing.
    pub fn pages(&self) -> Option<Vec<(Part, Vec<u8>)>> {
        if !self.missing().is_empty() {
            return None;
        }
        let numbers = self.renumbered(&|_| true);
        let mut tokens: Vec<Token> = self.tokens().collect();
        tokens.sort_unstable();
        let lists: Vec<(Token, List)> = tokens
            .into_iter()
            .map(|token| (token, self.compacted(token, &numbers)))
            .filter(|(_, list)| list.len() > 0)
            .collect();
        let mut sized = Vec::new();
        lists.iter().for_each(|(_, list)| list.encode(&mut sized));
        let count = sized.len().div_ceil(PAGE_BYTES).next_power_of_two().min(MOST_PAGES);
        let mut pages = alloc::vec![Vec::new(); count];
        for (token, list) in lists {
            if let Some(page) = pages.get_mut(page_of(token, count)) {
                page.extend_from_slice(&token.0.to_be_bytes());
                list.encode(page);
            }
        }
        let parts = [(Part::Directory, self.directory(count)), (Part::Words, self.words())];
        let pages = (0..).zip(pages).map(|(number, page)| (Part::Page(number), page));
        Some(parts.into_iter().chain(pages).collect())
    }

    fn directory(&self, pages: usize) -> Vec<u8> {
        let mut out = Vec::from([VERSION]);
        put(&mut out, pages as u32);
        put(&mut out, self.len() as u32);
        for document in self.documents().iter().filter(|document| document.live) {
            out.push(document.address.level as u8);
            put_bytes(&mut out, document.address.id.as_str().as_bytes());
            put(&mut out, document.length);
        }
        out
    }

    fn words(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut before = "";
        for word in self.surfaces.since("") {
            put_shared(&mut out, before, word);
            before = word;
        }
        out
    }
}
