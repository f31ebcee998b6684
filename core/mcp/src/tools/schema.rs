//! The arguments and answers of the tools as types, of which their JSON Schemas are made.
//!
//! A model reads all of it on every turn. So a description says what a name does not, patterns and
//! formats are left to the errors, and what may be left out is just not required.
#![allow(rustdoc::invalid_html_tags, reason = "what models read is no HTML")]

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use nacre_wire::schema;

use super::TOOLS;

type Object = Map<String, Value>;

/// Derives the schema of arguments or of an answer.
macro_rules! shapes {
    ($($(#[$doc:meta])* struct $name:ident { $($(#[$of:meta])* $member:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[allow(dead_code, missing_docs, reason = "only its schema is used")]
        struct $name { $($(#[$of])* $member: $type,)* }
    )*};
}

shapes! {
    struct ResolveArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        /// JSON Pointer to one part
        path: Option<String>,
        /// past state: a seq or an RFC 3339 time
        at: Option<String>,
        max_tokens: Option<u64>,
    }

    struct PackArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        #[schemars(schema_with = "format", default)]
        format: Option<String>,
        /// who changed each layer last, and when
        origins: Option<bool>,
        max_tokens: Option<u64>,
    }

    struct ManageArguments {
        #[schemars(schema_with = "actions")]
        action: String,
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        /// create, put: the layer
        data: Option<Object>,
        /// create, put, move: id of the context one level up
        parent: Option<String>,
        /// create, put: JSON Pointer -> replace|deep|union|append|keyed:<member>|lock
        rules: Option<Object>,
        /// create, put
        create_parents: Option<bool>,
        /// update: merge patch (object; null removes) or JSON Patch (array)
        #[schemars(schema_with = "patch", default)]
        patch: Option<Value>,
        /// append: JSON Pointer to the list
        pointer: Option<String>,
        /// append
        values: Option<Vec<Value>>,
        /// unset: hide inherited members
        pointers: Option<Vec<String>>,
        /// delete: with all below
        cascade: Option<bool>,
        /// add_insight, add_progress: the text
        content: Option<String>,
        /// add_insight
        category: Option<String>,
        /// add_insight: 0 to 1
        importance: Option<f64>,
        /// add_insight, add_progress: your name
        agent: Option<String>,
        /// resolve: JSON Pointer to one part
        path: Option<String>,
        /// list: only what is below, as level/id
        under: Option<String>,
        limit: Option<u64>,
        cursor: Option<String>,
        /// why, for the history
        summary: Option<String>,
        /// fail if the version is another
        expect_version: Option<u64>,
        /// a repeat writes nothing twice
        idempotency_key: Option<String>,
        max_tokens: Option<u64>,
    }

    struct BatchArguments {
        /// each as the arguments of manage_context
        operations: Vec<Object>,
        /// false: each succeeds or fails by itself
        transaction: Option<bool>,
        idempotency_key: Option<String>,
        max_tokens: Option<u64>,
    }

    struct PreviewArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        #[schemars(schema_with = "patch", default)]
        patch: Option<Value>,
        /// writes as in manage_context_batch, instead of patch
        operations: Option<Vec<Object>>,
        max_tokens: Option<u64>,
    }

    struct SearchArguments {
        /// words, "phrases", -exclusions, prefix*
        q: String,
        #[schemars(schema_with = "mode", default)]
        mode: Option<String>,
        /// stored layers or resolved views
        #[schemars(schema_with = "scope", default)]
        scope: Option<String>,
        levels: Option<Vec<String>>,
        /// level/id
        under: Option<String>,
        limit: Option<u64>,
        cursor: Option<String>,
        max_tokens: Option<u64>,
    }

    struct HistoryArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        limit: Option<u64>,
        cursor: Option<String>,
        max_tokens: Option<u64>,
    }

    struct DiffArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        /// version; with view: seq or time
        from: String,
        /// the current one if left out
        to: Option<String>,
        /// compare the resolved view
        view: Option<bool>,
        max_tokens: Option<u64>,
    }

    struct RollbackArguments {
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        version: u64,
        summary: Option<String>,
        expect_version: Option<u64>,
        idempotency_key: Option<String>,
    }

    struct PromoteArguments {
        #[schemars(schema_with = "promotion_actions")]
        action: String,
        /// propose: the context that holds the value
        #[schemars(schema_with = "level", default)]
        level: Option<String>,
        context_id: Option<String>,
        /// propose: JSON Pointer to the value
        pointer: Option<String>,
        /// propose: the level above that shall hold it
        #[schemars(schema_with = "level", default)]
        to: Option<String>,
        reason: Option<String>,
        /// propose: what speaks for it
        evidence: Option<Value>,
        /// approve, decline, undo
        id: Option<String>,
        #[schemars(schema_with = "schema::standing", default)]
        state: Option<String>,
        limit: Option<u64>,
        cursor: Option<String>,
        max_tokens: Option<u64>,
    }

    struct TemplatesArguments {
        /// all of this one
        template: Option<String>,
        max_tokens: Option<u64>,
    }

    struct BeginArguments {
        template: String,
        #[schemars(schema_with = "level")]
        level: String,
        context_id: String,
        parent: Option<String>,
        variables: Option<Object>,
        /// merged over the template's data
        customizations: Option<Object>,
        idempotency_key: Option<String>,
    }

    struct View {
        context: Option<String>,
        data: Option<Value>,
        left_out: Option<Vec<Value>>,
        you: Object,
    }

    struct Pack {
        context: String,
        pack: String,
    }

    struct Managed {
        context: Option<String>,
        version: Option<u64>,
        data: Option<Value>,
        items: Option<Vec<Value>>,
        next_cursor: Option<String>,
    }

    struct Results {
        results: Vec<Value>,
        seq: u64,
    }

    struct Explained {
        context: String,
        explained: Option<Value>,
    }

    struct Preview {
        affected: Option<Vec<Value>>,
        unchanged: u64,
    }

    struct Items {
        items: Vec<Value>,
        next_cursor: Option<String>,
    }

    struct Diff {
        patch: Option<Vec<Value>>,
    }

    struct Promoted {
        id: Option<String>,
        state: Option<String>,
        items: Option<Vec<Value>>,
    }

    struct Templates {
        templates: Option<Vec<Value>>,
        layers: Option<Object>,
    }

    struct Written {
        context: String,
        version: u64,
    }
}

fn level(generator: &mut SchemaGenerator) -> Schema {
    schema::level(generator)
}

fn patch(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["object", "array"] })
}

fn format(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["markdown", "json"] })
}

fn mode(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["hybrid", "text", "semantic"] })
}

fn scope(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["stored", "resolved"] })
}

fn promotion_actions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": super::promotions::ACTIONS })
}

fn actions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": super::contexts::ACTIONS })
}

/// What a tool does to the store (a hint for clients: `ToolAnnotations` of the protocol).
#[derive(Clone, Copy)]
enum Effect {
    /// It reads.
    Reads,
    /// It may take something away.
    Destroys,
}

/// What a client is shown of a tool.
struct Shown {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    effect: Effect,
    input: Schema,
    output: Schema,
}

/// `tools.json`: what clients are shown of each tool, in the order of the table.
///
/// # Panics
/// If a tool of the table is not described. Only a test calls this.
pub fn document() -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let mut shown: BTreeMap<&str, Shown> =
        all(&mut generator).into_iter().map(|shown| (shown.name, shown)).collect();
    let tools: Vec<Value> = TOOLS
        .iter()
        .map(|tool| shown.remove(tool.name).map_or(Value::Null, Shown::into_json))
        .collect();
    let mut text = String::from("[\n");
    for (at, tool) in tools.iter().enumerate() {
        let end = if at + 1 < tools.len() { "," } else { "" };
        text.push_str(&format!("{tool}{end}\n"));
    }
    text.push_str("]\n");
    text
}

fn all(generator: &mut SchemaGenerator) -> Vec<Shown> {
    macro_rules! shown {
        ($($name:literal, $title:literal, $effect:ident, $input:ty => $output:ty, $about:literal;)*) => {
            Vec::from([$(Shown {
                name: $name,
                title: $title,
                description: $about,
                effect: Effect::$effect,
                input: generator.root_schema_for::<$input>(),
                output: generator.root_schema_for::<$output>(),
            }),*])
        };
    }
    shown! {
        "resolve_context", "Read what a context knows", Reads, ResolveArguments => View,
            "The resolved view: the context's layer merged with those above it (global, project, branch, \
             task). Without arguments: your default context, who you are and what you may do.";
        "get_context_pack", "Load a context for a prompt", Reads, PackArguments => Pack,
            "What to know before work on a context: every layer, insights and progress notes, as text \
             within max_tokens. Start a task with it.";
        "manage_context", "Read or write one context", Destroys, ManageArguments => Managed,
            "One action on one stored layer. Concurrent updates merge. Insights and progress notes are \
             for whoever comes next.";
        "manage_context_batch", "Write several contexts at once", Destroys, BatchArguments => Results,
            "Up to 500 operations as one commit: all or none.";
        "explain_context", "Explain where values come from", Reads, ResolveArguments => Explained,
            "For each value of the view: its layer, its rule, what it hides, what a lock ignored.";
        "preview_change", "Preview a change", Reads, PreviewArguments => Preview,
            "What writes would change in views below, and who overrides them. Stores nothing.";
        "search_contexts", "Search contexts", Reads, SearchArguments => Items,
            "Finds contexts by words and by meaning, with the place.";
        "get_context_history", "List versions", Reads, HistoryArguments => Items,
            "Versions of a context, newest first: who, when, why, and the change.";
        "diff_context", "Compare two states", Reads, DiffArguments => Diff,
            "A JSON Patch between two versions.";
        "rollback_context", "Roll back to a version", Destroys, RollbackArguments => Written,
            "A new version with the data of an old one. Nothing is lost.";
        "promote_context", "Move a value up", Destroys, PromoteArguments => Promoted,
            "Propose that a layer above hold a value, so that all below it know; then approve, decline or \
             undo.";
        "list_templates", "List templates", Reads, TemplatesArguments => Templates,
            "Templates for new contexts, with their levels and variables.";
        "create_from_template", "Create from a template", Destroys, BeginArguments => Written,
            "Create a context with a template's data.";
    }
}

impl Shown {
    fn into_json(self) -> Value {
        let Shown { name, title, description, effect, input, output } = self;
        let annotations = match effect {
            Effect::Reads => json!({ "readOnlyHint": true }),
            Effect::Destroys => json!({ "destructiveHint": true }),
        };
        let mut input: Value = input.into();
        let mut output: Value = output.into();
        compact(&mut input);
        compact(&mut output);
        // Models pass what they have learnt elsewhere; what is unknown is refused with a hint.
        json!({
            "name": name,
            "title": title,
            "description": description,
            "annotations": annotations,
            "inputSchema": input,
            "outputSchema": output,
        })
    }
}

/// The schemas of an object's members.
fn properties(members: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    let properties = members.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(|properties| properties.values_mut())
}

/// Leaves out what costs tokens and tells a model nothing.
fn compact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["title", "format", "minimum", "pattern", "default"] {
                if members.get(name).is_some_and(|value| !value.is_object()) {
                    members.remove(name);
                }
            }
            for name in ["type", "enum"] {
                let Some(Value::Array(types)) = members.get_mut(name) else { continue };
                types.retain(|of| !of.is_null() && of != "null");
                if name == "type" && types.len() == 1 {
                    let only = types.remove(0);
                    members.insert(name.into(), only);
                }
            }
            // Each of a list of choices is a string; any value needs no schema of its own.
            if members.contains_key("enum") {
                members.remove("type");
            }
            if members.get("additionalProperties") == Some(&Value::Bool(true)) {
                members.remove("additionalProperties");
            }
            if members.get("items") == Some(&Value::Bool(true)) {
                members.remove("items");
            }
            members.values_mut().for_each(compact);
            // Any value: the official SDK of the earlier revisions knows no schema that is `true`.
            for property in properties(members) {
                if *property == Value::Bool(true) {
                    *property = Value::Object(Map::new());
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(compact),
        _ => {}
    }
}
