//! Modules that are downloaded before anything shows, the browser's and the components': compiled
//! and optimised for size, in one way.

use std::path::Path;

use anyhow::Result;
use xshell::{Cmd, Shell, cmd};

use crate::{
    process,
    tools::{Tools, WASM},
};

/// What such a module may use beyond the first version of WebAssembly: every component host has it,
/// and browsers of 2023.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Whether a module uses vector instructions (simd128). Some hosts lack them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vectors {
    /// It runs everywhere.
    No,
    /// It runs in browsers of 2023, and in component hosts and Node.
    Simd128,
}

/// Small above all, compressed: so nothing more is inlined, and values that are computed twice may
/// be, since a local for them compresses worse. Memory below 1 KiB is the far end of the stack,
/// where no pointer leads, so offsets may be folded into loads; the name of this option says more
/// than it asks for. The passes run until nothing shrinks any more.
pub(crate) const OPTIMISATIONS: [&str; 9] = [
    "-Oz",
    "--converge",
    "--low-memory-unused",
    "--always-inline-max-function-size=0",
    "--flexible-inline-max-function-size=0",
    "--one-caller-inline-max-function-size=0",
    "--skip-pass=local-cse",
    "--strip-debug",
    "--strip-producers",
];

/// Ciphers and hashes in their short form: sealing a field takes microseconds either way. And only
/// what shrinks is inlined, beside what the core asks for on the way to a view: LLVM's threshold for
/// `opt-level = "s"` is 50.
const COMPACT: &str = r#"--cfg aes_backend_soft="compact" --cfg sha2_backend_soft="compact" -C llvm-args=--inline-threshold=8"#;

/// `cargo build` of a package into such a module.
pub(crate) fn cargo<'a>(
    shell: &'a Shell,
    package: &str,
    profile: &str,
    vectors: Vectors,
) -> Cmd<'a> {
    let flags = match vectors {
        Vectors::No => COMPACT.to_owned(),
        Vectors::Simd128 => format!("{COMPACT} -C target-feature=+simd128"),
    };
    cmd!(shell, "cargo build --package {package} --target {WASM} --profile {profile}")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags)
}

/// Optimises a module.
pub(crate) fn optimise(
    tools: &Tools,
    log: &'static str,
    from: &Path,
    to: &Path,
    vectors: Vectors,
) -> Result<()> {
    let wasm_opt = cmd!(tools.shell, "wasm-opt").args(OPTIMISATIONS).args(FEATURES);
    let simd = (vectors == Vectors::Simd128).then_some("--enable-simd");
    process::run(log, wasm_opt.args(simd).arg(from).arg("-o").arg(to))
}
