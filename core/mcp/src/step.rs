//! What a request needs of the store, as data.

use alloc::{boxed::Box, string::String, vec::Vec};

use nacre_layers::{
    error::{Error, Result},
    json,
    value::Value,
};
use nacre_pack as pack;
use nacre_retrieval::Question;
use nacre_store::{
    op::{Command, Idempotency},
    topic::Topic,
};

/// One thing that is asked of the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// A command, with its idempotency key.
    Command(Command, Option<Idempotency>),
    /// A search.
    Search(Box<Question>),
    /// A context pack.
    Pack(pack::Ask),
    /// Changes of a topic, over the stream of a session.
    Follow(Follow),
}

/// What the stream of a session is to follow, or no more.
#[derive(Clone, Debug, PartialEq)]
pub struct Follow {
    /// The session.
    pub session: String,
    /// The resource, which names the subscription.
    pub uri: String,
    /// What changes it.
    pub topic: Topic,
    /// Whether it begins; otherwise it ends.
    pub begins: bool,
}

/// The store's answer to one [`Ask`].
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The store's `seq` after it.
    pub seq: u64,
    /// The ETag with quotes; `None` if the answer has none.
    pub etag: Option<String>,
    /// What HTTP would answer: JSON, but for a pack as Markdown.
    pub body: Vec<u8>,
}

impl Answered {
    /// The body, read as JSON.
    ///
    /// # Errors
    /// `internal` if it is none.
    pub(crate) fn value(&self) -> Result<Value> {
        json::read(&self.body, usize::MAX).map_err(|_| Error::bug("an answer is no JSON"))
    }
}

/// What is to be done with the answers, one for each [`Ask`] in its order.
pub type Next<T> = Box<dyn FnOnce(Vec<Result<Answered>>) -> Step<T>>;

/// How a request goes on.
pub enum Step<T> {
    /// The store must be asked first. The asks are independent of each other; a shell carries them out
    /// in their order, and goes on past one that fails.
    Ask(Vec<Ask>, Next<T>),
    /// This is the result.
    Done(T),
}

impl<T: 'static> Step<T> {
    /// Asks one thing.
    pub fn ask(ask: Ask, next: impl FnOnce(Result<Answered>) -> Step<T> + 'static) -> Step<T> {
        Step::all(Vec::from([ask]), |mut answers| {
            let missing = || Err(Error::bug("an ask has no answer"));
            next(answers.pop().unwrap_or_else(missing))
        })
    }

    /// Asks several things.
    pub fn all(
        asks: Vec<Ask>,
        next: impl FnOnce(Vec<Result<Answered>>) -> Step<T> + 'static,
    ) -> Step<T> {
        Step::Ask(asks, Box::new(next))
    }

    /// Makes something else of the result.
    pub fn map<U: 'static>(self, make: impl FnOnce(T) -> U + 'static) -> Step<U> {
        match self {
            Step::Ask(asks, next) => {
                Step::Ask(asks, Box::new(move |answers| next(answers).map(make)))
            }
            Step::Done(result) => Step::Done(make(result)),
        }
    }
}
