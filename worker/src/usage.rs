//! What a caller uses of a store beside what it may use, as an answer.

use std::collections::BTreeMap;

use nacre_core::{
    op::Caller,
    quota::{Quota, Quotas, Standing, Used},
    wire::reply::{QuotaText, RequestsText, UsageText},
};

/// What a caller uses.
#[derive(Debug)]
pub struct Stocks<'s> {
    /// What the store holds.
    pub used: &'s Used,
    /// Open sockets of the caller.
    pub sockets: u64,
    /// Subscriptions of the caller.
    pub subscriptions: u64,
}

/// The answer. The stocks of the whole store are the owner's, and guests do not see them.
pub fn usage(
    quotas: &Quotas,
    caller: &Caller,
    stocks: &Stocks<'_>,
    [requests, searches]: [&Standing; 2],
) -> UsageText<'static> {
    let is_owner = caller.user == caller.owner;
    let used = stocks.used;
    let stock = |quota: Quota| match quota {
        Quota::Requests | Quota::Burst | Quota::Searches => None,
        Quota::Contexts => is_owner.then_some(used.contexts),
        Quota::StoredBytes => is_owner.then_some(used.stored_bytes),
        Quota::Members => is_owner.then_some(used.members),
        Quota::Sockets => Some(stocks.sockets),
        Quota::Subscriptions => Some(stocks.subscriptions),
        Quota::IdempotencyBytes => Some(used.of_answers(&caller.user)),
    };
    let line = |quota: &Quota| {
        let (limit, used) = (quotas.limit(*quota, is_owner), stock(*quota)?);
        Some((quota.as_str(), QuotaText { limit, used }))
    };
    let quotas: BTreeMap<_, _> = Quota::ALL.iter().filter_map(line).collect();
    let rate = |standing: &Standing| {
        let Standing { burst, per_second, left, .. } = *standing;
        RequestsText { burst, left, per_second }
    };
    UsageText { quotas, requests: rate(requests), searches: rate(searches) }
}
