//! A search of resolved views: the lowest contexts whose view shows what is searched for.
//!
//! A layer that answers stands for all contexts below it, as far as their views still show what it
//! says: values that another layer replaces or removes do not count. Views are made in the order of
//! the answer, and only as many as the page needs.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    string::String,
    vec::Vec,
};
use core::cmp::Reverse;

use nacre_layers::{
    address::Address,
    error::{Code, Result},
    explain::explain_bounded,
    json,
    level::LAYERS,
    pointer::Pointer,
    value::{Object, Value},
};
use nacre_search::{
    index::Index,
    piece::{Field, pieces},
    row::Row,
    score::Scored,
    token::Unkeyed,
};
use nacre_store::{
    limits,
    record::Record,
    store::{links, resolve_records},
};

use crate::{
    place::Place,
    search::{Found, Item, Search},
};

/// The layers that are looked at, the best first.
const LAYERS_LOOKED_AT: usize = 200;

/// Most views that one search makes.
const VIEWS: usize = 2000;

/// Most bytes of the views that one search makes.
const VIEW_BYTES: usize = 32 << 20;

/// A place in the order of the answer: higher scores first, then by address.
type Rank = (Reverse<u32>, Address);

/// A context whose view may show what is searched for.
enum Candidate {
    /// The answers above it or its own, the best first. The first one's rank is the best that the
    /// context can have.
    Open(Vec<(Scored, Address)>),
    /// Its item, which has this rank.
    Known(Box<Item>),
}

/// The candidates of a search, in the order of the answer.
struct Candidates<'s> {
    search: &'s Search<'s>,
    left: BTreeMap<Rank, Candidate>,
    /// How many may still show it, or do.
    total: usize,
    views: usize,
    bytes: usize,
}

impl Search<'_> {
    /// The page of resolved views.
    pub(crate) fn resolved(&self) -> Result<Found> {
        let mut candidates = Candidates::new(self);
        let mut items: Vec<Item> = Vec::new();
        let mut next = None;
        while let Some(item) = candidates.next()? {
            let is_left = |after: &Place| after.is_before(item.score, &item.address);
            if !self.question.after.as_ref().is_none_or(is_left) {
                continue;
            }
            if items.len() < self.question.limit {
                items.push(item);
                continue;
            }
            next = items.last().map(|last| self.cursor(last.score, &last.address, &items));
            // What a guest is told does not count views that do not show it.
            if self.readable.is_everything() {
                break;
            }
        }
        Ok(self.found(items, candidates.total, next))
    }
}

impl<'s> Candidates<'s> {
    fn new(search: &'s Search<'s>) -> Candidates<'s> {
        let corpus = search.corpus;
        let best = corpus.index.top(search.ranked.answers.clone(), LAYERS_LOOKED_AT);
        let found: BTreeMap<&Address, Scored> = best
            .into_iter()
            .filter_map(|answer| Some((corpus.index.address(answer.number)?, answer)))
            .collect();
        let mut left = BTreeMap::new();
        for lowest in lowest(search) {
            let mut answers: Vec<(Scored, Address)> = corpus
                .chain(lowest)
                .filter_map(|layer| Some((*found.get(&layer)?, layer)))
                .collect();
            // The chain begins at the context itself: of equal scores the nearest layer comes first.
            answers.sort_by(|a, b| b.0.score.total_cmp(&a.0.score));
            if let Some((answer, _)) = answers.first() {
                left.insert(rank(answer.score, lowest), Candidate::Open(answers));
            }
        }
        Candidates { search, total: left.len(), left, views: 0, bytes: 0 }
    }

    /// The next item in the order of the answer; `None` at the end, or when enough views were made.
    fn next(&mut self) -> Result<Option<Item>> {
        while let Some((place, candidate)) = self.left.pop_first() {
            let answers = match candidate {
                Candidate::Known(item) => return Ok(Some(*item)),
                Candidate::Open(answers) => answers,
            };
            if self.was_given(&answers, &place.1) {
                continue;
            }
            if self.views >= VIEWS || self.bytes >= VIEW_BYTES {
                self.total -= 1 + self.left.len();
                self.left.clear();
                return Ok(None);
            }
            match self.item(&place.1, &answers)? {
                None => self.total -= 1,
                Some(item) => {
                    self.left.insert(rank(item.score, &place.1), Candidate::Known(Box::new(item)));
                }
            }
        }
        Ok(None)
    }

    /// Whether a context was on an earlier page, if its view shows anything. Its view need not be
    /// made again; for a guest it is made, so that it is counted only if it does.
    fn was_given(&self, answers: &[(Scored, Address)], address: &Address) -> bool {
        let is_given = |after: &Place| {
            answers.iter().all(|(answer, _)| !after.is_before(answer.score, address))
        };
        self.search.readable.is_everything()
            && self.search.question.after.as_ref().is_some_and(is_given)
    }

    /// The item of a context: of the best answer that its view shows.
    fn item(&mut self, address: &Address, answers: &[(Scored, Address)]) -> Result<Option<Item>> {
        self.views += 1;
        let Some(view) = View::of(self.search, address)? else { return Ok(None) };
        self.bytes += view.bytes;
        for (answer, from) in answers {
            if let Some(item) = view.item(self.search, *answer, from) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}

/// The contexts that have none below them, within the subtree that is searched.
fn lowest<'s>(search: &'s Search<'_>) -> impl Iterator<Item = &'s Address> {
    let corpus = search.corpus;
    let upper: BTreeSet<Address> =
        corpus.addresses().filter_map(|address| corpus.above(address)).collect();
    let root = search.question.under.as_ref();
    corpus
        .addresses()
        .filter(move |address| !upper.contains(address))
        .filter(move |address| root.is_none_or(|root| corpus.stands_under(address, root)))
}

/// The place of a score. Scores are not negative, so their bits are in their order.
fn rank(score: f32, address: &Address) -> Rank {
    (Reverse(score.to_bits()), address.clone())
}

/// A view, taken apart by the layers that its values come from.
struct View {
    chain: Vec<Rc<Record>>,
    data: Value,
    /// The layers of values, by pointer; a value without one has that of what is around it.
    origins: BTreeMap<String, usize>,
    bytes: usize,
}

impl View {
    /// The view of a context; `None` if the caller may not read it, or if it is too large to say
    /// where all of it comes from.
    fn of(search: &Search<'_>, address: &Address) -> Result<Option<View>> {
        let chain = match search.readable.chain(search.reads, address) {
            Ok(chain) => chain,
            Err(error) if error.code() == Code::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let explanation = explain_bounded(&links(&chain), &Pointer::root(), [0; LAYERS]);
        let origins = match explanation {
            Ok(explanation) => explanation.origins,
            Err(error) if error.code() == Code::TooLarge => return Ok(None),
            Err(error) => return Err(error),
        };
        let view = resolve_records(&chain);
        let data = json::read(&view.text, limits::DEPTH)?;
        let origins = origins.into_iter().map(|origin| (origin.pointer, origin.layer)).collect();
        Ok(Some(View { chain, data, origins, bytes: view.text.len() }))
    }

    /// The item of an answer; `None` if nothing in the view comes of it.
    fn item(&self, search: &Search<'_>, answer: Scored, from: &Address) -> Option<Item> {
        let layer = self.chain.iter().position(|record| record.address == *from)?;
        let (record, context) = (self.chain.get(layer)?, self.chain.last()?);
        let Value::Object(part) = self.part(layer, &self.data, &mut Pointer::root(), None)? else {
            return None;
        };
        // The id is that of the context, and names no layer above.
        let is_own = record.address == context.address;
        let id = if is_own { from.id.as_str() } else { "" };
        let why = search.explain(id, &part, &[]);
        let says = !why.reasons.is_empty() || says_by_meaning(search, answer, &part);
        if !says || !holds_all(search, from, &part) {
            return None;
        }
        let item = search.explained(record, answer, why);
        Some(Item { address: context.address.clone(), from: Some(from.clone()), ..item })
    }

    /// The part of a value that comes of a layer. Items of arrays keep their places.
    fn part(
        &self,
        layer: usize,
        value: &Value,
        place: &mut Pointer,
        around: Option<usize>,
    ) -> Option<Value> {
        let origin = self.origins.get(place.as_str()).copied().or(around);
        let is_own = origin == Some(layer);
        if value.sealed().is_some() {
            return is_own.then(|| value.clone());
        }
        match value {
            Value::Object(members) => {
                let mut part = Object::new();
                for (name, value) in members.iter() {
                    place.push(name);
                    if let Some(value) = self.part(layer, value, place, origin) {
                        part.insert(name, value);
                    }
                    place.pop();
                }
                (is_own || !part.is_empty() || place.is_root()).then_some(Value::Object(part))
            }
            Value::Array(items) => {
                let mut parts = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    place.push_index(index);
                    parts.push(self.part(layer, item, place, origin));
                    place.pop();
                }
                let has_own = is_own || parts.iter().any(Option::is_some);
                let parts = parts.into_iter().map(|part| part.unwrap_or(Value::Null));
                has_own.then(|| Value::Array(parts.collect()))
            }
            _ => is_own.then(|| value.clone()),
        }
    }
}

/// Whether a part without a word of the question is an answer: it has a text, and its layer is near
/// in meaning; or nothing but filters was asked for.
fn says_by_meaning(search: &Search<'_>, answer: Scored, part: &Object) -> bool {
    let is_text = |field: Field| matches!(field, Field::Title | Field::Text);
    let has_text = || pieces("", part, &[]).iter().any(|piece| is_text(piece.field));
    search.question.has_only_filters() || search.ranked.near(answer.number).is_some() && has_text()
}

/// Whether a part has all phrases and paths that the question requires.
fn holds_all(search: &Search<'_>, from: &Address, part: &Object) -> bool {
    let mut index = Index::new();
    index.upsert(&Row::of(from, part, &[]), &Unkeyed);
    let found = index.candidates(&search.question.query, &Unkeyed, &mut |_| true);
    found.is_ok_and(|found| !found.is_empty())
}
