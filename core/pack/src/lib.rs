//! Context packs: what a task should know, as text for a prompt, within a number of tokens.
//!
//! ```text
//! chain ─ contribution of each layer ─┐
//! insights, progress notes ───────────┴─ fit ─ form (Markdown, JSON) ─▶ Pack
//! ```
//! A pack has a section for each layer of the chain, the upper ones first, and each says what its layer
//! adds. A section depends on its layer and those above, so an edit in a task changes no byte before
//! the task's section, and a prompt cache keeps what comes before. What does not fit is listed.
//! `docs/packs.md` tells users.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod ask;
mod fit;
mod form;
mod json;
mod left_out;
mod markdown;
mod pack;
mod tokens;

pub use ask::{Ask, Calls, Format, TOKENS, TOKENS_DEFAULT, TOKENS_LEAST};
pub use pack::{Pack, pack};
pub use tokens::Counter;
