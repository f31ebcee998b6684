//! What a database of keyed tokens is asked, so that a cold store need not read all of its documents.

use alloc::{format, string::String, vec::Vec};

use nacre_search::{
    index::Population,
    query::Phrase,
    token::{TermKey, Token},
};
use nacre_store::op::Caller;

use crate::question::{Mode, Question, Scope};

/// Below so many documents, reading all of them is as quick as asking a database.
const FEW: u32 = 1000;

/// The documents that a database gives: those of the page, and enough for its order by other weights.
const CANDIDATES: usize = 200;

/// What a database is asked: the documents that may answer, and how often terms occur.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// An FTS5 expression of keyed tokens. Nothing of what the user typed is in it.
    pub expression: String,
    /// Whether the expression also finds documents that do not answer: a phrase is more than its
    /// words. Then the answers may be behind the [`most`](Wanted::most) best ones.
    pub is_wider: bool,
    /// How many of the best documents to give.
    pub most: usize,
    /// The tokens in the order of `terms`: in how many documents each occurs is to be told.
    pub tokens: Vec<Token>,
    terms: Vec<String>,
}

impl Wanted {
    /// The statistics of all documents: their number, the sum of their lengths, and in how many of
    /// them each of [`tokens`](Wanted::tokens) occurs. A token that the database does not know occurs
    /// in none.
    pub fn population(
        &self,
        documents: u32,
        words: u64,
        frequency: &dyn Fn(Token) -> u32,
    ) -> Population {
        let terms = self.terms.iter().cloned().zip(&self.tokens);
        let frequencies = terms.map(|(term, token)| (term, frequency(*token))).collect();
        Population { documents, words, frequencies }
    }
}

/// What a database of keyed tokens is asked for a store with so many documents, which are not in
/// memory.
///
/// `None` where all documents have to be read: if they are few; for a guest, who is not told what
/// all documents say; for meanings, views, filters and prefixes, of which the database knows nothing;
/// and for further pages, which may lie beyond what it gives.
pub fn wanted(
    caller: &Caller,
    documents: u32,
    question: &Question,
    key: &dyn TermKey,
) -> Option<Wanted> {
    let Question { query, mode, scope, vector, after, .. } = question;
    let is_plain = *mode != Mode::Semantic
        && *scope == Scope::Stored
        && after.is_none()
        && vector.is_none()
        && query.prefix.is_none()
        && !query.words.is_empty()
        && !question.has_filters();
    if documents <= FEW || caller.user != caller.owner || !is_plain {
        return None;
    }
    let terms = query.terms();
    let tokens: Vec<Token> = terms.iter().map(|term| key.token(term)).collect();
    let mut parts = Vec::from([any(&tokens)]);
    parts.extend(query.phrases.iter().map(|phrase| all(phrase, key)));
    let mut expression = parts.join(" AND ");
    let excluded: Vec<Token> =
        query.excluded.iter().flat_map(|phrase| spaces(phrase, key)).collect();
    if !excluded.is_empty() {
        // One behind the other they would be nested too deeply for FTS5.
        expression = format!("({expression}) NOT {}", any(&excluded));
    }
    let is_wider = query.phrases.iter().chain(&query.excluded).any(|phrase| phrase.terms.len() > 1);
    Some(Wanted { expression, is_wider, most: CANDIDATES, tokens, terms })
}

/// Documents with any of these tokens.
fn any(tokens: &[Token]) -> String {
    let texts: Vec<String> = tokens.iter().map(|token| token.to_text()).collect();
    format!("({})", texts.join(" OR "))
}

/// Documents with all words of a phrase.
fn all(phrase: &Phrase, key: &dyn TermKey) -> String {
    match spaces(phrase, key).as_slice() {
        [] => {
            let tokens = phrase.terms.iter().map(|(_, term)| key.token(term).to_text());
            format!("({})", tokens.collect::<Vec<_>>().join(" AND "))
        }
        tokens => any(tokens),
    }
}

/// The tokens of a phrase of one word, which may also stand in a name or an id; none for a longer one.
fn spaces(phrase: &Phrase, key: &dyn TermKey) -> Vec<Token> {
    match phrase.terms.as_slice() {
        [(_, term)] => Vec::from(nacre_search::score::spaces(term, key)),
        _ => Vec::new(),
    }
}
