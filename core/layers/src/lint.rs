//! Checking layers: what a careful reviewer would say about a set of them.
//!
//! The layers of one or more trees go in, findings come out; nothing is stored and nothing is
//! changed. Every family of findings has a file of its own.
//!
//! The cost is linear in the layers given: what a context inherits is looked up along its own
//! members, never by making its view. (Where a list rule holds, the lists of the chain are read.)

mod credentials;
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
use core::fmt;

use crate::{
    address::Address,
    id::ContextId,
    layer::Layer,
    locks::breaches,
    rules::{Rules, Scope},
    sensitive::SensitiveNames,
    sort::sort_by,
};
use tree::{Seat, Tree};

/// One context to check.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Level and id.
    pub address: Address,
    /// The id one level up; projects need not name `global`, and the global context names none.
    pub parent: Option<ContextId>,
    /// The data.
    pub layer: &'a Layer,
    /// The merge rules it carries.
    pub rules: &'a Rules,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The layers are wrong, or tell what they should not.
    Error,
    /// Probably not what was meant.
    Warning,
    /// Could be simpler.
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
        /// What a finding is about. The text form is part of the public contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $variant),* }

        impl Kind {
            /// Every kind, in the order in which findings of one context come.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant),*];

            /// The stable text, e.g. `lock-broken`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $text),* }
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self { $(Kind::$variant => Severity::$severity),* }
            }
        }
    };
}

kinds! {
    /// Two of the contexts have one address; `other` is that address.
    DuplicateContext = "duplicate-context", Error;
    /// The parent is not among the layers, or not named; `other` is the one looked for.
    MissingParent = "missing-parent", Error;
    /// The parent's id is one of another level, which `other` names.
    WrongParent = "wrong-parent", Error;
    /// Something is set or removed at or below a path that a layer above locks; `other` locks it.
    LockBroken = "lock-broken", Error;
    /// A string or object under a sensitive name that is not sealed.
    SecretInClear = "secret-in-clear", Error;
    /// A text that looks like a well-known credential.
    CredentialInClear = "credential-in-clear", Error;
    /// `$sealed` in a form that no store writes.
    MarkerMalformed = "marker-malformed", Error;
    /// More data than one context may hold; `bytes` is its size.
    DataTooLarge = "data-too-large", Error;
    /// Four fifths of the data that one context may hold; `bytes` is its size.
    DataNearLimit = "data-near-limit", Warning;
    /// Four fifths of the nesting that data may have.
    DepthNearLimit = "depth-near-limit", Warning;
    /// Four fifths of the rules that one context may carry.
    RulesNearLimit = "rules-near-limit", Warning;
    /// One string or array takes an eighth of what a context may hold; `bytes` is its size.
    ValueLarge = "value-large", Warning;
    /// No layer that the rule could work on holds its path.
    RuleUnmatched = "rule-unmatched", Warning;
    /// The rule says what holds without it; `other` is the layer above that says it, if one does.
    RuleRepeated = "rule-repeated", Warning;
    /// The rule stands where a lock lets nothing change; `other` locks it.
    RuleUnderLock = "rule-under-lock", Warning;
    /// `union`, `append` or `keyed` for what is no array in the layer that `other` names.
    RuleWithoutList = "rule-without-list", Warning;
    /// `keyed` for items without that member, in the layer that `other` names.
    KeyMissing = "key-missing", Warning;
    /// A value that the view above holds too, at the same path; removing it saves `bytes`.
    /// `other` holds it, where that is one layer.
    ValueRepeated = "value-repeated", Note;
    /// A tombstone that hides nothing, or an object of such; removing it saves `bytes`.
    TombstoneIdle = "tombstone-idle", Note;
    /// More findings of a kind in one context than are listed.
    LeftOut = "left-out", Note;
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub kind: Kind,
    /// In which context.
    pub address: Address,
    /// Where in its data (RFC 6901); for a finding about a rule, the rule's path.
    pub pointer: String,
    /// One sentence: what is wrong, and what to do. Never quotes a value.
    pub message: String,
    /// The other context it concerns, see [`Kind`].
    pub other: Option<Address>,
    /// A size in bytes of canonical JSON, see [`Kind`].
    pub bytes: Option<usize>,
}

impl Finding {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

/// Most findings of one kind in one context; how many more there are is told.
pub const MOST: usize = 100;

/// Checks contexts that form one or more trees, given in any order. `names` says which member
/// names are sensitive.
///
/// Findings come in order of their addresses, for each in order of [`Kind::ALL`], for each kind in
/// document order; so the same layers give the same findings, in whatever order they are given.
/// A context whose parent is missing is checked as far as its chain goes. A pointer longer than
/// [`POINTER_BYTES`](crate::limits::POINTER_BYTES) ends at the value around it, and the message
/// says so.
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
            rules::check(&mut report, scope, survey.get(at).map_or(&[], Vec::as_slice));
        }
        secrets::check(&mut report, names);
        repeats::check(&mut report, scope.as_ref());
        sizes::check(&mut report);
        report.close(&mut found);
    }
    found
}

/// What a layer sets or removes although a layer above locks it.
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

/// The findings of one context, as they are made.
struct Report<'t, 'a> {
    tree: &'t Tree<'a>,
    seat: &'t Seat<'a>,
    found: Vec<Finding>,
    /// How many there are of each kind, told or not.
    counts: BTreeMap<Kind, usize>,
}

/// What a finding says besides its kind and context.
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

    /// Adds a finding, or counts it when there are too many of its kind. Those of one kind are to
    /// come in document order.
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

    /// Adds a finding about the value that begins at `offset` of the layer's text.
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

    /// As [`Self::add_at`], for what is only worth saying about a value that can be named.
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
