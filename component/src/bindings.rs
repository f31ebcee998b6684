//! Bindings of `wit/`, generated at compile time.
#![allow(
    clippy::all,
    clippy::restriction,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated"
)]

use super::Component;

#[cfg(all(feature = "store", not(feature = "search")))]
wit_bindgen::generate!({
    path: "../wit",
    world: "contexts",
});

#[cfg(not(any(feature = "store", feature = "search")))]
wit_bindgen::generate!({
    path: "../wit",
    world: "layers",
});

#[cfg(feature = "search")]
wit_bindgen::generate!({
    path: "../wit",
    world: "searches",
});

export!(Component);
