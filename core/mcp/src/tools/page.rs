//! Pages that fit their room: what does not is left to the next page, with an exact cursor.

use alloc::{boxed::Box, vec::Vec};

use nacre_layers::{
    address::Address,
    pointer::Pointer,
    value::{Object, Value},
};

use crate::{
    Ask, Outcome, Step,
    arguments::text_of,
    bound::fit,
    call::{Finish, Told, name},
    failure::failure,
};

/// A list that is told in pages.
pub(super) struct Page {
    /// The room of a page.
    pub(super) finish: Finish,
    /// The context whose list it is, if it is one's.
    pub(super) address: Option<Address>,
    /// Asks for a page of so many items.
    pub(super) ask: Box<dyn Fn(usize) -> Ask>,
    /// Items at most.
    pub(super) limit: usize,
    /// What of an item is worth telling.
    pub(super) shorten: fn(&mut Object),
}

impl Page {
    /// Asks for the page, and tells as many of its items as fit. Where not all do, a shorter page is asked
    /// for, so that the cursor is that of its end.
    pub(super) fn told(self) -> Step<Outcome> {
        let Page { finish, address, limit, .. } = &self;
        let (finish, address, limit) = (*finish, address.clone(), *limit);
        Step::ask((self.ask)(limit), move |answered| match answered.and_then(Told::of) {
            Ok(told) => self.cut(told),
            Err(error) => failure(&error, address.as_ref(), finish),
        })
    }

    fn cut(self, mut told: Told) -> Step<Outcome> {
        let mut items = told.list("items");
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            name(item);
            (self.shorten)(item);
        }
        let mut members = told.members;
        members.insert("seq", told.seq.into());
        let fitting = self.finish.items(&members, &items);
        if fitting < items.len() {
            return Page { limit: fitting, ..self }.told();
        }
        // One item that is too long is told in part.
        let room = self.finish.room.saturating_sub(ITEM);
        let items: Vec<Value> = match items.len() {
            1 => items.into_iter().map(|item| part(item, room)).collect(),
            _ => items,
        };
        members.insert("items", Value::Array(items));
        Step::Done(self.finish.whole(members))
    }
}

/// The tokens of what stands around the one item of a page.
const ITEM: usize = 110;

/// What fits of an item, with what is left out of it.
fn part(item: Value, room: usize) -> Value {
    let fitted = fit(&text_of(&item), &Pointer::root(), room);
    let mut part = match fitted.value {
        Some(Value::Object(part)) => part,
        _ => Object::new(),
    };
    if let Some(left_out) = fitted.left_out {
        part.insert("left_out", left_out);
    }
    Value::Object(part)
}
