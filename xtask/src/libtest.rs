//! Rust tests: their executables are built, run one by one, and read as the JSON they report.
//!
//! That format is unstable: it takes `RUSTC_BOOTSTRAP=1`. Only what runs tests gets the variable,
//! the executables and rustdoc. Where cargo had it, build scripts that watch it would run again, and
//! everything behind them would be compiled a second time.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::{process, tally::Tally, workspace::root};

/// What cargo is told: which packages, in which profile.
pub(crate) struct Selection<'a> {
    /// Stands before each line that is shown.
    pub(crate) label: &'a str,
    /// Arguments of `cargo test`.
    pub(crate) arguments: &'a [&'a str],
    /// Picks tests by a part of their name.
    pub(crate) pattern: Option<&'a str>,
}

/// What makes an executable or rustdoc report JSON.
const JSON: [&str; 4] = ["-Z", "unstable-options", "--format", "json"];

/// The variable that unlocks it.
const UNLOCK: &str = "RUSTC_BOOTSTRAP";

/// Set where this program stands in for rustdoc, to the rustdoc that it calls.
const DOCTESTS: &str = "NACRE_RUSTDOC";

/// Builds and runs the tests of a selection, those in its documentation included.
pub(crate) fn test(shell: &Shell, selection: &Selection<'_>) -> Result<Tally> {
    let mut all = Tally::default();
    let built = selection.build(shell)?;
    for executable in &built {
        all += selection.run(shell, executable)?;
    }
    if built.iter().any(|executable| executable.is_documented) {
        all += selection.run_doctests(shell)?;
    }
    if all == Tally::default() && selection.pattern.is_none() {
        bail!("no test ran");
    }
    Ok(all)
}

/// A test executable.
#[derive(Debug, PartialEq, Eq)]
struct Executable {
    path: PathBuf,
    /// The folder of its package, where it expects to be run.
    package: PathBuf,
    /// The file that it was compiled from.
    source: PathBuf,
    /// Whether rustdoc looks for examples in the same code.
    is_documented: bool,
}

impl Selection<'_> {
    fn build(&self, shell: &Shell) -> Result<Vec<Executable>> {
        let arguments = self.arguments;
        let cargo = cmd!(shell, "cargo test --no-run --message-format=json-render-diagnostics")
            .args(arguments);
        let mut built = Vec::new();
        let read = |line: &str| built.extend(Executable::of_message(line));
        if !process::watch(self.label, cargo, read)?.success() {
            bail!("the tests do not compile");
        }
        Ok(built)
    }

    fn run(&self, shell: &Shell, executable: &Executable) -> Result<Tally> {
        let Executable { path, package, source, .. } = executable;
        let _inside = shell.push_dir(package);
        let command = cmd!(shell, "{path}")
            .args(JSON)
            .args(self.pattern)
            .env(UNLOCK, "1")
            .env("CARGO_MANIFEST_DIR", package);
        let source = source.strip_prefix(root()).unwrap_or(source);
        self.read(&source.display().to_string(), command)
    }

    fn run_doctests(&self, shell: &Shell) -> Result<Tally> {
        let (arguments, this) = (self.arguments, env::current_exe()?);
        let rustdoc = env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into());
        let command = cmd!(shell, "cargo test --doc --quiet --no-fail-fast {arguments...} --")
            .args(JSON)
            .args(self.pattern)
            .env("RUSTDOC", this)
            .env(DOCTESTS, rustdoc);
        self.read("examples in documentation", command)
    }

    /// Runs what reports JSON, and shows how it went.
    fn read(&self, what: &str, command: xshell::Cmd<'_>) -> Result<Tally> {
        let started = Instant::now();
        let mut report = Report::default();
        let status = process::watch(self.label, command, |line| {
            for shown in report.read(line) {
                process::show(self.label, &shown);
            }
        })?;
        for name in &report.failed {
            process::note_failure(self.label, &format!("{what}: {name}"));
        }
        let (tally, faults) = report.finish(status.success());
        for fault in faults {
            process::fail(self.label, &format!("{what}: {fault} ({status})"));
        }
        let Tally { passed, failed } = tally;
        if tally != Tally::default() {
            let seconds = started.elapsed().as_secs_f64();
            let line = format!("{what}: {passed} passed, {failed} failed in {seconds:.1} s");
            process::show(self.label, &line);
        }
        Ok(tally)
    }
}

impl Executable {
    /// Reads one message of cargo; most are about something else.
    fn of_message(line: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message.get("profile")?.get("test")?.as_bool()?;
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        is_test.then_some(())?;
        let target = message.get("target")?;
        Some(Self {
            path: path(message.get("executable")?)?,
            package: path(message.get("manifest_path")?)?.parent().map(Path::to_path_buf)?,
            source: path(target.get("src_path")?)?,
            is_documented: target.get("doctest")?.as_bool()?,
        })
    }
}

/// What was reported so far: one suite after another, each with a beginning and an end.
#[derive(Default)]
struct Report {
    tally: Tally,
    suites: u64,
    /// How many tests the suite at hand has, until it ends.
    open: Option<u64>,
    running: BTreeSet<String>,
    failed: Vec<String>,
    faults: Vec<String>,
}

impl Report {
    /// Reads a line and returns what a person should see of it. Programs that a test starts write
    /// to the same stream, and not always whole lines.
    fn read(&mut self, line: &str) -> Vec<String> {
        let event = line.find("{ \"type\": ").and_then(|at| line.split_at_checked(at));
        let Some((before, event)) = event else { return vec![line.to_owned()] };
        let Ok(event) = serde_json::from_str::<Value>(event) else { return vec![line.to_owned()] };
        let mut shown = Vec::new();
        if !before.is_empty() {
            shown.push(before.to_owned());
        }
        self.take(&event, &mut shown);
        shown
    }

    fn take(&mut self, event: &Value, shown: &mut Vec<String>) {
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let count = |name: &str| event.get(name).and_then(Value::as_u64).unwrap_or_default();
        let name = text("name");
        match (text("type"), text("event")) {
            ("suite", "started") => {
                self.suites += 1;
                self.open = Some(count("test_count"));
            }
            ("suite", _) => {
                let ended = Tally { passed: count("passed"), failed: count("failed") };
                let all = ended.passed + ended.failed + count("ignored") + count("measured");
                if self.open.take() != Some(all) {
                    self.faults.push(format!("a suite ended with {all} tests, not as it began"));
                }
                self.tally += ended;
            }
            ("test", "started") => {
                self.running.insert(name.to_owned());
            }
            ("test", "timeout") => shown.push(format!("{name} has been running for a minute")),
            ("test", "failed") => {
                self.running.remove(name);
                self.failed.push(name.to_owned());
                shown.push(format!("{name} FAILED"));
                shown.extend(
                    ["message", "stdout"]
                        .into_iter()
                        .map(text)
                        .flat_map(str::lines)
                        .map(|line| format!("    {line}")),
                );
            }
            ("test", _) => {
                self.running.remove(name);
            }
            _ => {}
        }
    }

    /// The sum, and what is wrong with the report itself, each fault counted as a failure.
    fn finish(mut self, success: bool) -> (Tally, Vec<String>) {
        if self.open.is_some() {
            let running: Vec<String> = self.running.into_iter().collect();
            self.faults.push(format!("broke off while running {}", running.join(", ")));
        } else if self.suites == 0 {
            self.faults.push("reported no tests".to_owned());
        }
        self.tally.failed += self.faults.len() as u64;
        (self.tally.with_exit(success), self.faults)
    }
}

/// This program in place of rustdoc, which cargo calls for tests in documentation: rustdoc then
/// has the variable that unlocks its report, and cargo does not.
pub(crate) struct Doctests {
    rustdoc: OsString,
}

impl Doctests {
    /// Whether cargo calls this program for rustdoc.
    pub(crate) fn requested() -> Option<Self> {
        Some(Self { rustdoc: env::var_os(DOCTESTS)? })
    }

    /// Calls rustdoc with the same arguments.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let status = Command::new(&self.rustdoc)
            .args(env::args_os().skip(1))
            .env(UNLOCK, "1")
            .env_remove(DOCTESTS)
            .status()
            .with_context(|| format!("starting {}", self.rustdoc.display()))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], success: bool) -> (Tally, Vec<String>, Vec<String>) {
        let mut report = Report::default();
        let shown = lines.iter().flat_map(|line| report.read(line)).collect();
        let (tally, faults) = report.finish(success);
        (tally, faults, shown)
    }

    const STARTED: &str = r#"{ "type": "suite", "event": "started", "test_count": 3 }"#;
    const ENDED: &str = r#"{ "type": "suite", "event": "ok", "passed": 2, "failed": 0, "ignored": 1, "measured": 0, "filtered_out": 9, "exec_time": 0.1 }"#;

    #[test]
    fn sums_the_suites() {
        let (tally, faults, shown) = read(&[STARTED, ENDED, STARTED, ENDED], true);
        assert_eq!(tally, Tally { passed: 4, failed: 0 });
        assert!(faults.is_empty() && shown.is_empty(), "{faults:?} {shown:?}");
    }

    #[test]
    fn shows_failures_and_what_tests_print() {
        let lines = [
            STARTED,
            "a line",
            r#"no line end{ "type": "test", "event": "started", "name": "a" }"#,
            r#"{ "type": "test", "name": "a", "event": "failed", "stdout": "left\nright\n" }"#,
            r#"{ "type": "suite", "event": "failed", "passed": 2, "failed": 1, "ignored": 0, "measured": 0 }"#,
        ];
        let (tally, faults, shown) = read(&lines, false);
        assert_eq!(tally, Tally { passed: 2, failed: 1 });
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(shown, ["a line", "no line end", "a FAILED", "    left", "    right"]);
    }

    #[test]
    fn a_report_that_breaks_off_fails_and_names_the_test() {
        let begun = r#"{ "type": "test", "event": "started", "name": "deep" }"#;
        let (tally, faults, _) = read(&[STARTED, ENDED, STARTED, begun], false);
        assert_eq!(tally, Tally { passed: 2, failed: 1 });
        assert_eq!(faults, ["broke off while running deep"]);
        // Whatever the exit status says.
        assert_eq!(read(&[STARTED, begun], true).0.failed, 1);
        assert_eq!(read(&[], true).0.failed, 1);
        assert_eq!(read(&["running 3 tests"], true).0.failed, 1);
    }

    #[test]
    fn a_suite_that_loses_tests_fails() {
        let more = STARTED.replace('3', "4");
        assert_eq!(read(&[&more, ENDED], true).0, Tally { passed: 2, failed: 1 });
    }

    #[test]
    fn finds_test_executables_among_the_messages() {
        let message = r#"{"reason":"compiler-artifact","manifest_path":"/c/core/Cargo.toml","target":{"src_path":"/c/core/src/lib.rs","doctest":true},"profile":{"test":true},"executable":"/c/target/debug/deps/core-1"}"#;
        let found = Executable::of_message(message);
        let expected = Executable {
            path: "/c/target/debug/deps/core-1".into(),
            package: "/c/core".into(),
            source: "/c/core/src/lib.rs".into(),
            is_documented: true,
        };
        assert_eq!(found, Some(expected));
        let library = message.replace("{\"test\":true}", "{\"test\":false}");
        assert_eq!(Executable::of_message(&library), None);
        assert_eq!(Executable::of_message(r#"{"reason":"build-finished"}"#), None);
    }
}
