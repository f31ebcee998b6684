//! Tests on Node: a person reads the `spec` reporter on the terminal, and this room reads what
//! `xtask/report.mjs` writes into a file beside it.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use xshell::Cmd;

use crate::{process, tally::Tally, workspace::target};

/// Runs the test files that match a glob, or the tests in them whose names match a pattern.
pub(crate) fn test(
    label: &str,
    files: &str,
    node: Cmd<'_>,
    pattern: Option<&str>,
) -> Result<Tally> {
    let folder = target().join("reports");
    fs::create_dir_all(&folder)?;
    let report = folder.join(label).with_extension("json");
    fs::remove_file(&report).ok(); // may well not be there
    let node = node
        .args(["--test", "--test-concurrency=2"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=./xtask/report.mjs")
        .arg(format!("--test-reporter-destination={}", report.display()))
        .args(pattern.map(|pattern| format!("--test-name-pattern={pattern}")))
        // A file of which no test was picked never closes its browser. A run of everything must not
        // force its files to end: one that has many short tests may end before its results are out.
        .args(pattern.map(|_| "--test-force-exit"))
        .arg(files);
    let status = process::watch(label, node, |line| process::show(label, line))?;
    let text = fs::read_to_string(&report)
        .with_context(|| format!("node left no report in {}", report.display()))?;
    let Report { mut tally, failures, empty } = Report::read(&text)?;
    for failure in failures {
        process::note_failure(label, &failure);
    }
    // A pattern leaves files without a test; nothing else may.
    for file in empty.iter().filter(|_| pattern.is_none()) {
        process::fail(label, &format!("{file} has no test"));
        tally += Tally::one(false);
    }
    if tally == Tally::default() && pattern.is_none() {
        bail!("no test ran");
    }
    Ok(tally.with_exit(status.success()))
}

/// What Node says of a whole run.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    tally: Tally,
    /// The tests that failed, each with what it said.
    failures: Vec<String>,
    /// Files that ran no test.
    empty: Vec<String>,
}

impl Report {
    /// Reads the one line that is written when the run is over: without it, the run broke off.
    fn read(text: &str) -> Result<Self> {
        let report: Value = serde_json::from_str(text).context("node's report broke off")?;
        let count = |name: &str| {
            let count = report.get(name).and_then(Value::as_u64);
            count.with_context(|| format!("node's report has no count `{name}`: {text}"))
        };
        let tally =
            Tally { passed: count("passed")?, failed: count("failed")? + count("cancelled")? };
        let texts = |name: &str| {
            let texts = report.get(name).and_then(Value::as_array).into_iter().flatten();
            texts.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Ok(Self { tally, failures: texts("failures"), empty: texts("empty") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_report_of_a_run() -> Result<()> {
        let text = "{\"passed\":3,\"failed\":1,\"cancelled\":1,\"failures\":[\"one: no\"],\"empty\":[\"a.test.mjs\"]}\n";
        let expected = Report {
            tally: Tally { passed: 3, failed: 2 },
            failures: vec!["one: no".to_owned()],
            empty: vec!["a.test.mjs".to_owned()],
        };
        assert_eq!(Report::read(text)?, expected);
        Ok(())
    }

    #[test]
    fn a_report_that_broke_off_is_an_error() {
        for text in ["", "{\"pas", "{}\n", "{\"passed\":1,\"failed\":0}\n"] {
            assert!(Report::read(text).is_err(), "{text}");
        }
    }
}
