//! Requests to the built Worker on workerd, against as little as a Worker can do.

use serde_json::{Value as Tree, json};

use crate::{
    chains::{Row, govuk},
    child::Child,
    made_up,
    report::{Report, version_of},
    turns::{Contestant, Times, take_turns},
};

const ROUNDS: usize = 31;
const BATCH_ROUNDS: usize = 11;
/// Contexts in a batch.
const BATCH: usize = 100;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "http",
        "Requests to the built Worker on a real workerd, one after another over a kept connection, \
         without a proxy between. The bare Worker stands in the same workerd: a Durable Object in \
         Rust that looks at no token and returns as many constant bytes, nothing, or inserts two \
         rows and answers. A figure is the median of a turn of 100 requests, then of all rounds; \
         turns alternate, everything is warm.",
    );
    let views = views();
    let edited = vec![row("global", "global", None, &made_up::document(4096))];
    let given = json!({
        "views": views.iter().map(|(name, contexts)| json!({"name": name, "contexts": contexts})).collect::<Vec<_>>(),
        "edited": edited,
        "batch": batch(),
    });
    let node = Child::start("node", &["bench/peers/http.mjs"]).expect("node runs");
    let sizes: Tree = serde_json::from_str(&node.ask(&given.to_string())).expect("sizes");
    let turn = |name: String| {
        let node = &node;
        for _ in 0..3 {
            node.turn(&name);
        }
        move || node.turn(&name)
    };
    let race = |names: &[(&str, String)], rounds| -> Vec<Times> {
        let contestants =
            names.iter().map(|(shown, name)| Contestant::timed(*shown, turn(name.clone())));
        take_turns(contestants.collect(), rounds)
    };

    for (name, _) in &views {
        let times = race(
            &[
                ("bare, as many bytes", format!("bytes {name}")),
                ("GET …/resolved", format!("get {name}")),
                ("bare, nothing", "empty".into()),
                ("GET …/resolved, If-None-Match", format!("304 {name}")),
            ],
            ROUNDS,
        );
        report.times(&format!("{name}: a view of {} bytes", sizes[*name]), "p50", &times);
        report.at_most(&format!("{name}: GET …/resolved"), times[1].ratio(&times[0]), 1.1);
        report.at_most(&format!("{name}: 304"), times[3].ratio(&times[2]), 1.1);
    }
    let times = race(&[("bare, two rows", "insert".into()), ("PATCH", "patch".into())], ROUNDS);
    report.times(
        &format!("PATCH of a context; the answer has {} bytes", sizes["patch"]),
        "p50",
        &times,
    );
    report.at_most("PATCH of a 4 KB context", times[1].ratio(&times[0]), 1.35);

    let times = race(
        &[("one batch", "batch".into()), ("one after another", "singles".into())],
        BATCH_ROUNDS,
    );
    report.times(&format!("{BATCH} updates"), "all", &times);
    report.at_least("batch of 100 updates", times[1].ratio(&times[0]), 25.0);

    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["miniflare", "workerd"]);
    report.crates(&["worker"]);
    report.finish();
}

/// Chains of four layers by the size of their view.
pub(crate) fn views() -> Vec<(&'static str, Vec<Tree>)> {
    let small = vec![
        row("global", "global", None, &made_up::document(2048)),
        row("project", "p", None, &made_up::document(1024)),
        row("branch", "b", Some("p"), &json!({"branch": {"base": "main"}})),
        row("task", "t", Some("b"), &json!({"task": {"state": "open", "attempt": 1}})),
    ];
    let chain = |rows: Vec<Row>, task: &dyn Fn(&str) -> bool| -> Vec<Tree> {
        let mut wanted = rows.iter().find(|(level, id, ..)| level == "task" && task(id));
        let mut chain = Vec::new();
        while let Some((level, id, parent, data)) = wanted {
            let data = serde_json::from_slice(&nacre_core::json::write(data)).expect("JSON");
            chain.insert(0, row(level, id, parent.as_deref(), &data));
            let above = match level.as_str() {
                "task" => "branch",
                "branch" => "project",
                "project" => "global",
                _ => break,
            };
            let parent = if above == "global" { Some("global") } else { parent.as_deref() };
            wanted =
                rows.iter().find(|(level, id, ..)| level == above && Some(id.as_str()) == parent);
        }
        chain
    };
    let mut views = vec![("small", small)];
    if let Some(rows) = govuk() {
        views.push(("govuk", chain(rows, &|_| true)));
    }
    views.push(("large-global", chain(made_up::rows(), &|_| true)));
    views
}

/// A branch with as many small tasks as a batch updates.
fn batch() -> Vec<Tree> {
    let mut contexts = vec![
        row("project", "p", None, &made_up::document(1024)),
        row("branch", "b", Some("p"), &json!({"branch": {"base": "main"}})),
    ];
    for task in 0..BATCH {
        let data = json!({"task": {"state": "open", "attempt": task}, "findings": []});
        contexts.push(row("task", &format!("t{task}"), Some("b"), &data));
    }
    contexts
}

fn row(level: &str, id: &str, parent: Option<&str>, data: &Tree) -> Tree {
    // Only branches and tasks name their parent.
    let parent = parent.filter(|_| matches!(level, "branch" | "task"));
    json!({"level": level, "id": id, "parent": parent, "data": data})
}
