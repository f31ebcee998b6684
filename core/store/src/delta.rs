//! The difference that a commit makes to a resolved view.
//!
//! The view's hash says whether there is a difference, at the cost of the parts that layers do not
//! share. If there is one, only the places that differ in some layer are resolved, before and
//! after. So a change of one value is cheap, however large the view is.
//!
//! The changes of a layer are computed once for all views that contain it.

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

/// The difference of a view to its previous state.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// The content hash of the view now.
    pub hash: Hash,
    /// The merge patch (RFC 7396) that turns the previous view into the current one.
    pub patch: Value,
}

/// Differences of views within one store.
#[derive(Debug, Default)]
pub struct Deltas {
    /// The paths at which a context differs between two commits.
    changes: Vec<(Address, [u64; 2], Rc<[Pointer]>)>,
}

impl Deltas {
    /// The difference between the views of two chains, global first; `None` if they are equal.
    ///
    /// # Errors
    /// None for layers from the constructors of `Layer`.
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

    /// The places where some layer of the chain differs; `None` if they may be anywhere, because
    /// the layers or rules of the chain differ.
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
