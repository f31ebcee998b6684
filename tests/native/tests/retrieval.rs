//! Laws of a search of a store: what a guest is told, what views show, what a part of the documents
//! answers, and what models find.

use nacre_core::{
    address::Address,
    id::{ContextId, User},
    json,
    level::Level,
    op::{Administration, Edit, Read, Resolve, Which},
    plan::{Reply, Shown},
    record::{EntryKind, Record, Role, Terms},
    retrieval::{Corpus, Document, Models, answer, search, wanted},
    search::{
        index::Index,
        query::Query,
        row::Row,
        token::{Token, Unkeyed},
    },
    store::Reads,
    value::{Object, Value},
};
use nacre_tests::{
    arbitrary,
    histories::{address, write},
    searches::{caller, corpus_of, encoded, live, models, put, question, scores, store_of_tasks},
};
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*, sample::Index as Place};
use std::collections::BTreeMap;

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
                let _ = world.run(Administration::PutMember { user, project, terms });
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
                    if !index.score(&query, &Unkeyed, &mut |_| true).is_empty() {
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
        let corpus = corpus_of(&world.store);
        let found =
            search(&world.store, &caller("alice"), &corpus, None, &question(&given)).unwrap();
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
    let compacted = corpus.compacted();
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
