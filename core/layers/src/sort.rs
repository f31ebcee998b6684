//! Sorting code that is compiled once. The standard library's sorts take several kilobytes of code
//! per type, which counts in a module that is loaded on a cold start; its heap takes little. So does
//! a sorted map or set; data that is complete before it is searched is therefore a sorted list.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Ordering;

/// Sorts items; equal ones keep their order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal, // never: both are below the length
    });
    arrange(order, &mut |a, b| items.swap(a, b));
}

/// The first of some items as they would be [sorted](sort_by), at most `count`. Much quicker than
/// sorting all of many.
pub fn first_by<T: Clone>(
    items: &[T],
    count: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let places = first(items.len(), count, &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal, // never: both are below the length
    });
    places.into_iter().filter_map(|at| items.get(at).cloned()).collect()
}

/// Each item once, sorted. For items that come one by one with many repetitions, use [`Distinct`].
pub fn distinct<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    sort_by(&mut items, T::cmp);
    items.dedup();
    items
}

/// Collects distinct items as they come, in at most about twice their memory.
#[derive(Debug, Default)]
pub struct Distinct<T> {
    items: Vec<T>,
    /// The number of distinct items at the last cleanup.
    settled: usize,
}

impl<T: Ord> Distinct<T> {
    /// None yet.
    pub fn new() -> Distinct<T> {
        Distinct { items: Vec::new(), settled: 0 }
    }

    /// Adds one, which may be there already.
    pub fn push(&mut self, item: T) {
        self.items.push(item);
        if self.items.len() > 2 * self.settled + 64 {
            self.items = distinct(core::mem::take(&mut self.items));
            self.settled = self.items.len();
        }
    }

    /// All of them in order, each once.
    pub fn into_sorted(self) -> Vec<T> {
        distinct(self.items)
    }
}

/// The positions of the items, in sorted order.
#[inline(never)]
fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let places: Vec<Place<'_>> = (0..count).map(|at| Place { at, compare }).collect();
    let is_sorted = places.is_sorted();
    let sorted = if is_sorted { places } else { BinaryHeap::from(places).into_sorted_vec() };
    sorted.into_iter().map(|place| place.at).collect()
}

/// The positions of the first items, in sorted order.
#[inline(never)]
fn first(count: usize, most: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places = (0..count).map(|at| Place { at, compare });
    // The last of them is on top, to be replaced by one that comes before it.
    let mut heap: BinaryHeap<Place<'_>> = places.by_ref().take(most).collect();
    for place in places {
        if let Some(mut last) = heap.peek_mut()
            && place < *last
        {
            *last = place;
        }
    }
    heap.into_sorted_vec().into_iter().map(|place| place.at).collect()
}

/// The position of an item, in the order of the items. Positions break ties.
struct Place<'c> {
    at: usize,
    compare: &'c dyn Fn(usize, usize) -> Ordering,
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(self.at, other.at).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Place<'_> {}

/// Moves each item to its place, along the cycles of the permutation.
#[inline(never)]
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        while let Some(slot) = order.get_mut(at) {
            let from = core::mem::replace(slot, at);
            if from == start {
                break;
            }
            swap(at, from);
            at = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_items_are_kept_once_in_little_room() {
        let mut items = Distinct::new();
        for n in 0..10_000u32 {
            items.push(n.wrapping_mul(2_654_435_761) % 100);
            assert!(items.items.len() <= 2 * 100 + 65);
        }
        assert_eq!(items.into_sorted(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn items_are_sorted_and_equal_ones_keep_their_order() {
        let mut state = 1u32;
        for count in 0..200u32 {
            let mut items: Vec<(u32, u32)> = (0..count)
                .map(|place| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 20 & 15, place)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            for first in [0, 1, 7, 300] {
                let found = first_by(&items, first, |(a, _), (b, _)| a.cmp(b));
                assert_eq!(found, expected[..first.min(expected.len())]);
            }
            sort_by(&mut items, |(a, _), (b, _)| a.cmp(b));
            assert_eq!(items, expected);
        }
    }
}
