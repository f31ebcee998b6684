//! The component in wasmtime, called from typed bindings, with every call noted.
//!
//! What [`Host`] is asked and answers goes into a transcript. Other hosts replay it and must give
//! the same bytes, so that a vector is understood in one place only.

pub mod call;
pub mod host;
pub mod tape;
pub mod transcript;

/// Bindings of `wit/`.
#[allow(missing_docs, reason = "generated; wit/ says it")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package nacre:tests;
            world everything {
                include nacre:context/contexts@0.2.0;
                export nacre:context/search@0.2.0;
            }
        ",
        world: "nacre:tests/everything",
    });
}

pub use call::Call;
pub use host::{Host, World};
