//! Tools that read views: resolved, explained, packed, and as they would be after a change.

use alloc::{format, string::ToString, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Result},
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_pack as pack;
use nacre_store::op::{Command, Op, Read, Resolve};
use nacre_wire::{operation::PreviewBody, question::Parameters as _};

use super::contexts::operations;
use crate::{
    Ask, Outcome, Setting, Step,
    call::{Call, Told, fetch, layers, name},
    failure::failure,
    outcome::{object, text_block},
};

/// `resolve_context`: what a context knows, its own layer and those above merged.
pub(super) fn resolve(mut call: Call) -> Result<Step<Outcome>> {
    let is_asked = call.arguments.names_a_context();
    let whoami = you(&call.setting);
    // Somebody who does not know where they are gets what holds for all.
    let address = match call.address() {
        Err(_) if !is_asked => Address::global(),
        address => address?,
    };
    let path = call.arguments.pointer("path")?;
    let as_of = call.arguments.state("at")?;
    call.arguments.end()?;
    let resolve = Resolve { address, path, as_of, explain: false, reveal: false };
    Ok(resolved(call, resolve, is_asked, whoami))
}

/// The view as a step.
fn resolved(call: Call, resolve: Resolve, is_asked: bool, whoami: Value) -> Step<Outcome> {
    let finish = call.finish;
    let address = resolve.address.clone();
    let at = resolve.path.clone().unwrap_or_else(Pointer::root);
    let ask = Ask::Command(Command::Op(Op::Read(Read::Resolve(resolve))), None);
    Step::ask(ask, move |answered| match answered.and_then(|it| Told::beside(it, "data")) {
        Ok((mut told, data)) => {
            let mut members = told.only(&["context", "chain", "seq"]);
            members.get_mut("chain").into_iter().for_each(layers);
            members.insert("you", whoami);
            let how = fetch("resolve_context", &address, ",\"path\":\"<pointer>\"");
            Step::Done(finish.fitted_text(members, ("data", &at, &data), &how))
        }
        Err(error) if error.code() == Code::NotFound && !is_asked => {
            let mut members = Object::new();
            members.insert("data", Value::Object(Object::new()));
            members.insert("you", whoami);
            let note = format!(
                "nothing is stored at {address} yet. manage_context with action \"list\" shows what \
                 there is, and with \"create\" makes a context"
            );
            members.insert("note", note.into());
            Step::Done(finish.whole(members))
        }
        Err(error) => failure(&error, Some(&address), finish),
    })
}

/// Who calls, what they may do, and where they are.
fn you(setting: &Setting) -> Value {
    let Setting { caller, default, standing, .. } = setting;
    let default = default.as_ref().map(|address| Value::String(address.to_string()));
    let mut you = object([
        ("default_context", default.unwrap_or(Value::Null)),
        ("scopes", caller.scopes.to_string().into()),
        ("user", caller.user.as_str().into()),
    ]);
    if let Value::Object(you) = &mut you {
        if caller.owner != caller.user {
            you.insert("store_of", caller.owner.as_str().into());
        }
        if let Some(standing) = standing {
            you.insert("requests_left", standing.left.into());
        }
    }
    you
}

/// `explain_context`: where each value of a view comes from, and what it hides.
pub(super) fn explain(mut call: Call) -> Result<Step<Outcome>> {
    let address = call.address()?;
    let path = call.arguments.pointer("path")?;
    let as_of = call.arguments.state("at")?;
    call.arguments.end()?;
    let resolve = Resolve { address: address.clone(), path, as_of, explain: true, reveal: false };
    Ok(call.ask(Read::Resolve(resolve), None, move |finish, mut told| {
        let mut origins = told.take("origins").unwrap_or(Value::Null);
        for origin in origins.as_object_mut().into_iter().flat_map(Object::iter_mut) {
            shorten(origin.1);
        }
        let mut parts = Object::new();
        parts.insert("data", told.take("data").unwrap_or(Value::Null));
        parts.insert("origins", origins);
        let mut ignored = told.take("ignored").unwrap_or(Value::Null);
        if ignored.as_array().is_some_and(|ignored| !ignored.is_empty()) {
            ignored.as_array_mut().into_iter().flatten().for_each(shorten);
            parts.insert("ignored", ignored);
        }
        let mut members = told.only(&["context", "chain", "seq"]);
        members.get_mut("chain").into_iter().for_each(layers);
        let how = fetch("explain_context", &address, ",\"path\":\"<pointer>\"");
        finish.fitted(members, ("explained", &Pointer::root(), Value::Object(parts)), &how)
    }))
}

/// Names layers shortly: `from: "project/shop@3"`.
fn shorten(origin: &mut Value) {
    let mut from = origin.clone();
    layers(&mut from);
    let Value::Object(members) = origin else { return };
    for name in ["level", "id", "version"] {
        members.remove(name);
    }
    members.insert("from", from);
    for name in ["shadowed", "locked_by"] {
        members.get_mut(name).into_iter().for_each(layers);
    }
    if members.get("shadowed").and_then(Value::as_array).is_some_and(<[Value]>::is_empty) {
        members.remove("shadowed");
    }
}

/// `get_context_pack`: a view for a prompt.
pub(super) fn pack(mut call: Call) -> Result<Step<Outcome>> {
    call.arguments.put("max_tokens", (call.finish.room as u64).into());
    let mut ask = pack::Ask::read(&mut call.arguments)?;
    ask.calls = pack::Calls::Tools;
    call.arguments.end()?;
    let address = ask.address.clone();
    let finish = call.finish;
    Ok(Step::ask(Ask::Pack(ask), move |answered| match answered {
        Ok(answered) => {
            let text = alloc::string::String::from_utf8_lossy(&answered.body).into_owned();
            let structured = object([
                ("context", address.to_string().into()),
                ("pack", text.clone().into()),
                ("seq", answered.seq.into()),
            ]);
            let content = Vec::from([text_block(text)]);
            Step::Done(Outcome { content, structured: Some(structured), failed: false })
        }
        Err(error) => failure(&error, Some(&address), finish),
    }))
}

/// `preview_change`: what writes would change in views. Nothing is stored.
pub(super) fn preview(mut call: Call) -> Result<Step<Outcome>> {
    let address = call.address()?;
    let patch = call.arguments.structure("patch")?;
    let list = call.arguments.structure("operations")?;
    let list = list.map(|list| operations(list, Some(&address))).transpose()?;
    call.arguments.end()?;
    let read = PreviewBody { patch, operations: list }.into_read(address)?;
    Ok(call.ask(read, None, |finish, mut told| {
        for list in ["affected", "overridden_by"] {
            for item in
                told.members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
            {
                item.as_object_mut().into_iter().for_each(name);
            }
        }
        let affected = told.take("affected").unwrap_or(Value::Null);
        let how = "preview a part of the change, or take a larger max_tokens";
        finish.fitted(told.members, ("affected", &Pointer::root(), affected), how)
    }))
}
