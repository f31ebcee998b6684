//! Opens a store with its keys, prepares the keys of a new one, and rewraps keys.

use std::rc::Rc;

use nacre_core::{
    entropy::Entropy,
    error::{Code, Error, Result},
    id::User,
    moment::Moment,
    seal::{Keyring, MasterKeyring, WrappedKey},
};

use super::{Known, SqlStore, meta::Meta, search};
use crate::{schema, sql::Database};

/// Keys for a store that does not exist yet. The first write stores them in the same transaction;
/// without a write they are dropped.
pub struct Founding {
    owner: User,
    wrapped: Vec<WrappedKey>,
    /// The unwrapped keys, for the decision that may create the store.
    pub keys: Rc<Keyring>,
}

impl Founding {
    /// New keys for an owner.
    ///
    /// # Errors
    /// `internal` only.
    pub fn new(owner: &User, masters: &MasterKeyring, entropy: &mut Entropy) -> Result<Founding> {
        let wrapped = Keyring::create(owner, masters, entropy)?;
        let keys = Rc::new(Keyring::unwrap(owner, &wrapped, masters)?);
        Ok(Founding { owner: owner.clone(), wrapped, keys })
    }

    pub(super) fn meta(&self) -> Meta {
        Meta::new(self.owner.clone(), self.wrapped.clone())
    }
}

impl std::fmt::Debug for Founding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Founding(..)")
    }
}

impl<D: Database> SqlStore<D> {
    /// Whether there is no store yet.
    ///
    /// # Errors
    /// `internal` only.
    pub fn is_void(&self) -> Result<bool> {
        Ok(matches!(self.held()?.state, Known::Void))
    }

    /// Reads the metadata, migrates tables and rewraps keys.
    pub(super) fn load(&self, masters: &MasterKeyring, entropy: &mut Entropy) -> Result<Known> {
        let Some(mut meta) = Meta::load(&self.database)? else { return Ok(Known::Void) };
        schema::check(meta.schema, meta.needs)?;
        let keys = Rc::new(Keyring::unwrap(&meta.owner, &meta.keys, masters)?);
        let from = meta.schema;
        let stale = meta.keys.iter().any(|key| key.needs_rewrap(masters));
        if from < schema::VERSION || stale {
            for key in &mut meta.keys {
                if key.needs_rewrap(masters) {
                    *key = key.rewrap(&meta.owner, masters, entropy)?;
                }
            }
            meta.schema = from.max(schema::VERSION);
            meta.needs = meta.needs.max(schema::NEEDS);
            self.database.transaction(&mut || {
                schema::migrate(&self.database, from)?;
                meta.store(&self.database)?;
                if from < schema::SEARCHABLE {
                    search::index_all(&self.database, &keys, entropy)?;
                    self.database.set_alarm(meta.at.max(Moment(1)))?;
                }
                Ok(())
            })?;
        }
        Ok(Known::Open { meta: Rc::new(meta), keys })
    }
}

/// The refusal to serve one owner from another owner's store. It cannot happen as long as objects
/// are named after their owners.
pub(super) fn wrong_owner() -> Error {
    Error::new(Code::StoreUnavailable, "this store belongs to another owner")
}
