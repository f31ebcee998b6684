//! One call of a tool: its arguments, its room, and the answers that fit it.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_pack::{TOKENS_DEFAULT, TOKENS_LEAST};
use nacre_store::op::{Command, Idempotency, Op};
use nacre_wire::{operation::check_key, question::Parameters as _};

use crate::{
    Answered, Ask, Outcome, Setting, Step,
    arguments::{Arguments, text_of},
    bound::{Fitted, cut, fitting, tokens, tokens_of},
    failure::failure,
    outcome::text_block,
    text::{Parts, parts, value},
    tools::Tool,
};

/// One call of a tool.
pub(crate) struct Call {
    /// The arguments that are not taken yet.
    pub(crate) arguments: Arguments,
    /// What the call stands in.
    pub(crate) setting: Setting,
    /// What makes its outcome.
    pub(crate) finish: Finish,
    /// The hash of the tool's name and of its arguments.
    fingerprint: Hash,
}

impl Call {
    /// Reads `max_tokens`; a tool reads the other arguments.
    ///
    /// # Errors
    /// `invalid-request` for fewer tokens than an answer needs.
    pub(crate) fn of(tool: &Tool, arguments: Object, setting: &Setting) -> Result<Call> {
        let given = Value::Object(arguments);
        let fingerprint = Hash::of(format!("{} {}", tool.name, text_of(&given)).as_bytes());
        let Value::Object(arguments) = given else { return Err(Error::bug("no arguments")) };
        let mut arguments = Arguments::of(arguments, setting.default.clone());
        let wanted = arguments.number("max_tokens", u64::MAX)?.unwrap_or(TOKENS_DEFAULT);
        if wanted < TOKENS_LEAST {
            let detail = format!("must be {TOKENS_LEAST} to {}", setting.most_tokens);
            return Err(Error::new(Code::InvalidRequest, detail).at("/max_tokens"));
        }
        let room = usize::try_from(wanted.min(setting.most_tokens)).unwrap_or(usize::MAX);
        let finish = Finish { room, all: tool.set.all() };
        Ok(Call { arguments, setting: setting.clone(), finish, fingerprint })
    }

    /// The context that the arguments mean.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-request`.
    pub(crate) fn address(&mut self) -> Result<Address> {
        self.arguments.address()
    }

    /// The idempotency key of a write, if it has one.
    ///
    /// # Errors
    /// `invalid-request`.
    pub(crate) fn idempotency(&mut self) -> Result<Option<Idempotency>> {
        let Some(key) = self.arguments.text("idempotency_key")? else { return Ok(None) };
        check_key(&key).map_err(|error| error.at("/idempotency_key"))?;
        Ok(Some(Idempotency { key, request: self.fingerprint }))
    }

    /// Asks for one operation, and goes on with its answer as JSON. Fails as the store does, with other
    /// names for a context that does not exist.
    pub(crate) fn ask(
        self,
        op: impl Into<Op>,
        idempotency: Option<Idempotency>,
        next: impl FnOnce(Finish, Told) -> Outcome + 'static,
    ) -> Step<Outcome> {
        let op = op.into();
        let address = op.address().cloned();
        let about = move |_: &Error| address;
        let ask = Ask::Command(Command::Op(op), idempotency);
        self.ask_any(ask, about, move |finish, told| Step::Done(next(finish, told)))
    }

    /// Asks for anything; `about` says which context a failure is about.
    pub(crate) fn ask_any(
        self,
        ask: Ask,
        about: impl FnOnce(&Error) -> Option<Address> + 'static,
        next: impl FnOnce(Finish, Told) -> Step<Outcome> + 'static,
    ) -> Step<Outcome> {
        let finish = self.finish;
        Step::ask(ask, move |answered| match answered.and_then(Told::of) {
            Ok(told) => next(finish, told),
            Err(error) => {
                let address = about(&error);
                failure(&error, address.as_ref(), finish)
            }
        })
    }
}

/// What the store has told: the members of its answer.
pub(crate) struct Told {
    /// The members.
    pub(crate) members: Object,
    /// The store's `seq` after the request.
    pub(crate) seq: u64,
}

impl Told {
    /// Reads an answer. Level and id become one member, `context`.
    pub(crate) fn of(answered: Answered) -> Result<Told> {
        match answered.value()? {
            Value::Object(mut members) => {
                name(&mut members);
                Ok(Told { members, seq: answered.seq })
            }
            _ => Err(Error::bug("an answer is no object")),
        }
    }

    /// Reads an answer, but for one member that may be long: of that it gives the text.
    pub(crate) fn beside(answered: Answered, long: &str) -> Result<(Told, String)> {
        let no_object = || Error::bug("an answer is no object");
        let body = String::from_utf8(answered.body).map_err(|_| no_object())?;
        let Parts::Members(parts) = parts(&body) else { return Err(no_object()) };
        let (mut members, mut text) = (Object::new(), String::from("null"));
        for (name, part) in parts {
            if name == long {
                text = part.into();
            } else {
                members.insert(name.as_ref(), value(part));
            }
        }
        name(&mut members);
        Ok((Told { members, seq: answered.seq }, text))
    }

    /// Takes a member.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// Takes a list.
    pub(crate) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.take(name) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        }
    }

    /// The members with these names, in a new object.
    pub(crate) fn only(&mut self, names: &[&str]) -> Object {
        let mut only = Object::new();
        for name in names {
            if let Some(value) = self.members.remove(name).filter(|value| !value.is_null()) {
                only.insert(*name, value);
            }
        }
        only
    }
}

/// Puts level and id together, `"context": "task/fix-login"`, and leaves out what is null.
pub(crate) fn name(members: &mut Object) {
    members.retain(|_, value| !value.is_null());
    let id = members.get("id").or_else(|| members.get("context_id"));
    let (level, id) = (members.get("level").and_then(Value::as_str), id.and_then(Value::as_str));
    let Some(context) = level.zip(id).map(|(level, id)| format!("{level}/{id}")) else { return };
    for part in ["level", "id", "context_id"] {
        members.remove(part);
    }
    members.insert("context", context.into());
}

/// The name of a context in place of an object that has nothing else.
pub(crate) fn named(context: &mut Value) {
    let Value::Object(members) = context else { return };
    name(members);
    if members.len() == 1
        && let Some(name) = members.remove("context")
    {
        *context = name;
    }
}

/// Layers of a chain, short: `project/shop@3`.
pub(crate) fn layers(value: &mut Value) {
    let short = |layer: &Value| {
        let layer = layer.as_object()?;
        let text = |name: &str| layer.get(name)?.as_str();
        let version = layer.get("version")?.as_number()?;
        let (level, id) = (text("level")?, text("id")?);
        Some(Value::String(format!("{level}/{id}@{}", text_of(&Value::Number(version)))))
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(layers),
        _ => {
            if let Some(short) = short(value) {
                *value = short;
            }
        }
    }
}

/// Makes outcomes that fit their room.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    /// The most tokens of the text.
    pub(crate) room: usize,
    /// The call that shows all there are of what the tool is about.
    pub(crate) all: &'static str,
}

impl Finish {
    /// An outcome that is short by its nature.
    pub(crate) fn whole(self, members: Object) -> Outcome {
        let structured = Value::Object(members);
        let text = text_of(&structured);
        let needed = tokens(&text);
        if needed > self.room {
            let room = self.room;
            return Outcome::failure(format!(
                "too-large: this answer needs {needed} tokens, and max_tokens is {room}\n\
                 Next: repeat the call with a larger max_tokens."
            ));
        }
        Outcome {
            content: Vec::from([text_block(text)]),
            structured: Some(structured),
            failed: false,
        }
    }

    /// An outcome with one member that may be long, as its JSON text. `fetch` says how what is left out is
    /// read, by a pointer that begins with `at`, where the member is.
    pub(crate) fn fitted_text(
        self,
        mut members: Object,
        (name, at, long): (&str, &Pointer, &str),
        fetch: &str,
    ) -> Outcome {
        let frame = tokens_of(&Value::Object(members.clone())) + tokens(name) + FRAME;
        let room = self.room.saturating_sub(frame);
        if fitting(long, room).is_some() {
            members.insert(name, value(long));
            return self.whole(members);
        }
        let Fitted { value, left_out } = cut(long, at, room.saturating_sub(tokens(fetch) + FETCH));
        if let Some(value) = value {
            members.insert(name, value);
        }
        if let Some(left_out) = left_out {
            members.insert("left_out", left_out);
        }
        members.insert("fetch", fetch.into());
        self.whole(members)
    }

    /// As [`Finish::fitted_text`] with a value.
    pub(crate) fn fitted(
        self,
        members: Object,
        (name, at, long): (&str, &Pointer, Value),
        fetch: &str,
    ) -> Outcome {
        self.fitted_text(members, (name, at, &text_of(&long)), fetch)
    }

    /// How many of these items fit beside `members`, at least one.
    pub(crate) fn items(self, members: &Object, items: &[Value]) -> usize {
        let frame = tokens_of(&Value::Object(members.clone())) + PAGE;
        let mut room = self.room.saturating_sub(frame);
        let fits = items.iter().take_while(|item| {
            let rest = room.checked_sub(tokens_of(item) + 1);
            room = rest.unwrap_or(0);
            rest.is_some()
        });
        fits.count().max(1)
    }
}

/// The tokens of a member's quotes, colon and comma.
const FRAME: usize = 6;

/// The tokens of the names of what is said about left out places.
const FETCH: usize = 16;

/// The tokens of the frame of a page: its names and its cursor.
const PAGE: usize = 80;

/// How a part of something is fetched: a call as a model writes it.
pub(crate) fn fetch(tool: &str, address: &Address, more: &str) -> String {
    format!(
        "{tool} {{\"level\":\"{}\",\"context_id\":\"{}\"{more}}}, or a larger max_tokens",
        address.level, address.id,
    )
}
