//! Caches of a store: decoded records and resolved views, each with a limit in bytes.
//!
//! **A cached answer is always correct.** A view is stamped with the content of its layers and
//! rules. For the same stamp it is returned. For another stamp, the view's hash is computed first,
//! at the cost of what differs; if it is the same, the view stays and gets the new stamp. So a
//! write drops exactly the views that it changes, and nobody has to find out which ones. Refused
//! commits and past states do no harm, because their stamps differ.
//!
//! Records mirror the rows of the store; code that writes rows must tell [`Records`].

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use crate::{
    record::Record,
    store::{View, links},
};
use nacre_layers::{
    address::Address,
    hash::Hash,
    resolve::{resolve, view_hash},
    rules::Rules,
};

/// Approximate overhead of an entry, in bytes: nodes of two maps, reference counts, names.
const ENTRY_BYTES: usize = 400;

/// Decoded records; the least recently used is dropped first. It also remembers that an address has
/// no record.
#[derive(Debug)]
pub struct Records(Lru<Address, Known>);

/// What is known of an address: its record, and the bytes of its row in the store.
#[derive(Debug)]
struct Known {
    record: Option<Rc<Record>>,
    stored: usize,
}

impl Records {
    /// Creates a cache of at most `bytes` bytes.
    pub const fn new(bytes: usize) -> Records {
        Records(Lru::new(bytes))
    }

    /// Looks an address up: `None` if unknown, `Some(None)` if it has no record, otherwise its
    /// record.
    pub fn get(&mut self, address: &Address) -> Option<Option<Rc<Record>>> {
        self.0.get(address).map(|known| known.record.clone())
    }

    /// The record of an address and the bytes of its row, if that is known.
    pub fn stored(&mut self, address: &Address) -> Option<(Option<Rc<Record>>, usize)> {
        self.0.get(address).map(|known| (known.record.clone(), known.stored))
    }

    /// Remembers the record of an address, or that there is none. Its row takes `stored` bytes.
    pub fn put(&mut self, address: &Address, record: Option<&Rc<Record>>, stored: usize) {
        let bytes = record.map_or(0, |record| record.layer.memory());
        self.0.put(address.clone(), Known { record: record.cloned(), stored }, bytes);
    }

    /// Forgets an address.
    pub fn forget(&mut self, address: &Address) {
        self.0.remove(address);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Approximate memory in use, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }
}

/// Counts of hits and misses since the cache was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The chain was unchanged.
    pub hits: u64,
    /// The chain had changed, but the view had not.
    pub kept: u64,
    /// The view was computed.
    pub misses: u64,
}

/// Resolved views; the least recently used is dropped first.
#[derive(Debug)]
pub struct Views {
    views: Lru<Address, Kept>,
    tally: Tally,
}

#[derive(Debug)]
struct Kept {
    stamp: Vec<Stamp>,
    view: Rc<View>,
}

/// The content of one link of a chain.
#[derive(Debug)]
struct Stamp {
    layer: Hash,
    rules: Rc<Rules>,
}

impl Stamp {
    fn of(record: &Rc<Record>) -> Stamp {
        Stamp { layer: record.layer.hash(), rules: record.rules.clone() }
    }

    fn fits(&self, record: &Record) -> bool {
        self.layer == record.layer.hash()
            && (Rc::ptr_eq(&self.rules, &record.rules) || self.rules == record.rules)
    }
}

impl Views {
    /// Creates a cache of at most `bytes` bytes.
    pub const fn new(bytes: usize) -> Views {
        Views { views: Lru::new(bytes), tally: Tally { hits: 0, kept: 0, misses: 0 } }
    }

    /// The view of a chain of live records, global first: from the cache, or computed and cached.
    pub fn view(&mut self, chain: &[Rc<Record>]) -> Rc<View> {
        let links = links(chain);
        let Some(last) = chain.last() else {
            return Rc::new(View { text: resolve(&links), hash: view_hash(&links) });
        };
        let mut hash = None;
        if let Some(kept) = self.views.get_mut(&last.address) {
            let fits = kept.stamp.len() == chain.len()
                && kept.stamp.iter().zip(chain).all(|(stamp, record)| stamp.fits(record));
            if fits {
                self.tally.hits += 1;
                return kept.view.clone();
            }
            let now = view_hash(&links);
            if now == kept.view.hash {
                self.tally.kept += 1;
                kept.stamp = chain.iter().map(Stamp::of).collect();
                return kept.view.clone();
            }
            hash = Some(now);
        }
        self.tally.misses += 1;
        let hash = hash.unwrap_or_else(|| view_hash(&links));
        let view = Rc::new(View { text: resolve(&links), hash });
        let stamp = chain.iter().map(Stamp::of).collect();
        let kept = Kept { stamp, view: view.clone() };
        self.views.put(last.address.clone(), kept, view.text.capacity());
        view
    }

    /// Counts of hits and misses.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Forgets every view; the tally stays.
    pub fn clear(&mut self) {
        self.views.clear();
    }

    /// Approximate memory in use, in bytes.
    pub fn bytes(&self) -> usize {
        self.views.bytes
    }
}

/// A map that drops its least recently used entries when it would take more than `most` bytes.
#[derive(Debug)]
struct Lru<K, V> {
    slots: BTreeMap<K, Slot<V>>,
    /// Keys in order of their last use.
    order: BTreeMap<u64, K>,
    now: u64,
    bytes: usize,
    most: usize,
}

#[derive(Debug)]
struct Slot<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Ord + Clone, V> Lru<K, V> {
    const fn new(most: usize) -> Lru<K, V> {
        Lru { slots: BTreeMap::new(), order: BTreeMap::new(), now: 0, bytes: 0, most }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        self.get_mut(key).map(|value| &*value)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let slot = self.slots.get_mut(key)?;
        if slot.used != self.now {
            self.now += 1;
            let before = core::mem::replace(&mut slot.used, self.now);
            if let Some(key) = self.order.remove(&before) {
                self.order.insert(self.now, key);
            }
        }
        Some(&mut slot.value)
    }

    /// Adds a value of `bytes` bytes. A value that would fill the whole cache is not kept.
    fn put(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        let bytes = bytes.saturating_add(ENTRY_BYTES);
        if bytes > self.most {
            return;
        }
        while self.bytes + bytes > self.most {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            if let Some(slot) = self.slots.remove(&oldest) {
                self.bytes -= slot.bytes;
            }
        }
        self.now += 1;
        self.bytes += bytes;
        self.order.insert(self.now, key.clone());
        self.slots.insert(key, Slot { value, bytes, used: self.now });
    }

    fn remove(&mut self, key: &K) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&slot.used);
            self.bytes -= slot.bytes;
        }
    }

    fn clear(&mut self) {
        self.slots.clear();
        self.order.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 3 * (ENTRY_BYTES + 10);

    fn keys(lru: &Lru<u8, u8>) -> Vec<u8> {
        assert_eq!(lru.slots.len(), lru.order.len());
        assert_eq!(lru.bytes, lru.slots.values().map(|slot| slot.bytes).sum::<usize>());
        assert!(lru.bytes <= lru.most);
        assert!(lru.order.iter().all(|(used, key)| lru.slots[key].used == *used));
        lru.order.values().copied().collect()
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut lru = Lru::new(ROOM);
        (1..=3).for_each(|key| lru.put(key, key, 10));
        assert_eq!(keys(&lru), [1, 2, 3]);
        assert_eq!(lru.get(&1), Some(&1));
        assert_eq!(lru.get(&1), Some(&1));
        lru.put(4, 4, 10);
        assert_eq!(keys(&lru), [3, 1, 4]);
        assert_eq!(lru.get(&2), None);
        lru.remove(&1);
        lru.put(3, 5, 0);
        assert_eq!(keys(&lru), [4, 3]);
        lru.clear();
        assert_eq!((keys(&lru).len(), lru.bytes), (0, 0));
    }

    #[test]
    fn one_large_value_takes_the_place_of_several() {
        let mut lru = Lru::new(ROOM);
        (1..=3).for_each(|key| lru.put(key, key, 10));
        lru.put(4, 4, ROOM - 2 * ENTRY_BYTES - 10);
        assert_eq!(keys(&lru), [3, 4]);
    }

    #[test]
    fn what_fits_nowhere_is_not_kept_and_takes_nothings_place() {
        let mut lru = Lru::new(ROOM);
        (1..=3).for_each(|key| lru.put(key, key, 10));
        lru.put(1, 4, ROOM);
        assert_eq!(keys(&lru), [2, 3]);
        lru.put(4, 4, usize::MAX);
        assert_eq!(keys(&lru), [2, 3]);
    }
}
