//! Reads from JavaScript: one object, whose member `read` names the read.

use alloc::{string::String, vec::Vec};

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    json,
    level::Level,
    limits,
    number::Number,
    op::{Op, Resolve, Which},
    pointer::Pointer,
    record::EntryKind,
    store::{AsOf, Filter},
    value::{Object, Value},
    wire::{Cursor, import, request},
};

/// The members of a request, taken out one by one.
struct Members(Object);

impl Members {
    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(name, "this member must be a string")),
        }
    }

    fn number(&mut self, name: &str) -> Result<Option<u64>> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(Number::Unsigned(number))) => Ok(Some(number)),
            Some(_) => Err(wrong(name, "this member must be a whole number, 0 or more")),
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some_and(|value| value.as_bool() == Some(true))
    }

    fn address(&mut self) -> Result<Address> {
        let (level, id) = (self.text("level")?, self.text("id")?);
        Address::parse(&level.unwrap_or_default(), &id.unwrap_or_default())
    }

    fn as_of(&mut self, name: &str) -> Result<Option<AsOf>> {
        let at = match self.0.remove(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(Number::Unsigned(seq))) => Ok(AsOf::Seq(seq)),
            Some(Value::String(text)) => request::as_of(&text),
            Some(_) => Err(wrong(name, "a state must be a `seq` or an RFC 3339 time")),
        };
        at.map(Some).map_err(|error| error.at(alloc::format!("/{name}")))
    }

    fn limit(&mut self) -> Result<usize> {
        match self.number("limit")?.map(usize::try_from) {
            None => Ok(limits::PAGE_DEFAULT),
            Some(Ok(limit)) if (1..=limits::PAGE).contains(&limit) => Ok(limit),
            _ => Err(wrong("limit", "`limit` must be a whole number from 1 to 200")
                .limit(limits::PAGE as u64)),
        }
    }
}

fn wrong(name: &str, detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail).at(alloc::format!("/{name}"))
}

/// The operation of a request.
///
/// # Errors
/// `invalid-request`, `invalid-id`, `invalid-pointer`.
pub(crate) fn op(request: Value) -> Result<Op> {
    let Value::Object(members) = request else {
        return Err(Error::new(Code::InvalidRequest, "the request must be an object").at(""));
    };
    let mut from = Members(members);
    let read = from.text("read")?.unwrap_or_default();
    Ok(match read.as_str() {
        "resolve" => Op::Resolve(Resolve {
            address: from.address()?,
            path: from.text("path")?.map(Pointer::parse).transpose()?,
            as_of: from.as_of("at")?,
            explain: from.flag("explain"),
            reveal: false,
        }),
        "get" => Op::Get {
            address: from.address()?,
            which: match (from.number("version")?, from.as_of("at")?) {
                (Some(version), None) => Which::Version(version),
                (None, Some(at)) => Which::AsOf(at),
                (None, None) => Which::Current,
                _ => return Err(wrong("at", "use either `version` or `at`, not both")),
            },
            reveal: false,
        },
        "list" => {
            let under = match from.0.remove("under") {
                Some(Value::Object(under)) => Some(Members(under).address()?),
                _ => None,
            };
            let (level, parent) = (from.text("level")?, from.text("parent")?);
            let filter = Filter {
                level: level.as_deref().map(Level::parse).transpose()?,
                parent: parent.as_deref().map(ContextId::parse).transpose()?,
                under,
                prefix: from.text("prefix")?,
            };
            let after = from.text("cursor")?.as_deref().map(Cursor::read_list).transpose()?;
            let (data, limit) = (from.flag("data"), from.limit()?);
            Op::List { filter, after, limit, data, reveal: false }
        }
        "history" => {
            let before = from.text("cursor")?.as_deref().map(Cursor::read_history).transpose()?;
            Op::History { address: from.address()?, before, limit: from.limit()? }
        }
        "diff" => Op::Diff {
            address: from.address()?,
            from: from.number("from")?.unwrap_or_default(),
            to: from.number("to")?,
        },
        "view-diff" => {
            let state = from
                .as_of("from")?
                .ok_or_else(|| wrong("from", "`from` is required: a `seq` or an RFC 3339 time"))?;
            Op::ViewDiff { address: from.address()?, from: state, to: from.as_of("to")? }
        }
        "insights" | "progress" => {
            let kind = if read == "insights" { EntryKind::Insight } else { EntryKind::Progress };
            let before = from.text("cursor")?.as_deref().map(Cursor::read_entry).transpose()?;
            Op::Entries { address: from.address()?, kind, before, limit: from.limit()? }
        }
        _ => {
            return Err(wrong(
                "read",
                "`read` must be resolve, get, list, history, diff, view-diff, insights or progress",
            ));
        }
    })
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
        let line = import::line(item).map_err(|error| error.failed_operation(place))?;
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
