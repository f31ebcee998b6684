//! Laws of a search of a store: what a guest is told, what views show, what a part of the documents
//! answers, and pages ranked by models.

use nacre_core::{
    access::Scopes,
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    json,
    level::Level,
    moment::Moment,
    op::{Administration, Caller, Edit, Expect, Put, Read, Resolve, Which},
    plan::{Reply, Shown},
    record::{EntryKind, Record, Role, Terms},
    retrieval::{Corpus, Document, Found, Meaning, Models, Question, answer, search, wanted},
    search::{
        index::Index,
        query::Query,
        row::Row,
        token::{Token, Unkeyed},
    },
    store::{Filter, Reads},
    value::{Object, Value},
    wire::{
        Cursor,
        question::{Parameters, not_from_one_to},
    },
};
use nacre_tests::{
    arbitrary,
    histories::{address, write},
};
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*, sample::Index as Place};
use std::collections::BTreeMap;

static VOCABULARY: &[u8] = include_bytes!("../../../models/vocab.txt");
static TABLE: &[u8] = include_bytes!("../../../models/static-s128i4.bin");
static EXPANSION: &[u8] = include_bytes!("../../../models/expand-top16.bin");
static SPARSE: &[u8] = include_bytes!("../../../models/splade-tiny-i4.bin");

fn caller(user: &str) -> Caller {
    let [user, owner] = [user, "alice"].map(|user| User::parse(user).unwrap());
    Caller { user, owner, scopes: Scopes::READ }
}

/// Parameters as a query string has them.
#[derive(Default)]
struct Given(BTreeMap<&'static str, String>);

impl Given {
    fn of(given: &[(&'static str, &str)]) -> Given {
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

fn question(given: &[(&'static str, &str)]) -> Question {
    Question::read(&mut Given::of(given)).unwrap()
}

fn live(reads: &dyn Reads) -> Vec<Address> {
    let live = reads.list(&Filter::default(), None, usize::MAX).unwrap();
    live.into_iter().map(|heading| heading.address.clone()).collect()
}

fn corpus_of(reads: &dyn Reads) -> Corpus {
    let mut corpus = Corpus::default();
    for address in live(reads) {
        corpus.upsert(Document::read(reads, &address).unwrap().unwrap());
    }
    corpus
}

/// Brings a corpus and the documents in it up to date, and touches no others.
fn follow(corpus: &mut Corpus, known: &mut BTreeMap<Address, Document>, reads: &dyn Reads) {
    let read = |address| Document::read(reads, &address).unwrap().unwrap();
    let now: BTreeMap<Address, Document> =
        live(reads).into_iter().map(|address| (address.clone(), read(address))).collect();
    known.keys().filter(|address| !now.contains_key(address)).for_each(|address| {
        corpus.remove(address);
    });
    for (address, document) in &now {
        if known.get(address) != Some(document) {
            corpus.upsert(document.clone());
        }
    }
    *known = now;
}

/// What was found, in order, with its scores.
fn scores(found: &Found) -> Vec<(Address, f32)> {
    found.items.iter().map(|item| (item.address.clone(), item.score)).collect()
}

/// Writes a context with a text: `level/id`.
fn put(name: &str, parent: Option<&str>, text: &str) -> Edit {
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

fn searches(scope: &'static str) -> Vec<Vec<(&'static str, &'static str)>> {
    let texts = ["a", "b 1", "c d", "2", "t1", "path:/a", "\"b\" -a", "xy zz", "p0 b1", "ab*"];
    texts.iter().map(|text| vec![("q", *text), ("scope", scope), ("limit", "100")]).collect()
}

/// A history in which bob becomes a guest of `p0`.
fn shared(writes: Vec<Edit>, since: usize, global: bool) -> Option<World> {
    let mut world = World::empty();
    let terms = Terms { global, ..Role::Reader.into() };
    let (user, project) = (User::parse("bob").unwrap(), ContextId::parse("p0").unwrap());
    let share = Administration::PutMember { user, project, terms };
    for (step, write) in writes.into_iter().enumerate() {
        if step >= since {
            let _ = world.run(share.clone());
        }
        let _ = world.run(write);
    }
    world.run(share).is_ok().then_some(world)
}

/// The documents of a guest, made of nothing but what other requests tell them.
fn corpus_by_reading(world: &mut World, user: &str) -> Corpus {
    let mut corpus = Corpus::default();
    for address in live(&world.store) {
        let get = Read::Get { address: address.clone(), which: Which::Current, reveal: false };
        let Ok(Reply::Context(context)) = world.run_as(user, "contexts:read", get) else {
            continue;
        };
        let Shown::Whole(record) = context.shown else { panic!("a context with its data") };
        let record: &Record = &record;
        let mut entries = Vec::new();
        for kind in [EntryKind::Insight, EntryKind::Progress] {
            let list = Read::Entries {
                address: address.clone(),
                kind,
                before: None,
                limit: 200,
                reveal: false,
            };
            match world.run_as(user, "contexts:read", list).unwrap() {
                Reply::Entries { items, .. } => entries.extend(items),
                other => panic!("{other:?}"),
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        let notes: Vec<String> = entries.into_iter().map(|entry| entry.content).collect();
        corpus.upsert(Document::of(record, &notes));
    }
    corpus
}

/// The contexts without one below them that a caller may read, each with its view.
fn lowest_views(world: &mut World, user: &str) -> BTreeMap<Address, Object> {
    let mut views = BTreeMap::new();
    for address in live(&world.store) {
        let read = Read::Resolve(Resolve {
            address: address.clone(),
            path: None,
            as_of: None,
            explain: false,
            reveal: false,
        });
        let Ok(Reply::View(view)) = world.run_as(user, "contexts:read", read) else { continue };
        let Ok(Value::Object(data)) = json::read(&view.view.text, 64) else { panic!("an object") };
        for above in &view.chain {
            views.remove(&above.address);
        }
        views.insert(address, data);
    }
    let uppers: Vec<Address> = views.keys().cloned().collect();
    for address in uppers {
        let record = world.store.record(&address).unwrap().unwrap();
        let mut above = record.above();
        while let Some(address) = above {
            views.remove(&address);
            let record = world.store.record(&address).unwrap();
            above = record.and_then(|record| record.above());
        }
    }
    views
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn a_guest_is_told_what_a_store_of_what_they_read_tells(
        writes in vec(write(), 1..60), since in any::<Place>()
    ) {
        let since = since.index(writes.len());
        let Some(mut world) = shared(writes, since, true) else { return Ok(()) };
        let own = corpus_by_reading(&mut world, "bob");
        let all = corpus_of(&world.store);
        for given in searches("stored") {
            let ask = |user, corpus: &Corpus| {
                search(&world.store, &caller(user), corpus, None, &question(&given)).unwrap()
            };
            let (guests, owners) = (ask("bob", &all), ask("alice", &own));
            prop_assert_eq!(scores(&guests), scores(&owners), "{}", given[0].1);
            prop_assert_eq!(guests.total_estimate, owners.total_estimate);
        }
    }

    #[test]
    fn guests_who_ask_again_are_told_what_is_there_now(
        writes in vec(write(), 1..40),
        later in vec((write(), any::<bool>()), 1..8),
        since in any::<Place>(),
    ) {
        let since = since.index(writes.len());
        let Some(mut world) = shared(writes, since, true) else { return Ok(()) };
        let (mut corpus, mut documents) = (Corpus::default(), BTreeMap::new());
        for (write, global) in later {
            follow(&mut corpus, &mut documents, &world.store);
            // A copy of it is never asked twice.
            let anew = corpus_of(&world.store);
            for user in ["bob", "carol", "bob"] {
                for given in searches("stored").iter().chain(&searches("resolved")) {
                    let ask = |corpus: &Corpus| {
                        search(&world.store, &caller(user), corpus, None, &question(given))
                    };
                    prop_assert_eq!(ask(&corpus), ask(&anew.clone()), "{} asks {}", user, given[0].1);
                }
            }
            let _ = world.run(write);
            let terms = Terms { global, ..Role::Reader.into() };
            for (user, project) in [("bob", "p0"), ("carol", "p1")] {
                let user = User::parse(user).unwrap();
                let project = ContextId::parse(project).unwrap();
                let _ = world.run(Administration::PutMember { user, project, terms: terms.clone() });
            }
        }
    }

    #[test]
    fn a_search_of_views_finds_those_that_show_it(
        writes in vec(write(), 1..60), since in any::<Place>(), global in any::<bool>()
    ) {
        let since = since.index(writes.len());
        let Some(mut world) = shared(writes, since, global) else { return Ok(()) };
        let corpus = corpus_of(&world.store);
        for user in ["alice", "bob"] {
            let views = lowest_views(&mut world, user);
            for given in searches("resolved") {
                let query = Query::parse(given[0].1);
                let mut shown: Vec<&Address> = Vec::new();
                for (address, view) in &views {
                    let mut index = Index::new();
                    index.upsert(&Row::of(address, view, &[]), &Unkeyed);
                    if !index.score(&query, &Unkeyed, &mut |_| true).unwrap().is_empty() {
                        shown.push(address);
                    }
                }
                let found = search(&world.store, &caller(user), &corpus, None, &question(&given));
                let found = found.unwrap();
                let mut order: Vec<_> =
                    found.items.iter().map(|item| (-item.score, &item.address)).collect();
                let is_sorted = order.is_sorted_by(|a, b| {
                    a.0.total_cmp(&b.0).then_with(|| a.1.cmp(b.1)).is_lt()
                });
                prop_assert!(is_sorted, "{:?}", order);
                order.sort_by_key(|(_, address)| *address);
                let found_addresses: Vec<&Address> =
                    order.into_iter().map(|(_, address)| address).collect();
                prop_assert_eq!(&found_addresses, &shown, "{} asks {}", user, given[0].1);
                prop_assert_eq!(found.total_estimate, shown.len() as u64);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_document_or_none(bytes in vec(any::<u8>(), 0..200), at in any::<Place>()) {
        let mut corpus = Corpus::default();
        prop_assert_eq!(corpus.upsert_encoded(&bytes).is_some(), Document::decode(&bytes).is_some());
        let mut world = World::empty();
        world.run(put("project/p", None, "some words")).unwrap();
        let p = address(Level::Project, "p");
        let document = Document::read(&world.store, &p).unwrap().unwrap();
        let mut encoded = document.encode();
        let at = at.index(encoded.len());
        prop_assert_eq!(Document::decode(&encoded[..at]), None);
        corpus.upsert(document);
        prop_assert_eq!(corpus.upsert_encoded(&encoded[..at]), None);

        encoded[at] ^= bytes.first().copied().unwrap_or(1);
        let read = corpus.upsert_encoded(&encoded);
        let decoded = Document::decode(&encoded).map(|document| document.row.address);
        prop_assert_eq!(&read, &decoded);
        if read == Some(p.clone()) {
            // It is as good as the decoded one.
            let mut other = Corpus::default();
            other.upsert(Document::decode(&encoded).unwrap());
            prop_assert_eq!(corpus.facts(&p), other.facts(&p));
            let question = question(&[("q", "some words")]);
            let ask = |corpus| search(&world.store, &caller("alice"), corpus, None, &question);
            prop_assert_eq!(ask(&corpus), ask(&other));
        }
    }
}

/// Words, some rare and some in many texts.
const WORDS: [&str; 24] = [
    "river", "stone", "cloud", "forest", "harbour", "engine", "window", "garden", "paper",
    "silver", "music", "winter", "bridge", "market", "lantern", "copper", "meadow", "signal",
    "thunder", "valley", "anchor", "mirror", "candle", "feather",
];

/// A store of tasks with made-up texts.
fn store_of_tasks(count: usize) -> World {
    let mut world = World::empty();
    for task in 0..count {
        let word = |at: usize| WORDS[(task * task / (at + 1) + at * 7) % (4 + (at * 5) % 21)];
        let text: Vec<&str> = (0..3 + task % 9).map(word).collect();
        world.run(put(&format!("task/t{task}"), Some("main"), &text.join(" "))).unwrap();
    }
    world
}

/// A key that hides the terms, as an HMAC does.
fn keyed(term: &str) -> Token {
    let Token(bits) =
        nacre_core::search::token::TermKey::token(&Unkeyed, &format!("secret {term}"));
    Token(bits)
}

#[test]
fn candidates_score_as_among_all_documents() {
    let world = store_of_tasks(120);
    let (store, all) = (&world.store, corpus_of(&world.store));
    let rows: Vec<Row> = live(store)
        .iter()
        .map(|address| Document::read(store, address).unwrap().unwrap().row)
        .collect();
    for text in ["river stone", "thunder", "\"river cloud\" engine", "lantern -river", "t7 valley"]
    {
        let question = question(&[("q", text), ("mode", "text")]);
        let wanted =
            wanted(&caller("alice"), 5000, &question, &keyed).expect("a database is asked");
        let occurs = |row: &Row, token: Token| row.tokens(&keyed).contains(&token);
        let population = wanted.population(
            rows.len() as u32,
            rows.iter().map(|row| u64::from(row.length)).sum(),
            &|token| rows.iter().filter(|row| occurs(row, token)).count() as u32,
        );
        let expected = search(store, &caller("alice"), &all, None, &question).unwrap();
        let mut some = Corpus::of_candidates(&population);
        for row in &rows {
            let may_answer = wanted.tokens.iter().any(|token| occurs(row, *token));
            if may_answer {
                some.upsert(Document::read(store, &row.address).unwrap().unwrap());
            }
        }
        assert!(some.len() < all.len() && !expected.items.is_empty(), "{text}");
        let found = search(store, &caller("alice"), &some, None, &question).unwrap();
        assert_eq!(found.items, expected.items, "{text}");
        assert_eq!(found.next_cursor.is_some(), expected.next_cursor.is_some(), "{text}");
    }
}

#[test]
fn a_database_is_asked_in_tokens_alone() {
    let ask = |user: &str, documents: u32, given: &[(&'static str, &str)]| {
        wanted(&caller(user), documents, &question(given), &keyed)
    };
    let text = "\"secret harbour\" -engine candle";
    let wanted = ask("alice", 5000, &[("q", text)]).unwrap();
    let word = |text: &str| text.len() == 14 && text.starts_with('t');
    let parts = wanted.expression.split(|c| " ()".contains(c)).filter(|part| !part.is_empty());
    for part in parts {
        assert!(["AND", "OR", "NOT"].contains(&part) || word(part), "{part}");
    }
    let token = |term: &str| keyed(term).to_text();
    let phrase = format!("({} AND {})", token("secret"), token("harbour"));
    assert!(wanted.expression.contains(&phrase), "{}", wanted.expression);
    assert!(wanted.expression.contains(&format!(") NOT ({} OR ", token("engin"))));

    assert_eq!(ask("bob", 5000, &[("q", text)]), None, "a guest");
    assert_eq!(ask("alice", 1000, &[("q", text)]), None, "few documents");
    for given in [
        [("q", "")],
        [("q", "path:/a")],
        [("q", "harbour level:task")],
        [("q", "harb*")],
        [("q", "...")],
    ] {
        assert_eq!(ask("alice", 5000, &given), None, "{given:?}");
    }
    for more in [
        ("mode", "semantic"),
        ("scope", "resolved"),
        ("levels", "task,branch"),
        ("under", "project/p"),
        ("since", "3"),
        ("by", "alice"),
        ("path", "/a"),
    ] {
        assert_eq!(ask("alice", 5000, &[("q", "harbour"), more]), None, "{more:?}");
    }
}

fn models() -> Models<'static> {
    Models::read(VOCABULARY, TABLE, EXPANSION).unwrap().with_sparse(SPARSE).unwrap()
}

/// A corpus whose documents are encoded.
fn encoded(world: &World, models: &Models<'_>) -> Corpus {
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

#[test]
fn meaning_finds_what_is_said_in_other_words() {
    let mut world = World::empty();
    let texts = [
        ("task/mail", "The electronic mail server rejects messages"),
        ("task/auth", "Users cannot sign in with their password"),
        ("task/car", "An automobile broke down on the motorway"),
        ("task/cake", "Bake the cake for forty minutes"),
    ];
    for (name, text) in texts {
        world.run(put(name, Some("main"), text)).unwrap();
    }
    let models = models();
    let corpus = encoded(&world, &models);
    let ask = |user: &str, models: Option<&Models<'_>>, given: &[(&'static str, &str)]| {
        search(&world.store, &caller(user), &corpus, models, &question(given))
    };
    for mode in ["semantic", "hybrid"] {
        let given = [("q", "vehicle failure on the highway"), ("mode", mode)];
        let found = ask("alice", Some(&models), &given).unwrap();
        assert_eq!(found.items[0].address.id.as_str(), "car", "{mode}");
        let near = found.items[0].reasons.as_ref().unwrap().near.unwrap();
        assert!((0.2..=1.0).contains(&near), "{mode}: {near}");
        let by: Vec<_> = found.ranking.names().collect();
        let rankers = ["words", "terms", "vectors"];
        assert_eq!(by, if mode == "hybrid" { &rankers[..] } else { &rankers[1..] });
        let body: serde_json::Value = serde_json::from_slice(&answer(&found).unwrap()).unwrap();
        assert!(body["items"][0]["reasons"]["near"].as_f64().unwrap() > 0.2);
    }
    let given = [("q", "vehicle failure on the highway"), ("mode", "text")];
    let words = ask("alice", Some(&models), &given).unwrap();
    assert_eq!(words.ranking.names().collect::<Vec<_>>(), ["words"]);
    // An exclusion leaves a document out, however near it is.
    let given = [("q", "vehicle failure -motorway"), ("mode", "semantic")];
    let found = ask("alice", Some(&models), &given).unwrap();
    assert!(found.items.iter().all(|item| item.address.id.as_str() != "car"));
    // Views are found by meaning, too.
    let given = [("q", "vehicle failure"), ("mode", "semantic"), ("scope", "resolved")];
    let found = ask("alice", Some(&models), &given).unwrap();
    assert_eq!(found.items[0].address.id.as_str(), "car");
}

/// All pages of a question, the items of each.
fn pages(
    reads: &dyn Reads,
    corpus: &Corpus,
    models: Option<&Models<'_>>,
    given: &[(&'static str, &str)],
) -> Vec<Vec<(Address, f32)>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut given = given.to_vec();
        given.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let found = search(reads, &caller("alice"), corpus, models, &question(&given)).unwrap();
        pages.push(scores(&found));
        match found.next_cursor {
            Some(next) => cursor = Some(next),
            None => return pages,
        }
    }
}

#[test]
fn pages_hold_every_item_once() {
    let world = store_of_tasks(150);
    let models = models();
    let corpus = encoded(&world, &models);
    for (mode, models) in [("text", None), ("semantic", Some(&models)), ("hybrid", Some(&models))] {
        for scope in ["stored", "resolved"] {
            let given = [("q", "river stone harbour"), ("mode", mode), ("scope", scope)];
            let all =
                pages(&world.store, &corpus, models, &[&given[..], &[("limit", "100")]].concat());
            let few =
                pages(&world.store, &corpus, models, &[&given[..], &[("limit", "7")]].concat());
            assert!(all.concat().len() > 20, "{mode} {scope}");
            assert_eq!(few.concat(), all.concat(), "{mode} {scope}");
            assert!(few.iter().rev().skip(1).all(|page| page.len() == 7), "{mode} {scope}");
        }
    }
}

#[test]
fn further_pages_are_ranked_as_the_first_one() {
    let world = store_of_tasks(40);
    let models = models();
    let corpus = encoded(&world, &models);
    let ask = |models: Option<&Models<'_>>, cursor: Option<&str>| {
        let mut given = vec![("q", "river stone"), ("limit", "5")];
        given.extend(cursor.map(|cursor| ("cursor", cursor)));
        search(&world.store, &caller("alice"), &corpus, models, &question(&given))
    };
    let by_words = ask(None, None).unwrap();
    let second = ask(Some(&models), by_words.next_cursor.as_deref()).unwrap();
    assert_eq!(second.ranking, by_words.ranking);
    assert_eq!(Ok(second), ask(None, by_words.next_cursor.as_deref()));

    // Terms that documents got after the first page do not count for the second one.
    let mut without_terms = Corpus::default();
    for address in live(&world.store) {
        let mut document = Document::read(&world.store, &address).unwrap().unwrap();
        let record = world.store.record(&address).unwrap().unwrap();
        let meaning = Document::meaning_of(&models, &record, &[]).unwrap();
        document.meaning = Some(Meaning { terms: Default::default(), ..meaning });
        without_terms.upsert(document);
    }
    let given = [("q", "river stone"), ("limit", "5")];
    let ask_of = |corpus: &Corpus, given: &[(&'static str, &str)]| {
        search(&world.store, &caller("alice"), corpus, Some(&models), &question(given)).unwrap()
    };
    let by_vectors = ask_of(&without_terms, &given);
    assert_eq!(by_vectors.ranking.names().collect::<Vec<_>>(), ["words", "vectors"]);
    let given = [&given[..], &[("cursor", by_vectors.next_cursor.as_deref().unwrap())]].concat();
    assert_eq!(ask_of(&corpus, &given), ask_of(&without_terms, &given));

    let by_all = ask(Some(&models), None).unwrap();
    let refused = ask(None, by_all.next_cursor.as_deref()).unwrap_err();
    assert_eq!(refused.code(), Code::SearchUnavailable);
}

/// What the models say of a context of a store without notes.
fn meaning_of(world: &World, models: &Models<'_>, address: &Address) -> Meaning {
    let record = world.store.record(address).unwrap().unwrap();
    Document::meaning_of(models, &record, &[]).unwrap()
}

/// The items of a page, and the cursor of the next one.
fn page(
    world: &World,
    corpus: &Corpus,
    models: Option<&Models<'_>>,
    given: &[(&'static str, &str)],
    cursor: Option<&str>,
) -> Result<Found> {
    let mut given = given.to_vec();
    given.extend(cursor.map(|cursor| ("cursor", cursor)));
    search(&world.store, &caller("alice"), corpus, models, &question(&given))
}

#[test]
fn pages_hold_every_item_once_while_documents_are_encoded() {
    let world = store_of_tasks(150);
    let models = models();
    let tasks = live(&world.store);
    for (mode, scope) in [("hybrid", "stored"), ("semantic", "stored"), ("hybrid", "resolved")] {
        let mut corpus = corpus_of(&world.store);
        let given =
            [("q", "river stone harbour"), ("mode", mode), ("scope", scope), ("limit", "7")];
        let mut waiting = tasks.iter();
        let mut encode = |corpus: &mut Corpus, count: usize| {
            for address in waiting.by_ref().take(count) {
                corpus.give_meaning(address, &meaning_of(&world, &models, address));
            }
        };
        encode(&mut corpus, 40);
        let at_first = pages(&world.store, &corpus, Some(&models), &given).concat();
        let (mut walked, mut cursor) = (Vec::new(), None);
        loop {
            let found = page(&world, &corpus, Some(&models), &given, cursor.as_deref()).unwrap();
            walked.extend(scores(&found));
            // A corpus that is made anew knows the order, too.
            corpus = corpus.compacted().unwrap();
            encode(&mut corpus, 8);
            cursor = found.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert!(walked.len() > 30, "{mode} {scope}: {}", walked.len());
        assert_eq!(walked, at_first, "{mode} {scope}");
        let later = pages(&world.store, &corpus, Some(&models), &given).concat();
        assert_ne!(later, at_first, "{mode} {scope}: encoding changes nothing");
    }
}

#[test]
fn pages_go_on_after_a_wake_up_unless_it_is_not_known_what_ranked_them() {
    let world = store_of_tasks(60);
    let models = models();
    let tasks = live(&world.store);
    let given = [("q", "river stone harbour"), ("limit", "5")];
    // As a store wakes up: documents come with their meanings, by address.
    let woken = |encoded: usize| {
        let mut corpus = Corpus::loading();
        for (place, address) in tasks.iter().rev().enumerate() {
            let mut document = Document::read(&world.store, address).unwrap().unwrap();
            let meaning = || meaning_of(&world, &models, address);
            document.meaning = (place < encoded).then(meaning);
            corpus.upsert_encoded(&document.encode()).unwrap();
        }
        corpus.set_whole(true);
        corpus
    };
    let mut corpus = woken(20);
    let first = page(&world, &corpus, Some(&models), &given, None).unwrap();
    let cursor = first.next_cursor.as_deref();
    let second = page(&world, &corpus, Some(&models), &given, cursor);
    assert_eq!(page(&world, &woken(20), Some(&models), &given, cursor), second);
    // What is encoded after it is known to be later.
    for address in tasks.iter().take(9) {
        corpus.give_meaning(address, &meaning_of(&world, &models, address));
    }
    assert_eq!(page(&world, &corpus, Some(&models), &given, cursor), second);
    // What was encoded before it is not.
    let refused = page(&world, &woken(29), Some(&models), &given, cursor).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidRequest);
    assert!(refused.detail().contains("start again without a cursor"), "{refused}");
    let body = serde_json::json!({"q": "river stone harbour", "limit": 5, "cursor": cursor});
    let asked = json::read(body.to_string().as_bytes(), 64).unwrap();
    let asked = Question::of_body(asked).unwrap();
    let refused = search(&world.store, &caller("alice"), &woken(29), Some(&models), &asked);
    assert_eq!(refused.unwrap_err().pointer(), Some("/cursor"));
}

#[test]
fn pages_hold_every_item_once_if_the_first_one_lacks_documents() {
    let world = store_of_tasks(150);
    let models = models();
    let all = encoded(&world, &models);
    for scope in ["stored", "resolved"] {
        for limit in ["7", "100"] {
            let given = [("q", "river stone harbour"), ("scope", scope), ("limit", limit)];
            let mut some = Corpus::loading();
            // The best documents are not among them.
            for address in live(&world.store).iter().rev().take(130) {
                some.upsert(Document::read(&world.store, address).unwrap().unwrap());
            }
            let first = page(&world, &some, Some(&models), &given, None).unwrap();
            assert_eq!(first.ranking.names().collect::<Vec<_>>(), ["words"]);
            let (mut walked, mut cursor) = (scores(&first), first.next_cursor);
            assert!(cursor.is_some(), "{scope} {limit}");
            while let Some(next) = cursor {
                let unready = page(&world, &some, Some(&models), &given, Some(&next));
                assert_eq!(unready.unwrap_err().code(), Code::SearchUnavailable);
                let found = page(&world, &all, Some(&models), &given, Some(&next)).unwrap();
                walked.extend(scores(&found));
                cursor = found.next_cursor;
            }
            let mut walked: Vec<_> = walked.into_iter().map(|(address, _)| address).collect();
            let count = walked.len();
            walked.sort();
            walked.dedup();
            assert_eq!(walked.len(), count, "{scope} {limit}: an item came twice");
            let by_words = pages(&world.store, &all, None, &given).concat();
            let mut expected: Vec<_> = by_words.into_iter().map(|(address, _)| address).collect();
            expected.sort();
            assert_eq!(walked, expected, "{scope} {limit}");
        }
    }
}

#[test]
fn a_cursor_whose_ranking_is_not_that_of_its_question_is_refused() {
    let world = store_of_tasks(40);
    let models = models();
    let corpus = encoded(&world, &models);
    for (mode, models, wrong) in [
        ("text", None, "0234567"),
        ("hybrid", Some(&models), "02346"),
        ("semantic", Some(&models), "02357"),
    ] {
        let given = [("q", "river stone"), ("mode", mode), ("limit", "5")];
        let cursor = page(&world, &corpus, models, &given, None).unwrap().next_cursor.unwrap();
        let text = Cursor::read_search(&cursor, |text| Some(text.to_owned())).unwrap();
        for digit in wrong.chars() {
            // Behind the id of the question.
            let forged = Cursor::search(&format!("{}{digit}{}", &text[..16], &text[17..]));
            let given = [&given[..], &[("cursor", forged.as_str())]].concat();
            let refused = Question::read(&mut Given::of(&given)).map(drop).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidRequest, "{mode} {digit}");
            assert_eq!(refused.pointer(), Some("cursor"), "{mode} {digit}");
        }
        let given = [&given[..], &[("cursor", cursor.as_str())]].concat();
        assert!(Question::read(&mut Given::of(&given)).is_ok(), "{mode}");
    }
}

#[test]
fn a_question_about_the_future_is_refused() {
    let now = Moment::parse("2026-06-01T00:00:00Z").unwrap();
    for (since, is_past) in
        [("7", true), ("8", false), ("2026-06-01T00:00:00Z", true), ("2026-06-01T00:00:01Z", false)]
    {
        let asked = question(&[("q", "a"), ("since", since)]);
        let refused = asked.refuse_the_future(7, now);
        assert_eq!(refused.is_ok(), is_past, "{since}");
        let Err(refused) = refused else { continue };
        assert_eq!(refused.code(), Code::InvalidRequest);
        for said in ["`since`", "the newest is 7"] {
            assert!(refused.detail().contains(said), "{refused}");
        }
        let since: serde_json::Value = since.parse::<u64>().map_or(since.into(), Into::into);
        let body = serde_json::json!({ "since": since }).to_string();
        let asked = Question::of_body(json::read(body.as_bytes(), 64).unwrap()).unwrap();
        assert_eq!(asked.refuse_the_future(7, now).unwrap_err().pointer(), Some("/since"));
    }
}

#[test]
fn where_no_word_was_found_the_snippet_says_what_a_context_is_about() {
    let shown = |data: &str| {
        let mut world = World::empty();
        let data = json::read(data.as_bytes(), 64).unwrap();
        let Value::Object(data) = data else { panic!("an object") };
        let mut edit = put("task/t", Some("main"), "");
        if let Edit::Put(put) = &mut edit {
            put.data = data;
        }
        world.run(edit).unwrap();
        let given = [("q", "level:task")];
        let found = page(&world, &corpus_of(&world.store), None, &given, None).unwrap();
        found.items[0].path.to_string()
    };
    for (data, path) in [
        (r#"{"a":7,"b":"v2.3","c":"The pool runs dry","title":"Fix the pool"}"#, "/title"),
        (r#"{"a":7,"b":"v2.3","c":"2024-01-15","d":"The pool runs dry"}"#, "/d"),
        (r#"{"a":"prod","b":{"note":"two words"},"c":"three more words"}"#, "/b/note"),
        (r#"{"a":7,"b":"v2.3","c":"接続がタイムアウトしました"}"#, "/c"),
        (r#"{"title":"","a":7,"b":"The pool runs dry"}"#, "/b"),
        (r#"{"a":7,"b":"v2.3"}"#, "/a"),
    ] {
        assert_eq!(shown(data), path, "{data}");
    }
}

#[test]
fn a_search_of_views_makes_only_so_many() {
    let mut world = World::empty();
    world.run(put("project/p", None, "needle")).unwrap();
    world.run(put("branch/main", Some("p"), "hay")).unwrap();
    for task in 0..2100 {
        let hides = put(&format!("task/t{task:04}"), Some("main"), "hay");
        world.run(hides).unwrap();
    }
    world.run(put("task/u", Some("main"), "hay")).unwrap();
    let corpus = corpus_of(&world.store);
    let given = [("q", "needle"), ("scope", "resolved")];
    let found = search(&world.store, &caller("alice"), &corpus, None, &question(&given)).unwrap();
    assert_eq!((found.items.len(), found.total_estimate, found.next_cursor), (0, 0, None));
}

#[test]
fn a_compacted_corpus_answers_alike() {
    let mut world = store_of_tasks(60);
    let models = models();
    let mut corpus = encoded(&world, &models);
    for task in (0..60).step_by(3) {
        world.run(put(&format!("task/t{task}"), Some("main"), "river changed")).unwrap();
    }
    for address in live(&world.store) {
        corpus.upsert(Document::read(&world.store, &address).unwrap().unwrap());
    }
    let fresh = encoded(&world, &models);
    for address in live(&world.store) {
        let mut document = Document::read(&world.store, &address).unwrap().unwrap();
        let record = world.store.record(&address).unwrap().unwrap();
        document.meaning = Some(Document::meaning_of(&models, &record, &[]).unwrap());
        corpus.upsert(document);
    }
    assert!(corpus.waste() > corpus.len());
    let compacted = corpus.compacted().unwrap();
    assert_eq!((compacted.waste(), compacted.len()), (0, corpus.len()));
    for text in ["river stone", "\"river changed\"", "har*", "engine -river"] {
        let ask = |corpus: &Corpus| {
            let question = question(&[("q", text), ("limit", "100")]);
            search(&world.store, &caller("alice"), corpus, Some(&models), &question).unwrap()
        };
        let found = ask(&fresh);
        assert!(!found.items.is_empty(), "{text}");
        assert_eq!((&ask(&corpus), &ask(&compacted)), (&found, &found), "{text}");
    }
}
