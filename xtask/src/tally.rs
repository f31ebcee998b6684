//! Counting what test runners say they ran.

use std::ops::AddAssign;

/// Tests that passed and that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    /// One check that either holds or does not.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// What `cargo test` reports: a line for each test binary.
    pub(crate) fn of_cargo<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for line in lines {
            let Some(result) = line.strip_prefix("test result: ") else { continue };
            all.passed += number_before(result, " passed");
            all.failed += number_before(result, " failed");
        }
        all
    }

    /// What `node --test` reports at its end in the TAP format.
    pub(crate) fn of_node<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for line in lines {
            let Some((name, count)) = line.strip_prefix("ℹ ").and_then(|l| l.split_once(' '))
            else {
                continue;
            };
            let count: u64 = count.parse().unwrap_or(0);
            match name {
                "pass" => all.passed += count,
                "fail" | "cancelled" => all.failed += count,
                _ => {}
            }
        }
        all
    }

    /// The same, with a failure added when the runner failed without naming one: a crash, a
    /// compile error.
    pub(crate) fn with_exit(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    text.split_once(word)
        .and_then(|(before, _)| before.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn sums_what_cargo_reports() {
        let lines = [
            "running 2 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ];
        assert_eq!(Tally::of_cargo(lines), Tally { passed: 15, failed: 2 });
    }

    #[test]
    fn sums_what_node_reports() {
        let lines = [
            "✔ answers (3ms)",
            "ℹ tests 6",
            "ℹ pass 3",
            "ℹ fail 1",
            "ℹ cancelled 1",
            "ℹ skipped 1",
        ];
        assert_eq!(Tally::of_node(lines), Tally { passed: 3, failed: 2 });
    }

    #[test]
    fn a_runner_that_breaks_off_counts_as_a_failure() {
        assert_eq!(Tally::default().with_exit(false), Tally { passed: 0, failed: 1 });
        assert_eq!(Tally { passed: 1, failed: 2 }.with_exit(false), Tally { passed: 1, failed: 2 });
        assert_eq!(Tally { passed: 1, failed: 0 }.with_exit(true), Tally { passed: 1, failed: 0 });
    }
}
