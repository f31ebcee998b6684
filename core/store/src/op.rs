//! Requests as data: shells decode into these types, and `decide` answers them.

use alloc::{string::String, vec::Vec};

use crate::{
    access::Scopes,
    moment::Moment,
    promotion::{Proposing, Standing, Verdict},
    record::{Change, EntryId, EntryKind, Terms},
    revocation::Subject,
    store::{AsOf, Filter},
    template::Beginning,
};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::{ContextId, User},
    patch::JsonPatch,
    pointer::Pointer,
    rules::Rules,
    value::{Object, Value},
};

/// One request: who asks for what.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The caller, and the owner of the store.
    pub caller: Caller,
    /// What it asks for.
    pub command: Command,
    /// The idempotency key: a repeat gets the same answer. `None` if there is none.
    pub idempotency: Option<Idempotency>,
    /// The id of the request, for the audit trail; 1 to 128 bytes.
    pub id: Option<String>,
}

impl Request {
    /// A write by the owner that changes nothing but what every write brings up to date: values that
    /// have become sensitive, and markers of older keys.
    pub fn rewrite(owner: &User, address: &Address) -> Request {
        let scopes = Scopes::UNSTATED.with(Scopes::REVEAL);
        let edit = Edit::Update {
            address: address.clone(),
            patch: Patch::Merge(Value::Object(Object::new())),
            summary: Some("fingerprint key rotated".into()),
            expect: Expect::Anything,
        };
        Request {
            caller: Caller { user: owner.clone(), owner: owner.clone(), scopes },
            command: edit.into(),
            idempotency: None,
            id: None,
        }
    }
}

/// The caller of a request, and the owner of the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The user that the token names.
    pub user: User,
    /// The owner of the store.
    pub owner: User,
    /// The scopes of the token.
    pub scopes: Scopes,
}

/// An idempotency key, and the hash of its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Idempotency {
    /// The client's key, 1 to 255 bytes.
    pub key: String,
    /// The hash of method, path and body. Another request with the same key is refused.
    pub request: Hash,
}

impl Idempotency {
    /// Refuses a key that was used for another request.
    ///
    /// # Errors
    /// `idempotency-mismatch`.
    pub fn check(&self, first: Hash) -> Result<()> {
        if self.request == first {
            return Ok(());
        }
        Err(Error::new(
            Code::IdempotencyMismatch,
            "this idempotency key was used for another request; use a new key",
        ))
    }
}

/// The version that a write expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Any version, or no context.
    #[default]
    Anything,
    /// The context must not exist; `already-exists` otherwise (a plain create).
    Absent,
    /// The context must not exist; `version-conflict` otherwise (`If-None-Match: *`).
    NoneMatch,
    /// The context must exist, at any version.
    Present,
    /// The current version must be this one.
    Version(u64),
}

/// The state of a context to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The current state.
    #[default]
    Current,
    /// The version with this number.
    Version(u64),
    /// The state at a commit or a time.
    AsOf(AsOf),
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// One operation.
    Op(Op),
    /// Up to 500 operations as one commit.
    Batch(Batch),
    /// A question about the store as a whole.
    Inspection(Inspection),
    /// A change of the store as a whole.
    Administration(Administration),
}

/// One operation on contexts: what a batch holds, a socket carries and a replica decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A question; it changes nothing.
    Read(Read),
    /// A change.
    Edit(Edit),
}

/// A change of one context, or of it and the contexts below.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Create or replace a context.
    Put(Put),
    /// Edit a stored layer.
    Update {
        /// The address of the context.
        address: Address,
        /// The edit.
        patch: Patch,
        /// The reason for the change, at most 1,024 bytes.
        summary: Option<String>,
        /// The version that must be current.
        expect: Expect,
    },
    /// Delete a context; it can be restored.
    Delete {
        /// The address of the context.
        address: Address,
        /// Whether to delete the contexts below too. Otherwise a context with children is refused.
        cascade: bool,
        /// The reason for the change, at most 1,024 bytes.
        summary: Option<String>,
        /// The version that must be current.
        expect: Expect,
    },
    /// Restore everything that the delete of this context removed.
    Restore {
        /// The address of the context.
        address: Address,
        /// The reason for the change, at most 1,024 bytes.
        summary: Option<String>,
    },
    /// Make a new version with the data and rules of an old one.
    Rollback {
        /// The address of the context.
        address: Address,
        /// The version to roll back to.
        version: u64,
        /// The reason for the change, at most 1,024 bytes.
        summary: Option<String>,
        /// The version that must be current.
        expect: Expect,
    },
    /// Move a context to another parent.
    Move {
        /// The address of the context.
        address: Address,
        /// The id of the new parent, one level up.
        parent: ContextId,
        /// The reason for the change, at most 1,024 bytes.
        summary: Option<String>,
        /// The version that must be current.
        expect: Expect,
    },
    /// Add an insight or a progress note.
    AddEntry(NewEntry),
}

/// A question about contexts.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// Read one context.
    Get {
        /// The address of the context.
        address: Address,
        /// The state to read.
        which: Which,
        /// Whether to show sealed values.
        reveal: bool,
    },
    /// List contexts.
    List {
        /// The conditions of the list.
        filter: Filter,
        /// Start after this address.
        after: Option<Address>,
        /// Page size, 1 to 200.
        limit: usize,
        /// Whether to include the data.
        data: bool,
        /// Whether to show sealed values.
        reveal: bool,
    },
    /// Read a resolved view.
    Resolve(Resolve),
    /// Compare two states of a view.
    ViewDiff {
        /// The address of the context.
        address: Address,
        /// The earlier state.
        from: AsOf,
        /// The later state; `None` is the current one.
        to: Option<AsOf>,
    },
    /// Preview the changes that writes would make in views. Nothing is stored.
    Preview {
        /// The context of the preview.
        address: Address,
        /// The writes to try, at most 500.
        edits: Vec<Edit>,
    },
    /// List insights or progress notes, newest first.
    Entries {
        /// The address of the context.
        address: Address,
        /// The list: insights or progress notes.
        kind: EntryKind,
        /// Start before this entry; `None` starts with the newest.
        before: Option<EntryId>,
        /// Page size, 1 to 200.
        limit: usize,
        /// Whether to show sealed texts.
        reveal: bool,
    },
    /// List versions, newest first.
    History {
        /// The address of the context.
        address: Address,
        /// Start before this version; `None` starts with the newest.
        before: Option<u64>,
        /// Page size, 1 to 200.
        limit: usize,
    },
    /// Compare two versions of a context.
    Diff {
        /// The address of the context.
        address: Address,
        /// The earlier version.
        from: u64,
        /// The later version; `None` is the current one.
        to: Option<u64>,
    },
}

/// A change of a store as a whole, for its owner. Guests may promote what they may write, and create
/// contexts from presets.
#[derive(Clone, Debug, PartialEq)]
pub enum Administration {
    /// Create or replace up to 500 contexts as one commit.
    Import(Import),
    /// Share a project, or change a member's terms.
    PutMember {
        /// The user.
        user: User,
        /// The id of the project.
        project: ContextId,
        /// What the user may do and see.
        terms: Terms,
    },
    /// Stop sharing a project.
    DeleteMember {
        /// The user.
        user: User,
        /// The id of the project.
        project: ContextId,
    },
    /// Refuse tokens.
    Revoke {
        /// Whose tokens.
        subject: Subject,
        /// For a user: refuse tokens that were issued before this time; `None` is now. For a token:
        /// its expiry, if it is known.
        time: Option<Moment>,
    },
    /// Let tokens in again.
    Unrevoke(Subject),
    /// Propose to move a value up.
    Propose(Proposing),
    /// Decide on a promotion.
    Settle(EntryId, Verdict),
    /// Create or replace a template.
    PutTemplate {
        /// The name.
        name: ContextId,
        /// Its members; see [`template`](crate::template).
        members: Object,
    },
    /// Delete a template.
    DeleteTemplate(ContextId),
    /// Create a context from a template.
    Begin(Beginning),
}

/// A question about a store as a whole, for its owner.
#[derive(Clone, Debug, PartialEq)]
pub enum Inspection {
    /// List members of shared projects.
    Members,
    /// List revoked tokens.
    Revocations,
    /// List templates: presets and the owner's own.
    Templates,
    /// Read one template.
    Template(ContextId),
    /// List promotions, newest first.
    Promotions {
        /// Only those in this state.
        standing: Option<Standing>,
        /// Start before this one; `None` starts with the newest.
        before: Option<EntryId>,
        /// Page size, 1 to 200.
        limit: usize,
    },
    /// List commits, newest first.
    Audit {
        /// Start before this commit; `None` starts with the newest.
        before: Option<u64>,
        /// Page size, 1 to 200.
        limit: usize,
    },
    /// A part of an export.
    Export {
        /// The part.
        part: ExportPart,
        /// Whether to show sealed values.
        reveal: bool,
    },
}

/// The parts of an export. Each one fits in memory, however long a history is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportPart {
    /// Some contexts after this address; the first ones for `None`.
    Contexts(Option<Address>),
    /// Versions of a context before this one, newest first, with their states.
    Versions(Address, u64),
    /// Entries of a context before this one, newest first.
    Entries(Address, EntryKind, Option<EntryId>),
}

/// The parameters of creating or replacing a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The address of the context.
    pub address: Address,
    /// The data.
    pub data: Object,
    /// The id of the parent, one level up. Required to create a branch or task, unless parents are
    /// created too. `None` keeps the parent on replacing.
    pub parent: Option<ContextId>,
    /// The merge rules. `None` keeps the rules on replacing.
    pub rules: Option<Rules>,
    /// The reason for the change, at most 1,024 bytes.
    pub summary: Option<String>,
    /// Whether to create missing parents as empty contexts.
    pub create_parents: bool,
    /// The version that must be current.
    pub expect: Expect,
}

/// How an update changes the stored layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// A merge patch (RFC 7396).
    Merge(Value),
    /// A JSON Patch (RFC 6902).
    Json(JsonPatch),
    /// Store tombstones at these pointers.
    Unset(Vec<Pointer>),
    /// Append to a list, which is created if it is missing.
    Append {
        /// The pointer to the list.
        pointer: Pointer,
        /// The values to append.
        values: Vec<Value>,
    },
}

/// A new insight or progress note.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// The address of the context.
    pub address: Address,
    /// The list: insights or progress notes.
    pub kind: EntryKind,
    /// The text, 1 byte to 64 KiB.
    pub content: String,
    /// A label chosen by the writer, 1 to 1,024 bytes; insights only.
    pub category: Option<String>,
    /// The importance, from 0 (minor) to 1 (vital); insights only.
    pub importance: Option<f64>,
    /// The name of the writing agent, 1 to 1,024 bytes.
    pub agent: Option<String>,
}

/// Run up to 500 operations as one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whether all operations succeed or none. Otherwise each one succeeds or fails by itself.
    pub transaction: bool,
    /// The operations in order, at most 500. Later ones see the results of earlier ones. An
    /// operation that could not be decoded stays in its place as an error.
    pub operations: Vec<Result<BatchItem>>,
}

impl Batch {
    /// The operations that only read, with their indexes.
    pub fn reads(&self) -> impl Iterator<Item = (usize, &BatchItem)> {
        let items = self.operations.iter().enumerate();
        items.filter_map(|(index, item)| match item {
            Ok(item) if !item.op.is_write() => Some((index, item)),
            _ => None,
        })
    }
}

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchItem {
    /// The operation.
    pub op: Op,
    /// The idempotency key of the operation; only for writes.
    pub idempotency: Option<Idempotency>,
}

/// How an import treats contexts that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// Refuse contexts that exist.
    Create,
    /// Replace contexts that exist.
    Replace,
}

/// An import of up to 500 contexts as one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// How to treat contexts that exist.
    pub mode: ImportMode,
    /// The contexts. A line that could not be decoded stays in its place as an error.
    pub lines: Vec<Result<ImportLine>>,
}

/// One context to import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportLine {
    /// The address of the context.
    pub address: Address,
    /// The id of the parent, for branches and tasks.
    pub parent: Option<ContextId>,
    /// The data.
    pub data: Object,
    /// The merge rules; `None` keeps the rules on replacing.
    pub rules: Option<Rules>,
    /// How the context came about, if the line is from an export.
    pub past: Option<Past>,
}

impl ImportLine {
    /// How many values its data and its history hold, which is what they take in memory.
    pub fn values(&self) -> usize {
        let of = |data: &Object| data.iter().map(|(_, value)| 1 + value.count()).sum::<usize>();
        let past = self.past.iter().flat_map(|past| &past.versions);
        of(&self.data) + past.map(|version| of(&version.data)).sum::<usize>()
    }
}

/// The history and the entries of a context in an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The time when the context was first created.
    pub created_at: Moment,
    /// The versions, oldest first, at least one. Numbers have no gap. The last one has the data and
    /// the rules of the line.
    pub versions: Vec<PastVersion>,
    /// The entries, oldest first.
    pub entries: Vec<PastEntry>,
}

/// One version in an export.
#[derive(Clone, Debug, PartialEq)]
pub struct PastVersion {
    /// The number of the version.
    pub version: u64,
    /// The time of the change.
    pub at: Moment,
    /// The user who made it.
    pub by: User,
    /// The reason that the user gave, at most 1,024 bytes.
    pub summary: Option<String>,
    /// The kind of change.
    pub change: Change,
    /// The data after it.
    pub data: Object,
    /// The id of the parent after it.
    pub parent: Option<ContextId>,
    /// The merge rules after it.
    pub rules: Rules,
}

/// One entry in an export.
#[derive(Clone, Debug, PartialEq)]
pub struct PastEntry {
    /// The entry.
    pub entry: NewEntry,
    /// The time when it was added.
    pub at: Moment,
    /// The user who added it.
    pub by: User,
}

/// Read the resolved view of a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolve {
    /// The address of the context.
    pub address: Address,
    /// A pointer to the part to return; `None` is the whole view.
    pub path: Option<Pointer>,
    /// The past state to read; `None` is the current one.
    pub as_of: Option<AsOf>,
    /// Whether to include origins, and the values that locks overrule.
    pub explain: bool,
    /// Whether to show sealed values.
    pub reveal: bool,
}

impl Command {
    /// Whether it changes the store.
    pub fn is_write(&self) -> bool {
        match self {
            Command::Op(op) => op.is_write(),
            Command::Batch(_) | Command::Administration(_) => true,
            Command::Inspection(_) => false,
        }
    }

    /// Whether it asks for revealed values.
    pub fn reveals(&self) -> bool {
        match self {
            Command::Op(op) => op.reveals(),
            Command::Batch(batch) => {
                batch.operations.iter().flatten().any(|item| item.op.reveals())
            }
            Command::Inspection(inspection) => {
                matches!(inspection, Inspection::Export { reveal: true, .. })
            }
            Command::Administration(_) => false,
        }
    }
}

impl Op {
    /// Whether it changes the store.
    pub fn is_write(&self) -> bool {
        matches!(self, Op::Edit(_))
    }

    /// The context it is about; a list has none.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Op::Read(read) => read.address(),
            Op::Edit(edit) => Some(edit.address()),
        }
    }

    /// Whether it asks for revealed values.
    pub fn reveals(&self) -> bool {
        match self {
            Op::Read(read) => read.reveals(),
            Op::Edit(_) => false,
        }
    }
}

impl Read {
    /// The context it asks about; a list has none.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Read::Resolve(resolve) => Some(&resolve.address),
            Read::Get { address, .. }
            | Read::ViewDiff { address, .. }
            | Read::Preview { address, .. }
            | Read::Entries { address, .. }
            | Read::History { address, .. }
            | Read::Diff { address, .. } => Some(address),
            Read::List { .. } => None,
        }
    }

    /// Whether it asks for revealed values.
    pub fn reveals(&self) -> bool {
        match self {
            Read::Get { reveal, .. } | Read::List { reveal, .. } | Read::Entries { reveal, .. } => {
                *reveal
            }
            Read::Resolve(resolve) => resolve.reveal,
            _ => false,
        }
    }
}

impl Edit {
    /// The context it changes.
    pub fn address(&self) -> &Address {
        match self {
            Edit::Put(put) => &put.address,
            Edit::AddEntry(entry) => &entry.address,
            Edit::Update { address, .. }
            | Edit::Delete { address, .. }
            | Edit::Restore { address, .. }
            | Edit::Rollback { address, .. }
            | Edit::Move { address, .. } => address,
        }
    }
}

impl From<Read> for Op {
    fn from(read: Read) -> Op {
        Op::Read(read)
    }
}

impl From<Edit> for Op {
    fn from(edit: Edit) -> Op {
        Op::Edit(edit)
    }
}

impl From<Read> for Command {
    fn from(read: Read) -> Command {
        Command::Op(Op::Read(read))
    }
}

impl From<Edit> for Command {
    fn from(edit: Edit) -> Command {
        Command::Op(Op::Edit(edit))
    }
}

impl From<Op> for Command {
    fn from(op: Op) -> Command {
        Command::Op(op)
    }
}

impl From<Batch> for Command {
    fn from(batch: Batch) -> Command {
        Command::Batch(batch)
    }
}

impl From<Administration> for Command {
    fn from(work: Administration) -> Command {
        Command::Administration(work)
    }
}

impl From<Inspection> for Command {
    fn from(inspection: Inspection) -> Command {
        Command::Inspection(inspection)
    }
}
