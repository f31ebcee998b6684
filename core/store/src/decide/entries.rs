//! Insights and progress notes: lists that only grow.

use alloc::{boxed::Box, format, rc::Rc, string::String, vec::Vec};

use super::draft::Draft;
use crate::{
    limits,
    op::NewEntry,
    plan::{Event, Reply},
    record::{Deed, Entry, EntryId},
    store::Write,
};
use nacre_layers::error::{Code, Error, Result};

impl Draft<'_, '_> {
    pub(super) fn add_entry(&mut self, new: &NewEntry) -> Result<Reply> {
        let live = self.live(&new.address)?;
        new.check()?;
        let content = self.seal_note(&new.content, &live)?;
        // The answer shows whether it was sealed.
        self.warnings.clear();
        let entry = Entry {
            address: new.address.clone(),
            kind: new.kind,
            id: EntryId { seq: self.seq, n: self.entries },
            // The clock of a device may be behind, and no entry is older than its context.
            at: self.setting.at.max(live.created_at),
            by: self.asker.caller.user.clone(),
            content,
            category: new.category.clone(),
            importance: new.importance,
            agent: new.agent.clone(),
        };
        self.entries += 1;
        self.write(Write::Entry(entry.clone()));
        self.event(Event::Entry(Rc::new(entry.clone())));
        self.deed(Deed {
            action: new.kind.deed(),
            address: Some(new.address.clone()),
            version: None,
            member: None,
            pointers: Vec::new(),
        });
        Ok(Reply::Entry(Box::new(entry)))
    }
}

impl NewEntry {
    /// Checks the texts and the importance.
    pub(super) fn check(&self) -> Result<()> {
        bounded("/content", Some(&self.content), limits::ENTRY_BYTES)?;
        bounded("/category", self.category.as_ref(), limits::SUMMARY_BYTES)?;
        bounded("/agent", self.agent.as_ref(), limits::SUMMARY_BYTES)?;
        if self.importance.is_some_and(|importance| !(0.0..=1.0).contains(&importance)) {
            return Err(Error::new(
                Code::InvalidRequest,
                "`importance` must be a number from 0 to 1",
            )
            .at("/importance"));
        }
        Ok(())
    }
}

fn bounded(pointer: &'static str, text: Option<&String>, limit: usize) -> Result<()> {
    match text {
        Some(text) if text.is_empty() => {
            Err(Error::new(Code::InvalidRequest, "this text must not be empty").at(pointer))
        }
        Some(text) if text.len() > limit => {
            let detail = format!("this text must be at most {limit} bytes");
            Err(Error::new(Code::TooLarge, detail).at(pointer).limit(limit as u64))
        }
        _ => Ok(()),
    }
}
