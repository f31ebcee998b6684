//! The runtime of a module without an operating system: an allocator, and a handler for panics,
//! which the core never raises.

use core::{arch::wasm32, panic::PanicInfo};

use dlmalloc::GlobalDlmalloc;

#[global_allocator]
static ALLOCATOR: GlobalDlmalloc = GlobalDlmalloc;

/// Prints nothing: nobody would see it, and the code that formats messages would be a third of the
/// module.
#[panic_handler]
fn panicked(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
