//! What an instance takes on: arguments of a size that can be worked with, while there is memory.
//!
//! The core bounds what it stores and how deep it goes. Beside that, nothing an allocation might be
//! refused for may be tried: in wasm that would end the instance.

use nacre_core::{
    error::{Code, Error, Result},
    limits,
};

/// Most memory in use when something large is begun, of the 4 GiB that an instance can have: one
/// call takes less than the rest.
const MEMORY: usize = 3 << 30;

/// Refuses a text that is longer than any the core would take.
///
/// # Errors
/// `too-large`.
pub(crate) fn check_text(text: &[u8]) -> Result<&[u8]> {
    if text.len() > limits::BATCH_BYTES {
        return Err(Error::new(Code::TooLarge, "a text must be at most 4 MiB")
            .limit(limits::BATCH_BYTES as u64));
    }
    Ok(text)
}

/// Refuses to begin something when memory is nearly used up.
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
    //! A process, whose memory is not ours to measure.

    pub(super) fn used() -> usize {
        0
    }
}
