//! What the object does for the index of searches: it drains the outbox by the alarm, makes the index
//! anew, and takes an erased store out of shared databases.

use nacre_core::{
    entropy::Entropy,
    error::{Error, Result},
    store::Reads as _,
    wire::reply::ReindexText,
};

use super::{Keeper, Meter, Object};
use crate::{
    host,
    http::{self, Exchange},
    indexer::Encoders,
    sql_store::Progress,
};

impl Object {
    /// Erases the store. What a shared database has of it is noted in the same transaction, and
    /// goes at once or by the alarm.
    pub(super) async fn erase(
        &self,
        keeper: &Keeper,
        entropy: &mut Entropy,
    ) -> Result<Result<()>, worker::Error> {
        let must_wait = match keeper.store.drop_all_but_name(host::now()) {
            Ok(is_named) => is_named && keeper.indexer.has_databases(),
            Err(error) => return Ok(Err(error)),
        };
        keeper.live.close_all();
        keeper.searcher.forget();
        if must_wait {
            return match keeper.store.forget() {
                Ok(()) => self.pay(keeper, entropy).await,
                Err(error) => Ok(Err(error)),
            };
        }
        self.state.storage().delete_all().await?;
        Ok(keeper.store.forget())
    }

    /// Drops what shared databases have of erased stores. With the last of it goes the storage, if
    /// no new store has come.
    async fn pay(
        &self,
        keeper: &Keeper,
        entropy: &mut Entropy,
    ) -> Result<Result<()>, worker::Error> {
        let is_paid = match keeper.indexer.pay(&keeper.store).await {
            Ok(is_paid) => is_paid,
            Err(error) => return Ok(Err(error)),
        };
        // A new store may have come during the wait.
        let there = keeper.store.wake(&keeper.config.masters, entropy);
        if is_paid && there.as_ref().is_ok_and(Option::is_none) {
            self.state.storage().delete_all().await?;
        }
        Ok(there.map(drop))
    }

    /// Does the work of an alarm, and sets the next one.
    pub(super) async fn upkeep_of(&self, keeper: &Keeper) -> Result<Result<()>, worker::Error> {
        let mut entropy = match keeper.upkeep() {
            Ok(entropy) => entropy,
            Err(error) => return Ok(Err(error)),
        };
        match keeper.store.owed() {
            Ok(owed) if owed.is_empty() => {}
            Ok(_) => {
                if let Err(error) = self.pay(keeper, &mut entropy).await? {
                    return Ok(Err(error));
                }
            }
            Err(error) => return Ok(Err(error)),
        }
        let drained = keeper.drain(&mut entropy).await;
        Ok(drained.and_then(|()| keeper.store.arm(keeper.live.first_expiry())))
    }
}

impl Keeper {
    /// Brings the index of searches a part further, if there is a store: first words, then meanings.
    async fn drain(&self, entropy: &mut Entropy) -> Result<()> {
        let Keeper { config, store, indexer, models, searcher, changes, .. } = self;
        let Some(owner) = store.owner()? else { return Ok(()) };
        let encoders = Encoders { models, embedder: config.embedder.as_ref() };
        let mut encoded = indexer.drain(store, &owner, encoders, entropy).await?;
        // Encoding waits for quiet moments, and other upkeep, such as a rotation of keys, must not.
        if !store.is_behind()? && !store.is_due(host::now())? {
            encoded.extend(indexer.encode(store, models, entropy).await?);
            if let Some(embedder) = &config.embedder {
                encoded.extend(indexer.embed(store, embedder, entropy).await?);
            }
        }
        encoded.iter().for_each(|document| searcher.give_meaning(document, changes));
        Ok(())
    }

    /// Answers with how far the index is. A reindex that starts here continues by alarm.
    pub(super) fn reindex(
        &self,
        exchange: &Exchange,
        meter: &Meter,
        begin: bool,
        entropy: &mut Entropy,
    ) -> http::Response {
        let progress =
            if begin { self.store.reindex(host::now(), entropy) } else { self.store.progress() };
        let progress = progress.and_then(|progress| progress.ok_or_else(Error::not_found));
        match progress.and_then(|progress| Ok((progress, self.store.seq()?))) {
            Ok((Progress { documents, done, of }, seq)) => {
                let text = ReindexText { documents, done, of };
                let work = meter.read(self);
                if begin {
                    exchange.begun(&text, seq, &work)
                } else {
                    exchange.state(&text, seq, &work)
                }
            }
            Err(error) => exchange.problem(&error, None, &meter.read(self)),
        }
    }
}
