//! Lint: checks a set of layers like a careful reviewer.
//!
//! It takes the layers of one or more trees and returns findings. It stores and changes nothing.
//! Each family of findings has its own file.
//!
//! The cost is linear in the given layers: inherited values are looked up member by member, without
//! making views. (Where a list rule holds, the lists of the chain are read.)

mod place;
mod repeats;
mod rules;
mod secrets;
mod sizes;
mod tree;

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, ops::ControlFlow};

use crate::{
    address::Address,
    id::ContextId,
    layer::Layer,
    locks::breaches,
    rules::{Rules, Scope},
    sensitive::SensitiveNames,
    sort::sort_by,
    twins::visit_twins,
};
use tree::{Seat, Tree};

/// One context to check.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Level and id.
    pub address: Address,
    /// The id of the parent, one level up. A project may leave out `global`; the global context has
    /// none.
    pub parent: Option<ContextId>,
    /// The data.
    pub layer: &'a Layer,
    /// The merge rules that it sets.
    pub rules: &'a Rules,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The layers are wrong, or reveal a secret.
    Error,
    /// Probably a mistake.
    Warning,
    /// The layers could be simpler.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $severity:ident;)*) => {
        /// The kind of a finding. The text form is part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $variant),* }

        impl Kind {
            /// Every kind, in the order of the findings of one context.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// The stable text, e.g. `lock-broken`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $text),* }
            }

            /// The severity of this kind.
            pub const fn severity(self) -> Severity {
                match self { $(Kind::$variant => Severity::$severity),* }
            }
        }
    };
}

kinds! {
    /// Two contexts have the same address; `other` is that address.
    DuplicateContext = "duplicate-context", Error;
    /// The parent is missing among the layers, or not set; `other` is its address.
    MissingParent = "missing-parent", Error;
    /// The id of the parent belongs to a context of another level: `other`.
    WrongParent = "wrong-parent", Error;
    /// Something is set or removed at or below a path that a layer above locks; `other` locks it.
    LockBroken = "lock-broken", Error;
    /// A string or object under a sensitive name that is not sealed.
    SecretInClear = "secret-in-clear", Error;
    /// A text that looks like a well-known credential.
    CredentialInClear = "credential-in-clear", Error;
    /// `$sealed` in an invalid form.
    MarkerMalformed = "marker-malformed", Error;
    /// The data exceeds the limit of a context; `bytes` is its size.
    DataTooLarge = "data-too-large", Error;
    /// The data uses four fifths of the limit of a context; `bytes` is its size.
    DataNearLimit = "data-near-limit", Warning;
    /// The data uses four fifths of the allowed depth.
    DepthNearLimit = "depth-near-limit", Warning;
    /// The context uses four fifths of the allowed rules.
    RulesNearLimit = "rules-near-limit", Warning;
    /// One string or array uses an eighth of the limit of a context; `bytes` is its size.
    ValueLarge = "value-large", Warning;
    /// No layer that the rule applies to has a value at its path.
    RuleUnmatched = "rule-unmatched", Warning;
    /// The rule repeats an existing one or the default; `other` is the layer above that sets it, if
    /// any.
    RuleRepeated = "rule-repeated", Warning;
    /// The rule is at a locked path; `other` has the lock.
    RuleUnderLock = "rule-under-lock", Warning;
    /// `union`, `append` or `keyed` for a value that is not an array in the layer `other`.
    RuleWithoutList = "rule-without-list", Warning;
    /// `keyed` for items without the member, in the layer `other`.
    KeyMissing = "key-missing", Warning;
    /// An item of a `keyed` list whose key a later item of the layer has too.
    KeyRepeated = "key-repeated", Warning;
    /// A value that repeats the inherited one; removing it saves `bytes`. `other` has the value, if
    /// it is one layer.
    ValueRepeated = "value-repeated", Note;
    /// A tombstone that hides nothing, or an object of such tombstones; removing it saves `bytes`.
    TombstoneIdle = "tombstone-idle", Note;
    /// More findings of one kind in a context than are listed.
    LeftOut = "left-out", Note;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of the finding.
    pub kind: Kind,
    /// The address of the context.
    pub address: Address,
    /// The pointer into its data (RFC 6901), or the path of a rule.
    pub pointer: String,
    /// One sentence: what is wrong, and what to do. Never quotes a value.
    pub message: String,
    /// The other context that it concerns; see [`Kind`].
    pub other: Option<Address>,
    /// A size in bytes of canonical JSON; see [`Kind`].
    pub bytes: Option<usize>,
}

impl Finding {
    /// The severity of this kind.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

/// Most findings of one kind in one context. The number of further ones is reported.
pub const MOST: usize = 100;

/// Checks contexts that form one or more trees, given in any order. `names` are the sensitive
/// member names.
///
/// Findings are sorted by address, then by [`Kind::ALL`], then in document order. So the same
/// layers give the same findings, in whatever order they are given. If a parent is missing, the
/// context is checked against the chain that exists. A pointer longer than
/// [`POINTER_BYTES`](crate::limits::POINTER_BYTES) ends at the value around it, and the message
/// says so.
///
/// ```
/// use nacre_layers::{
///     address::Address,
///     id::ContextId,
///     json,
///     layer::Layer,
///     lint::{Context, Kind, lint},
///     rules::Rules,
///     sensitive::SensitiveNames,
/// };
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let (global, project) = (layer(r#"{"model":"small"}"#)?, layer(r#"{"model":"small"}"#)?);
/// let rules = Rules::default();
/// let contexts = [
///     Context { address: Address::global(), parent: None, layer: &global, rules: &rules },
///     Context {
///         address: Address::parse("project", "shop")?,
///         parent: Some(ContextId::global()),
///         layer: &project,
///         rules: &rules,
///     },
/// ];
/// let findings = lint(&contexts, &SensitiveNames::default());
/// assert_eq!(findings.len(), 1);
/// assert_eq!(findings[0].kind, Kind::ValueRepeated);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn lint(contexts: &[Context<'_>], names: &SensitiveNames) -> Vec<Finding> {
    let tree = Tree::of(contexts);
    let survey = rules::survey(&tree);
    let mut found = Vec::new();
    for (at, seat) in tree.seats().enumerate() {
        let mut report = Report::of(&tree, seat);
        let scope = Scope::of_chain(tree.chain(seat).map(|seat| seat.context.rules));
        tree::check(&mut report);
        if let Some(scope) = &scope {
            locks(&mut report, scope);
            twins(&mut report, scope);
            rules::check(&mut report, scope, survey.get(at).map_or(&[], Vec::as_slice));
        }
        secrets::check(&mut report, names);
        repeats::check(&mut report, scope.as_ref());
        sizes::check(&mut report);
        report.close(&mut found);
    }
    found
}

/// Finds values that a layer sets or removes although a layer above locks them.
fn locks(report: &mut Report<'_, '_>, scope: &Scope<'_>) {
    let seat = report.seat;
    for breach in breaches(scope, seat.above.len(), seat.context.layer) {
        let other = report.tree.above(seat, breach.by).map(|seat| seat.context.address.clone());
        let by = other.as_ref().map_or_else(String::new, ToString::to_string);
        report.add(Kind::LockBroken, || Said {
            message: format!(
                "{by} locks this path, so this value has no effect: remove it, or change the value \
                 there"
            ),
            other,
            ..Said::at(breach.pointer)
        });
    }
}

/// Finds items that a later item of the layer hides.
fn twins(report: &mut Report<'_, '_>, scope: &Scope<'_>) {
    let (layer, of) = (report.seat.above.len(), report.seat.context.layer);
    let _ = visit_twins(scope, layer, of, &mut |pointer| {
        report.add(Kind::KeyRepeated, || Said {
            message: "a later item of this list has the same key, so this one has no effect: \
                      remove it, or give it another key"
                .into(),
            ..Said::at(pointer.as_str())
        });
        ControlFlow::Continue(())
    });
}

/// The findings of one context so far.
struct Report<'t, 'a> {
    tree: &'t Tree<'a>,
    seat: &'t Seat<'a>,
    found: Vec<Finding>,
    /// The number of findings of each kind, listed or not.
    counts: BTreeMap<Kind, usize>,
}

/// The parts of a finding besides its kind and context.
#[derive(Default)]
struct Said {
    pointer: String,
    message: String,
    other: Option<Address>,
    bytes: Option<usize>,
}

impl Said {
    fn at(pointer: impl Into<String>) -> Said {
        Said { pointer: pointer.into(), ..Said::default() }
    }
}

impl<'t, 'a> Report<'t, 'a> {
    fn of(tree: &'t Tree<'a>, seat: &'t Seat<'a>) -> Report<'t, 'a> {
        Report { tree, seat, found: Vec::new(), counts: BTreeMap::new() }
    }

    /// Adds a finding, or only counts it if there are too many of its kind. Findings of one kind
    /// must come in document order.
    fn add(&mut self, kind: Kind, say: impl FnOnce() -> Said) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count > MOST {
            return;
        }
        let Said { pointer, message, other, bytes } = say();
        let address = self.seat.context.address.clone();
        self.found.push(Finding { kind, address, pointer, message, other, bytes });
    }

    /// Adds a finding about the value that starts at `offset` of the layer's text.
    fn add_at(&mut self, kind: Kind, offset: u32, say: impl FnOnce() -> Said) {
        let layer = self.seat.context.layer;
        self.add(kind, || {
            let (pointer, whole) = place::pointer(layer, offset);
            let mut said = Said { pointer, ..say() };
            if !whole {
                said.message.push_str(" (below this pointer: the full pointer is too long)");
            }
            said
        });
    }

    /// As [`Self::add_at`], but only if the value's full pointer is short enough.
    fn add_note(&mut self, kind: Kind, offset: u32, say: impl FnOnce() -> Said) {
        if let (pointer, true) = place::pointer(self.seat.context.layer, offset) {
            self.add(kind, || Said { pointer, ..say() });
        }
    }

    fn close(mut self, into: &mut Vec<Finding>) {
        for (kind, count) in core::mem::take(&mut self.counts) {
            if let Some(more @ 1..) = count.checked_sub(MOST) {
                self.add(Kind::LeftOut, || Said {
                    message: format!(
                        "{more} more findings of kind {kind} are not listed: fix the listed ones \
                         first"
                    ),
                    ..Said::default()
                });
            }
        }
        sort_by(&mut self.found, |a, b| a.kind.cmp(&b.kind));
        into.append(&mut self.found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_distinct_kebab_case_and_graver_ones_come_first() {
        for (i, kind) in Kind::ALL.iter().enumerate() {
            assert!(kind.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            for other in &Kind::ALL[i + 1..] {
                assert!(other.as_str() != kind.as_str());
                assert!(other.severity() >= kind.severity());
            }
        }
    }
}
