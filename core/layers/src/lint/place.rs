//! Places in a layer. Findings hold the offset of their value, and get a pointer only in the
//! report.

use alloc::string::String;

use crate::{
    layer::{Content, Layer},
    limits, name,
    pointer::Pointer,
};

/// The pointer to the value that starts at an offset of the layer's text (0 is the whole), and
/// whether it is complete. It ends before it is longer than [`limits::POINTER_BYTES`].
pub(super) fn pointer(layer: &Layer, offset: u32) -> (String, bool) {
    let mut pointer = Pointer::root();
    let mut content = Content::Object(layer.root());
    let mut at = 0;
    while at != offset {
        let (Content::Object(id) | Content::Array(id)) = content else {
            return (pointer.into(), false);
        };
        let members = layer.members(layer.container(id));
        let place = members.partition_point(|member| member.span().end <= offset);
        let Some(member) = members.get(place) else { return (pointer.into(), false) };
        match content {
            Content::Array(_) => pointer.push_index(place),
            _ => pointer.push(&name::decode(layer.name(member))),
        }
        if pointer.as_str().len() > limits::POINTER_BYTES {
            pointer.pop();
            return (pointer.into(), false);
        }
        content = member.content();
        at = member.span().start;
    }
    (pointer.into(), true)
}
