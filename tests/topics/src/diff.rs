//! The difference between two documents.

use nacre_core::{diff::diff, layer::Layer};

use crate::{Case, Json, Topic, from_serde, to_serde};

pub(crate) const TOPIC: Topic = Topic::new("diff", &["from", "to"], &["patch"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let layer = |field| Layer::from_value(&from_serde(&case[field])).expect("a document");
    let patch = diff(&layer("from"), &layer("to")).expect("two layers");
    vec![to_serde(&patch.to_value())]
}
