//! The tool that moves values up: what one context has learnt becomes known to all below another.

use alloc::{boxed::Box, string::String};

use nacre_layers::{
    error::Result,
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_store::{
    op::{Command, Inspection},
    promotion::Verdict,
};
use nacre_wire::{
    promotion::{PromotionBody, settle},
    question::{Parameters as _, promotions},
};

use super::page::Page;
use crate::{
    Ask, Outcome, Step,
    call::{Call, Finish, Told, named},
    outcome::object,
};

/// What tells promotions apart.
const OUTLINE: [&str; 5] = ["id", "state", "from", "to", "pointer"];

/// Promotions of a page if the caller does not say.
const PAGE: u64 = 10;

/// The actions of `promote_context`.
pub(super) const ACTIONS: [&str; 5] = ["propose", "list", "approve", "decline", "undo"];

/// `promote_context`: proposes to move a value up, and decides on proposals.
pub(super) fn promote(mut call: Call) -> Result<Step<Outcome>> {
    match call.arguments.text("action")?.as_deref() {
        Some("propose") => propose(call),
        Some("list") => list(call),
        Some("approve") => decide(call, Verdict::Approve),
        Some("decline") => decide(call, Verdict::Decline),
        Some("undo") => decide(call, Verdict::Undo),
        _ => Err(super::unknown_action(&ACTIONS)),
    }
}

fn propose(mut call: Call) -> Result<Step<Outcome>> {
    let idempotency = call.idempotency()?;
    let from = call.address()?;
    let mut body = Object::new();
    let place = [("id", from.id.as_str().into()), ("level", from.level.as_str().into())];
    body.insert("from", object(place));
    for name in ["pointer", "reason"] {
        if let Some(text) = call.arguments.text(name)? {
            body.insert(name, text.into());
        }
    }
    let to = call.arguments.text("to")?.ok_or_else(|| super::missing("to"))?;
    body.insert("to", object([("level", to.into())]));
    if let Some(evidence) = call.arguments.take("evidence") {
        body.insert("evidence", evidence);
    }
    call.arguments.end()?;
    let body = PromotionBody::read(Value::Object(body))?;
    let ask = Ask::Command(Command::Administration(body.into_administration()?), idempotency);
    Ok(call.ask_any(ask, move |_| Some(from), |finish, told| Step::Done(proposed(finish, told))))
}

fn decide(mut call: Call, verdict: Verdict) -> Result<Step<Outcome>> {
    let idempotency = call.idempotency()?;
    let id: String = call.arguments.text("id")?.ok_or_else(|| super::missing("id"))?;
    call.arguments.end()?;
    let ask = Ask::Command(Command::Administration(settle(&id, verdict)?), idempotency);
    Ok(call.ask_any(ask, |_| None, |finish, told| Step::Done(settled(finish, told))))
}

/// What has become of a promotion. Who decides on it has seen the rest.
fn settled(finish: Finish, mut told: Told) -> Outcome {
    shorten(&mut told.members);
    let mut members = told.only(&OUTLINE);
    members.insert("seq", told.seq.into());
    finish.whole(members)
}

/// What a proposal has become, and what it would change. Who proposes knows the rest.
fn proposed(finish: Finish, mut told: Told) -> Outcome {
    shorten(&mut told.members);
    let mut members = told.only(&OUTLINE);
    members.insert("seq", told.seq.into());
    let long = told.only(&["preview", "value", "replaces"]);
    let how = "take a larger max_tokens, or read the contexts";
    finish.fitted(members, ("promotion", &Pointer::root(), Value::Object(long)), how)
}

fn list(mut call: Call) -> Result<Step<Outcome>> {
    call.arguments.put_default("limit", PAGE);
    let asked = promotions(&mut call.arguments)?;
    call.arguments.end()?;
    let Inspection::Promotions { standing, before, limit } = asked else {
        return Err(super::misread());
    };
    let ask = move |limit| {
        Ask::Command(Command::Inspection(Inspection::Promotions { standing, before, limit }), None)
    };
    let finish = call.finish;
    Ok(Page { finish, address: None, ask: Box::new(ask), limit, shorten }.told())
}

/// Names contexts shortly.
fn shorten(promotion: &mut Object) {
    promotion.retain(|_, value| !value.is_null());
    for name in ["from", "to"] {
        promotion.get_mut(name).into_iter().for_each(named);
    }
    let preview = promotion.get_mut("preview").and_then(Value::as_object_mut);
    let lists = preview.into_iter().flat_map(Object::iter_mut).map(|(_, value)| value);
    for item in lists.filter_map(Value::as_array_mut).flatten() {
        named(item);
    }
}
