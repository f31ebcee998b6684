//! Scores the documents of an index by a query.

use alloc::{string::String, vec, vec::Vec};

use nacre_layers::{
    address::Address,
    sort::{distinct, first_by},
};

use crate::{
    index::Index,
    list::{Positions, unpack},
    query::{Phrase, Query},
    rank::{self, idf},
    row::{ID, KEY},
    text::stem,
    token::{TermKey, Token},
};

/// The most words that a prefix stands for.
const PREFIX_WORDS: usize = 128;

/// A document found, by its number in the index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The document.
    pub number: u32,
    /// Its score: above 0, or 0 where the query has only filters.
    pub score: f32,
}

impl Index {
    /// Scores the documents that answer a query, by rising number.
    ///
    /// `wanted` is asked for the contexts of the answers: a shell's own filters.
    pub fn score(
        &self,
        query: &Query,
        key: &dyn TermKey,
        wanted: &mut dyn FnMut(&Address) -> bool,
    ) -> Vec<Scored> {
        if query.is_empty() {
            return Vec::new();
        }
        let scores = self.scores(query, key);
        let only_filters = query.words.is_empty() && query.prefix.is_none();
        let scored = (0..).zip(scores).map(|(number, score)| Scored { number, score });
        let found = scored.filter(|scored| scored.score > 0.0 || only_filters);
        let allowed = self.allowed(query, key);
        let answers = found.filter(|found| {
            let address = self.address(found.number);
            allowed.get(found.number as usize) == Some(&true) && address.is_some_and(&mut *wanted)
        });
        answers.collect()
    }

    /// The documents that a query's filters, phrases and exclusions let through, by rising number,
    /// whether they have its words or not: what a ranker by meaning may answer with.
    pub fn candidates(
        &self,
        query: &Query,
        key: &dyn TermKey,
        wanted: &mut dyn FnMut(&Address) -> bool,
    ) -> Vec<u32> {
        let allowed = (0..).zip(self.allowed(query, key)).filter(|(_, allowed)| *allowed);
        let numbers = allowed.map(|(number, _)| number);
        numbers.filter(|number| self.address(*number).is_some_and(&mut *wanted)).collect()
    }

    /// The scores of all documents by number.
    fn scores(&self, query: &Query, key: &dyn TermKey) -> Vec<f32> {
        let mut scorer = Scorer::new(self, key);
        for word in &query.words {
            scorer.word(&word.term, word.weight);
            // A number among words seldom means an id that is a number.
            if query.words.len() == 1 || !is_number(&word.term) {
                scorer.term(&word.term, word.weight, Space::Id);
            }
        }
        for (first, second) in &query.pairs {
            if let (Some(first), Some(second)) = (query.words.get(*first), query.words.get(*second))
            {
                scorer.pair(&first.term, &second.term);
            }
        }
        if let Some(prefix) = &query.prefix {
            scorer.prefix(prefix);
        }
        scorer.scores
    }

    /// The first answers: higher scores first, then by address.
    pub fn top(&self, answers: &[Scored], count: usize) -> Vec<Scored> {
        first_by(answers, count, |a, b| {
            let by_address = || self.address(a.number).cmp(&self.address(b.number));
            b.score.total_cmp(&a.score).then_with(by_address)
        })
    }

    /// Which documents are there, at a level of the query, with all that they must have and nothing
    /// that they must not.
    fn allowed(&self, query: &Query, key: &dyn TermKey) -> Vec<bool> {
        let at_level = |level| query.levels.is_empty() || query.levels.contains(&level);
        let documents = self.documents().iter();
        let mut allowed: Vec<bool> =
            documents.map(|document| document.live && at_level(document.address.level)).collect();
        let mut narrow = |set: &[bool], keep: bool| {
            for (allowed, has) in allowed.iter_mut().zip(set) {
                *allowed &= *has == keep;
            }
        };
        query.phrases.iter().for_each(|phrase| narrow(&self.with_phrase(phrase, key), true));
        query.excluded.iter().for_each(|phrase| narrow(&self.with_phrase(phrase, key), false));
        query.paths.iter().for_each(|path| narrow(&self.with_any(&[key.token(path)]), true));
        allowed
    }

    /// Which documents have one of these tokens.
    fn with_any(&self, tokens: &[Token]) -> Vec<bool> {
        let mut set = vec![false; self.documents().len()];
        for list in tokens.iter().filter_map(|token| self.list(*token)) {
            list.each(|number, _| {
                if let Some(has) = set.get_mut(number as usize) {
                    *has = true;
                }
            });
        }
        set
    }

    /// Which documents have the words of a phrase in their order.
    fn with_phrase(&self, phrase: &Phrase, key: &dyn TermKey) -> Vec<bool> {
        if let [(_, term)] = phrase.terms.as_slice() {
            return self.with_any(&spaces(term, key));
        }
        let mut lists: Vec<_> = phrase
            .terms
            .iter()
            .map(|(distance, term)| {
                let list = self.list(key.token(term)).into_iter();
                let mut entries = list.flat_map(|list| list.entries());
                (*distance, entries.next(), entries)
            })
            .collect();
        let mut set = vec![false; self.documents().len()];
        // Every list goes on to the highest document that another one has come to.
        while let Some(target) = lists
            .iter()
            .map(|(_, entry, _)| entry.map(|(number, ..)| number))
            .try_fold(0, |highest, number| Some(number?.max(highest)))
        {
            let mut here: Vec<(u32, Positions<'_>)> = Vec::new();
            for (distance, entry, entries) in &mut lists {
                while entry.is_some_and(|(number, ..)| number < target) {
                    *entry = entries.next();
                }
                here.extend(
                    entry.filter(|entry| entry.0 == target).map(|entry| (*distance, entry.2)),
                );
            }
            if here.len() == lists.len() {
                if let Some(has) = set.get_mut(target as usize) {
                    *has = stand_together(&here);
                }
                lists.iter_mut().for_each(|(_, entry, entries)| *entry = entries.next());
            }
        }
        set
    }
}

/// Whether there is a place from which every word has its distance.
fn stand_together(words: &[(u32, Positions<'_>)]) -> bool {
    let mut starts: Option<Vec<u32>> = None;
    for (distance, positions) in words {
        let begins = unpack(positions).filter_map(|position| position.checked_sub(*distance));
        let begins: Vec<u32> = match &starts {
            None => begins.collect(),
            Some(starts) => begins.filter(|start| starts.binary_search(start).is_ok()).collect(),
        };
        starts = Some(begins);
    }
    starts.is_some_and(|starts| !starts.is_empty())
}

/// How near two words stand to each other: the sum of 1 / distance² over the places where one follows
/// the other with neither between them.
fn nearness(first: Positions<'_>, second: Positions<'_>) -> f32 {
    let (mut first, mut second) = (unpack(first).peekable(), unpack(second).peekable());
    let mut before: Option<(u32, bool)> = None;
    let mut sum = 0.0;
    loop {
        let second_is_next = match (first.peek(), second.peek()) {
            (None, None) => return sum,
            (Some(first), Some(second)) => second < first,
            (first, _) => first.is_none(),
        };
        let next = if second_is_next { second.next() } else { first.next() };
        let Some(position) = next else { return sum };
        if let Some((place, was_second)) = before
            && was_second != second_is_next
            && (1..=rank::NEAR).contains(&position.wrapping_sub(place))
        {
            let distance = position.wrapping_sub(place) as f32;
            sum += 1.0 / (distance * distance);
        }
        before = Some((position, second_is_next));
    }
}

fn is_number(term: &str) -> bool {
    term.bytes().all(|byte| byte.is_ascii_digit())
}

/// Where a word stands: in a text, in the name of a member, in the id. Each has tokens of its own, so
/// that a name which every document has says nothing against a rare word in a text.
#[derive(Clone, Copy)]
enum Space {
    Text,
    Name,
    Id,
}

impl Space {
    const ALL: [Space; 3] = [Space::Text, Space::Name, Space::Id];

    fn token(self, term: &str, key: &dyn TermKey) -> Token {
        match self {
            Space::Text => key.token(term),
            Space::Name | Space::Id => key.token(&self.term(term)),
        }
    }

    /// The term in this space.
    fn term(self, term: &str) -> String {
        let mark = match self {
            Space::Text => None,
            Space::Name => Some(KEY),
            Space::Id => Some(ID),
        };
        mark.into_iter().chain(term.chars()).collect()
    }

    fn weight(self) -> f32 {
        match self {
            Space::Text => 1.0,
            Space::Name => rank::KEY,
            Space::Id => rank::ID,
        }
    }
}

/// The tokens of a term in texts, in names and in ids.
pub fn spaces(term: &str, key: &dyn TermKey) -> [Token; 3] {
    Space::ALL.map(|space| space.token(term, key))
}

impl Query {
    /// The terms whose [frequencies](crate::index::Population::frequencies) scores are made with,
    /// but for those of a prefix: each word in texts, in names and in ids.
    pub fn terms(&self) -> Vec<String> {
        let words = self.words.iter();
        words.flat_map(|word| Space::ALL.map(|space| space.term(&word.term))).collect()
    }
}

/// The terms of the first words that begin like this, of those that `keep` keeps.
fn expand(index: &Index, prefix: &str, keep: &dyn Fn(&str) -> bool) -> Vec<String> {
    let words = index.surfaces.since(prefix).take_while(|word| word.starts_with(prefix));
    distinct(words.map(stem).filter(|term| keep(term)).take(PREFIX_WORDS).collect())
}

/// The scores of all documents while a query is being answered.
struct Scorer<'i> {
    index: &'i Index,
    key: &'i dyn TermKey,
    count: u32,
    /// What the length of each document adds to the weight at which half of the score is reached.
    norms: Vec<f32>,
    scores: Vec<f32>,
}

impl<'i> Scorer<'i> {
    fn new(index: &'i Index, key: &'i dyn TermKey) -> Scorer<'i> {
        let mean = index.mean_length();
        let norm = |length: u32| rank::K1 * (1.0 - rank::B + rank::B * length as f32 / mean);
        let norms = index.documents().iter().map(|document| norm(document.length)).collect();
        let scores = vec![0.0; index.documents().len()];
        Scorer { index, key, count: index.count(), norms, scores }
    }

    /// Adds the score of a word in texts and names.
    fn word(&mut self, term: &str, weight: f32) {
        self.term(term, weight, Space::Text);
        self.term(term, weight, Space::Name);
    }

    fn term(&mut self, term: &str, weight: f32, space: Space) {
        let index = self.index;
        let token = space.token(term, self.key);
        let factor = self.factor(index.frequency(token), weight, space);
        if let Some(list) = index.list(token) {
            list.each(|number, weight| self.add(number, weight.into(), factor, space));
        }
    }

    /// Adds what two words are worth near each other.
    fn pair(&mut self, first: &str, second: &str) {
        let [first, second] = [first, second].map(|term| self.key.token(term));
        let rarer = self.index.frequency(first).min(self.index.frequency(second));
        let factor = self.factor(rarer, rank::PAIR, Space::Text);
        let index = self.index;
        let [first, second] = [first, second].map(|token| index.list(token));
        let (Some(first), Some(second)) = (first, second) else { return };
        let mut others = first.entries().peekable();
        for (number, _, positions) in second.entries() {
            while others.next_if(|other| other.0 < number).is_some() {}
            if let Some((_, _, before)) = others.next_if(|other| other.0 == number) {
                let weight = nearness(before, positions);
                if weight > 0.0 {
                    self.add(number, weight, factor, Space::Text);
                }
            }
        }
    }

    /// Adds the score of the words that begin alike, as if they were one.
    fn prefix(&mut self, prefix: &str) {
        // The words of documents that are gone say nothing, not even by taking a place.
        let (index, key) = (self.index, self.key);
        let occurs =
            |term: &str| spaces(term, key).into_iter().any(|token| index.own_frequency(token) > 0);
        let terms = expand(index, prefix, &occurs);
        for space in Space::ALL {
            let mut weights = vec![0_u32; self.scores.len()];
            let tokens = terms.iter().map(|term| space.token(term, self.key));
            for list in tokens.filter_map(|token| self.index.list(token)) {
                list.each(|number, weight| {
                    if let Some(sum) = weights.get_mut(number as usize) {
                        *sum += u32::from(weight);
                    }
                });
            }
            let found = (0..).zip(weights).filter(|(_, weight)| *weight > 0);
            let found: Vec<(u32, u32)> =
                found.filter(|(number, _)| self.index.is_live(*number)).collect();
            let factor = self.factor(found.len() as u32, 1.0, space);
            found
                .into_iter()
                .for_each(|(number, weight)| self.add(number, weight as f32, factor, space));
        }
    }

    /// What the score of a term is multiplied with in every document.
    fn factor(&self, frequency: u32, weight: f32, space: Space) -> f32 {
        idf(self.count, frequency) * (rank::K1 + 1.0) * weight * space.weight()
    }

    #[inline]
    fn add(&mut self, number: u32, weight: f32, factor: f32, space: Space) {
        let at = number as usize;
        let norm = match space {
            Space::Text => self.norms.get(at).copied().unwrap_or(rank::K1),
            Space::Name | Space::Id => rank::K1,
        };
        if let Some(score) = self.scores.get_mut(at) {
            *score += factor * weight / (weight + norm);
        }
    }
}
