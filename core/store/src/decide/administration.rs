//! The store as a whole, for its owner: import, export, members, the audit trail.

use alloc::{rc::Rc, vec::Vec};

use super::{
    Asker, Setting,
    batch::within_limit,
    draft::Draft,
    promotions::promotions,
    read::{Show, Step, descend, entries, known, list, page, paged},
    reveal::{deed_of, reveal_entries, revealed},
    revocations::revocations,
    templates::{template, templates},
};
use crate::{
    limits,
    op::{Administration, Expect, ExportPart, Import, ImportLine, ImportMode, Inspection, Put},
    plan::Reply,
    record::{Audit, State},
    sight::Sight,
    store::{Filter, Reads},
};
use nacre_layers::{
    error::{Code, Error, Result},
    layer::Layer,
};

pub(super) fn inspect(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    asker: Asker<'_>,
    inspection: &Inspection,
) -> Result<Reply> {
    match inspection {
        Inspection::Members => {
            // A guest is told the terms that they have, and nobody else's.
            let of = (!asker.sight.is_owner()).then_some(&asker.caller.user);
            Ok(Reply::Members(reads.members(of)?))
        }
        Inspection::Revocations => Ok(Reply::Revocations(revocations(reads)?)),
        Inspection::Templates => templates(reads, asker.sight),
        Inspection::Template(name) => template(reads, asker.sight, name),
        Inspection::Promotions { standing, before, limit } => {
            promotions(reads, asker.sight, *standing, *before, *limit)
        }
        Inspection::Audit { .. } | Inspection::Export { .. } => {
            inspect_alone(reads, setting, asker, inspection)
        }
    }
}

/// As [`inspect`], for a store without guests and tokens.
pub(super) fn inspect_alone(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    asker: Asker<'_>,
    inspection: &Inspection,
) -> Result<Reply> {
    match inspection {
        Inspection::Audit { before, limit } => audit(reads, *before, *limit),
        Inspection::Export { part, reveal } => export(reads, setting, asker.sight, part, *reveal),
        Inspection::Members
        | Inspection::Revocations
        | Inspection::Templates
        | Inspection::Template(_)
        | Inspection::Promotions { .. } => Err(alone()),
    }
}

fn alone() -> Error {
    Error::new(Code::Forbidden, "this store has no members, tokens, templates and promotions")
}

/// Contexts that an export reads at once.
const EXPORTED: usize = 31;

fn audit(reads: &dyn Reads, before: Option<u64>, limit: usize) -> Result<Reply> {
    let (items, more) = paged(
        page(limit),
        |last: Option<&Audit>, limit| reads.audit(last.map(|last| last.seq).or(before), limit),
        |audit| DEED_BYTES * audit.deeds.len(),
    )?;
    Ok(Reply::Audit { items, more })
}

/// What an action takes in a page of the audit trail, about.
const DEED_BYTES: usize = 256;

fn export(
    reads: &dyn Reads,
    setting: &Setting<'_>,
    sight: &dyn Sight,
    part: &ExportPart,
    reveal: bool,
) -> Result<Reply> {
    match part {
        ExportPart::Contexts(after) => {
            let show = Show { data: true, reveal };
            list(reads, setting, sight, &Filter::default(), after.as_ref(), EXPORTED, show)
        }
        ExportPart::Versions(address, before) => {
            let current = known(reads, address)?;
            let (mut items, mut revealed) = (Vec::new(), Vec::new());
            let next = descend(reads, &current, Some(*before), limits::PAGE, |row, state, _| {
                let mut state = state.clone();
                if reveal {
                    revealed.extend(deed_of(address, row.version, &state.layer)?);
                    state = opened(reads, setting, state)?;
                }
                let bytes = state.layer.memory();
                items.push((row, state));
                Ok(Step { bytes, is_last: false })
            })?;
            Ok(Reply::Versions { items, more: next.is_some(), revealed })
        }
        ExportPart::Entries(address, kind, before) => {
            let mut reply = entries(reads, sight, address, *kind, *before, limits::PAGE)?;
            if reveal {
                reveal_entries(reads, setting, sight, &mut reply)?;
            }
            Ok(reply)
        }
    }
}

fn opened(reads: &dyn Reads, setting: &Setting<'_>, state: State) -> Result<State> {
    let layer = Rc::new(Layer::from_value(&revealed(reads, setting, &state.layer)?)?);
    Ok(State { layer, ..state })
}

impl Draft<'_, '_> {
    pub(super) fn administer(&mut self, administration: &Administration) -> Result<Reply> {
        match administration {
            Administration::Import(_) => self.administer_alone(administration),
            Administration::PutMember { user, project, terms } => {
                self.put_member(user, project, *terms)
            }
            Administration::DeleteMember { user, project } => self.delete_member(user, project),
            Administration::Revoke { subject, time } => self.revoke(subject, *time),
            Administration::Unrevoke(subject) => self.unrevoke(subject),
            Administration::Propose(proposal) => self.propose(proposal),
            Administration::Settle(id, verdict) => self.settle(*id, *verdict),
            Administration::PutTemplate { name, members } => self.put_template(name, members),
            Administration::DeleteTemplate(name) => self.delete_template(name),
            Administration::Begin(beginning) => self.begin(beginning),
        }
    }

    /// As [`Self::administer`], for a store without guests and tokens.
    pub(super) fn administer_alone(&mut self, administration: &Administration) -> Result<Reply> {
        match administration {
            Administration::Import(import) => self.import(import),
            Administration::PutMember { .. }
            | Administration::DeleteMember { .. }
            | Administration::Revoke { .. }
            | Administration::Unrevoke(_)
            | Administration::Propose(_)
            | Administration::Settle(..)
            | Administration::PutTemplate { .. }
            | Administration::DeleteTemplate(_)
            | Administration::Begin(_) => Err(alone()),
        }
    }

    fn import(&mut self, import: &Import) -> Result<Reply> {
        within_limit(import.lines.len())?;
        let (mut created, mut replaced, mut warnings) = (0, 0, Vec::new());
        // A value from before a lock is legal, and the lock ignores it.
        self.imports = true;
        for (index, line) in import.lines.iter().enumerate() {
            let outcome = line
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|line| self.import_line(line, import.mode))
                .map_err(|error| error.failed_operation(index))?;
            if let Reply::Context(reply) = outcome {
                *(if reply.created { &mut created } else { &mut replaced }) += 1;
                warnings.extend(reply.warnings);
            }
            warnings.truncate(limits::WARNINGS);
        }
        self.imports = false;
        Ok(Reply::Imported { created, replaced, warnings })
    }
}

impl Draft<'_, '_> {
    fn import_line(&mut self, line: &ImportLine, mode: ImportMode) -> Result<Reply> {
        let put = put(line, mode);
        match &line.past {
            Some(past) if self.store.record(&put.address)?.is_none() => self.bring_back(&put, past),
            Some(past) => {
                self.leave_past_out(&put, past);
                self.put(&put)
            }
            None => self.put(&put),
        }
    }
}

fn put(line: &ImportLine, mode: ImportMode) -> Put {
    Put {
        address: line.address.clone(),
        data: line.data.clone(),
        parent: line.parent.clone(),
        rules: line.rules.clone(),
        summary: None,
        create_parents: false,
        expect: match mode {
            ImportMode::Create => Expect::Absent,
            ImportMode::Replace => Expect::Anything,
        },
    }
}
