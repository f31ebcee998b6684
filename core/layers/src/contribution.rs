//! What the last layer of a chain says in the view: the values that it sets, and the places that it
//! clears.
//!
//! The contributions of a chain's layers, one after the other, tell its view. Each depends on its own
//! layer and those above it, and on nothing below.

use alloc::{string::String, vec::Vec};

use crate::{
    layer::{Container, Content, Layer, Member},
    level::LAYERS,
    merge::{Chain, Fold, Outcome, Sink, Stack, TextSink},
    name::{self, Name},
    pointer::Pointer,
    resolve::{Link, layers, walk},
    rules::{Rule, Scope},
};

/// What a layer says in an object.
#[derive(Debug, Default)]
pub struct Contribution<'a> {
    /// Whether nothing stays in the object of what the layers above say.
    pub replaces: bool,
    /// What it says of members, in canonical order.
    pub members: Vec<Said<'a>>,
}

/// What a layer says of one member.
#[derive(Debug)]
pub struct Said<'a> {
    /// The name.
    pub name: String,
    /// What it says.
    pub what: What<'a>,
}

/// What a layer says of a value.
#[derive(Debug)]
pub enum What<'a> {
    /// That it is this value of its own.
    Value(Stored<'a>),
    /// That it is this object of its own, in place of one of the layers above.
    Instead(Stored<'a>),
    /// That it is this array, which a rule merged: canonical text.
    List(Vec<u8>),
    /// What its members are.
    Object(Contribution<'a>),
    /// That there is none.
    Nothing,
}

/// A value as it stands in a layer. It holds no tombstones.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    layer: &'a Layer,
    member: &'a Member,
}

impl<'a> Stored<'a> {
    /// The canonical text.
    pub fn text(&self) -> &'a [u8] {
        self.layer.value_text(self.member)
    }

    /// The members of an object; `None` for any other value.
    pub fn members(&self) -> Option<Vec<Said<'a>>> {
        let Content::Object(object) = self.member.content() else { return None };
        let members = self.layer.members(self.layer.container(object));
        Some(members.iter().map(|member| self.layer.said(member)).collect())
    }
}

impl core::fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Layers hold users' data, so the debug text shows only sizes.
        write!(f, "Stored({} bytes)", self.text().len())
    }
}

impl Layer {
    fn said<'a>(&'a self, member: &'a Member) -> Said<'a> {
        let what = What::Value(Stored { layer: self, member });
        Said { name: name::decode(self.name(member)), what }
    }
}

/// What the last layer of a chain says in the view.
///
/// ```
/// use nacre_layers::{
///     contribution::{What, contribution},
///     json,
///     layer::Layer,
///     resolve::Link,
///     rules::Rules,
/// };
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let global = layer(r#"{"db":{"host":"a","port":1},"debug":true}"#)?;
/// let project = layer(r#"{"db":{"port":2},"debug":null}"#)?;
/// let rules = Rules::default();
/// let chain = [&global, &project].map(|layer| Link { layer, rules: &rules });
/// let said = contribution(&chain).members;
/// let What::Object(db) = &said[0].what else { panic!("db is an object of both") };
/// assert_eq!((&*db.members[0].name, db.members.len()), ("port", 1));
/// assert!(matches!(said[1].what, What::Nothing));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn contribution<'a>(chain: &[Link<'a>]) -> Contribution<'a> {
    let chain = chain.get(..LAYERS).unwrap_or(chain);
    let Some(last) = chain.len().checked_sub(1) else { return Contribution::default() };
    let root = Open { name: String::new(), is_own: false, said: Contribution::default() };
    let (open, pending) = (Vec::from([root]), Pending::default());
    let mut sink = walk(chain, SaidSink { layers: layers(chain), last, open, list: None, pending });
    let said = sink.open.pop().map(|root| root.said);
    let replaces = last > 0 && stands_alone(chain, last);
    Contribution { replaces, ..said.unwrap_or_default() }
}

/// Whether no other layer takes part in the document: a rule replaces those above as a whole.
fn stands_alone(chain: &[Link<'_>], last: usize) -> bool {
    let scope = Scope::of_chain(chain.iter().map(|link| link.rules));
    let chain = Chain { layers: layers(chain), count: chain.len() };
    chain.roots(scope.as_ref()).iter().all(|(layer, _)| layer == last)
}

/// Whether a value that a layer of a chain sets is the view's for sure: no layer below says anything there
/// or around it.
pub fn is_final(chain: &[Link<'_>], layer: usize, place: &Pointer) -> bool {
    let replaces = |link: &Link<'_>| {
        link.rules.iter().any(|(path, rule)| *rule == Rule::Replace && place.starts_with(path))
    };
    let below = chain.get(layer + 1..).unwrap_or_default();
    below.iter().all(|link| !has_a_say(link.layer, place)) && !chain.iter().any(replaces)
}

/// Whether a layer holds a value at a place, or one around it that is no object.
fn has_a_say(layer: &Layer, place: &Pointer) -> bool {
    let mut object = layer.container(layer.root());
    for name in place.tokens() {
        let Some(member) = layer.find(object, &Name::encode(&name)) else { return false };
        let Content::Object(inner) = member.content() else { return true };
        object = layer.container(inner);
    }
    true
}

struct SaidSink<'a> {
    layers: [&'a Layer; LAYERS],
    /// The number of the layer that is asked.
    last: usize,
    /// The objects whose members are being walked; the document is the first.
    open: Vec<Open<'a>>,
    list: Option<List<'a>>,
    pending: Pending,
}

struct Open<'a> {
    name: String,
    /// Whether the object is the layer's own, so that it is said even if it is empty.
    is_own: bool,
    said: Contribution<'a>,
}

/// An array that a rule merges.
struct List<'a> {
    name: String,
    /// Whether the layer holds a part of it.
    counts: bool,
    text: TextSink<'a>,
    /// How many members are open within its items.
    depth: usize,
}

/// What `folded` reported about the next member.
#[derive(Clone, Copy, Default)]
struct Pending {
    /// Whether the layer has a say.
    counts: bool,
    is_list: bool,
    is_own: bool,
    replaces: bool,
}

impl<'a> SaidSink<'a> {
    fn layer(&self, layer: usize) -> &'a Layer {
        self.layers.get(layer).copied().unwrap_or(self.layers[0])
    }

    fn say(&mut self, said: Said<'a>) {
        if let Some(open) = self.open.last_mut() {
            open.said.members.push(said);
        }
    }
}

impl<'a> Sink<'a> for SaidSink<'a> {
    const LISTENS: bool = true;

    fn open_object(&mut self) {
        if let Some(list) = &mut self.list {
            list.text.open_object();
        }
    }

    fn close_object(&mut self) {
        if let Some(list) = &mut self.list {
            list.text.close_object();
        }
    }

    fn open_array(&mut self) {
        if let Some(list) = &mut self.list {
            list.text.open_array();
        }
    }

    fn close_array(&mut self) {
        if let Some(list) = &mut self.list {
            list.text.close_array();
        }
    }

    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        if let Some(list) = &mut self.list {
            return list.text.run(layer, object, from, to);
        }
        if layer == self.last {
            let of = self.layer(layer);
            let members = of.members(object).iter().take(to).skip(from);
            members.for_each(|member| self.say(of.said(member)));
        }
    }

    fn entry(&mut self, layer: usize, member: &'a Member) {
        if let Some(list) = &mut self.list {
            return list.text.entry(layer, member);
        }
        let Pending { replaces, .. } = core::mem::take(&mut self.pending);
        if layer == self.last {
            let mut said = self.layer(layer).said(member);
            if let (true, What::Value(stored)) = (replaces, &said.what) {
                said.what = What::Instead(*stored);
            }
            self.say(said);
        }
    }

    fn open_member(&mut self, layer: usize, member: &'a Member) {
        if let Some(list) = &mut self.list {
            list.depth += 1;
            return list.text.open_member(layer, member);
        }
        let Pending { counts, is_list, is_own, replaces } = core::mem::take(&mut self.pending);
        let name = name::decode(self.layer(layer).name(member));
        if is_list {
            let text = TextSink::new(self.layers, 0);
            self.list = Some(List { name, counts, text, depth: 0 });
        } else {
            // Without a decision, only this layer holds it.
            let is_own = is_own || (!counts && layer == self.last);
            let said = Contribution { replaces, members: Vec::new() };
            self.open.push(Open { name, is_own, said });
        }
    }

    fn close_member(&mut self, member: &'a Member) {
        if let Some(mut list) = self.list.take() {
            if list.depth > 0 {
                list.depth -= 1;
                list.text.close_member(member);
                self.list = Some(list);
            } else if list.counts {
                self.say(Said { name: list.name, what: What::List(list.text.into_text()) });
            }
            return;
        }
        let Some(Open { name, is_own, said }) = self.open.pop() else { return };
        if is_own || said.replaces || !said.members.is_empty() {
            self.say(Said { name, what: What::Object(said) });
        }
    }

    fn item(&mut self, layer: usize, item: &'a Member) {
        if let Some(list) = &mut self.list {
            list.text.item(layer, item);
        }
    }

    fn open_item(&mut self, stack: Stack) {
        if let Some(list) = &mut self.list {
            list.text.open_item(stack);
        }
    }

    fn close_item(&mut self) {
        if let Some(list) = &mut self.list {
            list.text.close_item();
        }
    }

    fn folded(&mut self, fold: &Fold<'a, '_>) {
        if self.list.is_some() {
            return;
        }
        let holds = |layer: usize| {
            let member = fold.contributions.get(layer).copied().flatten();
            member.filter(|_| fold.ignored >> layer & 1 == 0)
        };
        let own = holds(self.last);
        // The nearest layer above that has a say: it decides what this one takes away.
        let above = (0..self.last).rev().find_map(holds).map(Member::content);
        if let (Outcome::Nothing, Some(own)) = (fold.outcome, own) {
            if above.is_some_and(|content| content != Content::Null) {
                let name = name::decode(self.layer(self.last).name(own));
                self.say(Said { name, what: What::Nothing });
            }
            return;
        }
        let is_own = match fold.outcome {
            Outcome::Objects(stack) => stack.iter().all(|(layer, _)| layer == self.last),
            _ => false,
        };
        self.pending = Pending {
            counts: own.is_some(),
            is_list: matches!(fold.outcome, Outcome::List(_)),
            is_own,
            replaces: is_own && matches!(above, Some(Content::Object(_))),
        };
    }
}
