//! Search by meaning, with no network: two small models that a shell loads once, and vectors that
//! the caller gives.
//!
//! ```text
//! text ─ wordpieces ─▶ rows ┬─ table ─────▶ Vector ─ Vectors ────▶ how near documents are
//!                           ├─ sparse ────▶ Terms ┬─ TermIndex ──▶ what they have in common
//!                           └─ expansion ─▶ Terms ┘
//! ```
//! Documents are encoded behind their write, by the table and the sparse model. A query is encoded
//! when it is asked, by the two tables. [`models`] reads the files and encodes; then all documents
//! are scored by a [`ranker`].

mod bytes;
mod encoder;
pub mod expansion;
mod float;
mod matrix;
pub mod models;
mod prediction;
mod products;
pub mod ranker;
pub mod sparse;
pub mod table;
pub mod term_index;
pub mod terms;
pub mod text;
pub mod vector;
pub mod vectors;
pub mod vocabulary;
pub mod weights;
pub mod wordpiece;

use alloc::format;

use nacre_layers::error::{Code, Error};

/// A model that cannot be used. The deployment is at fault, so the detail names the part.
pub(crate) fn broken(part: &str) -> Error {
    Error::new(
        Code::Internal,
        format!("{part} of the search models is broken; deploy the models of this version again"),
    )
}
