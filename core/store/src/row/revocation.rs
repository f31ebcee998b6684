//! Rows of revoked tokens.
//!
//! ```text
//! columns: kind (0 user, 1 token), name
//! value  : 01  flags(time)  at  by  time?
//! ```

use alloc::vec::Vec;

use super::{
    Row,
    bytes::{Reader, Writer},
    odd,
};
use crate::{
    revocation::{Revocation, Subject, TokenId},
    seal::RowIdentity,
};
use nacre_layers::{error::Result, id::User};

/// The columns of a revocation's row.
#[derive(Clone, Debug, PartialEq)]
pub struct RevocationColumns {
    /// Whose tokens it is about.
    pub subject: Subject,
}

impl RevocationColumns {
    /// The subject with this kind and name.
    ///
    /// # Errors
    /// `store-unavailable` for columns that Nacre cannot have written.
    pub fn of(kind: u64, name: &str) -> Result<RevocationColumns> {
        let subject = match kind {
            0 => Subject::User(User::parse(name).map_err(|_| odd())?),
            1 => Subject::Token(TokenId::parse(name).map_err(|_| odd())?),
            _ => return Err(odd()),
        };
        Ok(RevocationColumns { subject })
    }
}

/// The kind and the name of a subject in columns.
pub fn subject_columns(subject: &Subject) -> (u64, &str) {
    match subject {
        Subject::User(user) => (0, user.as_str()),
        Subject::Token(id) => (1, id.as_str()),
    }
}

impl Row for Revocation {
    type Columns = RevocationColumns;

    fn columns(&self) -> RevocationColumns {
        RevocationColumns { subject: self.subject.clone() }
    }

    fn identity(columns: &RevocationColumns) -> RowIdentity {
        let (kind, name) = subject_columns(&columns.subject);
        RowIdentity::new("revocations").number(kind).text(name)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.flags([self.time.is_some()]);
        writer.moment(self.at);
        writer.text(self.by.as_str());
        if let Some(time) = self.time {
            writer.moment(time);
        }
        Ok(writer.finish())
    }

    fn decode(columns: RevocationColumns, plain: Vec<u8>) -> Result<Revocation> {
        let mut reader = Reader::new(&plain)?;
        let [has_time] = reader.flags()?;
        let (at, by) = (reader.moment()?, reader.user()?);
        let time = has_time.then(|| reader.moment()).transpose()?;
        reader.end()?;
        Ok(Revocation { subject: columns.subject, time, at, by })
    }
}
