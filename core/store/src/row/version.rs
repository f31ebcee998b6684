//! Rows of versions: mostly the patch back to the previous version.
//!
//! ```text
//! columns: level, id, version, seq, at
//! value  : 01  change  flags(summary, undo, undo rules, undo parent, full, full parent, full rules)
//!          by  summary?
//!          undo?:  count  operations  rules?  parent?
//!          full?:  parent?  rules?  data …
//! operation := name  path  value | from?                  name: the place in RFC 6902 §4, from 0
//! path      := count  tokens
//! ```
//! Most rows have one or two operations with short values, so there is little structure around
//! them: an edit of one member takes about 20 bytes more than its pointer and old value.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use super::{
    Row, VALUE_BYTES,
    bytes::{Reader, Writer},
    level_number, odd,
};
use crate::{
    moment::Moment,
    record::{Change, State, Undo, Version},
    seal::RowIdentity,
};
use nacre_layers::{
    address::Address,
    error::Result,
    id::ContextId,
    json,
    layer::Layer,
    patch::{JsonPatch, Operation},
    pointer::Pointer,
    rules::Rules,
};

/// The columns of a version's row.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionColumns {
    /// The context.
    pub address: Address,
    /// The number of the version.
    pub version: u64,
    /// The `seq` of the commit that made it.
    pub seq: u64,
    /// The time of the commit.
    pub at: Moment,
}

impl Row for Version {
    type Columns = VersionColumns;

    fn columns(&self) -> VersionColumns {
        VersionColumns {
            address: self.address.clone(),
            version: self.version,
            seq: self.seq,
            at: self.at,
        }
    }

    fn identity(columns: &VersionColumns) -> RowIdentity {
        RowIdentity::new("versions")
            .number(level_number(columns.address.level))
            .text(columns.address.id.as_str())
            .number(columns.version)
            .number(columns.seq)
            .number(columns.at.0)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let undo = self.undo.as_ref();
        let full = self.full.as_deref().filter(|full| {
            // Without the whole state, readers must undo more versions; but a row that is too large
            // cannot be stored.
            full.layer.text().len() + undo.map_or(0, undo_bytes) < VALUE_BYTES
        });
        let mut writer = Writer::new();
        writer.byte(change_number(self.change));
        writer.flags([
            self.summary.is_some(),
            undo.is_some(),
            undo.is_some_and(|undo| undo.rules.is_some()),
            undo.is_some_and(|undo| undo.parent.is_some()),
            full.is_some(),
            full.is_some_and(|full| full.parent.is_some()),
            full.is_some_and(|full| !full.rules.is_empty()),
        ]);
        writer.text(self.by.as_str());
        writer.optional_text(self.summary.as_deref());
        if let Some(undo) = undo {
            write_patch(&mut writer, &undo.data);
            if let Some(rules) = &undo.rules {
                writer.rules(rules);
            }
            writer.optional_text(undo.parent.as_ref().map(ContextId::as_str));
        }
        if let Some(full) = full {
            writer.optional_text(full.parent.as_ref().map(ContextId::as_str));
            if !full.rules.is_empty() {
                writer.rules(&full.rules);
            }
            writer.rest(full.layer.text());
        }
        Ok(writer.finish())
    }

    fn decode(columns: VersionColumns, mut plain: Vec<u8>) -> Result<Version> {
        let mut reader = Reader::new(&plain)?;
        let change = change_of(reader.byte()?)?;
        let [summary, undo, undo_rules, undo_parent, full, full_parent, full_rules] =
            reader.flags()?;
        let by = reader.user()?;
        let summary = reader.optional_text(summary)?;
        let undo = if undo {
            let data = read_patch(&mut reader)?;
            let rules = undo_rules.then(|| reader.rules()).transpose()?;
            let parent = undo_parent.then(|| reader.context_id()).transpose()?;
            Some(Undo { data, rules, parent })
        } else if undo_rules || undo_parent {
            return Err(odd());
        } else {
            None
        };
        let full = if full {
            let parent = full_parent.then(|| reader.context_id()).transpose()?;
            let rules = if full_rules { reader.rules()? } else { Rules::default() };
            let header = plain.len() - reader.left();
            plain.drain(..header);
            let layer = Layer::from_canonical(plain).map_err(|_| odd())?;
            Some(Box::new(State { layer: Rc::new(layer), rules: Rc::new(rules), parent }))
        } else if full_parent || full_rules {
            return Err(odd());
        } else {
            reader.end()?;
            None
        };
        let VersionColumns { address, version, seq, at } = columns;
        Ok(Version { address, version, seq, at, by, summary, change, undo, full })
    }
}

/// The approximate size of an undo, in bytes.
fn undo_bytes(undo: &Undo) -> usize {
    let of = |operation: &Operation| {
        operation.path().as_str().len()
            + match operation {
                Operation::Add { value, .. }
                | Operation::Replace { value, .. }
                | Operation::Test { value, .. } => json::length(value),
                Operation::Move { from, .. } | Operation::Copy { from, .. } => from.as_str().len(),
                Operation::Remove { .. } => 0,
            }
    };
    undo.data.operations.iter().map(of).sum()
}

const CHANGES: [Change; 6] = [
    Change::Create,
    Change::Update,
    Change::Delete,
    Change::Restore,
    Change::Rollback,
    Change::Move,
];

const fn change_number(change: Change) -> u8 {
    match change {
        Change::Create => 0,
        Change::Update => 1,
        Change::Delete => 2,
        Change::Restore => 3,
        Change::Rollback => 4,
        Change::Move => 5,
    }
}

fn change_of(number: u8) -> Result<Change> {
    CHANGES.get(usize::from(number)).copied().ok_or_else(odd)
}

fn write_patch(writer: &mut Writer, patch: &JsonPatch) {
    writer.number(patch.operations.len() as u64);
    for operation in &patch.operations {
        let number = match operation {
            Operation::Add { .. } => 0,
            Operation::Remove { .. } => 1,
            Operation::Replace { .. } => 2,
            Operation::Move { .. } => 3,
            Operation::Copy { .. } => 4,
            Operation::Test { .. } => 5,
        };
        writer.byte(number);
        write_pointer(writer, operation.path());
        match operation {
            Operation::Add { value, .. }
            | Operation::Replace { value, .. }
            | Operation::Test { value, .. } => writer.value(value),
            Operation::Move { from, .. } | Operation::Copy { from, .. } => {
                write_pointer(writer, from);
            }
            Operation::Remove { .. } => {}
        }
    }
}

fn read_patch(reader: &mut Reader<'_>) -> Result<JsonPatch> {
    // Memory is not reserved by a count from the input; each operation needs real bytes.
    let mut operations = Vec::new();
    for _ in 0..reader.number()? {
        let number = reader.byte()?;
        let path = read_pointer(reader)?;
        operations.push(match number {
            0 => Operation::Add { path, value: reader.value()? },
            1 => Operation::Remove { path },
            2 => Operation::Replace { path, value: reader.value()? },
            3 => Operation::Move { from: read_pointer(reader)?, path },
            4 => Operation::Copy { from: read_pointer(reader)?, path },
            5 => Operation::Test { path, value: reader.value()? },
            _ => return Err(odd()),
        });
    }
    Ok(JsonPatch { operations })
}

/// By token, and without the limit for pointers from callers: names of members may be longer.
fn write_pointer(writer: &mut Writer, pointer: &Pointer) {
    writer.number(pointer.len() as u64);
    pointer.tokens().for_each(|token| writer.text(&token));
}

fn read_pointer(reader: &mut Reader<'_>) -> Result<Pointer> {
    let mut pointer = Pointer::root();
    for _ in 0..reader.number()? {
        pointer.push(reader.text()?);
    }
    Ok(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_has_its_number() {
        for (number, change) in CHANGES.into_iter().enumerate() {
            assert_eq!(usize::from(change_number(change)), number);
        }
        assert!(change_of(6).is_err());
    }
}
