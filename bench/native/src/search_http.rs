//! Searches of the built Worker on workerd, against a Worker that asks one query of the same D1.

use nacre_core::{json, value::Value};
use serde_json::{Value as Tree, json};

use crate::{
    child::Child,
    collection::Collection,
    report::{Report, nanos, version_of},
    turns::{Contestant, Times, take_turns},
};

/// Contexts of the store. The collections have fewer documents, so they come more than once.
const CONTEXTS: usize = 10_000;
const ROUNDS: usize = 11;
const COLD_ROUNDS: usize = 5;
/// How long documents are encoded before hybrid searches are measured, in seconds. All of them take
/// several minutes more.
const ENCODING_SECONDS: u32 = 60;

/// Runs the benchmark.
pub(crate) fn run() {
    let collections: Vec<Collection> =
        ["cranfield", "gitbugs"].into_iter().filter_map(Collection::read).collect();
    if collections.is_empty() {
        return;
    }
    let mut report = Report::new(
        "search-http",
        "Searches of the built Worker on a real workerd, one after another over a kept connection, \
         without a proxy between: 10,000 contexts made of the collections, with their queries. The \
         bare Worker stands in the same workerd: it asks one query of a readable FTS5 table in the \
         same D1 database (porter stems, the words joined by OR, bm25), and answers the ids of the \
         best ten. A figure is the median of a turn of 20 searches (cold: of 3), then of all \
         rounds; turns alternate.",
    );
    let node = Child::start("node", &["bench/peers/search-http.mjs"]).expect("node runs");
    node.ask(&given(&collections).to_string());
    let race = |names: &[(&str, &'static str)], rounds: usize| -> Vec<Times> {
        let node = &node;
        let contestants = names.iter().map(|(shown, name)| {
            node.turn(name);
            Contestant::timed(*shown, move || node.turn(name))
        });
        take_turns(contestants.collect(), rounds)
    };

    node.ask("found");
    let quiet = race(&[("PATCH, nothing to encode", "patch")], ROUNDS);
    node.ask("fill");
    let first = node.turn("indexed");
    let again = node.turn("reindex");
    let busy = race(&[("PATCH, while documents are encoded", "patch")], ROUNDS);
    let encoded = node.turn(&format!("encode {ENCODING_SECONDS}"));
    let warm =
        [("bare Worker, one FTS5 query", "bare"), ("mode=text", "text"), ("mode=hybrid", "hybrid")];
    let warm = race(&warm, ROUNDS);
    report.times("All documents in memory", "p50", &warm);
    let cold = race(
        &[
            ("bare Worker, one FTS5 query", "bare"),
            ("mode=text, object dropped from memory", "cold"),
        ],
        COLD_ROUNDS,
    );
    report.times("The first search of an object", "p50", &cold);
    let writes: Vec<Times> = quiet.into_iter().chain(busy).collect();
    report.times("A write while documents are encoded", "p50", &writes);
    let seconds = |seconds: f64| nanos(seconds * 1e9);
    let rows = [
        ["what", "takes"].map(String::from),
        ["indexed after an import, counted from its answer".into(), seconds(first)],
        ["made anew: POST /v1/admin/reindex".into(), seconds(again)],
    ];
    report.table("10,000 contexts", &rows);
    report.at_most("a hybrid search", warm[2].ratio(&warm[0]), 1.5);
    report.at_most("a text search", warm[1].ratio(&warm[0]), 1.5);
    report.milliseconds_at_most("10,000 contexts made anew", again * 1e3, 60_000.0);
    let delay = writes[1].median() / writes[0].median();
    report.at_most("a write while documents are encoded", delay, 1.2);

    report.fact(format!("{encoded} of {CONTEXTS} documents encoded"));
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["miniflare", "workerd"]);
    report.crates(&["worker"]);
    report.finish();
}

/// The documents and queries, those of both collections in turns.
fn given(collections: &[Collection]) -> Tree {
    let documents: Vec<Tree> = collections
        .iter()
        .flat_map(|collection| &collection.documents)
        .map(|document| {
            let data = json::write(&Value::Object(document.data.clone()));
            serde_json::from_slice(&data).expect("JSON")
        })
        .collect();
    let documents: Vec<&Tree> = documents.iter().cycle().take(CONTEXTS).collect();
    let longest = collections.iter().map(|collection| collection.queries.len()).max().unwrap_or(0);
    let queries: Vec<&str> = (0..longest)
        .flat_map(|n| collections.iter().filter_map(move |collection| collection.queries.get(n)))
        .map(|query| query.text.as_str())
        .collect();
    json!({"documents": documents, "queries": queries})
}
