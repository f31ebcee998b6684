//! What ten kinds of an agent's work cost it in calls and tokens, beside the reference memory server.

use serde_json::Value as Tree;

use crate::{child::Child, report::Report};

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "mcp-agent",
        "A scripted agent, without a model, at ten kinds of work through the official client \
         (`tests/mcp/agent`): its calls, and the tokens (o200k) of their arguments and answers. The peer is \
         `@modelcontextprotocol/server-memory`, which holds the same facts. Nacre's task is the default \
         context of its client. These are counts: every run gives the same.",
    );
    let node = Child::start("node", &["bench/peers/mcp-agent.mjs"]).expect("node runs");
    let jobs: Vec<Tree> = serde_json::from_str(&node.ask("")).expect("jobs");
    let mut rows = vec![["job", "nacre", "server-memory", "remark"].map(String::from)];
    let count = |of: &Tree| match of.is_null() {
        true => "–".to_owned(),
        false => format!("{} calls, {} tokens", of["calls"], of["tokens"]),
    };
    for job in &jobs {
        let remark = job["reason"].as_str().or(job["exception"].as_str()).unwrap_or_default();
        let title = job["title"].as_str().expect("a title");
        rows.push([title.into(), count(&job["nacre"]), count(&job["peer"]), remark.into()]);
    }
    report.table("Jobs", &rows);
    for job in jobs.iter().filter(|job| !job["peer"].is_null()) {
        let of = |who: &str, what: &str| job[who][what].as_f64().expect("a number");
        let title = job["title"].as_str().expect("a title");
        report.at_most(&format!("{title}: calls"), of("nacre", "calls") / of("peer", "calls"), 1.0);
        report.below(
            &format!("{title}: tokens"),
            of("nacre", "tokens") / of("peer", "tokens"),
            1.0,
        );
    }
    report.packages(&["miniflare", "workerd"]);
    report.finish();
}
