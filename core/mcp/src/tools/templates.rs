//! Tools that begin contexts from templates.

use nacre_layers::{
    error::Result,
    id::ContextId,
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_store::op::{Command, Inspection};
use nacre_wire::{question::Parameters as _, template::BeginningBody};

use super::contexts::written;
use crate::{Ask, Outcome, Step, call::Call};

/// `list_templates`: what templates there are, or all of one.
pub(super) fn list(mut call: Call) -> Result<Step<Outcome>> {
    let name = call.arguments.text("template")?;
    call.arguments.end()?;
    let name = name.map(|name| template(&name)).transpose()?;
    let is_one = name.is_some();
    let asked = name.map_or(Inspection::Templates, Inspection::Template);
    let ask = Ask::Command(Command::Inspection(asked), None);
    Ok(call.ask_any(
        ask,
        |_| None,
        move |finish, mut told| {
            let mut members = told.only(&["name", "description", "variables", "preset"]);
            let (name, how) = match is_one {
                true => ("layers", "take a larger max_tokens"),
                false => ("templates", "name one with template, or take a larger max_tokens"),
            };
            let long = match is_one {
                true => told.take("layers").unwrap_or(Value::Null),
                false => Value::Array(told.list("items").into_iter().map(lean).collect()),
            };
            members.insert("seq", told.seq.into());
            Step::Done(finish.fitted(members, (name, &Pointer::root(), long), how))
        },
    ))
}

/// A template in a list, without what is empty.
fn lean(mut template: Value) -> Value {
    let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(<[_]>::is_empty);
    if let Value::Object(members) = &mut template {
        members.retain(|_, value| !is_empty(value));
    }
    template
}

/// `create_from_template`: a new context that starts with what its template says.
pub(super) fn create(mut call: Call) -> Result<Step<Outcome>> {
    let idempotency = call.idempotency()?;
    let name = call.arguments.text("template")?.ok_or_else(|| super::missing("template"))?;
    let name = template(&name)?;
    // A new context is never the default one.
    let mut body = Object::new();
    for member in ["level", "context_id", "parent"] {
        if let Some(text) = call.arguments.text(member)? {
            body.insert(member, text.into());
        }
    }
    for member in ["variables", "customizations"] {
        if let Some(structure) = call.arguments.structure(member)? {
            body.insert(member, structure);
        }
    }
    call.arguments.end()?;
    let body = BeginningBody::read(Value::Object(body))?;
    let ask = Ask::Command(Command::Administration(body.into_administration(name)?), idempotency);
    Ok(call.ask_any(
        ask,
        |_| None,
        |finish, told| Step::Done(finish.whole(written(told.members, told.seq))),
    ))
}

/// The name of a template.
fn template(name: &str) -> Result<ContextId> {
    ContextId::parse(name).map_err(|error| error.at("/template"))
}
