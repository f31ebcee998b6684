//! Resolving chains to response bytes, native: against folding trees, figment and a plain copy.

use figment::{Figment, providers::Serialized};
use nacre_core::{
    resolve::{Link, resolve},
    rules::Rules,
};
use serde_json::Value as Tree;

use crate::{
    chains::{Set, sets},
    report::Report,
    turns::{Contestant, take_turns},
};

const ROUNDS: usize = 31;
/// A turn of the slow peers takes this many chains, spread over the set.
const SAMPLE: usize = 60;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "resolve",
        "A chain of layers in memory becomes the bytes of its view, native. Folding: the parsed \
         global layer is cloned, the others are merged into it (`json_patch::merge`) and \
         `serde_json::to_vec` prints the outcome. figment: `Serialized` providers of the parsed \
         layers, merged, extracted and printed; it knows no tombstones, so only its time compares. \
         Copy: `to_vec` of the finished view. Before anything is timed, all views are compared \
         byte by byte with the fold's.",
    );
    for set in sets() {
        let none = Rules::default();
        let chains = set.links(&none);
        let views: Vec<Vec<u8>> = chains.iter().map(|chain| resolve(chain)).collect();
        let trees = trees(&set);
        for (place, chain) in set.chains.iter().enumerate() {
            assert_eq!(views[place], fold(&trees, chain), "{}: chain {place}", set.name);
        }
        let step = set.chains.len().div_ceil(SAMPLE);
        let sample: Vec<usize> = (0..set.chains.len()).step_by(step).collect();
        let times = take_turns(
            vec![
                native(&chains),
                Contestant::new("copy of the view", views.len(), || {
                    views.iter().for_each(|view| drop(std::hint::black_box(view.to_vec())));
                }),
                Contestant::new("json_patch fold + to_vec", sample.len(), || {
                    sample.iter().map(|&at| fold(&trees, &set.chains[at]).len()).sum::<usize>()
                }),
                Contestant::new("figment + to_vec", sample.len(), || {
                    sample.iter().map(|&at| figment(&trees, &set.chains[at]).len()).sum::<usize>()
                }),
            ],
            ROUNDS,
        );
        report.times(set.name, "a chain", &times);
        report.say(&set.describe(&views));
        let (ours, copy, fold) = (&times[0], &times[1], &times[2]);
        if set.name == "govuk" {
            report.at_least("govuk: faster than the fold", fold.ratio(ours), 40.0);
        } else {
            report.at_least("large-global: faster than the fold", fold.ratio(ours), 100.0);
            report.at_most("large-global: time of a copy", ours.ratio(copy), 3.0);
        }
    }
    report.crates(&["json-patch", "serde_json", "figment"]);
    report.finish();
}

/// Resolves every chain in a turn.
pub(crate) fn native<'a>(chains: &'a [Vec<Link<'a>>]) -> Contestant<'a> {
    Contestant::new("nacre", chains.len(), || {
        chains.iter().for_each(|chain| drop(std::hint::black_box(resolve(chain))));
    })
}

/// The layers, parsed. Tombstones of global layers are taken out, as a fold from nothing would.
fn trees(set: &Set) -> Vec<Tree> {
    let mut trees: Vec<Tree> = set
        .layers
        .iter()
        .map(|layer| serde_json::from_slice(layer.text()).expect("JSON"))
        .collect();
    for chain in &set.chains {
        let mut top = serde_json::json!({});
        json_patch::merge(&mut top, &trees[chain[0]]);
        trees[chain[0]] = top;
    }
    trees
}

fn fold(trees: &[Tree], chain: &[usize]) -> Vec<u8> {
    let mut view = trees[chain[0]].clone();
    for &layer in &chain[1..] {
        json_patch::merge(&mut view, &trees[layer]);
    }
    serde_json::to_vec(&view).expect("a tree is JSON")
}

fn figment(trees: &[Tree], chain: &[usize]) -> Vec<u8> {
    let figment = chain
        .iter()
        .fold(Figment::new(), |all, &layer| all.merge(Serialized::globals(&trees[layer])));
    serde_json::to_vec(&figment.extract::<Tree>().expect("a tree")).expect("a tree is JSON")
}
