//! Chromium, for tests that need a browser.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::cmd;

use crate::{process, workspace::shell};

/// Names a browser other than the one on the path.
const VARIABLE: &str = "NACRE_CHROMIUM";

/// What distributions call it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// A Chromium on this machine; on Debian and its kin it is installed when there is none.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    if let Some(found) = on_path() {
        return Ok(found);
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("a browser is needed: install Chromium, or name one in {VARIABLE}");
    }
    println!("  tools | installing chromium: once for this machine");
    apt_get(&["update"])?;
    apt_get(&["install", "--yes", "--no-install-recommends", "chromium", "fonts-liberation"])
        .with_context(|| format!("install Chromium, or name a browser in {VARIABLE}"))?;
    on_path().context("chromium is installed, and not on the path")
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|program| program.is_file())
}

/// Runs apt-get as root, by way of sudo where that asks for nothing.
fn apt_get(arguments: &[&str]) -> Result<()> {
    let shell = shell()?;
    let is_root = cmd!(shell, "id -u").read()? == "0";
    let apt_get = if is_root {
        cmd!(shell, "apt-get")
    } else {
        cmd!(shell, "sudo --non-interactive apt-get")
    };
    let apt_get = apt_get.arg("--quiet").args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    process::run("tools", apt_get)
}
