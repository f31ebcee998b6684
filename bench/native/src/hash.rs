//! What a view's hash costs as layers grow while what differs stays the same.
//!

use nacre_core::{
    json,
    layer::Layer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
};
use serde_json::{Value as Tree, json};

use crate::{
    made_up::{Dice, nested, service, service_layer},
    report::Report,
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 61;
const TOUCHED: usize = 8;

/// A chain of two layers, and the lower one again with one more edit.
struct Case {
    name: &'static str,
    upper: Layer,
    lower: Layer,
    /// The write that is asked about: it changes something.
    edited: Layer,
    /// Another: what it changes in the upper layer, the lower one hides.
    shadowed: Layer,
}

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "hash",
        "A lower layer touches eight members of an upper layer, which becomes ten times as large: \
         wider (more members beside the touched ones) or deeper (more in every member). The \
         largest is what a context may hold, 1 MB. *View hash*: the content hash of the chain's \
         view. *Changes below?*: a write comes to the lower layer, or one to the upper layer that \
         the lower one hides; the hash of the new chain's view is compared with the one that is \
         kept. *From text*: the view is resolved, its text indexed and hashed, which is what the \
         content hash saves.",
    );
    let cases = [
        case("100 KB", 120, 0),
        case("1 MB, wider", 1200, 0),
        case("1 MB, deeper", 120, 9),
        case("30 KB", 40, 0),
        case("300 KB, wider", 400, 0),
    ];
    let none = Rules::default();
    for case in &cases {
        let chain = chain([&case.upper, &case.lower], &none);
        let view = Layer::from_canonical(resolve(&chain)).expect("a view is a layer");
        assert_eq!(view_hash(&chain), view.hash(), "{}", case.name);
        assert_ne!(view_hash(&self::chain([&case.upper, &case.edited], &none)), view.hash());
        assert_eq!(view_hash(&self::chain([&case.shadowed, &case.lower], &none)), view.hash());
    }
    let questions = ["view hash", "changes below?", "changes below? (hidden)", "from text"];
    let contestants = cases.iter().flat_map(|case| {
        let now = chain([&case.upper, &case.lower], &none);
        let edited = chain([&case.upper, &case.edited], &none);
        let shadowed = chain([&case.shadowed, &case.lower], &none);
        let kept = view_hash(&now);
        let name = |question: usize| format!("{}, {}", questions[question], case.name);
        [
            Contestant::new(name(0), 1, move || view_hash(&now)),
            Contestant::new(name(1), 1, move || view_hash(&edited) != kept),
            Contestant::new(name(2), 1, move || view_hash(&shadowed) != kept),
            Contestant::new(name(3), 1, move || {
                Layer::from_canonical(resolve(&now)).map(|view| view.hash())
            }),
        ]
    });
    let times = take_turns(contestants.collect(), ROUNDS);
    report.times("Times", "once", &times);
    let sizes = cases.iter().map(|case| {
        format!(
            "{}: {} bytes over {} bytes",
            case.name,
            case.upper.text().len(),
            case.lower.text().len()
        )
    });
    report.say(&format!("{}.", sizes.collect::<Vec<_>>().join("; ")));
    let grown = |question: usize, from: usize, to: usize| {
        times[to * questions.len() + question].ratio(&times[from * questions.len() + question])
    };
    report.say(&format!(
        "From 30 KB to 300 KB a view's hash takes {:.2} times as long: with eight of only 40 \
         members touched, most of the small tree is hashed anew, so there is little to save yet.",
        grown(0, 3, 4)
    ));
    for (to, shape) in [(1, "wider"), (2, "deeper")] {
        for (question, what) in questions.iter().enumerate().take(3) {
            report.below(&format!("{what}: ten times {shape}"), grown(question, 0, to), 1.5);
        }
    }
    report.finish();
}

fn chain<'l>(layers: [&'l Layer; 2], none: &'l Rules) -> [Link<'l>; 2] {
    layers.map(|layer| Link { layer, rules: none })
}

fn case(name: &'static str, width: usize, depth: usize) -> Case {
    let mut dice = Dice(7);
    let mut services = json!({});
    for place in 0..width {
        let mut layer = service_layer(&mut dice, place);
        if depth > 0 {
            layer["history"] = nested(&mut dice, depth, &layer);
        }
        services[service(place)] = layer;
    }
    let touched: Vec<String> = (0..TOUCHED).map(|n| service(n * width / TOUCHED)).collect();
    let mut lower = json!({"services": {}});
    for name in &touched {
        lower["services"][name] = json!({"env": {"LOG_LEVEL": "trace"}, "port": 1});
    }
    let mut edited = lower.clone();
    edited["services"][&touched[0]]["port"] = json!(2);
    let mut shadowed = services.clone();
    shadowed[&touched[0]]["port"] = json!(2);
    Case {
        name,
        upper: layer(&json!({"services": services})),
        lower: layer(&lower),
        edited: layer(&edited),
        shadowed: layer(&json!({"services": shadowed})),
    }
}

fn layer(tree: &Tree) -> Layer {
    let text = serde_json::to_vec(tree).expect("a tree is JSON");
    Layer::from_value(&json::read(&text, 64).expect("JSON")).expect("an object")
}
