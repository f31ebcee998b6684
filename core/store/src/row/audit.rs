//! Commits in the audit trail.
//!
//! ```text
//! columns: seq, at
//! value  : 01  flags(request)  by  request?  count  deeds
//! deed   := action  flags(address, version, member, pointers)  (level id)?  version?  member?
//!           (count  pointer*)?
//! ```

use alloc::vec::Vec;

use super::{
    Row,
    bytes::{Reader, Writer},
    level_number, level_of, odd,
};
use crate::{
    moment::Moment,
    record::{Audit, Deed, REVEAL, ROTATE_KEYS},
    seal::RowIdentity,
};
use nacre_layers::{
    address::Address,
    error::{Error, Result},
};

/// The names of actions. Rows hold the index in this list, so new ones must be added at the end.
const ACTIONS: [&str; 22] = [
    "create",
    "update",
    "delete",
    "restore",
    "rollback",
    "move",
    "add_insight",
    "add_progress",
    "put_member",
    "delete_member",
    ROTATE_KEYS,
    "revoke_user",
    "revoke_token",
    "unrevoke_user",
    "unrevoke_token",
    REVEAL,
    "propose_promotion",
    "approve_promotion",
    "decline_promotion",
    "undo_promotion",
    "put_template",
    "delete_template",
];

/// The columns of a commit's row.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditColumns {
    /// The `seq` of the commit.
    pub seq: u64,
    /// The time of the commit.
    pub at: Moment,
}

impl Row for Audit {
    type Columns = AuditColumns;

    fn columns(&self) -> AuditColumns {
        AuditColumns { seq: self.seq, at: self.at }
    }

    fn identity(columns: &AuditColumns) -> RowIdentity {
        RowIdentity::new("audit").number(columns.seq).number(columns.at.0)
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        writer.flags([self.request.is_some()]);
        writer.text(self.by.as_str());
        writer.optional_text(self.request.as_deref());
        writer.number(self.deeds.len() as u64);
        for deed in &self.deeds {
            let action = ACTIONS
                .iter()
                .position(|action| *action == deed.action)
                .ok_or_else(|| Error::bug("an action of the audit trail has no number"))?;
            writer.number(action as u64);
            writer.flags([
                deed.address.is_some(),
                deed.version.is_some(),
                deed.member.is_some(),
                !deed.pointers.is_empty(),
            ]);
            if let Some(address) = &deed.address {
                writer.number(level_number(address.level));
                writer.text(address.id.as_str());
            }
            if let Some(version) = deed.version {
                writer.number(version);
            }
            writer.optional_text(deed.member.as_ref().map(|member| member.as_str()));
            if !deed.pointers.is_empty() {
                writer.number(deed.pointers.len() as u64);
                deed.pointers.iter().for_each(|pointer| writer.text(pointer));
            }
        }
        Ok(writer.finish())
    }

    fn decode(columns: AuditColumns, plain: Vec<u8>) -> Result<Audit> {
        let mut reader = Reader::new(&plain)?;
        let [request] = reader.flags()?;
        let by = reader.user()?;
        let request = reader.optional_text(request)?;
        let mut deeds = Vec::new();
        for _ in 0..reader.number()? {
            deeds.push(read_deed(&mut reader)?);
        }
        reader.end()?;
        Ok(Audit { seq: columns.seq, at: columns.at, by, request, deeds })
    }
}

fn read_deed(reader: &mut Reader<'_>) -> Result<Deed> {
    let action = usize::try_from(reader.number()?).ok().and_then(|place| ACTIONS.get(place));
    let [address, version, member, pointers] = reader.flags()?;
    let address = address
        .then(|| {
            let level = level_of(reader.number()?)?;
            Address::new(level, reader.context_id()?).map_err(|_| odd())
        })
        .transpose()?;
    let version = version.then(|| reader.number()).transpose()?;
    let member = member.then(|| reader.user()).transpose()?;
    let mut all = Vec::new();
    for _ in 0..if pointers { reader.number()? } else { 0 } {
        all.push(reader.text()?.into());
    }
    Ok(Deed { action: action.ok_or_else(odd)?, address, version, member, pointers: all })
}
