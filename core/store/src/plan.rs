//! What a decision comes to: writes for one transaction, events for after it, and the reply.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use crate::{
    limits,
    moment::Moment,
    op::Idempotency,
    record::{Audit, Change, Entry, Member, Record, State, Version},
    store::{View, Write},
};
use nacre_layers::{
    address::Address, error::Error, explain::Explanation, id::User, json, patch::JsonPatch,
    value::Value,
};

/// A decided request. **Apply all writes in one synchronous transaction, then publish the events,
/// then answer.**
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Rows to write; empty for a read, and for a write that changes nothing.
    pub writes: Vec<Write>,
    /// For subscribers, once the writes are durable.
    pub events: Vec<Event>,
    /// Replies that answer a repeat: how they look then is decided outside, and the rows
    /// ([`Write::Replay`]) join the writes there.
    pub remember: Vec<Remember>,
    /// For the caller.
    pub reply: Reply,
    /// The store's seq after the writes.
    pub seq: u64,
}

impl Plan {
    /// What a read comes to, and a repeat of a write: nothing to do.
    pub(crate) fn of_read(reply: Reply, seq: u64) -> Plan {
        let (writes, events, remember) = (Vec::new(), Vec::new(), Vec::new());
        Plan { writes, events, remember, reply, seq }
    }

    /// The reply that a key stands for; `None` for a plan that was put together wrong.
    pub fn remembered(&self, remember: &Remember) -> Option<&Reply> {
        match (remember.result, &self.reply) {
            (None, reply) => Some(reply),
            (Some(index), Reply::Batch(replies)) => replies.get(index)?.as_ref().ok(),
            _ => None,
        }
    }
}

/// A reply that a repeated idempotency key gets again.
#[derive(Clone, Debug, PartialEq)]
pub struct Remember {
    /// Who used the key: keys of different users do not meet.
    pub user: User,
    /// The key, and the request it was used for.
    pub idempotency: Idempotency,
    /// From when on the key is free again.
    pub expires: Moment,
    /// Which result of a batch, counted from 0; the whole reply for `None`.
    pub result: Option<usize>,
}

/// One change to one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The context as the change left it.
    pub record: Rc<Record>,
    /// Its state before; `None` for its first version.
    pub before: Option<State>,
    /// What kind of change.
    pub change: Change,
    /// The edit to the stored layer, from the state before or from `{}`; sealed values show as
    /// markers.
    pub patch: JsonPatch,
}

/// What the caller gets. Shells encode it; see `wire`.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A write to one context, or a read of one.
    Context(Box<ContextReply>),
    /// A context is gone; how many were taken, itself included.
    Deleted {
        /// The context, as its last version.
        record: Rc<Record>,
        /// How many contexts the delete took.
        count: usize,
    },
    /// What a restore brought back.
    Restored {
        /// The context it was asked for.
        record: Rc<Record>,
        /// All that came back, upper first.
        all: Vec<Rc<Record>>,
    },
    /// A page of contexts.
    Contexts {
        /// The page.
        items: Vec<ContextReply>,
        /// Where the next page begins.
        next: Option<Address>,
    },
    /// A resolved view, or a part of one.
    View(Box<ViewReply>),
    /// A difference.
    Diff(Vec<DiffLine>),
    /// What a write would change.
    Preview(Preview),
    /// One entry, new.
    Entry(Box<Entry>),
    /// A page of entries.
    Entries {
        /// The page.
        items: Vec<Entry>,
        /// Whether there are older ones.
        more: bool,
    },
    /// A page of history.
    History {
        /// The page.
        items: Vec<HistoryItem>,
        /// Whether there are older ones.
        more: bool,
    },
    /// A batch's replies, in order.
    Batch(Vec<Result<Reply, Error>>),
    /// An import's counts.
    Imported {
        /// Contexts that are new.
        created: usize,
        /// Contexts that were there.
        replaced: usize,
    },
    /// One member.
    Member(Member),
    /// A member is one no more.
    Expelled,
    /// Members.
    Members(Vec<Member>),
    /// A page of the audit trail.
    Audit {
        /// The page.
        items: Vec<Audit>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Versions with their states, for an export.
    Versions {
        /// Newest first.
        items: Vec<(Version, State)>,
        /// Whether there are older ones.
        more: bool,
    },
    /// The answer that the same request got before, encoded.
    Replayed(Vec<u8>),
    /// The reply that the same operation got earlier in the same batch.
    Repeated(Box<Reply>),
}

impl Reply {
    /// Whether this is the reply to an earlier request or operation, given again.
    pub fn is_again(&self) -> bool {
        matches!(self, Reply::Replayed(_) | Reply::Repeated(_))
    }
}

/// One context in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextReply {
    /// The context; for a past state, with that state's version, data, rules and parent.
    pub record: Rc<Record>,
    /// Its data with sealed values opened, where that was asked for and allowed.
    pub revealed: Option<Value>,
    /// Whether this request made it.
    pub created: bool,
    /// Whether to show its data: lists do when asked, results of a batch's writes do not.
    pub data: bool,
}

impl ContextReply {
    /// Bytes of the data that it shows.
    pub(crate) fn bytes(&self) -> usize {
        match &self.revealed {
            Some(revealed) => json::length(revealed),
            None if self.data => self.record.layer.text().len(),
            None => 0,
        }
    }
}

/// A resolved view in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewReply {
    /// Whose view.
    pub address: Address,
    /// The store's state it shows.
    pub seq: u64,
    /// The layers, global first.
    pub chain: Vec<Rc<Record>>,
    /// The view, sealed values as markers: hash and ETag are its.
    pub view: Rc<View>,
    /// The document to show instead of `view`'s: a part of it, or with sealed values opened.
    pub shown: Option<Vec<u8>>,
    /// Origins, where asked for.
    pub explanation: Option<Explanation>,
}

impl ViewReply {
    /// Bytes that it shows. The pointers of origins may be as much longer than views as the one
    /// explanation of a request of its own may, and count for so much less.
    pub(crate) fn bytes(&self) -> usize {
        let origins = self.explanation.iter().flat_map(|explanation| &explanation.origins);
        let pointers: usize = origins.map(|origin| origin.pointer.len()).sum();
        self.shown.as_ref().unwrap_or(&self.view.text).len()
            + pointers / (limits::EXPLANATION_BYTES / limits::ANSWER_BYTES)
    }
}

/// One edit of a view, with the layers responsible.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffLine {
    /// The edit.
    pub operation: nacre_layers::patch::Operation,
    /// Contexts whose change brought it about, with the version that is now seen; empty where a
    /// diff is of one context's own versions.
    pub layers: Vec<(Address, u64)>,
}

/// What a write would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Views that would change.
    pub affected: Vec<Affected>,
    /// How many views below would stay as they are.
    pub unchanged: usize,
    /// Layers below that hide a part of the change: address and the pointer they hold.
    pub overridden_by: Vec<(Address, String)>,
}

/// One view that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Affected {
    /// Whose view.
    pub address: Address,
    /// Pointer, value before, value after; `None` is absent.
    pub changes: Vec<(String, Option<Value>, Option<Value>)>,
}

/// One version in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryItem {
    /// The version; `undo` and `full` are of no use to callers and left out of answers.
    pub version: Version,
    /// What it changed in the data; `None` when the version before is no longer kept.
    pub patch: Option<JsonPatch>,
}
