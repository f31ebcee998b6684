//! Permissions: the scopes of a token, and the sight of its user.

use crate::{
    op::{Administration, Caller, Command, Edit, Inspection, Op, Read},
    sight::Sight,
    store::Reads,
};
use nacre_layers::error::{Code, Error, Result};

/// Checks scopes, and what the caller may see.
///
/// # Errors
/// `forbidden` for a missing scope or role, `not-found` for what the caller may not see.
pub(super) fn permit_command(
    reads: &dyn Reads,
    caller: &Caller,
    sight: &dyn Sight,
    command: &Command,
) -> Result<()> {
    match command {
        Command::Op(op) => permit(reads, caller, sight, op),
        // Each operation is checked when it is decided.
        Command::Batch(_) => permit_scopes(caller, true, command.reveals()),
        Command::Inspection(
            Inspection::Members
            | Inspection::Promotions { .. }
            | Inspection::Templates
            | Inspection::Template(_),
        ) => permit_scopes(caller, false, false),
        Command::Administration(Administration::Begin(_)) => permit_scopes(caller, true, false),
        // The two contexts are checked when it is decided. The answer shows what a preview does.
        Command::Administration(Administration::Propose(_) | Administration::Settle(..)) => {
            permit_scopes(caller, true, false)?;
            permit_scopes(caller, false, false)
        }
        Command::Inspection(_) | Command::Administration(_) => {
            permit_scopes(caller, command.is_write(), command.reveals())?;
            if sight.is_owner() {
                return Ok(());
            }
            Err(Error::new(Code::Forbidden, "only the owner of the store can do this"))
        }
    }
}

/// As [`permit_command`], for one operation.
pub(super) fn permit(reads: &dyn Reads, caller: &Caller, sight: &dyn Sight, op: &Op) -> Result<()> {
    match op {
        Op::Read(read) => permit_read(reads, caller, sight, read),
        Op::Edit(edit) => permit_edit(reads, caller, sight, edit),
    }
}

/// As [`permit_command`], for one read.
pub(crate) fn permit_read(
    reads: &dyn Reads,
    caller: &Caller,
    sight: &dyn Sight,
    read: &Read,
) -> Result<()> {
    permit_scopes(caller, false, read.reveals())?;
    sight.permit_read(reads, read)
}

/// Checks the scope of a search.
///
/// # Errors
/// `forbidden` without `contexts:read`.
pub(crate) fn permit_search(caller: &Caller) -> Result<()> {
    permit_scopes(caller, false, false)
}

/// As [`permit_command`], for one edit.
pub(super) fn permit_edit(
    reads: &dyn Reads,
    caller: &Caller,
    sight: &dyn Sight,
    edit: &Edit,
) -> Result<()> {
    permit_scopes(caller, true, false)?;
    sight.permit_edit(reads, edit)
}

fn permit_scopes(caller: &Caller, is_write: bool, reveals: bool) -> Result<()> {
    let lacking = |scope| {
        Err(Error::new(Code::Forbidden, alloc::format!("the token must have the scope {scope}")))
    };
    match caller.scopes {
        scopes if is_write && !scopes.allows_write() => lacking("contexts:write"),
        scopes if !is_write && !scopes.allows_read() => lacking("contexts:read"),
        scopes if reveals && !scopes.allows_reveal() => lacking("secrets:reveal"),
        _ => Ok(()),
    }
}
