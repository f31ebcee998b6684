//! `cargo xtask fuzz`: looks for bytes that break the laws of `tests/fuzz`.
//!
//! libFuzzer with AddressSanitizer, on the pinned stable compiler: `RUSTC_BOOTSTRAP` unlocks the
//! two flags that need it, for this build alone. What the fuzzer learns is kept in `target/fuzz`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, anyhow, bail};
use xshell::cmd;

use crate::{
    process,
    tally::Tally,
    workspace::{shell, target},
};

/// As `cargo fuzz` sets them: count every edge, and learn from comparisons.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

const SANITIZER: &str = "-Zsanitizer=address";

/// How many targets run at the same time.
const AT_ONCE: usize = 2;

/// A target as `tests/fuzz` names it.
struct Target {
    name: String,
    longest: String,
    is_text: bool,
}

/// What is asked of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Fuzz targets to run, by the names in tests/fuzz [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

/// `cargo xtask fuzz`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let tally = search(&arguments.targets, arguments.seconds)?;
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the named targets, or all, for as many seconds each.
pub(crate) fn search(wanted: &[String], seconds: u32) -> Result<Tally> {
    let home = target().join("fuzz-work");
    let known = seeds(&home)?;
    if let Some(unknown) = wanted.iter().find(|name| known.iter().all(|t| t.name != **name)) {
        let names: Vec<&str> = known.iter().map(|target| target.name.as_str()).collect();
        bail!("no target {unknown:?}; there are {}", names.join(", "));
    }
    let Some(fuzzer) = build() else { return Ok(Tally::default()) };
    let chosen = known.into_iter().filter(|t| wanted.is_empty() || wanted.contains(&t.name));
    let waiting = Mutex::new(chosen);
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let lane = || {
        let mut tally = Tally::default();
        while let Some(target) = next() {
            let kept = target.run(&fuzzer, &home, seconds).unwrap_or_else(|error| {
                process::fail("fuzz", &format!("{}: {error:#}", target.name));
                false
            });
            tally += Tally::one(kept);
        }
        tally
    };
    let mut all = Tally::default();
    thread::scope(|scope| {
        let lanes = [(); AT_ONCE].map(|()| scope.spawn(lane));
        for lane in lanes {
            all += lane.join().unwrap_or(Tally::one(false));
        }
    });
    Ok(all)
}

impl Target {
    /// Whether the law was kept.
    fn run(&self, fuzzer: &Path, home: &Path, seconds: u32) -> Result<bool> {
        let corpus = home.join("corpus").join(&self.name);
        let crashes = home.join("crashes").join(&self.name);
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&crashes)?;
        let shell = shell()?;
        let mut command = cmd!(shell, "{fuzzer}")
            .env("NACRE_FUZZ", &self.name)
            .env("RUST_BACKTRACE", "1")
            .args(["-timeout=20", "-rss_limit_mb=2048", "-verbosity=0", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={}", self.longest))
            .arg(format!("-artifact_prefix={}/", crashes.display()));
        if self.is_text {
            command = command.arg(format!("-dict={}", home.join("seeds/dictionary").display()));
        }
        command = command.arg(&corpus).arg(home.join("seeds").join(&self.name));
        let finished = command.ignore_status().output()?;
        let said = [finished.stdout, finished.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        if finished.status.success() {
            let tried =
                said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
            println!("   fuzz | {}: {} inputs", self.name, tried.unwrap_or("?").trim());
        } else {
            for line in said.lines() {
                println!("   fuzz | {}: {line}", self.name);
            }
            println!(
                "   fuzz | {} FAILED: fix it, and keep the input as tests/fuzz/crashers/{}/<what it was>",
                self.name, self.name
            );
        }
        Ok(finished.status.success())
    }
}

/// Writes the seeds; what comes back are the targets.
fn seeds(home: &Path) -> Result<Vec<Target>> {
    let (shell, folder) = (shell()?, home.join("seeds"));
    let listed = cmd!(shell, "cargo run --quiet -p nacre-fuzz --bin seeds {folder}").read()?;
    let target = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let (name, longest, kind) = (words.next()?, words.next()?, words.next()?);
        Some(Target { name, longest, is_text: kind == "text" })
    };
    listed.lines().map(target).collect::<Option<_>>().context("reading the list of targets")
}

/// The fuzzer, or nothing where it cannot be built: libFuzzer is C++, and the sanitizer is not
/// there for every platform.
fn build() -> Option<PathBuf> {
    for flags in [format!("{SANITIZER} {COVERAGE}"), COVERAGE.to_owned()] {
        match build_with(&flags) {
            Ok(fuzzer) => return Some(fuzzer),
            Err(error) => println!("   fuzz | not built with {flags:.20}…: {error:#}"),
        }
    }
    println!("   fuzz | SKIPPED, nothing was fuzzed: it takes a C++ compiler, and Linux or macOS");
    None
}

fn build_with(flags: &str) -> Result<PathBuf> {
    let shell = shell()?;
    let version = cmd!(shell, "rustc -vV").read()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or_else(|| anyhow!("rustc does not say what it runs on"))?;
    let cargo = cmd!(shell, "cargo build --quiet --package nacre-fuzz --bin fuzz")
        // Named, so that build scripts and macros are built without the flags.
        .args(["--features", "libfuzzer", "--profile", "fuzz", "--target", host])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", flags);
    process::run("fuzz", cargo)?;
    Ok(target().join(host).join("fuzz/fuzz"))
}
