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

#[cfg(feature = "store")]
wit_bindgen::generate!({
    path: "../wit",
    world: "contexts",
});

#[cfg(not(feature = "store"))]
wit_bindgen::generate!({
    path: "../wit",
    world: "layers",
});

export!(Component);
