//! Brings back a context of an export with its versions and entries.

use alloc::{boxed::Box, format, rc::Rc, vec::Vec};

use super::draft::{Draft, Made};
use crate::{
    history::WHOLE_EVERY,
    op::{Past, PastEntry, PastVersion, Put},
    plan::{Changed, Event, Reply, Warning},
    record::{Change, Deed, Entry, EntryId, Heading, Record, State, Version},
    store::Write,
};
use nacre_layers::{
    error::{Code, Error, Result},
    id::ContextId,
    value::Value,
};

impl Draft<'_, '_> {
    /// Creates a context that was never there, as it was exported: with the numbers, times and users
    /// of its versions and entries. All of them belong to this commit.
    pub(super) fn bring_back(&mut self, put: &Put, past: &Past) -> Result<Reply> {
        let address = &put.address;
        let parent = self.parent_for(put, None)?;
        let mut before: Option<State> = None;
        for version in &past.versions {
            before = Some(self.past_version(put, version, parent.as_ref(), before.as_ref())?);
        }
        let newest = past.versions.last().ok_or_else(|| differs("`history` must not be empty"))?;
        let after = State { parent, ..before.ok_or_else(|| Error::bug("there is a version"))? };
        let given = Value::Object(put.data.clone());
        let rules = put.rules.clone().unwrap_or_default();
        if given != Value::Object(newest.data.clone()) || *after.rules != rules {
            return Err(differs("the newest version in `history` must be the same as the context"));
        }
        let patch = after.patch_from(None)?;
        let above = self.above(address, &after)?;
        self.check(&Made {
            address,
            above: Some(&above),
            existing: None,
            before: None,
            state: &after,
            patch: &patch,
            undo: None,
            is_full: false,
            may_break_locks: true,
        })?;
        let record = Rc::new(Record {
            heading: Rc::new(Heading {
                address: address.clone(),
                parent: after.parent,
                version: newest.version,
                seq: self.seq,
                rules: after.rules,
                created_at: past.created_at,
                updated_at: newest.at,
                updated_by: newest.by.clone(),
                deleted: None,
            }),
            layer: after.layer,
        });
        self.write(Write::Record(record.clone()));
        let change = Change::Create;
        self.deed(Deed {
            action: change.as_str(),
            address: Some(address.clone()),
            version: Some(newest.version),
            member: None,
            pointers: Vec::new(),
        });
        let changed = Changed { context: record.heading.clone(), before: None, change, patch };
        self.event(Event::Change(Rc::new(changed)));
        for entry in &past.entries {
            self.past_entry(entry, &record)?;
        }
        Ok(self.context(record, true))
    }

    /// Notes that the past of a context which is there already was left out.
    pub(super) fn leave_past_out(&mut self, put: &Put, past: &Past) {
        let (versions, entries) = (past.versions.len(), past.entries.len());
        self.warnings.push(Warning {
            code: "history-left-out",
            pointer: Default::default(),
            detail: format!(
                "{} is there already, so {versions} versions and {entries} entries of the line \
                 were not imported",
                put.address
            ),
        });
    }

    fn past_version(
        &mut self,
        put: &Put,
        past: &PastVersion,
        parent: Option<&ContextId>,
        before: Option<&State>,
    ) -> Result<State> {
        // All versions are sealed for the project to which the context comes back.
        let layer = self.take_in(Value::Object(past.data.clone()), &put.address, parent, None)?;
        let rules = Rc::new(past.rules.clone());
        let state = State { layer, rules, parent: past.parent.clone() };
        self.write(Write::Version(Version {
            address: put.address.clone(),
            version: past.version,
            seq: self.seq,
            at: past.at,
            by: past.by.clone(),
            summary: past.summary.clone(),
            change: past.change,
            undo: before.map(|before| state.undo_to(before)).transpose()?,
            full: past.version.is_multiple_of(WHOLE_EVERY).then(|| Box::new(state.clone())),
        }));
        Ok(state)
    }

    fn past_entry(&mut self, past: &PastEntry, context: &Record) -> Result<()> {
        let PastEntry { entry: new, at, by } = past;
        new.check()?;
        let content = self.seal_note(&new.content, context)?;
        let id = EntryId { seq: self.seq, n: self.entries };
        self.entries += 1;
        self.write(Write::Entry(Entry {
            address: new.address.clone(),
            kind: new.kind,
            id,
            at: *at,
            by: by.clone(),
            content,
            category: new.category.clone(),
            importance: new.importance,
            agent: new.agent.clone(),
        }));
        Ok(())
    }
}

fn differs(detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail).at("/history")
}
