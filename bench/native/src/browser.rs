//! Replicas in headless Chromium: views against what npm offers, a cold open, and a queue that is
//! sent.

use serde_json::{Map, Value as Tree};

use crate::{
    chains::{contexts, govuk},
    child::Child,
    made_up,
    report::{Report, nanos, version_of},
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 15;
/// How often a copy is fetched over the slow line.
const FIRSTS: usize = 5;
/// How often 1,000 writes are queued and sent.
const QUEUES: usize = 3;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "browser",
        "The npm package as it is packed, in headless Chromium, beside a real workerd. *Views*: a \
         page holds a set of contexts as a replica and resolves each context's view, which is not \
         cached, to bytes (a `Uint8Array`) or to text; in the same page deepmerge merges the parsed \
         layers and `JSON.stringify` prints (it knows no tombstones). A turn lasts 50 ms at least. \
         *Open*: a new tab imports the package, opens 1,000 contexts from IndexedDB and resolves \
         one. *First open*: a new profile does the same with nothing on the device, over a line of \
         1.6 Mbit/s with 150 ms of latency and on a processor slowed down to a fourth, as on a slow \
         phone. *Queue*: 1,000 appends are queued offline and then sent; what the server holds is \
         compared, each once and in order.",
    );
    let mut sets = vec![("large-global", made_up::rows())];
    sets.extend(govuk().map(|rows| ("govuk", rows)));
    let given: Map<String, Tree> =
        sets.iter().map(|(name, rows)| (String::from(*name), contexts(rows).into())).collect();
    let node = Child::start("node", &["bench/peers/browser.mjs"]).expect("node runs");
    assert_eq!(node.ask(&Tree::Object(given).to_string()), "ready");
    for (set, _) in &sets {
        let contestants = [
            ("deepmerge + JSON.stringify", "deepmerge"),
            ("replica, as text", "text"),
            ("replica, as bytes", "bytes"),
        ]
        .map(|(shown, name)| {
            let (node, question) = (&node, format!("{set} {name}"));
            node.turn(&question);
            Contestant::timed(shown, move || node.turn(&question))
        });
        let times = take_turns(contestants.into(), ROUNDS);
        report.times(set, "a view", &times);
        if *set == "large-global" {
            let faster = times[0].ratio(&times[1]);
            report.at_least("large-global: faster than deepmerge, as text", faster, 5.0);
        }
    }
    let open = take_turns(vec![Contestant::timed("open", || node.turn("open"))], ROUNDS);
    report.times("1,000 contexts from IndexedDB", "to the first view", &open);
    report.at_most("cold open, in 150 ms", open[0].median() / 150e6, 1.0);

    if sets.iter().any(|(set, _)| *set == "govuk") {
        let contestant = Contestant::timed("first open", || node.turn("first govuk"));
        let first = take_turns(vec![contestant], FIRSTS);
        report.times("239 contexts over a slow line", "to the first view", &first);
        report.at_most("first open, in 3 s", first[0].median() / 3e9, 1.0);
    }

    let mut rows = vec![["queued in", "sent in", "requests"].map(String::from)];
    let mut most = 0.0_f64;
    for _ in 0..QUEUES {
        let said: Tree = serde_json::from_str(&node.ask("queue")).expect("JSON");
        let number = |name: &str| said[name].as_f64().expect("a number");
        let requests = number("requests");
        most = most.max(requests);
        rows.push([nanos(number("queued")), nanos(number("sent")), requests.to_string()]);
    }
    report.table("1,000 writes", &rows);
    report.at_most("requests for 1,000 writes, in 10", most / 10.0, 1.0);
    report.fact(node.ask("version"));
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["deepmerge", "miniflare", "workerd"]);
    report.finish();
}
