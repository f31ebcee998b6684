//! How well search finds what people judged relevant, beside other engines, and how fast.
//!
//! The collections are those of the shared data: documents, queries, judgements. Documents go in as
//! contexts `{"title", "text"}`, queries through the call that shells use.

use nacre_core::{
    address::Address,
    id::User,
    moment::Moment,
    retrieval::{Corpus, Document, Facts},
    search::{index::Index, query::Query, row::Row, token::Unkeyed},
};

use crate::{
    collection::{Collection, Measures},
    report::Report,
    turns::{Contestant, take_turns},
};

/// The figures of others, by the scoring script that came with the collections.
const PEERS: [(&str, [[f64; 4]; 2]); 4] = [
    ("FTS5 porter, OR", [[0.518, 0.412, 0.745, 0.807], [0.587, 0.541, 0.883, 0.560]]),
    ("MiniSearch 7.2", [[0.448, 0.345, 0.691, 0.724], [0.510, 0.459, 0.843, 0.495]]),
    ("Orama 3.1", [[0.228, 0.164, 0.510, 0.421], [0.253, 0.219, 0.656, 0.232]]),
    ("all-MiniLM-L6-v2, cosine", [[0.500, 0.422, 0.791, 0.771], [0.575, 0.515, 0.864, 0.542]]),
];

/// The collections, and the nDCG@10 that full text must reach.
const COLLECTIONS: [(&str, f64); 2] = [("cranfield", 0.528), ("gitbugs", 0.609)];

/// The answers that are ranked for a query.
const ANSWERS: usize = 1000;

/// The documents of the index that is timed.
const DOCUMENTS: usize = 10_000;

const ROUNDS: usize = 21;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "search",
        "Documents of test collections are stored as contexts, and their queries searched as they \
         were typed, full text only, with the configuration that ships. The figures of the others \
         are those that came with the collections.",
    );
    let mut read = Vec::new();
    for (at, (name, must)) in COLLECTIONS.into_iter().enumerate() {
        let Some(collection) = Collection::read(name) else { continue };
        let reached = evaluate(&collection);
        let mut rows = vec![["what", "nDCG@10", "MAP", "Recall@100", "MRR@10"].map(String::from)];
        let row = |name: &str, figures: Measures| {
            let [a, b, c, d] = figures.map(|figure| format!("{figure:.3}"));
            [name.to_owned(), a, b, c, d]
        };
        rows.push(row("nacre, full text", reached));
        rows.extend(PEERS.iter().map(|(peer, figures)| row(peer, figures[at])));
        report.table(name, &rows);
        report.mean_at_least(&format!("{name}, nDCG@10"), reached[0], must);
        read.push(collection);
    }
    if !read.is_empty() {
        speed(&mut report, &read);
    }
    report.crates(&["unicode-segmentation", "unicode-normalization"]);
    report.finish();
}

/// The mean measures of full text over a collection's queries.
fn evaluate(collection: &Collection) -> Measures {
    let mut index = Index::new();
    rows(collection).for_each(|row| index.upsert(&row, &Unkeyed));
    collection.evaluate(|query| {
        let answers = answers(&index, query, ANSWERS).into_iter();
        answers.map(|(address, score)| (name(&address), score)).collect()
    })
}

/// The place of the document in its collection: ids say nothing, for the ranker must not see them.
fn name(address: &Address) -> usize {
    address.id.as_str().trim_start_matches('d').parse().expect("a number")
}

fn rows(collection: &Collection) -> impl Iterator<Item = Row> {
    let documents = collection.documents.iter().enumerate();
    documents.map(|(number, document)| {
        let address = Address::parse("task", &format!("d{number}")).expect("an address");
        Row::of(&address, &document.data, &[])
    })
}

/// Times the queries of every collection on an index of 10,000 documents.
fn speed(report: &mut Report, collections: &[Collection]) {
    let known: Vec<Row> = collections.iter().flat_map(rows).collect();
    let many = known.iter().cycle().take(DOCUMENTS).enumerate().map(|(number, row)| {
        let address = Address::parse("task", &format!("d{number}")).expect("an address");
        Row { address, ..row.clone() }
    });
    let rows: Vec<Row> = many.collect();
    let mut index = Index::new();
    rows.iter().for_each(|row| index.upsert(row, &Unkeyed));
    let contestants = collections.iter().map(|collection| {
        let queries: Vec<&str> =
            collection.queries.iter().map(|query| query.text.as_str()).collect();
        let index = &index;
        Contestant::new(collection.name, queries.len(), move || {
            queries.iter().for_each(|query| drop(answers(index, query, 10)));
        })
    });
    let times = take_turns(contestants.collect(), ROUNDS);
    report.times("A query over 10,000 documents, the best ten", "a query", &times);
    let stored: Vec<Vec<u8>> = rows.into_iter().map(stored).collect();
    let load = Contestant::new("nacre", 1, || {
        let mut corpus = Corpus::default();
        stored.iter().for_each(|document| drop(corpus.upsert_encoded(document)));
        corpus
    });
    let times = take_turns(vec![load], ROUNDS);
    report.times("10,000 stored documents read into memory", "all of them", &times);
}

/// A document as a shell stores it.
fn stored(row: Row) -> Vec<u8> {
    let facts = Facts {
        parent: None,
        seq: 1,
        version: 1,
        updated_at: Moment(0),
        by: User::parse("alice").expect("a user"),
        has_notes: false,
    };
    Document { facts, row, meaning: None, embedding: None, dense: None }.encode()
}

fn answers(index: &Index, text: &str, count: usize) -> Vec<(Address, f32)> {
    let query = Query::parse(text);
    let scored = index.score(&query, &Unkeyed, &mut |_| true);
    let top = index.top(&scored, count).into_iter();
    top.map(|found| (index.address(found.number).expect("a document").clone(), found.score))
        .collect()
}
