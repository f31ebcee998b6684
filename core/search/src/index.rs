//! The index of one user's documents, in memory. It is made of document rows.

use alloc::{collections::BTreeMap, rc::Rc, string::String, vec::Vec};

use nacre_layers::address::Address;

use crate::{
    list::List,
    rank::idf,
    row::{Packed, Part, Row, put_rising},
    surfaces::Surfaces,
    token::{TermKey, Token},
    tokens::Lists,
};

/// The statistics of all documents of a user, for an index that holds only some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// The number of documents.
    pub documents: u32,
    /// The sum of their [lengths](Row::length).
    pub words: u64,
    /// In how many documents terms occur: those that a query [is scored by](crate::query::Query::terms), at least.
    pub frequencies: BTreeMap<String, u32>,
}

/// A population, with the tokens of its terms.
#[derive(Clone, Debug)]
struct Assumed {
    documents: u32,
    words: u64,
    frequencies: BTreeMap<Token, u32>,
}

/// The index of one user's documents.
#[derive(Clone, Debug, Default)]
pub struct Index {
    documents: Vec<Document>,
    numbers: BTreeMap<Address, u32>,
    /// The postings.
    pub(crate) lists: Lists,
    /// The folded words of all documents, for prefixes. Words of removed documents may stay.
    pub(crate) surfaces: Rc<Surfaces>,
    length: u64,
    /// The statistics that count in the place of its own.
    assumed: Option<Assumed>,
}

/// What the index knows of a document besides its postings.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) address: Address,
    /// The number of words.
    pub(crate) length: u32,
    /// Whether it is still there, as it was indexed.
    pub(crate) live: bool,
}

impl Index {
    /// An index without documents.
    pub fn new() -> Index {
        Index::default()
    }

    /// The number of documents.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Whether there is a document for the context.
    pub fn contains(&self, address: &Address) -> bool {
        self.numbers.contains_key(address)
    }

    /// Scores by the statistics of a larger population: the documents here get the scores that they
    /// have among all.
    pub fn assume(&mut self, population: &Population, key: &dyn TermKey) {
        let Population { documents, words, frequencies } = population;
        let tokens = frequencies.iter().map(|(term, frequency)| (key.token(term), *frequency));
        let mut frequencies = BTreeMap::new();
        frequencies.extend(tokens);
        self.assumed = Some(Assumed { documents: *documents, words: *words, frequencies });
    }

    /// Adds a document, in the place of an earlier one of the same context.
    pub fn upsert(&mut self, row: &Row, key: &dyn TermKey) {
        let number = self.add_document(row.address.clone(), row.length);
        let mut positions = Vec::new();
        for (term, occurrences) in &row.terms {
            positions.clear();
            put_rising(&mut positions, &occurrences.positions);
            self.lists.push(key.token(term), number, occurrences.weight, &positions);
            occurrences.surfaces.iter().for_each(|surface| self.add_surface(surface));
        }
    }

    /// Adds the document of a row that is not taken apart: as [`Index::upsert`] of the decoded row, but
    /// quicker. Gives its context; `None` if the row is of another version or damaged, and has to be
    /// made anew. Then the context has no document, if the row tells which one it is.
    pub fn upsert_packed(&mut self, row: &[u8], key: &dyn TermKey) -> Option<Address> {
        let mut row = Packed::read(row)?;
        let number = self.add_document(row.address.clone(), row.length);
        let read = row.each(&mut |part| match part {
            Part::Term { term, weight, positions } => {
                self.lists.push(key.token(term), number, weight, positions);
            }
            Part::Surface(surface) => self.add_surface(surface),
        });
        if read.is_none() {
            self.remove(&row.address);
        }
        read.map(|()| row.address)
    }

    pub(crate) fn add_surface(&mut self, surface: &str) {
        if !self.surfaces.contains(surface) {
            Rc::make_mut(&mut self.surfaces).add(surface);
        }
    }

    /// Removes the document of a context; gives whether there was one.
    pub fn remove(&mut self, address: &Address) -> bool {
        let number = self.numbers.remove(address);
        number.inspect(|number| self.retire(*number)).is_some()
    }

    /// Takes a document out, whose context has none now or another one.
    fn retire(&mut self, number: u32) {
        if let Some(document) = self.documents.get_mut(number as usize) {
            document.live = false;
            self.length = self.length.saturating_sub(document.length.into());
        }
    }

    /// The number of postings' documents that are removed or replaced, and still take place.
    pub fn waste(&self) -> usize {
        self.documents.len().saturating_sub(self.numbers.len())
    }

    /// Adds a document, in the place of an earlier one of the same context.
    pub(crate) fn add_document(&mut self, address: Address, length: u32) -> u32 {
        let number = self.documents.len() as u32;
        if let Some(earlier) = self.numbers.insert(address.clone(), number) {
            self.retire(earlier);
        }
        self.documents.push(Document { address, length, live: true });
        self.length += u64::from(length);
        number
    }

    /// The documents by number, removed ones too.
    pub(crate) fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The context of a document.
    pub fn address(&self, number: u32) -> Option<&Address> {
        self.documents.get(number as usize).map(|document| &document.address)
    }

    /// The contexts of all documents, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.numbers.keys()
    }

    /// What the numbers of all documents are below.
    pub fn end(&self) -> u32 {
        self.documents.len() as u32
    }

    /// The number of a context's document.
    pub fn number(&self, address: &Address) -> Option<u32> {
        self.numbers.get(address).copied()
    }

    /// The number of documents that scores are made with.
    pub(crate) fn count(&self) -> u32 {
        self.assumed.as_ref().map_or(self.len() as u32, |assumed| assumed.documents)
    }

    /// The mean number of words of a document.
    pub(crate) fn mean_length(&self) -> f32 {
        let words = self.assumed.as_ref().map_or(self.length, |assumed| assumed.words);
        (words as f64 / f64::from(self.count().max(1))).max(1.0) as f32
    }

    /// The list of a token: documents in rising order.
    pub(crate) fn list(&self, token: Token) -> Option<&List> {
        self.lists.get(token)
    }

    /// The number of documents with a token.
    pub(crate) fn frequency(&self, token: Token) -> u32 {
        let assumed = self.assumed.as_ref().and_then(|all| all.frequencies.get(&token));
        assumed.copied().unwrap_or_else(|| self.own_frequency(token))
    }

    /// The number of documents here with a token.
    pub(crate) fn own_frequency(&self, token: Token) -> u32 {
        let Some(list) = self.list(token) else { return 0 };
        if self.waste() == 0 {
            return list.len();
        }
        let mut live = 0;
        list.each(|number, _| live += u32::from(self.is_live(number)));
        live
    }

    /// In how many documents a term occurs in texts.
    pub fn documents_with(&self, term: &str, key: &dyn TermKey) -> u32 {
        self.frequency(key.token(term))
    }

    /// How rare a term is in texts: 0 if all documents have it.
    pub fn rarity(&self, term: &str, key: &dyn TermKey) -> f32 {
        idf(self.count(), self.documents_with(term, key))
    }

    pub(crate) fn is_live(&self, number: u32) -> bool {
        self.documents.get(number as usize).is_some_and(|document| document.live)
    }
}
