//! What of a layer fits its room: the short members first, then parts of the long ones.

use alloc::{string::String, vec, vec::Vec};

use nacre_layers::{
    contribution::{Contribution, Said, What},
    pointer::Pointer,
};

use crate::{
    form::{Form, bytes},
    left_out::{Group, Member},
    tokens::Counter,
};

/// Chooses what fits.
pub(crate) struct Fit<'p, 'a> {
    pub(crate) form: &'p dyn Form,
    pub(crate) counter: Counter,
    /// The number of the layer.
    pub(crate) layer: usize,
    /// What did not fit.
    pub(crate) left: Vec<Group<'a>>,
}

impl<'a> Fit<'_, 'a> {
    /// The text of the members that fit, in their order. Their tokens are taken from `room`.
    pub(crate) fn members(
        &mut self,
        members: Vec<Said<'a>>,
        at: &mut Pointer,
        depth: usize,
        room: &mut usize,
    ) -> String {
        let whole = self.whole(&members, depth, room);
        let mut text = String::new();
        let mut left = Vec::new();
        let place = self.left.len();
        for (said, whole) in members.into_iter().zip(whole) {
            match whole {
                Some(whole) => text.push_str(&whole),
                None => match self.part(said, at, depth, room) {
                    Ok(part) => text.push_str(&part),
                    Err(member) => left.push(member),
                },
            }
        }
        if !left.is_empty() {
            let group = Group { layer: self.layer, at: at.clone(), members: left };
            self.left.insert(place, group);
        }
        text
    }

    /// The texts of those that fit whole. As many as possible do, so the shortest are tried first.
    fn whole(&self, members: &[Said<'a>], depth: usize, room: &mut usize) -> Vec<Option<String>> {
        let mut texts = vec![None; members.len()];
        let mut order: Vec<(usize, &Said<'a>, &mut Option<String>)> =
            members.iter().zip(&mut texts).map(|(said, text)| (bytes(said), said, text)).collect();
        order.sort_by_key(|(bytes, ..)| *bytes);
        for (bytes, said, text) in order {
            if self.counter.least(bytes) > *room {
                break;
            }
            let whole = self.form.member(said, depth);
            let Some(rest) = room.checked_sub(self.counter.count(&whole)) else { break };
            *room = rest;
            *text = Some(whole);
        }
        texts
    }

    /// The text of a part of an object, or what is left out if nothing of it fits.
    fn part(
        &mut self,
        said: Said<'a>,
        at: &mut Pointer,
        depth: usize,
        room: &mut usize,
    ) -> Result<String, Member<'a>> {
        let bytes = bytes(&said);
        let Said { name, what } = said;
        let (stored, replaces, members) = match what {
            What::Value(stored) => (Some(stored), false, stored.members()),
            What::Instead(stored) => (Some(stored), true, stored.members()),
            What::Object(Contribution { replaces, members }) => (None, replaces, Some(members)),
            What::List(_) | What::Nothing => (None, false, None),
        };
        let open = self.form.open_object(&name, depth, replaces);
        let close = self.form.close_object();
        let frame = self.counter.count(&open) + self.counter.count(close);
        let inner = members.zip(room.checked_sub(frame)).and_then(|(members, mut rest)| {
            let before = self.left.len();
            at.push(&name);
            let inner = self.members(members, at, depth + 1, &mut rest);
            at.pop();
            if inner.is_empty() {
                self.left.truncate(before);
                return None;
            }
            *room = rest;
            Some(inner)
        });
        let Some(inner) = inner else { return Err(Member { name, bytes, stored }) };
        let mut text = open;
        text.push_str(&inner);
        self.form.close(&mut text, close);
        Ok(text)
    }
}
