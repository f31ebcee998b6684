//! The component in wasmtime beside the core itself, compiled for this machine.
//!
//! A program of its own: compiling wasmtime takes minutes, which other benchmarks need not wait for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a benchmark stops at the first surprise, and prints; not all of the others' is used"
)]

#[path = "../../native/src/chains.rs"]
mod chains;
#[path = "../../native/src/made_up.rs"]
mod made_up;
#[path = "../../native/src/report.rs"]
mod report;
#[path = "../../native/src/turns.rs"]
mod turns;

use std::{collections::HashMap, hint::black_box, time::Instant};

use chains::{Set, sets};
use nacre_core::{
    resolve::{Link, resolve},
    rules::Rules,
};
use report::Report;
use turns::{Contestant, take_turns};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker, ResourceAny},
};

/// Bindings of `wit/`.
mod bindings {
    #![allow(missing_docs, unreachable_pub, reason = "generated; wit/ says it")]
    wasmtime::component::bindgen!({ path: "../../wit", world: "contexts" });
}
use bindings::{
    Contexts,
    exports::nacre::context::resolver::{Layer, Level},
};

const ROUNDS: usize = 31;

fn main() {
    let mut report = Report::new(
        "component",
        "Chains of layers become the bytes of their views: by the core, compiled for this machine, \
         and by the component in wasmtime, compiled by Cranelift. The layers have been prepared, \
         as they have been for the core; copying the view out of the instance is included. Before \
         anything is timed, all views are compared byte by byte.",
    );
    let engine = Engine::new(&Config::new()).expect("an engine");
    let component = report::root().join("dist/nacre.wasm");
    let component = Component::from_file(&engine, component).expect("cargo xtask component");
    let linker: Linker<()> = Linker::new(&engine);
    let mut store = Store::new(&engine, ());
    let contexts = Contexts::instantiate(&mut store, &component, &linker).expect("an instance");

    for set in sets() {
        let none = Rules::default();
        let native = set.links(&none);
        let prepared = prepare(&set, &contexts, &mut store);
        let chains: Vec<Vec<ResourceAny>> = set
            .chains
            .iter()
            .map(|chain| {
                (chain.iter().enumerate())
                    .map(|(level, layer)| prepared[&(level, *layer)])
                    .collect()
            })
            .collect();
        let resolver = contexts.nacre_context_resolver();
        let mut ask = |chain: &[ResourceAny]| {
            let view = resolver.call_resolve_prepared(&mut store, chain).expect("no trap");
            view.expect("a view")
        };
        let views: Vec<Vec<u8>> = native.iter().map(|chain| resolve(chain)).collect();
        for (place, chain) in chains.iter().enumerate() {
            assert_eq!(views[place], ask(chain).as_bytes(), "{}: chain {place}", set.name);
        }
        let times = take_turns(
            vec![
                native_turn(&native),
                Contestant::new("component", chains.len(), || {
                    chains.iter().for_each(|chain| drop(black_box(ask(chain))));
                }),
                Contestant::new("copy of the view", views.len(), || {
                    views.iter().for_each(|view| drop(black_box(view.to_vec())));
                }),
            ],
            ROUNDS,
        );
        report.times(set.name, "a chain", &times);
        report.say(&set.describe(&views));
        if set.name == "large-global" {
            report.at_most("large-global: time of the core itself", times[1].ratio(&times[0]), 2.5);
        }
    }
    instantiate(&mut report, &engine, &component);
    report.crates(&["wasmtime"]);
    report.finish();
}

fn native_turn<'a>(chains: &'a [Vec<Link<'a>>]) -> Contestant<'a> {
    Contestant::new("core", chains.len(), || {
        chains.iter().for_each(|chain| drop(black_box(resolve(chain))));
    })
}

/// Every layer of a set, once for each place in a chain that it stands in.
fn prepare(
    set: &Set,
    contexts: &Contexts,
    store: &mut Store<()>,
) -> HashMap<(usize, usize), ResourceAny> {
    let levels = [Level::Global, Level::Project, Level::Branch, Level::Task];
    let mut prepared = HashMap::new();
    for (level, layer) in set.chains.iter().flat_map(|chain| chain.iter().copied().enumerate()) {
        prepared.entry((level, layer)).or_insert_with(|| {
            let data = String::from_utf8(set.layers[layer].text().to_vec()).expect("UTF-8");
            let id = if level == 0 { "global".into() } else { format!("l{layer}") };
            let layer = Layer { level: levels[level], id, data, rules: None };
            let resolver = contexts.nacre_context_resolver().prepared_layer();
            resolver.call_prepare(&mut *store, &layer).expect("no trap").expect("a layer")
        });
    }
    prepared
}

/// From a module that was compiled before to an instance that answers.
fn instantiate(report: &mut Report, engine: &Engine, component: &Component) {
    let compiled = component.serialize().expect("a compiled module");
    // SAFETY: these are the bytes that this very engine made, untouched.
    #[allow(unsafe_code, reason = "there is no other way to load a compiled module")]
    let load = || unsafe { Component::deserialize(engine, &compiled).expect("our own") };
    let linker: Linker<()> = Linker::new(engine);
    let ready = load();
    let fresh = |component: &Component| {
        let mut store = Store::new(engine, ());
        let contexts = Contexts::instantiate(&mut store, component, &linker).expect("an instance");
        let text = contexts.nacre_context_resolver().call_canonical(&mut store, &"{}".into());
        assert_eq!(text.expect("no trap").expect("text"), "{}");
    };
    let times = take_turns(
        vec![
            Contestant::new("an instance, and one call", 1, || fresh(&ready)),
            Contestant::new("loading the module from memory as well", 1, || fresh(&load())),
        ],
        ROUNDS,
    );
    report.times("instantiate", "an instance", &times);
    report.at_most("an instance of the loaded module: of 1 ms", times[0].median() / 1e6, 1.0);
    let start = Instant::now();
    let path = report::root().join("dist/nacre.wasm");
    Component::from_file(engine, path).expect("the component");
    report
        .say(&format!("Compiling it takes {}.", report::nanos(start.elapsed().as_nanos() as f64)));
}
