//! Rows of answers to repeated idempotency keys.
//!
//! ```text
//! columns: id (16 bytes of BLAKE3 over user and key), expires
//! value  : 01  user  key  request[32]  answer …
//! ```
//! Clients choose keys, which may reveal something; the id reveals nothing and is short.

use alloc::vec::Vec;

use super::{
    Row,
    bytes::{Reader, Writer},
    odd,
};
use crate::{moment::Moment, record::Replay, seal::RowIdentity};
use nacre_layers::{error::Result, hash::Hash, id::User};

const ID_BYTES: usize = 16;

/// The columns of a replay's row.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayColumns {
    /// The hash of user and key: see [`ReplayColumns::id_of`].
    pub id: [u8; ID_BYTES],
    /// The time when the row expires.
    pub expires: Moment,
}

impl ReplayColumns {
    /// The id of a user's key.
    pub fn id_of(user: &User, key: &str) -> [u8; ID_BYTES] {
        let mut writer = Writer::new();
        writer.text(user.as_str());
        writer.rest(key.as_bytes());
        let hash = Hash::of(&writer.finish());
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        id
    }
}

impl Row for Replay {
    type Columns = ReplayColumns;

    fn columns(&self) -> ReplayColumns {
        ReplayColumns { id: ReplayColumns::id_of(&self.user, &self.key), expires: self.expires }
    }

    fn identity(columns: &ReplayColumns) -> RowIdentity {
        RowIdentity::new("replays").bytes(&columns.id).number(columns.expires.0)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.text(self.user.as_str());
        writer.text(&self.key);
        writer.rest(self.request.as_bytes());
        writer.rest(&self.answer);
        Ok(writer.finish())
    }

    fn decode(columns: ReplayColumns, mut plain: Vec<u8>) -> Result<Replay> {
        let mut reader = Reader::new(&plain)?;
        let user = reader.user()?;
        let key: alloc::string::String = reader.text()?.into();
        let request = Hash::from_bytes(reader.array()?);
        if ReplayColumns::id_of(&user, &key) != columns.id {
            return Err(odd());
        }
        let header = plain.len() - reader.left();
        plain.drain(..header);
        Ok(Replay { user, key, request, answer: plain, expires: columns.expires })
    }
}
