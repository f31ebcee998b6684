//! The arithmetic of the search models: packed weights, vectors, products of matrices, and the
//! encoder of the sparse model.
//!
//! It is a crate of its own so that a module which is compiled for size can have this part compiled
//! for speed: see the profiles in the workspace's `Cargo.toml`. What is called from outside is never
//! inlined there, or it would be compiled as its caller is.
//!
//! On wasm with simd128 the inner loops are written in vector instructions. Every target gives the
//! same bits.
#![no_std]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bytes;
pub mod dot;
pub mod encoder;
mod float;
mod lanes;
mod matrix;
pub mod prediction;
mod products;

use alloc::format;

use nacre_layers::error::{Code, Error};

/// A model that cannot be used. The deployment is at fault, so the detail names the part.
pub fn broken(part: &str) -> Error {
    Error::new(
        Code::Internal,
        format!("{part} of the search models is broken; deploy the models of this version again"),
    )
}
