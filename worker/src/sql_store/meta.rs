//! The one row of metadata.

use nacre_core::{error::Result, id::User, moment::Moment, seal::WrappedKey};

use super::bytes::{read_byte, read_bytes, read_number, write_bytes, write_number};
use crate::{
    schema,
    sql::{Bind, Cell, Database, odd},
};

/// The metadata of a store.
#[derive(Clone)]
pub(super) struct Meta {
    /// The schema version of the tables.
    pub(super) schema: u64,
    /// The least version of the code that works with them.
    pub(super) needs: u64,
    pub(super) owner: User,
    /// The keys, wrapped by a master key. The unwrapped ones are in memory only.
    pub(super) keys: Vec<WrappedKey>,
    /// The number of the last commit. It is the last line of the audit trail, so it is not stored a
    /// second time.
    pub(super) seq: u64,
    /// The time of the last commit.
    pub(super) at: Moment,
    /// The time of the alarm that is set.
    pub(super) alarm: Option<Moment>,
    pub(super) chores: Chores,
}

/// Progress of work that takes several alarms. After a restart the object continues from here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chores {
    /// Next place of resealing with the newest data key; `None` if it is not running.
    pub(super) rotation: Option<Place>,
    /// Next place of looking for unused secrets; `None` if it is not running.
    pub(super) sweep: Option<Place>,
    /// Next place of replacing markers of older fingerprint keys; `None` if it is not running.
    pub(super) marking: Option<Place>,
    /// Start of the last sweep.
    pub(super) swept: Moment,
}

/// A place in a walk over the tables: the table, and the key of its last finished row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) table: u64,
    /// Empty at the start of a table.
    pub(super) after: Vec<Cell>,
}

impl Place {
    pub(super) const START: Place = Place { table: 0, after: Vec::new() };
}

// The condition on `one` makes SQLite use the order of the trail: it reads two rows, however long
// the trail is.
const LOAD: &str = "SELECT schema, needs, owner, keys, audit.seq, audit.at, alarm, chores
    FROM meta LEFT JOIN audit WHERE one = 1 ORDER BY audit.seq DESC LIMIT 1";

const STORE: &str = "INSERT INTO meta (one, schema, needs, owner, keys, alarm, chores)
    VALUES (1, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (one) DO UPDATE SET schema = excluded.schema, needs = excluded.needs,
        owner = excluded.owner, keys = excluded.keys, alarm = excluded.alarm,
        chores = excluded.chores";

const STORE_ALARM: &str = "UPDATE meta SET alarm = ? WHERE one = 1";

impl Meta {
    /// Reads the row; `None` when there is no store.
    pub(super) fn load(database: &impl Database) -> Result<Option<Meta>> {
        // Checking for the table first would cost a row at every wake-up.
        let Some(rows) = database.query_if_there(LOAD, &[])? else { return Ok(None) };
        let Some(mut row) = rows.into_iter().next() else { return Err(odd()) };
        Ok(Some(Meta {
            schema: row.number()?,
            needs: row.number()?,
            owner: User::parse(&row.text()?).map_err(|_| odd())?,
            keys: read_keys(&row.blob()?)?,
            seq: row.optional_number()?.unwrap_or_default(),
            at: Moment(row.optional_number()?.unwrap_or_default()),
            alarm: row.optional_number()?.map(Moment),
            chores: read_chores(row.optional_blob()?.as_deref())?,
        }))
    }

    /// Writes the row. A schema version of newer code is kept.
    pub(super) fn store(&self, database: &impl Database) -> Result<()> {
        let keys = write_keys(&self.keys);
        let chores = write_chores(&self.chores);
        database.run(
            STORE,
            &[
                Bind::Number(self.schema),
                Bind::Number(self.needs),
                Bind::Text(self.owner.as_str()),
                Bind::Blob(&keys),
                self.alarm.map(|alarm| alarm.0).into(),
                chores.as_deref().map_or(Bind::Null, Bind::Blob),
            ],
        )
    }

    /// Writes only the alarm, the one member that commits change.
    pub(super) fn store_alarm(&self, database: &impl Database) -> Result<()> {
        database.run(STORE_ALARM, &[self.alarm.map(|alarm| alarm.0).into()])
    }

    /// The metadata of a new store.
    pub(super) fn new(owner: User, keys: Vec<WrappedKey>) -> Meta {
        Meta {
            schema: schema::VERSION,
            needs: schema::NEEDS,
            owner,
            keys,
            seq: 0,
            at: Moment(0),
            alarm: None,
            chores: Chores::default(),
        }
    }
}

/// The wrapped keys in sequence, each after its length.
fn write_keys(keys: &[WrappedKey]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for key in keys {
        write_bytes(&mut bytes, key.as_bytes());
    }
    bytes
}

fn read_keys(bytes: &[u8]) -> Result<Vec<WrappedKey>> {
    let mut rest = bytes;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        keys.push(WrappedKey::from_bytes(read_bytes(&mut rest)?.to_vec())?);
    }
    Ok(keys)
}

// chores := format  swept  rotation  sweep  marking
// rotation, sweep, marking := 0 | 1 place; format 1 has no marking

const FORMAT: u8 = 2;

fn write_chores(chores: &Chores) -> Option<Vec<u8>> {
    if *chores == Chores::default() {
        return None;
    }
    let mut bytes = vec![FORMAT];
    write_number(&mut bytes, chores.swept.0);
    for place in [&chores.rotation, &chores.sweep, &chores.marking] {
        bytes.push(u8::from(place.is_some()));
        if let Some(place) = place {
            write_place(&mut bytes, place);
        }
    }
    Some(bytes)
}

fn read_chores(bytes: Option<&[u8]>) -> Result<Chores> {
    let Some(mut rest) = bytes else { return Ok(Chores::default()) };
    let rest = &mut rest;
    let format = read_byte(rest)?;
    if !(1..=FORMAT).contains(&format) {
        return Err(odd());
    }
    let swept = Moment(read_number(rest)?);
    let rotation = read_optional_place(rest)?;
    let sweep = read_optional_place(rest)?;
    let marking = if format == 1 { None } else { read_optional_place(rest)? };
    if rest.is_empty() { Ok(Chores { rotation, sweep, marking, swept }) } else { Err(odd()) }
}

fn write_place(bytes: &mut Vec<u8>, place: &Place) {
    write_number(bytes, place.table);
    write_number(bytes, place.after.len() as u64);
    for cell in &place.after {
        match cell {
            Cell::Null => bytes.push(b'0'),
            Cell::Number(number) => {
                bytes.push(b'n');
                write_number(bytes, *number);
            }
            Cell::Text(text) => {
                bytes.push(b't');
                write_bytes(bytes, text.as_bytes());
            }
            Cell::Blob(blob) => {
                bytes.push(b'b');
                write_bytes(bytes, blob);
            }
        }
    }
}

fn read_optional_place(rest: &mut &[u8]) -> Result<Option<Place>> {
    if read_byte(rest)? == 1 { read_place(rest).map(Some) } else { Ok(None) }
}

fn read_place(rest: &mut &[u8]) -> Result<Place> {
    let table = read_number(rest)?;
    let mut after = Vec::new();
    for _ in 0..read_number(rest)? {
        after.push(match read_byte(rest)? {
            b'0' => Cell::Null,
            b'n' => Cell::Number(read_number(rest)?),
            b't' => {
                let bytes = read_bytes(rest)?.to_vec();
                Cell::Text(String::from_utf8(bytes).map_err(|_| odd())?)
            }
            b'b' => Cell::Blob(read_bytes(rest)?.to_vec()),
            _ => return Err(odd()),
        });
    }
    Ok(Place { table, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chores_come_back_and_nothing_else_is_read() {
        let after =
            vec![Cell::Number(3), Cell::Text("atlas".into()), Cell::Blob(vec![0, 255]), Cell::Null];
        let place = Place { table: 4, after };
        for chores in [
            Chores::default(),
            Chores { rotation: Some(place.clone()), ..Chores::default() },
            Chores { sweep: Some(Place::START), ..Chores::default() },
            Chores { marking: Some(Place::START), ..Chores::default() },
            Chores {
                rotation: Some(Place::START),
                sweep: Some(place),
                marking: None,
                swept: Moment(1 << 50),
            },
        ] {
            let bytes = write_chores(&chores);
            assert_eq!(read_chores(bytes.as_deref()).ok(), Some(chores));
            let bytes = bytes.unwrap_or_default();
            for cut in 0..bytes.len() {
                assert!(read_chores(Some(&bytes[..cut])).is_err());
            }
        }
    }
}
