//! Many operations as one commit.

use alloc::{format, rc::Rc, vec::Vec};

use super::{draft::Draft, expect, permit, remember, replayed};
use crate::{
    history::{WHOLE_EVERY, chain, steps_to},
    limits,
    op::{Batch, BatchItem, Edit, Op, Read, Resolve, Which},
    plan::{Remember, Replayed, Reply},
    record::Record,
    store::Reads as _,
};
use nacre_layers::error::{Code, Error, Result};

impl Draft<'_, '_> {
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<Reply> {
        within_limit(batch.operations.len())?;
        let mut replies: Vec<Result<Reply>> = Vec::with_capacity(batch.operations.len());
        let mut shown = ShownBytes::default();
        for (index, item) in batch.operations.iter().enumerate() {
            let outcome = match item {
                Ok(item) => match self.repeated(item, &replies) {
                    Ok(None) if batch.transaction => self.batch_item(item, &mut shown),
                    // A refused transaction is dropped as a whole.
                    Ok(None) => self.attempt(|draft| draft.batch_item(item, &mut shown)),
                    Ok(Some(reply)) => shown.take(&reply).map(|()| reply),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error.clone()),
            };
            match (&outcome, item) {
                (Err(error), _) if batch.transaction => {
                    return Err(error.clone().failed_operation(index));
                }
                (Err(error), _) => {
                    let left = self.conflict_bytes.saturating_sub(expect::shown_bytes(error));
                    self.conflict_bytes = left;
                }
                (Ok(reply), Ok(BatchItem { op, idempotency: Some(idempotency) }))
                    if op.is_write() && !reply.is_again() =>
                {
                    let (user, at) = (self.asker.caller.user.clone(), self.setting.at);
                    self.remember.push(remember(user, idempotency, at, Some(index)));
                }
                _ => {}
            }
            replies.push(outcome);
        }
        Ok(Reply::Batch(replies))
    }

    /// What the reads of a batch see now, for a repeat of the batch: their answers are not stored.
    pub(super) fn read_again(&mut self, batch: &Batch) -> Vec<(usize, Result<Reply>)> {
        let mut shown = ShownBytes::default();
        batch.reads().map(|(index, item)| (index, self.batch_item(item, &mut shown))).collect()
    }

    /// The reply to an operation whose idempotency key was used earlier in this batch.
    fn repeated(&self, item: &BatchItem, replies: &[Result<Reply>]) -> Result<Option<Reply>> {
        let Some(idempotency) = item.idempotency.as_ref().filter(|_| item.op.is_write()) else {
            return Ok(None);
        };
        let earlier = self.remember.iter().find(|first| first.idempotency.key == idempotency.key);
        let Some(Remember { idempotency: first, result: Some(index), .. }) = earlier else {
            return Ok(None);
        };
        idempotency.check(first.request)?;
        Ok(replies.get(*index).is_some_and(Result::is_ok).then_some(Reply::Repeated(*index)))
    }

    fn batch_item(&mut self, item: &BatchItem, shown: &mut ShownBytes) -> Result<Reply> {
        if matches!(item.op, Op::Read(_)) && shown.read > limits::BATCH_READ_BYTES {
            return Err(too_large("the batch reads more than 64 MiB", limits::BATCH_READ_BYTES));
        }
        let reply = self.keyed_item(item)?;
        shown.take(&reply)?;
        Ok(reply)
    }

    fn keyed_item(&mut self, item: &BatchItem) -> Result<Reply> {
        permit::permit(&self.store, self.asker.caller, self.asker.sight, &item.op)?;
        if let Some(idempotency) = item.idempotency.as_ref().filter(|_| item.op.is_write())
            && let Some(reply) =
                replayed(&self.store, self.asker.caller, idempotency, self.setting.at)?
        {
            return Ok(Reply::Replayed(reply));
        }
        self.work(1 + self.past_work(&item.op)?)?;
        let outcome = self.perform_briefly(&item.op);
        if outcome.is_err() {
            // What succeeds is counted by what it changes or shows.
            self.work(self.size(&item.op)?)?;
        }
        outcome
    }

    /// The bytes that an operation goes through to make the past states that it names.
    fn past_work(&self, op: &Op) -> Result<usize> {
        let most = |versions: usize| Ok(self.size(op)?.saturating_mul(versions));
        match op {
            Op::Read(Read::Get { address, which: Which::Version(version), .. })
            | Op::Edit(Edit::Rollback { address, version, .. }) => {
                let current = self.store.record(address)?.map_or(0, |current| current.version);
                most(steps_to(*version, current))
            }
            Op::Read(
                Read::Get { which: Which::AsOf(_), .. }
                | Read::Resolve(Resolve { as_of: Some(_), .. }),
            ) => most(WHOLE_EVERY as usize),
            _ => Ok(0),
        }
    }

    /// The bytes of what an operation looks at: a view or a context, as far as the caller sees it.
    fn size(&self, op: &Op) -> Result<usize> {
        let bytes = |record: &Rc<Record>| record.layer.text().len();
        let address = match op {
            Op::Read(Read::Resolve(resolve)) => {
                let chain = chain(&self.store, &resolve.address);
                let seen = chain.and_then(|chain| self.asker.sight.chain(chain, None));
                return Ok(seen.map_or(0, |chain| chain.iter().map(bytes).sum()));
            }
            Op::Read(read) => read.address(),
            Op::Edit(edit) => Some(edit.address()),
        };
        let record = address.map(|address| self.store.record(address)).transpose()?.flatten();
        Ok(record.as_ref().map_or(0, bytes))
    }

    /// Decides an operation. The result of a write does not repeat its data.
    fn perform_briefly(&mut self, op: &Op) -> Result<Reply> {
        let mut reply = self.perform(op)?;
        if let (Reply::Context(context), true) = (&mut reply, op.is_write()) {
            // The answers of many writes to one context must not hold all its layers.
            context.withhold();
        }
        Ok(reply)
    }
}

/// The data that a batch shows, in bytes.
#[derive(Default)]
struct ShownBytes {
    /// In the answer.
    told: usize,
    /// Read for it, also for results that were refused.
    read: usize,
}

impl ShownBytes {
    /// Adds the size of a reply's data, and refuses an answer that is too large.
    fn take(&mut self, reply: &Reply) -> Result<()> {
        let bytes = match reply {
            Reply::Context(context) => context.memory(),
            Reply::View(view) => view.bytes(),
            Reply::Replayed(Replayed { answer, .. }) => answer.len(),
            Reply::Restored { all, .. } => all.len() * limits::ID_LENGTH,
            _ => 0,
        };
        self.read += bytes;
        if self.told + bytes > limits::ANSWER_BYTES {
            return Err(too_large("the answer would be larger than 4 MiB", limits::ANSWER_BYTES));
        }
        self.told += bytes;
        Ok(())
    }
}

fn too_large(what: &str, limit: usize) -> Error {
    let detail = format!("{what}; read less in one batch");
    Error::new(Code::TooLarge, detail).limit(limit as u64)
}

pub(super) fn within_limit(operations: usize) -> Result<()> {
    if operations > limits::BATCH_OPERATIONS {
        return Err(Error::new(
            Code::TooManyOperations,
            "a request must have at most 500 operations; split it",
        )
        .limit(limits::BATCH_OPERATIONS as u64));
    }
    Ok(())
}
