//! The components: `dist/nacre.wasm`, the small `dist/nacre-resolver.wasm`, `dist/nacre-search.wasm`,
//! and the page that describes their interfaces, `wit/API.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use xshell::{Cmd, Shell, cmd};

use crate::{
    process,
    small::{self, Vectors},
    tools::{Tools, WASM},
    weight,
    workspace::{root, shell, target},
};

/// A component, by the world of `wit/` that it is.
#[derive(Clone, Copy)]
pub(crate) struct Component {
    /// The file's name in `dist`, without its ending.
    pub(crate) name: &'static str,
    /// What cargo is told beside the package.
    features: &'static [&'static str],
    /// A profile in `Cargo.toml` that it has to itself, or shares with those of the same instructions.
    profile: &'static str,
    vectors: Vectors,
}

/// Everything: the world `contexts`.
pub(crate) const WHOLE: Component =
    Component { name: "nacre", features: &[], profile: "component", vectors: Vectors::No };

/// The resolver and the linter: the world `layers`.
const RESOLVER: Component =
    Component { name: "nacre-resolver", features: &["--no-default-features"], ..WHOLE };

/// Searches: the world `searches`. The models are too slow without vector instructions.
const SEARCH: Component = Component {
    name: "nacre-search",
    features: &["--no-default-features", "--features=search"],
    profile: "component-search",
    vectors: Vectors::Simd128,
};

/// All that are built.
pub(crate) const ALL: [Component; 3] = [WHOLE, RESOLVER, SEARCH];

/// `cargo xtask component`.
pub(crate) fn run() -> Result<ExitCode> {
    let tools = Tools::install()?;
    fs::write(root().join(PAGE), page()?)?;
    for component in ALL {
        let (raw, gzip) = sizes(&tools, &build(&tools, component)?)?;
        let (raw, gzip) = (raw as f64 / 1000.0, gzip as f64 / 1000.0);
        println!("dist/{}.wasm: {raw:.1} KB, {gzip:.1} KB with gzip", component.name);
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds a component, unless the one there was made from the same module in the same way.
pub(crate) fn build(tools: &Tools, component: Component) -> Result<PathBuf> {
    let Component { name, features, profile, vectors } = component;
    process::run(
        "wasm",
        small::cargo(&tools.shell, "nacre-component", profile, vectors).args(features),
    )?;

    let built = target().join(WASM).join(profile).join("nacre_component.wasm");
    let bytes = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
    let made_from = format!("{:x?} {:?}", Sha256::digest(bytes).as_slice(), small::OPTIMISATIONS);
    let folder = root().join("dist/component");
    fs::create_dir_all(&folder)?;
    let module = folder.join(name).with_extension("module.wasm");
    let stamp = folder.join(name).with_extension("from");
    let component = root().join("dist").join(name).with_extension("wasm");
    if component.exists() && fs::read_to_string(&stamp).is_ok_and(|held| held == made_from) {
        println!("   wasm | dist/{name}.wasm is up to date");
        return Ok(component);
    }
    fs::remove_file(&stamp).ok(); // may well not be there
    small::optimise(tools, "wasm", &built, &module, vectors)?;
    process::run("wasm", assemble(&tools.shell).arg("component").arg(&module).arg(&component))?;
    fs::write(stamp, made_from)?;
    Ok(component)
}

/// Bytes as they are, and compressed.
pub(crate) fn sizes(tools: &Tools, component: &Path) -> Result<(u64, u64)> {
    Ok((fs::metadata(component)?.len(), weight::gzip(tools, component)?))
}

/// The page on the interfaces.
const PAGE: &str = "wit/API.md";

/// Fails when the page on the interfaces is not what they say.
pub(crate) fn check_page() -> Result<()> {
    if fs::read_to_string(root().join(PAGE)).is_ok_and(|held| page().is_ok_and(|new| held == new)) {
        return Ok(());
    }
    bail!("{PAGE} does not match wit/: run `cargo xtask component` to write it")
}

fn page() -> Result<String> {
    // As it is, with the line end that `read` would take away.
    let output = assemble(&shell()?).arg("page").arg(root().join("wit")).output()?;
    Ok(String::from_utf8(output.stdout)?)
}

/// What turns modules into components, a program of its own so that this one stays quick to build.
fn assemble(shell: &Shell) -> Cmd<'_> {
    cmd!(shell, "cargo run --quiet --package nacre-assemble --")
}
