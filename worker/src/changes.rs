//! Notes which contexts change while an index of them is in memory.

use std::{cell::RefCell, collections::BTreeSet};

use nacre_core::{
    address::Address,
    plan::Plan,
    store::{Reads, Write},
};

use crate::follower::{After, Follower};

/// Contexts that have changed since they were last asked for.
#[derive(Debug, Default)]
pub(crate) struct Changes(RefCell<BTreeSet<Address>>);

impl Changes {
    /// Notes one more.
    pub(crate) fn note(&self, address: &Address) {
        if let Ok(mut noted) = self.0.try_borrow_mut() {
            noted.insert(address.clone());
        }
    }

    /// Takes them.
    pub(crate) fn take(&self) -> BTreeSet<Address> {
        self.0.try_borrow_mut().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
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
