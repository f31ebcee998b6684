//! `cargo xtask test`: every test there is, as one list of steps.
//!
//! Native tests and the builds for wasm run side by side, since each leaves a processor idle for
//! long stretches: link-time optimisation has one thread. What the other steps need from the network
//! comes in the meantime. What uses the builds follows when all of this is done.

use std::{env, path::PathBuf, process::ExitCode, sync::Mutex, thread, time::Instant};

use anyhow::{Context, Result};
use clap::builder::{PossibleValue, PossibleValuesParser};
use xshell::{Cmd, Shell, cmd};

use crate::{
    bundle::{self, Mode, Speed},
    check, chromium, component, fuzz,
    libtest::{self, Selection},
    node, npm, process,
    tally::Tally,
    tidy,
    tools::{self, Tools},
    topics, web,
    workspace::{read_toml, root, shell, target},
};

/// What is asked of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Steps to run [default: all]
    #[arg(value_name = "STEP", value_parser = PossibleValuesParser::new(all_steps().map(Step::described)))]
    steps: Vec<String>,
    /// Run only native tests with this in their names, and Node tests that it matches as a pattern
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    #[command(flatten)]
    speed: Speed,
}

/// What a run is asked to do.
struct Plan<'a> {
    steps: &'a [String],
    pattern: Option<&'a str>,
    mode: Mode,
    /// How long each step took, in seconds.
    times: Mutex<Vec<(&'static str, f64)>>,
}

/// A part of the tests that can be run by itself.
struct Step {
    name: &'static str,
    /// What it does, for `--help`.
    about: &'static str,
    run: fn(&Plan<'_>) -> Result<Tally>,
}

/// Run at the same time, each list in its order.
const SIDE_BY_SIDE: [&[Step]; 2] = [
    &[
        Step { name: "tidy", about: "What the compiler does not check", run: tidy_files },
        Step { name: "native", about: "Rust tests and examples on this machine", run: native },
    ],
    &[
        Step { name: "worker", about: "The Worker builds", run: worker },
        Step { name: "modules", about: "The other wasm modules build", run: modules },
        Step { name: "bare", about: "The core builds for a bare machine", run: bare },
    ],
];

/// What a step needs from the network beside the tools: the step's name, and what installs it.
type Download = (&'static str, fn() -> Result<()>);

/// Installed while the first steps run.
const DOWNLOADS: [Download; 7] = [
    ("browser", || chromium::chromium().map(drop)),
    ("page", || chromium::chromium().map(drop)),
    ("browser", || bundlers().map(drop)),
    ("component", || transpiler().map(drop)),
    ("component", || python(HOSTS).map(drop)),
    ("contract", || python(CONTRACT).map(drop)),
    ("mcp", || mcp_tools().map(drop)),
];

/// Folder of the tests that run the components on Node and in Python.
const HOSTS: &str = "tests/component/hosts";

/// Folder of the tests that hold the Worker to its description.
const CONTRACT: &str = "tests/contract";

/// Run after those.
const AFTERWARDS: &[Step] = &[
    Step { name: "e2e", about: "The Worker on a real workerd", run: end_to_end },
    Step { name: "contract", about: "The Worker against its OpenAPI document", run: contract },
    Step { name: "component", about: "The components in wasmtime, Node and Python", run: hosts },
    Step { name: "browser", about: "The npm package on Node and in Chromium", run: browser },
    Step { name: "fuzz", about: "Each fuzz target for a moment", run: look_around },
    Step { name: "page", about: "The page in Chromium", run: page },
    Step { name: "budget", about: "Sizes against tests/budgets.toml", run: budget },
    Step { name: "mcp", about: "The conformance suite of MCP, and its clients", run: protocol },
];

/// How long each fuzz target runs here: enough to see that it still can. `cargo xtask fuzz` searches.
const FUZZ_SECONDS: u32 = 3;

/// Where proptest looks for the seed of its cases.
const SEED: &str = "PROPTEST_RNG_SEED";

/// How many steps are named at the end for their time.
const SLOWEST: usize = 5;

/// `cargo xtask test`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let plan = Plan {
        steps: &arguments.steps,
        pattern: arguments.only.as_deref(),
        mode: arguments.speed.mode(),
        times: Mutex::default(),
    };
    let started = Instant::now();
    let mut total = Tally::default();
    let finished = thread::scope(|scope| {
        scope.spawn(|| plan.download());
        let lanes = SIDE_BY_SIDE.map(|lane| scope.spawn(|| plan.run(lane)));
        lanes.map(|lane| lane.join().unwrap_or(Tally::one(false)))
    });
    for tally in finished {
        total += tally;
    }
    total += plan.run(AFTERWARDS);
    println!("\nall steps took {:.0} s: {}", started.elapsed().as_secs_f64(), plan.slowest());
    if total == Tally::default() {
        println!("nothing was tested");
    }
    for failure in process::failures() {
        println!("failed: {failure}");
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    Ok(if total.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn all_steps() -> impl Iterator<Item = &'static Step> {
    SIDE_BY_SIDE.into_iter().flatten().chain(AFTERWARDS)
}

impl Step {
    fn described(&self) -> PossibleValue {
        PossibleValue::new(self.name).help(self.about)
    }
}

impl Plan<'_> {
    /// Runs the steps that were asked for, and says how each went.
    fn run(&self, steps: &[Step]) -> Tally {
        let mut all = Tally::default();
        for Step { name, run, .. } in steps.iter().filter(|step| self.wants(step.name)) {
            let started = Instant::now();
            let tally = run(self).unwrap_or_else(|error| {
                process::fail(name, &format!("FAILED: {error:#}"));
                Tally::one(false)
            });
            let Tally { passed, failed } = tally;
            let seconds = started.elapsed().as_secs_f64();
            println!("{name:>7} | {passed} passed, {failed} failed in {seconds:.1} s");
            if let Ok(mut times) = self.times.lock() {
                times.push((name, seconds));
            }
            all += tally;
        }
        all
    }

    fn wants(&self, step: &str) -> bool {
        self.steps.is_empty() || self.steps.iter().any(|wanted| wanted == step)
    }

    /// Installs what the steps need. What cannot be had is reported by the step that needs it.
    fn download(&self) {
        for (step, install) in DOWNLOADS {
            if self.wants(step) {
                install().ok();
            }
        }
    }

    /// The steps that took longest: `native 210 s, e2e 95 s`.
    fn slowest(&self) -> String {
        let mut times = self.times.lock().map(|times| times.clone()).unwrap_or_default();
        times.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let named = times.iter().take(SLOWEST).map(|(name, time)| format!("{name} {time:.0} s"));
        named.collect::<Vec<_>>().join(", ")
    }
}

fn tidy_files(_: &Plan<'_>) -> Result<Tally> {
    tidy::run()?;
    component::check_page()?;
    Ok(Tally::one(true))
}

fn bare(_: &Plan<'_>) -> Result<Tally> {
    check::bare_core()?;
    Ok(Tally::one(true))
}

fn native(plan: &Plan<'_>) -> Result<Tally> {
    let shell = shell()?;
    // The same cases for the same code: a change is judged by what it does, not by chance. Plain
    // `cargo test` draws new ones each time.
    if env::var_os(SEED).is_none() {
        shell.set_var(SEED, "1");
    }
    // What runs the component is built differently, and once the component is. The Rust client of MCP
    // has no test of its own.
    let arguments = [
        "--workspace",
        "--exclude=nacre-component-tests",
        "--exclude=nacre-bench-component",
        "--exclude=nacre-rmcp-client",
    ];
    libtest::test(
        &shell,
        &Selection { label: "native", arguments: &arguments, pattern: plan.pattern },
    )
}

/// Built here so that later steps find them, and again there, for those who run one step.
fn modules(_: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    npm::build(&tools)?;
    topics::build(&tools)?;
    for component in component::ALL {
        component::build(&tools, component)?;
    }
    Ok(Tally::one(true))
}

fn worker(plan: &Plan<'_>) -> Result<Tally> {
    bundle::build(&Tools::install()?, plan.mode)?;
    Ok(Tally::one(true))
}

fn end_to_end(plan: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    run_node("e2e", "tests/e2e/**/*.test.mjs", tools.node(), plan)
}

/// Holds the built Worker to its own description, by way of schemathesis.
fn contract(plan: &Plan<'_>) -> Result<Tally> {
    let Some(python) = python(CONTRACT)? else {
        println!("contract | SKIPPED: it needs python3 with venv, which is not here");
        return Ok(Tally::default());
    };
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    let node = tools.node().env("NACRE_SCHEMATHESIS", python.join("bin/schemathesis"));
    run_node("contract", "tests/contract/*.test.mjs", node, plan)
}

/// Runs the conformance suite of the Model Context Protocol and its official clients against a Worker
/// with the fixtures of the suite.
fn protocol(plan: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, Mode::Conformance)?;
    let node = tools.node().env("NACRE_MCP_TOOLS", mcp_tools()?);
    let node = node.env("NACRE_RMCP_CLIENT", rust_client(&tools.shell)?);
    run_node("mcp", "tests/mcp/*.test.mjs", node, plan)
}

/// The official Rust client, built as what runs the component is: quickly.
fn rust_client(shell: &Shell) -> Result<PathBuf> {
    cmd!(shell, "cargo build --quiet --package nacre-rmcp-client --profile host").run()?;
    Ok(target().join("host/nacre-rmcp-client"))
}

/// The suite, the clients, and the peer of the benchmark.
pub(crate) fn mcp_tools() -> Result<PathBuf> {
    tools::npm_environment(&root().join("tests/mcp"))
}

/// Runs the components in wasmtime, on Node and in Python.
fn hosts(plan: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    for component in component::ALL {
        component::build(&tools, component)?;
    }
    let arguments = ["--package=nacre-component-tests", "--profile=host"];
    let tests = Selection { label: "wasm", arguments: &arguments, pattern: plan.pattern };
    let mut tally = libtest::test(&tools.shell, &tests)?;

    let mut node = tools.node().env("NACRE_JCO", transpiler()?);
    match python(HOSTS)? {
        Some(python) => {
            node = node.env("NACRE_PYTHON", python.join("bin/python"));
        }
        None => {
            println!("   wasm | SKIPPED in Python: it needs python3 with venv, which is not here")
        }
    }
    tally += run_node("wasm", "tests/component/hosts/*.test.mjs", node, plan)?;
    Ok(tally)
}

/// jco, which makes JavaScript of components.
fn transpiler() -> Result<PathBuf> {
    tools::npm_environment(&root().join(HOSTS))
}

/// The bundlers that the npm package is tried with.
fn bundlers() -> Result<PathBuf> {
    tools::npm_environment(&root().join("tests/browser"))
}

/// A Python with what the tests in a folder ask for; `None` where there is no Python.
fn python(folder: &str) -> Result<Option<PathBuf>> {
    tools::python_environment(&root().join(folder).join("requirements.txt"))
}

/// Looks at the page in a real browser, on a real workerd.
fn page(plan: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    web::build(&tools)?;
    web::check(&tools)?;
    let node = tools.node().env("NACRE_CHROMIUM", chromium::chromium()?);
    run_node("page", "tests/page/*.test.mjs", node, plan)
}

/// Uses the npm package as it is packed, and runs the vectors, on Node and in Chromium.
fn browser(plan: &Plan<'_>) -> Result<Tally> {
    let tools = Tools::install()?;
    bundle::build(&tools, plan.mode)?;
    npm::build(&tools)?;
    topics::build(&tools)?;
    let node = tools
        .node()
        .env("NACRE_CHROMIUM", chromium::chromium()?)
        .env("NACRE_NPM_TOOLS", bundlers()?);
    run_node("browser", "tests/browser/*.test.mjs", node, plan)
}

fn run_node(label: &str, files: &str, node: Cmd<'_>, plan: &Plan<'_>) -> Result<Tally> {
    node::test(label, files, node, plan.pattern)
}

fn look_around(_: &Plan<'_>) -> Result<Tally> {
    fuzz::search(&[], FUZZ_SECONDS)
}

/// Holds the size of what is deployed against `tests/budgets.toml`.
fn budget(plan: &Plan<'_>) -> Result<Tally> {
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
    let mut tally = weigh("worker: compressed", size, limit);
    for component in component::ALL {
        let (raw, gzip) = component::sizes(&tools, &component::build(&tools, component)?)?;
        for (name, size, how) in [("bytes", raw, "as it is"), ("gzip_bytes", gzip, "compressed")] {
            let limit = limit_of(&budgets, component.name, name)?;
            tally += weigh(&format!("{}.wasm: {how}", component.name), size, limit);
        }
    }
    npm::build(&tools)?;
    for (name, size) in npm::sizes(&tools)? {
        let limit = limit_of(&budgets, "browser", name)?;
        tally += weigh(&format!("browser: {name}"), size, limit);
    }
    Ok(tally)
}

/// Holds one size against its limit.
fn weigh(what: &str, size: u64, limit: u64) -> Tally {
    let line = format!("{what}: {size} of {limit} bytes");
    if size <= limit {
        process::show("budget", &line)
    } else {
        process::fail("budget", &line)
    }
    Tally::one(size <= limit)
}

fn limit_of(budgets: &toml::Table, artefact: &str, name: &str) -> Result<u64> {
    budgets
        .get(artefact)
        .and_then(|of| of.get(name)?.as_integer())
        .and_then(|limit| u64::try_from(limit).ok())
        .with_context(|| format!("tests/budgets.toml has no {artefact}.{name}"))
}
