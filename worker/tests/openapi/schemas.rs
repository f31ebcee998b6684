//! The schemas of bodies and answers, derived from the wire types.

use std::collections::BTreeMap;

use nacre_core::retrieval::{FoundText, SearchBody, VectorBody};
use nacre_core::wire::{
    self,
    import::LineBody,
    operation::{BatchBody, PreviewBody},
    promotion::{PromotionBody, PromotionText},
    reply::{
        AuditText, ContextText, DeletedText, DiffText, ImportedText, InsightText, KeysText,
        MemberText, MembersText, PageText, PreviewText, ProgressText, ReindexText, RestoredText,
        RevocationText, RevocationsText, UsageText, VersionText, ViewText,
    },
    request::{
        AppendBody, InsightBody, MemberBody, MoveBody, ProgressBody, PutBody, RestoreBody,
        RevokeTokenBody, RevokeUserBody, RollbackBody, UnsetBody, UnshareBody,
    },
    template::{BeginningBody, TemplateBody, TemplateText, TemplatesText},
};
use nacre_worker::http::routes::{BodyType, Shape};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

/// Gathers the schemas that a document refers to.
pub(crate) struct Schemas {
    bodies: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(crate) fn new() -> Schemas {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Schemas {
            bodies: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    /// The schema of a body.
    pub(crate) fn body(&mut self, body: BodyType) -> Value {
        match body {
            BodyType::Put => self.read::<PutBody>(),
            BodyType::Unset => self.read::<UnsetBody>(),
            BodyType::Append => self.read::<AppendBody>(),
            BodyType::Insight => self.read::<InsightBody>(),
            BodyType::Progress => self.read::<ProgressBody>(),
            BodyType::Restore => self.read::<RestoreBody>(),
            BodyType::Move => self.read::<MoveBody>(),
            BodyType::Rollback => self.read::<RollbackBody>(),
            BodyType::Preview => self.read::<PreviewBody>(),
            BodyType::Batch => self.read::<BatchBody>(),
            BodyType::Member => self.read::<MemberBody>(),
            BodyType::Unshare => self.read::<UnshareBody>(),
            BodyType::Template => self.read::<TemplateBody>(),
            BodyType::Beginning => self.read::<BeginningBody>(),
            BodyType::Promotion => self.read::<PromotionBody>(),
            BodyType::RevokeUser => self.read::<RevokeUserBody>(),
            BodyType::RevokeToken => self.read::<RevokeTokenBody>(),
            BodyType::Question => self.read::<SearchBody>(),
            BodyType::Vector => self.read::<VectorBody>(),
        }
    }

    /// The schema of a line to import.
    pub(crate) fn line(&mut self) -> Value {
        self.read::<LineBody>()
    }

    /// The schema of an answer; `None` for one without a body.
    pub(crate) fn answer(&mut self, shape: Shape) -> Option<Value> {
        Some(match shape {
            Shape::Health => json!({
                "type": "object",
                "properties": { "status": { "const": "ok" } },
                "required": ["status"]
            }),
            Shape::Description => json!({ "type": "object", "required": ["openapi", "paths"] }),
            Shape::Context => self.said::<ContextText<'_>>(),
            Shape::Contexts => self.said::<PageText<ContextText<'_>>>(),
            Shape::Deleted => self.said::<DeletedText<'_>>(),
            Shape::Restored => self.said::<RestoredText<'_>>(),
            Shape::View => self.said::<ViewText<'_>>(),
            Shape::Diff => self.said::<DiffText<'_>>(),
            Shape::Preview => self.said::<PreviewText<'_>>(),
            Shape::Insight => self.said::<InsightText<'_>>(),
            Shape::Insights => self.said::<PageText<InsightText<'_>>>(),
            Shape::Progress => self.said::<ProgressText<'_>>(),
            Shape::ProgressNotes => self.said::<PageText<ProgressText<'_>>>(),
            Shape::History => self.said::<PageText<VersionText<'_>>>(),
            Shape::Usage => self.said::<UsageText<'_>>(),
            Shape::Found => self.said::<FoundText<'_>>(),
            Shape::Pack => pack(),
            Shape::Keys => self.said::<KeysText<'_>>(),
            Shape::Reindex => self.said::<ReindexText>(),
            Shape::Imported => self.said::<ImportedText>(),
            Shape::Member => self.said::<MemberText<'_>>(),
            Shape::Members => self.said::<MembersText<'_>>(),
            Shape::Revocation => self.said::<RevocationText<'_>>(),
            Shape::Revocations => self.said::<RevocationsText<'_>>(),
            Shape::Template => self.said::<TemplateText<'_>>(),
            Shape::Templates => self.said::<TemplatesText<'_>>(),
            Shape::Promotion => self.said::<PromotionText<'_>>(),
            Shape::Promotions => self.said::<PageText<PromotionText<'_>>>(),
            Shape::Audit => self.said::<PageText<AuditText<'_>>>(),
            Shape::Batch => self.batch(),
            Shape::Lines | Shape::Text => json!({ "type": "string" }),
            Shape::Nothing => return None,
        })
    }

    /// The schema of an error.
    pub(crate) fn problem(&mut self) -> Value {
        self.said::<wire::Problem<'_>>()
    }

    /// Results are the answers of their operations, or problems, each with its status.
    fn batch(&mut self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "results": {
                    "description": "One result per operation, in order: the members of its answer or problem, \
                         and its status.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "status": { "type": "integer", "minimum": 200, "maximum": 599 },
                            "version": { "type": "integer", "minimum": 1 },
                            "replayed": {
                                "description": "Present if the idempotency key was used before: this is the \
                                     first result again.",
                                "const": true
                            }
                        },
                        "required": ["status"]
                    }
                },
                "seq": { "type": "integer", "minimum": 0 }
            },
            "required": ["results", "seq"]
        })
    }

    fn read<T: JsonSchema>(&mut self) -> Value {
        self.bodies.subschema_for::<T>().to_value()
    }

    fn said<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// All schemas, by name.
    pub(crate) fn finish(mut self) -> BTreeMap<String, Value> {
        let mut all: BTreeMap<String, Value> =
            self.bodies.take_definitions(true).into_iter().collect();
        for (name, schema) in self.answers.take_definitions(true) {
            if let Some(other) = all.insert(name.clone(), schema.clone()) {
                assert_eq!(other, schema, "two schemas are named {name}");
            }
        }
        all
    }
}

/// A validator for a schema within the document.
pub(crate) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members
            .insert("components".into(), json!({ "schemas": document["components"]["schemas"] }));
    }
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("a valid schema")
}

/// The schema of a context pack, whose text is written piece by piece.
fn pack() -> Value {
    let level = json!({ "type": "string", "enum": ["global", "project", "branch", "task"] });
    let id = json!({ "type": "string" });
    let object = |properties: Value, required: &[&str]| {
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false
        })
    };
    let list = |items: Value| json!({ "type": "array", "items": items });
    let entry = object(
        json!({
            "at": { "type": "string", "format": "date-time" },
            "by": { "type": "string", "description": "The agent, or the user." },
            "category": { "type": "string" },
            "content": { "type": "string" }
        }),
        &["at", "by", "content"],
    );
    let context = object(
        json!({
            "at": { "type": "string", "format": "date-time" },
            "by": { "type": "string" },
            "id": id,
            "level": level,
            "version": { "type": "integer" }
        }),
        &["id", "level"],
    );
    let layer = object(
        json!({
            "context": context,
            "data": {
                "type": "object",
                "description": "A merge patch of what the layers before say. Nothing of them stays in an \
                    object with `$replaces`."
            },
            "insights": list(entry.clone()),
            "progress": list(entry)
        }),
        &["context", "data"],
    );
    let more = object(
        json!({ "data": {}, "id": id, "level": level, "pointer": { "type": "string" } }),
        &["data", "id", "level", "pointer"],
    );
    let left_out = object(
        json!({
            "bytes": { "type": "integer" },
            "entries": { "type": "string", "enum": ["insight", "progress"] },
            "id": id,
            "level": level,
            "members": { "type": "integer", "description": "So many members at the pointer." },
            "pointer": { "type": "string" },
            "tokens": { "type": "integer", "description": "About." }
        }),
        &["id", "level"],
    );
    let view = object(
        json!({
            "fetch": { "type": "string", "description": "Where a place is read (RFC 6570)." },
            "hash": { "type": "string" },
            "id": id,
            "level": level,
            "seq": { "type": "integer" }
        }),
        &["fetch", "hash", "id", "level", "seq"],
    );
    object(
        json!({
            "layers": list(layer),
            "left_out": list(left_out),
            "max_tokens": { "type": "integer" },
            "more": list(more),
            "tokens": { "type": "integer" },
            "unlisted": { "type": "integer", "description": "Left out, and not in the list." },
            "view": view
        }),
        &["layers", "left_out", "max_tokens", "more", "tokens", "unlisted", "view"],
    )
}
