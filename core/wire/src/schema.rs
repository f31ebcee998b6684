//! JSON Schemas of texts that are checked when parsed: identifiers, pointers, times.

use schemars::{Schema, SchemaGenerator, json_schema};

use nacre_layers::error::Code;
use nacre_store::limits;

/// A context's id.
pub fn id(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9._:~-]{1,128}$" })
}

/// A context's id, or nothing.
pub fn id_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "pattern": "^[A-Za-z0-9._:~-]{1,128}$" })
}

/// One of the four levels.
pub fn level(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["global", "project", "branch", "task"] })
}

/// One of the four levels, or nothing.
pub fn level_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "null"],
        "enum": ["global", "project", "branch", "task", null]
    })
}

/// A time.
pub fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// A time, or none.
pub fn optional_time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "format": "date-time" })
}

/// A JSON Pointer.
pub fn pointer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "format": "json-pointer",
        "pattern": POINTER,
        "maxLength": limits::POINTER_BYTES
    })
}

/// A JSON Pointer, or nothing.
pub fn pointer_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "null"],
        "format": "json-pointer",
        "pattern": POINTER,
        "maxLength": limits::POINTER_BYTES
    })
}

/// JSON Pointers, at least one, none of them to the whole document.
pub fn pointers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": inner_pointer(), "minItems": 1 })
}

/// The same, or nothing.
pub fn pointers_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["array", "null"], "items": inner_pointer(), "minItems": 1 })
}

fn inner_pointer() -> Schema {
    json_schema!({
        "type": "string",
        "format": "json-pointer",
        "pattern": POINTER,
        "minLength": 1,
        "maxLength": limits::POINTER_BYTES
    })
}

/// A table of merge rules.
pub fn rules(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "propertyNames": { "pattern": POINTER },
        "additionalProperties": { "type": "string", "pattern": RULE },
        "maxProperties": limits::RULES
    })
}

/// A table of merge rules, or nothing.
pub fn rules_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["object", "null"],
        "propertyNames": { "pattern": POINTER },
        "additionalProperties": { "type": "string", "pattern": RULE },
        "maxProperties": limits::RULES
    })
}

/// The reason for a change.
pub fn summary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "null"], "maxLength": limits::SUMMARY_BYTES })
}

/// A version.
pub fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1 })
}

/// A past state.
pub fn as_of(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "A past state: a seq, or a time.",
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "format": "date-time" },
            { "type": "null" }
        ]
    })
}

/// A merge patch or a JSON Patch.
pub fn patch(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "description": "A merge patch (RFC 7396) when it is an object, a JSON Patch (RFC 6902) when it is an array.",
        "type": ["object", "array", "null"]
    })
}

/// The kind of a patch operation.
pub fn patch_name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"] })
}

/// A list of operations.
pub fn operations(generator: &mut SchemaGenerator) -> Schema {
    let operation = generator.subschema_for::<super::operation::Operation>();
    json_schema!({ "type": "array", "items": operation, "maxItems": limits::BATCH_OPERATIONS })
}

/// A list of operations, or nothing.
pub fn operations_or_null(generator: &mut SchemaGenerator) -> Schema {
    let operation = generator.subschema_for::<super::operation::Operation>();
    json_schema!({
        "type": ["array", "null"],
        "items": operation,
        "maxItems": limits::BATCH_OPERATIONS
    })
}

/// The kind of change that made a version.
pub fn change(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "enum": ["create", "update", "delete", "restore", "rollback", "move"]
    })
}

/// The role of a member.
pub fn role(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["reader", "writer"] })
}

/// How far back a member sees.
pub fn reach(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": ["from-share", "all"] })
}

/// The type of a variable.
pub fn variable(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "enum": ["string", "integer", "number", "boolean", "array", "object", "enum"]
    })
}

/// The state of a promotion.
pub fn standing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "enum": ["proposed", "stale", "approved", "declined", "undone"]
    })
}

/// An error code.
pub fn code(_: &mut SchemaGenerator) -> Schema {
    let codes: alloc::vec::Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json_schema!({ "type": "string", "enum": codes })
}

const POINTER: &str = "^(/([^/~]|~[01])*)*$";
const RULE: &str = "^(replace|deep|union|append|lock|keyed:.+)$";
