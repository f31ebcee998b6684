//! Rows of members of shared projects.
//!
//! ```text
//! columns: project, user
//! value  : 01  role  since  seq  flags (all of the past, reveal, global)
//! ```

use alloc::vec::Vec;

use super::{
    Row,
    bytes::{Reader, Writer},
    odd,
};
use crate::{
    record::{Member, Reach, Role, Terms},
    seal::RowIdentity,
};
use nacre_layers::{
    error::Result,
    id::{ContextId, User},
};

/// The columns of a member's row.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberColumns {
    /// The id of the project.
    pub project: ContextId,
    /// The member.
    pub user: User,
}

impl Row for Member {
    type Columns = MemberColumns;

    fn columns(&self) -> MemberColumns {
        MemberColumns { project: self.project.clone(), user: self.user.clone() }
    }

    fn identity(columns: &MemberColumns) -> RowIdentity {
        RowIdentity::new("members").text(columns.project.as_str()).text(columns.user.as_str())
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let Terms { role, reach, reveal, global } = self.terms;
        let mut writer = Writer::new();
        writer.byte(match role {
            Role::Reader => 0,
            Role::Writer => 1,
        });
        writer.moment(self.since);
        writer.number(self.seq);
        writer.flags([reach == Reach::All, reveal, global]);
        Ok(writer.finish())
    }

    fn decode(columns: MemberColumns, plain: Vec<u8>) -> Result<Member> {
        let mut reader = Reader::new(&plain)?;
        let role = match reader.byte()? {
            0 => Role::Reader,
            1 => Role::Writer,
            _ => return Err(odd()),
        };
        let since = reader.moment()?;
        // The first rows ended here, and such members saw all.
        let (seq, [all, reveal, global]) = match reader.left() {
            0 => (0, [true, false, true]),
            _ => (reader.number()?, reader.flags()?),
        };
        reader.end()?;
        let reach = if all { Reach::All } else { Reach::FromShare };
        let terms = Terms { role, reach, reveal, global };
        let MemberColumns { project, user } = columns;
        Ok(Member { user, project, terms, since, seq })
    }
}
