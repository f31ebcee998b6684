//! Headers and parameters that many operations share.

use nacre_core::pack::{TOKENS, TOKENS_DEFAULT, TOKENS_LEAST};
use nacre_worker::http::routes::{Kind, Param};
use serde_json::{Value, json};

pub(crate) const ID: &str = "^[A-Za-z0-9._:~-]{1,128}$";

/// Response headers, by the name they are referred to.
pub(crate) fn headers() -> Value {
    json!({
        "X-Request-Id": {
            "description": "The `X-Request-Id` of the request, or a generated one.",
            "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 }
        },
        "Nacre-Seq": {
            "description": "The number of the store's last commit after the request.",
            "schema": { "type": "integer", "minimum": 0 }
        },
        "Nacre-Tokens": {
            "description": "The tokens of the answer, as they were counted.",
            "schema": { "type": "integer", "minimum": 1 }
        },
        "Server-Timing": {
            "description": "SQL rows read and written, and whether a view came from the cache.",
            "schema": { "type": "string" }
        },
        "Cache-Control": {
            "description": "Answers are private and must be revalidated.",
            "schema": { "type": "string" }
        },
        "Vary": {
            "description": "The request headers that the answer depends on.",
            "schema": { "type": "string" }
        },
        "ETag": {
            "description": "`\"v<version>\"` for a context, `\"<content hash>\"` for a view. `.s` follows if \
                 a part or revealed values are shown; `.<hash>` of the chain's versions follows \
                 with `explain`.",
            "schema": { "type": "string" }
        },
        "Location": {
            "description": "The path of the new context.",
            "schema": { "type": "string", "format": "uri-reference" }
        },
        "Idempotency-Replayed": {
            "description": "Present if the key was used before: this is the first answer again.",
            "schema": { "type": "string", "const": "true" }
        },
        "WWW-Authenticate": {
            "description": "The token that the request needs (RFC 6750).",
            "schema": { "type": "string" }
        },
        "RateLimit": {
            "description": "What the caller has left: `r` requests, and the seconds `t` until the whole \
                 burst is there again. Given while less than half of the burst is left.",
            "schema": { "type": "string" }
        },
        "RateLimit-Policy": {
            "description": "The rate: a burst of `q` requests, which comes back in `w` seconds.",
            "schema": { "type": "string" }
        },
        "Retry-After": {
            "description": "Seconds to wait before the next try.",
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
            "description": "The owner of a shared project's store; percent-encode characters beyond ASCII. \
                 Without membership the answer is 404.",
            "schema": { "type": "string", "pattern": "^[!-$&-~]{1,256}$" }
        },
        "X-Request-Id": {
            "name": "X-Request-Id",
            "in": "header",
            "description": "A name for the request, 1 to 128 visible ASCII characters. It is returned, and \
                 kept in the audit trail. Any other value is replaced by a generated name.",
            "schema": { "type": "string" }
        },
        "Idempotency-Key": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "A repeated request with the same key gets the first answer again, for one day.",
            "schema": { "type": "string", "pattern": "^[ -~]{1,255}$" }
        },
        "If-Match": {
            "name": "If-Match",
            "in": "header",
            "description": "The ETag that must be current, such as `\"v3\"`, or `*` for any.",
            "schema": { "type": "string", "pattern": "^(\\*|\"[!#-~]*\")$" },
            "example": "\"v3\""
        },
        "If-None-Match": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The ETags that the client has already.",
            "schema": { "type": "string", "pattern": "^(\\*|(W/)?\"[!#-~]*\"( *, *(W/)?\"[!#-~]*\")*)$" }
        },
        "If-None-Match-Any": {
            "name": "If-None-Match",
            "in": "header",
            "description": "`*`: the context must not exist yet.",
            "schema": { "type": "string", "const": "*" }
        },
        "Nacre-Confirm": {
            "name": "Nacre-Confirm",
            "in": "header",
            "required": true,
            "description": "Confirms the deletion, which cannot be undone.",
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
                "level" => ("The level of the context.", level()),
                "id" => (
                    "The id of the context. At level `global` it is always `global`.",
                    json!({ "type": "string", "pattern": ID }),
                ),
                "user" => (
                    "The user: the `sub` of their token.",
                    json!({ "type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]{1,256}$" }),
                ),
                "token" => (
                    "The id of the token: its `jti`.",
                    json!({ "type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]{1,256}$" }),
                ),
                "promotion" => (
                    "The id of the promotion.",
                    json!({ "type": "string", "pattern": "^[0-9]+-[0-9]+$" }),
                ),
                "name" => ("The name of the template.", json!({ "type": "string", "pattern": ID })),
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
        Kind::Words => json!({ "type": "string" }),
        Kind::SearchMode => json!({
            "type": "string", "enum": ["text", "semantic", "hybrid"], "default": "hybrid"
        }),
        Kind::SearchScope => json!({
            "type": "string", "enum": ["stored", "resolved"], "default": "stored"
        }),
        Kind::Levels => json!({
            "type": "string",
            "pattern": "^(global|project|branch|task)(,(global|project|branch|task))*$"
        }),
        Kind::SearchLimit => json!({
            "type": "integer", "minimum": 1, "maximum": 100, "default": 10
        }),
        Kind::Tokens => json!({
            "type": "integer", "minimum": TOKENS_LEAST, "maximum": TOKENS, "default": TOKENS_DEFAULT
        }),
        Kind::Ratio => json!({ "type": "number", "minimum": 1, "maximum": 8 }),
        Kind::PackFormat => json!({
            "type": "string", "enum": ["markdown", "json"], "default": "markdown"
        }),
        Kind::Standing => json!({
            "type": "string", "enum": ["proposed", "stale", "approved", "declined", "undone"]
        }),
        Kind::On => json!({ "type": "boolean", "default": true }),
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
