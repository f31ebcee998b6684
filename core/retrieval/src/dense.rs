//! Vectors that an embedding model of the deployment makes of documents and questions: what it is
//! asked, what counts as an answer, and what is compared. A shell asks the model; the ranker is
//! `dense`.
//!
//! ```text
//! Record + notes ─▶ dense_text ─▶ model ─▶ dense_vectors ─▶ Document::dense ─▶ Corpus
//! Question ─▶ Corpus::dense_question ─▶ model ─▶ Corpus::dense_answer ─▶ search
//! ```

use alloc::{borrow::Cow, string::String, vec::Vec};

use nacre_layers::{
    credentials,
    error::{Code, Error, Result},
    hash::Hash,
};
use nacre_search::{
    compact::Numbers,
    semantic::{text::document_text, vector::Vector, vectors::Vectors},
};
use nacre_store::record::Record;

use crate::{
    corpus::Corpus,
    order::Order,
    question::Question,
    ranking::{Rankers, goes_by_words},
};

/// The most bytes of a text that are sent. A model that refuses longer inputs takes 8,192 tokens or
/// more, and a token has a byte at least; one that takes fewer cuts the text itself.
const TEXT_BYTES: usize = 4096;

/// Which model made a vector: the beginning of the hash of its name. Vectors of two models are never
/// compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddingModel([u8; 8]);

impl EmbeddingModel {
    /// The model with this name.
    pub fn named(name: &str) -> EmbeddingModel {
        let [a, b, c, d, e, f, g, h, ..] = *Hash::of(name.as_bytes()).as_bytes();
        EmbeddingModel([a, b, c, d, e, f, g, h])
    }

    /// Reads its mark from the beginning of some bytes.
    pub fn read(bytes: &mut &[u8]) -> Option<EmbeddingModel> {
        let (mark, rest) = bytes.split_first_chunk()?;
        *bytes = rest;
        Some(EmbeddingModel(*mark))
    }

    /// Its mark, to store.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// The vector of a document by an embedding model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseVector {
    /// The model that made it.
    pub model: EmbeddingModel,
    /// The vector; `None` if the document has no text.
    pub vector: Option<Vector>,
}

impl DenseVector {
    /// The bytes to store: the mark of the model, the vector.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::from(*self.model.as_bytes());
        bytes.extend(self.vector.iter().flat_map(Vector::to_bytes));
        bytes
    }

    /// Reads what [`to_bytes`](DenseVector::to_bytes) gave; `None` if bytes are missing.
    pub(crate) fn from_bytes(mut bytes: &[u8]) -> Option<DenseVector> {
        let model = EmbeddingModel::read(&mut bytes)?;
        let vector = (!bytes.is_empty()).then(|| Vector::from_bytes(bytes));
        Some(DenseVector { model, vector })
    }
}

/// What the model is asked about a context with these notes: the beginning of its text. Sealed values
/// are not in it. It may be empty, and then there is nothing to ask.
///
/// # Errors
/// `store-unavailable` if the layer cannot be read.
pub fn dense_text(record: &Record, notes: &[String]) -> Result<String> {
    let data = record.layer.to_value()?;
    let empty = Default::default();
    Ok(cut(document_text(data.as_object().unwrap_or(&empty), notes)))
}

/// The vectors of so many texts in the answer of a model.
///
/// # Errors
/// `search-unavailable` if it has not one for each text, all of the same number of dimensions.
pub fn dense_vectors(answer: &[Vec<f32>], texts: usize) -> Result<Vec<Vector>> {
    let wrong = || Error::new(Code::SearchUnavailable, "the answer of the model has a wrong shape");
    let dimensions = answer.first().map_or(0, Vec::len);
    if answer.len() != texts || answer.iter().any(|numbers| numbers.len() != dimensions) {
        return Err(wrong());
    }
    answer.iter().map(|numbers| Vector::new(numbers).map_err(|_| wrong())).collect()
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    text.truncate(text.trim_end().len());
    text
}

/// The vectors of the documents in memory by one model, by the documents' numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dense {
    /// The model whose vectors are compared; without one there are none.
    model: Option<EmbeddingModel>,
    vectors: Option<Vectors>,
    order: Order,
}

impl Dense {
    /// None yet, of this model.
    fn of(model: Option<EmbeddingModel>) -> Dense {
        Dense { model, ..Dense::default() }
    }

    /// The number of documents that have a vector.
    pub(crate) fn count(&self) -> usize {
        self.order.count()
    }

    /// Takes in a document's vector, if it is the model's. One of other dimensions than the first
    /// cannot be compared; then the document is found by other rankers.
    pub(crate) fn set(&mut self, number: u32, dense: &DenseVector, is_loaded: bool) {
        let Some(vector) = dense.vector.as_ref().filter(|_| self.model == Some(dense.model)) else {
            return;
        };
        if Vectors::put(&mut self.vectors, number, vector).is_ok() {
            self.order.note(number, is_loaded);
        }
    }

    /// Forgets a document's vector.
    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(vectors) = &mut self.vectors {
            vectors.remove(number);
            self.order.remove(number);
        }
    }

    /// The first `count` vectors; `None` if it is not known which ones those are.
    pub(crate) fn first(&self, count: usize) -> Option<Cow<'_, Dense>> {
        let behind = self.order.behind(count)?;
        if behind.is_empty() {
            return Some(Cow::Borrowed(self));
        }
        let mut first = self.clone();
        behind.into_iter().for_each(|number| first.remove(number));
        Some(Cow::Owned(first))
    }

    /// The vectors, if there are some that can be compared with a question's.
    pub(crate) fn like(&self, query: &Vector) -> Option<&Vectors> {
        self.held().filter(|vectors| vectors.dimensions() == query.numbers().len())
    }

    fn held(&self) -> Option<&Vectors> {
        self.vectors.as_ref().filter(|vectors| !vectors.is_empty())
    }

    /// The vectors of the documents that have new numbers, by those.
    pub(crate) fn renumbered(&self, numbers: &Numbers) -> Dense {
        Dense {
            model: self.model,
            vectors: self.vectors.as_ref().map(|vectors| vectors.renumbered(numbers)),
            order: self.order.renumbered(numbers),
        }
    }
}

impl Corpus {
    /// The corpus of a deployment with an embedding model: its vectors are compared, and no others.
    #[must_use]
    pub fn with_model(mut self, model: Option<EmbeddingModel>) -> Corpus {
        self.dense = Dense::of(model);
        self
    }

    /// What the model is asked for a question, if what it says can count: not without vectors to
    /// compare it with, for a question with a vector of its own or that goes by words, and for the
    /// pages of an answer that began without. What looks like a credential is not sent.
    pub fn dense_question(&self, question: &Question) -> Option<String> {
        let is_ranked = |one| question.first_rankers().is_none_or(|first| first.has(one));
        let has_own = question.vector.is_some()
            && self.embeddings.as_ref().is_some_and(|given| !given.is_empty());
        let counts = self.dense.held().is_some()
            && !goes_by_words(self, question)
            && !question.query.words.is_empty()
            && is_ranked(Rankers::DENSE)
            && !has_own;
        let text = counts.then(|| cut(question.meant()))?;
        (!text.is_empty() && credentials::find(&text).is_none()).then_some(text)
    }

    /// The vector of a question in the answer of the model.
    ///
    /// # Errors
    /// `search-unavailable` if it is none, or cannot be compared with those of the documents.
    pub fn dense_answer(&self, answer: &[Vec<f32>]) -> Result<Vector> {
        let other =
            || Error::new(Code::SearchUnavailable, "the model's vectors have other dimensions");
        let vector = dense_vectors(answer, 1)?.pop().ok_or_else(other)?;
        if self.dense.like(&vector).is_some() { Ok(vector) } else { Err(other()) }
    }
}
