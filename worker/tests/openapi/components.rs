//! Headers and parameters that many operations share.

use nacre_worker::http::routes::{Kind, Param};
use serde_json::{Value, json};

pub(crate) const ID: &str = "^[A-Za-z0-9._:~-]{1,128}$";

/// Response headers, by the name they are referred to.
pub(crate) fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The request's own `X-Request-Id`, or one that was made for it.",
            "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 }
        },
        "Nacre-Seq": {
            "description": "The state of the store after the request: its last commit.",
            "schema": { "type": "integer", "minimum": 0 }
        },
        "Server-Timing": {
            "description": "SQL rows read and written, and whether a view came from memory.",
            "schema": { "type": "string" }
        },
        "Cache-Control": {
            "description": "Answers are the caller's own, and to be revalidated.",
            "schema": { "type": "string" }
        },
        "Vary": {
            "description": "Which request headers the answer depends on.",
            "schema": { "type": "string" }
        },
        "ETag": {
            "description": "`\"v<version>\"` for a context. `\"<content hash>\"` for a view; followed by `.s` when a part is shown or sealed values are open, and by `.<hash>` of the chain's versions when it is explained.",
            "schema": { "type": "string" }
        },
        "Location": {
            "description": "The path of the context that was made.",
            "schema": { "type": "string", "format": "uri-reference" }
        },
        "Idempotency-Replayed": {
            "description": "The key was used before; this is the first answer.",
            "schema": { "type": "string", "const": "true" }
        },
        "WWW-Authenticate": {
            "description": "What token is needed (RFC 6750).",
            "schema": { "type": "string" }
        },
        "Retry-After": {
            "description": "When to come back, in seconds.",
            "schema": { "type": "integer", "minimum": 0 }
        }
    })
}

/// Request headers, by the name they are referred to.
pub(crate) fn parameters() -> Value {
    json!({
        "Nacre-Owner": {
            "name": "Nacre-Owner",
            "in": "header",
            "description": "The owner of a shared project's store, percent-encoded where the name is not plain ASCII. Without membership the answer is 404.",
            "schema": { "type": "string", "pattern": "^[!-$&-~]{1,256}$" }
        },
        "X-Request-Id": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "A name for the request, echoed and kept in the audit trail. Another is made when it is not 1 to 128 visible ASCII characters.",
            "schema": { "type": "string" }
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and request gives the first answer again, for a day.",
            "schema": { "type": "string", "pattern": "^[ -~]{1,255}$" }
        },
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "The ETag that must be current: `\"v3\"`, or `*` for any.",
            "schema": { "type": "string", "pattern": "^(\\*|\"[!#-~]*\")$" },
            "example": "\"v3\""
        },
        "If-None-Match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "ETags that the client has.",
            "schema": { "type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$" }
        },
        "If-None-Match-Any": {
            "name": "If-None-Match",
            "in": "header",
            "description": "`*`: the context must not be there yet.",
            "schema": { "type": "string", "const": "*" }
        },
        "Nacre-Confirm": {
            "name": "Nacre-Confirm",
            "in": "header",
            "required": true,
            "description": "Confirms what cannot be undone.",
            "schema": { "type": "string", "const": "erase" }
        }
    })
}

/// The varying segments of a path.
pub(crate) fn segments(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let (about, schema) = match name {
                "level" => ("The context's level.", level()),
                "id" => (
                    "The context's id; at the level global it is `global`.",
                    json!({ "type": "string", "pattern": ID }),
                ),
                "user" => (
                    "The user, as their token's `sub` names them.",
                    json!({ "type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]{1,256}$" }),
                ),
                other => panic!("what stands in {{{other}}} is not described"),
            };
            json!({
                "name": name, "in": "path", "required": true, "description": about,
                "schema": schema
            })
        })
        .collect()
}

/// A query parameter.
pub(crate) fn query(param: &Param) -> Value {
    let schema = match param.kind {
        Kind::Flag => json!({ "type": "boolean", "default": false }),
        Kind::Level => level(),
        Kind::Id => json!({ "type": "string", "pattern": ID }),
        Kind::IdPrefix => json!({ "type": "string" }),
        Kind::Address => json!({
            "type": "string",
            "pattern": "^(global/global|(project|branch|task)/[A-Za-z0-9._:~-]{1,128})$"
        }),
        Kind::Cursor => json!({ "type": "string" }),
        Kind::Limit => json!({
            "type": "integer",
            "minimum": 1,
            "maximum": nacre_core::limits::PAGE,
            "default": nacre_core::limits::PAGE_DEFAULT
        }),
        Kind::Version => json!({
            "type": "integer", "minimum": 1, "maximum": nacre_core::limits::EXACT_INTEGER
        }),
        Kind::AsOf => json!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "format": "date-time" }
            ]
        }),
        Kind::Pointer => json!({
            "type": "string", "pattern": "^(/([^/~]|~[01])*)*$",
            "maxLength": nacre_core::limits::POINTER_BYTES
        }),
        Kind::Mode => json!({
            "type": "string", "enum": ["create", "replace"], "default": "create"
        }),
        Kind::Summary => json!({
            "type": "string", "maxLength": nacre_core::limits::SUMMARY_BYTES
        }),
        Kind::User => json!({ "type": "string", "minLength": 1 }),
    };
    let mut parameter = json!({
        "name": param.name, "in": "query", "description": param.about, "schema": schema
    });
    if param.required {
        parameter["required"] = true.into();
    }
    parameter
}

fn level() -> Value {
    json!({ "type": "string", "enum": ["global", "project", "branch", "task"] })
}
