//! Tests on Node: a person reads the `spec` reporter on the terminal, and this room reads what
//! `xtask/report.mjs` writes into a file beside it, one JSON object a line.

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
    let report = folder.join(label).with_extension("jsonl");
    fs::remove_file(&report).ok(); // may well not be there
    let node = node
        .args(["--test", "--test-concurrency=2"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=./xtask/report.mjs")
        .arg(format!("--test-reporter-destination={}", report.display()))
        .args(pattern.map(|pattern| format!("--test-name-pattern={pattern}")))
        .arg(files);
    let success = process::watch(label, node, |line| process::show(label, line))?;
    let text = fs::read_to_string(&report)
        .with_context(|| format!("node left no report in {}", report.display()))?;
    let tally = tally(&text)?.with_exit(success);
    if tally == Tally::default() && pattern.is_none() {
        bail!("no test ran");
    }
    Ok(tally)
}

/// Reads a report. Its last line sums up the whole run; a report without that line broke off.
fn tally(report: &str) -> Result<Tally> {
    let last = report.lines().last().context("node's report is empty")?;
    let summary: Value = serde_json::from_str(last).context("node's report broke off")?;
    let count = |name: &str| {
        summary.get("counts").and_then(|counts| counts.get(name)?.as_u64()).with_context(|| {
            format!("node's report broke off: its last line has no count `{name}`: {last}")
        })
    };
    Ok(Tally { passed: count("passed")?, failed: count("failed")? + count("cancelled")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: &str = r#"{"counts":{"tests":6,"failed":1,"passed":3,"cancelled":1,"skipped":1}}"#;

    #[test]
    fn reads_the_sum_of_a_report() -> Result<()> {
        let report = format!("{{\"file\":\"a.mjs\",\"counts\":{{\"passed\":1}}}}\n{LAST}\n");
        assert_eq!(tally(&report)?, Tally { passed: 3, failed: 2 });
        Ok(())
    }

    #[test]
    fn a_report_that_broke_off_is_an_error() {
        for report in ["", "{\"counts\":{\"pas", "{\"file\":\"a.mjs\"}\n", "{\"counts\":{}}\n"] {
            assert!(tally(report).is_err(), "{report}");
        }
    }
}
