//! What the vectors are about: for each topic, which is a folder of `tests/vectors`, the fields of its
//! cases and what the core answers to one. The same table runs natively, on Node and in pages.

pub mod device;
mod diff;
pub mod errors;
mod json;
pub mod lint;
pub mod live;
pub mod mcp;
mod msgpack;
mod number;
mod open;
mod operation;
mod pack;
pub mod patch;
mod pointer;
mod rebase;
mod resolve;
pub mod retrieval;
pub mod seal;
mod search;
mod sheets;
mod store;
mod three_way;
mod wordpieces;
pub mod world;

#[cfg(target_family = "wasm")]
mod javascript;

use nacre_core::{error::Result, value::Value};
use serde_json::Map;
pub use serde_json::Value as Json;

/// Every topic that the core answers; `auth` is the Worker's own.
pub const TOPICS: &[Topic] = &[
    diff::TOPIC,
    errors::ACCESS,
    errors::INPUT,
    errors::PAST,
    errors::STORE,
    json::TOPIC,
    lint::TOPIC,
    live::TOPIC,
    mcp::TOPIC,
    msgpack::TOPIC,
    number::TOPIC,
    open::TOPIC,
    operation::TOPIC,
    pack::TOPIC,
    patch::APPEND,
    patch::JSON_PATCH,
    patch::MERGE_PATCH,
    patch::UNSET,
    pointer::TOPIC,
    rebase::TOPIC,
    resolve::TOPIC,
    seal::ENTROPY,
    seal::FIELDS,
    seal::KEYRING,
    seal::NAMES,
    seal::ROWS,
    retrieval::TOPIC,
    search::ANSWERS,
    search::FUSION,
    search::QUERIES,
    search::TERMS,
    sheets::PROMOTION,
    sheets::TEMPLATE,
    store::TOPIC,
    three_way::TOPIC,
    wordpieces::TOPIC,
];

/// The fields of one case.
pub type Case = Map<String, Json>;

/// What a case of a topic looks like: these fields and a title, none optional.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The folder in `tests/vectors`.
    pub folder: &'static str,
    /// The fields that say what to do.
    pub given: &'static [&'static str],
    /// The fields that say what comes of it.
    pub expected: &'static [&'static str],
}

/// A topic, as the core answers it.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What its cases look like.
    pub shape: Shape,
    /// Gives what comes of a case: the values of the expected fields, in their order. Panics at a
    /// case that cannot be asked.
    pub answer: fn(&Case) -> Vec<Json>,
}

impl Topic {
    const fn new(
        folder: &'static str,
        given: &'static [&'static str],
        expected: &'static [&'static str],
        answer: fn(&Case) -> Vec<Json>,
    ) -> Topic {
        Topic { shape: Shape { folder, given, expected }, answer }
    }

    /// The topic of a folder.
    pub fn of(folder: &str) -> Option<&'static Topic> {
        TOPICS.iter().find(|topic| topic.shape.folder == folder)
    }
}

impl Shape {
    /// Reads a case.
    ///
    /// # Errors
    /// Says how it is not of this shape.
    pub fn read(&self, text: &[u8]) -> Result<Case, String> {
        let case: Case = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let mut names = [&["title"], self.given, self.expected].concat();
        names.sort_unstable();
        if !case.keys().eq(&names) {
            return Err(format!("the fields must be {names:?}"));
        }
        if !case["title"].is_string() {
            return Err("a title is a sentence".into());
        }
        Ok(case)
    }

    /// Says which answers are not the expected ones; nothing when all are.
    ///
    /// # Panics
    /// When there is not one answer for each expected field.
    pub fn differences(&self, case: &Case, answers: &[Json]) -> Option<String> {
        assert_eq!(answers.len(), self.expected.len(), "answers of {}", self.folder);
        let answers = self.expected.iter().zip(answers);
        let wrong: Vec<_> = answers
            .filter(|(name, answer)| case[**name] != **answer)
            .map(|(name, answer)| format!("{name} is {answer}"))
            .collect();
        (!wrong.is_empty()).then(|| format!("{}: {}", case["title"], wrong.join(", ")))
    }
}

/// An error as vectors say it: code, pointer and detail; `null` when there is none.
pub fn error<T>(result: &Result<T>) -> Json {
    match result {
        Ok(_) => Json::Null,
        Err(error) => serde_json::json!({
            "code": error.code().as_str(),
            "pointer": error.pointer(),
            "detail": error.detail(),
        }),
    }
}

/// The text of a field.
///
/// # Panics
/// When it is not a string.
#[track_caller]
pub fn text(field: &Json) -> &str {
    field.as_str().unwrap_or_else(|| panic!("a string is expected here, not {field}"))
}

/// The elements of a field.
///
/// # Panics
/// When it is not an array.
#[track_caller]
pub fn list(field: &Json) -> &[Json] {
    field.as_array().unwrap_or_else(|| panic!("an array is expected here, not {field}"))
}

/// The value of a field, as the core has it.
///
/// # Panics
/// When the core does not read what serde_json wrote.
pub fn from_serde(field: &Json) -> Value {
    parse(&field.to_string())
}

/// A value of the core's, as fields have it.
///
/// # Panics
/// When serde_json does not read what the core wrote.
pub fn to_serde(value: &Value) -> Json {
    serde_json::from_slice(&nacre_core::json::write(value)).expect("canonical text is JSON")
}

/// The value of a JSON text.
///
/// # Panics
/// When it is none.
pub fn parse(text: &str) -> Value {
    let read = nacre_core::json::read(text.as_bytes(), 128);
    read.unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Bytes written as hex digits; dashes and spaces between them mean nothing.
///
/// # Panics
/// When they are not.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|char| !"- ".contains(*char)).collect();
    let byte = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        u8::from_str_radix(&pair, 16).unwrap_or_else(|e| panic!("{text}: {e}"))
    };
    digits.chunks(2).map(byte).collect()
}

/// Bytes as hex digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
