//! What a tool answers.

use alloc::{string::String, vec::Vec};

use nacre_layers::value::{Object, Value};

/// What a tool answers: the same as text and as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Blocks of content as the protocol has them: `{"type":"text","text":…}`.
    pub content: Vec<Value>,
    /// The data, which fits the tool's `outputSchema`. `None` for failures.
    pub structured: Option<Value>,
    /// Whether the call failed. The text says what was wrong and what to do.
    pub failed: bool,
}

impl Outcome {
    /// A failure that a model can act on.
    pub fn failure(text: String) -> Outcome {
        Outcome { content: Vec::from([text_block(text)]), structured: None, failed: true }
    }
}

/// A block of text.
pub fn text_block(text: String) -> Value {
    object([("text", text.into()), ("type", "text".into())])
}

/// An object of these members; of two with one name the last counts.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    Value::Object(object)
}
