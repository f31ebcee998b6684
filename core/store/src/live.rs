//! Live updates: what subscribers are told about a commit, and about commits that they missed.
//!
//! ```text
//! decide ─▶ Plan ─ Watch::before(reads, topics) ─ apply ─ watch.notices(reads) ─▶ (topic, Notice)…
//! ```
//! **A subscriber that applies every delta holds the view with the announced hash.** A shadowed
//! change gives no delta. Missed changes come from the audit trail and the history. There is no
//! other log, so they reach back as far as history does.

mod missed;

use alloc::{rc::Rc, vec::Vec};

use crate::{
    decide::permit_read,
    delta::{Delta, Deltas},
    history::chain,
    memory::MemoryStore,
    op::{Caller, Read, Resolve, Which},
    plan::{Changed, Event},
    record::{Entry, Record},
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
    Change(Rc<Changed>),
    /// An insight or a progress note was added.
    Entry(Rc<Entry>),
    /// The resolved view has changed.
    Delta {
        /// The commit.
        seq: u64,
        /// How.
        delta: Delta,
    },
    /// The missed changes cannot be sent: the subscriber must read again. Changes after this commit
    /// will be sent.
    Resync {
        /// The commit.
        seq: u64,
    },
    /// The topic has ended: the context is deleted, or the subscriber may no longer know of it.
    Lost(Error),
}

impl From<&Event> for Notice {
    fn from(event: &Event) -> Notice {
        match event {
            Event::Change(changed) => Notice::Change(changed.clone()),
            Event::Entry(entry) => Notice::Entry(entry.clone()),
        }
    }
}

/// The start of a subscription.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscribed {
    /// The `seq` of the store's last commit. Later ones will be sent.
    pub seq: u64,
    /// The current hash of a resolved view; `None` for other topics.
    pub hash: Option<Hash>,
    /// The missed changes since the commit that the subscriber named, in order.
    pub missed: Vec<Notice>,
}

/// Starts a subscription; `since` is the last commit that the subscriber knows.
///
/// # Errors
/// `not-found` if the view does not exist or the caller may not know of it; `forbidden` without the
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

/// Whether a caller may follow a topic: the same check as for reading it.
///
/// # Errors
/// As [`subscribe`].
pub fn permit_topic(reads: &dyn Reads, caller: &Caller, topic: &Topic) -> Result<()> {
    let address = topic.address().clone();
    let read = match topic {
        Topic::Context(_) => Read::Get { address, which: Which::Current, reveal: false },
        Topic::Subtree(_) => Read::List {
            filter: Filter { under: Some(address), ..Filter::default() },
            after: None,
            limit: 1,
            data: true,
            reveal: false,
        },
        Topic::Resolved(_) => {
            let (path, as_of) = (None, None);
            Read::Resolve(Resolve { address, path, as_of, explain: false, reveal: false })
        }
    };
    permit_read(reads, caller, &read)
}

type Chain = Vec<Rc<Record>>;

/// The views with subscribers that a commit may change, noted before it is applied.
#[derive(Debug)]
pub struct Watch {
    /// For each event, the context and its ancestors just before or just after it. Contexts that
    /// the same commit moved away earlier, or will move here later, do not count.
    lines: Vec<Vec<Address>>,
    /// For each topic that is a view below one of them, its chain before the commit.
    chains: Vec<(usize, Result<Chain>)>,
}

impl Watch {
    /// Notes which `topics` a plan may change, in the store before the plan is applied.
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
            let address = event.address();
            let mut line = Vec::from([address.clone()]);
            line.extend(above(&store, address)?);
            if let Event::Change(changed) = event {
                store.write(Write::Record(changed.record.clone()));
                line.extend(above(&store, address)?);
            }
            lines.push(line);
        }
        let mut chains = Vec::new();
        for (place, topic) in topics.enumerate() {
            if let Topic::Resolved(address) = topic
                && events.iter().any(|event| {
                    matches!(event, Event::Change(_)) && event.address().level <= address.level
                })
            {
                chains.push((place, chain(reads, address)));
            }
        }
        Ok(Watch { lines, chains })
    }

    /// The notices for the same topics after the plan was applied: the index of each topic and its
    /// notices, in order.
    ///
    /// # Errors
    /// `store-unavailable`. Then all subscribers must be told to read again.
    pub fn notices<'t>(
        self,
        reads: &dyn Reads,
        topics: impl Iterator<Item = &'t Topic>,
        events: &[Event],
        seq: u64,
    ) -> Result<Vec<(usize, Notice)>> {
        let (mut notices, mut deltas) = (Vec::new(), Deltas::default());
        let mut chains = self.chains.into_iter().peekable();
        for (place, topic) in topics.enumerate() {
            let told = |line: &[Address], event: &Event| match topic {
                Topic::Context(address) => event.address() == address,
                Topic::Subtree(address) => line.contains(address),
                Topic::Resolved(_) => false,
            };
            for (line, event) in self.lines.iter().zip(events) {
                if told(line, event) {
                    notices.push((place, event.into()));
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

/// The notice for the subscribers of a view, given its chain before and after a commit.
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

/// The ancestors of a live context; empty if it does not exist.
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
