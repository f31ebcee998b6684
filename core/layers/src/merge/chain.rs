//! The layers of a chain, and the merge of their values at one place. The decisions are here, so
//! that they are compiled once and not for every sink.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::{Contributions, Cursor, HashSink, Item, Outcome, Part, Stack, Walk};
use crate::{
    hash::Hash,
    layer::{Content, Layer, Member},
    level::LAYERS,
    name::Name,
    rules::{Rule, Scope},
};

/// The layers of a chain, global first.
#[derive(Clone, Copy)]
pub(crate) struct Chain<'a> {
    pub(crate) layers: [&'a Layer; LAYERS],
    pub(crate) count: usize,
}

impl<'a> Chain<'a> {
    /// The root objects that count. A `replace` or `lock` at the root drops some.
    pub(crate) fn roots(&self, scope: Option<&Scope<'a>>) -> Stack {
        let mut stack = Stack::default();
        for (layer, of) in self.layers.iter().enumerate().take(self.count) {
            if let Some(scope) = scope {
                if scope.blocks(layer, Content::Object(of.root())) {
                    continue;
                }
                if scope.rule(layer) == Some(&Rule::Replace) {
                    stack = Stack::default();
                }
            }
            stack.push(layer, of.root());
        }
        stack
    }

    #[inline(always)]
    pub(crate) fn layer(&self, layer: usize) -> &'a Layer {
        self.layers.get(layer).copied().unwrap_or(self.layers[0])
    }

    #[inline(always)]
    pub(super) fn cursor(&self, (layer, object): Part) -> Cursor<'a> {
        let layer = usize::from(layer);
        let of = self.layer(layer);
        let object = of.container(object);
        Cursor { layer, of, object, rest: of.members(object) }
    }

    /// Decides the value of a member. The second part has the layers that locks overruled.
    #[inline(always)]
    pub(crate) fn fold(
        &self,
        contributions: &Contributions<'a>,
        scope: Option<&Scope<'a>>,
    ) -> (Outcome<'a>, u8) {
        match scope {
            None => (fold_plain(contributions), 0),
            Some(scope) => self.fold_by_rules(contributions, scope),
        }
    }

    fn fold_by_rules(
        &self,
        contributions: &Contributions<'a>,
        scope: &Scope<'a>,
    ) -> (Outcome<'a>, u8) {
        let mut ignored = 0;
        let mut outcome = Outcome::Nothing;
        for (layer, member) in contributions.iter().enumerate() {
            let Some(member) = *member else { continue };
            if scope.blocks(layer, member.content()) {
                ignored |= 1 << layer;
                continue;
            }
            let rule = scope.rule(layer);
            outcome = match (member.content(), rule, outcome) {
                (Content::Null, ..) => Outcome::Nothing,
                (Content::Object(object), rule, Outcome::Objects(mut stack))
                    if rule != Some(&Rule::Replace) =>
                {
                    stack.push(layer, object);
                    Outcome::Objects(stack)
                }
                (Content::Object(object), ..) => Outcome::Objects(Stack::one(layer, object)),
                (
                    Content::Array(array),
                    Some(rule @ (Rule::Union | Rule::Append | Rule::Keyed(_))),
                    above,
                ) => Outcome::List(self.combine(rule, above, layer, array)),
                (Content::Array(_) | Content::Scalar, ..) => Outcome::One(layer, member),
            };
        }
        (outcome, ignored)
    }

    /// Merges an array of `layer` with the result of the layers above, by a list rule.
    fn combine(&self, rule: &Rule, above: Outcome<'a>, layer: usize, array: u32) -> Vec<Item<'a>> {
        let mut items = self.items(above).unwrap_or_default();
        items.extend(self.items_of(layer, array));
        match rule {
            Rule::Union => {
                // The same map as below, to reuse its code.
                let mut seen = BTreeMap::new();
                items.retain(|item| seen.insert(self.identity(*item), 0usize).is_none());
                items
            }
            Rule::Keyed(members) => self.merge_by(&names(members), items),
            _ => items,
        }
    }

    /// The items of a result that is an array.
    pub(crate) fn items(&self, outcome: Outcome<'a>) -> Option<Vec<Item<'a>>> {
        match outcome {
            Outcome::List(items) => Some(items),
            Outcome::One(layer, member) => match member.content() {
                Content::Array(array) => Some(self.items_of(layer, array).collect()),
                _ => None,
            },
            Outcome::Nothing | Outcome::Objects(_) => None,
        }
    }

    fn items_of(&self, layer: usize, array: u32) -> impl Iterator<Item = Item<'a>> {
        let of = self.layer(layer);
        of.members(of.container(array)).iter().map(move |item| Item::Verbatim(layer, item))
    }

    /// Whether two lists of items are one value.
    pub(crate) fn same(&self, a: &[Item<'a>], b: &[Item<'a>]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.identity(*a) == self.identity(*b))
    }

    /// Merges object items that agree in the members of `key`, in order of first appearance.
    fn merge_by(&self, key: &[Name], items: Vec<Item<'a>>) -> Vec<Item<'a>> {
        let mut merged: Vec<Item<'a>> = Vec::with_capacity(items.len());
        let mut places = BTreeMap::new();
        for item in items {
            let stack = match item {
                Item::Merged(stack) => stack,
                Item::Verbatim(layer, member) => match member.content() {
                    Content::Object(object) => Stack::one(layer, object),
                    _ => {
                        merged.push(item);
                        continue;
                    }
                },
            };
            let first = stack.iter().next();
            let key = first.and_then(|(layer, object)| object_key(self.layer(layer), object, key));
            let Some(key) = key else {
                merged.push(item);
                continue;
            };
            match places.get(&key).and_then(|&place: &usize| merged.get_mut(place)) {
                Some(Item::Merged(into)) => {
                    // The key comes twice in one layer: the later item replaces the earlier one, so
                    // that a stack is never longer than the chain.
                    let last = into.iter().next_back().map(|(layer, _)| layer);
                    for (layer, object) in stack.iter() {
                        if last == Some(layer) {
                            into.len -= 1;
                        }
                        into.push(layer, object);
                    }
                }
                _ => {
                    places.insert(key, merged.len());
                    merged.push(Item::Merged(stack));
                }
            }
        }
        merged
    }

    fn identity(&self, item: Item<'a>) -> Identity<'a> {
        match item {
            Item::Verbatim(layer, member) => identity(self.layer(layer), member),
            Item::Merged(stack) => {
                let mut walk = Walk { chain: *self, sink: HashSink::new(self.layers) };
                walk.object(stack, None);
                Identity::Container(walk.sink.hash())
            }
        }
    }
}

/// Without rules: the lowest scalar, array or null decides; objects merge down to it.
#[inline(always)]
fn fold_plain<'a>(contributions: &Contributions<'a>) -> Outcome<'a> {
    let mut stack = Stack::default();
    let mut outcome = Outcome::Nothing;
    for (layer, member) in contributions.iter().enumerate() {
        let Some(member) = *member else { continue };
        match member.content() {
            Content::Object(object) => stack.push(layer, object),
            Content::Null => {
                stack.len = 0;
                outcome = Outcome::Nothing;
            }
            Content::Scalar | Content::Array(_) => {
                stack.len = 0;
                outcome = Outcome::One(layer, member);
            }
        }
    }
    if stack.len == 0 { outcome } else { Outcome::Objects(stack) }
}

/// A key for comparing values: equal exactly if the canonical texts are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Identity<'a> {
    Scalar(&'a [u8]),
    Container(Hash),
}

/// What tells an item of a `keyed` array from the others; `None` for an item without a key.
pub(crate) fn item_key<'a>(of: &'a Layer, item: &Member, key: &[Name]) -> Option<Identity<'a>> {
    match item.content() {
        Content::Object(object) => object_key(of, object, key),
        Content::Null | Content::Scalar | Content::Array(_) => None,
    }
}

/// The members of a `keyed` rule.
pub(crate) fn names(members: &[String]) -> Vec<Name> {
    members.iter().map(|member| Name::encode(member)).collect()
}

fn object_key<'a>(of: &'a Layer, object: u32, key: &[Name]) -> Option<Identity<'a>> {
    let part = |name: &Name| {
        let member = of.find(of.container(object), name)?;
        (member.content() != Content::Null).then(|| identity(of, member))
    };
    if let [name] = key {
        return part(name);
    }
    let mut parts = Vec::new();
    for name in key {
        match part(name)? {
            Identity::Scalar(text) => {
                // The length keeps two texts apart from another two with the same letters.
                parts.extend_from_slice(&(text.len() as u64).to_be_bytes());
                parts.extend_from_slice(text);
            }
            Identity::Container(hash) => {
                parts.push(0xff);
                parts.extend_from_slice(hash.as_bytes());
            }
        }
    }
    Some(Identity::Container(Hash::of(&parts)))
}

pub(crate) fn identity<'a>(of: &'a Layer, member: &Member) -> Identity<'a> {
    match member.content() {
        Content::Array(id) | Content::Object(id) => Identity::Container(of.container(id).hash),
        Content::Null | Content::Scalar => Identity::Scalar(of.value_text(member)),
    }
}
