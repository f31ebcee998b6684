//! Test collections of the shared data: documents, queries, and what people judged relevant.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
};

use nacre_core::value::{Object, Value};
use serde_json::Value as Tree;

use crate::report::shared;

/// nDCG@10, MAP, Recall@100 and MRR@10.
pub(crate) type Measures = [f64; 4];

/// A collection.
pub(crate) struct Collection {
    pub(crate) name: &'static str,
    pub(crate) documents: Vec<Document>,
    pub(crate) queries: Vec<Query>,
}

/// A document, as the data of a context.
pub(crate) struct Document {
    id: String,
    pub(crate) data: Object,
}

/// A query, and how its documents were judged.
pub(crate) struct Query {
    pub(crate) text: String,
    /// Grades above 0, by the document's id.
    relevant: BTreeMap<String, f64>,
    /// The document that the query was made of, which is no answer.
    removed: BTreeSet<String>,
}

impl Collection {
    /// Reads a collection; says so and gives nothing where the shared data is missing.
    pub(crate) fn read(name: &'static str) -> Option<Collection> {
        let folder = shared().join("data/ir").join(name);
        let Ok(packed) = std::fs::read(folder.join("corpus.jsonl.gz")) else {
            eprintln!("skipped: {} is not there, so nothing is measured on it", folder.display());
            return None;
        };
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("a gzip file");
        let documents = lines(&text).map(|line| {
            let mut data = Object::new();
            for name in ["title", "text"] {
                data.insert(name, Value::from(line[name].as_str().unwrap_or_default()));
            }
            Document { id: text_of(&line, "id"), data }
        });
        Some(Collection { name, documents: documents.collect(), queries: queries(&folder) })
    }

    /// The means over the queries that have a relevant document. `search` gives the places of
    /// documents, each with its score.
    pub(crate) fn evaluate(&self, search: impl Fn(&str) -> Vec<(usize, f32)>) -> Measures {
        let judged = self.queries.iter().filter(|query| !query.relevant.is_empty());
        let measured: Vec<Measures> = judged
            .map(|query| {
                let mut answers: Vec<(f32, &str)> = search(&query.text)
                    .into_iter()
                    .map(|(place, score)| (score, self.documents[place].id.as_str()))
                    .filter(|(_, id)| !query.removed.contains(*id))
                    .collect();
                // As trec_eval does: at equal score by falling id.
                answers.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| b.1.cmp(a.1)));
                query.measure(&answers)
            })
            .collect();
        let mean = |at: usize| measured.iter().map(|each| each[at]).sum::<f64>();
        std::array::from_fn(|at| mean(at) / measured.len() as f64)
    }
}

impl Query {
    fn measure(&self, answers: &[(f32, &str)]) -> Measures {
        let grades: Vec<f64> =
            answers.iter().map(|(_, id)| self.relevant.get(*id).copied().unwrap_or(0.0)).collect();
        let mut ideal: Vec<f64> = self.relevant.values().copied().collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        let mut hits = 0.0;
        let mut precision = 0.0;
        for (rank, grade) in (1..).zip(&grades) {
            if *grade > 0.0 {
                hits += 1.0;
                precision += hits / f64::from(rank);
            }
        }
        let all = self.relevant.len() as f64;
        let recall = grades.iter().take(100).filter(|grade| **grade > 0.0).count() as f64 / all;
        let first = grades.iter().take(10).position(|grade| *grade > 0.0);
        let reciprocal = first.map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
        [gain(&grades) / gain(&ideal), precision / all, recall, reciprocal]
    }
}

/// The discounted gain of the first ten.
fn gain(grades: &[f64]) -> f64 {
    let discount = |rank: u32| f64::from(rank + 2).log2();
    (0..10).zip(grades).map(|(rank, grade)| grade / discount(rank)).sum()
}

fn queries(folder: &Path) -> Vec<Query> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a text");
    let mut judged: BTreeMap<String, (BTreeMap<String, f64>, BTreeSet<String>)> = BTreeMap::new();
    for line in read("qrels.tsv").lines().filter(|line| !line.is_empty()) {
        let [query, document, grade] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let grade: f64 = grade.parse().expect("a grade");
        let (relevant, removed) = judged.entry(query.to_owned()).or_default();
        if grade > 0.0 {
            relevant.insert(document.to_owned(), grade);
        } else if grade < 0.0 {
            removed.insert(document.to_owned());
        }
    }
    let text = read("queries.jsonl");
    let queries = lines(&text).map(|line| {
        let (relevant, removed) = judged.remove(&text_of(&line, "id")).unwrap_or_default();
        Query { text: text_of(&line, "text"), relevant, removed }
    });
    queries.collect()
}

fn lines(text: &str) -> impl Iterator<Item = Tree> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).expect("JSON"))
}

fn text_of(line: &Tree, name: &str) -> String {
    line[name].as_str().expect("a text").to_owned()
}
