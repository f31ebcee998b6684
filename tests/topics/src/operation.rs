//! The wire format of operations, as batches, previews and sockets carry them.

use nacre_core::wire::operation;

use crate::{Case, Json, Topic, error, from_serde};

pub(crate) const TOPIC: Topic =
    Topic::new("operation", &["operation"], &["write", "error"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let item = operation::item(from_serde(&case["operation"]));
    vec![item.as_ref().map_or(Json::Null, |item| item.op.is_write().into()), error(&item)]
}
