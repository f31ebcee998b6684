//! Tools: their list, and their calls.

use alloc::{format, string::String};

use nacre_layers::{
    json, limits,
    value::{Object, Value},
};

use super::{Request, Said, failure::Failure};
use crate::{Outcome, Step, tools};

/// The tools, always in the same order.
pub(super) fn list(request: &Request<'_>) -> Said {
    let shown = tools::list(request.sets).map_err(|error| Failure::params(error.detail()))?;
    let mut result = Object::new();
    result.insert("tools", shown);
    Ok(result)
}

/// Calls a tool.
pub(super) fn call(request: &Request<'_>) -> Step<Said> {
    let Some(name) = request.params.get("name").and_then(Value::as_str) else {
        return Step::Done(Err(Failure::params("`name` is required: the name of a tool")));
    };
    let arguments = match arguments(&request.params) {
        Ok(arguments) => arguments,
        Err(failure) => return Step::Done(Err(failure)),
    };
    match tools::call(name, arguments, request.setting) {
        Some(step) => step.map(|outcome| Ok(said(outcome))),
        None => Step::Done(Err(unknown(name))),
    }
}

/// The arguments of a call. Some clients send an object as its JSON text.
pub(super) fn arguments(params: &Object) -> Result<Object, Failure> {
    let parsed = match params.get("arguments") {
        None | Some(Value::Null) => return Ok(Object::new()),
        Some(Value::Object(arguments)) => return Ok(arguments.clone()),
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(Object::new()),
        Some(Value::String(text)) => json::read(text.as_bytes(), limits::DEPTH).ok(),
        Some(_) => None,
    };
    match parsed {
        Some(Value::Object(arguments)) => Ok(arguments),
        _ => Err(Failure::params("`arguments` must be an object")),
    }
}

fn unknown(name: &str) -> Failure {
    let hint = match tools::near(name) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None => String::from("; `tools/list` names all tools"),
    };
    Failure::params(format!("there is no tool of this name{hint}"))
}

fn said(outcome: Outcome) -> Object {
    let mut result = Object::new();
    result.insert("content", outcome.content.into());
    result.insert("isError", outcome.failed.into());
    if let Some(structured) = outcome.structured {
        result.insert("structuredContent", structured);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_may_come_as_text() {
        let read = |params: &str| match json::read(params.as_bytes(), 64).unwrap() {
            Value::Object(params) => arguments(&params).map(|arguments| arguments.len()).ok(),
            _ => None,
        };
        assert_eq!(read("{}"), Some(0));
        assert_eq!(read(r#"{"arguments":{"a":1}}"#), Some(1));
        assert_eq!(read(r#"{"arguments":"{\"a\":1,\"b\":2}"}"#), Some(2));
        assert_eq!(read(r#"{"arguments":" "}"#), Some(0));
        assert_eq!(read(r#"{"arguments":"a=1"}"#), None);
        assert_eq!(read(r#"{"arguments":[1]}"#), None);
    }
}
