//! What a pack leaves out.

use alloc::{string::String, vec::Vec};

use nacre_layers::{
    contribution::{Contribution, Said, Stored, What},
    pointer::Pointer,
};
use nacre_store::record::EntryKind;

use crate::form::bytes;

/// Of so many members of one object, each is listed by itself.
const ALONE: usize = 4;

/// Members of one object of one layer that did not fit.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The number of the layer.
    pub(crate) layer: usize,
    /// Where the object is.
    pub(crate) at: Pointer,
    /// Its members.
    pub(crate) members: Vec<Member<'a>>,
}

/// A member that did not fit.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    pub(crate) name: String,
    /// About how long it is.
    pub(crate) bytes: usize,
    /// Its value, if it is the layer's alone.
    pub(crate) stored: Option<Stored<'a>>,
}

impl<'a> Member<'a> {
    pub(crate) fn of(said: Said<'a>) -> Member<'a> {
        let bytes = bytes(&said);
        let stored = match said.what {
            What::Value(stored) | What::Instead(stored) => Some(stored),
            What::List(_) | What::Object(_) | What::Nothing => None,
        };
        Member { name: said.name, bytes, stored }
    }
}

/// One place in the list.
#[derive(Debug)]
pub(crate) enum LeftOut<'p> {
    /// A value.
    Value {
        /// Where it is.
        pointer: Pointer,
        /// About how long it is.
        bytes: usize,
    },
    /// Many members of one object.
    Members {
        /// Where the object is.
        at: &'p Pointer,
        /// How many.
        count: usize,
        /// About how long they are together.
        bytes: usize,
    },
    /// Older insights or progress notes.
    Entries {
        /// Their kind.
        kind: EntryKind,
    },
}

impl<'a> Group<'a> {
    /// All that a layer says.
    pub(crate) fn of_layer(layer: usize, said: Contribution<'a>) -> Group<'a> {
        let members = said.members.into_iter().map(Member::of).collect();
        Group { layer, at: Pointer::root(), members }
    }

    /// The places of the list.
    pub(crate) fn places(&self) -> Vec<LeftOut<'_>> {
        if self.members.len() > ALONE {
            let bytes = self.members.iter().map(|member| member.bytes).sum();
            return Vec::from([LeftOut::Members {
                at: &self.at,
                count: self.members.len(),
                bytes,
            }]);
        }
        let place = |member: &Member<'_>| LeftOut::Value {
            pointer: self.at.child(&member.name),
            bytes: member.bytes,
        };
        self.members.iter().map(place).collect()
    }
}

impl LeftOut<'_> {
    /// How many places it stands for.
    pub(crate) fn count(&self) -> usize {
        match self {
            LeftOut::Members { count, .. } => *count,
            LeftOut::Value { .. } | LeftOut::Entries { .. } => 1,
        }
    }
}

/// About how many tokens a text of JSON has, for a reader who decides whether to fetch it.
pub(crate) fn about(bytes: usize) -> usize {
    bytes.div_ceil(3)
}
