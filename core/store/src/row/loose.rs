//! Rows for a key-value store: the columns come before the value.
//!
//! ```text
//! key  : r/c/<level>/<id>    r/v/<level>/<id>/<version>    r/e/<level>/<id>/<kind>/<seq>-<n>
//! value: 01  table  columns …  01  value …                  columns and value as in `row/`
//! ```
//! Only contexts, versions and entries, which a replica keeps.

use alloc::{format, rc::Rc, string::String, vec::Vec};

use super::{
    ContextColumns, EntryColumns, Row, VersionColumns,
    bytes::{Reader, Writer},
    kind_number, kind_of, level_number, level_of, odd,
};
use crate::{
    record::{Entry, EntryId, Record, Version},
    store::Write,
};
use nacre_layers::{address::Address, error::Result, id::ContextId};

const CONTEXT: u8 = 0;
const VERSION: u8 = 1;
const ENTRY: u8 = 2;

/// The key of a row; `None` for tables that are not kept this way.
pub fn row_key(write: &Write) -> Option<String> {
    Some(match write {
        Write::Record(record) => format!("r/c/{}", record.address),
        Write::Version(version) => format!("r/v/{}/{}", version.address, version.version),
        Write::Entry(entry) => {
            let EntryId { seq, n } = entry.id;
            format!("r/e/{}/{}/{seq}-{n}", entry.address, entry.kind.as_str())
        }
        _ => return None,
    })
}

/// The value of a row.
///
/// # Errors
/// `internal` for tables that are not kept this way.
pub fn pack(write: &Write) -> Result<Vec<u8>> {
    let mut writer = Writer::new();
    let value = match write {
        Write::Record(record) => {
            let ContextColumns { address, parent, updated_at, deleted } = record.columns();
            writer.byte(CONTEXT);
            write_address(&mut writer, &address);
            writer.flags([parent.is_some(), deleted.is_some()]);
            writer.optional_text(parent.as_ref().map(ContextId::as_str));
            writer.moment(updated_at);
            deleted.into_iter().for_each(|seq| writer.number(seq));
            record.encode()?
        }
        Write::Version(version) => {
            writer.byte(VERSION);
            write_address(&mut writer, &version.address);
            writer.number(version.version);
            writer.number(version.seq);
            writer.moment(version.at);
            version.encode()?
        }
        Write::Entry(entry) => {
            writer.byte(ENTRY);
            write_address(&mut writer, &entry.address);
            writer.number(kind_number(entry.kind));
            writer.number(entry.id.seq);
            writer.number(entry.id.n);
            writer.moment(entry.at);
            entry.encode()?
        }
        _ => {
            return Err(nacre_layers::error::Error::bug(
                "only contexts, versions and entries can be packed",
            ));
        }
    };
    writer.rest(&value);
    Ok(writer.finish())
}

/// The row of a value.
///
/// # Errors
/// `store-unavailable` for bytes that [`pack`] did not write.
pub fn unpack(bytes: &[u8]) -> Result<Write> {
    let mut reader = Reader::new(bytes)?;
    let table = reader.byte()?;
    let address = read_address(&mut reader)?;
    let rest = |reader: &Reader<'_>| {
        bytes.get(bytes.len() - reader.left()..).map(<[u8]>::to_vec).ok_or_else(odd)
    };
    Ok(match table {
        CONTEXT => {
            let [has_parent, is_deleted] = reader.flags()?;
            let parent = has_parent.then(|| reader.context_id()).transpose()?;
            let updated_at = reader.moment()?;
            let deleted = is_deleted.then(|| reader.number()).transpose()?;
            let columns = ContextColumns { address, parent, updated_at, deleted };
            Write::Record(Rc::new(Record::decode(columns, rest(&reader)?)?))
        }
        VERSION => {
            let (version, seq, at) = (reader.number()?, reader.number()?, reader.moment()?);
            let columns = VersionColumns { address, version, seq, at };
            Write::Version(Version::decode(columns, rest(&reader)?)?)
        }
        ENTRY => {
            let kind = kind_of(reader.number()?)?;
            let id = EntryId { seq: reader.number()?, n: reader.number()? };
            let at = reader.moment()?;
            let columns = EntryColumns { address, kind, id, at };
            Write::Entry(Entry::decode(columns, rest(&reader)?)?)
        }
        _ => return Err(odd()),
    })
}

fn write_address(writer: &mut Writer, address: &Address) {
    writer.number(level_number(address.level));
    writer.text(address.id.as_str());
}

fn read_address(reader: &mut Reader<'_>) -> Result<Address> {
    let level = level_of(reader.number()?)?;
    Address::new(level, reader.context_id()?).map_err(|_| odd())
}
