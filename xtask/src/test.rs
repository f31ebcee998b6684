//! `cargo xtask test`: every test there is, as one list of steps.
//!
//! Native tests and the build of the Worker compile side by side, since each leaves the other's
//! processor idle for long stretches; what needs the Worker follows when both are done.

use std::{
    env,
    process::{Command, ExitCode},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use crate::{
    bundle::{self, Mode},
    check, chromium, component, fuzz, npm, process,
    tally::Tally,
    tidy,
    tools::{self, Tools},
    topics, web,
    workspace::{read_toml, root},
};

/// What a run is asked to do.
struct Plan {
    steps: Vec<String>,
    pattern: Option<String>,
    mode: Mode,
}

/// One step: its name, and what it does with the plan.
type Step = (&'static str, fn(&Plan) -> Result<Tally>);

/// Run at the same time, each list in its order.
const SIDE_BY_SIDE: [&[Step]; 2] =
    [&[("tidy", tidy_files), ("native", native)], &[("worker", worker), ("bare", bare)]];

/// Run after those.
const AFTERWARDS: [Step; 7] = [
    ("e2e", end_to_end),
    ("contract", contract),
    ("component", hosts),
    ("browser", browser),
    ("fuzz", look_around),
    ("page", page),
    ("budget", budget),
];

/// How long each fuzz target runs here: enough to see that it still can. `cargo xtask fuzz` searches.
const FUZZ_SECONDS: u32 = 3;

/// Where proptest looks for the seed of its cases.
const SEED: &str = "PROPTEST_RNG_SEED";

/// `cargo xtask test`.
pub(crate) fn run(arguments: &mut lexopt::Parser) -> Result<ExitCode> {
    let plan = Plan::parse(arguments)?;
    let started = Instant::now();
    let mut total = Tally::default();
    let finished = thread::scope(|scope| {
        let lanes = SIDE_BY_SIDE.map(|lane| scope.spawn(|| plan.run(lane)));
        lanes.map(|lane| lane.join().unwrap_or(Tally { passed: 0, failed: 1 }))
    });
    for tally in finished {
        total += tally;
    }
    total += plan.run(&AFTERWARDS);
    println!("\nall steps took {:.0} s", started.elapsed().as_secs_f64());
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Plan {
    fn parse(arguments: &mut lexopt::Parser) -> Result<Self> {
        let names: Vec<&str> = SIDE_BY_SIDE
            .iter()
            .copied()
            .flatten()
            .chain(&AFTERWARDS)
            .map(|(name, _)| *name)
            .collect();
        let mut plan = Self { steps: Vec::new(), pattern: None, mode: Mode::Release };
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("fast") => plan.mode = Mode::Fast,
                Long("only") => plan.pattern = Some(arguments.value()?.string()?),
                Value(step) => {
                    let step = step.string()?;
                    if !names.contains(&step.as_str()) {
                        bail!("no step {step:?}; there are {}", names.join(", "));
                    }
                    plan.steps.push(step);
                }
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(plan)
    }

    /// Runs the steps that were asked for, and says how each went.
    fn run(&self, steps: &[Step]) -> Tally {
        let mut all = Tally::default();
        for (name, step) in steps {
            if !self.steps.is_empty() && !self.steps.iter().any(|wanted| wanted == name) {
                continue;
            }
            let started = Instant::now();
            let tally = step(self).unwrap_or_else(|error| {
                println!("{name:>7} | FAILED: {error:#}");
                Tally::one(false)
            });
            let Tally { passed, failed } = tally;
            let seconds = started.elapsed().as_secs_f64();
            println!("{name:>7} | {passed} passed, {failed} failed in {seconds:.1} s");
            all += tally;
        }
        all
    }
}

fn tidy_files(_: &Plan) -> Result<Tally> {
    tidy::run()?;
    component::check_page()?;
    Ok(Tally::one(true))
}

fn bare(_: &Plan) -> Result<Tally> {
    check::bare_core()?;
    Ok(Tally::one(true))
}

fn native(plan: &Plan) -> Result<Tally> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["test", "--workspace", "--no-fail-fast"]);
    // What runs the component is built differently, and once the component is.
    cargo.args(["--exclude", "nacre-component-tests", "--exclude", "nacre-bench-component"]);
    // The same cases for the same code: a change is judged by what it does, not by chance. Plain
    // `cargo test` draws new ones each time.
    if env::var_os(SEED).is_none() {
        cargo.env(SEED, "1");
    }
    if let Some(pattern) = &plan.pattern {
        cargo.arg("--").arg(pattern);
    }
    let finished = process::capture("native", &mut cargo)?;
    Ok(Tally::of_cargo(finished.lines.iter().map(String::as_str)).with_exit(finished.success))
}

fn worker(plan: &Plan) -> Result<Tally> {
    bundle::build(&Tools::install()?, plan.mode)?;
    Ok(Tally::one(true))
}

fn end_to_end(plan: &Plan) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    run_node("e2e", "tests/e2e/**/*.test.mjs", tools.node()?, plan)
}

/// Holds the built Worker to its own description, by way of schemathesis.
fn contract(plan: &Plan) -> Result<Tally> {
    let requirements = root().join("tests/contract/requirements.txt");
    let Some(python) = tools::python_environment(&requirements)? else {
        println!("contract | SKIPPED: it needs python3 with venv, which is not here");
        return Ok(Tally::default());
    };
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    let mut node = tools.node()?;
    node.env("NACRE_SCHEMATHESIS", python.join("bin/schemathesis"));
    run_node("contract", "tests/contract/*.test.mjs", node, plan)
}

/// Runs the components in wasmtime, on Node and in Python.
fn hosts(plan: &Plan) -> Result<Tally> {
    let tools = Tools::install()?;
    for component in component::ALL {
        component::build(&tools, component)?;
    }
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root()).args(["test", "--package", "nacre-component-tests"]);
    cargo.args(["--profile", "host"]);
    if let Some(pattern) = &plan.pattern {
        cargo.arg("--").arg(pattern);
    }
    let finished = process::capture("wasm", &mut cargo)?;
    let lines = finished.lines.iter().map(String::as_str);
    let mut tally = Tally::of_cargo(lines).with_exit(finished.success);

    let folder = root().join("tests/component/hosts");
    let mut node = tools.node()?;
    node.env("NACRE_JCO", tools::npm_environment(&folder)?);
    match tools::python_environment(&folder.join("requirements.txt"))? {
        Some(python) => {
            node.env("NACRE_PYTHON", python.join("bin/python"));
        }
        None => {
            println!("   wasm | SKIPPED in Python: it needs python3 with venv, which is not here")
        }
    }
    tally += run_node("wasm", "tests/component/hosts/*.test.mjs", node, plan)?;
    Ok(tally)
}

/// Looks at the page in a real browser, on a real workerd.
fn page(plan: &Plan) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    web::build(&tools)?;
    web::check(&tools)?;
    let mut node = tools.node()?;
    node.env("NACRE_CHROMIUM", chromium::chromium()?);
    node.arg("--test-force-exit"); // a file of which no test was picked never closes its browser
    run_node("page", "tests/page/*.test.mjs", node, plan)
}

/// Uses the npm package as it is packed, and runs the vectors, on Node and in Chromium.
fn browser(plan: &Plan) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    npm::build(&tools)?;
    topics::build(&tools)?;
    let mut node = tools.node()?;
    node.env("NACRE_CHROMIUM", chromium::chromium()?);
    node.env("NACRE_NPM_TOOLS", tools::npm_environment(&root().join("tests/browser"))?);
    node.arg("--test-force-exit"); // as above
    run_node("browser", "tests/browser/*.test.mjs", node, plan)
}

fn run_node(label: &str, files: &str, mut node: Command, plan: &Plan) -> Result<Tally> {
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]);
    if let Some(pattern) = &plan.pattern {
        node.arg("--test-name-pattern").arg(pattern);
    }
    let finished = process::capture(label, node.arg(files))?;
    let tally = Tally::of_node(finished.lines.iter().map(String::as_str));
    if tally == Tally::default() && plan.pattern.is_none() {
        bail!("no {label} test ran");
    }
    Ok(tally.with_exit(finished.success))
}

fn look_around(_: &Plan) -> Result<Tally> {
    fuzz::search(&[], FUZZ_SECONDS)
}

/// Holds the size of what is deployed against `tests/budgets.toml`.
fn budget(plan: &Plan) -> Result<Tally> {
    if plan.mode == Mode::Fast {
        println!(" budget | not measured: a fast build is larger than what is deployed");
        return Ok(Tally::default());
    }
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    web::build(&tools)?;
    let budgets = read_toml(&root().join("tests/budgets.toml"))?;
    let limit = limit_of(&budgets, "worker", "gzip_bytes")?;
    let size = bundle::size(&tools, plan.mode)?;
    println!(" budget | worker: {size} of {limit} bytes, compressed");
    let mut tally = Tally::one(size <= limit);
    for component in component::ALL {
        let (raw, gzip) = component::sizes(&tools, &component::build(&tools, component)?)?;
        for (name, size, how) in [("bytes", raw, "as it is"), ("gzip_bytes", gzip, "compressed")] {
            let limit = limit_of(&budgets, component.name, name)?;
            println!(" budget | {}.wasm: {size} of {limit} bytes, {how}", component.name);
            tally += Tally::one(size <= limit);
        }
    }
    npm::build(&tools)?;
    let npm::Sizes { wasm, scripts } = npm::sizes(&tools)?;
    for (name, size) in [("wasm_gzip_bytes", wasm), ("scripts_gzip_bytes", scripts)] {
        let limit = limit_of(&budgets, "browser", name)?;
        println!(" budget | browser: {size} of {limit} bytes, {name}");
        tally += Tally::one(size <= limit);
    }
    Ok(tally)
}

fn limit_of(budgets: &toml::Table, artefact: &str, name: &str) -> Result<u64> {
    budgets
        .get(artefact)
        .and_then(|of| of.get(name)?.as_integer())
        .and_then(|limit| u64::try_from(limit).ok())
        .with_context(|| format!("tests/budgets.toml has no {artefact}.{name}"))
}
