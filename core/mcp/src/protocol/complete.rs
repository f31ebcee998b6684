//! Completion of levels and ids while somebody types them.

use alloc::{string::String, vec::Vec};

use nacre_layers::{
    level::Level,
    value::{Object, Value},
};
use nacre_store::{op::Read, store::Filter};

use super::{Request, Said, failure::Failure, prompts, resources::read_object, uri::TEMPLATES};
use crate::{Ask, Step, object};

/// Most values of one answer.
const VALUES: usize = 100;

/// Completes an argument of a prompt or of a template.
pub(super) fn complete(request: &Request<'_>) -> Step<Said> {
    let part = |name: &str| request.params.get(name).and_then(Value::as_object);
    let text = |of: Option<&Object>, name: &str| {
        of.and_then(|of| of.get(name)).and_then(Value::as_str).map(String::from)
    };
    let reference = part("ref");
    let kind = text(reference, "type");
    let is_known = match kind.as_deref() {
        Some("ref/prompt") => text(reference, "name").is_some_and(|name| prompts::exists(&name)),
        Some("ref/resource") => {
            text(reference, "uri").is_some_and(|uri| TEMPLATES.contains(&uri.as_str()))
        }
        _ => false,
    };
    if !is_known {
        let text = "`ref` must name a prompt (`ref/prompt`) or a template (`ref/resource`) of this \
                    server";
        return Step::Done(Err(Failure::params(text)));
    }
    let argument = part("argument");
    let typed = text(argument, "value").unwrap_or_default();
    match text(argument, "name").as_deref() {
        Some("level") => {
            let names = Level::ALL.iter().map(|level| level.as_str());
            let values = names.filter(|name| name.starts_with(&*typed)).map(Value::from).collect();
            Step::Done(Ok(completion(values, false)))
        }
        Some("id") => {
            let others = part("context").and_then(|context| context.get("arguments"));
            let level = text(others.and_then(Value::as_object), "level");
            let level = level.and_then(|level| Level::parse(&level).ok());
            ids(level, typed)
        }
        _ => Step::Done(Ok(completion(Vec::new(), false))),
    }
}

/// Ids of contexts that begin with what was typed.
fn ids(level: Option<Level>, prefix: String) -> Step<Said> {
    let filter = Filter { level, prefix: Some(prefix), ..Filter::default() };
    let read = Read::List { filter, after: None, limit: VALUES, data: false, reveal: false };
    Step::ask(Ask::Command(read.into(), None), |answer| {
        Step::Done(answer.map_err(|error| Failure::of(&error, "id")).and_then(|page| {
            let page = read_object(&page, "id")?;
            let items = page.get("items").and_then(Value::as_array).unwrap_or_default();
            let ids = items.iter().filter_map(|item| item.as_object()?.get("id").cloned());
            let more = matches!(page.get("next_cursor"), Some(Value::String(_)));
            Ok(completion(ids.collect(), more))
        }))
    })
}

fn completion(values: Vec<Value>, more: bool) -> Object {
    let mut result = Object::new();
    let completion = object([("hasMore", more.into()), ("values", values.into())]);
    result.insert("completion", completion);
    result
}
