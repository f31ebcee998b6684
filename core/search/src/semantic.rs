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
//! are scored by a [`ranker`]. The arithmetic is in [`nacre_inference`].

pub mod expansion;
pub mod models;
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
