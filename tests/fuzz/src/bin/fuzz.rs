//! The fuzzer: looks for bytes that break the law named by `NACRE_FUZZ`. `cargo xtask fuzz` builds
//! and runs it.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

static LAW: OnceLock<fn(&[u8])> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("NACRE_FUZZ").expect("NACRE_FUZZ names a target");
        let target = nacre_fuzz::target(&name).expect("there is such a target");
        LAW.set(target.law).expect("it is set once");
    },
    |bytes: &[u8]| {
        if let Some(law) = LAW.get() {
            law(bytes);
        }
    }
);
