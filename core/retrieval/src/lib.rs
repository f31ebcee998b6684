//! One search of one user's contexts: the question, what the asker may read, ranking, explanation and
//! page.
//!
//! ```text
//! parameters, JSON body ─▶ Question ─┐
//! Record + notes ─▶ Document ─▶ Corpus ─▶ search ─▶ Found ─▶ answer: JSON
//! Reads, Caller ─ readable ──────────┘
//! ```
//! A shell keeps a [`Document`] for each live context as one sealed row, and holds them in memory as
//! a [`Corpus`]. A host that keeps no rows has a [`Collection`]. Everything about a search is decided here; `docs/search.md` tells users.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod answer;
mod collection;
mod corpus;
mod dense;
mod document;
mod embedding;
mod given_vector;
mod guest;
mod meanings;
mod order;
mod place;
mod question;
mod ranking;
mod resolved;
mod search;
mod sight;
mod wanted;

pub use answer::{FoundText, FragmentText, ItemText, NameText, ReasonsText, WordText, answer};
pub use collection::{Collection, ContextTexts};
pub use corpus::Corpus;
pub use dense::{DenseVector, EmbeddingModel, dense_text, dense_vectors};
pub use document::{Document, Facts, VERSION, notes};
pub use given_vector::GivenVector;
#[cfg(feature = "schema")]
pub use given_vector::VectorBody;
#[cfg(feature = "schema")]
pub use question::SearchBody;
pub use question::{Mode, Question, Scope};
pub use ranking::{Encoders, Rankers};
pub use search::{Found, Item, Reasons, search, search_by, search_own};
pub use wanted::{Wanted, wanted};

pub use nacre_search::semantic::models::{Meaning, Models};
