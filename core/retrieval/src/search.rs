//! A search: what the caller may read is ranked, and a page of it explained.

use alloc::{collections::BTreeMap, format, rc::Rc, string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    pointer::Pointer,
    value::Object,
};
use nacre_search::{
    query::Word,
    score::Scored,
    semantic::models::Models,
    snippet::{Explanation, Fragment, Reason, explain, opening},
    token::Unkeyed,
};
use nacre_store::{moment::Moment, op::Caller, readable::Readable, record::Record, store::Reads};
use nacre_wire::Cursor;

use crate::{
    corpus::Corpus,
    document::notes_with,
    question::{Question, Scope},
    ranking::{Ranked, Rankers, rank},
};

/// What a search has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The best items, or those after the question's cursor.
    pub items: Vec<Item>,
    /// About how many items there are on all pages.
    pub total_estimate: u64,
    /// The cursor of the next page; `None` on the last one.
    pub next_cursor: Option<String>,
    /// What the answer is ranked by.
    pub ranking: Rankers,
    /// Whether the shell could not use its search database, and so answers with its own index.
    pub degraded: bool,
}

/// A context that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The context.
    pub address: Address,
    /// Its score: higher is better. Scores of different questions cannot be compared.
    pub score: f32,
    /// The place of the best piece in the data; in the view, for a search of views.
    pub path: Pointer,
    /// The best piece, or a part of it.
    pub snippet: Vec<Fragment>,
    /// Why it was found; `None` if that was not asked for.
    pub reasons: Option<Reasons>,
    /// In a search of resolved views, the layer where it is said.
    pub from: Option<Address>,
}

/// Why a context was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Reasons {
    /// The words that were found.
    pub words: Vec<Reason>,
    /// How near in meaning it is, from 0 to 1; `None` if that is not known.
    pub near: Option<f32>,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// Where a page ends: what its cursor holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The score of the last item.
    pub(crate) score: f32,
    /// Its address.
    pub(crate) address: Address,
    /// What the pages are ranked by.
    pub(crate) rankers: Rankers,
}

impl Place {
    /// The text of a cursor for the question with this id.
    fn write(&self, question: u64) -> String {
        let Place { score, address, rankers } = self;
        format!("{question:016x}{:08x}{:x}{address}", score.to_bits(), rankers.digit())
    }

    /// Reads the text of a cursor; `None` if it is not for the question with this id.
    pub(crate) fn read(text: &str, question: u64) -> Option<Place> {
        let rest = text.strip_prefix(&format!("{question:016x}"))?;
        let (score, rest) = rest.split_at_checked(8)?;
        let (rankers, address) = rest.split_at_checked(1)?;
        let (level, id) = address.split_once('/')?;
        Some(Place {
            score: f32::from_bits(u32::from_str_radix(score, 16).ok()?),
            address: Address::parse(level, id).ok()?,
            rankers: Rankers::of_digit(u8::from_str_radix(rankers, 16).ok()?)?,
        })
    }

    /// Whether an item comes after this place: higher scores come first, then lower addresses.
    pub(crate) fn is_before(&self, score: f32, address: &Address) -> bool {
        self.score.total_cmp(&score).then_with(|| address.cmp(&self.address)).is_gt()
    }
}

/// Searches the contexts of a user.
///
/// # Errors
/// `not-found` for a stranger, `forbidden` without the scope `contexts:read`, those of the store.
/// `search-unavailable` for a further page if the models of the first one are not there.
pub fn search(
    reads: &dyn Reads,
    caller: &Caller,
    corpus: &Corpus,
    models: Option<&Models<'_>>,
    question: &Question,
) -> Result<Found> {
    let readable = Readable::of(reads, caller)?;
    let of_guest;
    let corpus = match readable.is_everything() {
        true => corpus,
        false => {
            of_guest = corpus.readable(reads, &readable, question.scope)?;
            &*of_guest
        }
    };
    let ranked = rank(corpus, models, question)?;
    if question.first_rankers().is_some_and(|first| first != ranked.rankers) {
        return Err(Error::new(
            Code::SearchUnavailable,
            "the first page was ranked by models that are not loaded now; try again, or start \
             again without a cursor",
        ));
    }
    let rarity = |word: &Word| (word.term.clone(), corpus.index.rarity(&word.term, &Unkeyed));
    let rarities = question.query.words.iter().map(rarity).collect();
    let search = Search { reads, readable: &readable, corpus, question, ranked: &ranked, rarities };
    match question.scope {
        Scope::Stored => search.stored(),
        Scope::Resolved => search.resolved(),
    }
}

/// A search whose documents are ranked.
pub(crate) struct Search<'s> {
    pub(crate) reads: &'s dyn Reads,
    pub(crate) readable: &'s Readable,
    pub(crate) corpus: &'s Corpus,
    pub(crate) question: &'s Question,
    pub(crate) ranked: &'s Ranked,
    /// How rare the words of the question are.
    rarities: BTreeMap<String, f32>,
}

impl Search<'_> {
    /// The page of stored layers.
    fn stored(&self) -> Result<Found> {
        let Search { corpus, question, ranked, .. } = self;
        let index = &corpus.index;
        let is_left = |answer: &&Scored| {
            let address = index.address(answer.number);
            question.after.as_ref().is_none_or(|after| {
                address.is_some_and(|address| after.is_before(answer.score, address))
            })
        };
        let left: Vec<Scored> = ranked.answers.iter().filter(is_left).copied().collect();
        let mut page = index.top(left, question.limit + 1);
        let more = page.len() > question.limit;
        page.truncate(question.limit);
        let mut items = Vec::with_capacity(page.len());
        let mut last = None;
        for answer in page {
            let Some(address) = index.address(answer.number) else { continue };
            last = Some((answer.score, address));
            if let Some(record) = self.record(address)? {
                items.push(self.item(&record, answer)?);
            }
        }
        let next = last.filter(|_| more).map(|(score, address)| self.cursor(score, address));
        Ok(self.found(items, self.total(), next))
    }

    /// The answer with these items.
    pub(crate) fn found(&self, items: Vec<Item>, total: usize, next: Option<String>) -> Found {
        Found {
            items,
            total_estimate: total as u64,
            next_cursor: next,
            ranking: self.ranked.rankers,
            degraded: false,
        }
    }

    /// The cursor after an item.
    pub(crate) fn cursor(&self, score: f32, address: &Address) -> String {
        let place = Place { score, address: address.clone(), rankers: self.ranked.rankers };
        Cursor::search(&place.write(self.question.id))
    }

    /// A context as it is now; `None` if it is gone, or no longer the caller's to read, since it was
    /// indexed.
    fn record(&self, address: &Address) -> Result<Option<Rc<Record>>> {
        if self.readable.is_everything() {
            return Ok(self.reads.record(address)?.filter(|record| record.is_live()));
        }
        match self.readable.chain(self.reads, address) {
            Ok(mut chain) => Ok(chain.pop()),
            Err(error) if error.code() == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An answer with its explanation.
    fn item(&self, record: &Record, answer: Scored) -> Result<Item> {
        let data = record.layer.to_value()?;
        let facts = self.corpus.facts(&record.address);
        let notes = if facts.is_some_and(|facts| facts.has_notes) {
            let mut keep = |entry: &_| self.readable.holds_entry(self.reads, entry);
            notes_with(self.reads, &record.address, &mut keep)?
        } else {
            Vec::new()
        };
        let empty = Object::new();
        let data = data.as_object().unwrap_or(&empty);
        Ok(self.explained(record, answer, self.explain(record.address.id.as_str(), data, &notes)))
    }

    /// Says what was found in a document. Where no word was, it shows how the document begins.
    pub(crate) fn explain(&self, id: &str, data: &Object, notes: &[String]) -> Explanation {
        let rarity = |term: &str| self.rarities.get(term).copied().unwrap_or(0.0);
        let why = explain(&self.question.query, id, data, notes, &rarity);
        if !why.reasons.is_empty() {
            return why;
        }
        let (pointer, snippet) = opening(data);
        Explanation { pointer, snippet, ..why }
    }

    /// The item of an answer that is explained.
    pub(crate) fn explained(&self, record: &Record, answer: Scored, why: Explanation) -> Item {
        let reasons = || Reasons {
            words: why.reasons,
            near: self.ranked.near(answer.number),
            updated_at: record.updated_at,
        };
        Item {
            address: record.address.clone(),
            score: answer.score,
            path: why.pointer,
            snippet: why.snippet,
            reasons: self.question.explain.then(reasons),
            from: None,
        }
    }

    /// About how many documents answer. Of candidates it is known in how many documents the most
    /// common word is.
    fn total(&self) -> usize {
        let Search { corpus, question: Question { query, .. }, ranked, .. } = self;
        let here = ranked.answers.len();
        if !corpus.is_partial() || !query.phrases.is_empty() || !query.excluded.is_empty() {
            return here;
        }
        let words = query.words.iter();
        let all = words.map(|word| corpus.index.documents_with(&word.term, &Unkeyed)).max();
        here.max(all.unwrap_or(0) as usize)
    }
}
