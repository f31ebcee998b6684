//! The pinned tools: which, where they are kept, how they are called.
//!
//! Versions are stated once: `Cargo.lock` for what must match a crate, `package-lock.json` for
//! what comes from npm, a constant here for the rest. Everything lands in a cache outside the
//! checkout under a name that holds the version, so a second clone finds it ready and two
//! checkouts can differ.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use xshell::{Cmd, Shell, cmd};

use crate::{
    process,
    workspace::{locked_version, root, shell},
};

/// What the Worker is compiled to.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// A target with nothing but the machine: what the core must build for.
pub(crate) const BARE_WASM: &str = "wasm32v1-none";

/// What npm is called.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

const CARGO_DENY: &str = "0.20.2";

/// `cargo xtask setup`.
pub(crate) fn run() -> Result<ExitCode> {
    let tools = Tools::install()?;
    install_target(BARE_WASM)?;
    println!("  tools | ready; node is {}", tools.npm.join(".bin/node").display());
    Ok(ExitCode::SUCCESS)
}

/// Proof that the tools are installed.
pub(crate) struct Tools {
    /// Runs programs in the checkout's root and finds the pinned ones first.
    pub(crate) shell: Shell,
    npm: PathBuf,
}

impl Tools {
    /// Installs what is missing to build and run the Worker.
    pub(crate) fn install() -> Result<Self> {
        let _one_at_a_time = lock_cache()?;
        // npm waits for the network, cargo for the processor.
        let npm = thread::spawn(install_npm_packages);
        install_target(WASM)?;
        // worker-build and its `worker` crate are released together, and the generator of
        // bindings refuses a module made by another version of its crate.
        let worker_build = install_crate(&CrateTool {
            name: "worker-build",
            binary: "worker-build",
            version: &locked_version("worker")?,
            locked: true,
            optimised: false,
            hint: "It links OpenSSL: on Linux that needs pkg-config and libssl-dev (openssl-devel).",
        })?;
        let wasm_bindgen = install_crate(&CrateTool {
            name: "wasm-bindgen-cli",
            binary: "wasm-bindgen",
            version: &locked_version("wasm-bindgen")?,
            locked: false, // its lock file asks for versions that were taken back
            optimised: true,
            hint: "",
        })?;
        let npm = npm.join().map_err(|_| anyhow!("installing npm packages broke off"))??;
        let shell = shell()?;
        let binaries = npm.join(".bin");
        // The folders that programs are in.
        let mut path = vec![binaries.clone()];
        path.extend(
            [&worker_build, &wasm_bindgen]
                .iter()
                .filter_map(|program| program.parent())
                .map(Path::to_path_buf),
        );
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        shell.set_var("PATH", env::join_paths(path)?);
        // worker-build would download these.
        shell.set_var("WASM_BINDGEN_BIN", &wasm_bindgen);
        shell.set_var("WASM_OPT_BIN", binaries.join("wasm-opt"));
        shell.set_var("ESBUILD_BIN", binaries.join("esbuild"));
        Ok(Self { shell, npm })
    }

    /// The pinned Node.
    pub(crate) fn node(&self) -> Cmd<'_> {
        cmd!(self.shell, "node")
    }

    /// wrangler, without questions, reports home or look-ups of where this machine stands.
    pub(crate) fn wrangler(&self) -> Cmd<'_> {
        self.node()
            .arg(self.npm.join("wrangler/bin/wrangler.js"))
            .env("WRANGLER_SEND_METRICS", "false")
            .env("WRANGLER_HIDE_BANNER", "true")
            .env("CLOUDFLARE_CF_FETCH_ENABLED", "false")
    }
}

/// Formats and lints scripts and styles as `biome.jsonc` says; biome comes from npm.
pub(crate) fn biome() -> Result<()> {
    let npm = {
        let _one_at_a_time = lock_cache()?;
        install_npm_packages()?
    };
    let (shell, node, biome) =
        (shell()?, npm.join(".bin/node"), npm.join("@biomejs/biome/bin/biome"));
    let biome =
        cmd!(shell, "{node} {biome} ci --error-on-warnings --diagnostic-level=warn --colors=off");
    process::run("scripts", biome)
}

/// cargo-deny, installed if need be.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    let _one_at_a_time = lock_cache()?;
    install_crate(&CrateTool {
        name: "cargo-deny",
        binary: "cargo-deny",
        version: CARGO_DENY,
        locked: true,
        optimised: false,
        hint: "",
    })
}

/// A Python environment with what `requirements` names, by way of pip; `None` where there is no
/// Python to make one with.
pub(crate) fn python_environment(requirements: &Path) -> Result<Option<PathBuf>> {
    let _one_at_a_time = lock_cache()?;
    let home = cache()?.join("python").join(key_of(&[requirements.to_owned()])?);
    // An environment cannot be moved when it is ready, so a mark says that it is.
    let ready = home.join(".nacre");
    if ready.exists() {
        return Ok(Some(home));
    }
    let shell = shell()?;
    if cmd!(shell, "python3 -c 'import ensurepip, venv'").ignore_stderr().read().is_err() {
        return Ok(None);
    }
    println!("  tools | installing Python packages: once for this machine");
    process::run("tools", cmd!(shell, "python3 -m venv --clear {home}"))?;
    let python = home.join("bin/python");
    let pip = cmd!(shell, "{python} -m pip install --quiet --disable-pip-version-check");
    process::run("tools", pip.arg("--requirement").arg(requirements))?;
    fs::write(ready, "")?;
    Ok(Some(home))
}

/// Adds a compilation target to the toolchain in use, unless it is there.
pub(crate) fn install_target(target: &str) -> Result<()> {
    let shell = shell()?;
    let libraries = cmd!(shell, "rustc --print target-libdir --target {target}").read()?;
    if Path::new(&libraries).exists() {
        return Ok(());
    }
    println!("  tools | adding target {target}");
    process::run("tools", cmd!(shell, "rustup target add {target}"))
        .with_context(|| format!("the Rust toolchain needs its {target} target"))
}

struct CrateTool<'a> {
    name: &'a str,
    binary: &'a str,
    version: &'a str,
    locked: bool,
    /// Whether its speed matters more than the time to build it.
    optimised: bool,
    /// What to say when it does not build.
    hint: &'a str,
}

fn install_crate(tool: &CrateTool<'_>) -> Result<PathBuf> {
    let CrateTool { name, version, .. } = tool;
    let home = cache()?.join("cargo").join(format!("{name}-{version}"));
    let binary = home.join("bin").join(format!("{}{}", tool.binary, env::consts::EXE_SUFFIX));
    if binary.exists() {
        return Ok(binary);
    }
    println!("  tools | building {name} {version}: once for this machine, one to three minutes");
    let scratch = cache()?.join("scratch");
    let shell = shell()?;
    let program = tool.binary;
    let cargo =
        cmd!(shell, "cargo install {name} --version ={version} --bin {program} --root {home}")
            .args(tool.locked.then_some("--locked"))
            .env("CARGO_TARGET_DIR", &scratch)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", if tool.optimised { "1" } else { "0" });
    process::run("tools", cargo).with_context(|| {
        format!("{name} {version} could not be installed. {}", tool.hint).trim().to_owned()
    })?;
    fs::remove_dir_all(&scratch).ok(); // a leftover costs space, nothing else
    Ok(binary)
}

/// Installs what `package-lock.json` names and links it as `node_modules`, where Node looks.
fn install_npm_packages() -> Result<PathBuf> {
    let root = root();
    let linked = root.join("node_modules");
    let wanted = ["package.json", "package-lock.json"];
    let key = key_of(&wanted.map(|file| root.join(file)))?;

    if linked.is_dir() && !linked.is_symlink() {
        // The developer's own folder: kept, and brought in line when it is not.
        let stamp = linked.join(".nacre");
        if fs::read_to_string(&stamp).is_ok_and(|held| held == key) {
            return Ok(linked);
        }
        npm_ci(&root)?;
        fs::write(stamp, key)?;
        return Ok(linked);
    }

    let packages = npm_packages(&root)?.join("node_modules");
    if fs::read_link(&linked).ok().as_deref() != Some(packages.as_path()) {
        if linked.is_symlink() {
            fs::remove_file(&linked)?;
        }
        link(&packages, &linked)?;
    }
    Ok(linked)
}

/// A folder in the cache with what a folder's `package-lock.json` names.
pub(crate) fn npm_environment(folder: &Path) -> Result<PathBuf> {
    let _one_at_a_time = lock_cache()?;
    npm_packages(folder)
}

fn npm_packages(folder: &Path) -> Result<PathBuf> {
    let wanted = ["package.json", "package-lock.json"];
    let key = key_of(&wanted.map(|file| folder.join(file)))?;
    let home = cache()?.join("npm").join(&key);
    if !home.exists() {
        let unfinished = cache()?.join("npm").join(format!("{key}.{}", std::process::id()));
        fs::create_dir_all(&unfinished)?;
        for file in wanted {
            fs::copy(folder.join(file), unfinished.join(file))?;
        }
        npm_ci(&unfinished)?;
        fs::rename(&unfinished, &home)?;
    }
    Ok(home)
}

/// A name for what some files ask for.
fn key_of(files: &[PathBuf]) -> Result<String> {
    let mut digest = Sha256::new();
    for file in files {
        digest.update(fs::read(file).with_context(|| format!("reading {}", file.display()))?);
    }
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn npm_ci(dir: &Path) -> Result<()> {
    println!("  tools | installing npm packages: once for this machine");
    let shell = shell()?;
    shell.change_dir(dir);
    // Quiet about engines: npm itself may run on an older Node than the one it installs.
    process::run("npm", cmd!(shell, "{NPM} ci --prefer-offline --loglevel=error"))
        .context("npm, which comes with Node, is needed once to install the pinned packages")
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(original, link)?)
}

#[cfg(windows)]
fn link(original: &Path, link: &Path) -> Result<()> {
    Ok(std::os::windows::fs::symlink_dir(original, link)?)
}

/// The folder that outlives checkouts.
fn cache() -> Result<PathBuf> {
    let set = |name: &str| -> Option<OsString> { env::var_os(name).filter(|v| !v.is_empty()) };
    let home = || set("HOME").or_else(|| set("USERPROFILE")).map(PathBuf::from);
    let Some(cache) = (set("NACRE_CACHE").map(PathBuf::from))
        .or_else(|| Some(PathBuf::from(set("XDG_CACHE_HOME")?).join("nacre")))
        .or_else(|| Some(home()?.join(".cache/nacre")))
    else {
        bail!("no place for the tools: set NACRE_CACHE to a folder");
    };
    Ok(std::path::absolute(cache)?)
}

/// Held while installing, so that two checkouts do not build the same tool at once.
fn lock_cache() -> Result<File> {
    let cache = cache()?;
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let file = File::create(cache.join("lock"))?;
    file.lock()?;
    Ok(file)
}
