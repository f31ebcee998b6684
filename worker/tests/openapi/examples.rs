//! Examples of bodies and answers: one small store seen from all sides.

use nacre_core::{
    error::{Code, Conflict, Error},
    wire,
};
use nacre_worker::http::routes::{BodyType, Shape};
use serde_json::{Value, json};

const TIME: &str = "2026-11-21T09:30:00.000Z";
const HASH: &str = "q2ZzLwF0nJx8bV1uXo7Yt3sRk5mP9dEaHcGiWlTfBvQ";

pub(crate) fn body(body: BodyType) -> Value {
    match body {
        BodyType::Put => json!({
            "data": { "build": { "target": "wasm32" }, "reviewers": ["ada"] },
            "parent": "checkout",
            "rules": { "/reviewers": "union" },
            "summary": "first draft"
        }),
        BodyType::Unset => json!({ "pointers": ["/build/cache"] }),
        BodyType::Append => json!({ "pointer": "/reviewers", "values": ["grace"] }),
        BodyType::Insight => json!({
            "content": "The flaky test waits for a clock that stands still.",
            "category": "testing",
            "importance": 0.8,
            "agent": "fixer"
        }),
        BodyType::Progress => json!({ "content": "Reproduced it.", "agent": "fixer" }),
        BodyType::Restore => json!({ "summary": "deleted by mistake" }),
        BodyType::Move => json!({ "parent": "payments" }),
        BodyType::Rollback => json!({ "version": 2, "summary": "the new target does not link" }),
        BodyType::Preview => json!({ "patch": { "build": { "target": "wasm64" } } }),
        BodyType::Batch => json!({
            "transaction": true,
            "operations": [
                {
                    "action": "create", "level": "project", "context_id": "shop",
                    "data": { "language": "rust" }
                },
                {
                    "action": "update", "level": "task", "context_id": "fix-1",
                    "patch": { "done": true }, "expect_version": 3
                },
                { "action": "resolve", "level": "task", "context_id": "fix-1", "path": "/build" }
            ]
        }),
        BodyType::Member => json!({ "project": "shop", "role": "reader" }),
        BodyType::Unshare => json!({ "project": "shop" }),
        BodyType::Template => template(),
        BodyType::Beginning => json!({
            "level": "project",
            "context_id": "orders",
            "variables": { "name": "orders", "owner": "payments" },
            "customizations": { "api": { "port": 9090 } }
        }),
        BodyType::Promotion => json!({
            "from": { "level": "task", "id": "fix-1" },
            "pointer": "/build/target",
            "to": { "level": "project", "id": "shop" },
            "reason": "every task of the project builds for this target",
            "evidence": { "tasks": ["fix-1", "fix-2"] }
        }),
        BodyType::RevokeUser => json!({ "not_before": TIME }),
        BodyType::RevokeToken => json!({ "expires_at": TIME }),
        BodyType::Vector => json!({ "vector": [0.12, -0.5, 0.31], "version": 3 }),
        BodyType::Question => json!({
            "q": "connection timeout -redis", "levels": ["task"], "limit": 10
        }),
    }
}

pub(crate) fn merge_patch() -> Value {
    json!({ "build": { "target": "wasm64", "cache": null } })
}

pub(crate) fn json_patch() -> Value {
    json!([
        { "op": "test", "path": "/build/target", "value": "wasm32" },
        { "op": "replace", "path": "/build/target", "value": "wasm64" },
        { "op": "remove", "path": "/build/cache" }
    ])
}

pub(crate) fn import() -> Value {
    let lines = [
        r#"{"level":"project","id":"shop","parent":null,"data":{"language":"rust"}}"#,
        r#"{"level":"branch","id":"checkout","parent":"shop","data":{}}"#,
    ];
    Value::String(lines.join("\n") + "\n")
}

fn context() -> Value {
    json!({
        "created_at": TIME,
        "data": { "build": { "target": "wasm32" }, "reviewers": ["ada"] },
        "id": "fix-1",
        "level": "task",
        "parent": "checkout",
        "rules": { "/reviewers": "union" },
        "updated_at": TIME,
        "updated_by": "ada",
        "version": 3
    })
}

fn insight() -> Value {
    json!({
        "agent": "fixer",
        "at": TIME,
        "by": "ada",
        "category": "testing",
        "content": "The flaky test waits for a clock that stands still.",
        "id": "41-0",
        "importance": 0.8
    })
}

fn progress() -> Value {
    json!({
        "agent": "fixer", "at": TIME, "by": "ada", "content": "Reproduced it.", "id": "42-0"
    })
}

fn member() -> Value {
    json!({
        "global": true, "history": "from-share", "project": "shop", "reveal": false, "role": "reader",
        "since": TIME, "user": "grace",
    })
}

fn revocation() -> Value {
    json!({
        "at": TIME, "by": "ada", "expires_at": null, "not_before": TIME, "token": null,
        "user": "grace"
    })
}

fn template() -> Value {
    json!({
        "description": "A review of one change",
        "variables": {
            "change": { "type": "string", "description": "The change under review" },
            "depth": { "type": "enum", "values": ["quick", "full"], "default": "full" }
        },
        "layers": {
            "task": {
                "data": { "change": "{{change}}", "depth": "{{depth}}", "findings": [] },
                "rules": { "/findings": "append" }
            }
        }
    })
}

fn promotion() -> Value {
    json!({
        "at": TIME,
        "by": "ada",
        "decided": null,
        "evidence": { "tasks": ["fix-1", "fix-2"] },
        "from": { "id": "fix-1", "level": "task" },
        "id": "43-0",
        "pointer": "/build/target",
        "preview": {
            "affected": [
                { "id": "shop", "level": "project" }, { "id": "checkout", "level": "branch" }
            ],
            "affected_count": 2,
            "overridden_by": [{ "id": "fix-3", "level": "task", "pointer": "/build/target" }],
            "overridden_count": 1,
            "unchanged": 2
        },
        "reason": "every task of the project builds for this target",
        "replaces": "wasm32",
        "state": "proposed",
        "to": { "id": "shop", "level": "project" },
        "value": "wasm64"
    })
}

fn page(item: Value) -> Value {
    json!({ "items": [item], "next_cursor": null })
}

fn link(level: &str, id: &str, version: u64) -> Value {
    json!({ "id": id, "level": level, "version": version })
}

pub(crate) const MARKDOWN_PACK: &str = "# Context\n\n## global\n\n- model: small\n";

pub(crate) fn answer(shape: Shape) -> Value {
    match shape {
        Shape::Text => {
            "Contact: mailto:security@example.com\nExpires: 2027-05-20T09:30:00.000Z\n".into()
        }
        Shape::Health => json!({ "status": "ok" }),
        Shape::Description => json!({ "openapi": "3.1.0", "paths": {} }),
        Shape::Context => context(),
        Shape::Contexts => {
            let mut item = context();
            item.as_object_mut().unwrap().remove("data");
            page(item)
        }
        Shape::Deleted => {
            json!({ "deleted": 3, "id": "checkout", "level": "branch", "version": 5 })
        }
        Shape::Restored => json!({
            "id": "checkout",
            "level": "branch",
            "restored": [link("branch", "checkout", 6), link("task", "fix-1", 5)],
            "version": 6
        }),
        Shape::View => json!({
            "chain": [
                link("global", "global", 2), link("project", "shop", 4),
                link("branch", "checkout", 1), link("task", "fix-1", 3)
            ],
            "data": { "build": { "target": "wasm32" }, "language": "rust" },
            "hash": HASH,
            "id": "fix-1",
            "ignored": [],
            "level": "task",
            "origins": {
                "/build/target": {
                    "by": "ada", "id": "fix-1", "level": "task", "rule": "replace",
                    "shadowed": [link("project", "shop", 4)], "version": 3
                },
                "/language": {
                    "by": "ada", "id": "shop", "level": "project", "rule": "replace",
                    "shadowed": [], "version": 4
                }
            },
            "seq": 42
        }),
        Shape::Diff => json!({
            "patch": [{
                "layers": [link("task", "fix-1", 3)], "op": "replace", "path": "/build/target",
                "value": "wasm32"
            }]
        }),
        Shape::Preview => json!({
            "affected": [{
                "changes": [{
                    "after": "wasm64", "before": "wasm32", "pointer": "/build/target"
                }],
                "id": "fix-1",
                "level": "task"
            }],
            "overridden_by": [{ "id": "fix-2", "level": "task", "pointer": "/build/target" }],
            "unchanged": 1
        }),
        Shape::Insight => insight(),
        Shape::Insights => page(insight()),
        Shape::Progress => progress(),
        Shape::ProgressNotes => page(progress()),
        Shape::History => page(json!({
            "at": TIME,
            "by": "ada",
            "change": "update",
            "patch": [{ "op": "replace", "path": "/build/target", "value": "wasm32" }],
            "seq": 42,
            "summary": "first draft",
            "version": 3
        })),
        Shape::Batch => {
            let mut done = context();
            done["status"] = 200.into();
            json!({ "results": [done, problem(Code::NotFound)], "seq": 42 })
        }
        Shape::Usage => json!({
            "quotas": { "sockets": { "limit": 64, "used": 2 } },
            "requests": { "burst": 1000, "left": 998, "per_second": 200 },
            "searches": { "burst": 500, "left": 499, "per_second": 50 }
        }),
        Shape::Reindex => json!({ "documents": 120, "done": 80, "of": 200 }),
        Shape::Pack => json!({
            "layers": [{
                "context": { "id": "global", "level": "global" },
                "data": { "model": "small" },
                "insights": [{
                    "at": "2026-11-20T09:30:00Z", "by": "planner", "category": "decision",
                    "content": "The pool runs dry at 20 connections."
                }]
            }],
            "left_out": [{
                "bytes": 1406, "id": "global", "level": "global", "pointer": "/glossary",
                "tokens": 469
            }],
            "max_tokens": 2000,
            "more": [],
            "tokens": 212,
            "unlisted": 0,
            "view": {
                "fetch": "/v1/contexts/task/fix-1/resolved{?path}",
                "hash": "ylFXpA7KvHoQfChDml7QioeaAjQitPT8Oh6h3HR2dkQ",
                "id": "fix-1", "level": "task", "seq": 42
            }
        }),
        Shape::Found => json!({
            "items": [{
                "id": "fix-1",
                "level": "task",
                "path": "/title",
                "reasons": {
                    "near": 0.61,
                    "updated_at": TIME,
                    "words": [{
                        "count": 1, "field": "title", "pointer": "/title", "word": "timeout"
                    }]
                },
                "score": 0.93,
                "snippet": [
                    { "text": "Fix connection " }, { "found": true, "text": "timeouts" }
                ]
            }],
            "next_cursor": null,
            "ranking": ["words", "terms", "vectors"],
            "total_estimate": 1
        }),
        Shape::Keys => json!({ "data_key": "d2", "rotating": true }),
        Shape::Imported => json!({ "created": 238, "replaced": 1, "seq": 1 }),
        Shape::Member => member(),
        Shape::Members => json!({ "items": [member()] }),
        Shape::Revocation => revocation(),
        Shape::Revocations => json!({ "items": [revocation()] }),
        Shape::Template => {
            let mut shown = template();
            shown["name"] = "review".into();
            shown["preset"] = false.into();
            shown
        }
        Shape::Templates => json!({
            "items": [{
                "description": "A review of one change", "levels": ["task"], "name": "review",
                "preset": false, "variables": ["change", "depth"]
            }]
        }),
        Shape::Promotion => promotion(),
        Shape::Promotions => page(promotion()),
        Shape::Audit => page(json!({
            "at": TIME,
            "by": "ada",
            "deeds": [{
                "action": "update", "id": "fix-1", "level": "task", "member": null, "version": 3
            }],
            "request_id": "01JD6Z5R8",
            "seq": 42
        })),
        Shape::Lines => {
            let mut line = context();
            line["history"] = json!([]);
            line["insights"] = json!([insight()]);
            line["progress"] = json!([progress()]);
            Value::String(line.to_string() + "\n")
        }
        Shape::Nothing => Value::Null,
    }
}

/// What an error of this code looks like.
pub(crate) fn problem(code: Code) -> Value {
    let error = match code {
        Code::NotFound => Error::not_found(),
        Code::VersionConflict => {
            let detail = "expected version 3; current is 4. `conflicts` lists what both sides \
                          changed: decide what holds, then retry on version 4";
            let conflict = Conflict {
                pointer: "/build/target".into(),
                base: Some("wasm32".into()),
                current: Some("wasm64".into()),
                yours: Some("native".into()),
            };
            Error::new(code, detail).current_version(4).conflicts(vec![conflict])
        }
        Code::InvalidJson => Error::new(code, "expected `,` or `}`, at byte 17"),
        Code::TooLarge => {
            Error::new(code, "the data of a context must be at most 1 MiB").limit(1 << 20)
        }
        code => Error::new(code, code.title()),
    };
    serde_json::from_slice(&wire::problem(&error)).unwrap()
}
