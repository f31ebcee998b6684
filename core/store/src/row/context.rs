//! Rows of contexts in their current state.
//!
//! ```text
//! columns: level, id, parent, updated_at, deleted
//! value  : 01  flags(rules)  version  seq  created_at  updated_by  rules?  data …
//! ```
//! The data is canonical text and comes last. Reading slices and indexes it, without parsing it
//! into a tree.

use alloc::{rc::Rc, vec::Vec};

use super::{
    Row,
    bytes::{Reader, Writer},
    level_number, odd,
};
use crate::{
    moment::Moment,
    record::{Heading, Record},
    seal::{Keyring, RowIdentity, open_row, open_start},
};
use nacre_layers::{address::Address, error::Result, id::ContextId, layer::Layer, rules::Rules};

/// The columns of a context's row.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextColumns {
    /// The level and the id.
    pub address: Address,
    /// The id of the parent.
    pub parent: Option<ContextId>,
    /// The time of the last change.
    pub updated_at: Moment,
    /// The `seq` of the commit that deleted it.
    pub deleted: Option<u64>,
}

impl Row for Record {
    type Columns = ContextColumns;

    fn columns(&self) -> ContextColumns {
        ContextColumns {
            address: self.address.clone(),
            parent: self.parent.clone(),
            updated_at: self.updated_at,
            deleted: self.deleted,
        }
    }

    fn identity(columns: &ContextColumns) -> RowIdentity {
        let identity = RowIdentity::new("contexts")
            .number(level_number(columns.address.level))
            .text(columns.address.id.as_str())
            .text(columns.parent.as_ref().map_or("", ContextId::as_str))
            .number(columns.updated_at.0);
        columns.deleted.into_iter().fold(identity, RowIdentity::number)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.flags([!self.rules.is_empty()]);
        writer.number(self.version);
        writer.number(self.seq);
        writer.moment(self.created_at);
        writer.text(self.updated_by.as_str());
        if !self.rules.is_empty() {
            writer.rules(&self.rules);
        }
        writer.rest(self.layer.text());
        Ok(writer.finish())
    }

    fn decode(columns: ContextColumns, mut plain: Vec<u8>) -> Result<Record> {
        let (heading, left) = read_heading(columns, &plain)?;
        plain.drain(..plain.len() - left);
        let layer = Rc::new(Layer::from_canonical(plain).map_err(|_| odd())?);
        Ok(Record { heading: Rc::new(heading), layer })
    }
}

/// A context as a list opens it.
#[derive(Debug)]
pub enum Listed {
    /// A small context, with its data.
    Whole(Record),
    /// Any other. Its data was neither unpacked nor indexed.
    Heading(Heading),
}

/// Opens a context's row for a list.
///
/// # Errors
/// `store-unavailable` if it was not written with these columns.
pub fn open_listed(columns: ContextColumns, keys: &Keyring, sealed: &[u8]) -> Result<Listed> {
    let identity = Record::identity(&columns);
    let start = open_start(keys, &identity, sealed, SMALL_BYTES)?;
    if start.len() < SMALL_BYTES {
        return Record::decode(columns, start).map(Listed::Whole);
    }
    if let Ok((heading, _)) = read_heading(columns.clone(), &start) {
        return Ok(Listed::Heading(heading));
    }
    // Its rules are longer.
    Ok(Listed::Heading(read_heading(columns, &open_row(keys, &identity, sealed)?)?.0))
}

/// The size of a small context, in bytes, and enough for nearly every heading.
const SMALL_BYTES: usize = 4096;

/// Reads everything but the data. Returns how many bytes the data takes.
fn read_heading(columns: ContextColumns, plain: &[u8]) -> Result<(Heading, usize)> {
    let mut reader = Reader::new(plain)?;
    let [has_rules] = reader.flags()?;
    let version = reader.number()?;
    let seq = reader.number()?;
    let created_at = reader.moment()?;
    let updated_by = reader.user()?;
    let rules = if has_rules { reader.rules()? } else { Rules::default() };
    let ContextColumns { address, parent, updated_at, deleted } = columns;
    let heading = Heading {
        address,
        parent,
        version,
        seq,
        rules: Rc::new(rules),
        created_at,
        updated_at,
        updated_by,
        deleted,
    };
    Ok((heading, reader.left()))
}
