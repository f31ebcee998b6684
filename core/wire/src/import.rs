//! Imports: one context per line, with the history and entries of an export if it has them.

use alloc::{format, string::String, vec::Vec};

use super::{
    members::Members,
    past,
    request::{id, moment, rules},
    within,
};
use nacre_layers::{address::Address, error::Result, value::Value};
use nacre_store::{
    op::{ImportLine, Past, PastVersion},
    record::EntryKind,
};

#[cfg(feature = "schema")]
use super::schema;

/// One line. All members after `rules` are those of an export.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LineBody {
    /// The context's level.
    #[schemars(schema_with = "schema::level")]
    pub level: String,
    /// The context's id.
    #[schemars(schema_with = "schema::id")]
    pub id: String,
    /// The id one level up, for branches and tasks.
    #[schemars(default)]
    #[schemars(schema_with = "schema::id_or_null")]
    pub parent: Option<String>,
    /// The data.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub data: nacre_layers::value::Object,
    /// Merge rules.
    #[schemars(default)]
    #[schemars(schema_with = "schema::rules_or_null")]
    pub rules: Option<nacre_layers::value::Object>,
    /// The time when the context was first created.
    pub created_at: Option<String>,
    /// The versions, newest first.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub history: Option<Vec<Value>>,
    /// The insights, newest first.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub insights: Option<Vec<Value>>,
    /// The progress notes, newest first.
    #[schemars(with = "Option<Vec<serde_json::Value>>")]
    pub progress: Option<Vec<Value>>,
    /// The time of the last change. `history` has it too.
    pub updated_at: Option<String>,
    /// The user who made the last change. `history` has it too.
    pub updated_by: Option<String>,
    /// The number of the version. `history` has it too.
    pub version: Option<u64>,
}

/// Reads a line, with the history and the entries if it has them. [`LineBody`] describes it.
///
/// # Errors
/// As [`super::read_json`]; `invalid-request`, `invalid-id`, `invalid-rules` with the pointer
/// within the line.
pub fn line(text: &[u8]) -> Result<ImportLine> {
    read(text, history)
}

/// Reads a line without its history and entries, for hosts that cannot take them.
///
/// # Errors
/// As [`line()`].
pub fn line_alone(text: &[u8]) -> Result<ImportLine> {
    read(text, |_, members| {
        members.skip(&["created_at", "history", "insights", "progress"]);
        Ok(None)
    })
}

fn read(
    text: &[u8],
    read_past: fn(&Address, &mut Members) -> Result<Option<Past>>,
) -> Result<ImportLine> {
    let mut members = Members::of(super::read_json(text)?)?;
    let level: String = members.required("level")?;
    let named: String = members.required("id")?;
    let address = past::address(&level, &named)?;
    let line = ImportLine {
        parent: members.take("parent")?.map(|parent: String| id("/parent", &parent)).transpose()?,
        data: members.required("data")?,
        rules: members.take("rules")?.map(|table| rules(&table)).transpose()?,
        past: read_past(&address, &mut members)?,
        address,
    };
    members.skip(&["updated_at", "updated_by", "version"]);
    members.end()?;
    Ok(line)
}

/// The history and the entries of a line, if it has a history.
fn history(address: &Address, members: &mut Members) -> Result<Option<Past>> {
    let created_at: Option<String> = members.take("created_at")?;
    let listed: Vec<Value> = members.take("history")?.unwrap_or_default();
    let lists = [
        ("/insights", EntryKind::Insight, members.take::<Vec<Value>>("insights")?),
        ("/progress", EntryKind::Progress, members.take::<Vec<Value>>("progress")?),
    ];
    let (Some(created_at), false) = (&created_at, listed.is_empty()) else {
        return Ok(None);
    };
    let mut versions: Vec<PastVersion> = Vec::with_capacity(listed.len());
    for (place, text) in listed.into_iter().enumerate().rev() {
        let version = past::version(text).and_then(|(version, _)| {
            if let Some(last) = versions.last() {
                past::refuse_gap(last.version, version.version)?;
            }
            Ok(version)
        });
        versions.push(version.map_err(|error| within(&format!("/history/{place}"), error))?);
    }
    let mut entries = Vec::new();
    for (name, kind, list) in lists {
        for (place, text) in list.unwrap_or_default().into_iter().enumerate().rev() {
            let (entry, _) = past::entry(address, kind, text)
                .map_err(|error| within(&format!("{name}/{place}"), error))?;
            entries.push(entry);
        }
    }
    Ok(Some(Past { created_at: moment("/created_at", created_at)?, versions, entries }))
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
            r#"{"created_at":"2026-01-01T00:00:00.000Z","data":{"a":1},"history":[{"at":"2026-01-02T00:00:00.000Z","by":"u","change":"update","data":{"a":1},"parent":"b","rules":{},"seq":4,"summary":null,"version":3}],"id":"t","insights":[],"level":"task","#,
            r#""parent":"b","progress":[],"rules":{},"updated_at":"","updated_by":"u","version":3}"#
        );
        let line = line(text.as_bytes()).unwrap();
        assert_eq!(String::from(&line.address), "task/t");
        assert_eq!(line.parent.unwrap().as_str(), "b");
        assert_eq!(line.past.unwrap().versions[0].version, 3);
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
