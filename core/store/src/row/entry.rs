//! Rows of insights and progress notes.
//!
//! ```text
//! columns: level, id, kind, seq, n, at
//! value  : 01  flags(category, importance, agent)  by  content  category?  importance? (f64)  agent?
//! ```

use alloc::vec::Vec;

use super::{
    Row,
    bytes::{Reader, Writer},
    kind_number, level_number,
};
use crate::{
    moment::Moment,
    record::{Entry, EntryId, EntryKind},
    row::odd,
    seal::RowIdentity,
};
use nacre_layers::{address::Address, error::Result};

/// The columns of an entry's row.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryColumns {
    /// The context that it belongs to.
    pub address: Address,
    /// The list that it is in.
    pub kind: EntryKind,
    /// The id of the entry.
    pub id: EntryId,
    /// The time of the entry.
    pub at: Moment,
}

impl Row for Entry {
    type Columns = EntryColumns;

    fn columns(&self) -> EntryColumns {
        EntryColumns { address: self.address.clone(), kind: self.kind, id: self.id, at: self.at }
    }

    fn identity(columns: &EntryColumns) -> RowIdentity {
        RowIdentity::new("entries")
            .number(level_number(columns.address.level))
            .text(columns.address.id.as_str())
            .number(kind_number(columns.kind))
            .number(columns.id.seq)
            .number(columns.id.n)
            .number(columns.at.0)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.flags([self.category.is_some(), self.importance.is_some(), self.agent.is_some()]);
        writer.text(self.by.as_str());
        writer.text(&self.content);
        writer.optional_text(self.category.as_deref());
        if let Some(importance) = self.importance {
            writer.rest(&importance.to_le_bytes());
        }
        writer.optional_text(self.agent.as_deref());
        Ok(writer.finish())
    }

    fn decode(columns: EntryColumns, plain: Vec<u8>) -> Result<Entry> {
        let mut reader = Reader::new(&plain)?;
        let [category, importance, agent] = reader.flags()?;
        let by = reader.user()?;
        let content = reader.text()?.into();
        let category = reader.optional_text(category)?;
        let importance = importance.then(|| read_finite(&mut reader)).transpose()?;
        let agent = reader.optional_text(agent)?;
        reader.end()?;
        let EntryColumns { address, kind, id, at } = columns;
        Ok(Entry { address, kind, id, at, by, content, category, importance, agent })
    }
}

fn read_finite(reader: &mut Reader<'_>) -> Result<f64> {
    let number = f64::from_le_bytes(reader.array()?);
    if number.is_finite() { Ok(number) } else { Err(odd()) }
}
