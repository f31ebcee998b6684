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
//! | any scope, and the stored layer holds it | who may write the context |
//! | the scope of the context, or global | who may read |
//! | another project | who may read that project |
//! | no scope (earlier versions wrote none) | the owner |
//!
//! A marker of another scope, of no scope, or of an older fingerprint key is sealed anew in the scope
//! of the context. So moving a context into another project gives its secrets, and those below it,
//! new markers.

use alloc::{
    format,
    string::{String, ToString},
};

use nacre_layers::{
    address::Address,
    error::{Error, Result},
    id::ContextId,
    layer::Layer,
    level::Level,
    marker::Fingerprint,
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
    pub held: Option<&'t Layer>,
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
        let may_read = caller.scopes.allows_read()
            && match scope {
                Some(scope) if *scope == self.scope()? => true,
                scope => sight::of(self.reads, caller)?.reads_secrets_of(scope),
            };
        Ok(may_read || self.holds(fingerprint))
    }

    /// Whether the stored layer holds a marker.
    pub(super) fn holds(&self, fingerprint: &Fingerprint) -> bool {
        let name = fingerprint.to_string();
        let holds = |layer: &Layer| {
            layer.text().windows(name.len()).any(|window| window == name.as_bytes())
        };
        self.held.is_some_and(holds)
    }
}
