//! How well search by meaning finds what people judged relevant, beside full text; how fast it is in
//! wasm; and that wasm gives the same bytes as this machine, with vector instructions and without.

use std::{fs, rc::Rc};

use nacre_core::{
    access::Scopes,
    address::Address,
    hash::Hash,
    id::{ContextId, User},
    layer::Layer,
    memory::MemoryStore,
    moment::Moment,
    op::Caller,
    record::{Heading, Record},
    retrieval::{self, Corpus, Question},
    search::semantic::{
        models::{File, Meaning, Models},
        terms::Terms,
        text::document_text,
    },
    store::Write,
    value::{Object, Value},
};

use crate::{
    child::Child,
    collection::{Collection, Document, Measures},
    report::{Report, root},
    turns::{Contestant, take_turns},
};

/// The collections, and the nDCG@10 to be reached with the table, and with both models.
const COLLECTIONS: [(&str, f64, f64); 2] = [("cranfield", 0.535, 0.548), ("gitbugs", 0.625, 0.627)];

/// By what the documents are encoded.
#[derive(Clone, Copy)]
enum Encoded {
    No,
    ByTable,
    ByBoth,
}

/// What is measured.
const MIXES: [(&str, Encoded); 3] = [
    ("full text", Encoded::No),
    ("text + table", Encoded::ByTable),
    ("text + table + sparse model", Encoded::ByBoth),
];

/// Where `cargo xtask bench` puts the modules: compiled for size, with vector instructions, as in the
/// npm package; for speed, with them and without.
const MODULES: [(&str, &str); 3] = [
    ("wasm, as in the npm package", "../../dist/bench/small/nacre_bench_wasm.js"),
    ("wasm", "../../dist/bench/semantic/nacre_bench_wasm.js"),
    ("wasm, no simd128", "../../dist/bench/wasm/nacre_bench_wasm.js"),
];

const ROUNDS: usize = 15;

/// Runs the benchmark.
pub(crate) fn run() {
    let mut report = Report::new(
        "semantic",
        "Documents of test collections are encoded by the models that ship, and their queries \
         searched as they were typed, by the public search call in its default mode.",
    );
    let files = File::ALL.map(|file| {
        fs::read(root().join("models").join(file.name())).expect("a file of the models")
    });
    let [vocabulary, table, expansion, sparse] = &files;
    let models = Models::read(vocabulary, table, expansion).and_then(|m| m.with_sparse(sparse));
    let models = models.expect("the models that ship");

    for (name, with_table, with_both) in COLLECTIONS {
        let Some(collection) = Collection::read(name) else { continue };
        let searched = Searched::new(&models, &collection);
        let mut rows = vec![["what", "nDCG@10", "MAP", "Recall@100", "MRR@10"].map(String::from)];
        let reached = MIXES.map(|(what, encoded)| {
            let measures = searched.evaluate(&collection, encoded);
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

/// The documents of a collection as a store, searched as anyone does.
struct Searched<'m> {
    models: &'m Models<'m>,
    store: MemoryStore<'static>,
    caller: Caller,
    documents: Vec<retrieval::Document>,
    meanings: Vec<Meaning>,
}

impl<'m> Searched<'m> {
    fn new(models: &'m Models<'m>, collection: &Collection) -> Searched<'m> {
        let user = User::parse("bench").expect("a user");
        let mut store = MemoryStore::new();
        let documents = (0..).zip(&collection.documents).map(|(number, document)| {
            let record = Rc::new(record(number, &user, &document.data));
            store.write(Write::Record(record.clone()));
            retrieval::Document::of(&record, &[])
        });
        let documents = documents.collect();
        let meanings = encode(models, &collection.documents);
        let caller = Caller { user: user.clone(), owner: user, scopes: Scopes::READ };
        Searched { models, store, caller, documents, meanings }
    }

    fn evaluate(&self, collection: &Collection, encoded: Encoded) -> Measures {
        let mut corpus = Corpus::default();
        for (document, meaning) in self.documents.iter().zip(&self.meanings) {
            let meaning = match encoded {
                Encoded::No => None,
                Encoded::ByTable => {
                    Some(Meaning { vector: meaning.vector.clone(), terms: Terms::default() })
                }
                Encoded::ByBoth => Some(meaning.clone()),
            };
            corpus.upsert(retrieval::Document { meaning, ..document.clone() });
        }
        collection.evaluate(|text| self.search(&corpus, text))
    }

    /// Searches in the default mode, for a page of the most items.
    fn search(&self, corpus: &Corpus, text: &str) -> Vec<(usize, f32)> {
        let mut body = Object::new();
        body.insert("q", text.into());
        body.insert("limit", 100_u64.into());
        let question = Question::of_body(Value::Object(body)).expect("a question");
        let models = Some(self.models);
        let found = retrieval::search(&self.store, &self.caller, corpus, models, &question);
        let items = found.expect("an answer").items.into_iter();
        items.map(|item| (number(&item.address), item.score)).collect()
    }
}

fn record(number: usize, user: &User, data: &Object) -> Record {
    let heading = Heading {
        address: Address::parse("task", &format!("d{number}")).expect("an address"),
        parent: Some(ContextId::parse("main").expect("an id")),
        version: 1,
        seq: number as u64 + 1,
        rules: Rc::default(),
        created_at: Moment(0),
        updated_at: Moment(0),
        updated_by: user.clone(),
        deleted: None,
    };
    let layer = Layer::from_value(&Value::Object(data.clone())).expect("a layer");
    Record { heading: Rc::new(heading), layer: Rc::new(layer) }
}

/// The number in the id of a document.
fn number(address: &Address) -> usize {
    address.id.as_str()[1..].parse().expect("a number")
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
    for (what, must) in [60.0, 6.0, 3.0].into_iter().enumerate() {
        let at = what * MODULES.len();
        report.milliseconds_at_most(&times[at].name, times[at].median() / 1e6, must);
    }
}
