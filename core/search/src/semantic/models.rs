//! The files of the models, checked, and what is made of texts with them.

use alloc::{string::ToString, vec::Vec};

use nacre_inference::broken;
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
};

use super::{
    expansion::Expansion,
    sparse::Sparse,
    table::{DIMENSIONS, Table},
    terms::{MOST_TERMS, Terms},
    vector::Vector,
    vocabulary::Vocabulary,
    wordpiece::wordpieces,
};

/// The version of the models. Stored meanings begin with it, for those of other models cannot be
/// compared.
pub const VERSION: u8 = 1;

/// A file of the models, in the repository's `models/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// The word pieces. Everything else needs them.
    Vocabulary,
    /// The vectors of the word pieces.
    Table,
    /// The terms of the word pieces, for queries.
    Expansion,
    /// The sparse model, for documents.
    Sparse,
}

impl File {
    /// All files.
    pub const ALL: [File; 4] = [File::Vocabulary, File::Table, File::Expansion, File::Sparse];

    /// The file's name.
    pub fn name(self) -> &'static str {
        match self {
            File::Vocabulary => "vocab.txt",
            File::Table => "static-s128i4.bin",
            File::Expansion => "expand-top16.bin",
            File::Sparse => "splade-tiny-i4.bin",
        }
    }

    /// The hash of the file's bytes (BLAKE3, in the text form of [`struct@Hash`]).
    pub fn hash(self) -> &'static str {
        match self {
            File::Vocabulary => "WI-vkPuOVudW-rrT5F_1IgFC_utAJznTlwO8lADLx6M",
            File::Table => "uY9QYUe7Jpn-9WZjMT_N-hGkeXfiPbAcEQHqND63K8I",
            File::Expansion => "Bo2m11tAc90_c-5tukrYqR1WSfyNjHIZFZqDCR0ve8I",
            File::Sparse => "-PE3PT6xzkrzj2KaZglIkm2QZr4OkXeO08ogq7yqx4M",
        }
    }

    /// Checks that these are the file's bytes.
    fn check(self, bytes: &[u8]) -> Result<()> {
        if Hash::of(bytes).to_string() == self.hash() { Ok(()) } else { Err(broken(self.name())) }
    }
}

/// What is needed to answer queries, and to encode documents.
#[derive(Debug)]
pub struct Models<'a> {
    vocabulary: Vocabulary<'a>,
    table: Table<'a>,
    expansion: Expansion<'a>,
    sparse: Option<Sparse<'a>>,
}

impl<'a> Models<'a> {
    /// Reads the files that queries need. Documents get vectors with them, but no terms.
    ///
    /// # Errors
    /// When one is not what this version was made with.
    pub fn read(vocabulary: &'a [u8], table: &'a [u8], expansion: &'a [u8]) -> Result<Models<'a>> {
        File::Vocabulary.check(vocabulary)?;
        File::Table.check(table)?;
        File::Expansion.check(expansion)?;
        let vocabulary = Vocabulary::read(vocabulary)?;
        Ok(Models {
            table: Table::read(table, vocabulary.len())?,
            expansion: Expansion::read(expansion, vocabulary.len())?,
            vocabulary,
            sparse: None,
        })
    }

    /// Reads the sparse model, too, so that documents get terms.
    ///
    /// # Errors
    /// When it is not what this version was made with.
    pub fn with_sparse(self, sparse: &'a [u8]) -> Result<Models<'a>> {
        File::Sparse.check(sparse)?;
        Ok(Models { sparse: Some(Sparse::read(sparse, self.vocabulary.len())?), ..self })
    }

    /// Encodes a document. Without the sparse model it gets no terms.
    pub fn encode_document(&self, text: &str) -> Meaning {
        let pieces = wordpieces(&self.vocabulary, text);
        let sparse = self.sparse.as_ref();
        Meaning {
            vector: self.table.encode(&pieces),
            terms: sparse.map_or_else(Terms::default, |sparse| {
                sparse.encode(&self.vocabulary, &pieces, MOST_TERMS)
            }),
        }
    }

    /// Encodes a query.
    pub fn encode_query(&self, text: &str) -> Meaning {
        let pieces = wordpieces(&self.vocabulary, text);
        Meaning {
            vector: self.table.encode(&pieces),
            terms: self.expansion.encode(&self.vocabulary, &pieces),
        }
    }
}

/// What the models say of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The direction in which it lies.
    pub vector: Vector,
    /// The terms that it is about; none if the sparse model was not there.
    pub terms: Terms,
}

impl Meaning {
    /// The bytes to store: the version of the models, the vector, the terms. At most 513.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from([VERSION]);
        bytes.extend_from_slice(&self.vector.to_bytes());
        bytes.extend_from_slice(&self.terms.to_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Meaning::to_bytes) gave; `None` if it was made by other models, so
    /// that the document has to be encoded again.
    ///
    /// # Errors
    /// When the bytes are too few.
    pub fn from_bytes(bytes: &[u8]) -> Result<Option<Meaning>> {
        let Some(bytes) = bytes.strip_prefix(&[VERSION]) else { return Ok(None) };
        let cut_off = || Error::new(Code::StoreUnavailable, "a stored meaning is cut off");
        let (vector, terms) = bytes.split_at_checked(DIMENSIONS).ok_or_else(cut_off)?;
        let (vector, terms) = (Vector::from_bytes(vector), Terms::from_bytes(terms));
        Ok(Some(Meaning { vector, terms }))
    }
}
