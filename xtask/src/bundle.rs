//! The Worker bundle: `dist/worker/index.js` and the wasm module beside it; and `cargo xtask build`,
//! which makes the page, too.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use lexopt::prelude::*;
use sha2::{Digest, Sha256};

use crate::{
    process,
    tools::{Tools, WASM},
    web,
    workspace::{root, target},
};

/// How much work goes into the wasm module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As deployed: whole-program optimisation, then wasm-opt.
    Release,
    /// Quick to build, several times slower to run.
    Fast,
}

/// Names the mode to a build that wrangler starts on its own.
pub(crate) const MODE_VARIABLE: &str = "NACRE_BUILD";

impl Mode {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Self {
        match std::env::var(MODE_VARIABLE).as_deref() {
            Ok("fast") => Self::Fast,
            _ => Self::Release,
        }
    }

    /// The profile in `Cargo.toml`, which is also the name in [`MODE_VARIABLE`].
    pub(crate) fn profile(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Fast => "fast",
        }
    }
}

/// `cargo xtask build`.
pub(crate) fn run(arguments: &mut lexopt::Parser) -> Result<ExitCode> {
    let mut mode = Mode::from_env();
    let mut bundle_only = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("fast") => mode = Mode::Fast,
            Long("bundle-only") => bundle_only = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let tools = Tools::install()?;
    build(&tools, mode)?;
    web::build(&tools)?;
    if !bundle_only {
        let size = size(&tools, mode)?;
        println!("dist/worker: {:.1} KB as wrangler uploads it (gzip)", size as f64 / 1000.0);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the bundle, unless the one there was made from the same module in the same mode.
pub(crate) fn build(tools: &Tools, mode: Mode) -> Result<()> {
    let _one_at_a_time = lock()?;
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(root().join("worker"))
        .args(["build", "--lib", "--target", WASM, "--profile", mode.profile()])
        // Exactly as worker-build calls it, so that its own call finds nothing left to compile.
        .env("WASM_BINDGEN_USE_JS_SYS", "1");
    process::run("worker", &mut cargo)?;

    let module = target().join(WASM).join(mode.profile()).join("nacre_worker.wasm");
    let bytes = fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
    let made_from = format!("{} {:x?}", mode.profile(), Sha256::digest(bytes).as_slice());
    let stamp = dist().join("worker.from");
    let bundled = dist().join("worker/index.js").exists();
    if bundled && fs::read_to_string(&stamp).is_ok_and(|held| held == made_from) {
        println!(" worker | dist/worker is up to date");
        return Ok(());
    }
    fs::remove_file(&stamp).ok(); // may well not be there
    let mut command = tools.worker_build()?;
    command.arg(root().join("worker")).args(match mode {
        Mode::Release => ["--release"].as_slice(),
        Mode::Fast => ["--profile", "fast", "--no-opt"].as_slice(),
    });
    command.arg("--out-dir").arg(dist().join("worker"));
    process::run("worker", &mut command)?;
    fs::write(stamp, made_from)?;
    Ok(())
}

/// Bytes that a deployment would upload, compressed.
pub(crate) fn size(tools: &Tools, mode: Mode) -> Result<u64> {
    let out = dist().join("upload");
    let mut wrangler = tools.wrangler()?;
    wrangler.args(["deploy", "--dry-run", "--outdir"]).arg(&out).env(MODE_VARIABLE, mode.profile());
    let report = process::read(&mut wrangler)?;
    gzip_size(&report).with_context(|| format!("no gzip size in what wrangler said:\n{report}"))
}

/// Reads `Total Upload: 176.39 KiB / gzip: 63.67 KiB`.
fn gzip_size(report: &str) -> Option<u64> {
    let (_, rest) = report.split_once("gzip:")?;
    let mut words = rest.split_whitespace();
    let number: f64 = words.next()?.parse().ok()?;
    let unit = match words.next()? {
        "B" => 1.0,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        _ => return None,
    };
    Some((number * unit).round() as u64)
}

fn dist() -> PathBuf {
    root().join("dist")
}

/// Held while building: wrangler may start a build of its own at any change.
fn lock() -> Result<File> {
    fs::create_dir_all(dist())?;
    let file = File::create(dist().join("lock"))?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::gzip_size;

    #[test]
    fn reads_the_size_wrangler_reports() {
        assert_eq!(gzip_size("Total Upload: 176.39 KiB / gzip: 63.67 KiB\n"), Some(65_198));
        assert_eq!(gzip_size("Total Upload: 3.1 MiB / gzip: 1.5 MiB\n"), Some(1_572_864));
        assert_eq!(gzip_size("nothing of the kind"), None);
    }
}
