//! The topics of `tests/vectors` as a module for Node and pages: `dist/topics/`.

use std::{fs, process::Command};

use anyhow::Result;

use crate::{
    process,
    tools::{Tools, WASM},
    workspace::{root, target},
};

/// Quick to build; without any optimisation, what recurses would run out of wasm's stack.
const PROFILE: &str = "fast";

/// Builds the module and the script that loads it.
pub(crate) fn build(tools: &Tools) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["build", "--package", "nacre-topics"]);
    cargo.args(["--target", WASM, "--profile", PROFILE]);
    process::run("vectors", &mut cargo)?;
    let built = target().join(WASM).join(PROFILE).join("nacre_topics.wasm");
    let folder = root().join("dist/topics");
    let mut bindgen = tools.wasm_bindgen()?;
    bindgen.arg(built).arg("--out-dir").arg(&folder);
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "topics"]);
    process::run("vectors", &mut bindgen)?;
    Ok(fs::write(folder.join("package.json"), r#"{"type":"module"}"#)?) // how Node knows what it is
}
