//! Decisions: turns a request, the state of the store, the time and entropy into a plan.
//!
//! [`decide`] reads and never writes. Writes collect in a [`Draft`], a memory store over the real
//! one, so that every operation of a batch sees the results of earlier ones, and a refusal leaves
//! nothing behind. The result is a [`Plan`]: plain data for a shell to apply.

mod batch;
pub mod contexts;
mod draft;
mod entries;
mod expect;
mod members;
mod permit;
mod preview;
mod read;
mod reveal;
mod view;

use crate::{
    entropy::Entropy,
    limits,
    moment::Moment,
    op::{Caller, Idempotency, Op, Request},
    plan::{Plan, Remember, Reply},
    seal::Vault,
    store::Reads,
};
use draft::Draft;
use nacre_layers::{
    error::{Code, Error, Result},
    id::User,
    sensitive::SensitiveNames,
};
pub(crate) use permit::{permit, permit_chain};

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
}

fn no_keys() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "the store has no keys yet, so nothing can be sealed or revealed",
    )
}

/// Decides one request.
///
/// # Errors
/// Every code of the contract except those of transport. A refused request changes nothing.
pub fn decide(reads: &dyn Reads, setting: &mut Setting<'_>, request: &Request) -> Result<Plan> {
    permit::permit(reads, &request.caller, &request.op)?;
    if !request.op.is_write() {
        let reply = read::all(reads, setting, &request.caller, &request.op)?;
        return Ok(Plan::of_read(reply, reads.seq()?));
    }
    if let Some(idempotency) = &request.idempotency
        && let Some(reply) = replayed(reads, &request.caller.user, idempotency, setting.at)?
    {
        return Ok(Plan::of_read(reply, reads.seq()?));
    }
    let mut draft = Draft::new(reads, setting, &request.caller, &SERVER)?;
    let reply = draft.perform(&request.op)?;
    let mut plan = draft.commit(reply, request.id.clone())?;
    if let Some(idempotency) = &request.idempotency {
        plan.remember.push(remember(request.caller.user.clone(), idempotency, setting.at, None));
    }
    Ok(plan)
}

/// Decides one read or edit on a copy of a store, ahead of the server.
///
/// Batches, imports, members, the audit trail and exports are left to the server, and so is the
/// search for what a stale write conflicts with. A host that names only this entry carries no code
/// for them.
///
/// # Errors
/// As [`decide`]; `internal` for what is left to the server.
pub fn decide_ahead(
    reads: &dyn Reads,
    setting: &mut Setting<'_>,
    caller: &Caller,
    op: &Op,
) -> Result<Plan> {
    permit::permit(reads, caller, op)?;
    if !op.is_write() {
        let reply = read::ahead(reads, setting, caller, op)?;
        return Ok(Plan::of_read(reply, reads.seq()?));
    }
    let mut draft = Draft::new(reads, setting, caller, &AHEAD)?;
    let reply = draft.perform(op)?;
    draft.commit(reply, None)
}

/// The parts of deciding that not every host needs, one set for each entry function: a module holds
/// only what its entry names.
pub(crate) struct Parts {
    /// Decides a write that is no edit of one context.
    write: fn(&mut Draft<'_, '_>, &Op) -> Result<Reply>,
    /// Answers a read.
    read: fn(&dyn Reads, &mut Setting<'_>, &Caller, &Op) -> Result<Reply>,
    /// Refuses a write that expects another version.
    refuse: expect::Refuse,
}

/// For [`decide`].
static SERVER: Parts = Parts {
    write: |draft, op| draft.administer(op),
    read: read::all,
    refuse: |draft, version, existing, wanted| {
        draft.refuse_with_conflicts(version, existing, wanted)
    },
};

/// For [`decide_ahead`].
static AHEAD: Parts = Parts {
    write: |_, _| Err(Error::bug("only the server decides this operation")),
    read: read::ahead,
    refuse: |_, _, existing, _| expect::stale(existing),
};

/// The first answer to a repeated request; `None` if the request is new.
fn replayed(
    reads: &dyn Reads,
    user: &User,
    idempotency: &Idempotency,
    at: Moment,
) -> Result<Option<Reply>> {
    match reads.replay(user, &idempotency.key)? {
        Some(replay) if replay.expires > at => {
            idempotency.check(replay.request)?;
            Ok(Some(Reply::Replayed(replay.answer)))
        }
        _ => Ok(None),
    }
}

fn remember(user: User, idempotency: &Idempotency, at: Moment, result: Option<usize>) -> Remember {
    let expires = at.later(limits::IDEMPOTENCY_MILLIS);
    Remember { user, idempotency: idempotency.clone(), expires, result }
}

impl Draft<'_, '_> {
    /// Decides one operation. After a refusal the draft may contain a part of it and must be
    /// dropped.
    fn perform(&mut self, op: &Op) -> Result<Reply> {
        match op {
            Op::Put(put) => self.put(put),
            Op::Update { address, patch, summary, expect } => {
                self.update(address, patch, summary.as_deref(), *expect)
            }
            Op::Delete { address, cascade, summary, expect } => {
                self.delete(address, *cascade, summary.as_deref(), *expect)
            }
            Op::Restore { address, summary } => self.restore(address, summary.as_deref()),
            Op::Rollback { address, version, summary, expect } => {
                self.rollback(address, *version, summary.as_deref(), *expect)
            }
            Op::Move { address, parent, summary, expect } => {
                self.move_to(address, parent, summary.as_deref(), *expect)
            }
            Op::AddEntry(entry) => self.add_entry(entry),
            _ if op.is_write() => (self.parts.write)(self, op),
            _ => (self.parts.read)(&self.store, self.setting, self.caller, op),
        }
    }

    /// Decides a write of many contexts, or of the store's members.
    fn administer(&mut self, op: &Op) -> Result<Reply> {
        match op {
            Op::Batch(batch) => self.batch(batch),
            Op::Import(import) => self.import(import),
            Op::PutMember { user, project, role } => self.put_member(user, project, *role),
            Op::DeleteMember { user, project } => self.delete_member(user, project),
            _ => Err(Error::bug("an edit of one context was passed to administration")),
        }
    }
}
