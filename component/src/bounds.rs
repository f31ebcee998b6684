//! Bounds of an instance: the size of arguments, and the memory in use.
//!
//! The core bounds what it stores and how deep it recurses. A failed allocation would end the
//! instance in wasm, so large work must not start when memory is short.

use nacre_core::{
    error::{Code, Error, Result},
    limits,
};

/// Most memory in use when large work starts, in bytes. An instance can have 4 GiB, and one call
/// needs less than the rest.
const MEMORY: usize = 3 << 30;

/// Refuses a text that is longer than the core accepts.
///
/// # Errors
/// `too-large`.
pub(crate) fn check_text(text: &str) -> Result<&[u8]> {
    if text.len() > limits::BATCH_BYTES {
        return Err(Error::new(Code::TooLarge, "a text must be at most 4 MiB")
            .limit(limits::BATCH_BYTES as u64));
    }
    Ok(text.as_bytes())
}

/// Refuses large work if memory is nearly used up.
///
/// # Errors
/// `store-unavailable`.
pub(crate) fn check_memory() -> Result<()> {
    if memory::used() > MEMORY {
        return Err(Error::new(
            Code::StoreUnavailable,
            "this instance has no memory left; use a new instance",
        ));
    }
    Ok(())
}

#[cfg(target_family = "wasm")]
mod memory {
    //! The instance's own memory.

    const PAGE: usize = 64 << 10;

    pub(super) fn used() -> usize {
        core::arch::wasm32::memory_size(0).saturating_mul(PAGE)
    }
}

#[cfg(not(target_family = "wasm"))]
mod memory {
    //! The memory of a process is not measured.

    pub(super) fn used() -> usize {
        0
    }
}
