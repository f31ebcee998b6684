//! The core as a component: the interfaces of `wit/` for any host, without imports.
//!
//! This shell converts and calls; `nacre_core` decides. It has the bindings (`bindings`), one file
//! per interface, the table from errors to cases of WIT (`convert`), and bounds that protect an
//! instance (`bounds`). Without the feature `store` it is the small world `layers`.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // outside of wasm, `std` provides what `runtime` provides inside

mod bindings;
mod bounds;
mod convert;
mod lint;
mod resolver;
#[cfg(target_family = "wasm")]
mod runtime;
#[cfg(feature = "store")]
mod store;

/// The exported component.
struct Component;
