//! Exports: one context per line, with its history and entries.

use alloc::{rc::Rc, string::ToString, vec::Vec};

use super::{context::write_rules, reply::EntryText, text::ObjectText};
use nacre_layers::{
    address::Address,
    error::{Error, Result},
    json, value,
};
use nacre_store::{
    op::{ExportPart, Inspection},
    plan::{ContextReply, Reply},
    record::{Entry, EntryId, EntryKind, Heading, State, Version},
};

/// A running export: the next part to decide, and how its reply continues the lines.
///
/// ```text
/// {"created_at","data","history":[{"at","by","change","data","parent","rules","seq","summary",
///  "version"}],"id","insights":[…],"level","parent","progress":[…],"rules","updated_at",
///  "updated_by","version"}
/// ```
/// History and entries come newest first, as in their lists. Concurrent changes may or may not be
/// included: each context has the state of the time when it was read, with those just before it.
/// [`open_export`](super::open_export) makes a store of the lines.
#[derive(Debug)]
pub struct Export {
    reveal: bool,
    stage: Stage,
    /// Contexts that were read together with the current one, the next one last.
    ahead: Vec<ContextReply>,
    /// The context after which the next ones are read.
    after: Option<Address>,
    /// Whether there are more after that.
    more: bool,
}

/// The position in the text.
#[derive(Debug)]
enum Stage {
    /// Before the next contexts.
    Line,
    /// In a context's history, before this version.
    History { context: Rc<Heading>, before: u64 },
    /// In one of its lists, before this entry.
    Entries { context: Rc<Heading>, kind: EntryKind, before: Option<EntryId> },
    /// At the end.
    End,
}

impl Export {
    /// Starts with the first context.
    pub fn new(reveal: bool) -> Export {
        Export { reveal, stage: Stage::Line, ahead: Vec::new(), after: None, more: true }
    }

    /// The next part to decide; `None` at the end.
    pub fn next(&self) -> Option<Inspection> {
        let part = match &self.stage {
            Stage::Line => ExportPart::Contexts(self.after.clone()),
            Stage::History { context, before } => {
                ExportPart::Versions(context.address.clone(), *before)
            }
            Stage::Entries { context, kind, before } => {
                ExportPart::Entries(context.address.clone(), *kind, *before)
            }
            Stage::End => return None,
        };
        Some(Inspection::Export { part, reveal: self.reveal })
    }

    /// Appends the reply to [`Self::next`].
    ///
    /// # Errors
    /// `internal` for a reply to another question.
    pub fn write(&mut self, reply: &Reply, out: &mut Vec<u8>) -> Result<()> {
        let stage = core::mem::replace(&mut self.stage, Stage::End);
        self.stage = match (stage, reply) {
            (Stage::Line, Reply::Contexts { items, next }) => {
                self.ahead = items.iter().rev().cloned().collect();
                self.after = items.last().map(|last| last.shown.address.clone());
                self.more = next.is_some();
                self.line(out)?
            }
            (Stage::History { context, before }, Reply::Versions { items, more, .. }) => {
                list(items, context.version >= before, out, |out, (version, state)| {
                    write_version(version, state, out);
                    Ok(())
                })?;
                match items.last() {
                    Some((last, _)) if *more => Stage::History { context, before: last.version },
                    _ => after_history(context, out),
                }
            }
            (Stage::Entries { context, kind, before }, Reply::Entries { items, next, .. }) => {
                list(items, before.is_some(), out, write_entry)?;
                match next {
                    Some(before) => Stage::Entries { context, kind, before: Some(*before) },
                    None => match after_entries(context, kind, out) {
                        Stage::Line => self.line(out)?,
                        stage => stage,
                    },
                }
            }
            _ => return Err(Error::bug("the reply does not belong to this part of the export")),
        };
        Ok(())
    }

    /// Begins the next line.
    fn line(&mut self, out: &mut Vec<u8>) -> Result<Stage> {
        match self.ahead.pop() {
            Some(reply) => begin(&reply, out),
            None if self.more => Ok(Stage::Line),
            None => Ok(Stage::End),
        }
    }
}

/// The members before the history.
fn begin(reply: &ContextReply, out: &mut Vec<u8>) -> Result<Stage> {
    let context = reply.shown.heading();
    let mut line = ObjectText::open(out);
    line.string("created_at", &context.created_at.to_string());
    match (&reply.revealed, reply.shown.layer()) {
        (Some(revealed), _) => json::write_to(revealed, line.member("data")),
        (None, Some(layer)) => line.raw("data", layer.text()),
        (None, None) => return Err(Error::bug("an export needs the data of each context")),
    }
    line.raw("history", b"[");
    Ok(Stage::History { context: context.clone(), before: context.version + 1 })
}

fn after_history(context: Rc<Heading>, out: &mut Vec<u8>) -> Stage {
    out.push(b']');
    let mut line = ObjectText::after("history", out);
    line.string("id", context.address.id.as_str());
    line.raw("insights", b"[");
    Stage::Entries { context, kind: EntryKind::Insight, before: None }
}

fn after_entries(context: Rc<Heading>, kind: EntryKind, out: &mut Vec<u8>) -> Stage {
    out.push(b']');
    match kind {
        EntryKind::Insight => {
            let mut line = ObjectText::after("insights", out);
            line.string("level", context.address.level.as_str());
            line.option("parent", context.parent.as_ref().map(|parent| parent.as_str()));
            line.raw("progress", b"[");
            Stage::Entries { context, kind: EntryKind::Progress, before: None }
        }
        EntryKind::Progress => {
            let mut line = ObjectText::after("progress", out);
            write_rules(&context.rules, line.member("rules"));
            line.string("updated_at", &context.updated_at.to_string());
            line.string("updated_by", context.updated_by.as_str());
            line.number("version", context.version);
            line.close();
            out.push(b'\n');
            Stage::Line
        }
    }
}

/// Continues an array; `some` says whether it already has items.
fn list<T>(
    items: &[T],
    some: bool,
    out: &mut Vec<u8>,
    write: impl Fn(&mut Vec<u8>, &T) -> Result<()>,
) -> Result<()> {
    for (at, item) in items.iter().enumerate() {
        if some || at > 0 {
            out.push(b',');
        }
        write(out, item)?;
    }
    Ok(())
}

fn write_version(version: &Version, state: &State, out: &mut Vec<u8>) {
    let mut object = ObjectText::open(out);
    object.string("at", &version.at.to_string());
    object.string("by", version.by.as_str());
    object.string("change", version.change.as_str());
    object.raw("data", state.layer.text());
    object.option("parent", state.parent.as_ref().map(|parent| parent.as_str()));
    write_rules(&state.rules, object.member("rules"));
    object.number("seq", version.seq);
    object.option("summary", version.summary.as_deref());
    object.number("version", version.version);
    object.close();
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry) -> Result<()> {
    json::write_to(&value::encode(&EntryText::of(entry))?, out);
    Ok(())
}
