//! The rows of a store, one type per kind.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::ops::Deref;

use crate::{moment::Moment, seal::marker_in, store::AsOf};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::{ContextId, User},
    layer::Layer,
    patch::JsonPatch,
    rules::Rules,
};

/// A sealed value, stored apart from the documents, which hold its fingerprint.
pub use crate::seal::NewSecret as Secret;

/// The current state of a context. It reads as its [`Heading`], with the data added.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Everything but the data.
    pub heading: Rc<Heading>,
    /// The data, at most [`limits::DATA_BYTES`](crate::limits::DATA_BYTES) bytes of canonical JSON.
    pub layer: Rc<Layer>,
}

impl Deref for Record {
    type Target = Heading;

    fn deref(&self) -> &Heading {
        &self.heading
    }
}

/// A context without its data: what lists and events hold, because many contexts with data may not
/// fit the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    /// The level and the id.
    pub address: Address,
    /// The id of the parent, one level up; `None` only for the global context.
    pub parent: Option<ContextId>,
    /// The number of the current version. It starts at 1 and grows by 1 with every change, also
    /// across a delete.
    pub version: u64,
    /// The `seq` of the commit that made this version.
    pub seq: u64,
    /// The merge rules that the context sets, at most 256.
    pub rules: Rc<Rules>,
    /// The time when the context was first created.
    pub created_at: Moment,
    /// The time of the last change.
    pub updated_at: Moment,
    /// The user who made the last change.
    pub updated_by: User,
    /// The `seq` of the commit that deleted it; `None` if it is live.
    pub deleted: Option<u64>,
}

impl Heading {
    /// The parent's address; `None` for global.
    pub fn above(&self) -> Option<Address> {
        Address::above(self.address.level, self.parent.as_ref()?)
    }

    /// Whether the context is visible to readers, that is, not deleted.
    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

/// The kind of change that made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Created, also again after a delete.
    Create,
    /// Data or rules changed.
    Update,
    /// Deleted; it can be restored.
    Delete,
    /// Restored after a delete.
    Restore,
    /// Rolled back to the data and rules of an earlier version.
    Rollback,
    /// Moved to another parent.
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
    /// `store-unavailable` for an unknown name, because rows come from the store.
    pub fn parse(text: &str) -> Result<Change> {
        Self::NAMES.iter().find(|(_, name)| *name == text).map(|(change, _)| *change).ok_or_else(
            || Error::new(Code::StoreUnavailable, "a stored version has an unknown kind of change"),
        )
    }
}

/// One version in the history of a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The context.
    pub address: Address,
    /// The number of the version, from 1.
    pub version: u64,
    /// The `seq` of the commit.
    pub seq: u64,
    /// The time, in milliseconds since the Unix epoch.
    pub at: Moment,
    /// The user who did it.
    pub by: User,
    /// The reason that the user gave, at most 1,024 bytes; `None` if there is none.
    pub summary: Option<String>,
    /// The kind of change.
    pub change: Change,
    /// The patch from this version back to the previous one; `None` for the first.
    pub undo: Option<Undo>,
    /// The whole state, stored with every 32nd version so that reading an old version needs few
    /// patches.
    pub full: Option<Box<State>>,
}

/// The part of a context that a version restores.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The data, at most [`limits::DATA_BYTES`](crate::limits::DATA_BYTES) bytes of canonical JSON.
    pub layer: Rc<Layer>,
    /// The merge rules.
    pub rules: Rc<Rules>,
    /// The id of the parent; `None` for the global context.
    pub parent: Option<ContextId>,
}

/// The patch from a version back to the previous one. It holds only what differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The patch for the data.
    pub data: JsonPatch,
    /// The previous rules; `None` if they did not change.
    pub rules: Option<Rules>,
    /// The previous parent; `None` if it did not change.
    pub parent: Option<ContextId>,
}

/// The two append-only lists of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// Insights: things that were learned.
    Insight,
    /// Progress notes: steps that were done.
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

    /// The name of adding one, as an action and in the audit trail.
    pub fn deed(self) -> &'static str {
        match self {
            EntryKind::Insight => "add_insight",
            EntryKind::Progress => "add_progress",
        }
    }
}

/// The id of an entry, unique in its store: the commit, and its position in the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    /// The `seq` of the commit.
    pub seq: u64,
    /// The position in the commit, from 0.
    pub n: u64,
}

impl EntryId {
    /// Reads the form in answers, `seq-n`; `None` for any other text.
    pub fn parse(text: &str) -> Option<EntryId> {
        let (seq, n) = text.split_once('-')?;
        Some(EntryId { seq: seq.parse().ok()?, n: n.parse().ok()? })
    }
}

/// An insight or a progress note.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The context that it belongs to.
    pub address: Address,
    /// The list that it is in.
    pub kind: EntryKind,
    /// The id, unique in the store.
    pub id: EntryId,
    /// The time, in milliseconds since the Unix epoch.
    pub at: Moment,
    /// The user who did it.
    pub by: User,
    /// The text, 1 byte to 64 KiB.
    pub content: String,
    /// A label chosen by the writer, 1 to 1,024 bytes; `None` if there is none.
    pub category: Option<String>,
    /// The importance, from 0 (minor) to 1 (vital); `None` if not given.
    pub importance: Option<f64>,
    /// The name of the agent that wrote it, 1 to 1,024 bytes; `None` if not given.
    pub agent: Option<String>,
}

impl Entry {
    /// The text in the clear; `None` if it is sealed.
    pub fn plain(&self) -> Option<&str> {
        marker_in(&self.content).is_none().then_some(&*self.content)
    }
}

/// The role of a member of a shared project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May read the project and everything below it.
    Reader,
    /// May also write there.
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
    /// `invalid-request` for an unknown name.
    pub fn parse(text: &str) -> Result<Role> {
        match text {
            "reader" => Ok(Role::Reader),
            "writer" => Ok(Role::Writer),
            _ => Err(Error::new(Code::InvalidRequest, "a role must be `reader` or `writer`")),
        }
    }
}

/// How far back a guest sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// To the commit of sharing.
    #[default]
    FromShare,
    /// To the project's beginning.
    All,
}

impl Reach {
    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Reach::FromShare => "from-share",
            Reach::All => "all",
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// `invalid-request` for an unknown name.
    pub fn parse(text: &str) -> Result<Reach> {
        match text {
            "from-share" => Ok(Reach::FromShare),
            "all" => Ok(Reach::All),
            _ => Err(Error::new(Code::InvalidRequest, "`history` must be `from-share` or `all`")),
        }
    }
}

/// The terms of a membership: what the guest may do and see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The role of the user.
    pub role: Role,
    /// How far back the user sees.
    pub reach: Reach,
    /// Whether a token with the scope `secrets:reveal` opens the sealed values of the project, and
    /// those of the global layer where it takes part.
    pub reveal: bool,
    /// Whether the owner's global layer takes part in the user's views.
    pub global: bool,
}

impl From<Role> for Terms {
    /// The terms by default.
    fn from(role: Role) -> Terms {
        Terms { role, reach: Reach::FromShare, reveal: false, global: true }
    }
}

/// One user's access to one project of the owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The user.
    pub user: User,
    /// The id of the project.
    pub project: ContextId,
    /// What the user may do and see.
    pub terms: Terms,
    /// The time when the user became a member, in milliseconds since the Unix epoch.
    pub since: Moment,
    /// The `seq` of the commit that made the user a member.
    pub seq: u64,
}

impl Member {
    /// The first commit after which the user sees the project.
    pub fn first_seq(&self) -> u64 {
        match self.terms.reach {
            Reach::FromShare => self.seq,
            Reach::All => 0,
        }
    }

    /// Whether the user sees the project at a past state.
    pub fn sees(&self, at: AsOf) -> bool {
        match at {
            AsOf::Seq(seq) => seq >= self.first_seq(),
            AsOf::Time(time) => self.terms.reach == Reach::All || time >= self.since,
        }
    }
}

/// The stored answer for a repeated idempotency key.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The user who used the key. Equal keys of different users are independent.
    pub user: User,
    /// The client's key, 1 to 255 bytes.
    pub key: String,
    /// The hash of the request that used the key.
    pub request: Hash,
    /// The first answer, as bytes from `wire`.
    pub answer: Vec<u8>,
    /// The time when the record expires, in milliseconds since the Unix epoch: a day after the
    /// request.
    pub expires: Moment,
}

/// One commit in the audit trail: user, time and actions, but no values.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// The `seq` of the commit.
    pub seq: u64,
    /// The time, in milliseconds since the Unix epoch.
    pub at: Moment,
    /// The user who did it.
    pub by: User,
    /// The id of the request (`X-Request-Id`), 1 to 128 bytes; `None` if it had none.
    pub request: Option<String>,
    /// The actions of the commit, in order.
    pub deeds: Vec<Deed>,
}

impl Audit {
    /// The commit of a new data key. It changes no context.
    pub fn of_rotation(seq: u64, at: Moment, by: &User, request: Option<String>) -> Audit {
        let (address, version, member, pointers) = (None, None, None, Vec::new());
        let deed = Deed { action: ROTATE_KEYS, address, version, member, pointers };
        Audit { seq, at, by: by.clone(), request, deeds: alloc::vec![deed] }
    }
}

/// The action of showing sealed values.
pub const REVEAL: &str = "reveal";

pub(crate) const ROTATE_KEYS: &str = "rotate_keys";

/// One action of a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// The name of the action: `create`, `update`, `add_insight`, `put_member` and so on.
    pub action: &'static str,
    /// The context that it concerns; `None` if there is none.
    pub address: Option<Address>,
    /// The version that it made or revealed; `None` if it did neither.
    pub version: Option<u64>,
    /// The user whose membership or tokens it concerns; `None` for other actions.
    pub member: Option<User>,
    /// The pointers to the sealed values that it revealed; never the values. One empty pointer
    /// stands for more than [`POINTER_BYTES`] of them. For a template: its name, as a pointer.
    pub pointers: Vec<String>,
}

/// Most bytes of the pointers of one action.
pub const POINTER_BYTES: usize = 16 << 10;
