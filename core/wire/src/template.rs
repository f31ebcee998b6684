//! Templates outside: their bodies, and what answers show of them.

use alloc::{format, string::String, vec::Vec};

use super::{
    members::Members,
    request::id,
    text::{ObjectText, array},
    within,
};
use nacre_layers::{
    address::Address,
    error::Result,
    id::ContextId,
    json,
    level::Level,
    value::{Object, Value},
};
use nacre_store::{
    op::Administration,
    template::{Beginning, Template},
};

#[cfg(feature = "schema")]
use serde::Serialize;

#[cfg(feature = "schema")]
use super::schema;

/// A template. The store checks it; this describes it.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TemplateBody {
    /// What it is for, at most 1,024 bytes.
    pub description: Option<String>,
    /// The variables by name, at most 50. A name is 1 to 64 of `a-z 0-9 _`, a letter first.
    #[schemars(with = "Option<alloc::collections::BTreeMap<String, VariableBody>>")]
    pub variables: Option<Object>,
    /// What a context of each level starts with, by level; at least one.
    #[schemars(with = "LayersBody")]
    pub layers: Object,
}

/// A variable. Without a default it is required.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct VariableBody {
    /// `string`, `integer`, `number`, `boolean`, `array`, `object`, or `enum` with its `values`.
    #[schemars(rename = "type", schema_with = "schema::variable")]
    pub kind: String,
    /// What it means, at most 1,024 bytes.
    pub description: Option<String>,
    /// The value if none is given.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<Value>,
    /// The values of an `enum`.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub values: Option<Vec<Value>>,
}

/// What contexts start with, by level.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LayersBody {
    /// The global context.
    pub global: Option<StartBody>,
    /// A project.
    pub project: Option<StartBody>,
    /// A branch.
    pub branch: Option<StartBody>,
    /// A task.
    pub task: Option<StartBody>,
}

/// What a context starts with.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StartBody {
    /// The data. A text `{{name}}` becomes the variable's value with its type; in a longer text the
    /// value is text.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub data: Object,
    /// Merge rules by JSON Pointer.
    #[schemars(default)]
    #[schemars(schema_with = "schema::rules_or_null")]
    pub rules: Option<Object>,
}

/// Create a context from a template.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct BeginningBody {
    /// The level of the new context. The template must have a layer for it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// The id of the new context.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub context_id: String,
    /// The id of the parent, one level up. Required for a branch or a task.
    #[cfg_attr(feature = "schema", schemars(default, schema_with = "schema::id_or_null"))]
    pub parent: Option<String>,
    /// The values of variables, by name.
    #[cfg_attr(
        feature = "schema",
        schemars(default, with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub variables: Option<Object>,
    /// What is merged into the data, as a layer below it would be: `null` removes a member.
    #[cfg_attr(
        feature = "schema",
        schemars(default, with = "Option<serde_json::Map<String, serde_json::Value>>")
    )]
    pub customizations: Option<Object>,
}

/// Creates or replaces a template.
///
/// # Errors
/// `invalid-rules` with the pointer; the rest is checked by the store.
pub fn put(name: ContextId, members: Object) -> Result<Administration> {
    let layers =
        members.get("layers").and_then(Value::as_object).into_iter().flat_map(Object::iter);
    for (level, layer) in layers {
        let table = layer.as_object().and_then(|layer| layer.get("rules")?.as_object());
        if let Some(table) = table {
            let place = format!("/layers/{level}");
            super::request::rules(table).map_err(|error| within(&place, error))?;
        }
    }
    Ok(Administration::PutTemplate { name, members })
}

impl BeginningBody {
    /// Reads a body.
    ///
    /// # Errors
    /// `invalid-request` with the pointer to the first wrong member.
    pub fn read(body: Value) -> Result<BeginningBody> {
        let mut members = Members::of(body)?;
        let body = BeginningBody {
            level: members.required("level")?,
            context_id: members.required("context_id")?,
            parent: members.take("parent")?,
            variables: members.take("variables")?,
            customizations: members.take("customizations")?,
        };
        members.end()?;
        Ok(body)
    }

    /// Makes the request to create a context from the template with this name.
    ///
    /// # Errors
    /// `invalid-id` with the pointer.
    pub fn into_administration(self, template: ContextId) -> Result<Administration> {
        let level = Level::parse(&self.level).map_err(|error| error.at("/level"))?;
        let address = Address::new(level, id("/context_id", &self.context_id)?)
            .map_err(|error| error.at("/context_id"))?;
        let parent = self.parent.map(|parent| id("/parent", &parent)).transpose()?;
        let variables = self.variables.unwrap_or_default();
        let customizations = self.customizations;
        Ok(Administration::Begin(Beginning {
            template,
            address,
            parent,
            variables,
            customizations,
        }))
    }
}

/// A template.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TemplateText<'a> {
    /// What it is for.
    pub description: Option<&'a str>,
    /// What a context of each level starts with.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub layers: Option<&'a Value>,
    /// The name.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub name: &'a str,
    /// Whether it is a preset: always there, and never changed.
    pub preset: bool,
    /// The variables by name; left out if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub variables: Option<&'a Value>,
}

/// A template in a list.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TemplateLine<'a> {
    /// What it is for.
    pub description: Option<&'a str>,
    /// The levels that it can begin, upper ones first.
    pub levels: Vec<&'static str>,
    /// The name.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub name: &'a str,
    /// Whether it is a preset.
    pub preset: bool,
    /// The names of its variables.
    pub variables: Vec<&'a str>,
}

/// All templates.
#[cfg(feature = "schema")]
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TemplatesText<'a> {
    /// The presets, then the owner's own, each in order of name.
    pub items: Vec<TemplateLine<'a>>,
}

/// Appends a template. [`TemplateText`] describes it.
pub(super) fn write(template: &Template, out: &mut Vec<u8>) {
    let member = |name| template.members.get(name).filter(|value| !value.is_null());
    let mut text = ObjectText::open(out);
    text.option("description", description(template));
    json::write_to(member("layers").unwrap_or(&Value::Null), text.member("layers"));
    text.string("name", template.name.as_str());
    text.raw("preset", boolean(template.is_preset));
    if let Some(variables) = member("variables") {
        json::write_to(variables, text.member("variables"));
    }
    text.close();
}

/// Appends a list of templates. [`TemplatesText`] describes it.
pub(super) fn write_list(templates: &[Template], out: &mut Vec<u8>) {
    let mut list = ObjectText::open(out);
    array(list.member("items"), templates, |out, template| {
        let mut line = ObjectText::open(out);
        line.option("description", description(template));
        let levels = template.levels();
        array(line.member("levels"), levels, |out, level| json::write_string(level.as_str(), out));
        line.string("name", template.name.as_str());
        line.raw("preset", boolean(template.is_preset));
        let variables = template.variables();
        array(line.member("variables"), variables, |out, name| json::write_string(name, out));
        line.close();
    });
    list.close();
}

fn boolean(is: bool) -> &'static [u8] {
    if is { b"true" } else { b"false" }
}

fn description(template: &Template) -> Option<&str> {
    template.members.get("description")?.as_str()
}
