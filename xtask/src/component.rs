//! The component: `dist/nacre.wasm`, and the page that describes its interfaces, `wit/API.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{
    process,
    tools::{Tools, WASM},
    workspace::{root, target},
};

/// The profile in `Cargo.toml` that this artefact has to itself.
const PROFILE: &str = "component";

/// What the module may use beyond the first version of WebAssembly: every component host has it.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Ciphers and hashes in their short form: sealing a field takes microseconds either way.
const COMPACT: &str = r#"--cfg aes_backend_soft="compact" --cfg sha2_backend_soft="compact""#;

/// `cargo xtask component`.
pub(crate) fn run(arguments: &mut lexopt::Parser) -> Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    let component = build(&Tools::install()?)?;
    fs::write(root().join(PAGE), page()?)?;
    let (raw, gzip) = sizes(&component)?;
    let kilo = |bytes: u64| bytes as f64 / 1000.0;
    println!("dist/nacre.wasm: {:.1} KB, {:.1} KB with gzip", kilo(raw), kilo(gzip));
    Ok(ExitCode::SUCCESS)
}

/// Builds the component, unless the one there was made from the same module.
pub(crate) fn build(tools: &Tools) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["build", "--package", "nacre-component"]);
    cargo.args(["--target", WASM, "--profile", PROFILE]);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", COMPACT);
    process::run("wasm", &mut cargo)?;

    let built = target().join(WASM).join(PROFILE).join("nacre_component.wasm");
    let bytes = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
    let made_from = format!("{:x?}", Sha256::digest(bytes).as_slice());
    let folder = root().join("dist/component");
    fs::create_dir_all(&folder)?;
    let (module, stamp) = (folder.join("module.wasm"), folder.join("made.from"));
    let component = root().join("dist/nacre.wasm");
    if component.exists() && fs::read_to_string(&stamp).is_ok_and(|held| held == made_from) {
        println!("   wasm | dist/nacre.wasm is up to date");
        return Ok(component);
    }
    fs::remove_file(&stamp).ok(); // may well not be there
    let mut wasm_opt = tools.wasm_opt()?;
    wasm_opt.args(["-Oz", "--strip-debug", "--strip-producers"]);
    process::run("wasm", wasm_opt.args(FEATURES).arg(&built).arg("-o").arg(&module))?;
    process::run("wasm", assemble().arg("component").arg(&module).arg(&component))?;
    fs::write(stamp, made_from)?;
    Ok(component)
}

/// Bytes as they are, and compressed.
pub(crate) fn sizes(component: &Path) -> Result<(u64, u64)> {
    let sizes = process::read(assemble().arg("size").arg(component))?;
    let mut sizes = sizes.split_whitespace().map(str::parse::<u64>);
    match (sizes.next(), sizes.next()) {
        (Some(Ok(raw)), Some(Ok(gzip))) => Ok((raw, gzip)),
        _ => bail!("no size of {} was said", component.display()),
    }
}

/// The page on the interfaces.
const PAGE: &str = "wit/API.md";

/// Fails when the page on the interfaces is not what they say.
pub(crate) fn check_page() -> Result<()> {
    if fs::read_to_string(root().join(PAGE)).is_ok_and(|held| page().is_ok_and(|new| held == new)) {
        return Ok(());
    }
    bail!("{PAGE} is not what wit/ says: `cargo xtask component` writes it anew")
}

fn page() -> Result<String> {
    process::read(assemble().arg("page").arg(root().join("wit")))
}

/// What turns modules into components, a program of its own so that this one stays quick to build.
fn assemble() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["run", "--quiet", "--package", "nacre-assemble", "--"]);
    cargo
}
