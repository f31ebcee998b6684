//! Search in contexts: words, index, ranking, snippets. No store, no keys, no clock, no I/O.
//!
//! A shell asks which rows a query needs, loads them, and has them scored.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod semantic;
