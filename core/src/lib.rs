//! Nacre's core: every decision about layered contexts, and nothing else.
//!
//! Knowledge stands in four layers, `global ▸ project ▸ branch ▸ task`. A context is one stored
//! layer: a JSON object with its merge rules, its version and its parent. What a reader gets is the
//! resolved *view* of a context's chain, every lower layer refining the ones above.
//!
//! ```text
//! bytes ─ decode ─▶ Op ─ decide(&reads, setting, request) ─▶ Plan { writes, events, reply }
//!                                                              │
//! encode(reply) + publish(events) ◀── apply(writes), one synchronous transaction
//! ```
//!
//! **The core decides and never acts.** It has no clock, no randomness, no I/O and no platform
//! crate; time and entropy are arguments. A shell reads bytes, asks [`decide`](decide::decide),
//! applies the plan in one transaction, and only then publishes and answers.
//!
//! # Example
//! ```
//! use nacre_core::{
//!     json,
//!     layer::Layer,
//!     resolve::{Link, resolve},
//!     rules::Rules,
//! };
//!
//! let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
//! let global = layer(r#"{"model": "small", "review": {"owners": ["platform"], "count": 1}}"#)?;
//! let project = layer(r#"{"review": {"count": 2}, "language": "Rust"}"#)?;
//! let rules = Rules::default();
//!
//! let chain = [
//!     Link { layer: &global, rules: &rules },
//!     Link { layer: &project, rules: &rules },
//! ];
//! assert_eq!(
//!     resolve(&chain),
//!     br#"{"language":"Rust","model":"small","review":{"count":2,"owners":["platform"]}}"#,
//! );
//! # Ok::<(), nacre_core::error::Error>(())
//! ```
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

// What things are called.
pub mod address;
pub mod id;
pub mod level;
pub mod moment;

// Values and their canonical text.
pub mod json;
pub mod msgpack;
pub mod number;
pub mod pointer;
mod sort;
pub mod value;

// Layers, and the walk that makes views of them.
mod cut;
pub mod delta;
pub mod diff;
pub mod explain;
pub mod hash;
pub mod layer;
pub mod lint;
mod locks;
mod merge;
mod name;
pub mod patch;
pub mod resolve;
pub mod rules;

// Requests, the store, and the decisions between them.
pub mod access;
pub mod decide;
mod history;
pub mod live;
pub mod op;
pub mod plan;
pub mod record;
pub mod store;
pub mod topic;

// Stores: in memory, what they cache, and rows as bytes.
pub mod cache;
pub mod memory;
pub mod replica;
pub mod row;

// Secrets.
pub mod entropy;
pub mod seal;

// The outside.
pub mod error;
pub mod limits;
pub mod wire;
