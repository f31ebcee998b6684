//! Failures that a model can act on: what was wrong, and which call comes next.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Conflict, Error},
    level::Level,
    pointer::Pointer,
    value::Value,
};
use nacre_store::{
    limits,
    op::{Command, Op, Read},
    store::Filter,
};

use crate::{
    Ask, Outcome, Step,
    arguments::text_of,
    bound::{fit, tokens},
    call::Finish,
    nearest::nearest,
    outcome::object,
};

/// Names that are offered for one that does not exist.
const OFFERED: usize = 3;

/// Pages of contexts in which a name is looked for: 1,000 contexts.
const PAGES: usize = 5;

/// Tokens of a failure's text that are not those of its conflicts, at most.
const FRAME: usize = 200;

/// The failure of a call, about the context at `address` if it is about one. Its text has at most the
/// tokens of `finish`, but says always what is wrong.
pub(crate) fn failure(error: &Error, address: Option<&Address>, finish: Finish) -> Step<Outcome> {
    match (error.code(), address) {
        // With a pointer, something else in the request is missing.
        (Code::NotFound, Some(address))
            if address.level != Level::Global && error.pointer().is_none() =>
        {
            offer(address.clone(), error.operation(), Vec::new(), None, PAGES)
        }
        _ => Step::Done(Outcome::failure(text(error, finish))),
    }
}

/// What is wrong, where, and what to do.
fn text(error: &Error, finish: Finish) -> String {
    let mut text = format!("{}: {}", error.code(), error.detail());
    if let Some(pointer) = error.pointer().filter(|pointer| !pointer.is_empty()) {
        text.push_str(&format!(" (at {pointer:?})"));
    }
    if let Some(index) = error.operation() {
        text.push_str(&format!(" (operation {index})"));
    }
    if let Some(version) = error.version() {
        text.push_str(&format!(". The current version is {version}"));
    }
    let conflicts = error.conflict_list().filter(|conflicts| !conflicts.is_empty());
    if let Some(conflicts) = conflicts {
        let conflicts = conflicts.iter().map(shown).collect();
        let left = finish.room.saturating_sub(tokens(&text).max(FRAME));
        let fitted = fit(&text_of(&Value::Array(conflicts)), &Pointer::root(), left);
        if let Some(conflicts) = fitted.value {
            text.push_str(&format!(". Conflicts: {}", text_of(&conflicts)));
        }
        if let Some(left_out) = fitted.left_out {
            text.push_str(&format!(". Left out of them: {}", text_of(&left_out)));
        }
    }
    text.push_str("\nNext: ");
    match error.code() {
        Code::NotFound => text.push_str(&format!("call {} to see what there is.", finish.all)),
        code => text.push_str(next(code)),
    }
    text
}

fn shown(conflict: &Conflict) -> Value {
    let Conflict { pointer, base, current, yours } = conflict;
    let mut shown = object([("pointer", pointer.as_str().into())]);
    if let Value::Object(shown) = &mut shown {
        for (name, side) in [("base", base), ("current", current), ("yours", yours)] {
            if let Some(side) = side {
                shown.insert(name, side.clone());
            }
        }
    }
    shown
}

/// The call that helps after a failure, in the terms of tools.
fn next(code: Code) -> &'static str {
    match code {
        Code::ParentNotFound => {
            "create the parent first, or repeat the call with create_parents: true."
        }
        Code::VersionConflict => {
            "decide each conflict, and repeat the write with the current version as expect_version. \
             Without expect_version an update merges with what others wrote."
        }
        Code::MergeConflict => {
            "read the context with manage_context, action \"get\", and make the edit for its current \
             data."
        }
        Code::Locked => {
            "leave that path out. explain_context shows the layer that locks it; only there can the \
             value be changed."
        }
        Code::HasChildren => {
            "delete the contexts below first, or repeat the call with cascade: true. A delete can be \
             undone with action \"restore\"."
        }
        Code::AlreadyExists => "change it with action \"update\", or choose another context_id.",
        Code::Forbidden => "go on without this, or tell the user which scope the token needs.",
        Code::TooLarge | Code::TooManyOperations => "repeat the call with less at once.",
        Code::IdempotencyMismatch => "use a new idempotency_key for a new write.",
        Code::HistoryExpired => "choose a newer version: get_context_history shows what is kept.",
        Code::RateLimited => "wait a few seconds, then repeat the call.",
        Code::QuotaExceeded => "delete what is not needed any more, or tell the user.",
        Code::SearchUnavailable | Code::StoreUnavailable => {
            "repeat the call after a few seconds; with an idempotency_key nothing is written twice."
        }
        Code::Unauthenticated => "tell the user that the token must be renewed.",
        Code::Internal => "tell the user. The same call is likely to fail again.",
        _ => "correct the argument, and repeat the call.",
    }
}

/// Looks for contexts whose ids are near one that does not exist.
fn offer(
    address: Address,
    operation: Option<usize>,
    mut known: Vec<Address>,
    after: Option<Address>,
    pages: usize,
) -> Step<Outcome> {
    let filter = Filter { level: None, parent: None, under: None, prefix: None };
    let (limit, data, reveal) = (limits::PAGE, false, false);
    let list = Op::Read(Read::List { filter, after, limit, data, reveal });
    Step::ask(Ask::Command(Command::Op(list), None), move |answered| {
        let page = answered.ok().and_then(|answered| answered.value().ok());
        let items = page.as_ref().and_then(|page| page.as_object()?.get("items")?.as_array());
        let items = items.unwrap_or_default().iter().filter_map(|item| {
            let text = |name: &str| item.as_object()?.get(name)?.as_str();
            Address::parse(text("level")?, text("id")?).ok()
        });
        let before = known.len();
        known.extend(items);
        let is_full = known.len() - before == limits::PAGE;
        match known.last().filter(|_| is_full && pages > 1).cloned() {
            Some(last) => offer(address, operation, known, Some(last), pages - 1),
            None => Step::Done(Outcome::failure(missing(&address, operation, &known))),
        }
    })
}

fn missing(address: &Address, operation: Option<usize>, known: &[Address]) -> String {
    let elsewhere = known.iter().filter(|other| other.id == address.id);
    let level = known.iter().filter(|other| other.level == address.level);
    let near = nearest(address.id.as_str(), level.map(|other| other.id.as_str()), OFFERED);
    let near = near.into_iter().map(|id| format!("{}/{id}", address.level));
    let mut offered: Vec<String> = elsewhere.map(|other| format!("{other}")).chain(near).collect();
    offered.truncate(OFFERED);
    let meant = match offered.is_empty() {
        true => String::new(),
        false => format!(" Did you mean {}?", offered.join(" or ")),
    };
    if known.contains(address) {
        return format!(
            "not-found: {address} has no such version or state\nNext: call get_context_history to see \
             what is kept."
        );
    }
    let operation = operation.map(|index| format!(" (operation {index})")).unwrap_or_default();
    format!(
        "not-found{operation}: there is no context {address} that you may read.{meant}\nNext: repeat the call with \
         the right level and context_id, or call manage_context with action \"list\" to see what there \
         is."
    )
}
