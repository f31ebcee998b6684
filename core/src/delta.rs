//! The difference that a commit makes to a resolved view.
//!
//! The view's hash says whether there is one, at the cost of what the layers do not share. If there
//! is, only the places that some layer holds differently are resolved, before and after: a change of
//! one value costs what hangs on it, however large the view is.
//!
//! What a commit changed in a layer is worked out once for all views that the layer is part of.

use alloc::{collections::BTreeMap, rc::Rc, string::String, vec::Vec};

use crate::{
    address::Address,
    diff::diff,
    error::Result,
    hash::Hash,
    json,
    layer::{Container, Content, Layer},
    limits,
    name::Name,
    patch::merge_difference,
    pointer::Pointer,
    record::Record,
    resolve::{Link, resolve, view_hash},
    store::links,
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
            Some(places) => (part(&old, &places)?, part(&new, &places)?),
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
        Ok(Some(places).filter(|places| !places.whole))
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

/// Places in a document, as a tree of names.
#[derive(Default)]
struct Places {
    /// All that is here, not only what is named below.
    whole: bool,
    below: BTreeMap<String, Places>,
}

impl Places {
    fn insert(&mut self, path: &Pointer) {
        let mut place = self;
        for name in path.tokens() {
            place = place.below.entry(name.into_owned()).or_default();
        }
        place.whole = true;
    }
}

/// The view of some places alone. What is around them stays as an object with fewer members, so
/// that every rule and every tombstone above them still has its effect.
fn part(chain: &[Link<'_>], places: &Places) -> Result<Vec<u8>> {
    let layers: Vec<Layer> = chain
        .iter()
        .map(|link| {
            let mut text = Vec::new();
            write_part(link.layer, link.layer.container(link.layer.root()), places, &mut text);
            Layer::from_canonical(text)
        })
        .collect::<Result<_>>()?;
    let chain: Vec<Link<'_>> =
        chain.iter().zip(&layers).map(|(link, layer)| Link { layer, rules: link.rules }).collect();
    Ok(resolve(&chain))
}

fn write_part(layer: &Layer, object: &Container, places: &Places, out: &mut Vec<u8>) {
    let found = places
        .below
        .iter()
        .filter_map(|(name, below)| Some((layer.find(object, &Name::encode(name))?, below)));
    let mut found: Vec<_> = found.collect();
    found.sort_unstable_by_key(|(member, _)| member.span().start);
    out.push(b'{');
    for (at, (member, below)) in found.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match member.content() {
            Content::Object(inner) if !below.whole => {
                out.extend_from_slice(layer.name_text(member));
                write_part(layer, layer.container(inner), below, out);
            }
            _ => out.extend_from_slice(layer.member_text(member)),
        }
    }
    out.push(b'}');
}
