//! The same core in wasm under Node, against itself and against what npm and Python have.

use nacre_core::{resolve::resolve, resolve::view_hash, rules::Rules};
use sha2::{Digest as _, Sha256};

use crate::{
    chains::{Set, sets},
    child::Child,
    report::{Report, version_of},
    resolve::native,
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 31;
/// Where `cargo xtask bench` puts the module.
const MODULE: &str = "../../dist/bench/wasm/nacre_bench_wasm.js";

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "resolve-wasm",
        "The core resolves chains in wasm under Node, optimised as the Worker is. *To JavaScript*: \
         each view's bytes are handed over as a `Uint8Array`. deepmerge and lodash.merge merge \
         parsed layers, `JSON.stringify` prints; neither knows tombstones and lodash.merge merges \
         arrays by place, so only their time compares. Python: RFC 7396 over parsed layers and \
         `json.dumps`. The views of wasm and Python are compared with the native ones before \
         anything is timed.",
    );
    for set in sets() {
        let none = Rules::default();
        let chains = set.links(&none);
        let digest =
            chains.iter().fold(Sha256::new(), |all, chain| all.chain_update(resolve(chain)));
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let node = Child::start("node", &["bench/peers/resolve.mjs", MODULE]).expect("node runs");
        let python = Child::start("python3", &["bench/peers/resolve.py"]);
        let given = given(&set);
        assert_eq!(node.ask(&given), "ready");
        assert_eq!(node.ask("digest wasm bytes"), digest, "{}: wasm", set.name);
        let turn = |name: &'static str| {
            let node = &node;
            node.turn(name);
            move || node.turn(name)
        };
        let mut contestants = vec![
            native(&chains),
            Contestant::timed("wasm", turn("wasm")),
            Contestant::timed("wasm, to JavaScript", turn("wasm bytes")),
            Contestant::timed("deepmerge + JSON.stringify", turn("deepmerge")),
            Contestant::timed("lodash.merge + JSON.stringify", turn("lodash.merge")),
        ];
        if let Some(python) = &python {
            assert_eq!(python.ask(&given), "ready");
            assert_eq!(python.ask("digest"), digest, "{}: Python", set.name);
            contestants.push(Contestant::timed("Python", || python.turn("turn")));
        } else {
            report.say("Python is left out: there is no python3.");
        }
        let times = take_turns(contestants, ROUNDS);
        report.times(set.name, "a chain", &times);
        report.at_most(
            &format!("{}: wasm's time of native", set.name),
            times[1].ratio(&times[0]),
            2.0,
        );

        let hashes = vec![
            Contestant::new("native", chains.len(), || {
                for chain in &chains {
                    std::hint::black_box(view_hash(chain));
                }
            }),
            Contestant::timed("wasm", turn("wasm hash")),
        ];
        report.times(&format!("{}: view hash", set.name), "a chain", &take_turns(hashes, ROUNDS));
    }
    for (program, name) in [("node", "Node "), ("python3", "")] {
        if let Some(version) = version_of(program, &["--version"]) {
            report.fact(format!("{name}{version}"));
        }
    }
    report.packages(&["deepmerge", "lodash.merge"]);
    report.finish();
}

fn given(set: &Set) -> String {
    let layers: Vec<&str> =
        set.layers.iter().map(|layer| std::str::from_utf8(layer.text()).expect("text")).collect();
    serde_json::json!({"layers": layers, "chains": set.chains}).to_string()
}
