//! The npm package: `dist/npm/`, and packed as `dist/nacre-context-<version>.tgz`.
//!
//! wasm-bindgen makes the glue of the modules and its types (`dist/npm-glue`). tsc checks the source
//! against them and writes the types of the source (`dist/npm-types`), which a test compares with the
//! package's public face. esbuild makes the scripts.
//!
//! The search is a module of its own in two forms, with vector instructions and without.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use xshell::cmd;

use crate::{
    process,
    small::{self, Vectors},
    tools::{NPM, Tools, WASM},
    weight,
    workspace::{locked_version, root, target},
};

/// A module of the package.
struct Module {
    /// The crate that it is built from.
    package: &'static str,
    /// The profile in `Cargo.toml` that it has to itself.
    profile: &'static str,
    vectors: Vectors,
    /// Where its glue is in the folder of glue, without the extension.
    glue: &'static str,
    /// The name of its file in the package.
    file: &'static str,
}

const CORE: Module = Module {
    package: "nacre-browser",
    profile: "browser",
    vectors: Vectors::No,
    glue: "core",
    file: "nacre_bg.wasm",
};

const SEARCH: Module = Module {
    package: "nacre-browser-search",
    profile: "search",
    vectors: Vectors::Simd128,
    glue: "search",
    file: "search_bg.wasm",
};

/// Also for hosts without vector instructions, which search by words.
const PLAIN_SEARCH: Module = Module {
    profile: "search-plain",
    vectors: Vectors::No,
    glue: "plain/search",
    file: "search_plain_bg.wasm",
    ..SEARCH
};

const MODULES: [Module; 3] = [CORE, SEARCH, PLAIN_SEARCH];

/// The files of the models, in `models/` here, in the package, and among the Worker's assets.
pub(crate) const MODELS: [&str; 4] =
    ["vocab.txt", "static-s128i4.bin", "expand-top16.bin", "splade-tiny-i4.bin"];

/// `cargo xtask npm`.
pub(crate) fn run() -> Result<ExitCode> {
    let tools = Tools::install()?;
    let package = build(&tools)?;
    let sizes = sizes(&tools)?;
    let kilo = |bytes: u64| bytes as f64 / 1000.0;
    let name = package.strip_prefix(root()).unwrap_or(&package).display();
    println!("{name}, with gzip:");
    for (part, size) in sizes {
        println!("{part}: {:.1} KB", kilo(size));
    }
    Ok(ExitCode::SUCCESS)
}

/// The packed package.
fn packed() -> Result<PathBuf> {
    let version = locked_version("nacre-browser")?;
    Ok(root().join(format!("dist/nacre-context-{version}.tgz")))
}

/// Builds and packs the package, unless the one there was made from the same files.
pub(crate) fn build(tools: &Tools) -> Result<PathBuf> {
    for Module { package, profile, vectors, .. } in &MODULES {
        process::run("npm", small::cargo(&tools.shell, package, profile, *vectors))?;
    }
    let source = root().join("browser/npm");
    let mut digest = Sha256::new();
    let models = MODELS.map(|name| root().join("models").join(name));
    for file in sources(&source)?.iter().chain(&MODULES.map(|module| module.built())).chain(&models)
    {
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
    for module in &MODULES {
        module.make(tools, &glue, &package)?;
    }
    let script = |module: &Module| fs::read_to_string(glue.join(format!("{}.js", module.glue)));
    if script(&SEARCH)? != script(&PLAIN_SEARCH)? {
        bail!("the two forms of the search need different glue");
    }
    check(tools, &source, &types)?;
    bundle(tools, &source, &glue, &package)?;
    fill(&source, &package)?;
    pack(tools, &package, &packed)?;
    fs::write(stamp, made_from)?;
    Ok(packed)
}

impl Module {
    /// What cargo makes of it.
    fn built(&self) -> PathBuf {
        let name = format!("{}.wasm", self.package.replace('-', "_"));
        target().join(WASM).join(self.profile).join(name)
    }

    /// Makes its glue, and its file in the package.
    fn make(&self, tools: &Tools, glue: &Path, package: &Path) -> Result<()> {
        let (built, glue) = (self.built(), glue.join(self.glue));
        let (Some(folder), Some(name)) = (glue.parent(), glue.file_name()) else {
            bail!("{}: not a place for glue", glue.display());
        };
        let bindgen =
            cmd!(tools.shell, "wasm-bindgen {built} --out-dir {folder} --out-name {name}")
                .args(["--target", "web", "--omit-default-module-path"])
                .args(["--remove-name-section", "--remove-producers-section"]);
        process::run("npm", bindgen)?;
        trim(&glue.with_extension("js"))?;
        let bound = folder.join(format!("{}_bg.wasm", name.to_string_lossy()));
        small::optimise(tools, "npm", &bound, &package.join(self.file), self.vectors)
    }
}

/// Tests in the glue whose outcome is known: every host of the package has these parts of the language,
/// and the one `core.ts` beside it is the only caller. esbuild drops what follows from the other outcome.
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
        if !text.contains(test) {
            bail!("{}: wasm-bindgen no longer writes `{test}`", glue.display());
        }
        text = text.replace(test, outcome);
    }
    Ok(fs::write(glue, text)?)
}

/// The public faces, written by hand.
const FACES: [&str; 2] = ["index.d.ts", "search.d.ts"];

/// Files that the package is made from.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let named = ["package.json", "tsconfig.json", "README.md"];
    let mut files: Vec<PathBuf> =
        named.iter().chain(&FACES).map(|name| folder.join(name)).collect();
    for part in ["src", "src/search"] {
        for entry in fs::read_dir(folder.join(part))? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

/// Checks the source, and writes its types beside the public face that they use.
fn check(tools: &Tools, source: &Path, types: &Path) -> Result<()> {
    process::run("npm", cmd!(tools.shell, "tsc --project {source}"))?;
    for face in FACES {
        fs::copy(source.join(face), types.join(face))?;
    }
    Ok(())
}

/// One small entry for each kind of host, over one script that all of them share; so for the replica,
/// and so for the search, which takes its class of errors from the package. The glue would write
/// into the console of the page: about arguments that `core.ts` never gives, and about a type of the
/// wasm file that only makes loading slower.
fn bundle(tools: &Tools, source: &Path, glue: &Path, package: &Path) -> Result<()> {
    let entry = |name: &str| source.join("src").join(name).display().to_string();
    let version = locked_version("nacre-browser")?;
    let scripts = |entries: [String; 3], chunk: &str| {
        cmd!(tools.shell, "esbuild")
            .args(entries)
            .args(["--bundle", "--splitting", "--format=esm", "--target=es2022", "--minify"])
            .arg("--drop:console")
            .args(["--external:node:*", "--external:*.wasm", "--external:./index.js"])
            .arg(format!("--chunk-names={chunk}-[hash]"))
            .args(["--legal-comments=none", "--log-level=warning"])
            .arg("--sourcemap")
            .arg(format!("--alias:@core={}", glue.join("core.js").display()))
            .arg(format!("--alias:@search={}", glue.join("search.js").display()))
            .arg("--alias:@package=./index.js")
            .arg(format!("--define:VERSION=\"{version}\""))
            .arg(format!("--outdir={}", package.display()))
    };
    let replica = ["index", "node", "workerd"].map(|name| entry(&format!("{name}.ts")));
    let search = [("search", "index"), ("search-node", "node"), ("search-workerd", "workerd")]
        .map(|(out, name)| format!("{out}={}", entry(&format!("search/{name}.ts"))));
    process::run("npm", scripts(replica, "replica"))?;
    process::run("npm", scripts(search, "searching"))
}

/// What stands beside the scripts.
fn fill(source: &Path, package: &Path) -> Result<()> {
    for file in FACES.iter().chain(&["README.md"]) {
        fs::copy(source.join(file), package.join(file))?;
    }
    fs::create_dir_all(package.join("models"))?;
    for file in MODELS {
        fs::copy(root().join("models").join(file), package.join("models").join(file))?;
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

/// Measures what a page downloads, compressed, by the names of `tests/budgets.toml`: the modules, and
/// the scripts of the entries for browsers.
pub(crate) fn sizes(tools: &Tools) -> Result<[(&'static str, u64); 5]> {
    let package = root().join("dist/npm");
    let module = |module: &Module| weight::gzip(tools, &package.join(module.file));
    let scripts = |entry: &str, chunk: &str| -> Result<u64> {
        let mut size = 0;
        for file in fs::read_dir(&package)? {
            let path = file?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == entry || (name.starts_with(chunk) && name.ends_with(".js")) {
                size += weight::gzip(tools, &path)?;
            }
        }
        Ok(size)
    };
    Ok([
        ("wasm_gzip_bytes", module(&CORE)?),
        ("scripts_gzip_bytes", scripts("index.js", "replica-")?),
        ("search_gzip_bytes", module(&SEARCH)?),
        ("plain_search_gzip_bytes", module(&PLAIN_SEARCH)?),
        ("search_scripts_gzip_bytes", scripts("search.js", "searching-")?),
    ])
}
