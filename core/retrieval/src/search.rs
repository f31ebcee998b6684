//! A search: what the caller may read is ranked, and a page of it explained.

use alloc::{format, rc::Rc, string::String, vec::Vec};

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
    place::{Place, tokens},
    question::{Question, Scope},
    ranking::{Encoders, Ranked, Rankers, rank},
    sight::{Everything, Sight},
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

/// Searches the contexts of a user.
///
/// # Errors
/// `not-found` for a stranger, `forbidden` without the scope `contexts:read`, those of the store.
/// `search-unavailable` for a further page if the models of the first one, or all documents, are not
/// in memory. `invalid-request` if it is not known any more what ranked the first one.
pub fn search(
    reads: &dyn Reads,
    caller: &Caller,
    corpus: &Corpus,
    models: Option<&Models<'_>>,
    question: &Question,
) -> Result<Found> {
    search_by(reads, caller, corpus, Encoders { models, dense: None }, question)
}

/// As [`search`], also by the deployment's embedding model.
///
/// # Errors
/// As [`search`]; `search-unavailable`, too, for a further page if the model ranked the first one and
/// does not answer now.
pub fn search_by(
    reads: &dyn Reads,
    caller: &Caller,
    corpus: &Corpus,
    encoders: Encoders<'_>,
    question: &Question,
) -> Result<Found> {
    let readable = Readable::of(reads, caller)?;
    if readable.is_everything() {
        return search_within(reads, &Everything, corpus, encoders, question);
    }
    let corpus = corpus.readable(reads, &readable, question.scope)?;
    search_within(reads, &readable, &corpus, encoders, question)
}

/// Searches contexts of which the asker may read everything: the owner's own, or those of a replica.
///
/// # Errors
/// As [`search`], but for those about the caller.
pub fn search_own(
    reads: &dyn Reads,
    corpus: &Corpus,
    models: Option<&Models<'_>>,
    question: &Question,
) -> Result<Found> {
    search_within(reads, &Everything, corpus, Encoders { models, dense: None }, question)
}

/// Searches what an asker may read. `corpus` holds nothing else.
fn search_within(
    reads: &dyn Reads,
    readable: &dyn Sight,
    corpus: &Corpus,
    encoders: Encoders<'_>,
    question: &Question,
) -> Result<Found> {
    if question.after.is_some() && corpus.is_partial() {
        return Err(not_loaded("the index of this store is being loaded"));
    }
    let ranked = rank(corpus, encoders, question)?;
    if let Some(first) = question.first_rankers().filter(|first| *first != ranked.rankers) {
        if first.has(Rankers::DENSE) && encoders.dense.is_none() {
            return Err(not_loaded("the embedding model of the first page does not answer now"));
        }
        return Err(match encoders.models {
            None => not_loaded("the first page was ranked by models that are not loaded now"),
            Some(_) => question.refuse_cursor(),
        });
    }
    let rarity = |word: &Word| (word.term.clone(), corpus.index.rarity(&word.term, &Unkeyed));
    let rarities = question.query.words.iter().map(rarity).collect();
    let search = Search { reads, readable, corpus, question, ranked: &ranked, rarities };
    match question.scope {
        Scope::Stored => search.stored(),
        Scope::Resolved => search.resolved(),
    }
}

fn not_loaded(what: &str) -> Error {
    let detail = format!("{what}; try again, or start again without a cursor");
    Error::new(Code::SearchUnavailable, detail)
}

/// A search whose documents are ranked.
pub(crate) struct Search<'s> {
    pub(crate) reads: &'s dyn Reads,
    pub(crate) readable: &'s dyn Sight,
    pub(crate) corpus: &'s Corpus,
    pub(crate) question: &'s Question,
    pub(crate) ranked: &'s Ranked,
    /// How rare the words of the question are.
    rarities: Vec<(String, f32)>,
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
        let mut page = index.top(&left, question.limit + 1);
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
        let next =
            last.filter(|_| more).map(|(score, address)| self.cursor(score, address, &items));
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

    /// The cursor after the last item of a page with these items. Without all documents, their scores
    /// are no place among the others.
    pub(crate) fn cursor(&self, score: f32, address: &Address, items: &[Item]) -> String {
        let (given, last) = if self.corpus.is_partial() {
            (tokens(items.iter().map(|item| &item.address)), None)
        } else {
            let given = self.question.after.as_ref().map(|after| after.given.clone());
            (given.unwrap_or_default(), Some((score, address.clone())))
        };
        let Ranked { rankers, meanings, dense, .. } = *self.ranked;
        Cursor::search(&Place { rankers, meanings, dense, given, last }.write(self.question.id))
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
        let rarity = |term: &str| {
            let of_term = self.rarities.iter().find(|(word, _)| word == term);
            of_term.map_or(0.0, |(_, rarity)| *rarity)
        };
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
