//! The web page: `dist/web`, which the Worker serves as its static assets.
//!
//! It is built on the npm package as anybody would install it: the packed tarball, unpacked in
//! `web-demo/node_modules`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use xshell::cmd;

use crate::{npm, process, tools::Tools, workspace::root};

/// Builds the page, and the package that it stands on.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    install(tools, &npm::build(tools)?)?;
    process::run("web", tools.node().arg(demo().join("build.mjs")))
}

/// Checks the types of the page against those of the package.
pub(crate) fn check(tools: &Tools) -> Result<()> {
    process::run("web", cmd!(tools.shell, "tsc --project").arg(demo()))
}

/// Puts the packed package where Node, TypeScript and esbuild look for it.
fn install(tools: &Tools, package: &Path) -> Result<()> {
    let folder = demo().join("node_modules/@nacre/context");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    process::run("web", cmd!(tools.shell, "tar -xzf {package} --strip-components=1 -C {folder}"))
}

fn demo() -> PathBuf {
    root().join("web-demo")
}
