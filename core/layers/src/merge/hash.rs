//! Computes the view's hash from the hashes of the layers, without making the view.

use alloc::vec::Vec;

use super::sink::{Sink, Stack};
use crate::{
    hash::{ArrayHasher, Group, Hash, Hashers, ObjectHasher},
    layer::{Container, Content, Layer, Member},
    level::LAYERS,
};

/// Computes the view's hash from the hashes of the layers.
pub(crate) struct HashSink<'a> {
    layers: [&'a Layer; LAYERS],
    hashers: Hashers,
    open: Vec<Open>,
    done: Hash,
}

#[allow(
    clippy::large_enum_variant,
    reason = "at most one for each level of nesting, and nearly all are objects"
)]
enum Open {
    Object(ObjectHasher),
    Array(ArrayHasher),
}

impl<'a> HashSink<'a> {
    pub(crate) fn new(layers: [&'a Layer; LAYERS]) -> Self {
        HashSink { layers, hashers: Hashers::default(), open: Vec::new(), done: Hash::ZERO }
    }

    pub(crate) fn hash(&self) -> Hash {
        self.done
    }

    fn layer(&self, layer: usize) -> &'a Layer {
        self.layers.get(layer).copied().unwrap_or(self.layers[0])
    }
}

/// Adds a member as it stands in its layer.
fn hash_entry(into: &mut ObjectHasher, of: &Layer, member: &Member) {
    into.name(of.name_text(member));
    match member.content() {
        Content::Array(id) | Content::Object(id) => into.container(&of.container(id).hash),
        Content::Null | Content::Scalar => into.scalar(of.value_text(member)),
    }
    into.end_member(member.rank, 0, None);
}

impl<'a> Sink<'a> for HashSink<'a> {
    fn open_object(&mut self) {
        let hasher = self.hashers.object();
        self.open.push(Open::Object(hasher));
    }

    fn close_object(&mut self) {
        if let Some(Open::Object(hasher)) = self.open.pop() {
            self.done = hasher.finish(&mut self.hashers);
        }
    }

    fn open_array(&mut self) {
        let hasher = self.hashers.array();
        self.open.push(Open::Array(hasher));
    }

    fn close_array(&mut self) {
        if let Some(Open::Array(hasher)) = self.open.pop() {
            self.done = hasher.finish(&mut self.hashers);
        }
    }

    /// A whole group of the layer's hash tree replaces its members wherever a group of the view's
    /// tree starts at the same place.
    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        let of = self.layer(layer);
        let members = of.members(object);
        let Some(Open::Object(hasher)) = self.open.last_mut() else { return };
        let mut groups = of.groups(object);
        let mut at = from;
        while at < to {
            if hasher.is_between() {
                let passed = groups.partition_point(|group| (group.from as usize) < at);
                groups = groups.get(passed..).unwrap_or(&[]);
                // Of the groups that start here, the highest one that ends in the run and fits the
                // open groups.
                let mut found: Option<&Group> = None;
                for group in groups {
                    if group.from as usize != at
                        || group.to as usize > to
                        || !(group.level == 0 || hasher.is_between_at(group.level))
                    {
                        break;
                    }
                    found = Some(group);
                }
                if let Some(group) = found
                    && let Some(last) = members.get((group.to as usize).wrapping_sub(1))
                {
                    hasher.group(group.level, group.hash, last.rank);
                    at = group.to as usize;
                    continue;
                }
            }
            let Some(member) = members.get(at) else { return };
            hash_entry(hasher, of, member);
            at += 1;
        }
    }

    fn entry(&mut self, layer: usize, member: &'a Member) {
        let of = self.layer(layer);
        if let Some(Open::Object(hasher)) = self.open.last_mut() {
            hash_entry(hasher, of, member);
        }
    }

    fn open_member(&mut self, layer: usize, member: &'a Member) {
        let of = self.layer(layer);
        if let Some(Open::Object(hasher)) = self.open.last_mut() {
            hasher.name(of.name_text(member));
        }
    }

    fn close_member(&mut self, member: &'a Member) {
        let done = self.done;
        if let Some(Open::Object(hasher)) = self.open.last_mut() {
            hasher.container(&done);
            hasher.end_member(member.rank, 0, None);
        }
    }

    fn item(&mut self, layer: usize, item: &'a Member) {
        let of = self.layer(layer);
        if let Some(Open::Array(hasher)) = self.open.last_mut() {
            match item.content() {
                Content::Array(id) | Content::Object(id) => {
                    hasher.container(&of.container(id).hash);
                }
                Content::Null | Content::Scalar => hasher.scalar(of.value_text(item)),
            }
            hasher.end_item();
        }
    }

    fn open_item(&mut self, _: Stack) {}

    fn close_item(&mut self) {
        let done = self.done;
        if let Some(Open::Array(hasher)) = self.open.last_mut() {
            hasher.container(&done);
            hasher.end_item();
        }
    }
}
