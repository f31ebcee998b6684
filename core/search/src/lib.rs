//! Search in contexts: words, index, ranking, snippets. No store, no keys, no clock, no I/O.
//!
//! ```text
//! context ─ piece ─▶ pieces ─ text ─▶ terms ─ row ─▶ Row ─▶ Index ─ score ─▶ answers ─ top, fuse
//!                                                                ▲                   │
//! text ─ query ─▶ Query ─────────────────────────────────────────┘      explain ◀───┘
//! ```
//! A shell keeps a row for each document, makes an index of the rows, and has the documents
//! [scored](index::Index::score). What the numbers mean is in [`rank`]; `docs/search.md` tells users.
//!
//! # Example
//! ```
//! use nacre_layers::{address::Address, json};
//! use nacre_search::{index::Index, query::Query, row::Row, token::Unkeyed};
//!
//! let data = json::read(br#"{"title": "Fix connection timeouts", "pool": {"size": 20}}"#, 64)?;
//! let context = Address::parse("task", "fix-1")?;
//! let mut index = Index::new();
//! index.upsert(&Row::of(&context, data.as_object().expect("an object"), &[]), &Unkeyed);
//!
//! let query = Query::parse("connections -redis path:/pool");
//! let answers = index.score(&query, &Unkeyed, &mut |_| true);
//! let best = index.top(&answers, 10);
//! assert_eq!(index.address(best[0].number), Some(&context));
//! # Ok::<(), nacre_layers::error::Error>(())
//! ```
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bytes;
pub mod compact;
pub mod fusion;
pub mod index;
mod list;
pub mod piece;
pub mod query;
pub mod rank;
pub mod row;
pub mod score;
pub mod semantic;
pub mod snippet;
mod surfaces;
pub mod text;
pub mod token;
mod tokens;
