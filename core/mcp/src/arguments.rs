//! The arguments of a call, as clients really send them.
//!
//! Models pass objects as JSON text, numbers and booleans as strings, and `task/fix-login` as one id.
//! What is meant is clear in all these, so they are accepted. What is unknown is refused with the
//! names that are allowed.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    json,
    level::Level,
    number::Number,
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_store::{limits, store::AsOf};
use nacre_wire::{
    question::{Parameters, not_from_one_to, parsed},
    request,
};

use crate::nearest::nearest;

/// The arguments that are not taken yet.
#[derive(Debug)]
pub(crate) struct Arguments {
    left: Object,
    allowed: Vec<&'static str>,
    default: Option<Address>,
}

impl Arguments {
    /// The arguments of a call; `default` is the context that is meant if they name none.
    pub(crate) fn of(arguments: Object, default: Option<Address>) -> Arguments {
        Arguments { left: arguments, allowed: Vec::new(), default }
    }

    /// Takes an argument of any type; `None` if it is not there, or null.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.allowed.push(name);
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// Takes an object or an array, which may come as JSON text.
    ///
    /// # Errors
    /// `invalid-request` for other values, and for text that is neither.
    pub(crate) fn structure(&mut self, name: &'static str) -> Result<Option<Value>> {
        let value = self.take(name).map(opened);
        match value {
            None | Some(Value::Object(_) | Value::Array(_)) => Ok(value),
            Some(_) => Err(self.place(name, wrong("must be an object or an array"))),
        }
    }

    /// Takes a pointer.
    ///
    /// # Errors
    /// `invalid-pointer`.
    pub(crate) fn pointer(&mut self, name: &'static str) -> Result<Option<Pointer>> {
        parsed(self, name, |text| Pointer::parse(text))
    }

    /// The text of an argument, which is left in its place.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        self.left.get(name).and_then(Value::as_str)
    }

    /// Whether a context is named.
    pub(crate) fn names_a_context(&self) -> bool {
        let is_given = |name| self.left.get(name).is_some_and(|value| !value.is_null());
        ["level", "context_id", "id"].into_iter().any(is_given)
    }

    /// Puts an argument in, over one that was sent.
    pub(crate) fn put(&mut self, name: &'static str, value: Value) {
        self.left.insert(name, value);
    }

    /// Puts in what an argument is if it was not sent.
    pub(crate) fn put_default(&mut self, name: &'static str, number: u64) {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.put(name, number.into());
        }
    }

    /// Takes all that is left: the operation of a batch that these arguments are.
    ///
    /// # Errors
    /// `invalid-id`, `invalid-request` if no context is named and there is no default.
    pub(crate) fn take_operation(&mut self) -> Result<Value> {
        let address = self.address()?;
        operation(core::mem::take(&mut self.left), &address)
    }

    /// Refuses arguments that were not taken.
    ///
    /// # Errors
    /// `invalid-request` with one of them, the nearest name, and the names that are allowed.
    pub(crate) fn end(&self) -> Result<()> {
        let Some((name, _)) = self.left.iter().find(|(_, value)| !value.is_null()) else {
            return Ok(());
        };
        let meant = nearest(name, self.allowed.iter().copied(), 1);
        let meant = meant.first().map(|name| format!(" Did you mean `{name}`?"));
        let detail = format!(
            "there is no argument `{name}` here.{} Allowed: {}",
            meant.unwrap_or_default(),
            self.allowed.join(", "),
        );
        Err(Error::new(Code::InvalidRequest, detail))
    }
}

/// Fills the context into an operation, and opens its structures.
///
/// # Errors
/// `forbidden` for one that opens sealed values: they would stand in a prompt.
pub(crate) fn operation(members: Object, address: &Address) -> Result<Value> {
    if members.contains("reveal") {
        let detail = "tools never open sealed values; ask the user for what you need of them";
        return Err(Error::new(Code::Forbidden, detail).at("/reveal"));
    }
    let mut operation = Object::new();
    for (name, value) in members {
        let value = match name.as_str() {
            "data" | "patch" | "values" | "pointers" | "rules" => opened(value),
            "expect_version" | "version" | "importance" => number(value),
            "cascade" | "create_parents" | "explain" | "reveal" => switch(value),
            _ => value,
        };
        operation.insert(name, value);
    }
    operation.insert("level", address.level.as_str().into());
    operation.insert("context_id", address.id.as_str().into());
    Ok(Value::Object(operation))
}

/// The address that members name, taken out of them.
///
/// # Errors
/// `invalid-id`, `invalid-request` if they name none and there is no default.
pub(crate) fn address(members: &mut Object, default: Option<&Address>) -> Result<Address> {
    let mut text = |name: &str| match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong("must be a string").at(Pointer::from_tokens([name]))),
    };
    let (level, context_id, id) = (text("level")?, text("context_id")?, text("id")?);
    let id = context_id.or(id);
    match (level, id) {
        (Some(level), Some(id)) => {
            let id = id.strip_prefix(&format!("{level}/")).unwrap_or(&id);
            Address::parse(&level, id)
        }
        (Some(level), None) if level == Level::Global.as_str() => Ok(Address::global()),
        (None, Some(id)) => match (id.split_once('/'), default) {
            (Some((level, id)), _) => Address::parse(level, id),
            // One of the default's level is most likely meant.
            (None, Some(default)) => Address::parse(default.level.as_str(), &id),
            (None, None) => Err(wrong("name the context's `level`, too").at("/level")),
        },
        (Some(level), None) => match default.filter(|default| default.level.as_str() == level) {
            Some(default) => Ok(default.clone()),
            None => Err(wrong("name the context's `context_id`, too").at("/context_id")),
        },
        (None, None) => default.cloned().ok_or_else(|| {
            wrong(
                "name a context with `level` and `context_id`: this client has no default context. \
                 manage_context with action \"list\" shows what there is",
            )
        }),
    }
}

impl Parameters for Arguments {
    fn address(&mut self) -> Result<Address> {
        self.allowed.extend(["level", "context_id"]);
        address(&mut self.left, self.default.as_ref())
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Bool(flag)) => Ok(Some(format!("{flag}"))),
            Some(Value::Number(number)) => Ok(Some(text_of(&Value::Number(number)))),
            // Lists of words, such as levels, are one text with commas in a query.
            Some(Value::Array(items)) => {
                let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                let list = items.map(|items| items.join(","));
                list.map(Some).ok_or_else(|| self.place(name, wrong("must be a list of strings")))
            }
            Some(_) => Err(self.place(name, wrong("must be a string"))),
        }
    }

    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>> {
        match self.take(name).map(number) {
            None => Ok(None),
            Some(Value::Number(Number::Unsigned(number))) if (1..=most).contains(&number) => {
                Ok(Some(number))
            }
            Some(_) => Err(self.place(name, not_from_one_to(most))),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<bool> {
        match self.take(name).map(switch) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.place(name, wrong("must be true or false"))),
        }
    }

    fn state(&mut self, name: &'static str) -> Result<Option<AsOf>> {
        let state = self.take(name).map(number);
        let state = state.map(|state| request::state(&state)).transpose();
        state.map_err(|error| self.place(name, error))
    }

    fn context(&mut self, name: &'static str) -> Result<Option<Address>> {
        let context = match self.take(name).map(opened) {
            None => return Ok(None),
            Some(Value::Object(mut members)) => address(&mut members, None),
            Some(Value::String(text)) => match text.split_once('/') {
                Some((level, id)) => Address::parse(level, id),
                None => Err(wrong("must be `level/id`, such as `project/shop`")),
            },
            Some(_) => Err(wrong("must be `level/id`, such as `project/shop`")),
        };
        context.map(Some).map_err(|error| self.place(name, error))
    }

    fn place(&self, name: &'static str, error: Error) -> Error {
        let below = error.pointer().unwrap_or_default();
        let pointer = format!("/{name}{below}");
        error.at(pointer)
    }
}

/// What a text stands for that is an object or an array in JSON.
pub(crate) fn opened(value: Value) -> Value {
    let Value::String(text) = &value else { return value };
    if !text.trim_start().starts_with(['{', '[']) {
        return value;
    }
    json::read(text.as_bytes(), limits::DEPTH).unwrap_or(value)
}

/// What a text stands for that is a number.
fn number(value: Value) -> Value {
    match value.as_str().and_then(|text| json::read(text.trim().as_bytes(), 1).ok()) {
        Some(number @ Value::Number(_)) => number,
        _ => value,
    }
}

/// What a text stands for that is `true` or `false`.
fn switch(value: Value) -> Value {
    match value.as_str() {
        Some("true") => Value::Bool(true),
        Some("false") => Value::Bool(false),
        _ => value,
    }
}

/// Canonical JSON as text.
pub(crate) fn text_of(value: &Value) -> String {
    // Canonical JSON is UTF-8.
    String::from_utf8(json::write(value)).unwrap_or_default()
}

fn wrong(detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail)
}
