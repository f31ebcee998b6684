//! The result of a decision: writes for one transaction, events to publish after it, and the reply.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::ops::Deref;

use crate::{
    limits,
    moment::Moment,
    op::Idempotency,
    promotion::Promotion,
    record::{Audit, Change, Deed, Entry, EntryId, Heading, Member, Record, State, Version},
    revocation::Revocation,
    store::{View, Write},
    template::Template,
};
use nacre_layers::{
    address::Address, error::Error, explain::Explanation, id::User, json, layer::Layer,
    patch::JsonPatch, value::Value,
};

/// A decided request. **Apply all writes in one synchronous transaction, then publish the events,
/// then answer.**
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The rows to write. Empty for a read, and for a write that changes nothing.
    pub writes: Vec<Write>,
    /// The events for subscribers. Publish them only after the writes are durable.
    pub events: Vec<Event>,
    /// The replies to remember for repeated keys. `nacre-wire` encodes them, and adds their rows
    /// ([`Write::Replay`]) to the writes.
    pub remember: Vec<Remember>,
    /// The reply to the caller.
    pub reply: Reply,
    /// The store's `seq` after the writes.
    pub seq: u64,
}

impl Plan {
    /// The plan of a read, or of a repeated write: nothing to write.
    pub(crate) fn of_read(reply: Reply, seq: u64) -> Plan {
        let (writes, events, remember) = (Vec::new(), Vec::new(), Vec::new());
        Plan { writes, events, remember, reply, seq }
    }

    /// Gives `encode` the reply to store for a remembered key, with [`Reply::Unread`] in place of
    /// what a batch only read; `None` if the plan is not consistent.
    pub fn remembered<T>(
        &mut self,
        remember: &Remember,
        encode: impl FnOnce(&Reply) -> T,
    ) -> Option<T> {
        if let Some(index) = remember.result {
            let Reply::Batch(replies) = &self.reply else { return None };
            return replies.get(index)?.as_ref().ok().map(encode);
        }
        // What was read may be large, so it is set aside and not copied.
        let mut reads = Vec::new();
        if let Reply::Batch(replies) = &mut self.reply {
            for index in &remember.reads {
                let place = replies.get_mut(*index)?;
                reads.push((*index, core::mem::replace(place, Ok(Reply::Unread))));
            }
        }
        let encoded = encode(&self.reply);
        if let Reply::Batch(replies) = &mut self.reply {
            for (index, read) in reads {
                *replies.get_mut(index)? = read;
            }
        }
        Some(encoded)
    }
}

/// A reply to remember for its idempotency key.
#[derive(Clone, Debug, PartialEq)]
pub struct Remember {
    /// The user who used the key. Equal keys of different users are independent.
    pub user: User,
    /// The key, and the request that used it.
    pub idempotency: Idempotency,
    /// The time when the key expires.
    pub expires: Moment,
    /// The index of the result in a batch, from 0; `None` is the whole reply.
    pub result: Option<usize>,
    /// The indexes of the results that a batch only read.
    pub reads: Vec<usize>,
}

/// Something that a commit did, for its followers.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A context has changed.
    Change(Rc<Changed>),
    /// An insight or a progress note was added.
    Entry(Rc<Entry>),
}

impl Event {
    /// The context that it is about.
    pub fn address(&self) -> &Address {
        match self {
            Event::Change(changed) => &changed.context.address,
            Event::Entry(entry) => &entry.address,
        }
    }
}

/// One change of one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The context after the change.
    pub context: Rc<Heading>,
    /// The state before the change, without its data; `None` for the first version.
    pub before: Option<State>,
    /// The kind of change.
    pub change: Change,
    /// The patch from the state before, or from `{}`, to the stored layer. Sealed values appear as
    /// markers.
    pub patch: JsonPatch,
}

/// The reply to the caller. Shells encode it; see `wire`.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A write to one context, or a read of one.
    Context(Box<ContextReply>),
    /// A context was deleted.
    Deleted {
        /// The context at its last version.
        record: Rc<Record>,
        /// The number of deleted contexts, including this one.
        count: usize,
    },
    /// Contexts were restored.
    Restored {
        /// The requested context.
        record: Rc<Record>,
        /// All restored contexts, upper levels first.
        all: Vec<Rc<Record>>,
        /// What may surprise about it.
        warnings: Vec<Warning>,
    },
    /// A page of contexts.
    Contexts {
        /// The items of the page.
        items: Vec<ContextReply>,
        /// The start of the next page; `None` on the last page.
        next: Option<Address>,
    },
    /// A resolved view, or a part of it.
    View(Box<ViewReply>),
    /// The difference between two states.
    Diff(Vec<DiffLine>),
    /// The result of a preview.
    Preview(Preview),
    /// A new entry.
    Entry(Box<Entry>),
    /// A page of entries.
    Entries {
        /// The items of the page.
        items: Vec<Entry>,
        /// The start of the next page; `None` on the last page.
        next: Option<EntryId>,
        /// The sealed texts that the items show.
        revealed: Vec<Deed>,
    },
    /// A page of history.
    History {
        /// The items of the page.
        items: Vec<HistoryItem>,
        /// The version before which the next page starts; `None` on the last page.
        next: Option<u64>,
    },
    /// The results of a batch, in order.
    Batch(Vec<Result<Reply, Error>>),
    /// The counts of an import.
    Imported {
        /// The number of new contexts.
        created: usize,
        /// The number of replaced contexts.
        replaced: usize,
        /// What may surprise about it, at most 100.
        warnings: Vec<Warning>,
    },
    /// One member.
    Member(Member),
    /// A membership has ended.
    Expelled,
    /// The members of shared projects.
    Members(Vec<Member>),
    /// One revocation.
    Revocation(Revocation),
    /// A revocation has ended.
    Unrevoked,
    /// All revocations.
    Revocations(Vec<Revocation>),
    /// All templates.
    Templates(Vec<Template>),
    /// One template.
    Template(Box<TemplateReply>),
    /// Something has ended.
    Ended,
    /// One promotion, after a decision about it.
    Promotion(Box<PromotionReply>),
    /// A page of promotions.
    Promotions {
        /// The items of the page.
        items: Vec<PromotionReply>,
        /// The start of the next page; `None` on the last page.
        next: Option<EntryId>,
    },
    /// A page of the audit trail.
    Audit {
        /// The items of the page.
        items: Vec<Audit>,
        /// Whether there are older items.
        more: bool,
    },
    /// Versions with their states, for an export.
    Versions {
        /// The versions, newest first.
        items: Vec<(Version, State)>,
        /// Whether there are older items.
        more: bool,
        /// The sealed values that the states show.
        revealed: Vec<Deed>,
    },
    /// The answer to an earlier request with the same idempotency key.
    Replayed(Replayed),
    /// What a batch read, in an answer that is stored: a repeat reads it again.
    Unread,
    /// As the result of the same operation earlier in the batch, whose index this is.
    Repeated(usize),
}

/// The answer to an earlier request, for a repeat of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The encoded answer. A batch is stored without what it read.
    pub answer: Vec<u8>,
    /// What the operations of a batch read now, with their indexes.
    pub reads: Vec<(usize, Result<Reply, Error>)>,
    /// Whether to show the data of a context. A caller who may only write is not told it.
    pub data: bool,
}

impl Reply {
    /// Whether this repeats the reply to an earlier request or operation.
    pub fn is_again(&self) -> bool {
        matches!(self, Reply::Replayed(_) | Reply::Repeated(_))
    }

    /// Whether it shows sealed values.
    pub fn reveals(&self) -> bool {
        match self {
            Reply::Context(context) => context.revealed.is_some(),
            Reply::Contexts { items, .. } => items.iter().any(|item| item.revealed.is_some()),
            Reply::View(view) => view.reveals,
            Reply::Versions { revealed, .. } | Reply::Entries { revealed, .. } => {
                !revealed.is_empty()
            }
            Reply::Batch(replies) => replies.iter().flatten().any(Reply::reveals),
            _ => false,
        }
    }
}

/// One context in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextReply {
    /// The context. For a past state it has the version, data, rules and parent of that state.
    pub shown: Shown,
    /// The data with revealed values, if they were requested and allowed.
    pub revealed: Option<Value>,
    /// Whether this request created the context.
    pub created: bool,
    /// What may surprise about the write.
    pub warnings: Vec<Warning>,
}

/// A context as far as an answer shows it. Either way it reads as its [`Heading`].
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// With its data.
    Whole(Rc<Record>),
    /// Without its data: in lists, unless it is requested, and after writes in a batch or by a caller
    /// who may only write.
    Heading(Rc<Heading>),
}

impl Deref for Shown {
    type Target = Heading;

    fn deref(&self) -> &Heading {
        self.heading()
    }
}

impl Shown {
    /// Everything but the data.
    pub fn heading(&self) -> &Rc<Heading> {
        match self {
            Shown::Whole(record) => &record.heading,
            Shown::Heading(heading) => heading,
        }
    }

    /// The data, if it is shown.
    pub fn layer(&self) -> Option<&Layer> {
        match self {
            Shown::Whole(record) => Some(&record.layer),
            Shown::Heading(_) => None,
        }
    }
}

/// What may surprise about a write that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// The kind: `hides-inherited`, `ignored-by-lock`, `duplicate-key`, `sealed-by-content` or
    /// `history-left-out`.
    pub code: &'static str,
    /// The place in the written layer.
    pub pointer: String,
    /// One sentence. It quotes no value.
    pub detail: String,
}

impl ContextReply {
    /// The answer for a context, without warnings.
    pub(crate) fn of(shown: Shown) -> ContextReply {
        ContextReply { shown, revealed: None, created: false, warnings: Vec::new() }
    }

    /// Leaves the data out.
    pub(crate) fn withhold(&mut self) {
        self.shown = Shown::Heading(self.shown.heading().clone());
    }

    /// The size of the shown data, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match (&self.revealed, self.shown.layer()) {
            (Some(revealed), _) => json::length(revealed),
            (None, Some(layer)) => layer.text().len(),
            (None, None) => 0,
        }
    }

    /// The size of the shown data, or that of its index if it has many small values, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let layer = self.shown.layer();
        let index = layer.map_or(0, |layer| layer.memory() - layer.text().len());
        self.bytes().max(index)
    }
}

/// A resolved view in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewReply {
    /// The address of the context.
    pub address: Address,
    /// The `seq` of the shown state.
    pub seq: u64,
    /// The layers, global first.
    pub chain: Vec<Rc<Record>>,
    /// The view with sealed values as markers. It gives the hash and the ETag.
    pub view: Rc<View>,
    /// The document to show instead: a part of the view, or one with revealed values. `None` shows
    /// the whole view.
    pub shown: Option<Vec<u8>>,
    /// Whether sealed values are revealed.
    pub reveals: bool,
    /// The origins, if they were requested.
    pub explanation: Option<Explanation>,
}

impl ViewReply {
    /// The size of the answer, in bytes. Pointers of origins count less, by the ratio of the limits
    /// of an explanation and of an answer.
    pub(crate) fn bytes(&self) -> usize {
        let origins = self.explanation.iter().flat_map(|explanation| &explanation.origins);
        let pointers: usize = origins.map(|origin| origin.pointer.len()).sum();
        self.shown.as_ref().unwrap_or(&self.view.text).len()
            + pointers / (limits::EXPLANATION_BYTES / limits::ANSWER_BYTES)
    }
}

/// One edit of a view, with the layers that caused it.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffLine {
    /// The edit.
    pub operation: nacre_layers::patch::Operation,
    /// The contexts whose change caused it, with their new version. Empty for a diff of one
    /// context's versions.
    pub layers: Vec<(Address, u64)>,
}

/// The result of a preview.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// Views that would change.
    pub affected: Vec<Affected>,
    /// The number of views below that would not change.
    pub unchanged: usize,
    /// Layers below that override a part of the change: the address, and the pointer of the
    /// override.
    pub overridden_by: Vec<(Address, String)>,
}

/// One template in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateReply {
    /// The template.
    pub template: Template,
    /// Whether this request created it.
    pub is_new: bool,
}

/// One promotion in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PromotionReply {
    /// The promotion; a stale one has [`Standing::Stale`](crate::promotion::Standing::Stale).
    pub promotion: Promotion,
    /// While it is not decided and not stale: the value that would move.
    pub value: Option<Value>,
    /// The value that the upper context has there now.
    pub replaces: Option<Value>,
    /// Whether this request made the proposal.
    pub is_new: bool,
    /// What may surprise about the writes of an approval.
    pub warnings: Vec<Warning>,
}

/// One view that would change.
#[derive(Clone, Debug, PartialEq)]
pub struct Affected {
    /// The address of the context.
    pub address: Address,
    /// Pointer, value before and value after; `None` means that there is no value.
    pub changes: Vec<(String, Option<Value>, Option<Value>)>,
}

/// One version in an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryItem {
    /// The version. Its `undo` and `full` are not part of answers.
    pub version: Version,
    /// The patch that it made to the data; `None` if the caller does not see the state before.
    pub patch: Option<JsonPatch>,
}
