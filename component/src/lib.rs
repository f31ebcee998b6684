//! The core as a component: the interfaces of `wit/` for any host, and nothing imported.
//!
//! This shell converts and calls. What is decided about contexts is decided in `nacre_core`; here
//! stand the bindings (`bindings`), one file for each interface, the table from errors to the
//! cases of WIT (`convert`) and the bounds that keep an instance from being killed (`bounds`).
//! Without the feature `store` it is the small world `layers`.
#![no_std]
extern crate alloc;
#[cfg(not(target_family = "wasm"))]
extern crate std; // brings, outside of wasm, what `runtime` does inside

mod bindings;
mod bounds;
mod convert;
mod lint;
mod resolver;
#[cfg(target_family = "wasm")]
mod runtime;
#[cfg(feature = "store")]
mod store;

/// What is exported: every interface's functions.
struct Component;
