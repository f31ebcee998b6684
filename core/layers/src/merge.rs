//! The walk over the layers of a chain, side by side.
//!
//! Every question about a view (its text, its hash, the origins of its values) is a [`Sink`] that
//! this walk feeds. Members of only one layer are passed on as runs; where several layers hold a
//! member, [`Chain::fold`] decides the result. No tree is built.
//!
//! Without rules the result is the left fold of RFC 7396 (JSON Merge Patch) over the chain,
//! starting from an empty object.

mod chain;
mod cursor;
mod front;
mod hash;
mod sink;
mod text;

use core::cmp::Ordering;

use crate::{
    layer::{Container, Content, Member},
    rules::Scope,
};
pub(crate) use chain::{Chain, Identity, identity, item_key, names};
use cursor::Cursor;
use front::{Front, Step};
pub(crate) use hash::HashSink;
pub(crate) use sink::{Contributions, Fold, Item, Outcome, Part, Sink, Stack};
pub(crate) use text::TextSink;

/// A chain being walked.
pub(crate) struct Walk<'a, S> {
    pub(crate) chain: Chain<'a>,
    pub(crate) sink: S,
}

impl<'a, S: Sink<'a>> Walk<'a, S> {
    /// Walks the whole view.
    pub(crate) fn run(mut self, scope: Option<&Scope<'a>>) -> S {
        let stack = self.chain.roots(scope);
        self.object(stack, scope);
        self.sink
    }

    /// Walks objects that merge into one.
    pub(crate) fn object(&mut self, stack: Stack, scope: Option<&Scope<'a>>) {
        if let (Some((upper, lower)), None, false) = (stack.pair(), scope, S::LISTENS) {
            return self.pair(upper, lower);
        }
        self.sink.open_object();
        let mut front = Front::new(&self.chain, stack, scope);
        while let Some(step) = front.next() {
            match step {
                Step::Run(layer, object, from, to) => self.members(layer, object, from, to),
                Step::Member(contributions, scope) => self.member(&contributions, scope),
            }
        }
        self.sink.close_object();
    }

    /// Two objects without rules: the common case, with less to track.
    fn pair(&mut self, upper: Part, lower: Part) {
        self.sink.open_object();
        let mut upper = self.chain.cursor(upper);
        let mut lower = self.chain.cursor(lower);
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
                            // An object that repeats the inherited one is passed on whole.
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

    /// A member that is an object of one layer alone, without rules.
    fn alone(&mut self, layer: usize, member: &'a Member, object: u32) {
        if self.chain.layer(layer).container(object).has_tombs() {
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

    /// The runs between tombstones; tombstones are dropped.
    fn between_tombs(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        let of = self.chain.layer(layer);
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

    /// A member that several layers hold, or that has rules.
    fn member(&mut self, contributions: &Contributions<'a>, scope: Option<&Scope<'a>>) {
        let (outcome, ignored) = self.chain.fold(contributions, scope);
        self.sink.folded(&Fold { contributions, outcome: &outcome, ignored, scope });
        match outcome {
            Outcome::Nothing => {}
            Outcome::One(layer, member) => self.sink.entry(layer, member),
            Outcome::Objects(stack) => {
                let Some((layer, member)) = named(contributions) else { return };
                let mut parts = stack.iter();
                if let (Some((only, object)), None, None) = (parts.next(), parts.next(), scope)
                    && !self.chain.layer(only).container(object).has_tombs()
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
}

/// The member of any layer for a name; all spell it alike.
fn named<'a>(contributions: &Contributions<'a>) -> Option<(usize, &'a Member)> {
    contributions.iter().enumerate().find_map(|(layer, member)| Some((layer, (*member)?)))
}
