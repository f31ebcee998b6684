//! What subscribers are told: of a commit, and of what they have missed.
//!
//! ```text
//! decide ─▶ Plan ─ Watch::before(reads, topics) ─ apply ─ watch.notices(reads) ─▶ (topic, Notice)…
//! ```
//! **Who applies every delta holds the view with the announced hash**, and a change that is
//! shadowed gives none. What was missed comes from the audit trail and the history: no other log is
//! kept, so it reaches back as far as history does.

mod missed;

use alloc::{rc::Rc, vec::Vec};

use crate::{
    decide::permit,
    delta::{Delta, Deltas},
    history::chain,
    memory::MemoryStore,
    op::{Caller, Op, Resolve, Which},
    plan::Event,
    record::Record,
    store::{Filter, Reads, Write},
    topic::Topic,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
};

/// One message to a topic's subscribers.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A context has changed.
    Change(Rc<Event>),
    /// The resolved view has.
    Delta {
        /// The commit.
        seq: u64,
        /// How.
        delta: Delta,
    },
    /// What was missed cannot be told: read anew. What comes after this commit will be told.
    Resync {
        /// The commit.
        seq: u64,
    },
    /// There is nothing to tell any more: the context is gone, or the subscriber may not know of it.
    Lost(Error),
}

/// A subscription's beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribed {
    /// The store's last commit; later ones will be told.
    pub seq: u64,
    /// Of a resolved view, its hash now.
    pub hash: Option<Hash>,
    /// What was missed since the commit that the subscriber named, in order.
    pub missed: Vec<Notice>,
}

/// Begins a subscription; `since` is the last commit that the subscriber knows.
///
/// # Errors
/// `not-found` when there is no such view or the caller may not know of it, `forbidden` without the
/// scope to read.
pub fn subscribe(
    reads: &dyn Reads,
    caller: &Caller,
    topic: &Topic,
    since: Option<u64>,
) -> Result<Subscribed> {
    permit_topic(reads, caller, topic)?;
    let seq = reads.seq()?;
    let hash = match topic {
        Topic::Resolved(address) => Some(reads.view(&chain(reads, address)?)?.hash),
        _ => None,
    };
    let missed = match since {
        Some(since) if since != seq => missed::missed(reads, caller, topic, since, seq)?
            .unwrap_or_else(|| Vec::from([Notice::Resync { seq }])),
        _ => Vec::new(),
    };
    Ok(Subscribed { seq, hash, missed })
}

/// Whether a caller may be told of a topic now: as if they read it.
///
/// # Errors
/// As [`subscribe`].
pub fn permit_topic(reads: &dyn Reads, caller: &Caller, topic: &Topic) -> Result<()> {
    let address = topic.address().clone();
    let op = match topic {
        Topic::Context(_) => Op::Get { address, which: Which::Current, reveal: false },
        Topic::Subtree(_) => Op::List {
            filter: Filter { under: Some(address), ..Filter::default() },
            after: None,
            limit: 1,
            data: true,
            reveal: false,
        },
        Topic::Resolved(_) => {
            let (path, as_of) = (None, None);
            Op::Resolve(Resolve { address, path, as_of, explain: false, reveal: false })
        }
    };
    permit(reads, caller, &op)
}

type Chain = Vec<Rc<Record>>;

/// What a commit may change of the views that are subscribed to, noted before it is applied.
#[derive(Debug)]
pub struct Watch {
    /// For each event, the context and all that it stood below, just before or just after it: what
    /// the same commit moved away before, or will bring here, is not told.
    lines: Vec<Vec<Address>>,
    /// For each topic that is a view below one of them, its chain.
    chains: Vec<(usize, Result<Chain>)>,
}

impl Watch {
    /// Notes what a plan may change of `topics`, in the store as it is before the plan is applied.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn before<'t>(
        reads: &dyn Reads,
        topics: impl Iterator<Item = &'t Topic>,
        events: &[Event],
    ) -> Result<Watch> {
        let mut lines = Vec::with_capacity(events.len());
        let mut store = MemoryStore::over(reads);
        for event in events {
            let address = &event.record.address;
            let mut line = Vec::from([address.clone()]);
            line.extend(above(&store, address)?);
            store.write(Write::Record(event.record.clone()));
            line.extend(above(&store, address)?);
            lines.push(line);
        }
        let mut chains = Vec::new();
        for (place, topic) in topics.enumerate() {
            if let Topic::Resolved(address) = topic
                && events.iter().any(|event| event.record.address.level <= address.level)
            {
                chains.push((place, chain(reads, address)));
            }
        }
        Ok(Watch { lines, chains })
    }

    /// What each of the same topics is to be told, now that the plan is applied: its place and the
    /// notices, in order.
    ///
    /// # Errors
    /// `store-unavailable`; then nobody can be told more than to read anew.
    pub fn notices<'t>(
        self,
        reads: &dyn Reads,
        topics: impl Iterator<Item = &'t Topic>,
        events: Vec<Event>,
        seq: u64,
    ) -> Result<Vec<(usize, Notice)>> {
        let events: Vec<Rc<Event>> = events.into_iter().map(Rc::new).collect();
        let (mut notices, mut deltas) = (Vec::new(), Deltas::default());
        let mut chains = self.chains.into_iter().peekable();
        for (place, topic) in topics.enumerate() {
            let told = |line: &[Address], event: &Event| match topic {
                Topic::Context(address) => event.record.address == *address,
                Topic::Subtree(address) => line.contains(address),
                Topic::Resolved(_) => false,
            };
            for (line, event) in self.lines.iter().zip(&events) {
                if told(line, event) {
                    notices.push((place, Notice::Change(event.clone())));
                }
            }
            if let Some((_, before)) = chains.next_if(|(at, _)| *at == place) {
                let after = chain(reads, topic.address());
                let notice = view_notice(before, after, &mut deltas, seq)?;
                notices.extend(notice.map(|notice| (place, notice)));
            }
        }
        Ok(notices)
    }
}

/// What the subscribers of a view are told, given its chain before and after a commit.
fn view_notice(
    before: Result<Chain>,
    after: Result<Chain>,
    deltas: &mut Deltas,
    seq: u64,
) -> Result<Option<Notice>> {
    match (before, after) {
        (Ok(before), Ok(after)) => {
            Ok(deltas.between(&before, &after)?.map(|delta| Notice::Delta { seq, delta }))
        }
        (Ok(_), Err(error)) if error.code() == Code::NotFound => Ok(Some(Notice::Lost(error))),
        (Err(error), Ok(_)) if error.code() == Code::NotFound => Ok(Some(Notice::Resync { seq })),
        (Err(error), _) if error.code() == Code::NotFound => Ok(None),
        (_, Err(error)) | (Err(error), _) => Err(error),
    }
}

/// All above a live context; nothing for one that is not there.
fn above(reads: &dyn Reads, address: &Address) -> Result<Vec<Address>> {
    let mut line = Vec::new();
    let live = reads.record(address)?.filter(|record| record.is_live());
    let mut next = live.and_then(|record| record.above());
    while let Some(address) = next {
        next = reads.record(&address)?.and_then(|record| record.above());
        line.push(address);
    }
    Ok(line)
}
