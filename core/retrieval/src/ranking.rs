//! The documents that answer a question, scored by words, by terms and by vectors.

use alloc::{vec, vec::Vec};

use nacre_layers::{address::Address, error::Result};
use nacre_search::{
    fusion::{Ranking, fuse},
    score::Scored,
    semantic::{
        models::{Meaning, Models},
        ranker::{Matching, Nearest, Ranker as _},
        terms::Terms,
        vector::Vector,
        weights::Weights,
    },
    token::Unkeyed,
};
use nacre_store::store::AsOf;

use crate::{
    corpus::Corpus,
    dense::Dense,
    meanings::Meanings,
    question::{Mode, Question, Scope},
};

/// A document without a word of the question answers it only if it is among so many that are nearest
/// in meaning, by each ranker. All documents are near to some degree.
const NEAREST: usize = 100;

/// Which rankers scored an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rankers(u8);

impl Rankers {
    /// Full text.
    pub const WORDS: Rankers = Rankers(1);
    /// The terms of the sparse model.
    pub const TERMS: Rankers = Rankers(1 << 1);
    /// The vectors of the table.
    pub const VECTORS: Rankers = Rankers(1 << 2);
    /// Vectors that a model elsewhere made, in the place of the table's.
    pub const EMBEDDINGS: Rankers = Rankers(1 << 3);
    /// Vectors of the deployment's embedding model, in the place of the table's.
    pub const DENSE: Rankers = Rankers(1 << 4);

    const NAMES: [(&'static str, Rankers); 5] = [
        ("words", Rankers::WORDS),
        ("terms", Rankers::TERMS),
        ("vectors", Rankers::VECTORS),
        ("embeddings", Rankers::EMBEDDINGS),
        ("dense", Rankers::DENSE),
    ];

    /// The rankers with a weight, with the vectors of this kind.
    fn of(weights: Weights, vectors: Rankers) -> Rankers {
        let all = [
            (weights.words, Rankers::WORDS),
            (weights.terms, Rankers::TERMS),
            (weights.vectors, vectors),
        ];
        Rankers(all.iter().filter(|(weight, _)| *weight > 0.0).fold(0, |set, (_, one)| set | one.0))
    }

    pub(crate) fn has(self, one: Rankers) -> bool {
        self.0 & one.0 != 0
    }

    /// The names in answers.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Rankers::NAMES.into_iter().filter(move |(_, one)| self.has(*one)).map(|(name, _)| name)
    }

    /// Whether the pages of a question can be ranked so. Vectors rank wherever terms do.
    pub(crate) fn fit(self, question: &Question) -> bool {
        let has_words = self.has(Rankers::WORDS);
        let of_words = Rankers(Rankers::VECTORS.0 | Rankers::DENSE.0);
        let by_meaning = (self.has(of_words) && !question.query.words.is_empty())
            || (self.has(Rankers::EMBEDDINGS) && question.vector.is_some());
        match question.mode {
            _ if self == Rankers::WORDS => true,
            Mode::Text => false,
            Mode::Semantic | Mode::Hybrid => {
                by_meaning && has_words != question.goes_by_meaning_alone()
            }
        }
    }

    /// The digit in cursors, to base 32.
    pub(crate) fn digit(self) -> char {
        char::from_digit(self.0.into(), 32).unwrap_or_default()
    }

    /// Reads a digit.
    pub(crate) fn of_digit(digit: &str) -> Option<Rankers> {
        let digit = u8::from_str_radix(digit, 32).ok()?;
        (1..32).contains(&digit).then_some(Rankers(digit))
    }
}

/// The documents that answer a question.
pub(crate) struct Ranked {
    /// With their scores, by rising number.
    pub(crate) answers: Vec<Scored>,
    /// What scored them.
    pub(crate) rankers: Rankers,
    /// How near documents are in meaning, by rising number.
    near: Vec<Scored>,
    /// How many documents had a meaning at the first page.
    pub(crate) meanings: usize,
    /// How many documents had a dense vector then; 0 if these do not rank.
    pub(crate) dense: usize,
}

/// What tells what a question means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Encoders<'a> {
    /// The models, where they are loaded.
    pub models: Option<&'a Models<'a>>,
    /// The question's vector by the deployment's embedding model, if that was asked and has
    /// [answered](Corpus::dense_answer).
    pub dense: Option<&'a Vector>,
}

impl Ranked {
    /// The answers of full text alone.
    fn by_words(answers: Vec<Scored>) -> Ranked {
        Ranked { answers, rankers: Rankers::WORDS, near: Vec::new(), meanings: 0, dense: 0 }
    }

    /// How near a document is in meaning: 1 for the same, 0 for unrelated or not known.
    pub(crate) fn near(&self, number: u32) -> Option<f32> {
        let place = self.near.binary_search_by_key(&number, |near| near.number).ok()?;
        Some(self.near.get(place)?.score.clamp(0.0, 1.0))
    }
}

/// Scores the documents that answer a question.
pub(crate) fn rank(corpus: &Corpus, encoders: Encoders<'_>, question: &Question) -> Result<Ranked> {
    let index = &corpus.index;
    let mut wanted = |address: &Address| passes(corpus, question, address);
    if question.has_only_filters() {
        let numbers = if question.has_filters() {
            index.candidates(&question.query, &Unkeyed, &mut wanted)
        } else {
            Vec::new()
        };
        let answers = numbers.into_iter().map(|number| Scored { number, score: 0.0 }).collect();
        return Ok(Ranked::by_words(answers));
    }
    let words = index.score(&question.query, &Unkeyed, &mut wanted);
    if goes_by_words(corpus, question) {
        return Ok(Ranked::by_words(words));
    }
    let meaning = encoders
        .models
        .filter(|_| !question.query.words.is_empty())
        .map(|models| models.encode_query(&question.meant()));
    if meaning.is_none() && question.vector.is_none() && encoders.dense.is_none() {
        return Ok(Ranked::by_words(words));
    }
    // The pages of an answer are ranked alike, whatever has been encoded since the first one.
    let count =
        question.after.as_ref().map_or_else(|| corpus.meanings.count(), |after| after.meanings);
    let meanings = corpus.meanings.first(count).ok_or_else(|| question.refuse_cursor())?;
    let mut dense_count = 0;
    let dense = match encoders.dense {
        Some(query) => {
            let first = question.after.as_ref().map(|after| after.dense);
            dense_count = first.unwrap_or_else(|| corpus.dense.count());
            let dense = corpus.dense.first(dense_count).ok_or_else(|| question.refuse_cursor())?;
            Some((query, dense))
        }
        None => None,
    };
    let dense = dense.as_ref().map(|(query, dense)| (*query, &**dense));
    let Some((nearest, kind)) = nearest(corpus, &meanings, question, meaning.as_ref(), dense)?
    else {
        return Ok(Ranked::by_words(words));
    };
    let allowed = index.candidates(&question.query, &Unkeyed, &mut wanted);
    let near = only(nearest.answers(), &allowed);
    let has_terms = question.first_rankers().is_none_or(|first| first.has(Rankers::TERMS));
    let no_terms = Terms::default();
    let terms = meaning.as_ref().filter(|_| has_terms).map_or(&no_terms, |meaning| &meaning.terms);
    let matching = Matching { documents: &meanings.terms, query: terms };
    let terms = only(matching.answers(), &allowed);
    let weights = weights(question, &terms, &near);
    let rankers = Rankers::of(weights, kind);
    if rankers == Rankers::WORDS {
        return Ok(Ranked::by_words(words));
    }
    let fused = fuse(&[
        Ranking { answers: &words, floor: Some(0.0), weight: weights.words },
        matching.ranking(&terms, weights.terms),
        nearest.ranking(&near, weights.vectors),
    ]);
    let all = if rankers.has(Rankers::WORDS) { words.as_slice() } else { &[] };
    let found = found(corpus, all, &[&terms, &near]);
    let answers = fused
        .into_iter()
        .filter(|answer| found.get(answer.number as usize) == Some(&true))
        .collect();
    let dense = if rankers.has(Rankers::DENSE) { dense_count } else { 0 };
    Ok(Ranked { answers, rankers, near, meanings: count, dense })
}

/// Whether nothing but words may rank.
pub(crate) fn goes_by_words(corpus: &Corpus, question: &Question) -> bool {
    question.mode == Mode::Text
        || corpus.is_partial()
        || question.first_rankers() == Some(Rankers::WORDS)
}

/// What tells how near documents are: the question's own vector, if there are documents to compare it
/// with; otherwise the embedding model's, and then the table's. Vectors of two models are never compared.
fn nearest<'a>(
    corpus: &'a Corpus,
    meanings: &'a Meanings,
    question: &'a Question,
    meaning: Option<&'a Meaning>,
    dense: Option<(&'a Vector, &'a Dense)>,
) -> Result<Option<(Nearest<'a>, Rankers)>> {
    let is_allowed = |one| question.first_rankers().is_none_or(|first| first.has(one));
    if let Some(query) = &question.vector {
        corpus.check_dimensions(query)?;
        if let Some(documents) = corpus
            .embeddings
            .as_ref()
            .filter(|given| !given.is_empty())
            .filter(|_| is_allowed(Rankers::EMBEDDINGS))
        {
            return Ok(Some((Nearest { documents, query }, Rankers::EMBEDDINGS)));
        }
    }
    if let Some((query, dense)) = dense.filter(|_| is_allowed(Rankers::DENSE))
        && let Some(documents) = dense.like(query)
    {
        return Ok(Some((Nearest { documents, query }, Rankers::DENSE)));
    }
    let table =
        |meaning: &'a Meaning| Nearest { documents: &meanings.vectors, query: &meaning.vector };
    Ok(meaning.map(|meaning| (table(meaning), Rankers::VECTORS)))
}

/// How much each ranker counts.
fn weights(question: &Question, terms: &[Scored], near: &[Scored]) -> Weights {
    let all = match (terms.is_empty(), near.is_empty()) {
        (_, true) => return Weights::WORDS_ONLY,
        (true, false) => Weights::WITHOUT_TERMS,
        (false, false) => Weights::BOTH_MODELS,
    };
    if question.goes_by_meaning_alone() { Weights { words: 0.0, ..all } } else { all }
}

/// The answers that are allowed; both come by rising number.
fn only(answers: Vec<Scored>, allowed: &[u32]) -> Vec<Scored> {
    let mut allowed = allowed.iter().copied().peekable();
    let is_allowed = |answer: &Scored| {
        while allowed.next_if(|number| *number < answer.number).is_some() {}
        allowed.peek() == Some(&answer.number)
    };
    answers.into_iter().filter(is_allowed).collect()
}

/// Which documents answer: all of one ranker, and the nearest of others.
fn found(corpus: &Corpus, all: &[Scored], nearest: &[&[Scored]]) -> Vec<bool> {
    let mut found = vec![false; corpus.index.end() as usize];
    let mut mark = |answer: &Scored| {
        if let Some(found) = found.get_mut(answer.number as usize) {
            *found = true;
        }
    };
    all.iter().for_each(&mut mark);
    for answers in nearest {
        corpus.index.top(answers, NEAREST).iter().for_each(&mut mark);
    }
    found
}

/// Whether a context passes the filters that the index does not know.
fn passes(corpus: &Corpus, question: &Question, address: &Address) -> bool {
    let Question { levels, under, since, by, scope, .. } = question;
    if !levels.is_empty() && !levels.contains(&address.level) {
        return false;
    }
    if since.is_none() && by.is_none() && under.is_none() {
        return true;
    }
    let Some(facts) = corpus.facts(address) else { return false };
    let is_since = |since: &AsOf| match since {
        AsOf::Seq(seq) => facts.seq > *seq,
        AsOf::Time(time) => facts.updated_at >= *time,
    };
    since.as_ref().is_none_or(is_since)
        && by.as_ref().is_none_or(|by| facts.by == *by)
        // What is said above a subtree shows in its views.
        && (*scope == Scope::Resolved
            || under.as_ref().is_none_or(|root| corpus.stands_under(address, root)))
}
