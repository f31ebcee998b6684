//! Counting tests that passed and that failed.

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

    /// The same, with a failure added when the runner failed without naming one: a crash, a
    /// compile error.
    pub(crate) fn with_exit(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }

    /// Whether something was tested and nothing failed.
    pub(crate) fn is_success(self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn a_runner_that_breaks_off_counts_as_a_failure() {
        assert_eq!(Tally::default().with_exit(false), Tally { passed: 0, failed: 1 });
        assert_eq!(Tally { passed: 1, failed: 2 }.with_exit(false), Tally { passed: 1, failed: 2 });
        assert_eq!(Tally { passed: 1, failed: 0 }.with_exit(true), Tally { passed: 1, failed: 0 });
    }

    #[test]
    fn a_run_that_tests_nothing_does_not_succeed() {
        assert!(Tally { passed: 1, failed: 0 }.is_success());
        assert!(!Tally { passed: 1, failed: 1 }.is_success());
        assert!(!Tally::default().is_success());
    }
}
