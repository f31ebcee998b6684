//! Finds values that repeat inherited ones, and tombstones that hide nothing.
//!
//! It walks the layer's members, and looks up the same places in the layers above. So the cost
//! depends on the layer, not on the view.

use alloc::{format, vec::Vec};

use super::{Kind, Report, Said};
use crate::{
    hash::Hash,
    layer::{Content, Layer, Member},
    level::LAYERS,
    merge::{Chain, Contributions, HashSink, Outcome, Stack, Walk},
    name::Key,
    resolve::{self, Link, layers},
    rules::{Rule, Scope},
};

/// Repeated values, each at the topmost path that can be removed as a whole, and tombstones that
/// hide nothing.
pub(super) fn check(report: &mut Report<'_, '_>, scope: Option<&Scope<'_>>) {
    let seat = report.seat;
    let links = report.tree.chain(seat);
    let chain = resolve::collect(
        links.map(|seat| Link { layer: seat.context.layer, rules: seat.context.rules }),
    );
    for idle in idle(&chain, scope) {
        let other = idle
            .holder
            .and_then(|layer| report.tree.above(seat, layer))
            .map(|seat| seat.context.address.clone());
        let (kind, message) = match (idle.effect, idle.offset) {
            (Effect::Hides, _) => (
                Kind::TombstoneIdle,
                format!(
                    "this `null` removes nothing, because nothing is inherited here: remove it and \
                     save {} bytes",
                    idle.bytes
                ),
            ),
            (_, 0) => (
                Kind::ValueRepeated,
                format!(
                    "this layer repeats only inherited values: empty it and save {} bytes",
                    idle.bytes
                ),
            ),
            _ => (
                Kind::ValueRepeated,
                format!(
                    "this value repeats the inherited one: remove it and save {} bytes",
                    idle.bytes
                ),
            ),
        };
        report.add_note(kind, idle.offset, || Said {
            message,
            other,
            bytes: Some(idle.bytes),
            ..Said::default()
        });
    }
}

/// A part of a layer that could be removed without changing its view.
struct Idle {
    effect: Effect,
    offset: u32,
    /// The layer that has the same value, if one layer does.
    holder: Option<usize>,
    /// How much shorter the layer's text is without it, in bytes.
    bytes: usize,
}

/// The effect of a value on the inherited one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Changes,
    Repeats,
    /// It consists of tombstones that hide nothing.
    Hides,
}

/// The parts of the last layer of a chain that have no effect, in document order.
fn idle<'a>(chain: &[Link<'a>], scope: Option<&Scope<'a>>) -> Vec<Idle> {
    let Some((own, above)) = chain.split_last() else { return Vec::new() };
    let own_place = above.len();
    let root = own.layer.root();
    let chain = Chain { layers: layers(chain), count: own_place };
    let mut stack = chain.roots(scope);
    if let Some(scope) = scope {
        if scope.blocks(own_place, Content::Object(root)) {
            return Vec::new();
        }
        if scope.rule(own_place) == Some(&Rule::Replace) {
            stack = Stack::default();
        }
    }
    let mut search = Search { chain, own: own_place, of: own.layer, found: Vec::new() };
    let effect = search.object(stack, root, scope);
    let members = own.layer.members(own.layer.container(root)).len();
    if effect == Effect::Repeats && members > 0 {
        search.found.clear();
        let bytes = own.layer.text().len().saturating_sub(2);
        search.found.push(Idle { effect, offset: 0, holder: only(stack), bytes });
    }
    search.found
}

struct Search<'a> {
    /// The layers above.
    chain: Chain<'a>,
    own: usize,
    of: &'a Layer,
    found: Vec<Idle>,
}

impl<'a> Search<'a> {
    /// The effect of an object on the objects above that it merges with.
    fn object(&mut self, above: Stack, object: u32, scope: Option<&Scope<'a>>) -> Effect {
        let of = self.of;
        let container = of.container(object);
        let comma = usize::from(container.len() > 1);
        let mut sum = None;
        for member in of.members(container) {
            let key = of.key(member);
            let scope = scope.and_then(|scope| scope.child(&key, container.plain));
            let contributions = self.contributions(above, &key, container.plain);
            let before = self.found.len();
            let (effect, holder) = self.member(member, contributions, scope);
            if effect != Effect::Changes {
                self.found.truncate(before);
                let bytes = of.member_text(member).len() + comma;
                self.found.push(Idle { effect, offset: member.span().start, holder, bytes });
            }
            sum = match (sum, effect) {
                (Some(Effect::Changes), _) | (_, Effect::Changes) => Some(Effect::Changes),
                (Some(Effect::Repeats), _) | (_, Effect::Repeats) => Some(Effect::Repeats),
                _ => Some(Effect::Hides),
            };
        }
        sum.unwrap_or(Effect::Repeats)
    }

    fn contributions(&self, above: Stack, key: &Key<'_>, plain: bool) -> Contributions<'a> {
        let mut contributions: Contributions<'a> = [None; LAYERS];
        for (layer, object) in above.iter() {
            let of = self.chain.layer(layer);
            if let Some(slot) = contributions.get_mut(layer) {
                *slot = of.find_key(of.container(object), key, plain);
            }
        }
        contributions
    }

    /// The effect of a member on the inherited value, and the layer that it comes from.
    fn member(
        &mut self,
        member: &'a Member,
        contributions: Contributions<'a>,
        scope: Option<&Scope<'a>>,
    ) -> (Effect, Option<usize>) {
        let changes = (Effect::Changes, None);
        let content = member.content();
        // A value that a lock overrules does not count here; it is reported as a broken lock.
        if scope.is_some_and(|scope| scope.blocks(self.own, content)) {
            return changes;
        }
        let inherited = contributions.iter().any(Option::is_some);
        let rule = scope.and_then(|scope| scope.rule(self.own));
        match content {
            Content::Scalar if !inherited => changes,
            Content::Array(_) if !inherited => changes,
            Content::Object(object) if !inherited => {
                self.tombstones(object, scope);
                changes
            }
            Content::Null => match self.chain.fold(&contributions, scope).0 {
                Outcome::Nothing => (Effect::Hides, None),
                _ => changes,
            },
            Content::Scalar => match self.chain.fold(&contributions, scope).0 {
                Outcome::One(layer, other)
                    if other.content() == Content::Scalar
                        && self.chain.layer(layer).value_text(other)
                            == self.of.value_text(member) =>
                {
                    (Effect::Repeats, Some(layer))
                }
                _ => changes,
            },
            Content::Array(array) => self.array(member, array, contributions, scope, rule),
            Content::Object(object) => match self.chain.fold(&contributions, scope).0 {
                Outcome::Objects(stack) if rule == Some(&Rule::Replace) => {
                    self.tombstones(object, scope);
                    let own = self.hash(Stack::one(self.own, object), scope);
                    match self.hash(stack, scope) == own {
                        true => (Effect::Repeats, only(stack)),
                        false => changes,
                    }
                }
                Outcome::Objects(stack) => (self.object(stack, object, scope), only(stack)),
                _ => {
                    self.tombstones(object, scope);
                    changes
                }
            },
        }
    }

    /// Tombstones in an object that merges with nothing.
    fn tombstones(&mut self, object: u32, scope: Option<&Scope<'a>>) {
        if self.of.container(object).has_tombs() {
            self.object(Stack::default(), object, scope);
        }
    }

    fn array(
        &self,
        member: &'a Member,
        array: u32,
        mut contributions: Contributions<'a>,
        scope: Option<&Scope<'a>>,
        rule: Option<&Rule>,
    ) -> (Effect, Option<usize>) {
        let above = self.chain.fold(&contributions, scope).0;
        let by_rule = matches!(rule, Some(Rule::Union | Rule::Append | Rule::Keyed(_)));
        if let (Outcome::One(layer, other), false) = (&above, by_rule) {
            let of = self.chain.layer(*layer);
            let same = matches!(other.content(), Content::Array(other)
                if of.container(other).hash == self.of.container(array).hash);
            return if same { (Effect::Repeats, Some(*layer)) } else { (Effect::Changes, None) };
        }
        let Some(above) = self.chain.items(above) else { return (Effect::Changes, None) };
        // Lists that rules merge are compared with and without the items of this layer.
        if let Some(slot) = contributions.get_mut(self.own) {
            *slot = Some(member);
        }
        let with = self.chain.items(self.chain.fold(&contributions, scope).0).unwrap_or_default();
        match self.chain.same(&above, &with) {
            true => (Effect::Repeats, None),
            false => (Effect::Changes, None),
        }
    }

    fn hash(&self, stack: Stack, scope: Option<&Scope<'a>>) -> Hash {
        let mut walk = Walk { chain: self.chain, sink: HashSink::new(self.chain.layers) };
        walk.object(stack, scope);
        walk.sink.hash()
    }
}

/// The layer of a stack with only one layer.
fn only(stack: Stack) -> Option<usize> {
    let mut layers = stack.iter().map(|(layer, _)| layer);
    layers.next().filter(|_| layers.next().is_none())
}
