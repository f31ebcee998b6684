//! One call as data: what is asked of the component, and what it answers, both as JSON for the
//! transcript.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use wasmtime::{Result, Store, component::ResourceAny};

use crate::{
    Host,
    bindings::exports::nacre::context::{
        lint::{Context, Finding, Severity},
        resolver::{Explanation, Layer},
        store,
        types::{Address, Error, Level, Problem},
    },
};

/// A call of a function, or of a store from its making to its last operation.
#[derive(Clone, Debug)]
pub enum Call {
    /// `resolver.resolve`, of layers from the global one downward: data and rules.
    Resolve(Vec<[Vec<u8>; 2]>),
    /// `resolver.resolve-prepared`.
    ResolvePrepared(Vec<[Vec<u8>; 2]>),
    /// `resolver.explain`.
    Explain(Vec<[Vec<u8>; 2]>),
    /// `resolver.hash`.
    Hash(Vec<[Vec<u8>; 2]>),
    /// `resolver.diff`.
    Diff([Vec<u8>; 2]),
    /// `resolver.merge-patch`.
    MergePatch([Vec<u8>; 2]),
    /// `resolver.json-patch`.
    JsonPatch([Vec<u8>; 2]),
    /// `resolver.append`.
    Append(Vec<u8>, String, Vec<u8>),
    /// `resolver.unset`.
    Unset(Vec<u8>, Vec<String>),
    /// `resolver.canonical`.
    Canonical(Vec<u8>),
    /// `lint.check`.
    Check(Vec<Context>),
    /// `store.open` for alice with entropy of ones, then the whole export.
    Open(Vec<u8>),
    /// `store.create` for alice with entropy of ones, then `store.batch` of each body, a second
    /// apart; last the whole export.
    Store(Vec<Vec<u8>>),
}

/// What a call gave: bytes, something shown as JSON, or an error.
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
        let (resolver, context) = host.resolver();
        Ok(match self {
            Call::Resolve(layers) => bytes(resolver.call_resolve(context, &chain(layers))?),
            Call::Explain(layers) => {
                resolver.call_explain(context, &chain(layers))?.map(|found| explained(&found))
            }
            Call::Hash(layers) => resolver.call_hash(context, &chain(layers))?.map(Value::from),
            Call::Diff([before, after]) => bytes(resolver.call_diff(context, before, after)?),
            Call::MergePatch([target, patch]) => {
                bytes(resolver.call_merge_patch(context, target, patch)?)
            }
            Call::JsonPatch([document, patch]) => {
                bytes(resolver.call_json_patch(context, document, patch)?)
            }
            Call::Append(document, list, values) => {
                bytes(resolver.call_append(context, document, list, values)?)
            }
            Call::Unset(document, pointers) => {
                bytes(resolver.call_unset(context, document, pointers)?)
            }
            Call::Canonical(document) => bytes(resolver.call_canonical(context, document)?),
            Call::Store(_) | Call::Open(_) | Call::Check(_) | Call::ResolvePrepared(_) => {
                unreachable!("answered above")
            }
        })
    }

    /// The function's name and arguments, for the transcript.
    pub fn to_json(&self) -> Value {
        let all = |texts: &[Vec<u8>]| texts.iter().map(|text| base64(text)).collect::<Value>();
        let layers = |layers: &[[Vec<u8>; 2]]| layers.iter().map(|of| all(of)).collect::<Value>();
        let (name, arguments) = match self {
            Call::Resolve(of) => ("resolve", layers(of)),
            Call::ResolvePrepared(of) => ("resolve-prepared", layers(of)),
            Call::Explain(of) => ("explain", layers(of)),
            Call::Hash(of) => ("hash", layers(of)),
            Call::Diff(of) => ("diff", all(of)),
            Call::MergePatch(of) => ("merge-patch", all(of)),
            Call::JsonPatch(of) => ("json-patch", all(of)),
            Call::Append(document, list, values) => {
                ("append", json!([base64(document), list, base64(values)]))
            }
            Call::Unset(document, pointers) => ("unset", json!([base64(document), pointers])),
            Call::Canonical(document) => ("canonical", json!([base64(document)])),
            Call::Check(contexts) => {
                let contexts = contexts.iter().map(|Context { address, parent, data, rules }| {
                    json!([shown(address), parent, base64(data), base64(rules)])
                });
                ("check", contexts.collect())
            }
            Call::Open(lines) => ("open", json!([base64(lines)])),
            Call::Store(bodies) => ("store", all(bodies)),
        };
        json!({"call": name, "arguments": arguments})
    }
}

/// An answer, for the transcript.
pub fn answer_to_json(answer: &Answer) -> Value {
    match answer {
        Ok(value) => json!({"ok": value}),
        Err(error) => {
            let (case, Problem { code, detail, pointer, document }) = parts(error);
            json!({"error": {
                "case": case, "code": code, "detail": detail, "pointer": pointer,
                "document": base64(document),
            }})
        }
    }
}

/// An error's case and what it holds.
pub fn parts(error: &Error) -> (&'static str, &Problem) {
    match error {
        Error::Invalid(problem) => ("invalid", problem),
        Error::Conflict(problem) => ("conflict", problem),
        Error::Denied(problem) => ("denied", problem),
        Error::Limit(problem) => ("limit", problem),
        Error::Unavailable(problem) => ("unavailable", problem),
        Error::Internal(problem) => ("internal", problem),
    }
}

/// Bytes as they stand in a transcript.
pub fn base64(bytes: &[u8]) -> Value {
    BASE64_STANDARD.encode(bytes).into()
}

/// The bytes of an answer that is bytes.
///
/// # Panics
/// When it is something else.
pub fn bytes_of(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().expect("base64")).expect("base64")
}

fn bytes(result: std::result::Result<Vec<u8>, Error>) -> Answer {
    result.map(|bytes| base64(&bytes))
}

fn chain(layers: &[[Vec<u8>; 2]]) -> Vec<Layer> {
    let levels = [
        (Level::Global, "global"),
        (Level::Project, "p"),
        (Level::Branch, "b"),
        (Level::Task, "t"),
    ];
    let layer = |([data, rules], (level, id)): (&[Vec<u8>; 2], (Level, &str))| Layer {
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

fn open(host: &mut Host, lines: &[u8]) -> Result<Answer> {
    let (contexts, mut context) = host.contexts();
    match contexts.store().call_open(&mut context, "alice", lines, &vec![1; 32])? {
        Ok(store) => {
            let export = export(contexts, context, store)?;
            store.resource_drop(&mut context)?;
            Ok(export.map(|text| base64(&text)))
        }
        Err(error) => Ok(Err(error)),
    }
}

fn export(
    contexts: &store::Guest,
    mut context: &mut Store<()>,
    store: ResourceAny,
) -> Result<std::result::Result<Vec<u8>, Error>> {
    let lines = contexts.store().call_export_lines(&mut context, store, false)?;
    let mut text = Vec::new();
    let ended = loop {
        match contexts.lines().call_next(&mut context, lines)? {
            Ok(Some(part)) => text.extend(part),
            Ok(None) => break Ok(text),
            Err(error) => break Err(error),
        }
    };
    lines.resource_drop(&mut context)?;
    Ok(ended)
}

fn resolve_prepared(host: &mut Host, layers: &[[Vec<u8>; 2]]) -> Result<Answer> {
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
    Ok(bytes(view))
}

fn perform(host: &mut Host, bodies: &[Vec<u8>]) -> Result<Answer> {
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
        answers.push(answer_to_json(&answer.map(|answer| {
            json!([base64(&answer.body), answer.seq, answer.etag, answer.replayed])
        })));
    }
    let export = export(contexts, context, store)?;
    store.resource_drop(&mut context)?;
    Ok(export.map(|text| json!({"answers": answers, "export": base64(&text)})))
}
