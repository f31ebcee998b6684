//! The context that a write goes to: where its secrets belong, and which markers it may use.
//!
//! A secret belongs to a **scope**: one project with everything below it, or the global layer. Equal
//! plaintexts have equal fingerprints within one scope only. So a guest of one project learns
//! nothing about the secrets of another by writing guesses.
//!
//! A marker is accepted only from who may read a context that holds it:
//!
//! | the marker belongs to | accepted from |
//! |---|---|
//! | the scope of the context | who may read, or who may write the context that holds it |
//! | another project, or the global layer | the owner; guests to whom the owner reveals it there |
//! | no scope (earlier versions wrote none) | the owner, or who may write the context that holds it |
//!
//! Otherwise a guest could carry a secret to a project whose secrets are revealed to them.
//!
//! A marker of another scope, of no scope, or of an older fingerprint key is sealed anew in the scope
//! of the context. So moving a context into another project gives its secrets, and those below it,
//! new markers.

use alloc::{format, string::String, vec::Vec};
use core::cell::OnceCell;

use nacre_layers::{
    address::Address,
    error::{Error, Result},
    id::ContextId,
    layer::Layer,
    level::Level,
    marker::{Fingerprint, markers},
    sort::distinct,
};

use crate::{op::Caller, sight, store::Reads};

/// Where equal secrets have equal fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealScope {
    /// The global layer.
    Global,
    /// A project, and everything below it.
    Project(ContextId),
}

impl SealScope {
    /// The text in a sealed secret and under its fingerprint: `g`, or `p` and the id. JSON begins
    /// with neither letter.
    pub(super) fn text(&self) -> String {
        match self {
            SealScope::Global => "g".into(),
            SealScope::Project(id) => format!("p{}", id.as_str()),
        }
    }

    pub(super) fn read(text: &str) -> Option<SealScope> {
        match text.split_at_checked(1)? {
            ("g", "") => Some(SealScope::Global),
            ("p", id) => ContextId::stored(id).ok().map(SealScope::Project),
            _ => None,
        }
    }
}

/// What is done with the sealed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is stored.
    Store,
    /// It is only shown: in a preview, or as one side of a conflict.
    Show,
}

/// The context that data is sealed for.
#[derive(Clone, Copy)]
pub struct Target<'t> {
    /// The store.
    pub reads: &'t dyn Reads,
    /// Who writes; `None` for what another store held, whose markers all stay.
    pub caller: Option<&'t Caller>,
    /// The address of the context.
    pub address: &'t Address,
    /// The parent that it gets.
    pub parent: Option<&'t ContextId>,
    /// The stored layer that the data comes from: the current one, or the one that is restored.
    pub held: &'t Held<'t>,
    /// What is done with the data.
    pub purpose: Purpose,
}

impl Target<'_> {
    /// The scope that the context's secrets belong to.
    pub(super) fn scope(&self) -> Result<SealScope> {
        let mut address = self.address.clone();
        let mut parent = self.parent.cloned();
        loop {
            match address.level {
                Level::Global => return Ok(SealScope::Global),
                Level::Project => return Ok(SealScope::Project(address.id)),
                Level::Branch | Level::Task => {}
            }
            address = match parent.as_ref().and_then(|id| Address::above(address.level, id)) {
                Some(above) => above,
                // The parent may come later.
                None if self.caller.is_none() => return Ok(SealScope::Global),
                None => return Err(Error::not_found()),
            };
            parent = self.reads.record(&address)?.and_then(|record| record.parent.clone());
        }
    }

    /// Whether a plaintext gets a fingerprint that no other one has. Otherwise someone who may not
    /// reveal a secret could test guesses: by previews and refused writes, which leave no trace, and
    /// as a guest by writes.
    pub(super) fn is_blind(&self) -> bool {
        self.caller.is_some_and(|caller| {
            let is_guest = caller.user != caller.owner;
            let reveals = || {
                let (sight, scope) = (sight::of(self.reads, caller).ok()?, self.scope().ok()?);
                Some(sight.reveals(&scope))
            };
            let may_reveal = caller.scopes.allows_reveal() && reveals().unwrap_or(false);
            !may_reveal && (self.purpose == Purpose::Show || is_guest)
        })
    }

    /// Whether the caller may use a marker of this scope here; see the table above.
    pub(super) fn admits(
        &self,
        fingerprint: &Fingerprint,
        scope: Option<&SealScope>,
    ) -> Result<bool> {
        let Some(caller) = self.caller else { return Ok(true) };
        let may_bring = match scope {
            Some(scope) if *scope == self.scope()? => true,
            scope => sight::of(self.reads, caller)?.brings_secrets_of(scope),
        };
        Ok(match caller.scopes.allows_read() && may_bring {
            true => true,
            false => (may_bring || scope.is_none()) && self.held.holds(fingerprint),
        })
    }
}

/// The markers of a stored layer. They are looked for at the first question, and once: a layer may
/// hold thousands, and a write as many.
#[derive(Debug, Default)]
pub struct Held<'l> {
    layer: Option<&'l Layer>,
    /// Sorted, each once.
    found: OnceCell<Vec<Fingerprint>>,
}

impl<'l> Held<'l> {
    /// The markers of a layer, if there is one.
    pub fn of(layer: Option<&'l Layer>) -> Held<'l> {
        Held { layer, ..Held::default() }
    }

    /// The layer.
    pub(super) fn layer(&self) -> Option<&'l Layer> {
        self.layer
    }

    /// Whether the layer holds a marker. A text that looks like one is none.
    pub(super) fn holds(&self, fingerprint: &Fingerprint) -> bool {
        let find = || {
            let data = self.layer.and_then(|layer| layer.to_value().ok());
            data.map_or_else(Vec::new, |data| distinct(markers(&data).collect()))
        };
        self.found.get_or_init(find).binary_search(fingerprint).is_ok()
    }
}
