//! Documents with variables: which ones they name, their values put in, and customisations.
//!
//! A text that is `{{name}}` and nothing else becomes the variable's value, with its type. Inside a
//! longer text the value is written as text. Values are not looked through again, so a variable can
//! bring the letters `{{name}}` into a document. Names of members are never changed.

use alloc::string::String;

use crate::{
    error::{Code, Error, Result},
    json,
    layer::Layer,
    limits,
    locks::breaches,
    promote::keep_tombstones,
    resolve::{Link, resolve},
    rules::{Rules, Scope},
    value::{Object, Value},
};

/// Shows the names of all variables in a document, in document order.
pub fn each_variable(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => {
            let mut rest = &**text;
            while let Some(found) = Found::in_text(rest) {
                see(found.name);
                rest = found.after;
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_variable(item, see)),
        Value::Object(members) => {
            members.iter().for_each(|(_, member)| each_variable(member, see));
        }
        _ => {}
    }
}

/// Whether this is the name of a variable: 1 to 64 of `a–z 0–9 _`, a letter first.
pub fn is_name(text: &str) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    text.len() <= 64
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.as_bytes().iter().all(is_letter)
}

/// Puts the values of variables into a document. A variable without a value stays as it is written.
///
/// ```
/// use nacre_layers::{json, template::fill};
///
/// let read = |text: &str| json::read(text.as_bytes(), 64);
/// let mut document = read(r#"{"port":"{{port}}","url":"http://{{host}}:{{port}}/"}"#)?;
/// let variables = read(r#"{"host":"localhost","port":8080}"#)?;
/// fill(&mut document, variables.as_object().unwrap())?;
/// assert_eq!(json::write(&document), br#"{"port":8080,"url":"http://localhost:8080/"}"#);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
///
/// # Errors
/// `too-large` if the values would make more than [`limits::DATA_BYTES`].
pub fn fill(document: &mut Value, variables: &Object) -> Result<()> {
    fill_within(document, variables, &mut limits::DATA_BYTES.clone())
}

fn fill_within(value: &mut Value, variables: &Object, room: &mut usize) -> Result<()> {
    match value {
        Value::String(text) => {
            if let Some(filled) = filled(text, variables, room)? {
                *value = filled;
            }
            Ok(())
        }
        Value::Array(items) => {
            items.iter_mut().try_for_each(|item| fill_within(item, variables, room))
        }
        Value::Object(members) => {
            members.iter_mut().try_for_each(|(_, member)| fill_within(member, variables, room))
        }
        _ => Ok(()),
    }
}

/// A text with the values put in; `None` if it names no variable.
fn filled(text: &str, variables: &Object, room: &mut usize) -> Result<Option<Value>> {
    let (mut rest, mut out) = (text, String::new());
    while let Some(Found { before, name, whole, after }) = Found::in_text(rest) {
        let value = variables.get(name);
        if let (Some(value), true) = (value, whole.len() == text.len()) {
            take(room, json::length(value))?;
            return Ok(Some(value.clone()));
        }
        out.push_str(before);
        match value {
            Some(Value::String(value)) => {
                take(room, value.len())?;
                out.push_str(value);
            }
            Some(value) => {
                take(room, json::length(value))?;
                out.push_str(&String::from_utf8_lossy(&json::write(value)));
            }
            None => out.push_str(whole),
        }
        rest = after;
    }
    if rest.len() == text.len() {
        return Ok(None);
    }
    out.push_str(rest);
    Ok(Some(out.into()))
}

fn take(room: &mut usize, bytes: usize) -> Result<()> {
    let detail = "the values of the variables would make more than 1 MiB of data";
    let too_large = || Error::new(Code::TooLarge, detail).limit(limits::DATA_BYTES as u64);
    *room = room.checked_sub(bytes).ok_or_else(too_large)?;
    Ok(())
}

/// The first variable in a text.
struct Found<'t> {
    before: &'t str,
    name: &'t str,
    /// With its braces.
    whole: &'t str,
    after: &'t str,
}

impl<'t> Found<'t> {
    fn in_text(text: &'t str) -> Option<Found<'t>> {
        let mut from = 0;
        loop {
            let open = from + text.get(from..)?.find("{{")?;
            let inside = text.get(open + 2..)?;
            // A longer name is none, so no more is looked through.
            let close = inside.bytes().take(80).zip(inside.bytes().skip(1));
            let close = close.take_while(|pair| *pair != (b'}', b'}')).count();
            let name = inside.get(..close).map(str::trim);
            let after = inside.get(close..).and_then(|rest| rest.strip_prefix("}}"));
            if let (Some(name), Some(after)) = (name.filter(|name| is_name(name)), after) {
                let (before, rest) = text.split_at(open);
                let whole = rest.get(..rest.len() - after.len())?;
                return Some(Found { before, name, whole, after });
            }
            from = open + 1;
        }
    }
}

/// A document with a customisation, which merges as a layer below it would. Tombstones of the
/// document stay where the customisation says nothing.
///
/// # Errors
/// `locked` where the rules lock what the customisation changes.
pub fn customize(document: &Value, rules: &Rules, customization: &Object) -> Result<Value> {
    let (upper, lower) =
        (Layer::from_value(document)?, Layer::from_value(&customization.clone().into())?);
    let none = Rules::default();
    if let Some(scope) = Scope::of_chain([rules, &none].into_iter())
        && let Some(breach) = breaches(&scope, 1, &lower).into_iter().next()
    {
        let detail = "the template locks this path; leave it out of the customizations";
        return Err(Error::new(Code::Locked, detail).at(breach.pointer));
    }
    let links = [Link { layer: &upper, rules }, Link { layer: &lower, rules: &none }];
    let mut made = json::read(&resolve(&links), limits::DEPTH)?;
    keep_tombstones(&mut made, Some(document), None);
    Ok(made)
}
