//! From a commit to the last of many sockets, against as little as a Worker can do.

use serde_json::{Value as Tree, json};

use crate::{
    chains::contexts,
    child::Child,
    made_up,
    report::{Report, version_of},
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 15;
const SOCKETS: usize = 1000;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "live",
        "One value changes, and 1,000 sockets on one object that follow resolved views of 230 KB \
         are told: from sending the change to the last socket's having its frame, on a real \
         workerd, with one client for all. It changes in a task, whose view all follow, or in the \
         global layer of 230 KB, while all follow one view or each of the 500 tasks' views is \
         followed by two. The bare object stores nothing and sends a constant frame of the same \
         size to as many hibernating sockets. A figure is the median of \
         a turn of 5 changes, then of all rounds; turns alternate, everything is warm.",
    );
    let given = json!({"contexts": contexts(&made_up::rows()), "sockets": SOCKETS});
    let node = Child::start("node", &["bench/peers/live.mjs"]).expect("node runs");
    let sizes: Tree = serde_json::from_str(&node.ask(&given.to_string())).expect("sizes");
    let contestants = [
        ("bare, a constant frame", "bare"),
        ("a task's change, all follow its view", "one view, task"),
        ("a change in global, all follow one view", "one view, global"),
        ("a change in global, two follow each of 500 views", "a view each, global"),
    ]
    .map(|(shown, name)| {
        let node = &node;
        node.turn(name);
        Contestant::timed(shown, move || node.turn(name))
    });
    let times = take_turns(contestants.into(), ROUNDS);
    report.times("1,000 sockets", "all", &times);
    let bytes = |name: &str| sizes[name].as_f64().expect("a number");
    report.say(&format!(
        "Bytes of a frame: {} for the task's change, {} for the one in global.",
        bytes("one view, task"),
        bytes("a view each, global"),
    ));
    report.at_most("commit to 1,000 sockets", times[1].ratio(&times[0]), 1.3);
    report.at_most("a frame's bytes, in 400", bytes("a view each, global") / 400.0, 1.0);
    if let Some(version) = version_of("node", &["--version"]) {
        report.fact(format!("Node {version}"));
    }
    report.packages(&["miniflare", "workerd", "ws"]);
    report.crates(&["worker"]);
    report.finish();
}
