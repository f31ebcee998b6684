//! Resolving, explaining and comparing chains, against a naive merge of trees.

use std::collections::BTreeSet;

use nacre_core::{
    address::Address,
    diff::diff,
    explain::explain,
    id::ContextId,
    json,
    layer::Layer,
    level::Level,
    limits,
    lint::{Context, Finding, Kind, lint},
    patch::JsonPatch,
    pointer::Pointer,
    resolve::{Link, resolve, view_hash},
    rules::{Rule, Rules},
    sensitive::SensitiveNames,
    value::{Object, SEALED, Value},
};

use crate::tape::{Tape, markers_alone};

/// A chain of up to four layers with rules: the view is what a naive merge makes of it, canonical,
/// hashed as it would be hashed alone, explained value by value; and views differ by their diff.
pub fn chain(bytes: &[u8]) {
    let mut tape = Tape::new(bytes);
    let shape = tape.byte();
    let count = usize::from(shape % 4) + 1;
    let mut documents = Vec::new();
    let mut tables = Vec::new();
    for layer in 0..count {
        let mut document = tape.object();
        document.remove(SEALED);
        let mut document = Value::Object(document);
        markers_alone(&mut document);
        if document.depth() > limits::DEPTH {
            return;
        }
        let ruled = shape >> (4 + layer) & 1 == 1;
        tables.push(if ruled { rules(&mut tape, &document) } else { Rules::default() });
        documents.push(document);
    }
    let layers: Vec<_> = documents
        .iter()
        .map(|document| Layer::from_value(document).expect("a document within the limits"))
        .collect();
    let links: Vec<_> =
        layers.iter().zip(&tables).map(|(layer, rules)| Link { layer, rules }).collect();
    linted(&links);
    let mut views = vec![Layer::empty()];
    for length in 1..=count {
        views.push(view(&links[..length], &documents[..length]));
    }
    for pair in views.windows(2) {
        differ(&pair[0], &pair[1]);
        differ(&pair[1], &pair[0]);
    }
}

/// A chain checked as a tree of its own.
fn findings(links: &[Link<'_>]) -> Vec<Finding> {
    let ids = ["global", "p", "b", "t"].map(|id| ContextId::parse(id).expect("an id"));
    let contexts: Vec<_> = links
        .iter()
        .enumerate()
        .map(|(at, link)| Context {
            address: Address::new(Level::ALL[at], ids[at].clone()).expect("an address"),
            parent: (at > 1).then(|| ids[at - 1].clone()),
            layer: link.layer,
            rules: link.rules,
        })
        .collect();
    lint(&contexts, &SensitiveNames::default())
}

/// Findings lie where they say, and what repeats or hides nothing can go.
fn linted(links: &[Link<'_>]) {
    let Some((last, above)) = links.split_last() else { return };
    let level = Level::ALL[above.len()];
    let mut value = last.layer.to_value().expect("a layer is JSON");
    for finding in findings(links).iter().filter(|finding| finding.address.level == level) {
        let pointer = Pointer::parse(finding.pointer.as_str()).expect("a pointer");
        match finding.kind {
            Kind::ValueRepeated | Kind::TombstoneIdle if pointer.is_root() => {
                value = Value::Object(Object::new());
            }
            Kind::ValueRepeated | Kind::TombstoneIdle => {
                let mut remove = Object::new();
                remove.insert("op", "remove".into());
                remove.insert("path", pointer.as_str().into());
                let patch = JsonPatch::parse(vec![Value::Object(remove)].into());
                patch.expect("a patch").apply(&mut value).expect("it lies there");
            }
            Kind::SecretInClear | Kind::CredentialInClear | Kind::LockBroken => {
                assert!(last.layer.get(&pointer).is_some(), "nothing at {pointer}");
            }
            _ => {}
        }
    }
    let layer = Layer::from_value(&value).expect("a document with less in it");
    let without: Vec<_> =
        above.iter().copied().chain([Link { layer: &layer, rules: last.rules }]).collect();
    assert_eq!(view_hash(&without), view_hash(links), "what was called idle was not");
}

fn rules(tape: &mut Tape<'_>, document: &Value) -> Rules {
    let mut table = Object::new();
    for _ in 0..tape.below(5) {
        let pointer = tape.pointer(document);
        let rule = ["replace", "deep", "union", "append", "keyed:id", "keyed:a", "lock", "lock"];
        let rule = rule[tape.below(rule.len())];
        table.insert(pointer.as_str(), rule.into());
    }
    Rules::from_object(&table).expect("rules")
}

/// One view and all that is said about it.
fn view(links: &[Link<'_>], documents: &[Value]) -> Layer {
    let text = resolve(links);
    let tables: Vec<_> = links.iter().map(|link| link.rules).collect();
    let expected = Naive { tables: &tables }.view(documents);
    let value = json::read(&text, limits::DEPTH).expect("a view is JSON");
    assert_eq!(value, expected);
    assert_eq!(json::write(&value), text, "a view is canonical");
    let view = Layer::from_canonical(text).expect("a view is an object");
    assert_eq!(view_hash(links), view.hash(), "a view's hash is that of its text");
    explained(links, &view, &value);
    view
}

/// Every leaf has an origin in a layer of the chain, and no origin lies outside the view.
fn explained(links: &[Link<'_>], view: &Layer, value: &Value) {
    let explanation = explain(links);
    let mut told = BTreeSet::new();
    for origin in &explanation.origins {
        let pointer = Pointer::parse(origin.pointer.as_str()).ok();
        // Names may be longer than a caller's pointer.
        let Some(pointer) = pointer else { continue };
        assert!(view.get(&pointer).is_some(), "an origin of nothing at {pointer}");
        assert!(told.insert(origin.pointer.clone()), "two origins at {pointer}");
        assert!(origin.layer < links.len());
        let mut shadowed = origin.shadowed.to_vec();
        shadowed.sort_unstable();
        shadowed.dedup();
        assert_eq!(shadowed.len(), origin.shadowed.len());
        assert!(origin.shadowed.iter().all(|layer| usize::from(*layer) < origin.layer));
    }
    for ignored in &explanation.ignored {
        let layer = ignored.layer;
        assert!(layer < links.len() && ignored.locked_by.is_none_or(|lock| lock < layer));
    }
    leaves(value, &mut Pointer::root(), &mut |pointer| {
        assert!(told.contains(pointer.as_str()), "no origin for {pointer}");
    });
}

fn leaves(value: &Value, at: &mut Pointer, found: &mut impl FnMut(&Pointer)) {
    match value {
        Value::Object(object)
            if !object.is_empty() && (at.is_root() || value.sealed().is_none()) =>
        {
            for (name, value) in object.iter() {
                at.push(name);
                leaves(value, at, found);
                at.pop();
            }
        }
        _ if at.is_root() => {}
        _ => found(at),
    }
}

/// The difference, applied, makes the one of the other, and is empty only for equals.
fn differ(from: &Layer, to: &Layer) {
    let patch = diff(from, to).expect("two layers differ");
    assert_eq!(patch.operations.is_empty(), from.text() == to.text());
    let mut value = from.to_value().expect("a layer is JSON");
    patch.apply(&mut value).expect("a difference applies");
    assert_eq!(json::write(&value), to.text());
}

/// Walks layers every way there is, for their own sake.
pub(super) fn walks(layers: &[&Layer]) {
    let none = Rules::default();
    let links: Vec<_> = layers.iter().map(|layer| Link { layer, rules: &none }).collect();
    resolve(&links);
    view_hash(&links);
    explain(&links);
    findings(&links);
    for layer in layers {
        // The text may hold numbers and strings that cannot be read.
        let _ = diff(layers[0], layer);
    }
}

/// Merging as it is documented, on trees, layer by layer, path by path.
struct Naive<'a> {
    tables: &'a [&'a Rules],
}

/// What the layers hold at one path.
type Held<'a> = Vec<(usize, &'a Value)>;

/// What they come to, layer by layer.
enum Merged<'a> {
    Nothing,
    One(usize, &'a Value),
    Objects(Held<'a>),
    List(Vec<Item<'a>>),
}

#[derive(Clone)]
enum Item<'a> {
    Verbatim(usize, &'a Value),
    /// Objects with an equal key, one a layer.
    Keyed(Held<'a>),
}

impl<'a> Naive<'a> {
    fn view(&self, documents: &'a [Value]) -> Value {
        let held = documents.iter().enumerate().collect();
        match self.merged(&Pointer::root(), held, true) {
            Merged::Objects(held) => self.object(&Pointer::root(), held, true),
            _ => Value::Object(Object::new()),
        }
    }

    /// The members of objects that merge. Inside of keyed items rules have no say.
    fn object(&self, at: &Pointer, held: Held<'a>, ruled: bool) -> Value {
        let names: BTreeSet<_> =
            held.iter().flat_map(|(_, value)| members(value).map(|(name, _)| name)).collect();
        let mut object = Object::new();
        for name in names {
            let below = at.child(name);
            let held = held
                .iter()
                .filter_map(|(layer, value)| Some((*layer, value.as_object()?.get(name)?)))
                .collect();
            let value = match self.merged(&below, held, ruled) {
                Merged::Nothing => continue,
                Merged::One(_, value) => value.clone(),
                Merged::Objects(held) => self.object(&below, held, ruled),
                Merged::List(items) => {
                    Value::Array(items.into_iter().map(|item| self.item(item)).collect())
                }
            };
            object.insert(name, value);
        }
        Value::Object(object)
    }

    fn merged(&self, at: &Pointer, held: Held<'a>, ruled: bool) -> Merged<'a> {
        let mut merged = Merged::Nothing;
        for (layer, value) in held {
            let rule = if ruled { self.rule(at, layer) } else { None };
            let object = value.as_object().is_some() && (at.is_root() || value.sealed().is_none());
            let merges = object && rule != Some(&Rule::Replace);
            if ruled && (self.locked(at, layer, false) || !merges && self.locked(at, layer, true)) {
                continue;
            }
            merged = match (value, rule, merged) {
                (Value::Null, ..) => Merged::Nothing,
                (_, _, Merged::Objects(mut held)) if merges => {
                    held.push((layer, value));
                    Merged::Objects(held)
                }
                _ if object => Merged::Objects(vec![(layer, value)]),
                (Value::Array(items), Some(rule), above)
                    if matches!(rule, Rule::Union | Rule::Append | Rule::Keyed(_)) =>
                {
                    let mut list = match above {
                        Merged::List(list) => list,
                        Merged::One(upper, Value::Array(items)) => {
                            items.iter().map(|item| Item::Verbatim(upper, item)).collect()
                        }
                        _ => Vec::new(),
                    };
                    list.extend(items.iter().map(|item| Item::Verbatim(layer, item)));
                    Merged::List(self.by_rule(rule, list))
                }
                _ => Merged::One(layer, value),
            };
        }
        merged
    }

    fn by_rule(&self, rule: &Rule, list: Vec<Item<'a>>) -> Vec<Item<'a>> {
        let mut out: Vec<Item<'a>> = Vec::new();
        match rule {
            Rule::Union => {
                for item in list {
                    let value = self.item(item.clone());
                    if out.iter().all(|other| self.item(other.clone()) != value) {
                        out.push(item);
                    }
                }
            }
            Rule::Keyed(members) => {
                for item in list {
                    let held = match &item {
                        Item::Keyed(held) => held.clone(),
                        Item::Verbatim(layer, value)
                            if value.as_object().is_some() && value.sealed().is_none() =>
                        {
                            vec![(*layer, *value)]
                        }
                        Item::Verbatim(..) => {
                            out.push(item);
                            continue;
                        }
                    };
                    let key_of = |held: &Held<'a>| -> Option<Vec<Value>> {
                        let object = held[0].1.as_object()?;
                        let part = |member: &String| object.get(member).cloned();
                        let parts = members.iter().map(part);
                        parts.map(|part| part.filter(|part| *part != Value::Null)).collect()
                    };
                    let wanted = key_of(&held);
                    let place = wanted.as_ref().and_then(|wanted| {
                        out.iter_mut().find_map(|item| match item {
                            Item::Keyed(held) if key_of(held).as_ref() == Some(wanted) => {
                                Some(held)
                            }
                            _ => None,
                        })
                    });
                    match (wanted.is_some(), place) {
                        (true, Some(into)) => {
                            for (layer, value) in held {
                                // Twice in one layer: the later one takes the earlier one's place.
                                into.retain(|(other, _)| *other != layer);
                                into.push((layer, value));
                            }
                        }
                        (true, None) => out.push(Item::Keyed(held)),
                        (false, _) => out.push(item),
                    }
                }
            }
            _ => out = list,
        }
        out
    }

    fn item(&self, item: Item<'a>) -> Value {
        match item {
            Item::Verbatim(_, value) => value.clone(),
            Item::Keyed(held) => self.object(&Pointer::root(), held, false),
        }
    }

    /// The rule in force for a layer at a path: the lowest table's that is not below it.
    fn rule(&self, at: &Pointer, layer: usize) -> Option<&'a Rule> {
        let own = |table: &&'a Rules| {
            table.iter().find(|(pointer, rule)| *pointer == at && **rule != Rule::Lock)
        };
        self.tables.iter().take(layer + 1).rev().find_map(own).map(|(_, rule)| rule)
    }

    /// Whether a layer above locks the path, or (`inner`) one below the path.
    fn locked(&self, at: &Pointer, layer: usize, inner: bool) -> bool {
        self.tables.iter().take(layer).any(|table| {
            table.iter().any(|(pointer, rule)| {
                *rule == Rule::Lock
                    && if inner { pointer != at && pointer.starts_with(at) } else { pointer == at }
            })
        })
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Object::iter)
}
