//! What a decision may read, and what a plan may write.
//!
//! [`Reads`] is small and synchronous: SQL in a Durable Object is, and so are maps in memory.
//! Stores return what they hold, deleted contexts included; what a caller may see is decided here
//! in the core.

use alloc::{rc::Rc, vec::Vec};

use crate::{
    moment::Moment,
    record::{Audit, Entry, EntryId, EntryKind, Member, Record, Replay, Secret, Version},
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
    /// The document.
    pub text: Vec<u8>,
    /// Its content hash: the ETag.
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

/// Which contexts a list names. All parts must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Of this level.
    pub level: Option<Level>,
    /// With this parent (any level, unless `level` says which).
    pub parent: Option<ContextId>,
    /// In the subtree below this context, itself included.
    pub under: Option<Address>,
    /// Whose id begins with this.
    pub prefix: Option<alloc::string::String>,
}

/// Past states are named by commit or by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this commit.
    Seq(u64),
    /// At this moment.
    Time(Moment),
}

/// The state of a store, for one decision. Errors are `store-unavailable`.
pub trait Reads {
    /// The last commit; 0 for a store that has none.
    fn seq(&self) -> Result<u64>;

    /// A context, deleted or not.
    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>>;

    /// Live contexts in order of (level, id), after `after`, at most `limit`.
    fn list(
        &self,
        filter: &Filter,
        after: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<Rc<Record>>>;

    /// The contexts that the delete of commit `seq` took, in order of (level, id).
    fn deleted_by(&self, seq: u64) -> Result<Vec<Rc<Record>>>;

    /// History upward: versions `from` and later, oldest first, at most `limit`.
    fn versions_from(&self, address: &Address, from: u64, limit: usize) -> Result<Vec<Version>>;

    /// History downward: versions before `before` (`None`: from the newest), newest first.
    fn versions_before(
        &self,
        address: &Address,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Version>>;

    /// The newest version at or before a past state.
    fn version_as_of(&self, address: &Address, at: AsOf) -> Result<Option<Version>>;

    /// Entries before `before` (`None`: from the newest), newest first.
    fn entries(
        &self,
        address: &Address,
        kind: EntryKind,
        before: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Entry>>;

    /// The record of an idempotency key. It may have expired.
    fn replay(&self, user: &User, key: &str) -> Result<Option<Replay>>;

    /// A user's memberships; of all users when `None`. In order of (project, user).
    fn members(&self, user: Option<&User>) -> Result<Vec<Member>>;

    /// The audit trail before commit `before` (`None`: from the newest), newest first.
    fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<Audit>>;

    /// A sealed value.
    fn secret(&self, fingerprint: &Fingerprint) -> Result<Option<Secret>>;

    /// The view of a chain of live records, global first. A store may answer from a cache as long
    /// as the answer is the same.
    fn view(&self, chain: &[Rc<Record>]) -> Result<Rc<View>> {
        Ok(resolve_records(chain))
    }
}

/// One row to write. Applying a write twice is the same as applying it once.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A context's current row.
    Record(Rc<Record>),
    /// A new entry of its history.
    Version(Version),
    /// An insight or a progress note.
    Entry(Entry),
    /// A sealed value.
    Secret(Secret),
    /// A member, new or with another role.
    Member(Member),
    /// A member no more.
    Expel {
        /// Who.
        user: User,
        /// From which project.
        project: ContextId,
    },
    /// An answer to give again.
    Replay(Replay),
    /// The commit's line in the audit trail; it also advances the store's seq.
    Audit(Audit),
}
