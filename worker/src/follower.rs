//! The seam of a commit: those that follow what is written see it before it is applied, and after.
//!
//! ```text
//! decide ─▶ Plan ─ before ─▶ apply, one transaction ─ after ─▶ answer
//! ```

use nacre_core::{plan::Plan, store::Reads};

/// What a follower does once the writes are durable. It cannot fail the commit.
pub(crate) type After<'f> = Box<dyn FnOnce(&dyn Reads, &Plan) + 'f>;

/// Follows the commits of one store.
pub(crate) trait Follower {
    /// Notes what it needs of the state before a plan is applied. What it returns runs after that,
    /// and is dropped if the plan cannot be applied; `None` if the plan does not concern it.
    fn before<'f>(&'f self, reads: &dyn Reads, plan: &Plan) -> Option<After<'f>>;
}
