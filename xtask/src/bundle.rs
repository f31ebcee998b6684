//! The Worker bundle: `dist/worker/index.js` and the wasm module beside it; and `cargo xtask build`,
//! which makes the page, too.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use xshell::cmd;

use crate::{
    npm, process,
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
    /// The same, with what the conformance suite of the Model Context Protocol asks for. It lets
    /// everyone in: never deployed.
    Conformance,
}

/// Names the mode to a build that wrangler starts on its own.
pub(crate) const MODE_VARIABLE: &str = "NACRE_BUILD";

impl Mode {
    /// What the environment asks for.
    pub(crate) fn from_env() -> Self {
        match std::env::var(MODE_VARIABLE).as_deref() {
            Ok("fast") => Self::Fast,
            Ok("conformance") => Self::Conformance,
            _ => Self::Release,
        }
    }

    /// The name in [`MODE_VARIABLE`].
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Fast => "fast",
            Self::Conformance => "conformance",
        }
    }

    /// The profile in `Cargo.toml`.
    fn profile(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Fast | Self::Conformance => "fast",
        }
    }

    /// What cargo is told beside the profile.
    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Release | Self::Fast => &[],
            Self::Conformance => &["--features", "conformance"],
        }
    }
}

/// What is asked of `cargo xtask build`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    speed: Speed,
    /// Do not print the size of the Worker: wrangler, which measures it, may be calling
    #[arg(long)]
    bundle_only: bool,
}

/// The choice of [`Mode`] on the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Speed {
    /// Build without link-time optimisation and wasm-opt: for working on the code, not for measuring
    #[arg(long)]
    fast: bool,
}

impl Speed {
    pub(crate) fn mode(&self) -> Mode {
        if self.fast { Mode::Fast } else { Mode::Release }
    }
}

/// `cargo xtask build`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mode = match Mode::from_env() {
        Mode::Release => arguments.speed.mode(),
        asked => asked,
    };
    let tools = Tools::install()?;
    build(&tools, mode)?;
    web::build(&tools)?;
    if !arguments.bundle_only {
        let size = size(&tools, mode)?;
        println!("dist/worker: {:.1} KB as wrangler uploads it (gzip)", size as f64 / 1000.0);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the bundle, unless the one there was made from the same module in the same mode.
pub(crate) fn build(tools: &Tools, mode: Mode) -> Result<()> {
    let _one_at_a_time = lock()?;
    let (shell, profile) = (&tools.shell, mode.profile());
    let _flags = shell.push_env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FEATURES);
    place_models()?;
    {
        let _inside = shell.push_dir("worker");
        let cargo = cmd!(shell, "cargo build --lib --target {WASM} --profile {profile}")
            .args(mode.features());
        // Exactly as worker-build calls it, so that its own call finds nothing left to compile.
        process::run("worker", cargo.env("WASM_BINDGEN_USE_JS_SYS", "1"))?;
    }

    let module = target().join(WASM).join(profile).join("nacre_worker.wasm");
    let bytes = fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
    let made_from = format!("{} {:x?}", mode.name(), Sha256::digest(bytes).as_slice());
    let stamp = dist().join("worker.from");
    let bundled = dist().join("worker/index.js").exists();
    if bundled && fs::read_to_string(&stamp).is_ok_and(|held| held == made_from) {
        println!(" worker | dist/worker is up to date");
        return Ok(());
    }
    fs::remove_file(&stamp).ok(); // may well not be there
    let worker_build = cmd!(shell, "worker-build").arg(root().join("worker")).args(match mode {
        Mode::Release => ["--release"].as_slice(),
        Mode::Fast | Mode::Conformance => ["--profile", "fast", "--no-opt"].as_slice(),
    });
    let worker_build = worker_build.arg("--out-dir").arg(dist().join("worker"));
    // What stands behind this goes to cargo.
    process::run("worker", worker_build.args(mode.features()))?;
    if mode == Mode::Release {
        put_names_aside()?;
    }
    fs::write(stamp, made_from)?;
    Ok(())
}

/// Takes the names of functions out of the module, a fifteenth of what is uploaded. A trap then names
/// functions by number; `dist/worker.named.wasm` has the names of the same numbers.
fn put_names_aside() -> Result<()> {
    let module = dist().join("worker/index_bg.wasm");
    let bytes = fs::read(&module).with_context(|| format!("reading {}", module.display()))?;
    fs::write(dist().join("worker.named.wasm"), &bytes)?;
    let bare = without_section(&bytes, "name").context("a section of the module has no end")?;
    fs::write(module, bare)?;
    Ok(())
}

/// A module without its custom sections of this name (WebAssembly Core §5.5.2). All else stays as it is.
fn without_section(module: &[u8], name: &str) -> Option<Vec<u8>> {
    /// Magic number and version.
    const PREAMBLE: usize = 8;
    let (preamble, mut rest) = module.split_at_checked(PREAMBLE)?;
    let mut kept = preamble.to_vec();
    while let [kind, after @ ..] = rest {
        let (length, body) = leb128(after)?;
        let (body, next) = body.split_at_checked(length)?;
        let is_named = *kind == 0
            && leb128(body).and_then(|(length, text)| text.get(..length)) == Some(name.as_bytes());
        if !is_named {
            kept.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(kept)
}

/// An unsigned number, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0usize;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(place + 1..)?));
        }
    }
    None
}

/// Vector instructions, for the models; every runtime has them.
const FEATURES: &str = "-C target-feature=+simd128";

/// Puts the models among the assets, from where the Worker loads them.
fn place_models() -> Result<()> {
    let folder = dist().join("web/models");
    fs::create_dir_all(&folder)?;
    for file in npm::MODELS {
        let from = root().join("models").join(file);
        fs::copy(&from, folder.join(file))
            .with_context(|| format!("copying {}", from.display()))?;
    }
    Ok(())
}

/// Bytes that a deployment would upload, compressed.
pub(crate) fn size(tools: &Tools, mode: Mode) -> Result<u64> {
    let out = dist().join("upload");
    let wrangler = tools.wrangler().args(["deploy", "--dry-run", "--outdir"]).arg(&out);
    let report = wrangler.env(MODE_VARIABLE, mode.name()).read()?;
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
    use super::{gzip_size, without_section};

    #[test]
    fn only_the_section_of_that_name_is_taken_out() {
        let section = |kind: u8, body: &[u8]| {
            let mut bytes = vec![kind, body.len() as u8 | 0x80, 0]; // a length may have spare bytes
            bytes.extend_from_slice(body);
            bytes
        };
        let preamble = b"\0asm\x01\0\0\0".to_vec();
        let [types, names, others] =
            [section(1, b"\x04name"), section(0, b"\x04nameabc"), section(0, b"\x05names")];
        let module = [preamble.clone(), types.clone(), names.clone(), others.clone()].concat();
        assert_eq!(without_section(&module, "name"), Some([preamble, types, others].concat()));
        assert_eq!(without_section(&module[..module.len() - 1], "name"), None);
    }

    #[test]
    fn reads_the_size_wrangler_reports() {
        assert_eq!(gzip_size("Total Upload: 176.39 KiB / gzip: 63.67 KiB\n"), Some(65_198));
        assert_eq!(gzip_size("Total Upload: 3.1 MiB / gzip: 1.5 MiB\n"), Some(1_572_864));
        assert_eq!(gzip_size("nothing of the kind"), None);
    }
}
