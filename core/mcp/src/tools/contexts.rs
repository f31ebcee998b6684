//! Tools that write, read and list contexts, one at a time and in batches.

use alloc::{boxed::Box, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_store::{
    limits,
    op::{Command, Expect, Read},
};
use nacre_wire::{
    operation::{self, BatchBody},
    question::{Parameters as _, Question},
};

use super::page::Page;
use crate::{
    Ask, Outcome, Step,
    arguments::{self, Arguments, opened},
    call::{Call, fetch, layers, name},
};

/// Contexts or entries of a page if the caller does not say.
const PAGE: u64 = 50;

/// The actions of `manage_context`.
pub(super) const ACTIONS: [&str; 15] = [
    "get",
    "list",
    "create",
    "put",
    "update",
    "append",
    "unset",
    "delete",
    "restore",
    "move",
    "resolve",
    "add_insight",
    "add_progress",
    "list_insights",
    "list_progress",
];

/// `manage_context`: one action on one context.
pub(super) fn manage(mut call: Call) -> Result<Step<Outcome>> {
    let action = call.arguments.peek("action").unwrap_or_default();
    if !ACTIONS.contains(&action) {
        return Err(super::unknown_action(&ACTIONS));
    }
    match action {
        "list" => list(call, Question::List),
        "list_insights" => list(call, Question::Insights),
        "list_progress" => list(call, Question::Progress),
        // One meaning of a view, with one way to answer it.
        "resolve" => {
            call.arguments.take("action");
            super::views::resolve(call)
        }
        _ => operate(call),
    }
}

/// Carries out an action that is an operation of a batch.
fn operate(mut call: Call) -> Result<Step<Outcome>> {
    let operation = call.arguments.take_operation()?;
    let item = operation::item(operation)?;
    let address = item.op.address().cloned();
    let is_write = item.op.is_write();
    Ok(call.ask(item.op, item.idempotency, move |finish, mut told| {
        if is_write {
            return finish.whole(written(told.members, told.seq));
        }
        let data = told.take("data").unwrap_or(Value::Null);
        let mut members = told.members;
        members.remove("created_at");
        let address = address.unwrap_or_else(Address::global);
        let how = fetch("resolve_context", &address, ",\"path\":\"<pointer>\"");
        finish.fitted(members, ("data", &Pointer::root(), data), &how)
    }))
}

/// What a write answers: not the data, which the caller knows or can read.
pub(super) fn written(mut members: Object, seq: u64) -> Object {
    for known in ["data", "rules", "created_at", "updated_at", "updated_by", "content"] {
        members.remove(known);
    }
    members.get_mut("restored").into_iter().for_each(layers);
    members.insert("seq", seq.into());
    members
}

/// Lists contexts, insights or progress notes.
fn list(mut call: Call, question: Question) -> Result<Step<Outcome>> {
    call.arguments.take("action");
    call.arguments.put_default("limit", PAGE);
    let read = question.read(&mut call.arguments)?;
    call.arguments.end()?;
    let address = read.address().cloned();
    let limit = match &read {
        Read::List { limit, .. } | Read::Entries { limit, .. } => *limit,
        _ => return Err(super::misread()),
    };
    let ask = move |most| {
        let mut read = read.clone();
        if let Read::List { limit, .. } | Read::Entries { limit, .. } = &mut read {
            *limit = most;
        }
        Ask::Command(read.into(), None)
    };
    let finish = call.finish;
    Ok(Page { finish, address, ask: Box::new(ask), limit, shorten }.told())
}

/// What of a context or a note is not worth its tokens in a list.
fn shorten(item: &mut Object) {
    item.remove("created_at");
    if item.get("rules").and_then(Value::as_object).is_some_and(Object::is_empty) {
        item.remove("rules");
    }
}

/// The version that a write expects.
///
/// # Errors
/// `invalid-request`.
pub(super) fn expected(arguments: &mut Arguments) -> Result<Expect> {
    let version = arguments.number("expect_version", limits::EXACT_INTEGER)?;
    Ok(version.map_or(Expect::Anything, Expect::Version))
}

/// `manage_context_batch`: up to 500 operations as one commit.
pub(super) fn batch(mut call: Call) -> Result<Step<Outcome>> {
    let idempotency = call.idempotency()?;
    let list = call.arguments.structure("operations")?.ok_or_else(|| {
        Error::new(Code::InvalidRequest, "this argument is required").at("/operations")
    })?;
    let operations = operations(list, call.setting.default.as_ref())?;
    let writes: Vec<bool> = operations.iter().map(is_write).collect();
    let transaction = match call.arguments.take("transaction") {
        None => None,
        Some(Value::String(text)) => Some(text != "false"),
        Some(value) => value.as_bool(),
    };
    call.arguments.end()?;
    let batch = BatchBody { transaction, operations }.into_batch()?;
    let addresses = batch.operations.iter().map(|item| {
        let item = item.as_ref().ok()?;
        item.op.address().cloned()
    });
    let about: Vec<Option<Address>> = addresses.collect();
    let about = move |error: &Error| about.get(error.operation()?).cloned().flatten();
    let ask = Ask::Command(Command::Batch(batch), idempotency);
    Ok(call.ask_any(ask, about, move |finish, mut told| {
        let mut results = told.list("results");
        for (result, is_write) in results.iter_mut().zip(writes) {
            let Value::Object(members) = result else { continue };
            name(members);
            members.get_mut("chain").into_iter().for_each(layers);
            for known in ["type", "title", "created_at", "updated_at", "updated_by"] {
                members.remove(known);
            }
            if is_write {
                members.remove("data");
                members.remove("rules");
            }
        }
        let mut members = Object::new();
        members.insert("seq", told.seq.into());
        let how = "repeat reads one by one, with path or a larger max_tokens";
        let results = ("results", &Pointer::root(), Value::Array(results));
        Step::Done(finish.fitted(members, results, how))
    }))
}

fn is_write(operation: &Value) -> bool {
    let action = operation.as_object().and_then(|members| members.get("action")?.as_str());
    !matches!(action, Some("get" | "resolve"))
}

/// The operations of a list, each with its context filled in and its structures opened.
///
/// # Errors
/// `invalid-request`, `invalid-id` with the pointer to the operation.
pub(super) fn operations(list: Value, default: Option<&Address>) -> Result<Vec<Value>> {
    let Value::Array(items) = list else {
        return Err(
            Error::new(Code::InvalidRequest, "must be a list of operations").at("/operations")
        );
    };
    let filled = |(index, item): (usize, Value)| {
        let place = |error: Error| {
            let pointer =
                alloc::format!("/operations/{index}{}", error.pointer().unwrap_or_default());
            error.at(pointer)
        };
        let Value::Object(mut members) = opened(item) else {
            return Err(place(Error::new(Code::InvalidRequest, "an operation must be an object")));
        };
        let address = arguments::address(&mut members, default).map_err(place)?;
        arguments::operation(members, &address).map_err(place)
    };
    items.into_iter().enumerate().map(filled).collect()
}
