//! `docs/limits.md` holds the table of quotas as the code has it.
//!
//! A change of the table fails here until the page is written with
//! `NACRE_UPDATE=1 cargo test -p nacre-tests --test quota`.

use std::{fs, path::Path};

use nacre_core::quota::{Quota, line};

const HEAD: &str = "\
# Limits and quotas

## Limits of one request

Past one of these the answer is 413 with the `limit`, and nothing has changed.

| what | limit |
|---|---|
| data of one context | 1 MiB of canonical JSON, 100,000 values, 64 levels |
| body with data, batch, block of an import | 4 MiB, 500 operations or lines, 524,288 values |
| answer of a batch of reads | 4 MiB; its reads go through at most 64 MiB |
| page of a list, a history, entries, the audit trail | 200 items; it ends early at 4 MiB, a history also after 16 MiB of data |
| preview | 4 MiB of values, 2 MiB of names, 256 MiB of views gone through |
| explanation | 8 MiB; a part of a view is explained by itself with `path` |
| revealed values of one context | 4 MiB |
| layers named in a difference of views | 4 MiB |
| commit | 32 MiB of memory (layers with their indexes, patches both ways), 128 MiB of data made, counted at each change |

A layer takes its text and 32 bytes for each value in memory. So a commit holds about three contexts
that are at their limits, and thousands of usual ones.

## Quotas

The object of a store counts what each user uses. `GET /v1/usage` shows use and limits. The setting
`NACRE_QUOTAS` changes limits: `contexts=500,guest.sockets=4`.

- A **rate** past its limit is 429 `rate-limited` with `Retry-After`. While less than half of the burst
  is left, answers carry `RateLimit` and `RateLimit-Policy`
  (draft-ietf-httpapi-ratelimit-headers). Rates are counted in memory: after the object has slept,
  the whole burst is there again.
- A **stock** past its limit is 403 `quota-exceeded` with the `limit`. What makes a stock smaller is
  always allowed. A write with an idempotency key is refused when the user's stored answers are full,
  and the same write without a key is not: an answer that was promised for a day is never dropped.
- Contexts, stored bytes and members count the whole store, whoever writes. The other quotas count
  each user, and guests have their own.

| name | what | owner | each guest |
|---|---|---|---|
";

#[test]
fn the_page_says_what_the_table_says() {
    let mut page = String::from(HEAD);
    for quota in Quota::ALL {
        page.push_str(&line(*quota));
        page.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    if std::env::var_os("NACRE_UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, page).unwrap();
        return;
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/limits.md is stale; NACRE_UPDATE=1 writes it");
}
