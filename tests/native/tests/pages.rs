//! Laws of the pages of a search: each item comes once, whatever is encoded or loaded between them.

use nacre_core::{
    address::Address,
    error::{Code, Result},
    json,
    moment::Moment,
    retrieval::{Corpus, Document, Found, Meaning, Models, Question, search},
    store::Reads,
    wire::Cursor,
};
use nacre_tests::searches::{
    Given, caller, corpus_of, encoded, live, models, question, scores, store_of_tasks,
};
use nacre_topics::world::World;

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
            corpus = corpus.compacted();
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
