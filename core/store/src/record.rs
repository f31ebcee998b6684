//! What the store holds: one type for each kind of row, as the core sees it.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};

use crate::moment::Moment;
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::{ContextId, User},
    layer::Layer,
    patch::JsonPatch,
    rules::Rules,
};

/// A sealed value, kept apart from the documents that mention it by its fingerprint.
pub use crate::seal::NewSecret as Secret;

/// A context as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Level and id.
    pub address: Address,
    /// The id one level up; `None` for global alone.
    pub parent: Option<ContextId>,
    /// Counts this context's changes, from 1.
    pub version: u64,
    /// The seq of its last change.
    pub seq: u64,
    /// The data.
    pub layer: Rc<Layer>,
    /// The merge rules it carries.
    pub rules: Rc<Rules>,
    /// When it was first made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
    /// Who changed it last.
    pub updated_by: User,
    /// The seq of the delete that took it, if it is deleted.
    pub deleted: Option<u64>,
}

impl Record {
    /// The parent's address; `None` for global.
    pub fn above(&self) -> Option<Address> {
        Address::above(self.address.level, self.parent.as_ref()?)
    }

    /// Whether it is there for readers.
    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

/// What kind of change made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Made, or made anew after a delete.
    Create,
    /// Data or rules edited.
    Update,
    /// Taken away, restorable.
    Delete,
    /// Brought back.
    Restore,
    /// Set back to an earlier version's data and rules.
    Rollback,
    /// Put under another parent.
    Move,
}

impl Change {
    const NAMES: [(Change, &'static str); 6] = [
        (Change::Create, "create"),
        (Change::Update, "update"),
        (Change::Delete, "delete"),
        (Change::Restore, "restore"),
        (Change::Rollback, "rollback"),
        (Change::Move, "move"),
    ];

    /// The name in answers and rows.
    pub fn as_str(self) -> &'static str {
        Self::NAMES.iter().find(|(change, _)| *change == self).map_or("", |(_, name)| name)
    }

    /// Reads a name.
    ///
    /// # Errors
    /// `store-unavailable` for an unknown one: rows come from the store.
    pub fn parse(text: &str) -> Result<Change> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(change, _)| *change).ok_or_else(
            || Error::new(Code::StoreUnavailable, "a stored version has an unknown kind of change"),
        )
    }
}

/// One entry of a context's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Whose history.
    pub address: Address,
    /// The version this change made.
    pub version: u64,
    /// The commit.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Who.
    pub by: User,
    /// Why, if they said.
    pub summary: Option<String>,
    /// What kind of change.
    pub change: Change,
    /// How to get from this version's state back to the one before; `None` for the first.
    pub undo: Option<Undo>,
    /// The whole state of this version, kept every so often so that no reader has to undo far.
    pub full: Option<Box<State>>,
}

/// The part of a context that history restores.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The data.
    pub layer: Rc<Layer>,
    /// The rules.
    pub rules: Rc<Rules>,
    /// The parent.
    pub parent: Option<ContextId>,
}

/// The way back from a version to the one before: only what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// For the data.
    pub data: JsonPatch,
    /// The rules before, if they changed.
    pub rules: Option<Rules>,
    /// The parent before, if it changed.
    pub parent: Option<ContextId>,
}

/// The two append-only lists of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// Something learned.
    Insight,
    /// A step done.
    Progress,
}

impl EntryKind {
    /// The name in rows and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Insight => "insight",
            EntryKind::Progress => "progress",
        }
    }
}

/// Where an entry stands among all entries of the store: the commit, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    /// The commit.
    pub seq: u64,
    /// The place in the commit.
    pub n: u64,
}

/// An insight or a progress note.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Whose.
    pub address: Address,
    /// Which list.
    pub kind: EntryKind,
    /// Its id.
    pub id: EntryId,
    /// When.
    pub at: Moment,
    /// Who.
    pub by: User,
    /// The text.
    pub content: String,
    /// A free label.
    pub category: Option<String>,
    /// 0 (aside) to 1 (vital).
    pub importance: Option<f64>,
    /// The agent that wrote it.
    pub agent: Option<String>,
}

/// What a member of a shared project may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Read the project and everything below.
    Reader,
    /// Also write there.
    Writer,
}

impl Role {
    /// The name in requests and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Writer => "writer",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// `invalid-request` for an unknown one.
    pub fn parse(text: &str) -> Result<Role> {
        match text {
            "reader" => Ok(Role::Reader),
            "writer" => Ok(Role::Writer),
            _ => Err(Error::new(Code::InvalidRequest, "a role must be `reader` or `writer`")),
        }
    }
}

/// One user's access to one project of the owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// The project's id.
    pub project: ContextId,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub since: Moment,
}

/// The answer that a repeated idempotency key gets.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// Who used the key: keys of different users do not meet.
    pub user: User,
    /// The key.
    pub key: String,
    /// What the key was used for.
    pub request: Hash,
    /// The first answer, encoded by `wire`.
    pub answer: Vec<u8>,
    /// When the record may go.
    pub expires: Moment,
}

/// One commit in the audit trail: who changed what, when; never the values.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The commit.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// Who.
    pub by: User,
    /// The request, as its `X-Request-Id` named it.
    pub request: Option<String>,
    /// What it did, in order.
    pub deeds: Vec<Deed>,
}

impl Audit {
    /// The commit that begins a new data key: it changes no context.
    pub fn of_rotation(seq: u64, at: Moment, by: &User, request: Option<String>) -> Audit {
        let deed = Deed { action: ROTATE_KEYS, address: None, version: None, member: None };
        Audit { seq, at, by: by.clone(), request, deeds: alloc::vec![deed] }
    }
}

pub(crate) const ROTATE_KEYS: &str = "rotate_keys";

/// One thing a commit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// `create`, `update`, `add_insight`, `put_member` and so on.
    pub action: &'static str,
    /// To which context.
    pub address: Option<Address>,
    /// The version it made.
    pub version: Option<u64>,
    /// The user it concerned, for members.
    pub member: Option<User>,
}
