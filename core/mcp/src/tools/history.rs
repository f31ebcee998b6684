//! Tools of the past: versions, what differs between them, and the way back.

use alloc::boxed::Box;

use nacre_layers::{error::Result, pointer::Pointer, value::Value};
use nacre_store::{
    limits,
    op::{Edit, Read},
};
use nacre_wire::question::{Parameters as _, Question};

use super::{
    contexts::{expected, written},
    page::Page,
};
use crate::{
    Ask, Outcome, Step,
    call::{Call, layers},
};

/// Versions of a page if the caller does not say.
const PAGE: u64 = 20;

/// `get_context_history`: the versions of a context, newest first.
pub(super) fn history(mut call: Call) -> Result<Step<Outcome>> {
    call.arguments.put_default("limit", PAGE);
    let read = Question::History.read(&mut call.arguments)?;
    call.arguments.end()?;
    let Read::History { address, before, limit } = read else {
        return Err(super::misread());
    };
    let of = address.clone();
    let ask = move |limit| {
        let address = address.clone();
        Ask::Command(Read::History { address, before, limit }.into(), None)
    };
    let finish = call.finish;
    let (ask, address, shorten) = (Box::new(ask), Some(of), |_: &mut _| {});
    Ok(Page { finish, address, ask, limit, shorten }.told())
}

/// `diff_context`: a JSON Patch between two versions of a context, or two states of its view.
pub(super) fn diff(mut call: Call) -> Result<Step<Outcome>> {
    let question = match call.arguments.flag("view")? {
        true => Question::ViewDiff,
        false => Question::Diff,
    };
    let read = question.read(&mut call.arguments)?;
    call.arguments.end()?;
    let how = "compare states that are nearer to each other, or take a larger max_tokens";
    Ok(call.ask(read, None, move |finish, mut told| {
        let mut patch = told.take("patch").unwrap_or(Value::Null);
        // Of a view, each change says which layers made it.
        for change in patch.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            change.get_mut("layers").into_iter().for_each(layers);
        }
        told.members.insert("seq", told.seq.into());
        finish.fitted(told.members, ("patch", &Pointer::root(), patch), how)
    }))
}

/// `rollback_context`: a new version with the data and rules of an old one.
pub(super) fn rollback(mut call: Call) -> Result<Step<Outcome>> {
    let idempotency = call.idempotency()?;
    let address = call.address()?;
    let version = call.arguments.number("version", limits::EXACT_INTEGER)?;
    let version = version.ok_or_else(|| super::missing("version"))?;
    let summary = call.arguments.text("summary")?;
    let expect = expected(&mut call.arguments)?;
    call.arguments.end()?;
    let edit = Edit::Rollback { address, version, summary, expect };
    Ok(call.ask(edit, idempotency, |finish, told| finish.whole(written(told.members, told.seq))))
}
