//! What a caller may see of a store. Every path that reads asks here.
//!
//! **A guest sees a context only in states in which it stood in a project that is shared with them,
//! from the commit of sharing on** (or from the project's beginning, if the owner says so). What a
//! guest may not see looks like what does not exist.
//!
//! A host with one user, such as a replica, names only [`Everything`] and carries no code for
//! guests.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use crate::{
    history::{project_at, project_with},
    op::{Caller, Edit, Read},
    record::{Change, Member, Record, Role, State, Version},
    seal::SealScope,
    store::{AsOf, Reads},
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    level::Level,
};

/// What a caller may see. The answers by default are the owner's.
pub(crate) trait Sight {
    /// Whether the store is the caller's own.
    fn is_owner(&self) -> bool {
        true
    }

    /// Refuses a question about what the caller may not see.
    fn permit_read(&self, _reads: &dyn Reads, _read: &Read) -> Result<()> {
        Ok(())
    }

    /// Refuses an edit of what the caller may not see or write.
    fn permit_edit(&self, _reads: &dyn Reads, _edit: &Edit) -> Result<()> {
        Ok(())
    }

    /// The part of a chain that the caller sees, now or at a past state.
    ///
    /// # Errors
    /// `not-found` if the chain was in no shared project then.
    fn chain(&self, chain: Vec<Rc<Record>>, _at: Option<AsOf>) -> Result<Vec<Rc<Record>>> {
        Ok(chain)
    }

    /// The part of the chain above a context that the caller may write.
    fn above(&self, chain: Vec<Rc<Record>>) -> Vec<Rc<Record>> {
        chain
    }

    /// Whether the caller sees a version of a context.
    fn sees(&self, _reads: &dyn Reads, _version: &Version, _state: &State) -> Result<bool> {
        Ok(true)
    }

    /// Whether the caller sees why a version was made.
    fn sees_commit(&self, _reads: &dyn Reads, _version: &Version) -> Result<bool> {
        Ok(true)
    }

    /// Whether the caller sees what a context was after a commit.
    fn sees_at(&self, _reads: &dyn Reads, _address: &Address, _seq: u64) -> Result<bool> {
        Ok(true)
    }

    /// Whether the caller sees, after a commit, what is in the project with this id; `None` is what
    /// is in no project.
    fn sees_project(&self, _project: Option<&ContextId>, _seq: u64) -> bool {
        true
    }

    /// Whether the caller may bring secrets of a scope into another one; `None` for secrets of
    /// earlier versions, which may be anywhere.
    fn brings_secrets_of(&self, _scope: Option<&SealScope>) -> bool {
        true
    }

    /// Whether a token with the scope to reveal opens secrets of a scope.
    fn reveals(&self, _scope: &SealScope) -> bool {
        true
    }

    /// Whether a token with the scope to reveal opens the secrets of a past chain.
    fn reveals_chain(&self, _chain: &[Rc<Record>]) -> bool {
        true
    }

    /// As [`Sight::reveals_chain`], of a version of a context.
    fn reveals_version(
        &self,
        _reads: &dyn Reads,
        _version: &Version,
        _state: &State,
    ) -> Result<bool> {
        Ok(true)
    }

    /// As [`Sight::reveals_chain`], of the notes that a context got with a commit.
    fn reveals_at(&self, _reads: &dyn Reads, _address: &Address, _seq: u64) -> Result<bool> {
        Ok(true)
    }

    /// The first commit after which the caller sees anything.
    fn first(&self) -> u64 {
        0
    }

    /// The memberships by which a guest sees anything; `None` for the owner.
    fn memberships(&self) -> Option<&[Member]> {
        None
    }
}

/// The sight of an owner.
pub(crate) struct Everything;

impl Sight for Everything {}

/// The sight of a caller.
///
/// # Errors
/// `not-found` for a stranger: a user who is neither the owner nor a member of any project.
pub(crate) fn of(reads: &dyn Reads, caller: &Caller) -> Result<Box<dyn Sight>> {
    if caller.user == caller.owner {
        return Ok(Box::new(Everything));
    }
    let memberships = reads.members(Some(&caller.user))?;
    // A stranger learns nothing, not even that a scope is missing.
    if memberships.is_empty() {
        return Err(Error::not_found());
    }
    Ok(Box::new(Guest { memberships }))
}

/// The sight of a user with whom projects are shared.
struct Guest {
    /// At least one.
    memberships: Vec<Member>,
}

impl Sight for Guest {
    fn is_owner(&self) -> bool {
        false
    }

    fn permit_read(&self, reads: &dyn Reads, read: &Read) -> Result<()> {
        let place = match read {
            Read::List { filter, .. } => filter.under.as_ref(),
            _ => read.address(),
        };
        let within = match place {
            Some(address) => core::slice::from_ref(self.enter(reads, address, Role::Reader)?),
            None => &*self.memberships,
        };
        if read.reveals() && !within.iter().all(|member| member.terms.reveal) {
            return Err(shared_sealed());
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
                    self.enter(reads, &put.address, Role::Writer)?;
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
                self.enter(reads, address, Role::Writer)?;
                self.enter_parent(reads, address, Some(parent))
            }
            // Only the owner may restore a deleted project.
            Edit::Delete { address, .. } | Edit::Restore { address, .. }
                if address.level == Level::Project =>
            {
                self.enter(reads, address, Role::Writer)?;
                Err(Error::new(Code::Forbidden, "only the owner can delete or restore a project"))
            }
            Edit::Restore { address, .. } => {
                self.enter(reads, address, Role::Writer)?;
                // Its parent may have been moved to another project since.
                let record = reads.record(address)?;
                let parent = record.as_ref().and_then(|record| record.parent.as_ref());
                self.enter_parent(reads, address, parent)
            }
            _ => self.enter(reads, edit.address(), Role::Writer).map(|_| ()),
        }
    }

    fn chain(&self, mut chain: Vec<Rc<Record>>, at: Option<AsOf>) -> Result<Vec<Rc<Record>>> {
        let project = chain.iter().find(|record| record.address.level == Level::Project);
        let member = project.and_then(|project| self.member(&project.address.id));
        let member = member.filter(|member| at.is_none_or(|at| member.sees(at)));
        let member = member.ok_or_else(Error::not_found)?;
        if !member.terms.global {
            chain.retain(|record| record.address.level != Level::Global);
        }
        Ok(chain)
    }

    fn above(&self, chain: Vec<Rc<Record>>) -> Vec<Rc<Record>> {
        self.chain(chain, None).unwrap_or_default()
    }

    fn sees(&self, reads: &dyn Reads, version: &Version, state: &State) -> Result<bool> {
        let Version { address, seq, .. } = version;
        if version.change == Change::Delete {
            return self.sees_at(reads, address, seq.saturating_sub(1));
        }
        // The version stood from its commit until the next version's.
        let next = reads.versions_from(address, version.version + 1, 1)?;
        let end = match next.first() {
            Some(next) => next.seq.saturating_sub(1),
            None => reads.seq()?,
        };
        let end = end.max(*seq);
        for member in &self.memberships {
            let begin = member.first_seq().max(*seq);
            // A branch may be moved while its task stays: look at both ends. What a guest could see
            // only in between is not shown.
            for at in [begin, end] {
                let stood = |at| project_with(reads, address, state.parent.as_ref(), at);
                if begin <= end && stood(at)?.as_ref() == Some(&member.project) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn sees_commit(&self, reads: &dyn Reads, version: &Version) -> Result<bool> {
        match version.change {
            // Who saw what was deleted sees why.
            Change::Delete => Ok(true),
            _ => self.sees_at(reads, &version.address, version.seq),
        }
    }

    fn sees_at(&self, reads: &dyn Reads, address: &Address, seq: u64) -> Result<bool> {
        Ok(self.sees_project(project_at(reads, address, seq)?.as_ref(), seq))
    }

    fn sees_project(&self, project: Option<&ContextId>, seq: u64) -> bool {
        let member = project.and_then(|project| self.member(project));
        member.is_some_and(|member| member.sees(AsOf::Seq(seq)))
    }

    fn brings_secrets_of(&self, scope: Option<&SealScope>) -> bool {
        let shows_global = |member: &Member| member.terms.global && member.terms.reveal;
        match scope {
            Some(SealScope::Global) => self.memberships.iter().any(shows_global),
            Some(SealScope::Project(id)) => self.reveals_project(Some(id)),
            None => false,
        }
    }

    fn reveals(&self, scope: &SealScope) -> bool {
        match scope {
            SealScope::Global => false,
            SealScope::Project(id) => self.reveals_project(Some(id)),
        }
    }

    fn reveals_chain(&self, chain: &[Rc<Record>]) -> bool {
        let project = chain.iter().find(|record| record.address.level == Level::Project);
        self.reveals_project(project.map(|project| &project.address.id))
    }

    fn reveals_version(&self, reads: &dyn Reads, version: &Version, state: &State) -> Result<bool> {
        let project = project_with(reads, &version.address, state.parent.as_ref(), version.seq)?;
        Ok(self.reveals_project(project.as_ref()))
    }

    fn reveals_at(&self, reads: &dyn Reads, address: &Address, seq: u64) -> Result<bool> {
        Ok(self.reveals_project(project_at(reads, address, seq)?.as_ref()))
    }

    fn first(&self) -> u64 {
        self.memberships.iter().map(Member::first_seq).min().unwrap_or(0)
    }

    fn memberships(&self) -> Option<&[Member]> {
        Some(&self.memberships)
    }
}

impl Guest {
    fn member(&self, project: &ContextId) -> Option<&Member> {
        self.memberships.iter().find(|member| member.project == *project)
    }

    fn reveals_project(&self, project: Option<&ContextId>) -> bool {
        let member = project.and_then(|project| self.member(project));
        member.is_some_and(|member| member.terms.reveal)
    }

    /// The membership by which the guest enters a context, if it gives the needed role.
    fn enter(&self, reads: &dyn Reads, address: &Address, needed: Role) -> Result<&Member> {
        let project = self.place(reads, address)?;
        let member = project.and_then(|project| self.member(&project));
        match member.ok_or_else(Error::not_found)? {
            member if needed == Role::Writer && member.terms.role == Role::Reader => {
                Err(Error::new(
                    Code::Forbidden,
                    "your role in this project is `reader`; writing needs the role `writer`",
                ))
            }
            member => Ok(member),
        }
    }

    fn enter_parent(
        &self,
        reads: &dyn Reads,
        child: &Address,
        parent: Option<&ContextId>,
    ) -> Result<()> {
        match parent.and_then(|parent| Address::above(child.level, parent)) {
            Some(parent) if parent.level >= Level::Project => {
                self.enter(reads, &parent, Role::Writer).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// The project of a context: for a deleted one, where it stood last, if the guest saw it there.
    fn place(&self, reads: &dyn Reads, address: &Address) -> Result<Option<ContextId>> {
        let Some(record) = reads.record(address)? else { return Ok(None) };
        let Some(deleted) = record.deleted else { return standing(reads, &record) };
        let before = deleted.saturating_sub(1);
        let project = project_at(reads, address, before)?;
        if self.sees_project(project.as_ref(), before) {
            return Ok(project);
        }
        // One commit may create a context and delete it.
        let first = reads.versions_from(address, 1, 1)?;
        let is_of_one_commit =
            first.first().is_some_and(|first| first.version == 1 && first.seq == deleted);
        if is_of_one_commit { standing(reads, &record) } else { Ok(None) }
    }
}

/// The refusal to reveal what is shared without its secrets.
pub(crate) fn shared_sealed() -> Error {
    Error::new(
        Code::Forbidden,
        "the owner shares this project without its secrets; read it without `reveal`",
    )
}

/// The project that the parents of a record lead to.
fn standing(reads: &dyn Reads, record: &Rc<Record>) -> Result<Option<ContextId>> {
    let mut next = Some(record.clone());
    while let Some(record) = next {
        if record.address.level == Level::Project {
            return Ok(Some(record.address.id.clone()));
        }
        next = match record.above() {
            Some(above) => reads.record(&above)?,
            None => None,
        };
    }
    Ok(None)
}
