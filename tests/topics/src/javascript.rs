//! The topics for JavaScript. Cases cross as text and are compared here, so that no integer is
//! rounded on the way.

use wasm_bindgen::{prelude::wasm_bindgen, throw_str};

use crate::{TOPICS, Topic};

/// A panic becomes an exception that says why.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| throw_str(&panic.to_string())));
}

/// The names of all topics.
#[wasm_bindgen]
pub fn topics() -> Vec<String> {
    TOPICS.iter().map(|topic| topic.shape.folder.into()).collect()
}

/// Runs a case, and says in what it comes out otherwise; nothing when it does not.
///
/// # Errors
/// When there is no such topic, or the text is no case of it.
#[wasm_bindgen]
pub fn differences(topic: &str, case: &str) -> Result<Option<String>, String> {
    let Topic { shape, answer } = Topic::of(topic).ok_or("no such topic")?;
    let case = shape.read(case.as_bytes())?;
    Ok(shape.differences(&case, &answer(&case)))
}
