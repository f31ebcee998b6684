//! Finds rules without effect, or with an unexpected effect.

use alloc::{format, string::ToString, vec::Vec};

use super::{
    Kind, Report, Said,
    tree::{Seat, Tree},
};
use crate::{
    layer::{Content, Layer},
    name::Name,
    pointer::Pointer,
    rules::{Rule, Scope},
};

/// The values that one rule applies to, in its own layer and those below.
#[derive(Clone, Default)]
pub(super) struct Met {
    /// Whether one of the layers has a value at its path.
    present: bool,
    /// The layers where a list rule finds something else: the first one, and the number.
    others: Count,
    /// The layers where `keyed` finds items without the member: the first one, and the number.
    keyless: Count,
}

#[derive(Clone, Copy, Default)]
struct Count {
    first: Option<usize>,
    all: usize,
}

impl Count {
    fn add(&mut self, at: usize) {
        self.first.get_or_insert(at);
        self.all += 1;
    }
}

/// The values of every rule of every context, in order.
pub(super) fn survey(tree: &Tree<'_>) -> Vec<Vec<Met>> {
    let mut survey: Vec<Vec<Met>> =
        tree.seats().map(|seat| alloc::vec![Met::default(); seat.context.rules.len()]).collect();
    for (at, seat) in tree.seats().enumerate() {
        let layer = seat.context.layer;
        let chain: Vec<(usize, &Seat<'_>)> =
            Tree::places(seat).filter_map(|place| Some((place, tree.seat(place)?))).collect();
        for (above, &(place, carrier)) in chain.iter().enumerate() {
            let Some(mets) = survey.get_mut(place) else { continue };
            for (met, (pointer, rule)) in mets.iter_mut().zip(carrier.context.rules.iter()) {
                let Some(content) = held(layer, pointer) else { continue };
                met.present = true;
                let nearer = chain.iter().skip(above + 1).any(|(_, nearer)| {
                    let mut rules = nearer.context.rules.iter();
                    rules.any(|(other, rule)| other == pointer && *rule != Rule::Lock)
                });
                if nearer || content == Content::Null {
                    continue;
                }
                match (rule, content) {
                    (Rule::Keyed(members), Content::Array(array)) => {
                        if members.iter().any(|member| lacks(layer, array, member)) {
                            met.keyless.add(at);
                        }
                    }
                    (Rule::Union | Rule::Append, Content::Array(_)) => {}
                    (Rule::Union | Rule::Append | Rule::Keyed(_), _) => met.others.add(at),
                    (Rule::Replace | Rule::Deep | Rule::Lock, _) => {}
                }
            }
        }
    }
    survey
}

/// The value of a layer at a path that leads only through objects, as rules require.
fn held(layer: &Layer, pointer: &Pointer) -> Option<Content> {
    pointer.tokens().try_fold(Content::Object(layer.root()), |content, token| match content {
        Content::Object(object) => {
            Some(layer.find(layer.container(object), &Name::encode(&token))?.content())
        }
        _ => None,
    })
}

/// Whether an item is not an object, or lacks the member; null does not count as one.
fn lacks(layer: &Layer, array: u32, member: &str) -> bool {
    let name = Name::encode(member);
    layer.members(layer.container(array)).iter().any(|item| match item.content() {
        Content::Object(object) => {
            let member = layer.find(layer.container(object), &name);
            member.is_none_or(|member| member.content() == Content::Null)
        }
        _ => true,
    })
}

/// The findings about one context's rules, at most one per rule. `scope` has the rules of its
/// chain, `survey` the values of its own rules.
pub(super) fn check(report: &mut Report<'_, '_>, scope: &Scope<'_>, survey: &[Met]) {
    let rules = report.seat.context.rules;
    for ((pointer, rule), met) in rules.iter().zip(survey) {
        let _told = under_lock(report, scope, pointer, rule)
            || repeated(report, scope, pointer, rule)
            || unmatched(report, pointer, rule, met)
            || beside_lists(report, pointer, rule, met);
    }
}

/// A rule where nothing can change: a lock inside a lock, or any rule at or below a path that a
/// layer above locks.
fn under_lock(
    report: &mut Report<'_, '_>,
    scope: &Scope<'_>,
    pointer: &Pointer,
    rule: &Rule,
) -> bool {
    let own = report.seat.above.len();
    let mut at = Some(scope);
    let mut lock = None;
    for token in pointer.tokens() {
        let Some(around) = at else { break };
        let counts = |lock: &usize| *lock < own || *rule == Rule::Lock;
        lock = lock.or(around.lock().filter(counts));
        at = step(around, &token);
    }
    if *rule != Rule::Lock {
        lock = lock.or(at.and_then(Scope::lock).filter(|lock| *lock < own));
    }
    let Some(lock) = lock else { return false };
    let other = report.tree.chain(report.seat).nth(lock).map(|seat| seat.context.address.clone());
    let by = if lock < own {
        other.as_ref().map(ToString::to_string).unwrap_or_default()
    } else {
        "this context".into()
    };
    report.add(Kind::RuleUnderLock, || Said {
        message: format!(
            "{by} locks this path or a path above it, so the rule `{rule}` has no effect: remove \
             it"
        ),
        other: other.filter(|_| lock < own),
        ..Said::at(pointer)
    });
    true
}

fn step<'s, 'a>(scope: &'s Scope<'a>, token: &str) -> Option<&'s Scope<'a>> {
    let name = Name::encode(token);
    scope.child(&name.key(), name.plain)
}

/// A rule that a layer above already sets, or that is the default.
fn repeated(
    report: &mut Report<'_, '_>,
    scope: &Scope<'_>,
    pointer: &Pointer,
    rule: &Rule,
) -> bool {
    let own = report.seat.above.len();
    let at = pointer.tokens().try_fold(scope, |scope, token| step(scope, &token));
    let by = match (rule, own.checked_sub(1)) {
        (Rule::Lock, _) => at.and_then(Scope::lock).filter(|lock| *lock < own),
        (_, Some(upper)) if at.and_then(|at| at.rule(upper)) == Some(rule) => {
            at.and_then(|at| at.source(upper))
        }
        _ => None,
    };
    let default = own.checked_sub(1).and_then(|upper| at?.rule(upper)).is_none();
    if by.is_none() && !(default && *rule == Rule::Deep) {
        return false;
    }
    let other = by
        .and_then(|layer| report.tree.above(report.seat, layer))
        .map(|seat| seat.context.address.clone());
    report.add(Kind::RuleRepeated, || Said {
        message: match &other {
            Some(by) => {
                format!("{by} already sets the rule `{rule}` for this path: remove this one")
            }
            None => format!("objects merge by `{rule}` without a rule: remove it"),
        },
        other,
        ..Said::at(pointer)
    });
    true
}

fn unmatched(report: &mut Report<'_, '_>, pointer: &Pointer, rule: &Rule, met: &Met) -> bool {
    let is_lock = *rule == Rule::Lock;
    // A lock also protects inherited values.
    let above =
        || report.tree.chain(report.seat).any(|seat| held(seat.context.layer, pointer).is_some());
    if met.present || is_lock && above() {
        return false;
    }
    report.add(Kind::RuleUnmatched, || Said {
        message: if is_lock {
            "no layer has a value at this path: correct the path, or remove the lock".into()
        } else {
            format!(
                "neither this layer nor one below has a value at this path, so the rule `{rule}` \
                 has no effect: correct the path, or remove the rule"
            )
        },
        ..Said::at(pointer)
    });
    true
}

/// A list rule for a value that is not a list, or a list that it cannot merge.
fn beside_lists(report: &mut Report<'_, '_>, pointer: &Pointer, rule: &Rule, met: &Met) -> bool {
    let (kind, count) = match (met.others.first, met.keyless.first) {
        (Some(_), _) => (Kind::RuleWithoutList, met.others),
        (None, Some(_)) => (Kind::KeyMissing, met.keyless),
        (None, None) => return false,
    };
    let other =
        count.first.and_then(|at| report.tree.seat(at)).map(|seat| seat.context.address.clone());
    report.add(kind, || {
        let mut place = other.as_ref().map(ToString::to_string).unwrap_or_default();
        if count.all > 1 {
            place.push_str(&format!(" (and in {} more)", count.all - 1));
        }
        Said {
            message: match kind {
                Kind::RuleWithoutList => format!(
                    "the rule `{rule}` merges arrays, but in {place} this path is not an array: \
                     make it an array, or remove the rule"
                ),
                _ => format!(
                    "in {place} this array has items without the member of `{rule}`, so they never \
                     merge: add the member to every item, or choose another rule"
                ),
            },
            other,
            ..Said::at(pointer)
        }
    });
    true
}
