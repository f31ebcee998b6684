//! Layered JSON documents, and nothing else: no store, no clock, no keys, no I/O.
//!
//! A *layer* is a JSON object with merge rules. A *chain* is up to four layers, global first. Its
//! *view* is the merge of its layers, where each one refines the layers above it. This crate reads
//! and writes values, indexes layers, resolves chains, explains where each value comes from,
//! compares, patches and checks.
//!
//! ```text
//! bytes ─ json ─▶ Value ─ layer ─▶ Layer ┐
//!                                        ├─ merge ─▶ resolve: the view's canonical bytes
//!                 rules ─────────▶ Rules ┘           hash:    its content hash (the ETag)
//!                                                    explain: the origin of every value
//!                                                    contribution: what the last layer says
//! Layer × Layer ─ diff ─▶ JsonPatch ─ patch ─▶ Value          lint: findings about layers
//! Layer × Layer × Layer ─ three_way ─▶ the merged Layer, or the conflicts of two edits
//! ```
//!
//! # Example
//! ```
//! use nacre_layers::{
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
//! # Ok::<(), nacre_layers::error::Error>(())
//! ```
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

// Errors and limits.
pub mod error;
pub mod limits;

// Names.
pub mod address;
pub mod id;
pub mod level;

// Values and their canonical text.
pub mod json;
pub mod number;
pub mod pointer;
pub mod sort;
pub mod value;

// Layers, and the walk that merges them into views.
pub mod contribution;
pub mod cut;
pub mod diff;
pub mod explain;
pub mod hash;
pub mod layer;
pub mod lint;
pub mod locks;
mod merge;
mod name;
pub mod part;
pub mod patch;
pub mod promote;
pub mod resolve;
mod ruled;
pub mod rules;
pub mod template;
pub mod three_way;
pub mod twins;

// Sealed values in documents, sensitive names, and the forms of credentials.
pub mod credentials;
pub mod marker;
pub mod sensitive;
