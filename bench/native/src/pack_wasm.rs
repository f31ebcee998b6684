//! A context pack of a long view, in wasm under Node.

use serde_json::json;

use crate::{
    child::Child,
    http::views,
    report::{Report, version_of},
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 31;
const TOKENS: usize = 2_000;
/// Where `cargo xtask bench` puts the module.
const MODULE: &str = "../../dist/bench/wasm/nacre_bench_wasm.js";

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "pack-wasm",
        "The core packs the view of a task into 2,000 tokens of Markdown, in wasm under Node, optimised \
         as the Worker is. A figure is the median of turns of 50 packs, handed over to JavaScript.",
    );
    for (name, contexts) in views() {
        let task = contexts.last().and_then(|task| task["id"].as_str()).expect("a task").to_owned();
        let node = Child::start("node", &["bench/peers/pack.mjs", MODULE]).expect("node runs");
        let given = json!({"contexts": contexts, "task": task, "tokens": TOKENS});
        let bytes = node.ask(&given.to_string());
        node.turn("turn");
        let contestant = Contestant::timed("a pack", || node.turn("turn"));
        let times = take_turns(vec![contestant], ROUNDS);
        report.times(&format!("{name}: a pack of {bytes} bytes"), "p50", &times);
        if name == "large-global" {
            let reached = times[0].median() / 1e6;
            report.milliseconds_at_most("a pack from a view of 222 KB", reached, 2.0);
        }
    }
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.finish();
}
