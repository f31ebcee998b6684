//! Rotates the data key and the fingerprint key: reseals all values and replaces markers in the
//! background.
//!
//! ```text
//! rotate ─▶ d2 is stored, seals from now on ─▶ each alarm: the next part of the walk is sealed
//!           anew, its place noted in the same transaction ─▶ at the end d1 is dropped
//! ```
//! Markers of the old fingerprint key are replaced by ordinary commits, so that subscribers and
//! copies follow. Those in the history stay, and open as before.
//!
//! After a restart the object continues after the last transaction. Rows that cannot be opened stay
//! as they are, and the old key stays with them.

use std::rc::Rc;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Code, Result},
    id::{ContextId, User},
    marker::Fingerprint,
    moment::Moment,
    record::Audit,
    row::{Row as _, level_number, level_of},
    seal::{KeyId, Keyring, MasterKeyring},
    store::{Filter, Write},
};

use super::{
    Known, SqlStore,
    meta::{Meta, Place},
    sweep,
};
use crate::sql::{Cell, Database, odd};

/// Most contexts looked at in one part of replacing markers.
const MARKED_AT_ONCE: usize = 50;

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
            let data_key = keys.rotate(&meta.owner, masters, entropy)?;
            let fingerprint_key = keys.rotate_fingerprint(&meta.owner, masters, entropy)?;
            meta.keys.retain(|key| matches!(key.id(), KeyId::Data(_)));
            meta.keys.extend([data_key, fingerprint_key]);
            meta.chores.rotation = Some(Place::START);
            meta.chores.marking = Some(Place::START);
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

    /// When all is resealed, calls `rewrite` for the next contexts that hold markers of an older
    /// fingerprint key. It must write the context, which replaces them. What it refuses keeps its
    /// markers.
    ///
    /// # Errors
    /// `store-unavailable`, also from `rewrite`: then the part is done again.
    pub fn mark_part(
        &self,
        now: Moment,
        mut rewrite: impl FnMut(&User, &Address) -> Result<()>,
    ) -> Result<()> {
        let Some((meta, keys)) = self.opened_state()? else { return Ok(()) };
        let Some(place) = &meta.chores.marking else { return Ok(()) };
        if meta.chores.rotation.is_some() {
            return Ok(());
        }
        let after = after(place)?;
        let page = self.list_page(&Filter::default(), after.as_ref(), MARKED_AT_ONCE)?;
        for listed in &page {
            let Some(record) = self.record_of(&listed.address)? else { continue };
            let stale = |fingerprint: &Fingerprint| !keys.is_current(fingerprint);
            if sweep::of_layer(&record.layer)?.iter().any(stale)
                && let Err(error) = rewrite(&meta.owner, &record.address)
                && error.code() == Code::StoreUnavailable
            {
                return Err(error);
            }
        }
        let Some((mut meta, keys)) = self.opened_state()? else { return Ok(()) };
        let last = page.last().filter(|_| page.len() == MARKED_AT_ONCE);
        meta.chores.marking = last.map(|record| Place {
            table: 0,
            after: vec![
                Cell::Number(level_number(record.address.level)),
                Cell::Text(record.address.id.as_str().into()),
            ],
        });
        if meta.chores.marking.is_some() {
            let soon = now.later(1);
            meta.alarm = Some(meta.alarm.map_or(soon, |alarm| alarm.min(soon)));
        }
        self.commit(meta, keys, |meta| meta.store(&self.database))
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

/// The last context of the part before.
fn after(place: &Place) -> Result<Option<Address>> {
    match place.after.as_slice() {
        [Cell::Number(level), Cell::Text(id)] => {
            let id = ContextId::stored(id).map_err(|_| odd())?;
            Address::new(level_of(*level)?, id).map(Some).map_err(|_| odd())
        }
        _ => Ok(None),
    }
}
