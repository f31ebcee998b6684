//! Imports: one context per line; other members of an export are accepted.

use alloc::string::String;

use serde::{Deserialize, de::IgnoredAny};

use super::request::{id, rules};
use nacre_layers::{
    address::Address,
    error::Result,
    level::Level,
    value::{self, Object},
};
use nacre_store::op::ImportLine;

#[cfg(feature = "schema")]
use super::schema;

/// One line. Other members of an export are accepted and ignored, so that an export can be
/// imported.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LineBody {
    /// The context's level.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
    pub level: String,
    /// The context's id.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
    pub id: String,
    /// The id one level up, for branches and tasks.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id_or_null"))]
    pub parent: Option<String>,
    /// The data.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub data: Object,
    /// Merge rules.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::rules_or_null"))]
    pub rules: Option<Object>,
    #[serde(default, rename = "created_at")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _created_at: IgnoredAny,
    #[serde(default, rename = "history")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _history: IgnoredAny,
    #[serde(default, rename = "insights")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _insights: IgnoredAny,
    #[serde(default, rename = "progress")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _progress: IgnoredAny,
    #[serde(default, rename = "updated_at")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _updated_at: IgnoredAny,
    #[serde(default, rename = "updated_by")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _updated_by: IgnoredAny,
    #[serde(default, rename = "version")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    _version: IgnoredAny,
}

/// Reads a line.
///
/// # Errors
/// As [`super::read_json`]; `invalid-request`, `invalid-id`, `invalid-rules` with the pointer
/// within the line.
pub fn line(text: &[u8]) -> Result<ImportLine> {
    let line: LineBody = value::decode(super::read_json(text)?)?;
    let level = Level::parse(&line.level).map_err(|error| error.at("/level"))?;
    let address = Address::new(level, id("/id", &line.id)?).map_err(|error| error.at("/id"))?;
    Ok(ImportLine {
        address,
        parent: line.parent.map(|parent| id("/parent", &parent)).transpose()?,
        data: line.data,
        rules: line.rules.map(|table| rules(&table)).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use nacre_layers::error::Code;

    #[test]
    fn a_line_of_an_export_is_a_line() {
        let text = format!(
            "{}{}",
            r#"{"created_at":"x","data":{"a":1},"history":[{}],"id":"t","insights":[],"level":"task","#,
            r#""parent":"b","progress":[],"rules":{},"updated_at":"","updated_by":"u","version":3}"#
        );
        let line = line(text.as_bytes()).unwrap();
        assert_eq!(String::from(&line.address), "task/t");
        assert_eq!(line.parent.unwrap().as_str(), "b");
    }

    #[test]
    fn anything_else_is_refused_with_its_place() {
        for (text, code, place) in [
            ("{", Code::InvalidJson, None),
            (r#"{"level":"task","id":"t"}"#, Code::InvalidRequest, Some("")),
            (r#"{"level":"x","id":"t","data":{}}"#, Code::InvalidId, Some("/level")),
            (r#"{"level":"global","id":"t","data":{}}"#, Code::InvalidId, Some("/id")),
            (r#"{"level":"task","id":"t","data":{},"seq":1}"#, Code::InvalidRequest, Some("/seq")),
            (r#"{"level":"task","id":"t","data":1}"#, Code::InvalidRequest, Some("/data")),
        ] {
            let error = line(text.as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.pointer()), (code, place), "{text}: {error}");
        }
    }
}
