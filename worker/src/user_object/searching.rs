//! What the object does for a search: it counts it, loads the models, answers, and makes the next one
//! quick behind the answer.

use std::rc::Rc;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::{Code, Result},
    op::Caller,
    quota::too_soon,
    retrieval::{self, Found, GivenVector, Mode, Question},
    store::Reads as _,
};
use worker::console_error;

use super::{Keeper, Meter, Object, is_owner, rates_borrowed};
use crate::{
    auth::Refusal,
    bearer::Bearer,
    host,
    http::{self, Exchange, Work},
    models::Need,
    searcher::Search,
};

impl Object {
    /// Does behind the answer to a search what makes the next ones quick and honest.
    pub(super) fn load_behind(&self, keeper: &Rc<Keeper>, caller: &Caller) {
        if !keeper.searcher.needs_a_look() {
            return;
        }
        let (keeper, owner) = (Rc::clone(keeper), caller.owner.clone());
        self.state.wait_until(async move {
            let Keeper { config, store, changes, indexer, searcher, .. } = &*keeper;
            let mut outcome = Ok(());
            if let Some(database) = indexer.database(&owner) {
                let budget = config.search_budget_millis;
                outcome = searcher.probe(store, indexer, database, budget).await;
            }
            let outcome = outcome.and(keeper.behind(searcher.load(store, changes)).await);
            // The deployment may have other models than the index, and nothing else may happen here.
            let outcome = outcome.and_then(|()| match store.drain_due()? {
                Some(_) => store.arm(keeper.live.first_expiry()),
                None => Ok(()),
            });
            if let Err(error) = outcome {
                console_error!("search: {error}");
            }
        });
    }
}

impl Keeper {
    /// Answers a search.
    pub(super) async fn search(
        &self,
        exchange: &Exchange,
        meter: &Meter,
        bearer: &Bearer,
        (caller, question): (&Caller, &Question),
        entropy: &mut Entropy,
    ) -> http::Response {
        let answer = match self.find(bearer, caller, question, entropy).await {
            Ok(found) => self.store.seq().and_then(|seq| Ok((found, seq, self.store.waiting()?))),
            Err(error) => Err(error),
        };
        match answer {
            Ok((found, seq, behind)) => {
                let work = Work { behind: Some(behind), ..meter.read(self) };
                exchange.found(retrieval::answer(&found), seq, &work)
            }
            Err(error) if error.code() == Code::Unauthenticated => {
                exchange.refused(Refusal::Revoked)
            }
            Err(error) => exchange.problem(&error, None, &Work::default()),
        }
    }

    pub(super) async fn find(
        &self,
        bearer: &Bearer,
        caller: &Caller,
        question: &Question,
        entropy: &mut Entropy,
    ) -> Result<Found> {
        self.count_search(caller)?;
        question
            .refuse_the_future(self.store.seq()?, host::now().max(self.store.last_commit()?))?;
        let models = match question.mode {
            Mode::Text => None,
            Mode::Semantic | Mode::Hybrid => self.models.load(Need::Queries).await,
        };
        let Keeper { config, store, changes, indexer, searcher, .. } = self;
        let asked = Search {
            caller,
            question,
            models: models.as_deref(),
            embedder: config.embedder.as_ref(),
            indexer,
            budget_millis: config.search_budget_millis,
            // The token may have been revoked during the wait.
            permit: &|| self.admit(bearer),
        };
        searcher.search(store, changes, &asked, entropy).await
    }

    /// Gives a context a vector.
    pub(super) async fn give_vector(
        &self,
        exchange: &Exchange,
        bearer: &Bearer,
        given: (&Address, &GivenVector),
        entropy: &mut Entropy,
    ) -> http::Response {
        let Keeper { store, changes, indexer, searcher, .. } = self;
        let host = (indexer, &(|| self.admit(bearer)) as &dyn Fn() -> Result<()>);
        match searcher.give_vector(store, changes, given, host, entropy).await {
            Ok(()) => exchange.erased(),
            Err(error) if error.code() == Code::Unauthenticated => {
                exchange.refused(Refusal::Revoked)
            }
            Err(error) => exchange.problem(&error, None, &Work::default()),
        }
    }

    /// Counts a search.
    ///
    /// # Errors
    /// `rate-limited`.
    fn count_search(&self, caller: &Caller) -> Result<()> {
        let mut searches = self.searches.try_borrow_mut().map_err(|_| rates_borrowed())?;
        let (standing, passes) =
            searches.take(&caller.user, self.store.quotas(), is_owner(caller), host::now());
        if passes { Ok(()) } else { Err(too_soon(&standing)) }
    }
}
