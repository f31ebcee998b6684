//! From text to terms: one analysis for documents and queries, on every target.
//!
//! ```text
//! text ─ cut ─▶ words, parts, wholes, bigrams ─ fold ─▶ surface ─ stem ─▶ term
//! ```

mod column;
mod cut;
pub(crate) mod decompose;
mod fold;
mod lower;
mod stem;
mod stop;

pub(crate) use cut::head;
pub use cut::{Kind, Term, terms};
pub use fold::fold;
pub use stem::stem;
pub use stop::is_stop_word;
