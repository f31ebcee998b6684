//! Eight small whole numbers at a time, with the vector instructions of wasm where there are any.
//!
//! Both forms give the same numbers: all sums are of whole numbers and stay in range.

#[cfg_attr(all(target_family = "wasm", target_feature = "simd128"), path = "lanes/simd128.rs")]
#[cfg_attr(not(all(target_family = "wasm", target_feature = "simd128")), path = "lanes/portable.rs")]
mod form;

pub(crate) use form::{Eight, Sums};
