//! Search in wasm under Node, beside what npm has.

use nacre_core::json;
use serde_json::json;

use crate::{
    child::Child,
    collection::Collection,
    report::{Report, version_of},
    turns::{Contestant, take_turns},
};

/// Peers take a fifth of a second for one query.
const ROUNDS: usize = 7;
const DOCUMENTS: usize = 10_000;
const QUERIES: usize = 20;
/// Where `cargo xtask bench` puts the module.
const MODULE: &str = "../../dist/bench/wasm/nacre_bench_wasm.js";

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "search-wasm",
        "10,000 contexts are indexed in wasm under Node, optimised as the Worker is, and in other \
         engines as they come. Twenty queries of a collection are searched, and the best ten \
         answers taken. Full text only.",
    );
    let read = ["cranfield", "gitbugs"].into_iter().filter_map(Collection::read);
    let collections: Vec<Collection> = read.collect();
    if collections.is_empty() {
        return;
    }
    let documents = collections.iter().flat_map(|collection| &collection.documents);
    let texts: Vec<String> = documents
        .cycle()
        .take(DOCUMENTS)
        .map(|document| {
            let text = json::write(&document.data.clone().into());
            String::from_utf8(text).expect("JSON is text")
        })
        .collect();
    for collection in &collections {
        let step = collection.queries.len() / QUERIES;
        let queries = collection.queries.iter().step_by(step).take(QUERIES);
        let queries: Vec<&str> = queries.map(|query| query.text.as_str()).collect();
        let node = Child::start("node", &["bench/peers/search.mjs", MODULE]).expect("node runs");
        assert_eq!(node.ask(&json!({"documents": texts, "queries": queries}).to_string()), "ready");
        let contestants = ["wasm", "minisearch", "orama"].map(|name| {
            let node = &node;
            Contestant::timed(name, move || node.turn(name))
        });
        let times = take_turns(contestants.into(), ROUNDS);
        report.times(collection.name, "a query", &times);
        for (peer, must) in [(1, 3.0), (2, 5.0)] {
            let what = format!("{}: {}'s time of wasm's", collection.name, times[peer].name);
            report.at_least(&what, times[peer].ratio(&times[0]), must);
        }
    }
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["minisearch", "@orama/orama"]);
    report.finish();
}
