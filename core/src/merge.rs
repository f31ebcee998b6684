//! The one walk over the layers of a chain, side by side.
//!
//! Every question about a view — its text, its hash, where its values come from — is a [`Sink`]
//! that this walk feeds. Members that only one layer holds are handed over as runs; where several
//! layers hold a member, [`Walk::fold`] decides what it becomes. No tree is built.
//!
//! Without rules the outcome is the left fold of RFC 7396 (JSON Merge Patch) over the chain,
//! starting from an empty object.

mod cursor;
mod hash;
mod sink;
mod text;

use alloc::{
    collections::BTreeMap,
    vec::Vec,
};
use core::cmp::Ordering;

use crate::{
    hash::Hash,
    layer::{Container, Content, Layer, Member},
    level::LAYERS,
    name::{Key, Name},
    rules::{Rule, Scope},
};
use cursor::Cursor;
pub(crate) use hash::HashSink;
pub(crate) use sink::{Contributions, Fold, Item, Outcome, Part, Sink, Stack};
pub(crate) use text::TextSink;

/// The layers of a chain being walked, global first.
pub(crate) struct Walk<'a, S> {
    pub(crate) layers: [&'a Layer; LAYERS],
    pub(crate) count: usize,
    pub(crate) sink: S,
}

impl<'a, S: Sink<'a>> Walk<'a, S> {
    /// Walks the whole view.
    pub(crate) fn run(mut self, scope: Option<&Scope<'a>>) -> S {
        let stack = self.roots(scope);
        self.object(stack, scope);
        self.sink
    }

    /// The root objects that count: a `replace` or `lock` at the root drops some.
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

    /// Walks objects that merge into one.
    pub(crate) fn object(&mut self, stack: Stack, scope: Option<&Scope<'a>>) {
        if let (Some((upper, lower)), None, false) = (stack.pair(), scope, S::LISTENS) {
            return self.pair(upper, lower);
        }
        self.sink.open_object();
        let mut children = scope.map_or(&[][..], |scope| &scope.children);
        let mut plain = scope.is_none_or(|scope| scope.plain);
        let mut cursors = [const { None }; LAYERS];
        for (slot, (layer, object)) in cursors.iter_mut().zip(stack.iter()) {
            let cursor = self.cursor((layer as u8, object));
            plain &= cursor.object.plain;
            *slot = Some(cursor);
        }
        loop {
            // The least name under any cursor, who holds it, and the least name after it.
            let mut least: Option<Key<'a>> = None;
            let mut next: Option<Key<'_>> = None;
            let mut holders = 0u8;
            for (place, cursor) in cursors.iter().map_while(Option::as_ref).enumerate() {
                let Some(member) = cursor.rest.first() else { continue };
                let key = cursor.of.key(member);
                match least.map_or(Ordering::Less, |least| key.compare(&least, plain)) {
                    Ordering::Less => {
                        next = least;
                        least = Some(key);
                        holders = 1 << place;
                    }
                    Ordering::Equal => holders |= 1 << place,
                    Ordering::Greater => {
                        if next.is_none_or(|next| key.compare(&next, plain).is_lt()) {
                            next = Some(key);
                        }
                    }
                }
            }
            let Some(least) = least else { break };
            let mut child = None;
            while let Some((first, rest)) = children.split_first() {
                let key = first.name.key();
                match key.compare(&least, plain) {
                    Ordering::Less => children = rest,
                    Ordering::Equal => {
                        child = Some(first);
                        children = rest;
                        break;
                    }
                    Ordering::Greater => {
                        if next.is_none_or(|next| key.compare(&next, plain).is_lt()) {
                            next = Some(key);
                        }
                        break;
                    }
                }
            }
            if holders.is_power_of_two() && child.is_none() {
                let holder = holders.trailing_zeros() as usize;
                let Some(Some(cursor)) = cursors.get_mut(holder) else { break };
                let (layer, object) = (cursor.layer, cursor.object);
                let (from, to) = cursor.pass(next, plain);
                self.members(layer, object, from, to);
                continue;
            }
            let mut contributions: Contributions<'a> = [None; LAYERS];
            for (place, cursor) in cursors.iter_mut().map_while(Option::as_mut).enumerate() {
                if holders >> place & 1 == 1
                    && let Some((member, rest)) = cursor.rest.split_first()
                {
                    cursor.rest = rest;
                    if let Some(slot) = contributions.get_mut(cursor.layer) {
                        *slot = Some(member);
                    }
                }
            }
            self.member(&contributions, child);
        }
        self.sink.close_object();
    }

    /// Two objects without rules: the common case of the walk above, with less to keep track of.
    fn pair(&mut self, upper: Part, lower: Part) {
        self.sink.open_object();
        let mut upper = self.cursor(upper);
        let mut lower = self.cursor(lower);
        let plain = upper.object.plain && lower.object.plain;
        while let (Some((a, above)), Some((b, below))) =
            (upper.rest.split_first(), lower.rest.split_first())
        {
            let (x, y) = (upper.of.key(a), lower.of.key(b));
            match x.compare(&y, plain) {
                Ordering::Less => {
                    let (from, to) = upper.pass(Some(y), plain);
                    self.members(upper.layer, upper.object, from, to);
                }
                Ordering::Greater => {
                    let (from, to) = lower.pass(Some(x), plain);
                    self.members(lower.layer, lower.object, from, to);
                }
                Ordering::Equal => {
                    (upper.rest, lower.rest) = (above, below);
                    match (a.content(), b.content()) {
                        (_, Content::Null) => {}
                        (_, Content::Scalar | Content::Array(_)) => self.sink.entry(lower.layer, b),
                        (Content::Object(x), Content::Object(y)) => {
                            // What repeats what it inherits is there whole.
                            if upper.of.container(x).hash == lower.of.container(y).hash {
                                self.alone(lower.layer, b, y);
                            } else {
                                self.sink.open_member(upper.layer, a);
                                self.pair((upper.layer as u8, x), (lower.layer as u8, y));
                                self.sink.close_member(a);
                            }
                        }
                        (_, Content::Object(y)) => self.alone(lower.layer, b, y),
                    }
                }
            }
        }
        let (from, to) = upper.pass(None, plain);
        self.members(upper.layer, upper.object, from, to);
        let (from, to) = lower.pass(None, plain);
        self.members(lower.layer, lower.object, from, to);
        self.sink.close_object();
    }

    #[inline(always)]
    fn cursor(&self, (layer, object): Part) -> Cursor<'a> {
        let layer = usize::from(layer);
        let of = self.layer(layer);
        let object = of.container(object);
        Cursor { layer, of, object, rest: of.members(object) }
    }

    /// A member that is an object of one layer alone, without rules.
    fn alone(&mut self, layer: usize, member: &'a Member, object: u32) {
        if self.layer(layer).container(object).has_tombs() {
            self.sink.open_member(layer, member);
            self.object(Stack::one(layer, object), None);
            self.sink.close_member(member);
        } else {
            self.sink.entry(layer, member);
        }
    }

    /// Members of one layer that no other layer holds.
    #[inline(always)]
    fn members(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        if object.has_tombs() {
            self.between_tombs(layer, object, from, to);
        } else if from < to {
            self.sink.run(layer, object, from, to);
        }
    }

    /// Runs of them between tombstones, which vanish.
    fn between_tombs(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        let of = self.layer(layer);
        let tombs = of.tombs(object);
        let passed = tombs.partition_point(|&tomb| (tomb as usize) < from);
        let mut start = from;
        for &tomb in tombs.get(passed..).unwrap_or(&[]) {
            let tomb = tomb as usize;
            if tomb >= to {
                break;
            }
            if start < tomb {
                self.sink.run(layer, object, start, tomb);
            }
            start = tomb + 1;
            let Some(member) = of.members(object).get(tomb) else { break };
            if let Content::Object(inner) = member.content() {
                self.sink.open_member(layer, member);
                self.object(Stack::one(layer, inner), None);
                self.sink.close_member(member);
            }
        }
        if start < to {
            self.sink.run(layer, object, start, to);
        }
    }

    /// A member that several layers hold, or that rules speak of.
    fn member(&mut self, contributions: &Contributions<'a>, scope: Option<&Scope<'a>>) {
        let (outcome, ignored) = self.fold(contributions, scope);
        self.sink.folded(&Fold { contributions, outcome: &outcome, ignored, scope });
        match outcome {
            Outcome::Nothing => {}
            Outcome::One(layer, member) => self.sink.entry(layer, member),
            Outcome::Objects(stack) => {
                let Some((layer, member)) = named(contributions) else { return };
                let mut parts = stack.iter();
                if let (Some((only, object)), None, None) = (parts.next(), parts.next(), scope)
                    && !self.layer(only).container(object).has_tombs()
                    && let Some(Some(member)) = contributions.get(only)
                {
                    self.sink.entry(only, member);
                } else {
                    self.sink.open_member(layer, member);
                    self.object(stack, scope);
                    self.sink.close_member(member);
                }
            }
            Outcome::List(items) => {
                let Some((layer, member)) = named(contributions) else { return };
                self.sink.open_member(layer, member);
                self.sink.open_array();
                for item in items {
                    match item {
                        Item::Verbatim(layer, item) => self.sink.item(layer, item),
                        Item::Merged(stack) => {
                            self.sink.open_item(stack);
                            self.object(stack, None);
                            self.sink.close_item();
                        }
                    }
                }
                self.sink.close_array();
                self.sink.close_member(member);
            }
        }
    }

    /// Decides what a member becomes; the second part says whom locks overruled.
    pub(crate) fn fold(
        &self,
        contributions: &Contributions<'a>,
        scope: Option<&Scope<'a>>,
    ) -> (Outcome<'a>, u8) {
        let Some(scope) = scope else { return (fold_plain(contributions), 0) };
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

    /// Puts an array of `layer` onto what the layers above it made, by a list rule.
    fn combine(&self, rule: &Rule, above: Outcome<'a>, layer: usize, array: u32) -> Vec<Item<'a>> {
        let mut items = self.items(above).unwrap_or_default();
        items.extend(self.items_of(layer, array));
        match rule {
            Rule::Union => {
                // A map as below, for it is code that is there.
                let mut seen = BTreeMap::new();
                items.retain(|item| seen.insert(self.identity(*item), 0).is_none());
                items
            }
            Rule::Keyed(member) => self.merge_by(&Name::encode(member), items),
            _ => items,
        }
    }

    /// The items of an outcome that is an array.
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

    /// Merges object items that agree in the member `key`, in order of first appearance.
    fn merge_by(&self, key: &Name, items: Vec<Item<'a>>) -> Vec<Item<'a>> {
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
            let key = stack.iter().next().and_then(|(layer, object)| {
                let of = self.layer(layer);
                let member = of.find(of.container(object), key)?;
                Some(identity(of, member))
            });
            let Some(key) = key else {
                merged.push(item);
                continue;
            };
            match places.get(&key).and_then(|&place: &usize| merged.get_mut(place)) {
                Some(Item::Merged(into)) => {
                    // Twice in one layer: the later item takes the earlier one's place, so that a
                    // stack never outgrows the chain.
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
                let mut walk = Walk {
                    layers: self.layers,
                    count: self.count,
                    sink: HashSink::new(self.layers),
                };
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

/// A value as something to compare: equal exactly when the canonical texts are.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity<'a> {
    Scalar(&'a [u8]),
    Container(Hash),
}

fn identity<'a>(of: &'a Layer, member: &'a Member) -> Identity<'a> {
    match member.content() {
        Content::Array(id) | Content::Object(id) => Identity::Container(of.container(id).hash),
        Content::Null | Content::Scalar => Identity::Scalar(of.value_text(member)),
    }
}

/// Any layer's member for a name: all spell it alike.
fn named<'a>(contributions: &Contributions<'a>) -> Option<(usize, &'a Member)> {
    contributions.iter().enumerate().find_map(|(layer, member)| Some((layer, (*member)?)))
}
