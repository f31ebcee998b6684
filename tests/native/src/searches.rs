//! What tests of searches share: questions, stores of tasks, and corpora of their documents.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    address::Address,
    error::{Error, Result},
    id::{ContextId, User},
    op::{Caller, Edit, Expect, Put},
    retrieval::{Corpus, Document, Found, Models, Question},
    store::{Filter, Reads},
    value::Object,
    wire::question::{Parameters, not_from_one_to},
};
use nacre_topics::world::World;

static VOCABULARY: &[u8] = include_bytes!("../../../models/vocab.txt");
static TABLE: &[u8] = include_bytes!("../../../models/static-s128i4.bin");
static EXPANSION: &[u8] = include_bytes!("../../../models/expand-top16.bin");
static SPARSE: &[u8] = include_bytes!("../../../models/splade-tiny-i4.bin");

/// A reader of the store of alice.
pub fn caller(user: &str) -> Caller {
    let [user, owner] = [user, "alice"].map(|user| User::parse(user).unwrap());
    Caller { user, owner, scopes: Scopes::READ }
}

/// Parameters as a query string has them.
#[derive(Default)]
pub struct Given(BTreeMap<&'static str, String>);

impl Given {
    /// The parameters with these values.
    pub fn of(given: &[(&'static str, &str)]) -> Given {
        Given(given.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }
}

impl Parameters for Given {
    fn address(&mut self) -> Result<Address> {
        panic!("a search is about no single context")
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        Ok(self.0.remove(name))
    }

    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>> {
        let number = self.0.remove(name).map(|text| text.parse().unwrap());
        if number.is_some_and(|number| number > most) {
            return Err(not_from_one_to(most));
        }
        Ok(number)
    }

    fn flag(&mut self, _: &'static str) -> Result<bool> {
        panic!("a search has no flags that are false by default")
    }

    fn context(&mut self, name: &'static str) -> Result<Option<Address>> {
        let text = self.0.remove(name);
        Ok(text.map(|text| {
            let (level, id) = text.split_once('/').unwrap();
            Address::parse(level, id).unwrap()
        }))
    }

    fn place(&self, name: &'static str, error: Error) -> Error {
        error.at(name)
    }
}

/// A question with these parameters.
pub fn question(given: &[(&'static str, &str)]) -> Question {
    Question::read(&mut Given::of(given)).unwrap()
}

/// The contexts that are there.
pub fn live(reads: &dyn Reads) -> Vec<Address> {
    let live = reads.list(&Filter::default(), None, usize::MAX).unwrap();
    live.into_iter().map(|heading| heading.address.clone()).collect()
}

/// The documents of a store, none of them encoded.
pub fn corpus_of(reads: &dyn Reads) -> Corpus {
    let mut corpus = Corpus::default();
    for address in live(reads) {
        corpus.upsert(Document::read(reads, &address).unwrap().unwrap());
    }
    corpus
}

/// What was found, in order, with its scores.
pub fn scores(found: &Found) -> Vec<(Address, f32)> {
    found.items.iter().map(|item| (item.address.clone(), item.score)).collect()
}

/// Writes a context with a text: `level/id`.
pub fn put(name: &str, parent: Option<&str>, text: &str) -> Edit {
    let (level, id) = name.split_once('/').unwrap();
    let mut data = Object::new();
    data.insert("text", text.into());
    Edit::Put(Put {
        address: Address::parse(level, id).unwrap(),
        parent: parent.map(|id| ContextId::parse(id).unwrap()),
        data,
        rules: None,
        summary: None,
        create_parents: true,
        expect: Expect::Anything,
    })
}

/// Words, some rare and some in many texts.
const WORDS: [&str; 24] = [
    "river", "stone", "cloud", "forest", "harbour", "engine", "window", "garden", "paper",
    "silver", "music", "winter", "bridge", "market", "lantern", "copper", "meadow", "signal",
    "thunder", "valley", "anchor", "mirror", "candle", "feather",
];

/// A store of tasks with made-up texts.
pub fn store_of_tasks(count: usize) -> World {
    let mut world = World::empty();
    for task in 0..count {
        let word = |at: usize| WORDS[(task * task / (at + 1) + at * 7) % (4 + (at * 5) % 21)];
        let text: Vec<&str> = (0..3 + task % 9).map(word).collect();
        world.run(put(&format!("task/t{task}"), Some("main"), &text.join(" "))).unwrap();
    }
    world
}

/// All models.
pub fn models() -> Models<'static> {
    Models::read(VOCABULARY, TABLE, EXPANSION).unwrap().with_sparse(SPARSE).unwrap()
}

/// A corpus whose documents are encoded.
pub fn encoded(world: &World, models: &Models<'_>) -> Corpus {
    let mut corpus = Corpus::default();
    for address in live(&world.store) {
        let record = world.store.record(&address).unwrap().unwrap();
        let mut document = Document::of(&record, &[]);
        document.meaning = Some(Document::meaning_of(models, &record, &[]).unwrap());
        let decoded = Document::decode(&document.encode());
        assert_eq!(decoded.as_ref(), Some(&document), "a document from its bytes");
        corpus.upsert(document);
    }
    corpus
}
