//! A search of resolved views: the lowest contexts whose view shows what is searched for.
//!
//! A layer that answers stands for all contexts below it, as far as their views still show what it
//! says: values that another layer replaces or removes do not count. Views are made in the order of
//! the answer, and only as many as the page needs.

use alloc::{collections::BinaryHeap, rc::Rc, string::String, vec, vec::Vec};
use core::cmp::{Ordering, Reverse};

use nacre_layers::{
    address::Address,
    error::{Code, Result},
    explain::explain_bounded,
    json,
    level::LAYERS,
    pointer::Pointer,
    resolve::resolve,
    sort::{distinct, sort_by},
    value::{Object, Value},
};
use nacre_search::{
    index::Index,
    piece::{Field, pieces},
    row::Row,
    score::Scored,
    token::Unkeyed,
};
use nacre_store::{limits, record::Record, store::links};

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

/// A context whose view may show what is searched for.
struct Candidate {
    /// Its score, or the best that it can have. Scores are not negative, so their bits are in their
    /// order.
    score: u32,
    address: Address,
    view: Shown,
}

/// What is known of a candidate's view.
enum Shown {
    /// The answers above it or its own, the best first.
    Unknown(Vec<(Scored, Address)>),
    /// Its item.
    Item(Item),
}

impl Candidate {
    fn new(score: f32, address: Address, view: Shown) -> Candidate {
        Candidate { score: score.to_bits(), address, view }
    }

    /// What it is ordered by: of equal scores the lower address comes first.
    fn rank(&self) -> (u32, Reverse<&Address>) {
        (self.score, Reverse(&self.address))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

/// The candidates of a search, in the order of the answer.
struct Candidates<'s> {
    search: &'s Search<'s>,
    left: BinaryHeap<Candidate>,
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
        let mut found = vec![None; corpus.index.end() as usize];
        for answer in corpus.index.top(&search.ranked.answers, LAYERS_LOOKED_AT) {
            if let Some(found) = found.get_mut(answer.number as usize) {
                *found = Some(answer);
            }
        }
        let answer = |layer: &Address| *found.get(corpus.index.number(layer)? as usize)?;
        let mut left = BinaryHeap::new();
        for lowest in lowest(search) {
            let mut answers: Vec<(Scored, Address)> =
                corpus.chain(lowest).filter_map(|layer| Some((answer(&layer)?, layer))).collect();
            // The chain begins at the context itself: of equal scores the nearest layer comes first.
            sort_by(&mut answers, |a, b| b.0.score.total_cmp(&a.0.score));
            if let Some((best, _)) = answers.first() {
                left.push(Candidate::new(best.score, lowest.clone(), Shown::Unknown(answers)));
            }
        }
        Candidates { search, total: left.len(), left, views: 0, bytes: 0 }
    }

    /// The next item in the order of the answer; `None` at the end, or when enough views were made.
    fn next(&mut self) -> Result<Option<Item>> {
        while let Some(Candidate { address, view, .. }) = self.left.pop() {
            let answers = match view {
                Shown::Item(item) => return Ok(Some(item)),
                Shown::Unknown(answers) => answers,
            };
            if self.was_given(&answers, &address) {
                continue;
            }
            if self.views >= VIEWS || self.bytes >= VIEW_BYTES {
                self.total -= 1 + self.left.len();
                self.left.clear();
                return Ok(None);
            }
            match self.item(&address, &answers)? {
                None => self.total -= 1,
                Some(item) => {
                    self.left.push(Candidate::new(item.score, address, Shown::Item(item)));
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
    let upper = distinct(corpus.addresses().filter_map(|address| corpus.above(address)).collect());
    let root = search.question.under.as_ref();
    corpus
        .addresses()
        .filter(move |address| upper.binary_search(address).is_err())
        .filter(move |address| root.is_none_or(|root| corpus.stands_under(address, root)))
}

/// A view, taken apart by the layers that its values come from.
struct View {
    chain: Vec<Rc<Record>>,
    data: Value,
    /// The layers of values, sorted by pointer; a value without one has that of what is around it.
    origins: Vec<(String, usize)>,
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
        let links = links(&chain);
        let explanation = explain_bounded(&links, &Pointer::root(), [0; LAYERS]);
        let origins = match explanation {
            Ok(explanation) => explanation.origins,
            Err(error) if error.code() == Code::TooLarge => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = resolve(&links);
        let data = json::read(&text, limits::DEPTH)?;
        let origins = origins.into_iter().map(|origin| (origin.pointer, origin.layer));
        let mut origins: Vec<(String, usize)> = origins.collect();
        sort_by(&mut origins, |a, b| a.0.cmp(&b.0));
        Ok(Some(View { chain, data, origins, bytes: text.len() }))
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

    /// The layer of the value at a place.
    fn origin(&self, place: &Pointer) -> Option<usize> {
        let of_place = |(pointer, _): &(String, usize)| pointer.as_str().cmp(place.as_str());
        let at = self.origins.binary_search_by(of_place).ok()?;
        self.origins.get(at).map(|(_, layer)| *layer)
    }

    /// The part of a value that comes of a layer. Items of arrays keep their places.
    fn part(
        &self,
        layer: usize,
        value: &Value,
        place: &mut Pointer,
        around: Option<usize>,
    ) -> Option<Value> {
        let origin = self.origin(place).or(around);
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
    !index.candidates(&search.question.query, &Unkeyed, &mut |_| true).is_empty()
}
