//! `cargo xtask check`: everything that can be said about the code without running it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use xshell::cmd;

use crate::{
    arrows, process, tidy,
    tools::{self, BARE_WASM, WASM},
    workspace::shell,
};

/// A check that can be run by itself.
type Step = (&'static str, fn() -> Result<()>);

/// All there are, in the order in which they run.
const STEPS: [Step; 8] = [
    ("format", || cargo("format", &["fmt", "--all", "--check"])),
    ("scripts", tools::biome),
    ("tidy", tidy::run),
    ("clippy", || {
        cargo("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    // One by one: the component is to have no standard library, and would get the Worker's.
    ("wasm", || ["nacre-worker", "nacre-component", "nacre-topics"].into_iter().try_for_each(wasm)),
    ("bare", bare_core),
    ("docs", docs),
    ("deny", dependencies),
];

/// What is asked of `cargo xtask check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Checks to run [default: all]
    #[arg(value_name = "STEP", value_parser = PossibleValuesParser::new(STEPS.map(|(name, _)| name)))]
    steps: Vec<String>,
}

/// `cargo xtask check`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let wanted = &arguments.steps;
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        match step() {
            Ok(()) => println!("{name:>7} | ok"),
            Err(error) => {
                println!("{name:>7} | FAILED: {error:#}");
                failed.push(name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

fn wasm(package: &str) -> Result<()> {
    tools::install_target(WASM)?;
    cargo("wasm", &["clippy", "-p", package, "--target", WASM, "--", "-D", "warnings"])
}

fn docs() -> Result<()> {
    let shell = shell()?;
    // With private items, and links to them: these docs are for whoever works here.
    let cargo = cmd!(shell, "cargo doc --workspace --no-deps --document-private-items")
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links");
    process::run("docs", cargo)
}

/// Builds each crate of the core, alone, for a machine without an operating system or a host: one
/// crate does not get the features that another asks for.
pub(crate) fn bare_core() -> Result<()> {
    tools::install_target(BARE_WASM)?;
    for one in arrows::crates(&shell()?)?.iter().filter(|one| one.is_core()) {
        cargo("bare", &["build", "--package", &one.name, "--target", BARE_WASM])?;
    }
    Ok(())
}

/// Licences, banned packages and sources; known vulnerabilities where their database can be had.
fn dependencies() -> Result<()> {
    let deny = match tools::cargo_deny() {
        Ok(deny) => deny,
        Err(error) => {
            println!("   deny | SKIPPED, dependencies were NOT checked: {error:#}");
            return Ok(());
        }
    };
    let shell = shell()?;
    process::run("deny", cmd!(shell, "{deny} --offline check licenses bans sources"))?;
    if process::run("deny", cmd!(shell, "{deny} fetch db")).is_err() {
        println!("   deny | SKIPPED, advisories were NOT checked: their database is out of reach");
        return Ok(());
    }
    process::run("deny", cmd!(shell, "{deny} --offline check advisories"))
}

fn cargo(label: &str, arguments: &[&str]) -> Result<()> {
    let shell = shell()?;
    process::run(label, cmd!(shell, "cargo {arguments...}"))
}
