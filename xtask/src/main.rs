//! The one task runner: `cargo xtask <command>`.
//!
//! Every command installs what it needs first, into a cache outside the checkout
//! ([`tools`]), so that a fresh clone needs Rust and Node and nothing else. `--help` installs
//! nothing.

mod arrows;
mod bench;
mod bundle;
mod check;
mod chromium;
mod component;
mod dev;
mod fuzz;
mod libtest;
mod node;
mod npm;
mod process;
mod small;
mod tally;
mod test;
mod tidy;
mod token;
mod tools;
mod topics;
mod web;
mod weight;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The task runner of Nacre: it installs the pinned tools, builds, serves, tests and measures.
///
/// Tools are kept in $NACRE_CACHE, else in $XDG_CACHE_HOME/nacre or ~/.cache/nacre. Nothing is
/// installed for --help.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

/// All commands. The first line of each comment is its row in README's table.
#[derive(Debug, Subcommand)]
enum Command {
    /// Build the Worker and its page, serve them locally and print a ready link
    Dev(dev::Arguments),
    #[command(hide = true)]
    Announce(dev::Announcement),
    /// Run every test, or the named steps
    Test(test::Arguments),
    /// Check format, lints, bare wasm builds, docs, tidiness and dependencies
    Check(check::Arguments),
    /// Look for bytes that break the core's laws
    Fuzz(fuzz::Arguments),
    /// Measure against peers and write the results to bench/results
    Bench(bench::Arguments),
    /// Build the Worker into dist/worker and the page into dist/web
    Build(bundle::Arguments),
    /// Build the WASI components into dist, print their sizes and write wit/API.md
    Component,
    /// Build and pack the npm package @nacre/context into dist and print its size
    Npm,
    /// Print a token for the local Worker
    Token(token::Arguments),
    /// Install the pinned tools and npm packages, and print where Node is
    Setup,
}

/// Ends the whole run; inner errors carry their context.
fn main() -> ExitCode {
    let run = match libtest::Doctests::requested() {
        Some(doctests) => doctests.run(),
        None => Xtask::parse().command.run(),
    };
    run.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

impl Command {
    fn run(self) -> Result<ExitCode> {
        match self {
            Self::Dev(arguments) => dev::run(arguments),
            Self::Announce(announcement) => dev::announce(&announcement),
            Self::Test(arguments) => test::run(&arguments),
            Self::Check(arguments) => check::run(&arguments),
            Self::Fuzz(arguments) => fuzz::run(&arguments),
            Self::Bench(arguments) => bench::run(&arguments),
            Self::Build(arguments) => bundle::run(&arguments),
            Self::Component => component::run(),
            Self::Npm => npm::run(),
            Self::Token(arguments) => token::run(&arguments),
            Self::Setup => tools::run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use anyhow::Result;
    use clap::{CommandFactory as _, error::ErrorKind};

    use super::{Xtask, workspace::root};

    /// What the command line says about itself.
    fn described() -> clap::Command {
        let mut all = Xtask::command();
        all.build();
        all
    }

    #[test]
    fn every_command_answers_help() {
        let all = described();
        all.clone().debug_assert();
        for command in all.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{name} does not say what it does");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name}: {} is not described", argument);
            }
            if name == "help" {
                continue;
            }
            for flag in ["-h", "--help"] {
                let asked = all.clone().try_get_matches_from(["cargo xtask", name, flag]);
                let answer = asked.expect_err("help ends the parsing");
                assert_eq!(answer.kind(), ErrorKind::DisplayHelp, "{name} {flag}");
                assert!(answer.to_string().contains(&about), "{name} {flag}: {answer}");
            }
        }
    }

    #[test]
    fn help_shows_defaults_and_choices() {
        let ask = |command| {
            let asked = described().try_get_matches_from(["cargo xtask", command, "--help"]);
            asked.expect_err("help ends the parsing").to_string()
        };
        assert!(ask("dev").contains("[default: 8787]"), "{}", ask("dev"));
        assert!(ask("token").contains("[default: 24h]"), "{}", ask("token"));
        assert!(ask("test").contains("contract"), "{}", ask("test"));
        assert!(ask("check").contains("clippy"), "{}", ask("check"));
        assert!(ask("bench").contains("resolve-wasm"), "{}", ask("bench"));
    }

    #[test]
    fn the_table_in_the_readme_is_what_the_commands_say() -> Result<()> {
        let commands = described();
        let rows: Vec<String> = commands
            .get_subcommands()
            .filter(|command| !command.is_hide_set() && command.get_name() != "help")
            .map(|command| {
                let about = command.get_about().map(ToString::to_string).unwrap_or_default();
                format!("| `cargo xtask {}` | {about} |", command.get_name())
            })
            .collect();
        let readme = fs::read_to_string(root().join("README.md"))?;
        let held: Vec<&str> =
            readme.lines().filter(|line| line.starts_with("| `cargo xtask")).collect();
        assert_eq!(held, rows, "the table of commands in README.md is not what --help says");
        Ok(())
    }
}
