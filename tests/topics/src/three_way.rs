//! Two edits of one document: where they are in conflict, and what they come to where they are not.
//! A base of null is one that is not known.

use nacre_core::{layer::Layer, rules::Rules, three_way::three_way};
use serde_json::json;

use crate::{Case, Json, Topic, from_serde, to_serde};

pub(crate) const TOPIC: Topic = Topic::new(
    "three-way",
    &["base", "current", "yours", "rules"],
    &["conflicts", "merged"],
    answer,
);

fn answer(case: &Case) -> Vec<Json> {
    let layer = |field| Layer::from_value(&from_serde(&case[field])).expect("a document");
    let base = (!case["base"].is_null()).then(|| layer("base"));
    let (current, yours) = (layer("current"), layer("yours"));
    let rules = from_serde(&case["rules"]);
    let rules = Rules::from_object(rules.as_object().expect("rules")).expect("rules");
    let merge = three_way(base.as_ref(), &current, &yours, &[&rules]);
    let conflict = |pointer| {
        let mut conflict = json!({ "pointer": String::from(pointer) });
        for (side, layer) in
            [("base", base.as_ref()), ("current", Some(&current)), ("yours", Some(&yours))]
        {
            if let Some(value) = layer.and_then(|it| it.value_at(pointer).expect("a layer")) {
                conflict[side] = to_serde(&value);
            }
        }
        conflict
    };
    let conflicts = merge.conflicts.iter().map(conflict).collect();
    let merged = merge.merged().expect("a layer");
    vec![conflicts, merged.map_or(Json::Null, |it| to_serde(&it.to_value().expect("a layer")))]
}
