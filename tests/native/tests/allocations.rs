//! How often a view asks for memory: the lists that are short by nature take none.

use std::rc::Rc;

use allocation_counter::measure;
use nacre_core::{
    address::Address,
    cache::Views,
    explain::explain,
    json,
    layer::Layer,
    limits,
    record::Record,
    resolve::{Link, resolve},
    rules::Rules,
    store::{Reads as _, links},
    wire::operation,
};
use nacre_topics::world::World;

fn layer(text: &str) -> Layer {
    Layer::from_value(&json::read(text.as_bytes(), limits::DEPTH).unwrap()).unwrap()
}

/// The chain of a project with data, below a global layer with data.
fn chain() -> Vec<Rc<Record>> {
    let mut world = World::empty();
    for op in [
        r#"{"action":"put","level":"global","context_id":"global","data":{"a":1,"b":{"c":2}}}"#,
        r#"{"action":"put","level":"project","context_id":"p","data":{"b":{"c":3}}}"#,
    ] {
        let item = operation::item(json::read(op.as_bytes(), limits::DEPTH).unwrap()).unwrap();
        let plan = world.plan(item.op).unwrap();
        world.store.apply(&plan.writes);
    }
    let record = |level, id| world.store.record(&Address::parse(level, id).unwrap()).unwrap();
    [record("global", "global"), record("project", "p")].map(|record| record.unwrap()).into()
}

#[test]
fn a_view_that_is_remembered_takes_none() {
    let (mut views, chain) = (Views::new(1 << 20), chain());
    let made = views.view(&chain);
    let again = measure(|| assert!(Rc::ptr_eq(&made, &views.view(&chain))));
    assert_eq!(again.count_total, 0);
    assert_eq!(views.tally().hits, 1);
}

#[test]
fn a_view_without_rules_takes_its_text_alone() {
    let chain = chain();
    let text = measure(|| drop(resolve(&links(&chain))));
    assert_eq!(text.count_total, 1);
}

/// Whether values hide others or not, an explanation takes the same.
#[test]
fn an_explanation_takes_none_for_the_layers_that_a_value_hides() {
    let none = Rules::default();
    let explained = |upper: &str| {
        let layers = [layer(upper), layer(r#"{"a":2,"b":2,"c":2,"d":2}"#)];
        let links = layers.each_ref().map(|layer| Link { layer, rules: &none });
        measure(|| drop(explain(&links))).count_total
    };
    assert_eq!(explained(r#"{"a":1,"b":1,"c":1,"d":1}"#), explained("{}"));
}
