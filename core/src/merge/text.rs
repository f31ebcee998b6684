//! The view's text, spliced from the layers' own.

use alloc::vec::Vec;

use super::sink::{Sink, Stack};
use crate::{
    layer::{Container, Layer, Member},
    level::LAYERS,
};

/// Splices the view's canonical text.
pub(crate) struct TextSink<'a> {
    layers: [&'a Layer; LAYERS],
    text: Vec<u8>,
}

impl<'a> TextSink<'a> {
    /// `capacity`: as many bytes as the layers have, which no view exceeds.
    pub(crate) fn new(layers: [&'a Layer; LAYERS], capacity: usize) -> Self {
        TextSink { layers, text: Vec::with_capacity(capacity) }
    }

    pub(crate) fn into_text(self) -> Vec<u8> {
        self.text
    }

    #[inline(always)]
    fn layer(&self, layer: usize) -> &'a Layer {
        self.layers.get(layer).copied().unwrap_or(self.layers[0])
    }

    /// A comma, unless this is the first in its container. Canonical text ends in an opening
    /// bracket only where a container has just begun.
    #[inline(always)]
    fn comma(&mut self) {
        if !matches!(self.text.last(), Some(b'{' | b'[')) {
            self.text.push(b',');
        }
    }
}

impl<'a> Sink<'a> for TextSink<'a> {
    #[inline(always)]
    fn open_object(&mut self) {
        self.text.push(b'{');
    }

    #[inline(always)]
    fn close_object(&mut self) {
        self.text.push(b'}');
    }

    fn open_array(&mut self) {
        self.text.push(b'[');
    }

    fn close_array(&mut self) {
        self.text.push(b']');
    }

    #[inline(always)]
    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        self.comma();
        self.text.extend_from_slice(self.layer(layer).run_text(object, from, to));
    }

    #[inline(always)]
    fn entry(&mut self, layer: usize, member: &'a Member) {
        self.comma();
        self.text.extend_from_slice(self.layer(layer).member_text(member));
    }

    #[inline(always)]
    fn open_member(&mut self, layer: usize, member: &'a Member) {
        self.comma();
        self.text.extend_from_slice(self.layer(layer).name_text(member));
    }

    #[inline(always)]
    fn close_member(&mut self, _: &'a Member) {}

    fn item(&mut self, layer: usize, item: &'a Member) {
        self.comma();
        self.text.extend_from_slice(self.layer(layer).value_text(item));
    }

    fn open_item(&mut self, _: Stack) {
        self.comma();
    }

    fn close_item(&mut self) {}
}
