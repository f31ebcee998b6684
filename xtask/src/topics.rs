//! The topics of `tests/vectors` as a module for Node and pages: `dist/topics/`.

use std::fs;

use anyhow::Result;
use xshell::cmd;

use crate::{
    process,
    tools::{Tools, WASM},
    workspace::{root, target},
};

/// Quick to build; without any optimisation, what recurses would run out of wasm's stack.
const PROFILE: &str = "fast";

/// Builds the module and the script that loads it.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    let shell = &tools.shell;
    let cargo =
        cmd!(shell, "cargo build --package nacre-topics --target {WASM} --profile {PROFILE}");
    process::run("vectors", cargo)?;
    let built = target().join(WASM).join(PROFILE).join("nacre_topics.wasm");
    let folder = root().join("dist/topics");
    let bindgen = cmd!(shell, "wasm-bindgen {built} --out-dir {folder} --out-name topics");
    process::run("vectors", bindgen.args(["--target", "web", "--no-typescript"]))?;
    Ok(fs::write(folder.join("package.json"), r#"{"type":"module"}"#)?) // how Node knows what it is
}
