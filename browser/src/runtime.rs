//! What a module without an operating system has to bring: an allocator, and an end for the panics
//! that the core does not have.

use core::{arch::wasm32, panic::PanicInfo};

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

/// Says nothing: nobody could hear it, and messages with all that prints them are a third of a
/// module.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
