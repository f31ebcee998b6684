//! The contexts as a tree: the chain of each one, and places where the tree is broken.

use alloc::{collections::BTreeMap, format, vec::Vec};

use super::{Context, Kind, Report, Said};
use crate::{address::Address, id::ContextId, json, level::Level, sort::sort_by, value::Value};

/// Contexts in order of their addresses.
pub(super) struct Tree<'a> {
    seats: Vec<Seat<'a>>,
    /// The first position of each address.
    places: BTreeMap<&'a Address, usize>,
}

/// A context with its ancestors.
pub(super) struct Seat<'a> {
    pub(super) context: &'a Context<'a>,
    /// Its ancestors, uppermost first, as far as they exist.
    pub(super) above: Vec<usize>,
    own: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn of(contexts: &'a [Context<'a>]) -> Tree<'a> {
        let mut sorted: Vec<&Context<'a>> = contexts.iter().collect();
        // Upper levels first. Duplicates are sorted by content, so that the given order does not
        // matter.
        sort_by(&mut sorted, |a, b| {
            (&a.address, &a.parent)
                .cmp(&(&b.address, &b.parent))
                .then_with(|| a.layer.text().cmp(b.layer.text()))
                .then_with(|| rules_text(a).cmp(&rules_text(b)))
        });
        let mut tree = Tree { seats: Vec::with_capacity(sorted.len()), places: BTreeMap::new() };
        for (own, context) in sorted.into_iter().enumerate() {
            let parent = parent(context).and_then(|parent| tree.places.get(&parent).copied());
            let above = match parent.and_then(|at| Some((at, tree.seats.get(at)?))) {
                Some((at, parent)) => parent.above.iter().copied().chain([at]).collect(),
                None => Vec::new(),
            };
            tree.places.entry(&context.address).or_insert(own);
            tree.seats.push(Seat { context, above, own });
        }
        tree
    }

    /// All of them, upper levels first.
    pub(super) fn seats(&self) -> impl Iterator<Item = &Seat<'a>> {
        self.seats.iter()
    }

    /// A context's ancestors and itself, uppermost first.
    pub(super) fn chain(&self, seat: &Seat<'a>) -> impl Iterator<Item = &Seat<'a>> {
        let own = [seat.own];
        seat.above.clone().into_iter().chain(own).filter_map(|at| self.seats.get(at))
    }

    /// The ancestor at a position of the chain, counted from the uppermost.
    pub(super) fn above(&self, seat: &Seat<'a>, layer: usize) -> Option<&Seat<'a>> {
        self.seats.get(*seat.above.get(layer)?)
    }

    /// The positions of a chain's contexts in [`Self::seats`].
    pub(super) fn places(seat: &Seat<'a>) -> impl Iterator<Item = usize> {
        seat.above.clone().into_iter().chain([seat.own])
    }

    pub(super) fn seat(&self, at: usize) -> Option<&Seat<'a>> {
        self.seats.get(at)
    }

    fn place(&self, address: &Address) -> Option<usize> {
        self.places.get(address).copied()
    }
}

fn rules_text(context: &Context<'_>) -> Vec<u8> {
    json::write(&Value::Object(context.rules.to_object()))
}

/// The address of a context's parent. A project may leave it out.
fn parent(context: &Context<'_>) -> Option<Address> {
    match (context.address.level, &context.parent) {
        (Level::Project, None) => Some(Address::global()),
        (level, Some(parent)) => Address::above(level, parent),
        (_, None) => None,
    }
}

/// Finds duplicate addresses, and parents that are missing or at the wrong level.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let (tree, context) = (report.tree, report.seat.context);
    let Address { level, .. } = context.address;
    if tree.place(&context.address) != Some(report.seat.own) {
        report.add(Kind::DuplicateContext, || Said {
            message: "another context has the same level and id: keep only one".into(),
            other: Some(context.address.clone()),
            ..Said::default()
        });
    }
    let Some(upper) = level.above() else {
        if let Some(named) = &context.parent {
            let other = at_another_level(tree, level, named);
            report.add(Kind::WrongParent, || Said {
                message: "a global context must not have a parent: remove it".into(),
                other,
                ..Said::default()
            });
        }
        return;
    };
    match &context.parent {
        None if upper != Level::Global => report.add(Kind::MissingParent, || Said {
            message: format!("a {level} must have a parent: set the {upper} that it belongs to"),
            ..Said::default()
        }),
        Some(named) if upper == Level::Global && named.as_str() != "global" => {
            let other = at_another_level(tree, upper, named);
            report.add(Kind::WrongParent, || Said {
                message: "the parent of a project must be `global`: set `global`, or leave it out"
                    .into(),
                other,
                ..Said::default()
            });
        }
        // The global context may be missing.
        Some(named) if upper != Level::Global && report.seat.above.is_empty() => {
            match at_another_level(tree, upper, named) {
                Some(other) => report.add(Kind::WrongParent, || Said {
                    message: format!(
                        "the parent of a {level} must be a {upper}, but {other} is not: set a \
                         {upper}"
                    ),
                    other: Some(other),
                    ..Said::default()
                }),
                None => report.add(Kind::MissingParent, || Said {
                    message: format!(
                        "the parent of this {level} is not among the layers: add that {upper}, or \
                         set another parent"
                    ),
                    other: Address::above(level, named),
                    ..Said::default()
                }),
            }
        }
        _ => {}
    }
}

/// A context with this id at a level other than `but`.
fn at_another_level(tree: &Tree<'_>, but: Level, id: &ContextId) -> Option<Address> {
    Level::ALL
        .into_iter()
        .filter(|level| *level != but)
        .filter_map(|level| Address::new(level, id.clone()).ok())
        .find(|address| tree.place(address).is_some())
}
