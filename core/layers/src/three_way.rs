//! Merging two edits of one document, and telling where they are in conflict.
//!
//! `current` and `yours` were both made from `base`. Where only one side changed something, its
//! change is taken; where both made the same change, that is taken. Where both changed one place
//! differently, the place is in conflict, and what `current` holds stands.
//!
//! ```text
//! base ──▶ yours:    /a 1→2, /b 1→2
//!      └─▶ current:  /b 1→3, /c 1→2    ⇒   /a 2, /b 3, /c 2;  conflict: /b
//! ```
//!
//! Objects merge member by member. Arrays are wholes, for an index means something else after an
//! item was inserted. Where a `keyed` rule applies, items are matched by their key and merge as
//! objects do, provided that every item has a key and none comes twice on one side.
//!
//! **On every side a conflict's pointer leads to what this side has there**, or to nothing where it
//! has nothing. An item of a keyed array that does not stand at the same index everywhere cannot be
//! pointed at like that; then the array as a whole is in conflict.
//!
//! **Conflicts weigh little more than the documents.** Where the pointers of an object's or array's
//! conflicts would take more text than it holds itself, it is in conflict as a whole.

use alloc::{collections::BTreeMap, vec::Vec};
use core::mem;

use crate::{
    error::Result,
    layer::{Content, Layer, Member},
    limits,
    merge::{Identity, identity, item_key, names},
    name::{self, Name},
    pointer::Pointer,
    rules::{Rule, Rules, Scope},
};

/// What the pointers of one object's conflicts may weigh beyond its own text, in bytes: small
/// documents are always compared to the last member.
const SLACK: usize = 16 << 10;

/// What a conflict weighs beside its pointer, in bytes.
const CONFLICT: usize = 8;

/// What two edits of one document come to.
#[derive(Debug)]
pub struct ThreeWay {
    /// The places that both sides changed differently, in the order of the document. None contains
    /// another, and each has at most [`limits::POINTER_BYTES`].
    pub conflicts: Vec<Pointer>,
    text: Vec<u8>,
}

impl ThreeWay {
    /// The document with the changes of both sides. Where they are in conflict, it holds what
    /// `current` holds.
    ///
    /// # Errors
    /// None for layers made by [`Layer`]'s constructors.
    pub fn document(self) -> Result<Layer> {
        Layer::from_canonical(self.text)
    }

    /// The document with the changes of both sides; `None` where they are in conflict.
    ///
    /// # Errors
    /// As [`ThreeWay::document`].
    pub fn merged(self) -> Result<Option<Layer>> {
        if self.conflicts.is_empty() { self.document().map(Some) } else { Ok(None) }
    }
}

/// Merges two edits of `base`. `rules` are those of the chain, global first, with those of the
/// document itself at the end.
///
/// Without a base nothing can be called unchanged: every place where the sides differ is in
/// conflict.
pub fn three_way(
    base: Option<&Layer>,
    current: &Layer,
    yours: &Layer,
    rules: &[&Rules],
) -> ThreeWay {
    let scope = Scope::of_chain(rules.iter().copied());
    let nothing = Layer::NOTHING;
    let layers = Sides { base: base.unwrap_or(&nothing), current, yours };
    let mut merge = Merge {
        layers,
        has_base: base.is_some(),
        layer: rules.len().saturating_sub(1),
        path: Pointer::root(),
        conflicts: Vec::new(),
        weight: 0,
        text: Vec::with_capacity(current.text().len()),
    };
    let hashes = layers.map(Layer::hash);
    match merge.side(&hashes) {
        Some(Side::Current) => merge.text.extend_from_slice(current.text()),
        Some(Side::Yours) => merge.text.extend_from_slice(yours.text()),
        None => {
            let objects = Sides {
                base: base.map(Layer::root),
                current: Some(current.root()),
                yours: Some(yours.root()),
            };
            let texts = (current.text(), yours.text());
            merge.bounded(texts, &|merge, most| merge.objects(objects, scope.as_ref(), most));
        }
    }
    ThreeWay { conflicts: merge.conflicts, text: merge.text }
}

/// Something for each of the three documents.
#[derive(Clone, Copy, Default, PartialEq)]
struct Sides<T> {
    base: T,
    current: T,
    yours: T,
}

impl<T> Sides<T> {
    fn map<U>(self, mut f: impl FnMut(T) -> U) -> Sides<U> {
        Sides { base: f(self.base), current: f(self.current), yours: f(self.yours) }
    }

    fn zip<U>(self, with: Sides<U>) -> Sides<(T, U)> {
        Sides {
            base: (self.base, with.base),
            current: (self.current, with.current),
            yours: (self.yours, with.yours),
        }
    }

    fn as_ref(&self) -> Sides<&T> {
        Sides { base: &self.base, current: &self.current, yours: &self.yours }
    }

    fn list(self) -> [T; 3] {
        [self.base, self.current, self.yours]
    }
}

/// Whose value is taken.
#[derive(Clone, Copy)]
enum Side {
    Current,
    Yours,
}

struct Merge<'a> {
    layers: Sides<&'a Layer>,
    has_base: bool,
    /// The place of the document in its chain, for the rules.
    layer: usize,
    path: Pointer,
    conflicts: Vec<Pointer>,
    /// What the conflicts weigh so far.
    weight: usize,
    /// The document so far.
    text: Vec<u8>,
}

impl<'a> Merge<'a> {
    /// Whose value is taken where at most one side changed it, or both did alike.
    fn side<T: PartialEq>(&self, values: &Sides<T>) -> Option<Side> {
        if values.current == values.yours || (self.has_base && values.base == values.yours) {
            Some(Side::Current)
        } else if self.has_base && values.base == values.current {
            Some(Side::Yours)
        } else {
            None
        }
    }

    /// Merges what stands at one place: a member of objects, or an item of keyed arrays.
    fn place(&mut self, at: Sides<Option<&'a Member>>, scope: Option<&Scope<'a>>) {
        let values = self.layers.zip(at).map(|(of, member)| Some(identity(of, member?)));
        match self.side(&values) {
            Some(Side::Current) => return self.copy(self.layers.current, at.current),
            Some(Side::Yours) => return self.copy(self.layers.yours, at.yours),
            None => {}
        }
        if let (Some(current), Some(yours)) = (at.current, at.yours) {
            let texts =
                (self.layers.current.value_text(current), self.layers.yours.value_text(yours));
            let contents = at.map(|member| member.map(Member::content));
            if let Some(objects) = all(contents, |content| match content {
                Content::Object(id) => Some(id),
                _ => None,
            }) {
                self.open(current);
                return self.bounded(texts, &|merge, most| merge.objects(objects, scope, most));
            }
            if let Some(Rule::Keyed(key)) = scope.and_then(|scope| scope.rule(self.layer))
                && let Some(arrays) = all(contents, |content| match content {
                    Content::Array(id) => Some(id),
                    _ => None,
                })
            {
                let key = names(key);
                self.open(current);
                return self.bounded(texts, &|merge, most| merge.keyed(arrays, &key, most));
            }
        }
        self.conflict();
        self.copy(self.layers.current, at.current);
    }

    /// Goes into objects or arrays with these texts, in `current` and in `yours`. `step` is told
    /// how much all conflicts may weigh and answers whether it could merge within that; if not, what
    /// it did is taken back, and the whole is in conflict.
    fn bounded(
        &mut self,
        (current, yours): (&'a [u8], &'a [u8]),
        step: &dyn Fn(&mut Self, usize) -> bool,
    ) {
        let (text, conflicts, weight) = (self.text.len(), self.conflicts.len(), self.weight);
        let most = weight.saturating_add(current.len().max(yours.len()) + SLACK);
        if step(self, most) {
            return;
        }
        self.text.truncate(text);
        self.conflicts.truncate(conflicts);
        self.weight = weight;
        self.conflict();
        self.text.extend_from_slice(current);
    }

    /// Notes a conflict at the path. A pointer that is too long to be read again weighs more than
    /// anything may, so that what contains the place is in conflict instead.
    fn conflict(&mut self) {
        let length = self.path.as_str().len();
        let weight = if length > limits::POINTER_BYTES { usize::MAX } else { length + CONFLICT };
        self.weight = self.weight.saturating_add(weight);
        self.conflicts.push(self.path.clone());
    }

    fn objects(
        &mut self,
        objects: Sides<Option<u32>>,
        scope: Option<&Scope<'a>>,
        most: usize,
    ) -> bool {
        let of = self.layers.zip(objects).map(|(of, id)| Some((of, of.container(id?))));
        let plain = of.list().iter().flatten().all(|(_, object)| object.plain);
        let mut rest = of.map(|of| of.map_or(&[][..], |(of, object)| of.members(object)));
        self.text.push(b'{');
        while self.weight <= most {
            let fronts = self.layers.zip(rest).map(|(of, rest)| Some(of.key(rest.first()?)));
            let first = fronts.list().into_iter().flatten();
            let Some(first) = first.min_by(|a, b| a.compare(b, plain)) else {
                self.text.push(b'}');
                return true;
            };
            let at = fronts.zip(Sides {
                base: &mut rest.base,
                current: &mut rest.current,
                yours: &mut rest.yours,
            });
            let at = at.map(|(front, rest)| {
                front.filter(|front| front.compare(&first, plain).is_eq())?;
                let (member, others) = rest.split_first()?;
                *rest = others;
                Some(member)
            });
            self.path.push(&name::decode(first.text));
            self.place(at, scope.and_then(|scope| scope.child(&first, plain)));
            self.path.pop();
        }
        false
    }

    /// Merges arrays by the key of their items; `false` when they cannot be.
    fn keyed(&mut self, arrays: Sides<Option<u32>>, key: &[Name], most: usize) -> bool {
        // Without a base, the order of items would be taken from one side unseen.
        let Some(items) = Items::of(self.layers, arrays, key).filter(|_| self.has_base) else {
            return false;
        };
        let Some(order) = items.order() else { return false };
        let above = mem::take(&mut self.text);
        let merged = self.items(&items, most);
        self.text = above;
        let Some(merged) = merged else { return false };
        self.text.push(b'[');
        // An item that does not stay has no text.
        let text = |place: usize| merged.get(place).filter(|text| !text.is_empty());
        for item in
            items.arrange(&order, |place| text(place).is_some()).into_iter().filter_map(text)
        {
            self.separate();
            self.text.extend_from_slice(item);
        }
        self.text.push(b']');
        true
    }

    /// The text of each item. `None` when there are too many conflicts, or one of them at a place
    /// that no pointer leads to on every side.
    fn items(&mut self, items: &Items<'a>, most: usize) -> Option<Vec<Vec<u8>>> {
        let mut merged = Vec::with_capacity(items.all.len());
        for Item { at, .. } in &items.all {
            let conflicts = self.conflicts.len();
            let (index, _) = at.list().into_iter().flatten().next()?;
            self.path.push_index(index);
            self.place(at.map(|item| item.map(|(_, item)| item)), None);
            self.path.pop();
            let leads = at.zip(items.order.as_ref()).map(|(item, order)| match item {
                Some((at, _)) => at == index,
                None => order.len() <= index,
            });
            let is_lost = self.conflicts.len() > conflicts && leads.list().contains(&false);
            if is_lost || self.weight > most {
                return None;
            }
            merged.push(mem::take(&mut self.text));
        }
        Some(merged)
    }

    /// Begins a member that is an object or array; an item has no name.
    fn open(&mut self, member: &Member) {
        self.separate();
        self.text.extend_from_slice(self.layers.current.name_text(member));
    }

    fn copy(&mut self, of: &'a Layer, member: Option<&'a Member>) {
        if let Some(member) = member {
            self.separate();
            self.text.extend_from_slice(of.member_text(member));
        }
    }

    fn separate(&mut self) {
        if !matches!(self.text.last(), None | Some(b'{' | b'[')) {
            self.text.push(b',');
        }
    }
}

/// What all sides that have something here have, if it is of one kind. Where the base has nothing,
/// both sides have made it.
fn all<T, U>(sides: Sides<Option<T>>, of: impl Fn(T) -> Option<U>) -> Option<Sides<Option<U>>> {
    let base = match sides.base {
        Some(base) => Some(of(base)?),
        None => None,
    };
    Some(Sides { base, current: Some(of(sides.current?)?), yours: Some(of(sides.yours?)?) })
}

/// The items of keyed arrays. Each is named by its place in `all`.
struct Items<'a> {
    /// One for each key: those of the base, then what is new in `current`, then in `yours`.
    all: Vec<Item<'a>>,
    /// The array of each side.
    order: Sides<Vec<usize>>,
}

struct Item<'a> {
    key: Identity<'a>,
    /// Its index on each side that has it.
    at: Sides<Option<(usize, &'a Member)>>,
}

impl<'a> Items<'a> {
    /// `None` when an item has no key, or two items of one side have the same.
    fn of(layers: Sides<&'a Layer>, arrays: Sides<Option<u32>>, key: &[Name]) -> Option<Items<'a>> {
        let mut items = Items { all: Vec::new(), order: Sides::default() };
        let mut places = BTreeMap::new();
        let sides = layers.zip(arrays).list().into_iter().enumerate();
        for (side, (of, array)) in sides {
            let Some(array) = array else { continue };
            for (index, member) in of.members(of.container(array)).iter().enumerate() {
                let key = item_key(of, member, key)?;
                let place = *places.entry(key).or_insert(items.all.len());
                if place == items.all.len() {
                    items.all.push(Item { key, at: Sides::default() });
                }
                let Sides { base, current, yours } = &mut items.all.get_mut(place)?.at;
                let (at, order) = match side {
                    0 => (base, &mut items.order.base),
                    1 => (current, &mut items.order.current),
                    _ => (yours, &mut items.order.yours),
                };
                if at.replace((index, member)).is_some() {
                    return None;
                }
                order.push(place);
            }
        }
        Some(items)
    }

    fn is_shared(&self, place: usize) -> bool {
        self.all.get(place).is_some_and(|item| item.at.current.is_some() && item.at.yours.is_some())
    }

    /// The order of the items that `current` and `yours` share; `None` when both changed it.
    fn order(&self) -> Option<Vec<usize>> {
        let shared = |order: &[usize]| -> Vec<usize> {
            order.iter().copied().filter(|place| self.is_shared(*place)).collect()
        };
        let Sides { base, current, yours } = self.order.as_ref().map(|order| shared(order));
        if current == yours {
            return Some(current);
        }
        // What the base has comes first in `all`.
        let known = self.order.base.len();
        let in_base = |order: &[usize]| order.iter().filter(|place| **place < known).eq(&base);
        match (in_base(&current), in_base(&yours)) {
            (true, false) => Some(yours),
            (false, true) => Some(current),
            _ => None,
        }
    }

    /// All items: the shared ones in their order, and behind each those that only one side has
    /// there and that stay. Where both sides have some, their keys say which come first, so that
    /// neither side is preferred.
    fn arrange(&self, order: &[usize], stays: impl Fn(usize) -> bool) -> Vec<usize> {
        // Behind nothing, then behind each place.
        let mut behind: Vec<[Vec<usize>; 2]> = Vec::new();
        behind.resize_with(self.all.len() + 1, Default::default);
        for (side, order) in [&self.order.current, &self.order.yours].into_iter().enumerate() {
            let mut after = 0;
            for place in order {
                if self.is_shared(*place) {
                    after = place + 1;
                } else if stays(*place)
                    && let Some(run) = behind.get_mut(after).and_then(|runs| runs.get_mut(side))
                {
                    run.push(*place);
                }
            }
        }
        let keys = |run: &[usize]| -> Vec<_> {
            run.iter().filter_map(|place| Some(self.all.get(*place)?.key)).collect()
        };
        let mut arranged = Vec::with_capacity(self.all.len());
        for after in [0].into_iter().chain(order.iter().map(|place| place + 1)) {
            arranged.extend(after.checked_sub(1));
            if let Some([current, yours]) = behind.get(after) {
                let swap = keys(current) > keys(yours);
                let (first, second) = if swap { (yours, current) } else { (current, yours) };
                arranged.extend(first);
                arranged.extend(second);
            }
        }
        arranged
    }
}
