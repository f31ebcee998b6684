//! Notes which contexts change while an index of them is in memory, in the order of their changes.

use std::{cell::RefCell, collections::BTreeMap};

use nacre_core::{
    address::Address,
    plan::Plan,
    store::{Reads, Write},
};

use crate::follower::{After, Follower};

/// Contexts that the index in memory does not have as they are.
#[derive(Debug, Default)]
pub(crate) struct Changes(RefCell<Noted>);

#[derive(Debug, Default)]
struct Noted {
    by_turn: BTreeMap<i64, Address>,
    turns: BTreeMap<Address, i64>,
}

impl Noted {
    fn put(&mut self, address: &Address, turn: i64) {
        if let Some(before) = self.turns.insert(address.clone(), turn) {
            self.by_turn.remove(&before);
        }
        self.by_turn.insert(turn, address.clone());
    }
}

impl Changes {
    /// Notes the newest one.
    pub(crate) fn note(&self, address: &Address) {
        if let Ok(mut noted) = self.0.try_borrow_mut() {
            let turn = noted.by_turn.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
            noted.put(address, turn);
        }
    }

    /// Notes one that changed before all others, unless it is noted already.
    pub(crate) fn note_old(&self, address: &Address) {
        if let Ok(mut noted) = self.0.try_borrow_mut()
            && !noted.turns.contains_key(address)
        {
            let first = noted.by_turn.first_key_value();
            let turn = first.map_or(0, |(first, _)| first.saturating_sub(1));
            noted.put(address, turn);
        }
    }

    /// The newest ones, at most `most`.
    pub(crate) fn newest(&self, most: usize) -> Vec<Address> {
        let newest = |noted: &Noted| noted.by_turn.values().rev().take(most).cloned().collect();
        self.0.try_borrow().map(|noted| newest(&noted)).unwrap_or_default()
    }

    /// Notes that the index has one as it is.
    pub(crate) fn done(&self, address: &Address) {
        if let Ok(mut noted) = self.0.try_borrow_mut()
            && let Some(turn) = noted.turns.remove(address)
        {
            noted.by_turn.remove(&turn);
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        if let Ok(mut noted) = self.0.try_borrow_mut() {
            *noted = Noted::default();
        }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.try_borrow().is_ok_and(|noted| noted.by_turn.is_empty())
    }
}

impl Follower for Changes {
    fn before<'f>(&'f self, _: &dyn Reads, plan: &Plan) -> Option<After<'f>> {
        plan.writes.iter().any(|write| write.changed().is_some()).then(|| -> After<'f> {
            Box::new(|_, plan| {
                plan.writes
                    .iter()
                    .filter_map(Write::changed)
                    .for_each(|changed| self.note(changed));
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_change_comes_first_and_each_context_once() {
        let changes = Changes::default();
        let address = |id: &str| Address::parse("task", id).unwrap();
        for id in ["a", "b", "c", "a"] {
            changes.note(&address(id));
        }
        changes.note_old(&address("old"));
        changes.note_old(&address("b"));
        assert_eq!(changes.newest(9), ["a", "c", "b", "old"].map(address));
        changes.done(&address("c"));
        assert_eq!(changes.newest(2), ["a", "b"].map(address));
        changes.clear();
        assert!(changes.is_empty());
    }
}
