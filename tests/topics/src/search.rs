//! Search: terms of texts, queries taken apart, answers with their reasons, fused rankings.

use nacre_core::{
    address::Address,
    search::{
        fusion::{Ranking, fuse},
        index::Index,
        query::{Phrase, Query},
        row::Row,
        score::Scored,
        snippet::{Explanation, explain},
        text::{Kind, terms},
        token::Unkeyed,
    },
    value::Object,
};
use serde_json::json;

use crate::{Json, Topic, from_serde, list, text};

pub(crate) const TERMS: Topic = Topic::new("search/terms", &["text"], &["terms"], |case| {
    let mut found = Vec::new();
    terms(text(&case["text"]), 0, &mut |term| {
        let kind = match term.kind {
            Kind::Word => "word",
            Kind::Whole => "whole",
            Kind::Single => "single",
        };
        let place = [term.place.start, term.place.end];
        found.push(json!([term.text, term.surface, kind, term.position, place]));
    });
    vec![found.into()]
});

pub(crate) const QUERIES: Topic = Topic::new("search/queries", &["text"], &["query"], |case| {
    let query = Query::parse(text(&case["text"]));
    let phrase = |phrase: &Phrase| {
        let words = phrase.terms.iter().map(|(distance, term)| json!([distance, term]));
        words.collect::<Json>()
    };
    let words = query.words.iter().map(|word| json!([word.term, tenths(word.weight, 100.0)]));
    let term = |at: usize| query.words[at].term.clone();
    vec![json!({
        "words": words.collect::<Json>(),
        "pairs": query.pairs.iter().map(|pair| json!([term(pair.0), term(pair.1)])).collect::<Json>(),
        "phrases": query.phrases.iter().map(phrase).collect::<Json>(),
        "excluded": query.excluded.iter().map(phrase).collect::<Json>(),
        "levels": query.levels.iter().map(|level| level.as_str()).collect::<Json>(),
        "paths": query.paths.iter().map(|path| path.trim_start_matches('\u{3}')).collect::<Json>(),
        "prefix": query.prefix,
    })]
});

pub(crate) const ANSWERS: Topic =
    Topic::new("search/answers", &["contexts", "query"], &["answers"], |case| {
        let contexts: Vec<Context> = list(&case["contexts"]).iter().map(Context::read).collect();
        let query = Query::parse(text(&case["query"]));
        let mut index = Index::new();
        contexts.iter().for_each(|context| index.upsert(&context.row(), &Unkeyed));
        let answers = answers(&index, &query);
        check_other_ways(&index, &contexts, &query, &answers);
        let told = answers.into_iter().map(|(address, score)| {
            let context = contexts.iter().find(|context| context.address == address);
            let why = context.expect("a context of the case").explain(&query, &index);
            json!({
                "context": address.to_string(),
                "score": tenths(score, 1000.0),
                "pointer": why.pointer.as_str(),
                "snippet": marked(&why),
                "reasons": why.reasons.iter().map(|reason| json!([
                    reason.word, reason.field.as_str(), reason.pointer.as_str(), reason.count,
                ])).collect::<Json>(),
            })
        });
        vec![told.collect()]
    });

pub(crate) const FUSION: Topic = Topic::new("search/fusion", &["rankings"], &["fused"], |case| {
    let scored = |answer: &Json| Scored {
        number: u32::try_from(answer[0].as_u64().expect("a number")).expect("a document"),
        score: answer[1].as_f64().expect("a score") as f32,
    };
    let rankings = list(&case["rankings"]);
    let answers: Vec<Vec<Scored>> = rankings
        .iter()
        .map(|ranking| list(&ranking["answers"]).iter().map(scored).collect())
        .collect();
    let rankings: Vec<Ranking<'_>> = rankings
        .iter()
        .zip(&answers)
        .map(|(ranking, answers)| Ranking {
            answers,
            floor: ranking["floor"].as_f64().map(|floor| floor as f32),
            weight: ranking["weight"].as_f64().expect("a weight") as f32,
        })
        .collect();
    let fused = fuse(&rankings);
    vec![fused.iter().map(|each| json!([each.number, tenths(each.score, 1000.0)])).collect()]
});

/// A context of a case.
struct Context {
    address: Address,
    data: Object,
    notes: Vec<String>,
}

impl Context {
    fn read(of: &Json) -> Context {
        let (level, id) = text(&of["context"]).split_once('/').expect("level/id");
        Context {
            address: Address::parse(level, id).expect("an address"),
            data: from_serde(&of["data"]).as_object().expect("an object").clone(),
            notes: of["notes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|note| text(note).into())
                .collect(),
        }
    }

    /// The row, which its bytes give again.
    fn row(&self) -> Row {
        let row = Row::of(&self.address, &self.data, &self.notes);
        assert_eq!(Row::decode(&row.encode()).as_ref(), Some(&row), "a row from its bytes");
        row
    }

    fn explain(&self, query: &Query, index: &Index) -> Explanation {
        let rarity = |term: &str| index.rarity(term, &Unkeyed);
        explain(query, self.address.id.as_str(), &self.data, &self.notes, &rarity)
    }
}

fn answers(index: &Index, query: &Query) -> Vec<(Address, f32)> {
    let scored = index.score(query, &Unkeyed, &mut |_| true);
    let top = index.top(&scored, usize::MAX).into_iter();
    top.map(|found| (index.address(found.number).expect("a context").clone(), found.score))
        .collect()
}

/// The answers are the same when contexts come in another order, came in another state before, and
/// when the index has given up the place of removed documents.
fn check_other_ways(
    index: &Index,
    contexts: &[Context],
    query: &Query,
    expected: &[(Address, f32)],
) {
    let mut changed = Index::new();
    let other = from_serde(&json!({"title": "another state", "n": [1, 2]}));
    let other = other.as_object().expect("an object");
    for context in contexts.iter().rev() {
        changed.upsert(&Row::of(&context.address, other, &[]), &Unkeyed);
    }
    contexts.iter().rev().for_each(|context| changed.upsert(&context.row(), &Unkeyed));
    assert_eq!(answers(&changed, query), expected, "after changes");
    for index in [index, &changed] {
        let (compacted, _) = index.only(&|_| true);
        assert_eq!(answers(&compacted, query), expected, "without removed documents");
    }
}

fn tenths(number: f32, steps: f32) -> Json {
    (f64::from((number * steps).round()) / f64::from(steps)).into()
}

/// A snippet as one text, with its words in `«»`.
fn marked(why: &Explanation) -> String {
    let fragments = why.snippet.iter();
    fragments
        .map(|part| if part.found { format!("«{}»", part.text) } else { part.text.clone() })
        .collect()
}
