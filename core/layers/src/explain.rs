//! Explains a view: the origin of every value, the values it shadows, and the values that locks
//! overrule.

use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};

use core::ops::ControlFlow;

use tinyvec::ArrayVec;

use crate::{
    error::{Code, Error, Result},
    layer::{Container, Content, Layer, Member},
    level::LAYERS,
    limits,
    merge::{Fold, Item, Outcome, Sink, Stack},
    name,
    pointer::Pointer,
    resolve::{Link, layers, walk},
    rules::{Rule, Scope},
    twins::{may_have_twins, visit_twins},
};

/// The origins of a view's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// One per scalar, array and empty object, in document order; also one per item of an array
    /// that a rule merged, and per object that replaced something.
    pub origins: Vec<Origin>,
    /// Values that a lock above overrules, then items that a later one of their layer hides.
    pub ignored: Vec<Ignored>,
}

/// The origin of one value. Layers are numbered from 0, the global one.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The pointer of the value in the view.
    pub pointer: String,
    /// The number of the layer that set it, 0 to 3.
    pub layer: usize,
    /// The merge rule that applied.
    pub rule: Cow<'static, str>,
    /// The layers whose value it hides, nearest first.
    pub shadowed: Shadowed,
}

/// The layers whose value another one hides: some of those of one chain.
pub type Shadowed = ArrayVec<[u8; LAYERS]>;

/// A value without effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignored {
    /// The pointer of the value in its layer.
    pub pointer: String,
    /// The number of the layer that holds it, 0 to 3.
    pub layer: usize,
    /// The number of the layer that locks its path, 0 to 3. `None` for an item of an array that a
    /// later item of its layer hides, because a `keyed` rule finds the same key in both.
    pub locked_by: Option<usize>,
}

/// Explains the part of a view at `path`, with a limit for requests from outside: long names above
/// many values could need more pointers than there is memory. `named` is what naming each layer
/// takes in the answer, in bytes.
///
/// # Errors
/// `too-large` past [`limits::EXPLANATION_BYTES`].
pub fn explain_bounded(
    chain: &[Link<'_>],
    path: &Pointer,
    named: [usize; LAYERS],
) -> Result<Explanation> {
    let bound = Bound { path, named, left: Some(limits::EXPLANATION_BYTES) };
    let (explanation, left) = explain_within(chain, bound);
    if left.is_none() {
        return Err(Error::new(
            Code::TooLarge,
            "the explanation would be larger than 8 MiB; explain a part with `path`",
        )
        .limit(limits::EXPLANATION_BYTES as u64));
    }
    Ok(explanation)
}

/// What one origin or ignored value takes in the answer beside its pointer and its layers, in bytes.
const ORIGIN: usize = 64;

/// Which origins to collect, and how many.
struct Bound<'b> {
    /// The part of the view to explain.
    path: &'b Pointer,
    /// What naming each layer takes, in bytes.
    named: [usize; LAYERS],
    /// The remaining room, in bytes; `None` after it was exceeded.
    left: Option<usize>,
}

impl Bound<'_> {
    /// Whether the place is in the part, and fits with the names of `layers`.
    fn takes(&mut self, place: &Pointer, layers: impl Iterator<Item = usize>) -> bool {
        let rest = place.as_str().strip_prefix(self.path.as_str());
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return false;
        }
        let names: usize = layers.filter_map(|layer| self.named.get(layer)).sum();
        let bytes = place.as_str().len() + ORIGIN + names;
        self.left = self.left.and_then(|left| left.checked_sub(bytes));
        self.left.is_some()
    }
}

/// Explains the view of a chain.
///
/// ```
/// use nacre_layers::{explain::explain, json, layer::Layer, resolve::Link, rules::Rules};
///
/// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
/// let global = layer(r#"{"model":"small","tags":["a"]}"#)?;
/// let project = layer(r#"{"model":"large"}"#)?;
/// let rules = Rules::default();
/// let chain = [&global, &project].map(|layer| Link { layer, rules: &rules });
/// let explanation = explain(&chain);
/// let model = explanation.origins.iter().find(|origin| origin.pointer == "/model");
/// let model = model.expect("an origin");
/// assert_eq!((model.layer, &model.shadowed[..]), (1, &[0][..]));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
pub fn explain(chain: &[Link<'_>]) -> Explanation {
    let path = &Pointer::root();
    explain_within(chain, Bound { path, named: [0; LAYERS], left: Some(usize::MAX) }).0
}

/// Explains as much as fits; afterwards there is no room if it did not fit.
fn explain_within(chain: &[Link<'_>], bound: Bound<'_>) -> (Explanation, Option<usize>) {
    let lock = chain.iter().position(|link| {
        link.rules.iter().any(|(pointer, rule)| pointer.is_root() && *rule == Rule::Lock)
    });
    let sink = OriginSink {
        layers: layers(chain),
        path: Pointer::root(),
        arrays: Vec::new(),
        open: Vec::new(),
        locked: lock.is_some(),
        pending: Pending::default(),
        found: Explanation::default(),
        bound,
    };
    let OriginSink { found: mut explanation, mut bound, .. } = walk(chain, sink);
    // A lock on the whole document overrules whole layers, which the walk does not visit.
    if let Some(locked_by) = lock.filter(|_| bound.path.is_root()) {
        let below = chain.iter().enumerate().skip(locked_by + 1);
        for (layer, _) in below.filter(|(_, link)| link.layer.text() != b"{}") {
            let locked_by = Some(locked_by);
            explanation.ignored.push(Ignored { pointer: String::new(), layer, locked_by });
        }
    }
    twins(chain, &mut bound, &mut explanation.ignored);
    (explanation, bound.left)
}

/// Adds the items that a later item of their layer hides.
fn twins(chain: &[Link<'_>], bound: &mut Bound<'_>, ignored: &mut Vec<Ignored>) {
    let rules = || chain.iter().map(|link| link.rules);
    let Some(scope) = Scope::of_chain(rules()).filter(|_| may_have_twins(rules())) else { return };
    for (layer, link) in chain.iter().enumerate() {
        let _ = visit_twins(&scope, layer, link.layer, &mut |place| {
            if bound.takes(place, [layer].into_iter()) {
                let pointer = place.as_str().into();
                ignored.push(Ignored { pointer, layer, locked_by: None });
            }
            match bound.left {
                Some(_) => ControlFlow::Continue(()),
                None => ControlFlow::Break(()),
            }
        });
    }
}

struct OriginSink<'a, 'b> {
    layers: [&'a Layer; LAYERS],
    path: Pointer,
    /// For every open array: the position of its next item, and its rule.
    arrays: Vec<(usize, Cow<'static, str>)>,
    open: Vec<Open>,
    /// Whether a lock holds for the open member, or for one around it.
    locked: bool,
    pending: Pending,
    found: Explanation,
    bound: Bound<'b>,
}

/// A member whose value is being walked.
struct Open {
    layer: usize,
    rule: Option<Cow<'static, str>>,
    /// The number of origins when it was opened. If no more are added, the object is empty.
    origins: usize,
    /// Whether a lock held around it.
    locked_around: bool,
}

/// What `folded` reported about the next member.
#[derive(Default)]
struct Pending {
    /// The lowest layer that counts, if the member merges several.
    layer: Option<usize>,
    rule: Option<Cow<'static, str>>,
    shadowed: Shadowed,
    list: bool,
    locked: bool,
}

impl<'a> OriginSink<'a, '_> {
    fn layer(&self, layer: usize) -> &'a Layer {
        self.layers.get(layer).copied().unwrap_or(self.layers[0])
    }

    fn push(&mut self, layer: usize, member: &Member) {
        let name = name::decode(self.layer(layer).name(member));
        self.path.push(&name);
    }

    /// The path so far, if it is explained and fits.
    fn place(&mut self, layers: impl Iterator<Item = usize>) -> Option<String> {
        self.bound.takes(&self.path, layers).then(|| self.path.to_string())
    }

    fn origin(&mut self, layer: usize, rule: Cow<'static, str>, shadowed: Shadowed) {
        let layers = shadowed.iter().map(|shadowed| (*shadowed).into());
        let Some(pointer) = self.place(layers.chain([layer])) else { return };
        let rule = if self.locked { Cow::Borrowed("lock") } else { rule };
        self.found.origins.push(Origin { pointer, layer, rule, shadowed });
    }

    /// Adds the origins below a value that only one layer holds.
    fn value(
        &mut self,
        layer: usize,
        content: Content,
        rule: Cow<'static, str>,
        shadowed: Shadowed,
    ) {
        let of = self.layer(layer);
        match content {
            Content::Object(id) if !of.members(of.container(id)).is_empty() => {
                if !shadowed.is_empty() {
                    self.origin(layer, rule, shadowed);
                }
                for member in of.members(of.container(id)) {
                    self.push(layer, member);
                    self.value(layer, member.content(), Cow::Borrowed("replace"), Shadowed::new());
                    self.path.pop();
                }
            }
            _ => self.origin(layer, rule, shadowed),
        }
    }
}

impl<'a> Sink<'a> for OriginSink<'a, '_> {
    const LISTENS: bool = true;

    fn open_object(&mut self) {}
    fn close_object(&mut self) {}

    fn open_array(&mut self) {
        let rule = self.open.last().and_then(|open| open.rule.clone());
        self.arrays.push((0, rule.unwrap_or(Cow::Borrowed("append"))));
    }

    fn close_array(&mut self) {
        self.arrays.pop();
    }

    fn run(&mut self, layer: usize, object: &'a Container, from: usize, to: usize) {
        for member in self.layer(layer).members(object).iter().take(to).skip(from) {
            self.push(layer, member);
            self.value(layer, member.content(), Cow::Borrowed("replace"), Shadowed::new());
            self.path.pop();
        }
    }

    fn entry(&mut self, layer: usize, member: &'a Member) {
        let pending = core::mem::take(&mut self.pending);
        let locked_around = self.locked;
        self.locked |= pending.locked;
        self.push(layer, member);
        let rule = pending.rule.unwrap_or(Cow::Borrowed("replace"));
        self.value(layer, member.content(), rule, pending.shadowed);
        self.path.pop();
        self.locked = locked_around;
    }

    fn open_member(&mut self, layer: usize, member: &'a Member) {
        let pending = core::mem::take(&mut self.pending);
        let locked_around = self.locked;
        self.locked |= pending.locked;
        self.push(layer, member);
        let layer = pending.layer.unwrap_or(layer);
        if pending.list || !pending.shadowed.is_empty() {
            let rule = pending.rule.clone().unwrap_or(Cow::Borrowed("deep"));
            self.origin(layer, rule, pending.shadowed);
        }
        let origins = self.found.origins.len();
        self.open.push(Open { layer, rule: pending.rule, origins, locked_around });
    }

    fn close_member(&mut self, _: &'a Member) {
        if let Some(Open { layer, rule, origins, locked_around }) = self.open.pop() {
            let told = self.found.origins.last().is_some_and(|o| o.pointer == self.path.as_str());
            if origins == self.found.origins.len() && !told {
                self.origin(layer, rule.unwrap_or(Cow::Borrowed("deep")), Shadowed::new());
            }
            self.locked = locked_around;
        }
        self.path.pop();
    }

    fn item(&mut self, layer: usize, _: &'a Member) {
        let rule = self.arrays.last().map(|(_, rule)| rule.clone());
        self.open_item(Stack::default());
        self.origin(layer, rule.unwrap_or(Cow::Borrowed("append")), Shadowed::new());
        self.path.pop();
    }

    fn open_item(&mut self, _: Stack) {
        if let Some((next, _)) = self.arrays.last_mut() {
            self.path.push_index(*next);
            *next += 1;
        }
    }

    fn close_item(&mut self) {
        self.path.pop();
    }

    fn folded(&mut self, fold: &Fold<'a, '_>) {
        let holds = |layer: usize| fold.contributions.get(layer).copied().flatten();
        let counts = |layer: &usize| {
            fold.ignored >> layer & 1 == 0
                && holds(*layer).is_some_and(|member| member.content() != Content::Null)
        };
        if fold.ignored != 0
            && let Some((layer, member)) =
                (0..LAYERS).find_map(|layer| Some((layer, holds(layer)?)))
        {
            self.push(layer, member);
            let locked_by = fold.scope.and_then(|scope| scope.locker()).unwrap_or_default();
            for layer in (0..LAYERS).filter(|layer| fold.ignored >> layer & 1 == 1) {
                let Some(pointer) = self.place([layer, locked_by].into_iter()) else { break };
                self.found.ignored.push(Ignored { pointer, layer, locked_by: Some(locked_by) });
            }
            self.path.pop();
        }
        let hidden = |shown: &dyn Fn(usize) -> bool| {
            let layers = (0..LAYERS).rev().filter(counts).filter(|&layer| !shown(layer));
            layers.map(|layer| layer as u8).collect::<Shadowed>()
        };
        let (layer, shadowed) = match fold.outcome {
            Outcome::Nothing => return,
            Outcome::One(layer, _) => (*layer, hidden(&|other| other >= *layer)),
            Outcome::Objects(stack) => {
                let lowest = stack.iter().map(|(layer, _)| layer).next_back().unwrap_or_default();
                let shown = |other| stack.iter().any(|(layer, _)| layer == other);
                (lowest, hidden(&shown))
            }
            Outcome::List(items) => {
                let shown = |other: usize| {
                    items.iter().any(|item| match item {
                        Item::Verbatim(layer, _) => *layer == other,
                        Item::Merged(stack) => stack.iter().any(|(layer, _)| layer == other),
                    })
                };
                let lowest = (0..LAYERS).rev().find(|&layer| counts(&layer)).unwrap_or_default();
                (lowest, hidden(&|other| other >= lowest || shown(other)))
            }
        };
        let rule = fold.scope.and_then(|scope| scope.rule(layer));
        self.pending = Pending {
            layer: Some(layer),
            rule: rule.map(|rule| Cow::Owned(rule.to_string())),
            shadowed,
            list: matches!(fold.outcome, Outcome::List(_)),
            locked: fold.scope.is_some_and(|scope| scope.is_locked()),
        };
    }
}
