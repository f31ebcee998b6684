//! Many operations as one commit: batches and imports.

use alloc::vec::Vec;

use super::{draft::Draft, permit, replay, replayed};
use crate::{
    error::{Code, Error, Result},
    limits,
    op::{Batch, BatchItem, Expect, Import, ImportLine, ImportMode, Op, Put},
    plan::Reply,
    store::Write,
    wire::Answer,
};

impl Draft<'_, '_> {
    pub(super) fn batch(&mut self, batch: &Batch) -> Result<Reply> {
        within_limit(batch.operations.len())?;
        let mut replies = Vec::with_capacity(batch.operations.len());
        let mut shown = 0;
        for (index, item) in batch.operations.iter().enumerate() {
            let outcome = match item {
                // What a refusal leaves of a transaction is dropped with all of it.
                Ok(item) if batch.transaction => self.batch_item(item, &mut shown),
                Ok(item) => self.attempt(|draft| draft.batch_item(item, &mut shown)),
                Err(error) => Err(error.clone()),
            };
            match outcome {
                Err(error) if batch.transaction => return Err(error.failed_operation(index)),
                outcome => replies.push(outcome),
            }
        }
        Ok(Reply::Batch(replies))
    }

    /// Decides an item; `shown` counts the bytes of data in the answer so far.
    fn batch_item(&mut self, item: &BatchItem, shown: &mut usize) -> Result<Reply> {
        let reply = self.keyed_item(item)?;
        fits(shown, &reply)?;
        Ok(reply)
    }

    fn keyed_item(&mut self, item: &BatchItem) -> Result<Reply> {
        if matches!(item.op, Op::Batch(_) | Op::Import(_) | Op::Export { .. }) {
            return Err(Error::new(Code::InvalidRequest, "this cannot be part of a batch"));
        }
        permit::permit(&self.store, self.caller, &item.op)?;
        let Some(idempotency) = item.idempotency.as_ref().filter(|_| item.op.is_write()) else {
            return self.perform_briefly(&item.op);
        };
        let (user, at) = (&self.caller.user, self.setting.at);
        if let Some(reply) = replayed(&self.store, user, idempotency, at)? {
            return Ok(reply);
        }
        let reply = self.perform_briefly(&item.op)?;
        let answer = Answer::of(&reply, self.seq)?;
        self.write(Write::Replay(replay(&self.caller.user, idempotency, answer, at)));
        Ok(reply)
    }

    /// Decides an operation; the result of a write does not repeat the data that it wrote.
    fn perform_briefly(&mut self, op: &Op) -> Result<Reply> {
        let mut reply = self.perform(op)?;
        if let (Reply::Context(context), true) = (&mut reply, op.is_write()) {
            context.data = false;
        }
        Ok(reply)
    }

    pub(super) fn import(&mut self, import: &Import) -> Result<Reply> {
        within_limit(import.lines.len())?;
        let (mut created, mut replaced) = (0, 0);
        for (index, line) in import.lines.iter().enumerate() {
            let outcome = line
                .clone()
                .and_then(|line| self.put(&put(line, import.mode)))
                .map_err(|error| error.failed_operation(index))?;
            match outcome {
                Reply::Context(reply) if reply.created => created += 1,
                _ => replaced += 1,
            }
        }
        Ok(Reply::Imported { created, replaced })
    }
}

fn put(line: ImportLine, mode: ImportMode) -> Put {
    Put {
        address: line.address,
        data: line.data,
        parent: line.parent,
        rules: line.rules,
        summary: None,
        create_parents: false,
        expect: match mode {
            ImportMode::Create => Expect::Absent,
            ImportMode::Replace => Expect::Anything,
        },
    }
}

/// Adds the data that a reply shows, if one answer may hold that much.
fn fits(shown: &mut usize, reply: &Reply) -> Result<()> {
    let bytes = match reply {
        Reply::Context(context) => context.bytes(),
        Reply::View(view) => view.bytes(),
        Reply::Replayed(answer) => answer.len(),
        _ => 0,
    };
    if *shown + bytes > limits::ANSWER_BYTES {
        return Err(Error::new(
            Code::TooLarge,
            "the answer would be too large; read fewer contexts and views in one batch",
        )
        .limit(limits::ANSWER_BYTES as u64));
    }
    *shown += bytes;
    Ok(())
}

fn within_limit(operations: usize) -> Result<()> {
    if operations > limits::BATCH_OPERATIONS {
        return Err(Error::new(Code::TooManyOperations, "split this into several requests")
            .limit(limits::BATCH_OPERATIONS as u64));
    }
    Ok(())
}
