//! Views of some places only, so that comparing two views costs only what changed.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use crate::{
    error::Result,
    layer::{Container, Content, Layer},
    name::Name,
    pointer::Pointer,
    resolve::{self, Link, resolve},
};

/// Places in a document, as a tree of names.
#[derive(Debug, Default)]
pub struct Places {
    /// Everything below this place, not only the named children.
    whole: bool,
    below: BTreeMap<String, Places>,
}

impl Places {
    /// Whether the whole document is one of the places.
    pub fn is_everything(&self) -> bool {
        self.whole
    }

    /// Adds the place that a pointer names, with everything below.
    pub fn insert(&mut self, path: &Pointer) {
        let mut place = self;
        for name in path.tokens() {
            place = place.below.entry(name.into_owned()).or_default();
        }
        place.whole = true;
    }
}

/// The view of some places only, as canonical text. The objects around them stay, with fewer
/// members, so that rules and tombstones above still apply.
///
/// # Errors
/// None for layers from [`Layer`]'s constructors.
pub fn resolve_part(chain: &[Link<'_>], places: &Places) -> Result<Vec<u8>> {
    let layers: Vec<Layer> = chain
        .iter()
        .map(|link| {
            let mut text = Vec::new();
            write_part(link.layer, link.layer.container(link.layer.root()), places, &mut text);
            Layer::from_canonical(text)
        })
        .collect::<Result<_>>()?;
    let links = chain.iter().zip(&layers).map(|(link, layer)| Link { layer, rules: link.rules });
    Ok(resolve(&resolve::collect(links)))
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
