//! Search by meaning, with no network: two small models that a shell loads once, and vectors that
//! the caller gives.
//!
//! ```text
//! text ─ wordpieces ─▶ their rows ┬─ table ──▶ Vector: how near two texts are
//!                                      └─ sparse ─▶ Terms: words that a text is about
//! ```
//! Documents are encoded behind their write. A query is encoded when it is asked; then all
//! documents are scored by [`ranker`].

mod bytes;
mod encoder;
mod float;
mod matrix;
pub mod wordpiece;
mod prediction;
mod products;
pub mod sparse;
pub mod table;
pub mod terms;
pub mod vector;
pub mod vocabulary;

use alloc::format;

use nacre_layers::error::{Code, Error};

/// A model that cannot be used. The deployment is at fault, so the detail names the part.
pub(crate) fn broken(part: &str) -> Error {
    Error::new(
        Code::Internal,
        format!("{part} of the search models is broken; deploy the models of this version again"),
    )
}
