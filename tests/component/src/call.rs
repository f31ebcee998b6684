//! One call as data: what is asked of the component, and what it answers, both as JSON for the
//! transcript.

use std::{fs, path::Path};

use nacre_core::search::semantic::models::File;
use nacre_topics::{retrieval::Texts, to_hex};
use serde_json::{Value, json};
use wasmtime::{Result, Store, component::ResourceAny};

use crate::{
    Host,
    bindings::exports::nacre::context::{
        lint::{Context, Finding, Severity},
        resolver::{Explanation, Layer},
        search, store,
        types::{Address, Error, ErrorKind, Level},
    },
};

/// A layer of a chain: its data, and its rules if it has any.
pub type LayerTexts = (String, Option<String>);

/// A call of a function, or of a store from its making to its last operation.
#[derive(Clone, Debug)]
pub enum Call {
    /// `resolver.resolve`, of layers from the global one downward: data and rules.
    Resolve(Vec<LayerTexts>),
    /// `resolver.resolve-prepared`.
    ResolvePrepared(Vec<LayerTexts>),
    /// `resolver.explain`.
    Explain(Vec<LayerTexts>),
    /// `resolver.hash`.
    Hash(Vec<LayerTexts>),
    /// `resolver.diff`.
    Diff([String; 2]),
    /// `resolver.merge-patch`.
    MergePatch([String; 2]),
    /// `resolver.json-patch`.
    JsonPatch([String; 2]),
    /// `resolver.append`.
    Append(String, String, String),
    /// `resolver.unset`.
    Unset(String, Vec<String>),
    /// `resolver.canonical`.
    Canonical(String),
    /// `lint.check`.
    Check(Vec<Context>),
    /// `store.open` for alice with entropy of ones, then the whole export.
    Open(String),
    /// `store.create` for alice with entropy of ones, then `store.batch` of each body, a second
    /// apart; last the whole export.
    Store(Vec<String>),
    /// A new collection, then `put` of each context and `give-vector`; with models,
    /// `encode` of all of them; last `find` of each question.
    Search(Search),
}

/// A collection from its making to its last question.
#[derive(Clone, Debug)]
pub struct Search {
    /// The contexts.
    pub contexts: Vec<Texts>,
    /// Vectors for them.
    pub vectors: Vec<(Address, Vec<f32>)>,
    /// Whether the models are loaded.
    pub models: bool,
    /// The questions.
    pub questions: Vec<String>,
}

/// What a call gave: a text, something else shown as JSON, or an error.
pub type Answer = std::result::Result<Value, Error>;

impl Call {
    /// Makes the call.
    ///
    /// # Errors
    /// When the component traps: it never should.
    pub fn run(&self, host: &mut Host) -> Result<Answer> {
        if let Call::Store(bodies) = self {
            return perform(host, bodies);
        }
        if let Call::ResolvePrepared(layers) = self {
            return resolve_prepared(host, layers);
        }
        if let Call::Check(contexts) = self {
            return check(host, contexts);
        }
        if let Call::Open(lines) = self {
            return open(host, lines);
        }
        if let Call::Search(search) = self {
            return find(host, search);
        }
        let (resolver, context) = host.resolver();
        Ok(match self {
            Call::Resolve(layers) => text(resolver.call_resolve(context, &chain(layers))?),
            Call::Explain(layers) => {
                resolver.call_explain(context, &chain(layers))?.map(|found| explained(&found))
            }
            Call::Hash(layers) => resolver.call_hash(context, &chain(layers))?.map(Value::from),
            Call::Diff([before, after]) => text(resolver.call_diff(context, before, after)?),
            Call::MergePatch([target, patch]) => {
                text(resolver.call_merge_patch(context, target, patch)?)
            }
            Call::JsonPatch([document, patch]) => {
                text(resolver.call_json_patch(context, document, patch)?)
            }
            Call::Append(document, list, values) => {
                text(resolver.call_append(context, document, list, values)?)
            }
            Call::Unset(document, pointers) => {
                text(resolver.call_unset(context, document, pointers)?)
            }
            Call::Canonical(document) => text(resolver.call_canonical(context, document)?),
            Call::Store(_)
            | Call::Open(_)
            | Call::Check(_)
            | Call::ResolvePrepared(_)
            | Call::Search(_) => unreachable!("answered above"),
        })
    }

    /// The function's name and arguments, for the transcript.
    pub fn to_json(&self) -> Value {
        let (name, arguments) = match self {
            Call::Resolve(of) => ("resolve", json!(of)),
            Call::ResolvePrepared(of) => ("resolve-prepared", json!(of)),
            Call::Explain(of) => ("explain", json!(of)),
            Call::Hash(of) => ("hash", json!(of)),
            Call::Diff(of) => ("diff", json!(of)),
            Call::MergePatch(of) => ("merge-patch", json!(of)),
            Call::JsonPatch(of) => ("json-patch", json!(of)),
            Call::Append(document, list, values) => ("append", json!([document, list, values])),
            Call::Unset(document, pointers) => ("unset", json!([document, pointers])),
            Call::Canonical(document) => ("canonical", json!([document])),
            Call::Check(contexts) => {
                let contexts = contexts.iter().map(|Context { address, parent, data, rules }| {
                    json!([shown(address), parent, data, rules])
                });
                ("check", contexts.collect())
            }
            Call::Open(lines) => ("open", json!([lines])),
            Call::Store(bodies) => ("store", json!(bodies)),
            Call::Search(Search { contexts, vectors, models, questions }) => {
                let context = |of: &Texts| json!([of.context, of.seq, of.insights, of.progress]);
                let contexts: Value = contexts.iter().map(context).collect();
                let given = |(at, vector): &(Address, Vec<f32>)| json!([shown(at), vector]);
                let vectors: Value = vectors.iter().map(given).collect();
                ("search", json!([contexts, vectors, models, questions]))
            }
        };
        json!({"call": name, "arguments": arguments})
    }
}

/// An answer, for the transcript.
pub fn answer_to_json(answer: &Answer) -> Value {
    match answer {
        Ok(value) => json!({"ok": value}),
        Err(Error { kind, code, detail, pointer, document }) => json!({"error": {
            "kind": kind_of(*kind), "code": code, "detail": detail, "pointer": pointer,
            "document": document,
        }}),
    }
}

/// The name of a kind of error, as in `wit/`.
fn kind_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Denied => "denied",
        ErrorKind::Limit => "limit",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal",
    }
}

fn text(result: std::result::Result<String, Error>) -> Answer {
    result.map(Value::from)
}

fn chain(layers: &[LayerTexts]) -> Vec<Layer> {
    let levels = [
        (Level::Global, "global"),
        (Level::Project, "p"),
        (Level::Branch, "b"),
        (Level::Task, "t"),
    ];
    let layer = |((data, rules), (level, id)): (&LayerTexts, (Level, &str))| Layer {
        level,
        id: id.into(),
        data: data.clone(),
        rules: rules.clone(),
    };
    // A chain that is too long ends with a second task, and is refused.
    layers.iter().zip(levels.into_iter().chain([levels[3]])).map(layer).collect()
}

fn explained(found: &Explanation) -> Value {
    let origins = found
        .origins
        .iter()
        .map(|origin| json!([origin.pointer, origin.layer, origin.rule, origin.shadowed]));
    let ignored = found
        .ignored
        .iter()
        .map(|ignored| json!([ignored.pointer, ignored.layer, ignored.locked_by]));
    json!({"origins": origins.collect::<Value>(), "ignored": ignored.collect::<Value>()})
}

/// An address as text: level and id.
pub fn shown(address: &Address) -> String {
    let level = match address.level {
        Level::Global => "global",
        Level::Project => "project",
        Level::Branch => "branch",
        Level::Task => "task",
    };
    format!("{level}/{}", address.id)
}

fn check(host: &mut Host, contexts: &[Context]) -> Result<Answer> {
    let (lint, context) = host.lint();
    let findings = lint.call_check(context, contexts, None)?;
    let told = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        json!({
            "bytes": finding.bytes, "context": shown(&finding.address), "kind": finding.kind,
            "message": finding.message, "other": finding.other.as_ref().map(shown),
            "pointer": finding.pointer, "severity": severity,
        })
    };
    Ok(findings.map(|findings| findings.iter().map(told).collect()))
}

fn open(host: &mut Host, lines: &str) -> Result<Answer> {
    let (contexts, mut context) = host.contexts();
    match contexts.store().call_open(&mut context, "alice", lines, &vec![1; 32])? {
        Ok(store) => {
            let export = export(contexts, context, store)?;
            store.resource_drop(&mut context)?;
            Ok(text(export))
        }
        Err(error) => Ok(Err(error)),
    }
}

fn export(
    contexts: &store::Guest,
    mut context: &mut Store<()>,
    store: ResourceAny,
) -> Result<std::result::Result<String, Error>> {
    let lines = contexts.store().call_export_lines(&mut context, store, false)?;
    let mut text = String::new();
    let ended = loop {
        match contexts.lines().call_next(&mut context, lines)? {
            Ok(Some(part)) => text.push_str(&part),
            Ok(None) => break Ok(text),
            Err(error) => break Err(error),
        }
    };
    lines.resource_drop(&mut context)?;
    Ok(ended)
}

fn resolve_prepared(host: &mut Host, layers: &[LayerTexts]) -> Result<Answer> {
    let (resolver, mut context) = host.resolver();
    let mut prepared = Vec::new();
    for layer in chain(layers) {
        match resolver.prepared_layer().call_prepare(&mut context, &layer)? {
            Ok(layer) => prepared.push(layer),
            Err(error) => return Ok(Err(error)),
        }
    }
    let view = resolver.call_resolve_prepared(&mut context, &prepared)?;
    for layer in prepared {
        layer.resource_drop(&mut context)?;
    }
    Ok(text(view))
}

fn perform(host: &mut Host, bodies: &[String]) -> Result<Answer> {
    let (contexts, mut context) = host.contexts();
    let store = match contexts.store().call_create(&mut context, "alice", &vec![1; 32])? {
        Ok(store) => store,
        Err(error) => return Ok(Err(error)),
    };
    let mut answers = Vec::new();
    for (count, body) in (1u64..).zip(bodies) {
        let mut entropy = vec![0; 32];
        entropy[..8].copy_from_slice(&count.to_le_bytes());
        let (now, of) = (count * 1000, contexts.store());
        let answer = of.call_batch(&mut context, store, body, now, &entropy)?;
        answers.push(answer_to_json(
            &answer.map(|answer| json!([answer.body, answer.seq, answer.etag, answer.replayed])),
        ));
    }
    let export = export(contexts, context, store)?;
    store.resource_drop(&mut context)?;
    Ok(export.map(|text| json!({"answers": answers, "export": text})))
}

/// The files of the models, in the order in which `models.load` takes them.
pub fn model_files() -> [Vec<u8>; 4] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    File::ALL.map(|file| fs::read(folder.join(file.name())).expect("a file of the models"))
}

/// Loads the models.
///
/// # Errors
/// When the component traps.
pub fn load(search: &search::Guest, context: &mut Store<()>) -> Result<ResourceAny> {
    let [vocabulary, table, expansion, sparse] = model_files();
    let models = search.models().call_load(context, &vocabulary, &table, &expansion, &sparse)?;
    Ok(models.expect("the models"))
}

fn find(host: &mut Host, asked: &Search) -> Result<Answer> {
    let (search, mut context) = host.search();
    let models = if asked.models { Some(load(search, context)?) } else { None };
    let of = search.collection();
    let collection = of.call_constructor(&mut context)?;
    for Texts { context: body, seq, insights, progress } in &asked.contexts {
        let put = of.call_put(&mut context, collection, body, *seq, insights, progress)?;
        if let Err(error) = put {
            return Ok(Err(error));
        }
    }
    for (address, vector) in &asked.vectors {
        if let Err(error) = of.call_give_vector(&mut context, collection, address, vector)? {
            return Ok(Err(error));
        }
    }
    let mut meanings = Vec::new();
    while let Some(models) = models.filter(|_| meanings.len() < asked.contexts.len()) {
        match of.call_encode(&mut context, collection, models)? {
            Ok(Some(encoded)) => {
                meanings.push(json!([shown(&encoded.address), to_hex(&encoded.meaning)]));
            }
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    let mut answers = Vec::new();
    for question in &asked.questions {
        let answer = of.call_find(&mut context, collection, question, models)?;
        answers.push(answer_to_json(&text(answer)));
    }
    collection.resource_drop(&mut context)?;
    if let Some(models) = models {
        models.resource_drop(&mut context)?;
    }
    Ok(Ok(json!({"answers": answers, "meanings": meanings})))
}
