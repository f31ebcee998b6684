//! Search in contexts: words, index, ranking, snippets. No store, no keys, no clock, no I/O.
//!
//! A shell asks which rows a query needs, loads them, and has them scored.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
pub mod index;
mod list;
pub mod page;
pub mod piece;
pub mod query;
pub mod rank;
pub mod row;
pub mod score;
pub mod semantic;
pub mod text;
pub mod token;
