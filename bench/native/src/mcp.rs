//! Calls of tools over MCP: against the same questions over HTTP, and against the reference memory server.

use serde_json::{Value as Tree, json};
use tiktoken_rs::o200k_base;

use crate::{
    child::Child,
    http::views,
    report::{Report, version_of},
    turns::{Contestant, Times, take_turns},
};

const ROUNDS: usize = 15;
const PEER_ROUNDS: usize = 7;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "mcp",
        "Calls of tools on a real workerd. `resolve_context` stands beside GET …/resolved of the same \
         view: single requests over a kept connection; over MCP an answer has 2,000 tokens at most. \
         The peer is `@modelcontextprotocol/server-memory` as its users run it: each client starts \
         a process of its own, and all share one file. There both are called by the official clients; \
         a client adds a note to one task (`add_progress`, `add_observations`) or reads it \
         (`resolve_context`, `open_nodes`). A figure is the median of a turn of 50 calls, with 32 \
         clients of 5 calls each at once, then of all rounds; turns alternate.",
    );
    let views = views();
    let given = views.iter().map(|(name, contexts)| json!({"name": name, "contexts": contexts}));
    let given = json!({"views": given.collect::<Vec<_>>()});
    let node = Child::start("node", &["bench/peers/mcp.mjs"]).expect("node runs");
    let sizes: Tree = serde_json::from_str(&node.ask(&given.to_string())).expect("sizes");
    let race = |names: &[(&str, String)], rounds: usize| -> Vec<Times> {
        let contestants = names.iter().map(|(shown, name)| {
            let node = &node;
            node.turn(name);
            Contestant::timed(*shown, move || node.turn(name))
        });
        take_turns(contestants.collect(), rounds)
    };

    for (name, _) in &views {
        let names = [
            ("GET …/resolved", format!("http {name}")),
            ("resolve_context", format!("mcp {name}")),
        ];
        let times = race(&names, ROUNDS);
        report.times(&format!("{name}: a view of {} bytes", sizes[*name]), "p50", &times);
        report.at_most(&format!("resolve_context, {name}"), times[1].ratio(&times[0]), 1.3);
    }
    for (what, clients) in [("write", 1), ("read", 1), ("write", 32), ("read", 32)] {
        let names = [
            ("nacre", format!("{what} nacre{clients}")),
            ("server-memory", format!("{what} memory{clients}")),
        ];
        let times = race(&names, PEER_ROUNDS);
        report.times(&format!("{what}, {clients} at once"), "p50", &times);
        let faster = if clients == 1 { 1.0 } else { 10.0 };
        report.at_least(&format!("{what}, {clients} at once"), times[1].ratio(&times[0]), faster);
    }
    let lost: Tree = serde_json::from_str(&node.ask("lost")).expect("counts");
    let row = |name: &str, store: &str| {
        let of = |what: &str| lost[store][what].to_string();
        [name.to_owned(), of("written"), of("lost")]
    };
    let head = ["who", "notes written by 32 at once", "lost"].map(String::from);
    report.table("Lost", &[head, row("nacre", "nacre32"), row("server-memory", "memory32")]);

    let answers: Tree = serde_json::from_str(&node.ask("answers")).expect("texts");
    let tokenizer = o200k_base().expect("a tokenizer");
    let tokens = |name: &str| {
        let text = answers[name].as_str().expect("a text");
        tokenizer.encode_ordinary(text).len()
    };
    let (own, peer) = (tokens("nacre"), tokens("memory"));
    let rows = [
        ["what", "tokens"].map(String::from),
        ["nacre, get_context_pack".into(), own.to_string()],
        ["server-memory, open_nodes".into(), peer.to_string()],
    ];
    report.table("An answer over 1,000 notes, tokens of o200k", &rows);
    report.at_most("tokens over 1,000 notes", own as f64 / peer as f64, 0.1);
    let missing = lost["nacre32"]["lost"].as_u64().expect("a number");
    report.count_at_most("notes of 32 at once that are lost", missing, 0);
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["miniflare", "workerd"]);
    report.crates(&["worker"]);
    report.finish();
}
