//! Opens or replaces a copy from an export.

use alloc::{rc::Rc, vec::Vec};

use super::{Replica, Step, entry, pending::Own};
use nacre_layers::{
    address::Address,
    error::{Error, Result},
};
use nacre_store::{
    entropy::Entropy,
    memory::MemoryStore,
    record::EntryKind,
    seal::NoKeys,
    store::{Filter, Reads, Write},
};
use nacre_wire::open_export;

impl Replica {
    /// Replaces the copy with an export that started at `seq`. With `under`, only that context with
    /// those below and above it is kept. The queue stays, and is rebased.
    ///
    /// # Errors
    /// As [`open_export`]. Then nothing has changed.
    pub fn open(&mut self, export: &[u8], seq: u64, under: Option<&Address>) -> Result<Step> {
        if self.flight.is_some() {
            return Err(Error::bug("a replica must not be replaced while writes are being sent"));
        }
        let mut entropy = Entropy::from_seed([0; 32]);
        let all = open_export(export, &self.holder.names, &NoKeys, &mut entropy)?;
        let mut base = MemoryStore::new();
        let mut step = Step { anew: true, ..Step::default() };
        for write in rows(&all, under)? {
            step.entries.push(entry(&write)?);
            base.write(write);
        }
        base.set_seq(seq);
        if seq < self.seq() {
            // The store was restored to an earlier state, or erased: its versions differ.
            self.own = Own::default();
        }
        // The export includes all earlier answers.
        for landed in self.queue.iter_mut().filter_map(|pending| pending.kept.landed.as_mut()) {
            landed.seq = 0;
        }
        self.shown = MemoryStore::new();
        self.base = Rc::new(base);
        self.is_open = true;
        self.bring_forward(&mut step)?;
        // Entries that stay are repeated, for a replica that starts with these.
        for pending in &self.queue {
            step.entries.push(pending.entry()?);
        }
        for conflict in &self.conflicts {
            let kept = nacre_layers::json::write(&conflict.to_value()?);
            step.entries.push((super::conflict_key(&conflict.id), Some(kept)));
        }
        Ok(step)
    }
}

/// The rows of a store that a copy keeps.
fn rows(all: &MemoryStore<'static>, under: Option<&Address>) -> Result<Vec<Write>> {
    let contexts = all.list(&Filter::default(), None, usize::MAX)?;
    let wanted = |address: &Address| -> Result<bool> {
        let Some(under) = under else { return Ok(true) };
        Ok(is_above(all, under, address)? || is_above(all, address, under)?)
    };
    let mut rows = Vec::new();
    for context in contexts {
        let address = &context.address;
        if !wanted(address)? {
            continue;
        }
        let versions = all.versions_from(address, 1, usize::MAX)?;
        rows.extend(versions.into_iter().map(Write::Version));
        for kind in [EntryKind::Insight, EntryKind::Progress] {
            let entries = all.entries(address, kind, None, usize::MAX)?;
            rows.extend(entries.into_iter().map(Write::Entry));
        }
        rows.extend(all.record(address)?.map(Write::Record));
    }
    Ok(rows)
}

/// Whether `above` is `below` or one of its ancestors.
fn is_above(store: &dyn Reads, below: &Address, above: &Address) -> Result<bool> {
    if above.level == nacre_layers::level::Level::Global {
        return Ok(true);
    }
    let mut next = Some(below.clone());
    while let Some(address) = next {
        if address == *above {
            return Ok(true);
        }
        next = store.record(&address)?.and_then(|record| record.above());
    }
    Ok(false)
}
