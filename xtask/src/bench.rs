//! `cargo xtask bench`: side-by-side benchmarks.
//!
//! `bench/native` knows them all by name and writes their tables to `bench/results/`; what else one
//! needs — wasm modules, the Worker, npm packages — is built here first.

use std::{fs, process::ExitCode};

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use xshell::cmd;

use crate::{
    bundle::{self, Mode},
    chromium, component, npm, process,
    small::{self, Vectors},
    test::mcp_tools,
    tools::{Tools, WASM},
    workspace::{root, target},
};

/// What a benchmark needs beside itself.
type Preparation = fn(&Tools) -> Result<()>;

/// All there are, in the order in which they run.
const BENCHMARKS: [(&str, Preparation); 15] = [
    ("resolve", |_| Ok(())),
    ("resolve-wasm", core_in_wasm),
    ("hash", |_| Ok(())),
    ("storage", |_| Ok(())),
    ("search", |_| Ok(())),
    ("search-wasm", core_in_wasm),
    ("semantic", models_in_wasm),
    ("http", workers),
    ("search-http", workers),
    ("live", workers),
    ("pack-wasm", core_in_wasm),
    ("mcp", workers),
    ("mcp-agent", workers),
    ("browser", replicas),
    ("component", |tools| component::build(tools, component::WHOLE).map(drop)),
];

/// What is asked of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Benchmarks to run [default: all]
    #[arg(value_name = "NAME", value_parser = PossibleValuesParser::new(BENCHMARKS.map(|(name, _)| name)))]
    names: Vec<String>,
}

/// `cargo xtask bench`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let wanted = &arguments.names;
    let tools = Tools::install()?;
    let shell = &tools.shell;
    for (name, prepare) in BENCHMARKS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        prepare(&tools)?;
        let mut cargo = match name {
            "component" => {
                cmd!(shell, "cargo run --profile host-bench --package nacre-bench-component")
            }
            _ => cmd!(shell, "cargo run --quiet --release --package nacre-bench -- {name}"),
        };
        if name.starts_with("mcp") {
            cargo = cargo.env("NACRE_MCP_TOOLS", mcp_tools()?);
        }
        if name == "browser" {
            cargo = cargo.env("NACRE_CHROMIUM", chromium::chromium()?);
        }
        cargo.run()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The Worker, and the npm package that speaks with it.
fn replicas(tools: &Tools) -> Result<()> {
    bundle::build(tools, Mode::Release)?;
    npm::build(tools).map(drop)
}

/// The core in wasm: `dist/bench/wasm`.
fn core_in_wasm(tools: &Tools) -> Result<()> {
    wasm(tools, "wasm", "")
}

/// The core in wasm with vector instructions, too: `dist/bench/semantic`; and as small as in the npm
/// package: `dist/bench/small`.
fn models_in_wasm(tools: &Tools) -> Result<()> {
    core_in_wasm(tools)?;
    wasm(tools, "semantic", "-C target-feature=+simd128")?;
    small_wasm(tools, "small")
}

/// Compiled and optimised as the search of the npm package is.
fn small_wasm(tools: &Tools, folder: &str) -> Result<()> {
    let (build, out) =
        (target().join("bench").join(folder), root().join("dist/bench").join(folder));
    let cargo = small::cargo(&tools.shell, "nacre-bench-wasm", "search", Vectors::Simd128);
    process::run("wasm", cargo.arg("--target-dir").arg(&build))?;
    fs::create_dir_all(&out)?;
    let built = build.join(WASM).join("search/nacre_bench_wasm.wasm");
    process::run(
        "wasm",
        cmd!(tools.shell, "wasm-bindgen --target nodejs --out-dir {out} {built}"),
    )?;
    let module = out.join("nacre_bench_wasm_bg.wasm");
    small::optimise(tools, "wasm", &module, &module, Vectors::Simd128)
}

fn wasm(tools: &Tools, folder: &str, flags: &str) -> Result<()> {
    let shell = &tools.shell;
    // A folder for each set of flags, for they would have everything built anew.
    let build = target().join("bench").join(folder);
    let cargo = cmd!(
        shell,
        "cargo build --release --package nacre-bench-wasm --target {WASM} --target-dir {build}"
    );
    process::run("wasm", cargo.env("RUSTFLAGS", flags))?;
    let out = root().join("dist/bench").join(folder);
    fs::create_dir_all(&out)?;
    let built = build.join(WASM).join("release/nacre_bench_wasm.wasm");
    process::run("wasm", cmd!(shell, "wasm-bindgen --target nodejs --out-dir {out} {built}"))?;
    let module = out.join("nacre_bench_wasm_bg.wasm");
    process::run("wasm", cmd!(shell, "wasm-opt -O --enable-simd -o {module} {module}"))
}

/// The Worker, and the bare one it is compared with: `dist/worker` and `dist/bench/bare`.
fn workers(tools: &Tools) -> Result<()> {
    bundle::build(tools, Mode::Release)?;
    let build = cmd!(tools.shell, "worker-build").arg(root().join("bench/bare"));
    process::run("bare", build.args(["--release", "--out-dir"]).arg(root().join("dist/bench/bare")))
}
