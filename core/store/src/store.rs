//! The interface of a store: what a decision may read, and what a plan may write.
//!
//! [`Reads`] is small and synchronous, like SQL in a Durable Object and maps in memory. A store
//! returns everything it holds, including deleted contexts; the core decides what a caller may see.

use alloc::{rc::Rc, vec::Vec};

use crate::{
    moment::Moment,
    record::{Audit, Entry, EntryId, EntryKind, Heading, Member, Record, Replay, Secret, Version},
    revocation::{Revocation, Subject},
    sheet::{Sheet, SheetKind},
};
use nacre_layers::{
    address::Address,
    error::Result,
    hash::Hash,
    id::{ContextId, User},
    level::Level,
    marker::Fingerprint,
    resolve::{self, Link, Links, resolve, view_hash},
};

/// A resolved view: canonical text and content hash.
#[derive(Clone, PartialEq)]
pub struct View {
    /// The document as canonical JSON.
    pub text: Vec<u8>,
    /// The content hash of the document, which is its ETag.
    pub hash: Hash,
}

impl core::fmt::Debug for View {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "View({} bytes, {})", self.text.len(), self.hash)
    }
}

/// Resolves a chain of records, global first.
pub fn resolve_records(chain: &[Rc<Record>]) -> Rc<View> {
    let links = links(chain);
    Rc::new(View { text: resolve(&links), hash: view_hash(&links) })
}

/// The layers and rules of a chain of records.
pub fn links(chain: &[Rc<Record>]) -> Links<'_> {
    let links = chain.iter().map(|record| Link { layer: &record.layer, rules: &record.rules });
    resolve::collect(links)
}

/// Selects contexts for a list. All conditions must hold; `None` is no condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only contexts of this level.
    pub level: Option<Level>,
    /// Only contexts whose parent has this id, at any level unless `level` is set.
    pub parent: Option<ContextId>,
    /// Only this context and those below it.
    pub under: Option<Address>,
    /// Only contexts whose id starts with this text.
    pub prefix: Option<alloc::string::String>,
}

/// A past state of the store, by commit or by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// The state after the commit with this `seq`.
    Seq(u64),
    /// The state at this moment.
    Time(Moment),
}

/// Read access to the state of a store, for one decision. All errors are `store-unavailable`.
pub trait Reads {
    /// The `seq` of the last commit; 0 for a store without commits.
    fn seq(&self) -> Result<u64>;

    /// The record of a context, deleted or not; `None` if it never existed.
    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>>;

    /// Live contexts in order of (level, id), after `after`, at most `limit`.
    fn list(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Heading>>>;

    /// The contexts that commit `seq` deleted, in order of (level, id).
    fn deleted_by(&self, seq: u64) -> Result<Vec<Rc<Heading>>>;

    /// Versions from `from` on, oldest first, at most `limit`.
    fn versions_from(&self, address: &Address, from: u64, limit: usize) -> Result<Vec<Version>>;

    /// Versions before `before` (`None`: from the newest on), newest first, at most `limit`.
    fn versions_before(
        &self,
        address: &Address,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Version>>;

    /// The newest version at or before a past state.
    fn version_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Version>>;

    /// Entries before `before` (`None`: from the newest on), newest first, at most `limit`.
    fn entries(
        &self,
        address: &Address,
        kind: EntryKind,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>>;

    /// The stored answer for an idempotency key, even if it has expired.
    fn replay(&self, user: &User, key: &str) -> Result<Option<Replay>>;

    /// The memberships of a user, or of all users for `None`, in order of (project, user).
    fn members(&self, user: Option<&User>) -> Result<Vec<Member>>;

    /// Shows all revocations, users first, each kind in order of name.
    fn each_revocation(&self, see: &mut dyn FnMut(&Revocation)) -> Result<()>;

    /// The sheet of this kind with this name.
    fn sheet(&self, kind: SheetKind, name: &str) -> Result<Option<Sheet>>;

    /// Sheets of a kind with a name before `before` (`None`: from the last on), last first, at most
    /// `limit`; with `waiting`, only those that wait.
    fn sheets(
        &self,
        kind: SheetKind,
        waiting: bool,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Sheet>>;

    /// Commits before `before` (`None`: from the newest on), newest first, at most `limit`.
    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<Audit>>;

    /// The sealed value with this fingerprint.
    fn secret(&self, fingerprint: &Fingerprint) -> Result<Option<Secret>>;

    /// Whether there is a sealed value with this fingerprint. It may be long, so a store should look
    /// without reading it.
    fn has_secret(&self, fingerprint: &Fingerprint) -> Result<bool> {
        Ok(self.secret(fingerprint)?.is_some())
    }

    /// The view of a chain of live records, global first. A store may use a cache if the answer is
    /// the same.
    fn view(&self, chain: &[Rc<Record>]) -> Result<Rc<View>> {
        Ok(resolve_records(chain))
    }
}

/// One row to write. Writes are idempotent.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// The current row of a context.
    Record(Rc<Record>),
    /// A new version in the history of a context.
    Version(Version),
    /// An insight or a progress note.
    Entry(Entry),
    /// The sealed value with this fingerprint.
    Secret(Secret),
    /// A new member, or a member with a new role.
    Member(Member),
    /// The end of a membership.
    Expel {
        /// The user.
        user: User,
        /// The id of the project.
        project: ContextId,
    },
    /// A new or a changed revocation of tokens; `None` is its end.
    Revoke(Subject, Option<Rc<Revocation>>),
    /// A promotion or a template, or its end.
    Sheet(Sheet),
    /// The answer for an idempotency key.
    Replay(Replay),
    /// The line of the commit in the audit trail. It also sets the store's `seq`.
    Audit(Audit),
}

impl Write {
    /// The context whose layer or notes it changes.
    pub fn changed(&self) -> Option<&Address> {
        match self {
            Write::Record(record) => Some(&record.address),
            Write::Entry(entry) => Some(&entry.address),
            _ => None,
        }
    }
}
