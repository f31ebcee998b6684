//! How well search by meaning finds what people judged relevant, beside full text; how fast it is in
//! wasm; and that wasm gives the same bytes as this machine, with vector instructions and without.

use std::fs;

use nacre_core::{
    address::Address,
    hash::Hash,
    search::{
        fusion::{Ranking, fuse},
        index::Index,
        query::Query,
        row::Row,
        semantic::{
            models::{File, Meaning, Models},
            ranker::{Matching, Nearest, Ranker as _},
            table::DIMENSIONS,
            term_index::TermIndex,
            terms::Terms,
            text::document_text,
            vectors::Vectors,
            weights::Weights,
        },
        token::Unkeyed,
    },
};

use crate::{
    child::Child,
    collection::{Collection, Document, Measures},
    report::{Report, root},
    turns::{Contestant, take_turns},
};

/// The collections, and the nDCG@10 to be reached with the table, and with both models.
const COLLECTIONS: [(&str, f64, f64); 2] = [("cranfield", 0.535, 0.548), ("gitbugs", 0.625, 0.627)];

/// What is measured, and how much each ranking counts.
const MIXES: [(&str, Weights); 3] = [
    ("full text", Weights::WORDS_ONLY),
    ("text + table", Weights::WITHOUT_TERMS),
    ("text + table + sparse model", Weights::BOTH_MODELS),
];

/// Where `cargo xtask bench` puts the modules: with vector instructions, and without.
const MODULES: [(&str, &str); 2] = [
    ("wasm", "../../dist/bench/semantic/nacre_bench_wasm.js"),
    ("wasm, no simd128", "../../dist/bench/wasm/nacre_bench_wasm.js"),
];

const ROUNDS: usize = 15;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "semantic",
        "Documents of test collections are encoded by the models that ship, and their queries \
         searched as they were typed. Scores are scaled to 0..1 for each query, and added.",
    );
    let files = File::ALL.map(|file| {
        fs::read(root().join("models").join(file.name())).expect("a file of the models")
    });
    let [vocabulary, table, expansion, sparse] = &files;
    let models = Models::read(vocabulary, table, expansion).and_then(|m| m.with_sparse(sparse));
    let models = models.expect("the models that ship");

    for (name, with_table, with_both) in COLLECTIONS {
        let Some(collection) = Collection::read(name) else { continue };
        let indexed = Indexed::new(&models, &collection);
        let mut rows = vec![["what", "nDCG@10", "MAP", "Recall@100", "MRR@10"].map(String::from)];
        let reached = MIXES.map(|(what, weights)| {
            let measures = indexed.evaluate(&models, &collection, weights);
            let [a, b, c, d] = measures.map(|figure| format!("{figure:.3}"));
            rows.push([what.to_owned(), a, b, c, d]);
            measures[0]
        });
        report.table(name, &rows);
        report.mean_at_least(&format!("{name}, text + table, nDCG@10"), reached[1], with_table);
        report.mean_at_least(&format!("{name}, both models, nDCG@10"), reached[2], with_both);
    }
    speed(&mut report, &models);
    report.crates(&["unicode-normalization", "libm"]);
    report.finish();
}

/// The documents of a collection, in all the ways in which they are searched.
struct Indexed {
    index: Index,
    vectors: Vectors,
    terms: TermIndex,
}

impl Indexed {
    fn new(models: &Models<'_>, collection: &Collection) -> Indexed {
        let mut indexed = Indexed {
            index: Index::new(),
            vectors: Vectors::new(DIMENSIONS),
            terms: TermIndex::new(),
        };
        for (number, (document, meaning)) in
            collection.documents.iter().zip(encode(models, &collection.documents)).enumerate()
        {
            let address = Address::parse("task", &format!("d{number}")).expect("an address");
            indexed.index.upsert(&Row::of(&address, &document.data, &[]), &Unkeyed);
            let number = indexed.index.number(&address).expect("a document");
            indexed.vectors.set(number, &meaning.vector).expect("the table's dimensions");
            indexed.terms.set(number, &meaning.terms);
        }
        indexed
    }

    fn evaluate(&self, models: &Models<'_>, collection: &Collection, weights: Weights) -> Measures {
        collection.evaluate(|text| {
            let words = self.index.score(&Query::parse(text), &Unkeyed, &mut |_| true);
            let words = words.expect("every part is there");
            let query = models.encode_query(text);
            let near = Nearest { documents: &self.vectors, query: &query.vector };
            let matching = Matching { documents: &self.terms, query: &query.terms };
            let (near_answers, matching_answers) = (near.answers(), matching.answers());
            let fused = fuse(&[
                Ranking { answers: &words, floor: Some(0.0), weight: weights.words },
                matching.ranking(&matching_answers, weights.terms),
                near.ranking(&near_answers, weights.vectors),
            ]);
            fused.into_iter().map(|found| (found.number as usize, found.score)).collect()
        })
    }
}

/// Encodes documents, in as many threads as there are processors.
fn encode(models: &Models<'_>, documents: &[Document]) -> Vec<Meaning> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let parts = documents.chunks(documents.len().div_ceil(threads).max(1));
        let parts: Vec<_> = parts
            .map(|part| {
                scope.spawn(|| {
                    let texts = part.iter().map(|document| document_text(&document.data, &[]));
                    texts.map(|text| models.encode_document(&text)).collect::<Vec<_>>()
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("encoded")).collect()
    })
}

/// Times the models in wasm, after their bytes were compared.
fn speed(report: &mut Report, models: &Models<'_>) {
    let text = "A worker runs out of memory when the log file is rotated while two threads write. ";
    let document = text.repeat(12);
    let query = "why does the worker run out of memory when logs are rotated";
    let children = MODULES.map(|(name, module)| {
        let node = Child::start("node", &["bench/peers/semantic.mjs", module]).expect("node runs");
        let given = serde_json::json!({"document": document, "query": query});
        assert_eq!(node.ask(&given.to_string()), "ready");
        let bytes = [models.encode_document(&document), models.encode_query(query)];
        let bytes: Vec<u8> = bytes.iter().flat_map(Meaning::to_bytes).collect();
        assert_eq!(node.ask("digest"), Hash::of(&bytes).to_string(), "{name}");
        (name, node)
    });
    let mut contestants = Vec::new();
    let whats = [
        ("a document of 200 word pieces", "document"),
        ("a query", "query"),
        ("10,000 documents scored", "score"),
    ];
    for (what, command) in whats {
        contestants.extend(children.iter().map(|(name, node)| {
            Contestant::timed(format!("{what}: {name}"), move || node.turn(command))
        }));
    }
    contestants.push(Contestant::new("a document of 200 word pieces: native", 1, || {
        std::hint::black_box::<Terms>(models.encode_document(&document).terms);
    }));
    let times = take_turns(contestants, ROUNDS);
    report.times("The models in Node", "", &times);
    for (at, must) in [(0, 60.0), (2, 6.0), (4, 3.0)] {
        report.milliseconds_at_most(&times[at].name, times[at].median() / 1e6, must);
    }
}
