//! All documents of one user in memory.

use alloc::vec::Vec;

use nacre_layers::{address::Address, error::Result, id::ContextId, level::Level};
use nacre_search::{
    index::{Index, Population},
    row::Row,
    semantic::{
        models::Meaning,
        vector::Vector,
        vectors::{Vectors, other_dimensions},
    },
    token::Unkeyed,
};

use crate::{
    dense::{Dense, DenseVector},
    document::{Document, Facts, Packed},
    guest::LastGuest,
    meanings::Meanings,
};

/// All documents of one user in memory, or those that may answer one question.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    pub(crate) index: Index,
    pub(crate) meanings: Meanings,
    /// Vectors that no model of this crate made. The first one says how many dimensions all have.
    pub(crate) embeddings: Option<Vectors>,
    /// Vectors of the deployment's embedding model.
    pub(crate) dense: Dense,
    /// By the documents' numbers in the index; those of removed documents stay.
    facts: Vec<Facts>,
    is_partial: bool,
    /// Whether it was whole once: meanings come in the order of encoding since then.
    was_whole: bool,
    /// Every change forgets it.
    pub(crate) last_guest: LastGuest,
}

impl Corpus {
    /// A corpus that is to hold only documents which may answer a question that is
    /// [wanted](crate::wanted()), with the statistics of all. It is searched by words alone: how
    /// near in meaning a document is counts beside all others.
    pub fn of_candidates(population: &Population) -> Corpus {
        let mut corpus = Corpus { is_partial: true, ..Corpus::default() };
        corpus.index.assume(population, &Unkeyed);
        corpus
    }

    /// A corpus that does not hold all documents yet. Until it does, it is searched by words alone.
    pub fn loading() -> Corpus {
        Corpus { is_partial: true, ..Corpus::default() }
    }

    /// Says whether it holds all documents as they are.
    pub fn set_whole(&mut self, is_whole: bool) {
        if self.is_partial == is_whole {
            self.last_guest.forget();
        }
        self.is_partial = !is_whole;
        self.was_whole |= is_whole;
    }

    /// Whether it does not hold all documents as they are.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Adds a document, in the place of an earlier one of the same context.
    pub fn upsert(&mut self, document: Document) {
        let Document { facts, row, meaning, embedding, dense } = document;
        self.forget_meaning(&row.address);
        self.index.upsert(&row, &Unkeyed);
        self.describe(facts, meaning.as_ref(), embedding.as_ref(), dense.as_ref());
    }

    /// As [`Corpus::upsert`] of a document that was made anew. If the context has not changed since, it
    /// keeps its vector.
    pub fn renew(&mut self, document: Document) {
        let address = &document.row.address;
        let is_same = self.facts(address).is_some_and(|facts| facts.seq == document.facts.seq);
        let embedding = self.given_vector(address).filter(|_| is_same);
        self.upsert(Document { embedding, ..document });
    }

    /// As [`Corpus::upsert`] of the [decoded](Document::decode) document, but quicker. Gives its
    /// context; `None` if it has to be made anew.
    pub fn upsert_encoded(&mut self, document: &[u8]) -> Option<Address> {
        let Packed { facts, row, meaning, embedding, dense } = Packed::read(document)?;
        let address = Row::address_of(row)?;
        self.forget_meaning(&address);
        let read = self.index.upsert_packed(row, &Unkeyed);
        let is_read = read.is_some();
        self.describe(
            facts,
            meaning.as_ref().filter(|_| is_read),
            embedding.as_ref().filter(|_| is_read),
            dense.as_ref().filter(|_| is_read),
        );
        read
    }

    /// Adds what is known of the document that was added to the index last.
    fn describe(
        &mut self,
        facts: Facts,
        meaning: Option<&Meaning>,
        embedding: Option<&Vector>,
        dense: Option<&DenseVector>,
    ) {
        let number = self.facts.len() as u32;
        debug_assert_eq!(number + 1, self.index.end(), "numbers are given in order");
        self.facts.push(facts);
        if let Some(meaning) = meaning {
            self.meanings.set(number, meaning, !self.was_whole);
        }
        if let Some(dense) = dense {
            self.dense.set(number, dense, !self.was_whole);
        }
        if let Some(embedding) = embedding {
            // One of other dimensions cannot be compared, and was given to another store.
            Vectors::put(&mut self.embeddings, number, embedding).ok();
        }
    }

    /// Takes in what the models say of a context, if it has a document.
    pub fn give_meaning(&mut self, address: &Address, meaning: &Meaning) {
        self.last_guest.forget();
        if let Some(number) = self.index.number(address) {
            self.meanings.set(number, meaning, false);
        }
    }

    /// Takes in the vector of a context by an embedding model, if the context has a document.
    pub fn give_dense(&mut self, address: &Address, dense: &DenseVector) {
        self.last_guest.forget();
        if let Some(number) = self.index.number(address) {
            self.dense.set(number, dense, false);
        }
    }

    /// Gives a context's document a vector that a model elsewhere made. It is compared with the vectors
    /// of questions, and only with them. A new state of the document has none.
    ///
    /// # Errors
    /// `invalid-request` if vectors have another number of dimensions.
    pub fn give_vector(&mut self, address: &Address, vector: &Vector) -> Result<()> {
        self.check_dimensions(vector)?;
        let Some(number) = self.index.number(address) else { return Ok(()) };
        self.last_guest.forget();
        Vectors::put(&mut self.embeddings, number, vector)
    }

    /// Takes its vector from a context's document.
    pub fn forget_vector(&mut self, address: &Address) {
        self.last_guest.forget();
        let number = self.index.number(address);
        if let Some((embeddings, number)) = self.embeddings.as_mut().zip(number) {
            embeddings.remove(number);
        }
    }

    /// The vector that a context's document was given.
    pub fn given_vector(&self, address: &Address) -> Option<Vector> {
        self.embeddings.as_ref()?.get(self.index.number(address)?)
    }

    /// Refuses a vector that cannot be compared with those that were given.
    ///
    /// # Errors
    /// `invalid-request`.
    pub fn check_dimensions(&self, vector: &Vector) -> Result<()> {
        let given = self.embeddings.as_ref().filter(|given| !given.is_empty());
        let dimensions = given.map(Vectors::dimensions);
        match dimensions.filter(|dimensions| *dimensions != vector.numbers().len()) {
            None => Ok(()),
            Some(dimensions) => Err(other_dimensions(dimensions).at("/vector")),
        }
    }

    /// Removes the document of a context; gives whether there was one.
    pub fn remove(&mut self, address: &Address) -> bool {
        self.forget_meaning(address);
        self.index.remove(address)
    }

    /// Forgets the meaning of a document that is about to be removed or replaced.
    fn forget_meaning(&mut self, address: &Address) {
        self.last_guest.forget();
        if let Some(number) = self.index.number(address) {
            self.meanings.remove(number);
            self.dense.remove(number);
            if let Some(embeddings) = &mut self.embeddings {
                embeddings.remove(number);
            }
        }
    }

    /// The number of documents.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The number of removed documents that still take place. When there are more of them than
    /// documents, a shell has the corpus [compacted](Corpus::compacted).
    pub fn waste(&self) -> usize {
        self.index.waste()
    }

    /// The facts of a context's document.
    pub fn facts(&self, address: &Address) -> Option<&Facts> {
        self.facts.get(self.index.number(address)? as usize)
    }

    /// The addresses of all documents.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.index.addresses()
    }

    /// The context above another one.
    pub(crate) fn above(&self, address: &Address) -> Option<Address> {
        Address::above(address.level, self.facts(address)?.parent.as_ref()?)
    }

    /// A context and those above it, lowest first.
    pub(crate) fn chain(&self, address: &Address) -> impl Iterator<Item = Address> {
        core::iter::successors(Some(address.clone()), |address| self.above(address))
    }

    /// Whether a context is `root`, or stands below it.
    pub(crate) fn stands_under(&self, address: &Address, root: &Address) -> bool {
        self.chain(address).any(|above| above == *root)
    }

    /// The project in which a context stands.
    pub(crate) fn project(&self, address: &Address) -> Option<ContextId> {
        let project = self.chain(address).find(|above| above.level == Level::Project);
        project.map(|project| project.id)
    }

    /// The same documents, without the place that removed ones took.
    pub fn compacted(&self) -> Corpus {
        self.only(&|_| true)
    }

    /// A corpus of the documents that `keep` keeps.
    pub(crate) fn only(&self, keep: &dyn Fn(&Address) -> bool) -> Corpus {
        let (index, numbers) = self.index.only(keep);
        let facts = numbers.iter().filter_map(|(old, _)| self.facts.get(old as usize).cloned());
        Corpus {
            meanings: self.meanings.renumbered(&numbers),
            embeddings: self.embeddings.as_ref().map(|given| given.renumbered(&numbers)),
            dense: self.dense.renumbered(&numbers),
            facts: facts.collect(),
            index,
            is_partial: self.is_partial,
            was_whole: self.was_whole,
            last_guest: LastGuest::default(),
        }
    }
}
