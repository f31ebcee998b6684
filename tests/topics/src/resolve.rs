//! The view of a chain of layers, its hash, and where each value in it comes from.

use nacre_core::{
    explain::explain,
    layer::Layer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
};
use serde_json::json;

use crate::{Case, Json, Topic, from_serde, list};

pub(crate) const TOPIC: Topic =
    Topic::new("resolve", &["layers"], &["view", "hash", "origins", "ignored"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let layers: Vec<(Layer, Rules)> = list(&case["layers"])
        .iter()
        .map(|of| {
            let rules = from_serde(&of["rules"]);
            let rules = Rules::from_object(rules.as_object().expect("rules")).expect("rules");
            (Layer::from_value(&from_serde(&of["data"])).expect("a document"), rules)
        })
        .collect();
    let chain: Vec<_> = layers.iter().map(|(layer, rules)| Link { layer, rules }).collect();
    let view = resolve(&chain);
    let hash = view_hash(&chain);
    assert_eq!(hash, Layer::from_canonical(view.clone()).expect("a view").hash());
    let explanation = explain(&chain);
    let origins: serde_json::Map<_, _> = explanation
        .origins
        .iter()
        .map(|o| {
            let told = json!({"layer": o.layer, "rule": o.rule, "shadowed": o.shadowed.as_slice()});
            (o.pointer.clone(), told)
        })
        .collect();
    let ignored = explanation.ignored.iter().map(|ignored| {
        json!({
            "pointer": ignored.pointer,
            "layer": ignored.layer,
            "locked_by": ignored.locked_by
        })
    });
    let view = serde_json::from_slice(&view).expect("canonical text is JSON");
    vec![view, json!(hash.to_string()), origins.into(), ignored.collect()]
}
