//! `cargo xtask bench`: side-by-side benchmarks.
//!
//! `bench/native` knows them all by name and writes their tables to `bench/results/`; what else one
//! needs — wasm modules, the Worker, npm packages — is built here first.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::{
    bundle::{self, Mode},
    chromium, component, npm, process,
    tools::{Tools, WASM},
    workspace::{root, target},
};

/// What a benchmark needs beside itself.
type Preparation = fn(&Tools) -> Result<()>;

/// All there are, in the order in which they run.
const BENCHMARKS: [(&str, Preparation); 8] = [
    ("resolve", |_| Ok(())),
    ("resolve-wasm", core_in_wasm),
    ("hash", |_| Ok(())),
    ("storage", |_| Ok(())),
    ("http", workers),
    ("live", workers),
    ("browser", replicas),
    ("component", |tools| component::build(tools, component::WHOLE).map(drop)),
];

/// `cargo xtask bench`.
pub(crate) fn run(arguments: &mut lexopt::Parser) -> Result<ExitCode> {
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next()? {
        let name = match argument {
            Value(name) => name.string()?,
            other => return Err(other.unexpected().into()),
        };
        let Some(benchmark) = BENCHMARKS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
            bail!("no benchmark {name:?}; there are {}", known.join(", "));
        };
        chosen.push(benchmark);
    }
    if chosen.is_empty() {
        chosen.extend(&BENCHMARKS);
    }
    let tools = Tools::install()?;
    for (name, prepare) in chosen {
        prepare(&tools)?;
        let mut cargo = tools.command(Path::new("cargo"))?;
        if *name == "browser" {
            cargo.env("NACRE_CHROMIUM", chromium::chromium()?);
        }
        match *name {
            "component" => {
                cargo.args(["run", "--profile", "host-bench", "--package", "nacre-bench-component"])
            }
            _ => {
                cargo.args(["run", "--quiet", "--release", "--package", "nacre-bench", "--", name])
            }
        };
        process::show(&mut cargo)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The Worker, and the npm package that speaks with it.
fn replicas(tools: &Tools) -> Result<()> {
    bundle::build(tools, Mode::Release)?;
    npm::build(tools).map(drop)
}

/// The core for Node, optimised as the Worker is: `dist/bench/wasm`.
fn core_in_wasm(tools: &Tools) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["build", "--release", "--package", "nacre-bench-wasm"]);
    process::run("wasm", cargo.args(["--target", WASM]))?;
    let out = root().join("dist/bench/wasm");
    fs::create_dir_all(&out)?;
    let mut bindgen = tools.wasm_bindgen()?;
    bindgen.args(["--target", "nodejs", "--out-dir"]).arg(&out);
    bindgen.arg(target().join(WASM).join("release/nacre_bench_wasm.wasm"));
    process::run("wasm", &mut bindgen)?;
    let module = out.join("nacre_bench_wasm_bg.wasm");
    process::run("wasm", tools.wasm_opt()?.args(["-O", "-o"]).arg(&module).arg(&module))
}

/// The Worker, and the bare one it is compared with: `dist/worker` and `dist/bench/bare`.
fn workers(tools: &Tools) -> Result<()> {
    bundle::build(tools, Mode::Release)?;
    let mut build = tools.worker_build()?;
    build.arg(root().join("bench/bare")).args(["--release", "--out-dir"]);
    process::run("bare", build.arg(root().join("dist/bench/bare")))
}
