//! Permissions. A context that a caller may not see looks like one that does not exist.

use alloc::{rc::Rc, vec::Vec};

use crate::{
    op::{Caller, Command, Edit, Op, Read},
    record::{Member, Record, Role},
    store::Reads,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    level::Level,
};

/// Checks scopes and, in another user's store, memberships.
///
/// # Errors
/// `forbidden` for a missing scope or role, `not-found` without membership.
pub(super) fn permit_command(reads: &dyn Reads, caller: &Caller, command: &Command) -> Result<()> {
    match command {
        Command::Op(op) => permit(reads, caller, op),
        // Each operation is checked when it is decided.
        Command::Batch(_) => admit(reads, caller, true, command.reveals()).map(|_| ()),
        Command::Inspection(_) | Command::Administration(_) => {
            match admit(reads, caller, command.is_write(), command.reveals())? {
                None => Ok(()),
                Some(_) => {
                    Err(Error::new(Code::Forbidden, "only the owner of the store can do this"))
                }
            }
        }
    }
}

/// As [`permit_command`], for one operation.
pub(crate) fn permit(reads: &dyn Reads, caller: &Caller, op: &Op) -> Result<()> {
    match op {
        Op::Read(read) => permit_read(reads, caller, read),
        Op::Edit(edit) => permit_edit(reads, caller, edit),
    }
}

/// As [`permit_command`], for one read.
pub(crate) fn permit_read(reads: &dyn Reads, caller: &Caller, read: &Read) -> Result<()> {
    match admit(reads, caller, false, read.reveals())? {
        None => Ok(()),
        Some(guests) => guests.permit_read(reads, read),
    }
}

/// As [`permit_command`], for one edit.
pub(super) fn permit_edit(reads: &dyn Reads, caller: &Caller, edit: &Edit) -> Result<()> {
    match admit(reads, caller, true, false)? {
        None => Ok(()),
        Some(guests) => guests.permit_edit(reads, edit),
    }
}

/// Checks membership, then scopes. `None` is the owner.
fn admit(
    reads: &dyn Reads,
    caller: &Caller,
    is_write: bool,
    reveals: bool,
) -> Result<Option<Guests>> {
    let guests = Guests::of(reads, caller)?;
    // A stranger learns nothing, not even that a scope is missing.
    if guests.as_ref().is_some_and(|guests| guests.memberships.is_empty()) {
        return Err(Error::not_found());
    }
    let lacking = |scope| {
        Err(Error::new(Code::Forbidden, alloc::format!("the token must have the scope {scope}")))
    };
    match caller.scopes {
        scopes if is_write && !scopes.allows_write() => lacking("contexts:write"),
        scopes if !is_write && !scopes.allows_read() => lacking("contexts:read"),
        scopes if reveals && !scopes.allows_reveal() => lacking("secrets:reveal"),
        _ => Ok(guests),
    }
}

/// The projects that a caller who is not the owner may enter.
pub(super) struct Guests {
    pub(super) memberships: Vec<Member>,
}

impl Guests {
    /// `None` for the owner, who may enter everything.
    pub(super) fn of(reads: &dyn Reads, caller: &Caller) -> Result<Option<Guests>> {
        if caller.user == caller.owner {
            return Ok(None);
        }
        Ok(Some(Guests { memberships: reads.members(Some(&caller.user))? }))
    }

    fn permit_read(&self, reads: &dyn Reads, read: &Read) -> Result<()> {
        let place = match read {
            Read::List { filter, .. } => filter.under.as_ref(),
            _ => read.address(),
        };
        if let Some(address) = place {
            self.enter(reads, address, false)?;
        }
        match read {
            Read::Preview { edits, .. } => {
                edits.iter().try_for_each(|edit| self.permit_edit(reads, edit))
            }
            _ => Ok(()),
        }
    }

    fn permit_edit(&self, reads: &dyn Reads, edit: &Edit) -> Result<()> {
        match edit {
            Edit::Put(put) => {
                let existing = reads.record(&put.address)?;
                if existing.is_some() {
                    self.enter(reads, &put.address, true)?;
                }
                // Guests may add contexts only below their projects. Projects, deleted ones too,
                // and the global layer belong to the owner.
                let is_new = !existing.is_some_and(|record| record.is_live());
                if is_new && (put.address.level <= Level::Project || put.parent.is_none()) {
                    return Err(Error::not_found());
                }
                self.enter_parent(reads, &put.address, put.parent.as_ref())
            }
            Edit::Move { address, parent, .. } => {
                self.enter(reads, address, true)?;
                self.enter_parent(reads, address, Some(parent))
            }
            // Only the owner may restore a deleted project.
            Edit::Delete { address, .. } | Edit::Restore { address, .. }
                if address.level == Level::Project =>
            {
                self.enter(reads, address, true)?;
                Err(Error::new(Code::Forbidden, "only the owner can delete or restore a project"))
            }
            _ => self.enter(reads, edit.address(), true),
        }
    }

    /// Checks that a context is in one of the projects, and may be written if `write`.
    fn enter(&self, reads: &dyn Reads, address: &Address, write: bool) -> Result<()> {
        let mut next = Some(address.clone());
        while let Some(address) = next {
            if address.level == Level::Project {
                return self.enter_project(&address.id, write);
            }
            next = reads.record(&address)?.and_then(|record| record.above());
        }
        Err(Error::not_found())
    }

    fn enter_parent(
        &self,
        reads: &dyn Reads,
        child: &Address,
        parent: Option<&ContextId>,
    ) -> Result<()> {
        match parent.and_then(|parent| Address::above(child.level, parent)) {
            Some(parent) if parent.level >= Level::Project => self.enter(reads, &parent, true),
            _ => Ok(()),
        }
    }

    fn enter_project(&self, project: &ContextId, write: bool) -> Result<()> {
        match self.memberships.iter().find(|member| member.project == *project) {
            None => Err(Error::not_found()),
            Some(member) if write && member.role == Role::Reader => Err(Error::new(
                Code::Forbidden,
                "your role in this project is `reader`; writing needs the role `writer`",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// Refuses a past chain that was in a project that is not shared.
pub(crate) fn permit_chain(reads: &dyn Reads, caller: &Caller, chain: &[Rc<Record>]) -> Result<()> {
    let Some(guests) = Guests::of(reads, caller)? else { return Ok(()) };
    let project = chain.iter().find(|record| record.address.level == Level::Project);
    match project {
        Some(project) => guests.enter_project(&project.address.id, false),
        None => Err(Error::not_found()),
    }
}
