//! The core as a component: the interfaces of `wit/` for any host, without imports.
//!
//! This shell converts and calls; `nacre_core` decides. It has the bindings (`bindings`), one file
//! per interface, the table from errors to cases of WIT (`convert`), and bounds that protect an
//! instance (`bounds`). Its features choose the world: `store` is `contexts`, `search` is `searches`,
//! and neither is `layers`.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

mod bindings;
mod bounds;
mod convert;
#[cfg(not(feature = "search"))]
mod documents;
#[cfg(not(feature = "search"))]
mod lint;
#[cfg(not(feature = "search"))]
mod resolver;
#[cfg(target_family = "wasm")]
mod runtime;
#[cfg(feature = "search")]
mod search;
#[cfg(all(feature = "store", not(feature = "search")))]
mod store;

/// The exported component.
struct Component;
