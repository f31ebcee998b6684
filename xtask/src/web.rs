//! The web page: `dist/web`, which the Worker serves as its static assets.
//!
//! It is built on the npm package as anybody would install it: the packed tarball, unpacked in
//! `web-demo/node_modules`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{npm, process, tools::Tools, workspace::root};

/// Builds the page, and the package that it stands on.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    install(&npm::build(tools)?)?;
    let mut node = tools.node()?;
    process::run("web", node.arg(demo().join("build.mjs")))
}

/// Checks the types of the page against those of the package.
pub(crate) fn check(tools: &Tools) -> Result<()> {
    let mut tsc = tools.command(&root().join("node_modules/.bin/tsc"))?;
    process::run("web", tsc.arg("--project").arg(demo()))
}

/// Puts the packed package where Node, TypeScript and esbuild look for it.
fn install(package: &Path) -> Result<()> {
    let folder = demo().join("node_modules/@nacre/context");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(package).args(["--strip-components=1", "-C"]).arg(folder);
    process::run("web", &mut tar)
}

fn demo() -> PathBuf {
    root().join("web-demo")
}
