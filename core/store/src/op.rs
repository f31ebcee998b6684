//! Every request as data: what the shells decode into and `decide` answers.

use alloc::{string::String, vec::Vec};

use crate::{
    access::Scopes,
    record::{EntryId, EntryKind, Role},
    store::{AsOf, Filter},
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
    /// Who asks, of whom.
    pub caller: Caller,
    /// What they ask.
    pub op: Op,
    /// The key under which a repeat gets the same answer.
    pub idempotency: Option<Idempotency>,
    /// The request's id, for the audit trail.
    pub id: Option<String>,
}

/// Who asks, and whose store they ask.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The user the token names.
    pub user: User,
    /// The owner of the store.
    pub owner: User,
    /// What the token allows.
    pub scopes: Scopes,
}

/// An idempotency key and what it was used for.
#[derive(Clone, Debug, PartialEq)]
pub struct Idempotency {
    /// The client's key.
    pub key: String,
    /// Hash of method, path and body: another request under the same key is refused.
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

/// Which version a write expects to find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Any, or none.
    #[default]
    Anything,
    /// No live context; `already-exists` otherwise (a plain create).
    Absent,
    /// No live context; `version-conflict` otherwise (`If-None-Match: *`).
    NoneMatch,
    /// A live context, whatever its version.
    Present,
    /// This version.
    Version(u64),
}

/// Which state of one context a read wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The current one.
    #[default]
    Current,
    /// That version.
    Version(u64),
    /// As of a commit or a time.
    AsOf(AsOf),
}

/// Everything that can be asked. Writes first.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Create or replace.
    Put(Put),
    /// Edit the stored layer.
    Update {
        /// Which context.
        address: Address,
        /// The edit.
        patch: Edit,
        /// Why.
        summary: Option<String>,
        /// Expected version.
        expect: Expect,
    },
    /// Take away, restorably.
    Delete {
        /// Which context.
        address: Address,
        /// With everything below; refused otherwise while there is something.
        cascade: bool,
        /// Why.
        summary: Option<String>,
        /// Expected version.
        expect: Expect,
    },
    /// Bring back what the delete of this context took.
    Restore {
        /// Which context.
        address: Address,
        /// Why.
        summary: Option<String>,
    },
    /// A new version with an old one's data and rules.
    Rollback {
        /// Which context.
        address: Address,
        /// To which version.
        version: u64,
        /// Why.
        summary: Option<String>,
        /// Expected current version.
        expect: Expect,
    },
    /// Put under another parent.
    Move {
        /// Which context.
        address: Address,
        /// The new parent, one level up.
        parent: ContextId,
        /// Why.
        summary: Option<String>,
        /// Expected version.
        expect: Expect,
    },
    /// Add an insight or a progress note.
    AddEntry(NewEntry),
    /// Many operations as one commit.
    Batch(Batch),
    /// Create or replace many contexts as one commit.
    Import(Import),
    /// Share a project, or change a member's role.
    PutMember {
        /// With whom.
        user: User,
        /// Which project.
        project: ContextId,
        /// As what.
        role: Role,
    },
    /// Stop sharing a project.
    DeleteMember {
        /// With whom.
        user: User,
        /// Which project.
        project: ContextId,
    },

    /// Read one context.
    Get {
        /// Which context.
        address: Address,
        /// Which state.
        which: Which,
        /// Open sealed values.
        reveal: bool,
    },
    /// List contexts.
    List {
        /// Which ones.
        filter: Filter,
        /// After this address.
        after: Option<Address>,
        /// Page size.
        limit: usize,
        /// With their data.
        data: bool,
        /// Open sealed values.
        reveal: bool,
    },
    /// Read the resolved view.
    Resolve(Resolve),
    /// What changed in the view between two states.
    ViewDiff {
        /// Whose view.
        address: Address,
        /// The earlier state.
        from: AsOf,
        /// The later state; `None` is now.
        to: Option<AsOf>,
    },
    /// What a write would change, below too. Nothing is stored.
    Preview {
        /// The context under which the writes are tried.
        address: Address,
        /// The writes.
        operations: Vec<Op>,
    },
    /// List insights or progress notes, newest first.
    Entries {
        /// Whose.
        address: Address,
        /// Which list.
        kind: EntryKind,
        /// Before this entry.
        before: Option<EntryId>,
        /// Page size.
        limit: usize,
    },
    /// List versions, newest first.
    History {
        /// Whose.
        address: Address,
        /// Before this version.
        before: Option<u64>,
        /// Page size.
        limit: usize,
    },
    /// What changed between two versions.
    Diff {
        /// Whose.
        address: Address,
        /// The one version.
        from: u64,
        /// The other; `None` is the current one.
        to: Option<u64>,
    },
    /// List members of shared projects.
    Members,
    /// List commits, newest first.
    Audit {
        /// Before this commit.
        before: Option<u64>,
        /// Page size.
        limit: usize,
    },
    /// A part of an export.
    Export {
        /// Which part.
        part: ExportPart,
        /// Open sealed values.
        reveal: bool,
    },
}

/// The parts of an export: however long a history is, each fits in memory.
#[derive(Clone, Debug, PartialEq)]
pub enum ExportPart {
    /// The context after this address; the very first for `None`.
    Context(Option<Address>),
    /// Versions of a context before this one, newest first, with their whole states.
    Versions(Address, u64),
    /// Entries of a context before this one, newest first.
    Entries(Address, EntryKind, Option<EntryId>),
}

/// Create or replace one context.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Which context.
    pub address: Address,
    /// The data.
    pub data: Object,
    /// The id one level up: needed to create a branch or task, unless parents are to be made; kept
    /// when it is not named on replacing.
    pub parent: Option<ContextId>,
    /// Merge rules; kept when not named on replacing.
    pub rules: Option<Rules>,
    /// Why.
    pub summary: Option<String>,
    /// Make missing parents, empty.
    pub create_parents: bool,
    /// Expected version.
    pub expect: Expect,
}

/// How an update edits the stored layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// RFC 7396.
    Merge(Value),
    /// RFC 6902.
    Json(JsonPatch),
    /// Store tombstones at these pointers.
    Unset(Vec<Pointer>),
    /// Append to a list, made if missing.
    Append {
        /// The list.
        pointer: Pointer,
        /// What to append.
        values: Vec<Value>,
    },
}

/// A new insight or progress note.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// Whose.
    pub address: Address,
    /// Which list.
    pub kind: EntryKind,
    /// The text.
    pub content: String,
    /// A free label.
    pub category: Option<String>,
    /// 0 to 1.
    pub importance: Option<f64>,
    /// The agent that writes.
    pub agent: Option<String>,
}

/// Many operations as one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// All or nothing; otherwise each operation stands for itself.
    pub transaction: bool,
    /// The operations, in order; later ones see earlier ones. An operation that could not be
    /// decoded keeps its place as its error.
    pub operations: Vec<Result<BatchItem>>,
}

/// One operation of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchItem {
    /// A write, `Get` or `Resolve`.
    pub op: Op,
    /// Its own idempotency key.
    pub idempotency: Option<Idempotency>,
}

/// How an import treats contexts that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// Refuse.
    Create,
    /// Replace them.
    Replace,
}

/// Many contexts as one commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// What to do with existing ones.
    pub mode: ImportMode,
    /// The contexts; a line that could not be decoded keeps its place as its error.
    pub lines: Vec<Result<ImportLine>>,
}

/// One context to import.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportLine {
    /// Which context.
    pub address: Address,
    /// Its parent, for branches and tasks.
    pub parent: Option<ContextId>,
    /// Its data.
    pub data: Object,
    /// Its rules.
    pub rules: Option<Rules>,
}

/// Read the resolved view of a context.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolve {
    /// Whose view.
    pub address: Address,
    /// One part of it.
    pub path: Option<Pointer>,
    /// Of a past state.
    pub as_of: Option<AsOf>,
    /// With origins and what locks overruled.
    pub explain: bool,
    /// Open sealed values.
    pub reveal: bool,
}

impl Op {
    /// Whether it changes the store.
    pub fn is_write(&self) -> bool {
        matches!(
            self,
            Op::Put(_)
                | Op::Update { .. }
                | Op::Delete { .. }
                | Op::Restore { .. }
                | Op::Rollback { .. }
                | Op::Move { .. }
                | Op::AddEntry(_)
                | Op::Batch(_)
                | Op::Import(_)
                | Op::PutMember { .. }
                | Op::DeleteMember { .. }
        )
    }

    /// The context it is about, where it is about one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Op::Put(put) => Some(&put.address),
            Op::AddEntry(entry) => Some(&entry.address),
            Op::Resolve(resolve) => Some(&resolve.address),
            Op::Update { address, .. }
            | Op::Delete { address, .. }
            | Op::Restore { address, .. }
            | Op::Rollback { address, .. }
            | Op::Move { address, .. }
            | Op::Get { address, .. }
            | Op::ViewDiff { address, .. }
            | Op::Preview { address, .. }
            | Op::Entries { address, .. }
            | Op::History { address, .. }
            | Op::Diff { address, .. } => Some(address),
            Op::Batch(_)
            | Op::Import(_)
            | Op::PutMember { .. }
            | Op::DeleteMember { .. }
            | Op::List { .. }
            | Op::Members
            | Op::Audit { .. }
            | Op::Export { .. } => None,
        }
    }

    /// Whether it asks for sealed values.
    pub fn reveals(&self) -> bool {
        match self {
            Op::Get { reveal, .. } | Op::List { reveal, .. } | Op::Export { reveal, .. } => *reveal,
            Op::Resolve(resolve) => resolve.reveal,
            Op::Batch(batch) => batch.operations.iter().flatten().any(|item| item.op.reveals()),
            _ => false,
        }
    }
}
