//! Builds the view's text from slices of the layers' texts.

use alloc::vec::Vec;
use core::ops::Range;

use super::sink::{Sink, Stack};
use crate::{
    layer::{Container, Layer, Member},
    level::LAYERS,
};

/// Builds the view's canonical text.
pub(crate) struct TextSink<'a> {
    layers: [&'a Layer; LAYERS],
    text: Vec<u8>,
}

impl<'a> TextSink<'a> {
    /// `capacity` is the total length of the layers, in bytes; no view is longer.
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

    /// Appends a piece of a layer, after a comma unless it is the first in its container: canonical
    /// text ends in an opening bracket only where a container has just started. Most pieces have a
    /// comma before them in their layer too, which is copied with them.
    #[inline(always)]
    fn piece(&mut self, of: &Layer, mut span: Range<u32>) {
        if !matches!(self.text.last(), Some(b'{' | b'[')) {
            let before = span.start.wrapping_sub(1);
            match of.slice(before, span.start) {
                b"," => span.start = before,
                _ => self.text.push(b','),
            }
        }
        self.text.extend_from_slice(of.slice(span.start, span.end));
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
        let of = self.layer(layer);
        self.piece(of, of.run(object, from, to));
    }

    #[inline(always)]
    fn entry(&mut self, layer: usize, member: &'a Member) {
        self.piece(self.layer(layer), member.entry());
    }

    #[inline(always)]
    fn open_member(&mut self, layer: usize, member: &'a Member) {
        self.piece(self.layer(layer), member.opening());
    }

    #[inline(always)]
    fn close_member(&mut self, _: &'a Member) {}

    fn item(&mut self, layer: usize, item: &'a Member) {
        self.piece(self.layer(layer), item.span());
    }

    fn open_item(&mut self, _: Stack) {
        if !matches!(self.text.last(), Some(b'[')) {
            self.text.push(b',');
        }
    }

    fn close_item(&mut self) {}
}
