//! Upkeep by alarm: drops expired answers, old history and long-deleted contexts, and continues
//! chores.
//!
//! The alarm is set for the earliest row that is due. Each alarm does one bounded part of the work
//! in one transaction, which also sets the next alarm: immediately while there is more to do.
//!
//! **A past state inside the retention can always be read.** For each context, the versions since
//! the cutoff stay, and also the one before them: it is the state at the cutoff.

use nacre_core::{
    entropy::Entropy, error::Result, id::User, level::Level, moment::Moment, quota::Used,
    row::level_number, seal::MasterKeyring, store::Write,
};

use super::{Known, SqlStore, usage::Dropped};
use crate::sql::{Bind, Database};

const HOUR_MILLIS: u64 = 60 * 60 * 1000;

/// Most versions dropped in one transaction.
const VERSIONS_AT_ONCE: u64 = 2000;

/// Most contexts purged in one transaction.
const CONTEXTS_AT_ONCE: u64 = 100;

/// How long history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long old versions and deleted contexts are kept, in milliseconds.
    pub history_millis: u64,
}

impl Retention {
    /// When a written row becomes due, rounded up to a full hour.
    pub(super) fn due(self, write: &Write) -> Option<Moment> {
        match write {
            Write::Replay(replay) => Some(on_the_hour(replay.expires)),
            Write::Record(record) if !record.is_live() => {
                Some(on_the_hour(record.updated_at.later(self.history_millis)))
            }
            // It makes the previous version old.
            Write::Version(version) if version.version > 1 => {
                Some(on_the_hour(version.at.later(self.history_millis)))
            }
            _ => None,
        }
    }
}

impl<D: Database> SqlStore<D> {
    /// Does one part of the work that is due at `now`. The store must be awake.
    ///
    /// # Errors
    /// `store-unavailable`. Then nothing has changed, and no alarm is set.
    pub fn upkeep(
        &self,
        now: Moment,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<()> {
        let Some((meta, keys)) = self.opened_state()? else { return Ok(()) };
        let before = self.used()?;
        let mut after = None;
        let outcome = self.database.transaction(&mut || {
            let (mut meta, mut keys) = (meta.clone(), keys.clone());
            let mut used = before.clone();
            let pruned = self.prune(now, &mut used)?;
            if pruned.any {
                self.begin_sweep(&mut meta, now)?;
            }
            let swept = self.sweep_part(&mut meta, &keys)?;
            used.stored_bytes = used.stored_bytes.saturating_sub(swept);
            if used != before {
                self.store_used(&used)?;
            }
            if pruned.documents.rows > 0 {
                self.forget_documents(pruned.documents, &keys, entropy)?;
            }
            if let Some(ring) = self.rotate_part(&mut meta, &keys, masters, entropy)? {
                keys = ring;
            }
            let busy = pruned.more || meta.chores.sweep.is_some() || meta.chores.rotation.is_some();
            // It must be later than the alarm that is running: the platform ignores setting the
            // same time again, and drops an alarm after it has run.
            meta.alarm = if busy { Some(now.later(1)) } else { self.next_due(now)? };
            meta.store(&self.database)?;
            self.set_alarm([meta.alarm, self.drain_due()?, None])?;
            after = Some((meta, keys, used));
            Ok(())
        });
        let mut held = self.held()?;
        match (outcome, after) {
            (Ok(()), Some((meta, keys, used))) => {
                held.state = Known::Open { meta: meta.into(), keys };
                held.used = Some(used);
                // The caches may contain purged contexts and members of purged projects.
                held.records.clear();
                held.members = None;
                Ok(())
            }
            (outcome, _) => {
                held.state = Known::Unknown;
                held.used = None;
                outcome
            }
        }
    }

    /// Drops what is due, and takes it off what is used.
    fn prune(&self, now: Moment, used: &mut Used) -> Result<Pruned> {
        let cutoff = Bind::Number(now.earlier(self.retention.history_millis).0);
        for mut row in self.database.query(DROP_REPLAYS, &[Bind::Number(now.0)])? {
            let (user, bytes) = (row.text()?, row.number()?);
            if let Ok(user) = User::parse(&user) {
                used.change_answers(&user, 0, bytes);
            }
        }
        let versions = self.dropped(DROP_VERSIONS, &[cutoff, Bind::Number(VERSIONS_AT_ONCE)])?;
        let mut bytes = versions.bytes;
        let gone = self.database.query(GONE, &[cutoff, Bind::Number(CONTEXTS_AT_ONCE)])?;
        let contexts = gone.len() as u64;
        let mut documents = Dropped::default();
        for mut row in gone {
            let (level, id) = (row.number()?, row.text()?);
            for statement in [DROP_VERSIONS_OF, DROP_ENTRIES_OF, DROP_CONTEXT] {
                bytes += self.dropped(statement, &[Bind::Number(level), Bind::Text(&id)])?.bytes;
            }
            let document =
                self.dropped(DROP_DOCUMENT_OF, &[Bind::Number(level), Bind::Text(&id)])?;
            documents.rows += document.rows;
            documents.bytes += document.bytes;
            // Otherwise they would be members of the next project with this id.
            if level == level_number(Level::Project) {
                let members = self.dropped(DROP_MEMBERS_OF, &[Bind::Text(&id)])?.rows;
                used.members = used.members.saturating_sub(members);
            }
        }
        used.stored_bytes = used.stored_bytes.saturating_sub(bytes);
        let more = versions.rows == VERSIONS_AT_ONCE || contexts == CONTEXTS_AT_ONCE;
        Ok(Pruned { any: versions.rows + contexts > 0, more, documents })
    }

    /// The time when the next row is due.
    fn next_due(&self, now: Moment) -> Result<Option<Moment>> {
        let kept = self.retention.history_millis;
        let mut due = None;
        for (statement, kept) in [(FIRST_REPLAY, 0), (FIRST_OUTDATED, kept), (FIRST_GONE, kept)] {
            let row = self.database.query(statement, &[])?.into_iter().next();
            let at = row.map(|mut row| row.optional_number()).transpose()?.flatten();
            let at = at.map(|at| on_the_hour(Moment(at).later(kept)));
            due = [due, at].into_iter().flatten().min();
        }
        // Rows that were due now are gone; the next alarm is at least an hour later.
        Ok(due.map(|due| due.max(on_the_hour(now))))
    }
}

struct Pruned {
    /// Whether rows were dropped that may have mentioned secrets.
    any: bool,
    /// Whether there is more to do immediately.
    more: bool,
    /// Documents that were dropped, and the number of their words.
    documents: Dropped,
}

/// The first full hour after a moment, so that one alarm serves everything that is due by then.
fn on_the_hour(at: Moment) -> Moment {
    Moment((at.0 / HOUR_MILLIS).saturating_add(1).saturating_mul(HOUR_MILLIS))
}

const DROP_REPLAYS: &str = "DELETE FROM replays WHERE expires <= ? RETURNING user, length(value)";

const DROP_VERSIONS: &str = "DELETE FROM versions WHERE (level, id, version) IN (
        SELECT old.level, old.id, old.version FROM versions AS new
        JOIN versions AS old
            ON old.level = new.level AND old.id = new.id AND old.version = new.version - 1
        WHERE new.at <= ? LIMIT ?
    ) RETURNING length(value)";

const GONE: &str = "SELECT level, id FROM contexts
    WHERE deleted IS NOT NULL AND updated_at <= ? LIMIT ?";

const DROP_VERSIONS_OF: &str = "DELETE FROM versions WHERE level = ? AND id = ?
    RETURNING length(value)";

const DROP_ENTRIES_OF: &str = "DELETE FROM entries WHERE level = ? AND id = ?
    RETURNING length(value)";

const DROP_DOCUMENT_OF: &str = "DELETE FROM search WHERE level = ? AND id = ? RETURNING words";

const DROP_MEMBERS_OF: &str = "DELETE FROM members WHERE project = ? RETURNING length(value)";

const DROP_CONTEXT: &str = "DELETE FROM contexts
    WHERE level = ? AND id = ? AND deleted IS NOT NULL RETURNING length(value)";

const FIRST_REPLAY: &str = "SELECT min(expires) FROM replays";

const FIRST_OUTDATED: &str = "SELECT min(new.at) FROM versions AS new
    JOIN versions AS old
        ON old.level = new.level AND old.id = new.id AND old.version = new.version - 1";

const FIRST_GONE: &str = "SELECT min(updated_at) FROM contexts WHERE deleted IS NOT NULL";
