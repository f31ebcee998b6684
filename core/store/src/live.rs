//! Live updates: what subscribers are told about a commit, and about commits that they missed.
//!
//! ```text
//! decide ─▶ Plan ─ Watch::before(reads, …) ─ apply ─ watch.notices(reads, …) ─▶ (audience, Notice)…
//! ```
//! **A subscriber that applies every delta holds the view with the announced hash.** A shadowed
//! change gives no delta. Missed changes come from the audit trail and the history. There is no
//! other log, so they reach back as far as history does.

mod missed;

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use crate::{
    access::Scopes,
    decide::permit_read,
    delta::{Delta, Deltas},
    history::{chain, record_of, state_at},
    limits,
    memory::MemoryStore,
    op::{Caller, Read, Resolve, Which},
    plan::{Changed, Event, Plan},
    record::{Change, Entry, Heading, Record, State},
    sight::{self, Sight},
    store::{Filter, Reads, Write},
    topic::Topic,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::{ContextId, User},
    layer::Layer,
    level::Level,
    patch::JsonPatch,
};

/// Who follows what: a topic, and the user whose subscriptions it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Audience {
    /// The topic.
    pub topic: Topic,
    /// The user.
    pub user: User,
    /// The owner of the store.
    pub owner: User,
}

impl Audience {
    fn caller(&self) -> Caller {
        // Who could not read was refused when they subscribed.
        let (user, owner, scopes) = (self.user.clone(), self.owner.clone(), Scopes::READ);
        Caller { user, owner, scopes }
    }

    fn sight(&self, reads: &dyn Reads) -> Result<Box<dyn Sight>> {
        sight::of(reads, &self.caller())
    }
}

/// One message to an audience.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A context has changed.
    Change(Rc<Changed>),
    /// A move of it, or of a context above, has brought a context into the topic, or into the sight
    /// of the subscriber; or a guest gets back a context that was deleted. The patch is from `{}`.
    Entered(Crossing),
    /// A move has taken a context out. The patch is empty, and the new parent is not told.
    Left(Crossing),
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

/// A context that a move took across the border of a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// The commit of the move.
    pub seq: u64,
    /// The context as it is told.
    pub changed: Rc<Changed>,
}

impl Crossing {
    fn entered(seq: u64, change: Change, record: &Rc<Record>) -> Result<Notice> {
        let patch = State::of(record).patch_from(None)?;
        let context = record.heading.clone();
        let changed = Changed { context, before: None, change, patch };
        Ok(Notice::Entered(Crossing { seq, changed: Rc::new(changed) }))
    }

    fn left(seq: u64, context: &Heading) -> Notice {
        let context = Heading { parent: None, ..context.clone() };
        let (layer, rules) = (Rc::new(Layer::empty()), context.rules.clone());
        let before = Some(State { layer, rules, parent: None });
        let patch = JsonPatch { operations: Vec::new() };
        let changed = Changed { context: Rc::new(context), before, change: Change::Move, patch };
        Notice::Left(Crossing { seq, changed: Rc::new(changed) })
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
    let sight = sight::of(reads, caller)?;
    permit_topic(reads, caller, &*sight, topic)?;
    let seq = reads.seq()?;
    let hash = match topic {
        Topic::Resolved(address) => {
            let chain = sight.chain(chain(reads, address)?, None)?;
            Some(reads.view(&chain)?.hash)
        }
        _ => None,
    };
    let missed = match since {
        Some(since) if since != seq => missed::missed(reads, &*sight, topic, since, seq)?
            .unwrap_or_else(|| Vec::from([Notice::Resync { seq }])),
        _ => Vec::new(),
    };
    Ok(Subscribed { seq, hash, missed })
}

/// Whether a caller may follow a topic: the same check as for reading it.
///
/// # Errors
/// As [`subscribe`].
fn permit_topic(
    reads: &dyn Reads,
    caller: &Caller,
    sight: &dyn Sight,
    topic: &Topic,
) -> Result<()> {
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
    permit_read(reads, caller, sight, &read)
}

type Chain = Vec<Rc<Record>>;

/// What a commit may change for its audiences, noted before it is applied.
#[derive(Debug)]
pub struct Watch {
    /// One for each event.
    steps: Vec<Step>,
    /// For each audience of a view that may change, its index and the chain before the commit.
    chains: Vec<(usize, Result<Chain>)>,
}

/// Where the context of an event stood just before and just after it, within the commit.
#[derive(Debug)]
struct Step {
    before: Line,
    after: Line,
    /// The contexts below one that got another parent; `None` if they are too many to be told.
    below: Option<Vec<Rc<Heading>>>,
}

/// A live context and its ancestors; empty if it is not live.
#[derive(Debug, Default)]
struct Line(Vec<Address>);

impl Watch {
    /// Notes what a plan may change, in the store before the plan is applied.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn before<'t>(
        reads: &dyn Reads,
        audiences: impl Iterator<Item = &'t Audience> + Clone,
        plan: &Plan,
    ) -> Result<Watch> {
        // To a view, and to the owner's context, nothing enters or leaves.
        let is_crossed = |audience: &Audience| match audience.topic {
            Topic::Subtree(_) => true,
            Topic::Context(_) => audience.user != audience.owner,
            Topic::Resolved(_) => false,
        };
        let crosses = audiences.clone().any(is_crossed);
        let mut steps = Vec::with_capacity(plan.events.len());
        let mut store = MemoryStore::over(reads);
        for event in &plan.events {
            steps.push(Step::of(&mut store, event, crosses)?);
        }
        let terms_change = plan.writes.iter().any(|write| matches!(write, Write::Member(_)));
        let mut chains = Vec::new();
        for (place, audience) in audiences.enumerate() {
            if let Topic::Resolved(address) = &audience.topic {
                let may_change = plan.events.iter().any(|event| {
                    matches!(event, Event::Change(_)) && event.address().level <= address.level
                });
                if may_change || (terms_change && audience.user != audience.owner) {
                    chains.push((place, seen_chain(reads, audience, address)));
                }
            }
        }
        Ok(Watch { steps, chains })
    }

    /// The notices for the same audiences after the plan was applied: the index of each audience
    /// and its notices, in order.
    ///
    /// # Errors
    /// `store-unavailable`. Then all subscribers must be told to read again.
    pub fn notices<'t>(
        self,
        reads: &dyn Reads,
        audiences: impl Iterator<Item = &'t Audience>,
        plan: &Plan,
    ) -> Result<Vec<(usize, Notice)>> {
        let (mut notices, mut deltas) = (Vec::new(), Deltas::default());
        let mut chains = self.chains.into_iter().peekable();
        for (place, audience) in audiences.enumerate() {
            if let Some((_, before)) = chains.next_if(|(at, _)| *at == place) {
                let after = seen_chain(reads, audience, audience.topic.address());
                let notice = view_notice(before, after, &mut deltas, plan.seq)?;
                notices.extend(notice.map(|notice| (place, notice)));
            }
            if !matches!(audience.topic, Topic::Resolved(_)) {
                let told = changes(reads, audience, &self.steps, plan)?;
                notices.extend(told.into_iter().map(|notice| (place, notice)));
            }
        }
        Ok(notices)
    }
}

impl Step {
    /// Notes where an event happens, and makes it happen in `store`; `crosses` says whether someone
    /// is told what enters and leaves.
    fn of(store: &mut MemoryStore<'_>, event: &Event, crosses: bool) -> Result<Step> {
        let address = event.address();
        let before = Line::of(store, address)?;
        let Event::Change(changed) = event else {
            return Ok(Step { after: Line(before.0.clone()), before, below: Some(Vec::new()) });
        };
        // Nobody asks this store for data.
        let (heading, layer) = (changed.context.clone(), Rc::new(Layer::empty()));
        store.write(Write::Record(Rc::new(Record { heading, layer })));
        let after = Line::of(store, address)?;
        let below = match crosses && before.is_elsewhere(&after) {
            true => below(store, address)?,
            false => Some(Vec::new()),
        };
        Ok(Step { before, after, below })
    }

    /// Whether the context of the event was within something before it, and is after it. A context
    /// that begins or ends is where it is live.
    fn across(&self, holds: impl Fn(&Line) -> bool) -> (bool, bool) {
        match (self.before.0.is_empty(), self.after.0.is_empty()) {
            (true, _) => (holds(&self.after), holds(&self.after)),
            (_, true) => (holds(&self.before), holds(&self.before)),
            _ => (holds(&self.before), holds(&self.after)),
        }
    }

    /// Whether a context comes back whose deleted state a guest may not have seen.
    fn returns(&self, sight: &dyn Sight, changed: &Changed) -> bool {
        !sight.is_owner() && self.before.0.is_empty() && changed.before.is_some()
    }
}

/// The contexts below another one; `None` if they are too many.
fn below(store: &dyn Reads, top: &Address) -> Result<Option<Vec<Rc<Heading>>>> {
    let filter = Filter { under: Some(top.clone()), ..Filter::default() };
    let mut below = store.list(&filter, None, limits::MISSED_CHANGES + 1)?;
    if below.len() > limits::MISSED_CHANGES {
        return Ok(None);
    }
    below.retain(|context| context.address != *top);
    Ok(Some(below))
}

impl Line {
    fn of(reads: &dyn Reads, address: &Address) -> Result<Line> {
        Line::climb(address, &|address| {
            Ok(reads.record(address)?.map(|record| record.heading.clone()))
        })
    }

    fn climb(
        address: &Address,
        find: &dyn Fn(&Address) -> Result<Option<Rc<Heading>>>,
    ) -> Result<Line> {
        let mut line = Vec::new();
        let mut next = find(address)?.filter(|context| context.is_live());
        while let Some(context) = next {
            line.push(context.address.clone());
            next = match context.above() {
                // The global context may not exist.
                Some(above) if above.level == Level::Global => {
                    line.push(above);
                    None
                }
                Some(above) => find(&above)?,
                None => None,
            };
        }
        Ok(Line(line))
    }

    /// Whether a context that stays live got another parent.
    fn is_elsewhere(&self, after: &Line) -> bool {
        !self.0.is_empty() && !after.0.is_empty() && self.0 != after.0
    }

    fn project(&self) -> Option<&ContextId> {
        let project = self.0.iter().find(|address| address.level == Level::Project);
        project.map(|address| &address.id)
    }
}

/// What a commit tells the audience of a context or a subtree.
fn changes(
    reads: &dyn Reads,
    audience: &Audience,
    steps: &[Step],
    plan: &Plan,
) -> Result<Vec<Notice>> {
    let seq = plan.seq;
    let sight = match audience.sight(reads) {
        Ok(sight) => sight,
        Err(error) => return Ok(Vec::from([Notice::Lost(error)])),
    };
    let mut told = Vec::new();
    for (step, event) in steps.iter().zip(&plan.events) {
        let (was, is) = step.across(|line| {
            let within = match &audience.topic {
                Topic::Subtree(top) => line.0.contains(top),
                topic => event.address() == topic.address(),
            };
            within && sight.sees_project(line.project(), seq)
        });
        let changed = match event {
            _ if !was && !is => continue,
            Event::Change(changed) if was != is || step.returns(&*sight, changed) => changed,
            _ => {
                told.push(event.into());
                continue;
            }
        };
        let Some(below) = &step.below else { return Ok(Vec::from([Notice::Resync { seq }])) };
        if !is {
            let left = core::iter::once(&changed.context).chain(below);
            told.extend(left.map(|context| Crossing::left(seq, context)));
            continue;
        }
        let mut bytes = 0;
        for context in core::iter::once(&changed.context).chain(below) {
            let record = whole(reads, context)?;
            bytes += record.layer.text().len();
            if bytes > limits::ANSWER_BYTES {
                return Ok(Vec::from([Notice::Resync { seq }]));
            }
            told.push(Crossing::entered(seq, changed.change, &record)?);
        }
    }
    if told.is_empty() || sight.is_owner() {
        return Ok(told);
    }
    // This commit may have taken the topic away from a guest.
    match permit_topic(reads, &audience.caller(), &*sight, &audience.topic) {
        Err(error) => Ok(Vec::from([Notice::Lost(error)])),
        Ok(()) => Ok(told),
    }
}

/// A context with its data.
fn whole(reads: &dyn Reads, told: &Heading) -> Result<Rc<Record>> {
    let current = reads.record(&told.address)?.ok_or_else(Error::not_found)?;
    if current.version == told.version {
        return Ok(current);
    }
    // The same commit changed it again.
    let (row, state) = state_at(reads, &current, told.version)?;
    Ok(Rc::new(record_of(&current, &row, state)))
}

/// The chain of a view as its audience sees it.
fn seen_chain(reads: &dyn Reads, audience: &Audience, address: &Address) -> Result<Chain> {
    audience.sight(reads)?.chain(chain(reads, address)?, None)
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
