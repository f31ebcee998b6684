//! The difference that a commit makes to a resolved view.
//!
//! The view's hash says whether there is one, at the cost of what the layers do not share. If there
//! is, only the places that some layer holds differently are resolved, before and after: a change of
//! one value costs what hangs on it, however large the view is.
//!
//! What a commit changed in a layer is worked out once for all views that the layer is part of.

use alloc::{rc::Rc, vec::Vec};

use crate::{limits, record::Record, store::links};
use nacre_layers::{
    address::Address,
    diff::diff,
    error::Result,
    hash::Hash,
    json,
    part::{Places, resolve_part},
    patch::merge_difference,
    pointer::Pointer,
    resolve::{resolve, view_hash},
    value::Value,
};

/// How a view differs from what it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// The content hash of the view now.
    pub hash: Hash,
    /// The merge patch (RFC 7396) that makes the view of what it was.
    pub patch: Value,
}

/// Differences of views within one store.
#[derive(Debug, Default)]
pub struct Deltas {
    /// Paths at which a context differs between what two commits left.
    changes: Vec<(Address, [u64; 2], Rc<[Pointer]>)>,
}

impl Deltas {
    /// The difference between the views of two chains, global first; `None` when there is none.
    ///
    /// # Errors
    /// None for layers made by [`Layer`]'s constructors.
    pub fn between(
        &mut self,
        before: &[Rc<Record>],
        after: &[Rc<Record>],
    ) -> Result<Option<Delta>> {
        let (old, new) = (links(before), links(after));
        let hash = view_hash(&new);
        if view_hash(&old) == hash {
            return Ok(None);
        }
        let (old, new) = match self.places_that_differ(before, after)? {
            Some(places) => (resolve_part(&old, &places)?, resolve_part(&new, &places)?),
            None => (resolve(&old), resolve(&new)),
        };
        let patch = merge_difference(&read(&old)?, &read(&new)?);
        Ok(Some(Delta { hash, patch }))
    }

    /// Where some layer of the chain holds something else than before; `None` when that may be
    /// anywhere: other layers, other rules.
    fn places_that_differ(
        &mut self,
        before: &[Rc<Record>],
        after: &[Rc<Record>],
    ) -> Result<Option<Places>> {
        let mut places = Places::default();
        if before.len() != after.len() {
            return Ok(None);
        }
        for (old, new) in before.iter().zip(after) {
            if old.address != new.address || old.rules != new.rules {
                return Ok(None);
            }
            if !Rc::ptr_eq(old, new) {
                self.changes(old, new)?.iter().for_each(|path| places.insert(path));
            }
        }
        Ok(Some(places).filter(|places| !places.is_everything()))
    }

    fn changes(&mut self, old: &Record, new: &Record) -> Result<Rc<[Pointer]>> {
        let seqs = [old.seq, new.seq];
        let known = self.changes.iter().find(|(of, at, _)| *at == seqs && *of == new.address);
        if let Some((.., paths)) = known {
            return Ok(paths.clone());
        }
        let patch = diff(&old.layer, &new.layer)?;
        let paths: Rc<[Pointer]> =
            patch.operations.iter().map(|operation| operation.path().clone()).collect();
        self.changes.push((new.address.clone(), seqs, paths.clone()));
        Ok(paths)
    }
}

fn read(view: &[u8]) -> Result<Value> {
    json::read(view, limits::DEPTH)
}
