//! Errors as problem details (RFC 9457).

use alloc::{format, string::String, vec::Vec};

use serde::Serialize;

use super::status;
use nacre_layers::{
    error::{Conflict, Error},
    json,
    value::{self, Value},
};

#[cfg(feature = "schema")]
use super::schema;

/// An error (RFC 9457). Members that do not apply are left out.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem<'a> {
    /// The stable code of the error.
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::code"))]
    pub code: &'static str,
    /// The places that the caller's write and other writes changed differently since the version
    /// that the caller expected. Empty when there are none; left out where they cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<ConflictText<'a>>"))]
    pub conflicts: Option<Vec<ConflictText<'a>>>,
    /// The version that is current now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub current_version: Option<u64>,
    /// What happened, and what to do.
    pub detail: &'a str,
    /// The index of the failed operation of a batch, or of the failed line of an import, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "usize"))]
    pub failed_operation: Option<usize>,
    /// The limit that was exceeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "u64"))]
    pub limit: Option<u64>,
    /// The place in the request's body, or in the data (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
    pub pointer: Option<&'a str>,
    /// The HTTP status.
    pub status: u16,
    /// A short sentence that depends only on the code.
    pub title: &'static str,
    /// `urn:nacre:error:<code>`.
    pub r#type: String,
}

/// One place in conflict. A side that has nothing there lacks the member.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConflictText<'a> {
    /// The value in the version that the caller expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub base: Option<&'a Value>,
    /// The value in the current version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub current: Option<&'a Value>,
    /// The place in the context's data (RFC 6901).
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
    pub pointer: &'a str,
    /// The value that the caller's write would set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    pub yours: Option<&'a Value>,
}

impl<'a> Problem<'a> {
    /// An error as a problem.
    pub fn of(error: &'a Error) -> Problem<'a> {
        let code = error.code();
        let conflict = |conflict: &'a Conflict| ConflictText {
            base: conflict.base.as_ref(),
            current: conflict.current.as_ref(),
            pointer: &conflict.pointer,
            yours: conflict.yours.as_ref(),
        };
        Problem {
            code: code.as_str(),
            conflicts: error.conflict_list().map(|all| all.iter().map(conflict).collect()),
            current_version: error.version(),
            detail: error.detail(),
            failed_operation: error.operation(),
            limit: error.limit_value(),
            pointer: error.pointer(),
            status: status(code),
            title: code.title(),
            r#type: format!("urn:nacre:error:{code}"),
        }
    }
}

/// An error as the canonical JSON of its problem details.
pub fn problem(error: &Error) -> Vec<u8> {
    // A problem has only texts, integers and values, so it always has a JSON form.
    value::encode(&Problem::of(error)).map_or_else(|_| b"{}".to_vec(), |value| json::write(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nacre_layers::error::Code;

    #[test]
    fn a_bare_problem_has_the_five_members_and_the_code() {
        let text = problem(&Error::new(Code::HasChildren, "delete them first"));
        assert_eq!(
            core::str::from_utf8(&text).unwrap(),
            r#"{"code":"has-children","detail":"delete them first","status":409,"title":"The context has children","type":"urn:nacre:error:has-children"}"#
        );
    }

    #[test]
    fn particulars_show_where_they_apply_and_absent_values_are_not_null() {
        let error = Error::new(Code::VersionConflict, "read again")
            .current_version(7)
            .at("/a~1b")
            .limit(3)
            .failed_operation(0)
            .conflicts(alloc::vec![Conflict {
                pointer: "/x".into(),
                base: None,
                current: Some(Value::Null),
                yours: Some(18_446_744_073_709_551_615u64.into()),
            }]);
        assert_eq!(
            core::str::from_utf8(&problem(&error)).unwrap(),
            concat!(
                r#"{"code":"version-conflict","#,
                r#""conflicts":[{"current":null,"pointer":"/x","yours":18446744073709551615}],"#,
                r#""current_version":7,"detail":"read again","failed_operation":0,"limit":3,"#,
                r#""pointer":"/a~1b","status":412,"title":"The context has changed meanwhile","#,
                r#""type":"urn:nacre:error:version-conflict"}"#
            )
        );
    }
}
