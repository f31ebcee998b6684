//! The one task runner: `cargo xtask <command>`.
//!
//! Every command installs what it needs first, into a cache outside the checkout
//! ([`tools`]), so that a fresh clone needs Rust and Node and nothing else.

mod bench;
mod bundle;
mod check;
mod chromium;
mod component;
mod dev;
mod fuzz;
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

use anyhow::{Result, bail};
use lexopt::prelude::*;

const USAGE: &str = "\
cargo xtask <command>

  dev    [--port 8787] [--persist DIR] [--fast]
         build the Worker and its page and serve them on 127.0.0.1, with a ready link
  test   [--fast] [STEP...] [--only PATTERN]
         run every test, or the named steps of tidy, native, worker, bare, e2e, contract,
         component, browser, fuzz, page, budget; PATTERN picks native and Node tests by name
  check  format, lints, bare wasm build, docs, tidiness, dependencies
  fuzz   [TARGET...] [--seconds 20]
         look for bytes that break the core's laws, so long for each target
  bench  [NAME...]
         measure against peers; results go to bench/results
  build  [--fast] [--bundle-only]
         build the Worker into dist/worker and print its size, and the page into dist/web
  component
         build the WASI components dist/nacre.wasm and dist/nacre-resolver.wasm, print their sizes,
         and describe them in wit/API.md
  npm    build the npm package @nacre/context, pack it as dist/nacre-context-<version>.tgz, and print
         its size
  token  [--user alice] [--scope \"contexts:read contexts:write\"] [--ttl 24h]
         print a token for the local Worker
  setup  install the pinned tools and npm packages, and print the environment that uses them

--fast builds without link-time optimisation and wasm-opt: for working on the code, not for
measuring. Tools are kept in $NACRE_CACHE, else in $XDG_CACHE_HOME/nacre or ~/.cache/nacre.";

/// Ends the whole run; inner errors carry their context.
fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = lexopt::Parser::from_env();
    let command = match arguments.next()? {
        Some(Value(command)) => command.string()?,
        Some(Short('h') | Long("help")) | None => {
            println!("{USAGE}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "dev" => dev::run(&mut arguments),
        "announce" => dev::announce(&mut arguments),
        "test" => test::run(&mut arguments),
        "check" => check::run(&mut arguments),
        "fuzz" => fuzz::run(&mut arguments),
        "bench" => bench::run(&mut arguments),
        "build" => bundle::run(&mut arguments),
        "component" => component::run(&mut arguments),
        "npm" => npm::run(&mut arguments),
        "token" => token::run(&mut arguments),
        "setup" => tools::run(&mut arguments),
        _ => bail!("unknown command {command:?}\n\n{USAGE}"),
    }
}
