//! The wire format of operations, as batches, previews and sockets carry them.

use nacre_core::{json, wire::operation};
use nacre_tests::vectors::{self, error};
use serde_json::Value;

#[test]
fn operation_vectors() {
    vectors::run("operation", &["operation"], ["write", "error"], |case| {
        let text = serde_json::to_vec(&case["operation"]).expect("JSON");
        let item = operation::item(json::read(&text, 64).expect("a value"));
        [item.as_ref().map_or(Value::Null, |item| item.op.is_write().into()), error(&item)]
    });
}
