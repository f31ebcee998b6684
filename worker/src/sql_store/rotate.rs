//! Rotates the data key: reseals all values in the background.
//!
//! ```text
//! rotate ─▶ d2 is stored, seals from now on ─▶ each alarm: the next part of the walk is sealed
//!           anew, its place noted in the same transaction ─▶ at the end d1 is dropped
//! ```
//! After a restart the object continues after the last transaction. Rows that cannot be opened stay
//! as they are, and the old key stays with them.

use std::rc::Rc;

use nacre_core::{
    entropy::Entropy,
    error::Result,
    id::User,
    moment::Moment,
    record::Audit,
    row::Row as _,
    seal::{KeyId, Keyring, MasterKeyring},
    store::Write,
};

use super::{
    Known, SqlStore,
    meta::{Meta, Place},
};
use crate::sql::Database;

/// The state of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The data key that seals now.
    pub key: KeyId,
    /// Whether some values are still sealed with an older key.
    pub goes_on: bool,
}

impl<D: Database> SqlStore<D> {
    /// Starts a rotation unless one is running, and adds a line to the audit trail with the user
    /// and the request. `None` if there is no store.
    ///
    /// # Errors
    /// `store-unavailable`.
    pub fn rotate(
        &self,
        at: Moment,
        by: &User,
        request: Option<String>,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<Option<Rotation>> {
        let Some((mut meta, keys)) = self.opened_state()? else { return Ok(None) };
        if meta.chores.rotation.is_none() {
            meta.keys.push(keys.rotate(&meta.owner, masters, entropy)?);
            meta.chores.rotation = Some(Place::START);
            meta.alarm = Some(at);
            meta.seq += 1;
            meta.at = meta.at.max(at);
            let ring = Rc::new(Keyring::unwrap(&meta.owner, &meta.keys, masters)?);
            let audit = Audit::of_rotation(meta.seq, meta.at, by, request);
            let sealed = [audit.seal(&ring, entropy)?];
            let writes = [Write::Audit(audit)];
            let used = self.used()?;
            self.commit(meta, ring, |meta| {
                self.write(&writes, &sealed, &used)?;
                meta.store(&self.database)?;
                self.database.set_alarm(at)
            })?;
        }
        self.rotation()
    }

    /// The state of the last rotation; `None` if there is no store.
    ///
    /// # Errors
    /// `internal` only.
    pub fn rotation(&self) -> Result<Option<Rotation>> {
        let Some((meta, keys)) = self.opened_state()? else { return Ok(None) };
        Ok(Some(Rotation { key: keys.newest(), goes_on: meta.chores.rotation.is_some() }))
    }

    /// Reseals the next part, inside the alarm's transaction. When all is done, returns the keys
    /// without the old ones.
    pub(super) fn rotate_part(
        &self,
        meta: &mut Meta,
        keys: &Keyring,
        masters: &MasterKeyring,
        entropy: &mut Entropy,
    ) -> Result<Option<Rc<Keyring>>> {
        let Some(place) = meta.chores.rotation.clone() else { return Ok(None) };
        let part = self.part(&place)?;
        self.reseal(&place, part.rows, keys, || entropy.array())?;
        meta.chores.rotation = part.next;
        let newest = keys.newest();
        if meta.chores.rotation.is_some() || self.sealed_otherwise(newest)? > 0 {
            return Ok(None);
        }
        meta.keys.retain(|key| match key.id() {
            KeyId::Data(_) => key.id() == newest,
            KeyId::Fingerprint(_) => true,
        });
        Ok(Some(Rc::new(Keyring::unwrap(&meta.owner, &meta.keys, masters)?)))
    }

    /// A copy of the metadata, and the keys; `None` if there is no store.
    pub(super) fn opened_state(&self) -> Result<Option<(Meta, Rc<Keyring>)>> {
        Ok(match &self.held()?.state {
            Known::Open { meta, keys } => Some((Meta::clone(meta), keys.clone())),
            Known::Void | Known::Unknown => None,
        })
    }

    /// Runs `write` as a transaction. On success the new metadata and keys are kept in memory; on
    /// failure the database is read again.
    pub(super) fn commit(
        &self,
        meta: Meta,
        keys: Rc<Keyring>,
        write: impl Fn(&Meta) -> Result<()>,
    ) -> Result<()> {
        let outcome = self.database.transaction(&mut || write(&meta));
        self.held()?.state = match &outcome {
            Ok(()) => Known::Open { meta: Rc::new(meta), keys },
            Err(_) => Known::Unknown,
        };
        outcome
    }
}
