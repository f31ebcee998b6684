//! Writes that expect a version: whether it is the current one, and where they conflict if not.

use alloc::{format, rc::Rc, vec::Vec};

use super::{draft::Draft, read::seen};
use crate::{
    entropy::Entropy,
    history::chain,
    limits,
    op::Expect,
    record::{Record, State},
    seal::{Held, Purpose, Target},
};
use nacre_layers::{
    error::{Code, Conflict, Error, Result},
    id::ContextId,
    json,
    layer::Layer,
    pointer::Pointer,
    rules::Rules,
    three_way::three_way,
    value::Value,
};

/// What a conflict takes in an answer beside its pointer and values, in bytes of JSON.
const CONFLICT: usize = 48;

/// What a write makes of a state.
#[derive(Default)]
pub(super) struct Wanted<'w> {
    /// The data; `None` where the context goes.
    pub(super) data: Option<Value>,
    /// The merge rules, if the write sets any.
    pub(super) rules: Option<&'w Rules>,
    /// The parent, if the write sets one.
    pub(super) parent: Option<&'w ContextId>,
}

impl Wanted<'_> {
    /// A write of data alone.
    pub(super) fn data(data: Value) -> Wanted<'static> {
        Wanted { data: Some(data), ..Wanted::default() }
    }

    /// What is set on both sides beside the data, and differently.
    fn meets_beside(&self, base: &State, live: &Record) -> Option<&'static str> {
        if self.rules.is_some_and(|rules| {
            base.rules != live.rules && *rules != *live.rules && *rules != *base.rules
        }) {
            return Some("merge rules");
        }
        let is_moved = base.parent != live.parent;
        let moves = self.parent.filter(|parent| {
            live.parent.as_ref() != Some(parent) && base.parent.as_ref() != Some(parent)
        });
        (is_moved && moves.is_some()).then_some("parent")
    }
}

/// One way to refuse a write: the expected version (`None` for no context), the context as it is,
/// and what the write makes of a state.
pub(super) type Refuse = for<'w> fn(
    &Draft<'_, '_>,
    Option<u64>,
    &Record,
    &dyn Fn(&State) -> Result<Wanted<'w>>,
) -> Error;

/// The refusal of a write that expects another version, without a search for its conflicts.
pub(super) fn stale(existing: &Record) -> Error {
    Error::new(Code::VersionConflict, "the context has another version than the write expects")
        .current_version(existing.version)
}

const EXISTS: &str = "a context with this id already exists";

impl Draft<'_, '_> {
    /// Refuses a write that expects another version than the current one. `existing` is the context,
    /// live or deleted; `wanted` says what the write makes of a state.
    pub(super) fn expect<'w>(
        &self,
        expect: Expect,
        existing: Option<&Rc<Record>>,
        wanted: &dyn Fn(&State) -> Result<Wanted<'w>>,
    ) -> Result<()> {
        match (expect, existing.filter(|existing| existing.is_live())) {
            (Expect::Anything, _) | (Expect::Absent | Expect::NoneMatch, None) => Ok(()),
            (Expect::Present, Some(_)) => Ok(()),
            (Expect::Version(version), Some(live)) if version == live.version => Ok(()),
            (Expect::Absent, Some(live)) => {
                Err(Error::new(Code::AlreadyExists, EXISTS).current_version(live.version))
            }
            (Expect::NoneMatch, Some(live)) => {
                Err((self.asker.host.refuse)(self, None, live, wanted))
            }
            (Expect::Present, None) => Err(Error::new(
                Code::VersionConflict,
                "the write expects the context to exist; it does not",
            )),
            (Expect::Version(version), None) => Err(match existing {
                Some(deleted) => (self.asker.host.refuse)(self, Some(version), deleted, wanted),
                None => Error::new(
                    Code::VersionConflict,
                    format!("expected version {version}; the context does not exist"),
                ),
            }),
            (Expect::Version(version), Some(live)) => {
                Err((self.asker.host.refuse)(self, Some(version), live, wanted))
            }
        }
    }

    /// Refuses a write that expects no context (`None`) or another version, and says where it and
    /// the current version conflict.
    pub(super) fn refuse_with_conflicts<'w>(
        &self,
        version: Option<u64>,
        existing: &Record,
        wanted: &dyn Fn(&State) -> Result<Wanted<'w>>,
    ) -> Error {
        if !self.asker.caller.scopes.allows_read() {
            // Conflicts show stored values.
            return stale(existing);
        }
        let Some(version) = version else {
            let nothing = State { layer: Rc::new(Layer::empty()), ..State::of(existing) };
            let met = self.meet(Some(&nothing), existing, wanted);
            let error = Error::new(Code::VersionConflict, EXISTS);
            return self.shown(error.current_version(existing.version), met.ok());
        };
        let current = existing.version;
        // Conflicts are a help, not a duty: a history that cannot be read hides none of the refusal.
        let base = seen(&self.store, self.asker.sight, existing, version).ok();
        let met = self.meet(base.as_ref(), existing, wanted);
        let settle = format!("decide what holds, then retry on version {current}");
        let missing = if version > current { "does not exist" } else { "is no longer kept" };
        let advice = match (&met, &base) {
            _ if !existing.is_live() => {
                "The context is deleted: restore it or create it anew".into()
            }
            (Ok(_), None) => format!(
                "Version {version} {missing}; `conflicts` lists where your write and version \
                 {current} differ"
            ),
            (Err(_), None) => {
                format!("Version {version} {missing}: read version {current} and change that")
            }
            (Err(error), _) => {
                format!("Your write does not fit version {version}: {}", error.detail())
            }
            (Ok(Met { conflicts, .. }), _) if !conflicts.is_empty() => {
                format!("`conflicts` lists what both sides changed: {settle}")
            }
            (Ok(Met { beside: Some(beside), .. }), _) => {
                format!("Both sides changed the {beside}: {settle}")
            }
            _ => format!(
                "The changes do not conflict: a retry on version {current} would go through, with \
                 your change made to its data"
            ),
        };
        let detail = format!("expected version {version}; current is {current}. {advice}");
        let mut error = Error::new(Code::VersionConflict, detail);
        if existing.is_live() {
            error = error.current_version(current);
        }
        self.shown(error, met.ok())
    }

    /// Compares a write with what has become of its base; without a base, with what there is.
    fn meet<'w>(
        &self,
        base: Option<&State>,
        existing: &Record,
        wanted: &dyn Fn(&State) -> Result<Wanted<'w>>,
    ) -> Result<Met> {
        let mut wanted = match base {
            Some(base) => wanted(base)?,
            None => wanted(&State::of(existing))?,
        };
        let beside = base.and_then(|base| wanted.meets_beside(base, existing));
        let yours = match wanted.data.take() {
            Some(data) => Some(Layer::from_value(&self.as_sealed(data, existing)?)?),
            None => None,
        };
        let current = existing.is_live().then_some(&*existing.layer);
        let base = base.map(|base| &*base.layer);
        let pointers = match (current, &yours) {
            (Some(current), Some(yours)) => {
                let chain = chain(&self.store, &existing.address)?;
                let rules: Vec<&Rules> = chain.iter().map(|record| &*record.rules).collect();
                three_way(base, current, yours, &rules).conflicts
            }
            (Some(current), None) if base == Some(current) => Vec::new(),
            // One side takes the context away, the other changed it.
            _ => Vec::from([Pointer::root()]),
        };
        let at = |pointer: Pointer| {
            let value = |side: Option<&Layer>| match side {
                Some(side) => side.value_at(&pointer),
                None => Ok(None),
            };
            let (base, current, yours) = (value(base)?, value(current)?, value(yours.as_ref())?);
            Ok(Conflict { base, current, yours, pointer: pointer.into() })
        };
        let conflicts = pointers.into_iter().map(at).collect::<Result<_>>()?;
        Ok(Met { conflicts, beside })
    }

    /// The error with as many of its conflicts as the answer may show; `None` where they cannot be
    /// told.
    fn shown(&self, error: Error, met: Option<Met>) -> Error {
        let Some(Met { mut conflicts, .. }) = met else { return error };
        let (all, mut left, mut bare) = (conflicts.len(), self.conflict_bytes, 0);
        conflicts.retain_mut(|conflict| {
            if length(conflict) > left {
                (conflict.base, conflict.current, conflict.yours) = (None, None, None);
                bare += 1;
            }
            let fits = length(conflict) <= left;
            left -= if fits { length(conflict) } else { 0 };
            fits
        });
        if bare == 0 {
            return error.conflicts(conflicts);
        }
        let shown = conflicts.len();
        let error = error.limit(limits::CONFLICT_BYTES as u64).reworded(|detail| {
            format!(
                "{detail}. The conflicts of one answer may take {} bytes: {shown} of {all} are \
                 listed, {} of them without their values",
                limits::CONFLICT_BYTES,
                bare - (all - shown),
            )
        });
        // An empty list would say that there are none.
        if conflicts.is_empty() { error } else { error.conflicts(conflicts) }
    }

    /// A document as it would be stored, for an answer: no error shows a secret. What is sealed here
    /// is dropped, so it needs no randomness.
    fn as_sealed(&self, mut data: Value, existing: &Record) -> Result<Value> {
        let keys = self.setting.keys.ok_or_else(super::no_keys)?;
        let target = Target {
            reads: &self.store,
            caller: Some(self.asker.caller),
            address: &existing.address,
            parent: existing.parent.as_ref(),
            held: &Held::of(Some(&existing.layer)),
            purpose: Purpose::Show,
        };
        let mut entropy = Entropy::from_seed([0; 32]);
        keys.seal_fields(&mut data, self.setting.rules(), &target, &mut entropy)?;
        Ok(data)
    }
}

/// What a write meets.
struct Met {
    conflicts: Vec<Conflict>,
    /// What else than data both sides changed.
    beside: Option<&'static str>,
}

/// What the conflicts of an error take in an answer, in bytes of JSON.
pub(super) fn shown_bytes(error: &Error) -> usize {
    error.conflict_list().unwrap_or_default().iter().map(length).sum()
}

/// What a conflict takes in an answer, in bytes of JSON.
fn length(conflict: &Conflict) -> usize {
    let Conflict { pointer, base, current, yours } = conflict;
    let values = [base, current, yours].into_iter().flatten().map(json::length).sum::<usize>();
    CONFLICT + json::length(&Value::from(pointer.as_str())) + values
}
