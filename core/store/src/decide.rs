//! Decisions: turns a request, the state of the store, the time and entropy into a plan.
//!
//! [`decide`] reads and never writes. Writes collect in a [`Draft`], a memory store over the real
//! one, so that every operation of a batch sees the results of earlier ones, and a refusal leaves
//! nothing behind. The result is a [`Plan`]: plain data for a shell to apply.

mod administration;
mod batch;
mod bring_back;
pub mod contexts;
mod draft;
mod entries;
mod expect;
mod members;
mod permit;
mod preview;
mod promotions;
mod read;
mod reveal;
mod revocations;
mod templates;
mod view;
mod warnings;

use crate::{
    entropy::Entropy,
    limits,
    moment::Moment,
    op::{Administration, Caller, Command, Edit, Idempotency, Inspection, Op, Read, Request},
    plan::{Plan, Remember, Replayed, Reply},
    record::Audit,
    seal::{SealContent, SealRules, Vault},
    sight::{self, Everything, Sight},
    store::{Reads, Write},
};
use alloc::vec::Vec;
use draft::{Draft, Made};
use expect::Refuse;
use nacre_layers::{
    error::{Code, Error, Result},
    id::User,
    sensitive::SensitiveNames,
};
pub(crate) use permit::{permit_read, permit_search};
pub use read::refuse_the_future;

/// The inputs of a decision besides the store and the request.
#[derive(Debug)]
pub struct Setting<'s> {
    /// The current time.
    pub at: Moment,
    /// The randomness of this request.
    pub entropy: &'s mut Entropy,
    /// The owner's keys; `None` if the owner has no store yet. Then nothing can be written.
    pub keys: Option<&'s dyn Vault>,
    /// The names of members that are sealed.
    pub names: &'s SensitiveNames,
    /// What happens to texts that look like credentials.
    pub content: SealContent,
}

impl<'s> Setting<'s> {
    fn rules(&self) -> SealRules<'s> {
        SealRules { names: self.names, content: self.content }
    }
}

/// Who asks, and how this host treats them.
#[derive(Clone, Copy)]
struct Asker<'a> {
    caller: &'a Caller,
    /// What they see.
    sight: &'a dyn Sight,
    host: Host,
}

/// What differs between a server and a copy that decides ahead of it.
#[derive(Clone, Copy)]
struct Host {
    /// How a write that expects another version is refused.
    refuse: Refuse,
    /// What is done with every change before it is written.
    check: Check,
    /// What is done with work that leaves nothing behind.
    work: fn(&mut Draft<'_, '_>, usize) -> Result<()>,
}

/// Checks a change, and notes what it may surprise with.
type Check = fn(&mut Draft<'_, '_>, &Made<'_>) -> Result<()>;

/// A server finds the conflicts of a stale write, bounds commits, and warns.
const SERVER: Host = Host {
    refuse: |draft, version, existing, wanted| {
        draft.refuse_with_conflicts(version, existing, wanted)
    },
    check: |draft, made| {
        draft.hold_change(made)?;
        warnings::warn(draft, made)
    },
    work: |draft, bytes| draft.hold_work(bytes),
};

/// A copy leaves that to the server.
const COPY: Host = Host {
    refuse: |_, _, existing, _| expect::stale(existing),
    check: |_, _| Ok(()),
    work: |_, _| Ok(()),
};

fn no_keys() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "the store has no keys yet, so nothing can be sealed or revealed",
    )
}

/// Refuses a stranger: a caller who is neither the owner nor a member of any project. Shells ask
/// this before they spend anything on a request.
///
/// # Errors
/// `not-found`.
pub fn admit(reads: &dyn Reads, caller: &Caller) -> Result<()> {
    sight::of(reads, caller).map(|_| ())
}

/// How a host carries out what only an owner may ask.
struct OwnerCommands {
    inspect: fn(&dyn Reads, &Setting<'_>, Asker<'_>, &Inspection) -> Result<Reply>,
    administer: fn(&mut Draft<'_, '_>, &Administration) -> Result<Reply>,
}

/// Decides one request.
///
/// # Errors
/// Every code of the contract except those of transport. A refused request changes nothing.
pub fn decide(reads: &dyn Reads, setting: &mut Setting<'_>, request: &Request) -> Result<Plan> {
    let sight = sight::of(reads, &request.caller)?;
    let of_owner = OwnerCommands {
        inspect: administration::inspect,
        administer: |draft, of| draft.administer(of),
    };
    decide_with(reads, setting, request, &*sight, &of_owner)
}

/// Decides a request of the owner of a store that lives in one process, without guests and tokens.
///
/// A host that names only this entry carries no code for members and revocations.
///
/// # Errors
/// As [`decide`]; `forbidden` for members and revocations.
pub fn decide_alone(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    request: &Request,
) -> Result<Plan> {
    let of_owner = OwnerCommands {
        inspect: administration::inspect_alone,
        administer: |draft, of| draft.administer_alone(of),
    };
    decide_with(reads, setting, request, &Everything, &of_owner)
}

fn decide_with(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    request: &Request,
    sight: &dyn Sight,
    of_owner: &OwnerCommands,
) -> Result<Plan> {
    let Request { caller, command, .. } = request;
    permit::permit_command(reads, caller, sight, command)?;
    let asker = Asker { caller, sight, host: SERVER };
    let reply = match command {
        Command::Op(Op::Read(ask)) => read_revealed(reads, setting, asker, ask)?,
        Command::Inspection(inspection) => (of_owner.inspect)(reads, setting, asker, inspection)?,
        Command::Op(Op::Edit(edit)) => {
            return change(reads, setting, asker, request, &|draft| draft.edit(edit));
        }
        Command::Batch(batch) => {
            return change(reads, setting, asker, request, &|draft| draft.batch(batch));
        }
        Command::Administration(administration) => {
            return change(reads, setting, asker, request, &|draft| {
                (of_owner.administer)(draft, administration)
            });
        }
    };
    if command.reveals() {
        return revealing(reads, setting, request, reply);
    }
    Ok(Plan::of_read(reply, reads.seq()?))
}

/// The plan of a read that shows sealed values: a commit of nothing but its line in the audit trail.
fn revealing(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    request: &Request,
    reply: Reply,
) -> Result<Plan> {
    let (seq, deeds) = (reads.seq()?, reveal::deeds(&reply)?);
    let mut plan = Plan::of_read(reply, seq);
    if !deeds.is_empty() {
        plan.seq += 1;
        let (by, id) = (request.caller.user.clone(), request.id.clone());
        plan.writes.push(Write::Audit(Audit {
            seq: plan.seq,
            at: setting.at,
            by,
            request: id,
            deeds,
        }));
    }
    Ok(plan)
}

/// A read, with notes in the clear if they are wanted.
fn read_revealed(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    asker: Asker<'_>,
    ask: &Read,
) -> Result<Reply> {
    let mut reply = read::read(reads, setting, asker, ask)?;
    if ask.reveals() {
        reveal::reveal_entries(reads, setting, asker.sight, &mut reply)?;
    }
    Ok(reply)
}

/// Makes a change as one commit, unless its idempotency key says that it has been made.
fn change(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    asker: Asker<'_>,
    request: &Request,
    make: &dyn Fn(&mut Draft<'_, '_>) -> Result<Reply>,
) -> Result<Plan> {
    let Request { caller, idempotency, id, .. } = request;
    let at = setting.at;
    if let Some(idempotency) = idempotency
        && let Some(mut replayed) = replayed(reads, caller, idempotency, at)?
    {
        if let Command::Batch(batch) = &request.command {
            replayed.reads = Draft::new(reads, setting, asker)?.read_again(batch);
        }
        return Ok(Plan::of_read(Reply::Replayed(replayed), reads.seq()?));
    }
    let mut draft = Draft::new(reads, setting, asker)?;
    let mut reply = make(&mut draft)?;
    if request.command.reveals() {
        reveal::deeds(&reply)?.into_iter().for_each(|deed| draft.deed(deed));
    }
    if let (Reply::Context(context), false) = (&mut reply, caller.scopes.allows_read()) {
        // A caller that may only write is told the outcome, and no data.
        context.withhold();
    }
    let mut plan = draft.commit(reply, id.clone())?;
    if let Some(idempotency) = idempotency {
        let mut remember = remember(caller.user.clone(), idempotency, at, None);
        if let Command::Batch(batch) = &request.command {
            remember.reads = batch.reads().map(|(index, _)| index).collect();
        }
        plan.remember.push(remember);
    }
    Ok(plan)
}

/// Answers a question of the owner from a copy of a store.
///
/// # Errors
/// As [`decide`].
pub fn read_ahead(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    caller: &Caller,
    ask: &Read,
) -> Result<Plan> {
    let asker = Asker { caller, sight: &Everything, host: COPY };
    permit_read(reads, caller, asker.sight, ask)?;
    let reply = read::read(reads, setting, asker, ask)?;
    Ok(Plan::of_read(reply, reads.seq()?))
}

/// Decides an edit of the owner on a copy of a store, ahead of the server. The server searches for what a stale
/// write conflicts with, if it comes to that; here the refusal is all.
///
/// A host that names only this entry and [`read_ahead`] carries no code for batches, imports,
/// members, the audit trail and exports.
///
/// # Errors
/// As [`decide`].
pub fn edit_ahead(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    caller: &Caller,
    edit: &Edit,
) -> Result<Plan> {
    let asker = Asker { caller, sight: &Everything, host: COPY };
    permit::permit_edit(reads, caller, asker.sight, edit)?;
    let mut draft = Draft::new(reads, setting, asker)?;
    let reply = draft.edit(edit)?;
    draft.commit(reply, None)
}

/// The first answer to a repeated request; `None` if the request is new.
fn replayed(
    reads: &dyn Reads,
    caller: &Caller,
    idempotency: &Idempotency,
    at: Moment,
) -> Result<Option<Replayed>> {
    match reads.replay(&caller.user, &idempotency.key)? {
        Some(replay) if replay.expires > at => {
            idempotency.check(replay.request)?;
            let data = caller.scopes.allows_read();
            Ok(Some(Replayed { answer: replay.answer, reads: Vec::new(), data }))
        }
        _ => Ok(None),
    }
}

fn remember(user: User, idempotency: &Idempotency, at: Moment, result: Option<usize>) -> Remember {
    let expires = at.later(limits::IDEMPOTENCY_MILLIS);
    Remember { user, idempotency: idempotency.clone(), expires, result, reads: Vec::new() }
}

impl Draft<'_, '_> {
    /// Decides one operation. After a refusal the draft may contain a part of it and must be
    /// dropped.
    fn perform(&mut self, op: &Op) -> Result<Reply> {
        match op {
            Op::Read(ask) => read_revealed(&self.store, self.setting, self.asker, ask),
            Op::Edit(edit) => self.edit(edit),
        }
    }

    fn edit(&mut self, edit: &Edit) -> Result<Reply> {
        match edit {
            Edit::Put(put) => self.put(put),
            Edit::Update { address, patch, summary, expect } => {
                self.update(address, patch, summary.as_deref(), *expect)
            }
            Edit::Delete { address, cascade, summary, expect } => {
                self.delete(address, *cascade, summary.as_deref(), *expect)
            }
            Edit::Restore { address, summary } => self.restore(address, summary.as_deref()),
            Edit::Rollback { address, version, summary, expect } => {
                self.rollback(address, *version, summary.as_deref(), *expect)
            }
            Edit::Move { address, parent, summary, expect } => {
                self.move_to(address, parent, summary.as_deref(), *expect)
            }
            Edit::AddEntry(entry) => self.add_entry(entry),
        }
    }
}
