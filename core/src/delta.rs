//! The difference that a commit makes to a resolved view.
//!
//! The view's hash says whether there is one, at the cost of what the layers do not share. If there
//! is, only the top-level members that some layer holds differently are resolved, before and after:
//! a change of one value costs what hangs on its member, however large the view is.

use alloc::{borrow::Cow, collections::BTreeSet, rc::Rc, string::String, vec::Vec};

use crate::{
    diff::diff,
    error::Result,
    hash::Hash,
    json,
    layer::Layer,
    limits,
    name::Name,
    patch::merge_difference,
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

/// The difference between the views of two chains, global first; `None` when there is none.
///
/// # Errors
/// None for layers made by [`Layer`]'s constructors.
pub fn delta(before: &[Rc<Record>], after: &[Rc<Record>]) -> Result<Option<Delta>> {
    let (old, new) = (links(before), links(after));
    let hash = view_hash(&new);
    if view_hash(&old) == hash {
        return Ok(None);
    }
    let names = names_that_differ(before, after)?;
    let (old, new) = match &names {
        Some(names) => (part(&old, names)?, part(&new, names)?),
        None => (resolve(&old), resolve(&new)),
    };
    let patch = merge_difference(&read(&old)?, &read(&new)?);
    Ok(Some(Delta { hash, patch }))
}

fn read(view: &[u8]) -> Result<Value> {
    json::read(view, limits::DEPTH)
}

/// The top-level members that some layer of the chain holds otherwise than before; `None` when all
/// may differ: other layers, other rules.
fn names_that_differ(
    before: &[Rc<Record>],
    after: &[Rc<Record>],
) -> Result<Option<BTreeSet<String>>> {
    let mut names = BTreeSet::new();
    if before.len() != after.len() {
        return Ok(None);
    }
    for (old, new) in before.iter().zip(after) {
        if old.address != new.address || old.rules != new.rules {
            return Ok(None);
        }
        if Rc::ptr_eq(old, new) {
            continue;
        }
        for operation in diff(&old.layer, &new.layer)?.operations {
            match operation.path().tokens().next().map(Cow::into_owned) {
                Some(name) => names.insert(name),
                None => return Ok(None),
            };
        }
    }
    Ok(Some(names))
}

/// The view of some top-level members alone.
fn part(chain: &[Link<'_>], names: &BTreeSet<String>) -> Result<Vec<u8>> {
    let names: Vec<Name> = names.iter().map(|name| Name::encode(name)).collect();
    let layers: Vec<Layer> =
        chain.iter().map(|link| members(link.layer, &names)).collect::<Result<_>>()?;
    let chain: Vec<Link<'_>> =
        chain.iter().zip(&layers).map(|(link, layer)| Link { layer, rules: link.rules }).collect();
    Ok(resolve(&chain))
}

/// A layer of some of a layer's members.
fn members(layer: &Layer, names: &[Name]) -> Result<Layer> {
    let root = layer.container(layer.root());
    let mut found: Vec<_> = names.iter().filter_map(|name| layer.find(root, name)).collect();
    found.sort_unstable_by_key(|member| member.span().start);
    let mut text = Vec::from(*b"{");
    for (place, member) in found.into_iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        text.extend_from_slice(layer.member_text(member));
    }
    text.push(b'}');
    Layer::from_canonical(text)
}
