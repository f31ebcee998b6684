//! The npm package: `dist/npm/`, and packed as `dist/nacre-context-<version>.tgz`.
//!
//! wasm-bindgen makes the glue of the module and its types (`dist/npm-glue`). tsc checks the source
//! against them and writes the types of the source (`dist/npm-types`), which a test compares with the
//! package's public face. esbuild makes the scripts.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use xshell::cmd;

use crate::{
    process, small,
    tools::{NPM, Tools, WASM},
    weight,
    workspace::{locked_version, root, target},
};

/// The profile in `Cargo.toml` that this artefact has to itself.
const PROFILE: &str = "browser";

/// The module in the package.
const MODULE: &str = "nacre_bg.wasm";

/// `cargo xtask npm`.
pub(crate) fn run() -> Result<ExitCode> {
    let tools = Tools::install()?;
    let package = build(&tools)?;
    let sizes = sizes(&tools)?;
    let kilo = |bytes: u64| bytes as f64 / 1000.0;
    println!(
        "{}: wasm {:.1} KB, scripts {:.1} KB with gzip",
        package.strip_prefix(root()).unwrap_or(&package).display(),
        kilo(sizes.wasm),
        kilo(sizes.scripts)
    );
    Ok(ExitCode::SUCCESS)
}

/// The packed package.
fn packed() -> Result<PathBuf> {
    let version = locked_version("nacre-browser")?;
    Ok(root().join(format!("dist/nacre-context-{version}.tgz")))
}

/// Builds and packs the package, unless the one there was made from the same files.
pub(crate) fn build(tools: &Tools) -> Result<PathBuf> {
    process::run("npm", small::cargo(&tools.shell, "nacre-browser", PROFILE))?;
    let built = target().join(WASM).join(PROFILE).join("nacre_browser.wasm");

    let source = root().join("browser/npm");
    let mut digest = Sha256::new();
    for file in sources(&source)?.iter().chain([&built]) {
        digest.update(fs::read(file).with_context(|| format!("reading {}", file.display()))?);
    }
    let made_from = format!("{:x?} {:?}", digest.finalize().as_slice(), small::OPTIMISATIONS);
    let (packed, stamp) = (packed()?, root().join("dist/npm.from"));
    if packed.exists() && fs::read_to_string(&stamp).is_ok_and(|held| held == made_from) {
        println!("    npm | the package is up to date");
        return Ok(packed);
    }
    fs::remove_file(&stamp).ok(); // may well not be there
    let (glue, package) = (root().join("dist/npm-glue"), root().join("dist/npm"));
    let types = root().join("dist/npm-types");
    for folder in [&glue, &package, &types] {
        fs::remove_dir_all(folder).ok(); // nor these
        fs::create_dir_all(folder)?;
    }
    let bindgen = cmd!(tools.shell, "wasm-bindgen {built} --out-dir {glue} --out-name core")
        .args(["--target", "web", "--omit-default-module-path"])
        .args(["--remove-name-section", "--remove-producers-section"]);
    process::run("npm", bindgen)?;
    trim(&glue.join("core.js"))?;
    small::optimise(tools, "npm", &glue.join("core_bg.wasm"), &package.join(MODULE))?;
    check(tools, &source, &types)?;
    bundle(tools, &source, &glue, &package)?;
    fill(&source, &package)?;
    pack(tools, &package, &packed)?;
    fs::write(stamp, made_from)?;
    Ok(packed)
}

/// Tests in the glue whose outcome is known: every host of the package has these parts of the language,
/// and `core.ts` is the only caller. esbuild drops what follows from the other outcome.
const KNOWN: [(&str, &str); 7] = [
    ("if (!('encodeInto' in cachedTextEncoder))", "if (false)"),
    ("(typeof FinalizationRegistry === 'undefined')", "(false)"),
    ("if (Symbol.dispose)", "if (false)"),
    // Every text is passed with what makes room for it.
    ("if (realloc === undefined)", "if (false)"),
    // `core.ts` passes the source itself.
    ("if (module_or_path !== undefined)", "if (false)"),
    ("if (typeof WebAssembly.instantiateStreaming === 'function')", "if (true)"),
    // A response of another type fails in the next step.
    ("const validResponse = expectedResponseType(module.type);", "const validResponse = true;"),
];

fn trim(glue: &Path) -> Result<()> {
    let mut text = fs::read_to_string(glue)?;
    for (test, outcome) in KNOWN {
        if text.matches(test).count() != 1 {
            bail!("{}: wasm-bindgen no longer writes `{test}`", glue.display());
        }
        text = text.replace(test, outcome);
    }
    Ok(fs::write(glue, text)?)
}

/// Files that the package is made from.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let named = ["package.json", "tsconfig.json", "index.d.ts", "README.md"];
    let mut files: Vec<PathBuf> = named.iter().map(|name| folder.join(name)).collect();
    for entry in fs::read_dir(folder.join("src"))? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

/// Checks the source, and writes its types beside the public face that they use.
fn check(tools: &Tools, source: &Path, types: &Path) -> Result<()> {
    process::run("npm", cmd!(tools.shell, "tsc --project {source}"))?;
    fs::copy(source.join("index.d.ts"), types.join("index.d.ts"))?;
    Ok(())
}

/// One small entry for each kind of host, over one script that all of them share. The glue would write
/// into the console of the page: about arguments that `core.ts` never gives, and about a type of the
/// wasm file that only makes loading slower.
fn bundle(tools: &Tools, source: &Path, glue: &Path, package: &Path) -> Result<()> {
    let entry = |name: &str| source.join("src").join(name);
    let version = locked_version("nacre-browser")?;
    let esbuild = cmd!(tools.shell, "esbuild")
        .args([entry("index.ts"), entry("node.ts"), entry("workerd.ts")])
        .args(["--bundle", "--splitting", "--format=esm", "--target=es2022", "--minify"])
        .arg("--drop:console")
        .args(["--external:node:*", "--external:*.wasm", "--chunk-names=replica-[hash]"])
        .args(["--legal-comments=none", "--log-level=warning"])
        .arg("--sourcemap")
        .arg(format!("--alias:@core={}", glue.join("core.js").display()))
        .arg(format!("--define:VERSION=\"{version}\""))
        .arg(format!("--outdir={}", package.display()));
    process::run("npm", esbuild)
}

/// What stands beside the scripts.
fn fill(source: &Path, package: &Path) -> Result<()> {
    for file in ["index.d.ts", "README.md"] {
        fs::copy(source.join(file), package.join(file))?;
    }
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(root().join(licence), package.join(licence))?;
    }
    let manifest = fs::read_to_string(source.join("package.json"))?;
    let version = format!("\"version\": \"{}\"", locked_version("nacre-browser")?);
    fs::write(package.join("package.json"), manifest.replace("\"version\": \"0.0.0\"", &version))?;
    Ok(())
}

fn pack(tools: &Tools, package: &Path, packed: &Path) -> Result<()> {
    let _inside = tools.shell.push_dir(package);
    let npm = cmd!(tools.shell, "{NPM} pack --silent --ignore-scripts --pack-destination");
    process::run("npm", npm.arg(root().join("dist")))?;
    if !packed.exists() {
        bail!("npm did not pack {}", packed.display());
    }
    Ok(())
}

/// Sizes of what a page downloads, compressed.
pub(crate) struct Sizes {
    pub(crate) wasm: u64,
    pub(crate) scripts: u64,
}

/// Measures what was built: the module, and the scripts of the entry for browsers.
pub(crate) fn sizes(tools: &Tools) -> Result<Sizes> {
    let package = root().join("dist/npm");
    let mut sizes = Sizes { wasm: weight::gzip(tools, &package.join(MODULE))?, scripts: 0 };
    for entry in fs::read_dir(&package)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "index.js" || (name.starts_with("replica-") && name.ends_with(".js")) {
            sizes.scripts += weight::gzip(tools, &path)?;
        }
    }
    Ok(sizes)
}
