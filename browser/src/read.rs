//! Reads from JavaScript: one object, whose member `read` names the read.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    json,
    number::Number,
    op::Read,
    store::AsOf,
    value::{Object, Value},
    wire::{
        import,
        question::{Parameters, Question, not_from_one_to},
        request,
    },
};

/// The members of a request, taken out one by one.
struct Members(Object);

impl Parameters for Members {
    fn address(&mut self) -> Result<Address> {
        let (level, id) = (self.text("level")?, self.text("id")?);
        Address::parse(&level.unwrap_or_default(), &id.unwrap_or_default())
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.place(name, wrong("must be a string"))),
        }
    }

    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(Number::Unsigned(number))) if (1..=most).contains(&number) => {
                Ok(Some(number))
            }
            Some(_) => Err(self.place(name, not_from_one_to(most))),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<bool> {
        Ok(self.0.remove(name).is_some_and(|value| value.as_bool() == Some(true)))
    }

    fn state(&mut self, name: &'static str) -> Result<Option<AsOf>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(at) => request::state(&at).map(Some).map_err(|error| self.place(name, error)),
        }
    }

    fn context(&mut self, name: &'static str) -> Result<Option<Address>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Members(members).address().map(Some),
            Some(_) => Err(self.place(name, wrong("must be an object with `level` and `id`"))),
        }
    }

    fn place(&self, name: &'static str, error: Error) -> Error {
        error.at(alloc::format!("/{name}"))
    }
}

fn wrong(detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail)
}

/// The question of a request.
///
/// # Errors
/// `invalid-request`, `invalid-id`, `invalid-pointer`, `invalid-cursor`.
pub(crate) fn question(request: Value) -> Result<Read> {
    let Value::Object(members) = request else {
        return Err(wrong("the request must be an object").at(""));
    };
    let mut from = Members(members);
    let question = match from.text("read")?.unwrap_or_default().as_str() {
        "resolve" => Question::Resolve,
        "get" => Question::Get,
        "list" => Question::List,
        "history" => Question::History,
        "diff" => Question::Diff,
        "view-diff" => Question::ViewDiff,
        "insights" => Question::Insights,
        "progress" => Question::Progress,
        _ => {
            return Err(wrong(
                "`read` must be resolve, get, list, history, diff, view-diff, insights or progress",
            )
            .at("/read"));
        }
    };
    question.read(&mut from)
}

/// Operations as JavaScript writes them: data, patches and values come as JSON, or as its text,
/// whose integers JavaScript has not rounded.
///
/// # Errors
/// `invalid-json` for a text that is not JSON, with its place.
pub(crate) fn operations(text: &str) -> Result<Vec<Value>> {
    let mut operations = super::list(text)?;
    for (place, operation) in operations.iter_mut().enumerate() {
        open_texts(operation, &OF_OPERATIONS).map_err(|error| error.failed_operation(place))?;
    }
    Ok(operations)
}

/// The body of a preview: a patch or operations.
///
/// # Errors
/// As [`operations`].
pub(crate) fn trial(text: &str) -> Result<Value> {
    let mut trial = super::parse(text)?;
    open_texts(&mut trial, &OF_OPERATIONS)?;
    if let Some(Value::Array(operations)) =
        trial.as_object_mut().and_then(|trial| trial.get_mut("operations"))
    {
        operations.iter_mut().try_for_each(|one| open_texts(one, &OF_OPERATIONS))?;
    }
    Ok(trial)
}

/// A draft and the base that it was made of, each as JSON or as its text.
///
/// # Errors
/// `invalid-request` where one is missing; `invalid-json` for a text that is none.
pub(crate) fn edits(text: &str) -> Result<(Value, Value)> {
    let mut edits = super::parse(text)?;
    open_texts(&mut edits, &["base", "draft"])?;
    let edits = edits.as_object_mut();
    match edits.map(|edits| (edits.remove("base"), edits.remove("draft"))) {
        Some((Some(base), Some(draft))) => Ok((base, draft)),
        _ => Err(Error::new(Code::InvalidRequest, "a merge needs `base` and `draft`").at("")),
    }
}

/// The members of an operation that may come as text.
const OF_OPERATIONS: [&str; 3] = ["data", "patch", "values"];

/// None of these members can be a string itself, so a string is always JSON text.
fn open_texts(operation: &mut Value, names: &[&str]) -> Result<()> {
    let Some(members) = operation.as_object_mut() else { return Ok(()) };
    for name in names {
        if let Some(value) = members.get_mut(name)
            && let Value::String(text) = value
        {
            *value = super::parse(text).map_err(|error| error.at(alloc::format!("/{name}")))?;
        }
    }
    Ok(())
}

/// The operations of an import. The source is NDJSON, an array or one object; its lines or items
/// are those of an import or an export.
///
/// # Errors
/// Those of an item, with its index.
pub(crate) fn import(source: &str, replace: bool) -> Result<Value> {
    let items = match super::parse(source) {
        Ok(Value::Array(items)) => items.iter().map(json::write).collect(),
        Ok(one) => Vec::from([json::write(&one)]),
        Err(_) => {
            let lines = source.split('\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(|line| line.as_bytes().to_vec()).collect()
        }
    };
    let mut operations = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        let line = import::line_alone(item).map_err(|error| error.failed_operation(place))?;
        let mut op = Object::new();
        op.insert("action", if replace { "put" } else { "create" }.into());
        op.insert("level", line.address.level.as_str().into());
        op.insert("context_id", line.address.id.as_str().into());
        // As text, so that JavaScript does not round integers.
        op.insert("data", super::text(json::write(&Value::Object(line.data))).into());
        // In exports a project has the parent `global`; `put` accepts that too.
        if let Some(parent) = &line.parent {
            op.insert("parent", parent.as_str().into());
        }
        if let Some(rules) = &line.rules {
            op.insert("rules", Value::Object(rules.to_object()));
        }
        operations.push(Value::Object(op));
    }
    Ok(Value::Array(operations))
}
