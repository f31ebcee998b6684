//! Templates: what a context of some kind starts with, with variables to fill in.
//!
//! ```text
//! {"description", "variables": {name: {"type", "description"?, "default"?, "values"?}},
//!  "layers": {"project": {"data", "rules"?}, "branch": …, "task": …}}
//! ```
//! A template has a layer for each level that it can begin. Creating from it takes the layer of the
//! level that is asked for, puts in the variables, merges the customisations, and creates one context.
//!
//! The presets are data files of this crate, always there, and cannot be changed.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    json,
    level::Level,
    pointer::Pointer,
    rules::Rules,
    template::{customize, each_variable, fill, is_name},
    value::{Object, Value},
};

use crate::limits;

/// Largest template, in bytes of JSON.
pub const TEMPLATE_BYTES: usize = 32 << 10;

/// Most templates of one store, beside the presets.
pub const TEMPLATES: usize = 100;

/// Most variables of one template.
pub const VARIABLES: usize = 50;

/// Longest description of a template, in bytes.
pub const DESCRIPTION_BYTES: usize = 1024;

const PRESETS: [(&str, &str); 5] = [
    ("data_pipeline", include_str!("presets/data_pipeline.json")),
    ("microservice", include_str!("presets/microservice.json")),
    ("ml_project", include_str!("presets/ml_project.json")),
    ("mobile_app", include_str!("presets/mobile_app.json")),
    ("web_app_project", include_str!("presets/web_app_project.json")),
];

/// A template that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// The name, unique in the store.
    pub name: ContextId,
    /// Whether it is one of the presets.
    pub is_preset: bool,
    /// Its members.
    pub members: Object,
}

/// A context to create from a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Beginning {
    /// The name of the template.
    pub template: ContextId,
    /// The context.
    pub address: Address,
    /// The id of the parent, one level up. Required for a branch or a task.
    pub parent: Option<ContextId>,
    /// The values of variables, by name.
    pub variables: Object,
    /// What is merged into the data, as a layer below it would be.
    pub customizations: Option<Object>,
}

/// What is created from a template.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The data of the context.
    pub data: Object,
    /// Its merge rules.
    pub rules: Rules,
}

impl Template {
    /// The presets, in order of name.
    ///
    /// # Errors
    /// `internal` only.
    pub fn presets() -> Result<Vec<Template>> {
        PRESETS.iter().map(|(name, text)| preset(name, text)).collect()
    }

    /// The preset with this name.
    ///
    /// # Errors
    /// `internal` only.
    pub fn preset(name: &ContextId) -> Result<Option<Template>> {
        let known = PRESETS.iter().find(|(known, _)| *known == name.as_str());
        known.map(|(name, text)| preset(name, text)).transpose()
    }

    /// Checks a template.
    ///
    /// # Errors
    /// `invalid-request`, `invalid-rules`, `too-large` with the pointer.
    pub fn check(name: &ContextId, members: Object) -> Result<Template> {
        let template = Template { name: name.clone(), is_preset: false, members };
        check(&template)?;
        Ok(template)
    }

    /// The levels for which it has a layer, upper ones first.
    pub fn levels(&self) -> Vec<Level> {
        let layers = self.object("layers");
        let has = |level: &Level| layers.is_some_and(|layers| layers.contains(level.as_str()));
        Level::ALL.into_iter().filter(has).collect()
    }

    /// The names of its variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.object("variables").into_iter().flat_map(Object::iter).map(|(name, _)| name)
    }

    /// What a context of a level starts with.
    ///
    /// # Errors
    /// `invalid-request` for a level that it has no layer for, and for variables that are missing,
    /// unknown or of another type; `locked` for a customisation of a locked path; `too-large`.
    pub fn start(
        &self,
        level: Level,
        variables: &Object,
        customizations: Option<&Object>,
    ) -> Result<Start> {
        let Some(layer) = self.object("layers").and_then(|it| it.get(level.as_str())?.as_object())
        else {
            let levels: Vec<&str> = self.levels().iter().map(|level| level.as_str()).collect();
            let detail =
                format!("the template {} begins only: {}", self.name.as_str(), levels.join(", "));
            return Err(Error::new(Code::InvalidRequest, detail).at("/level"));
        };
        let mut data = layer.get("data").cloned().unwrap_or_else(|| Object::new().into());
        let values = self.values(&data, variables)?;
        fill(&mut data, &values)?;
        let rules = match layer.get("rules").and_then(Value::as_object) {
            Some(rules) => Rules::from_object(rules)?,
            None => Rules::default(),
        };
        if let Some(customizations) = customizations {
            data = customize(&data, &rules, customizations).map_err(|error| {
                match error.pointer() {
                    Some(pointer) => {
                        let pointer = format!("/customizations{pointer}");
                        error.at(pointer)
                    }
                    None => error,
                }
            })?;
        }
        match data {
            Value::Object(data) => Ok(Start { data, rules }),
            _ => Err(Error::bug("the data of a template is an object")),
        }
    }

    /// The value of each variable: the given one, or its default.
    fn values(&self, data: &Value, given: &Object) -> Result<Object> {
        let none = Object::new();
        let known = self.object("variables").unwrap_or(&none);
        let mut values = Object::new();
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            let Some(variable) = known.get(name).and_then(Value::as_object) else {
                let names: Vec<&str> = self.variables().collect();
                let detail =
                    format!("the template has no such variable; it has: {}", names.join(", "));
                return Err(Error::new(Code::InvalidRequest, detail).at(variable_at(name)));
            };
            Kind::of(variable)?.check(value).map_err(|wanted| {
                let detail =
                    format!("the variable `{name}` must be {wanted}, not {}", value.kind());
                Error::new(Code::InvalidRequest, detail).at(variable_at(name))
            })?;
            values.insert(name, value.clone());
        }
        let mut missing: Vec<String> = Vec::new();
        let mut first = None;
        each_variable(data, &mut |name| {
            let Some(variable) = known.get(name).and_then(Value::as_object) else { return };
            match (values.contains(name), default_of(variable)) {
                (true, _) => {}
                (false, Some(default)) => {
                    values.insert(name, default.clone());
                }
                (false, None) => {
                    let kind =
                        Kind::of(variable).map_or_else(|_| String::new(), |kind| kind.name());
                    let line = format!("`{name}` ({kind})");
                    first.get_or_insert_with(|| variable_at(name));
                    if !missing.contains(&line) {
                        missing.push(line);
                    }
                }
            }
        });
        match first {
            None => Ok(values),
            Some(first) => {
                let detail = format!("these variables are required: {}", missing.join(", "));
                Err(Error::new(Code::InvalidRequest, detail).at(first))
            }
        }
    }

    /// What would be stored of it in the clear, to see whether it holds secrets: data without
    /// variables, and defaults by name.
    pub(crate) fn clear(&self) -> Value {
        let mut clear = Object::new();
        if let Some(layers) = self.object("layers") {
            let mut layers = Value::from(layers.clone());
            without_variables(&mut layers);
            clear.insert("layers", layers);
        }
        let mut variables = Object::new();
        for (name, variable) in self.object("variables").into_iter().flat_map(Object::iter) {
            if let Some(default) = variable.as_object().and_then(default_of) {
                variables.insert(name, default.clone());
            }
        }
        clear.insert("variables", variables.into());
        clear.into()
    }

    fn object(&self, name: &str) -> Option<&Object> {
        self.members.get(name)?.as_object()
    }
}

fn preset(name: &str, text: &str) -> Result<Template> {
    match json::read(text.as_bytes(), limits::DEPTH)? {
        Value::Object(members) => {
            Ok(Template { name: ContextId::parse(name)?, is_preset: true, members })
        }
        _ => Err(Error::bug("a preset is an object")),
    }
}

fn variable_at(name: &str) -> String {
    Pointer::from_tokens(["variables", name]).into()
}

/// A text that is a variable says nothing yet; of others the rest is left.
fn without_variables(value: &mut Value) {
    match value {
        Value::String(text) => {
            let mut empty = Object::new();
            each_variable(&Value::from(&**text), &mut |name| {
                empty.insert(name, "".into());
            });
            // What is left is shorter.
            let _ = fill(value, &empty);
            if value.as_str() == Some("") {
                *value = Value::Null;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_variables),
        Value::Object(members) => {
            members.iter_mut().for_each(|(_, member)| without_variables(member));
        }
        _ => {}
    }
}

/// The type of a variable.
enum Kind<'t> {
    /// One of `string`, `integer`, `number`, `boolean`, `array`, `object`.
    Plain(&'t str),
    /// One of these values.
    Enum(&'t [Value]),
}

/// The value of a variable that is not given; `None` if it must be given.
fn default_of(variable: &Object) -> Option<&Value> {
    variable.get("default").filter(|default| !default.is_null())
}

const KINDS: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

impl<'t> Kind<'t> {
    fn of(variable: &'t Object) -> Result<Kind<'t>> {
        let kind = variable.get("type").and_then(Value::as_str);
        let values = variable.get("values").and_then(Value::as_array);
        match (kind, values) {
            (Some("enum"), Some(values)) if !values.is_empty() => Ok(Kind::Enum(values)),
            (Some(kind), None) if KINDS.contains(&kind) => Ok(Kind::Plain(kind)),
            _ => {
                let detail = "`type` must be string, integer, number, boolean, array, object, or enum \
                              with its `values`";
                Err(Error::new(Code::InvalidRequest, detail))
            }
        }
    }

    fn name(&self) -> String {
        match self {
            Kind::Plain(kind) => (*kind).into(),
            Kind::Enum(values) => format!("one of {}", listed(values)),
        }
    }

    /// Whether a value is of this type; otherwise what it must be.
    fn check(&self, value: &Value) -> Result<(), String> {
        let is_right = match self {
            Kind::Plain("string") => value.as_str().is_some(),
            Kind::Plain("integer") => value
                .as_number()
                .is_some_and(|number| number.as_i64().is_some() || number.as_u64().is_some()),
            Kind::Plain("number") => value.as_number().is_some(),
            Kind::Plain("boolean") => value.as_bool().is_some(),
            Kind::Plain("array") => value.as_array().is_some(),
            Kind::Plain(_) => value.as_object().is_some(),
            Kind::Enum(values) => values.contains(value),
        };
        match is_right {
            true => Ok(()),
            false => Err(match self {
                Kind::Plain(kind) => format!("of the type {kind}"),
                Kind::Enum(_) => self.name(),
            }),
        }
    }
}

fn listed(values: &[Value]) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| String::from_utf8(json::write(value)).unwrap_or_default())
        .collect();
    texts.join(", ")
}

fn check(template: &Template) -> Result<()> {
    let members = &template.members;
    only(members, &["description", "variables", "layers"], "")?;
    let bytes = json::length(&members.clone().into());
    if bytes > TEMPLATE_BYTES {
        return Err(Error::new(Code::TooLarge, "a template must be at most 32768 bytes of JSON")
            .at("")
            .limit(TEMPLATE_BYTES as u64));
    }
    text_of(members, "description", "/description")?;
    let none = Object::new();
    let variables = match members.get("variables") {
        None | Some(Value::Null) => &none,
        Some(variables) => object(variables, "/variables")?,
    };
    if variables.len() > VARIABLES {
        return Err(Error::new(Code::TooLarge, "a template must have at most 50 variables")
            .at("/variables")
            .limit(VARIABLES as u64));
    }
    for (name, variable) in variables.iter() {
        let at = variable_at(name);
        if !is_name(name) {
            let detail = "the name of a variable must be 1 to 64 of a-z 0-9 _, a letter first";
            return Err(Error::new(Code::InvalidRequest, detail).at(at));
        }
        let variable = object(variable, &at)?;
        only(variable, &["type", "description", "default", "values"], &at)?;
        text_of(variable, "description", &format!("{at}/description"))?;
        let kind = Kind::of(variable).map_err(|error| error.at(&*at))?;
        if let Some(default) = default_of(variable) {
            kind.check(default).map_err(|wanted| {
                let detail = format!("`default` must be {wanted}");
                Error::new(Code::InvalidRequest, detail).at(format!("{at}/default"))
            })?;
        }
    }
    let layers = match members.get("layers") {
        Some(layers) => object(layers, "/layers")?,
        None => &none,
    };
    if layers.is_empty() {
        let detail = "`layers` must have at least one of global, project, branch and task";
        return Err(Error::new(Code::InvalidRequest, detail).at("/layers"));
    }
    for (level, layer) in layers.iter() {
        let at = String::from(Pointer::from_tokens(["layers", level]));
        Level::parse(level).map_err(|error| error.at(&*at))?;
        check_layer(object(layer, &at)?, variables, &at)?;
    }
    Ok(())
}

fn check_layer(layer: &Object, variables: &Object, at: &str) -> Result<()> {
    only(layer, &["data", "rules"], at)?;
    let place = format!("{at}/data");
    let data = layer.get("data").ok_or_else(|| {
        Error::new(Code::InvalidRequest, "the member `data` is required").at(at.to_string())
    })?;
    object(data, &place)?;
    let mut unknown = None;
    each_variable(data, &mut |name| {
        if !variables.contains(name) {
            unknown.get_or_insert_with(|| name.to_string());
        }
    });
    if let Some(name) = unknown {
        let detail = format!("`{{{{{name}}}}}` names a variable that the template does not have");
        return Err(Error::new(Code::InvalidRequest, detail).at(place));
    }
    match layer.get("rules") {
        None | Some(Value::Null) => Ok(()),
        Some(rules) => {
            let place = format!("{at}/rules");
            let rules = Rules::from_object(object(rules, &place)?);
            rules.map(drop).map_err(|error| {
                let inner = error.pointer().unwrap_or_default().to_string();
                error.at(format!("{place}{inner}"))
            })
        }
    }
}

fn object<'v>(value: &'v Value, at: &str) -> Result<&'v Object> {
    value.as_object().ok_or_else(|| {
        let detail = format!("this must be an object, not {}", value.kind());
        Error::new(Code::InvalidRequest, detail).at(at.to_string())
    })
}

/// Refuses members that are not allowed.
fn only(members: &Object, allowed: &[&str], at: &str) -> Result<()> {
    match members.iter().find(|(name, _)| !allowed.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let detail = format!("unknown member; allowed: {}", allowed.join(", "));
            let place = format!("{at}{}", String::from(Pointer::from_tokens([name])));
            Err(Error::new(Code::InvalidRequest, detail).at(place))
        }
    }
}

fn text_of(members: &Object, name: &str, at: &str) -> Result<()> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.len() <= DESCRIPTION_BYTES => Ok(()),
        Some(_) => {
            let detail = "a description must be a text of at most 1024 bytes";
            Err(Error::new(Code::InvalidRequest, detail).at(at.to_string()))
        }
    }
}
