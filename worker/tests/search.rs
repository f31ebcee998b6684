//! The index of searches: what a commit puts into the outbox, and what becomes of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code stops at the first surprise")]
#![allow(dead_code, reason = "the world is shared with tests of other matters")]

mod sqlite;

use nacre_core::{
    address::Address,
    error::Code,
    moment::Moment,
    op::{Edit, Expect, NewEntry},
    record::EntryKind,
    retrieval::{Document, GivenVector, Meaning},
    search::{
        row::Occurrences,
        semantic::{terms::Terms, vector::Vector},
    },
};
use nacre_worker::{
    search_tables::Entry,
    sql_store::{Delivery, Made, Progress, SqlStore},
};
use sqlite::world::{DAY, RETENTION, World, put, value};

fn task(name: &str) -> Address {
    Address::parse("task", name).unwrap()
}

fn put_task(name: &str, text: &str) -> Edit {
    put("task", name, Some("b"), value(&format!(r#"{{"note":"{text}"}}"#)))
}

fn note(address: &Address, text: &str) -> Edit {
    Edit::AddEntry(NewEntry {
        address: address.clone(),
        kind: EntryKind::Progress,
        content: text.into(),
        category: None,
        importance: None,
        agent: None,
    })
}

fn delete(address: &Address) -> Edit {
    let (cascade, summary, expect) = (false, None, Expect::Anything);
    Edit::Delete { address: address.clone(), cascade, summary, expect }
}

fn changes(world: &World) -> i64 {
    world.database.connection.query_row("SELECT total_changes()", [], |row| row.get(0)).unwrap()
}

fn count(world: &World, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    world.database.connection.query_row(&count, [], |row| row.get(0)).unwrap()
}

/// Does one part as the object's alarm does, with a shared database that answers so.
fn part(world: &mut World, delivers: bool, delivery: &Delivery) -> Vec<Entry> {
    let mut entropy = world.entropy();
    let state = world.sql.begin_search(&mut entropy).unwrap().unwrap();
    if state.must_clear() {
        world.sql.cleared(&state.key, &mut entropy).unwrap();
    }
    world.sql.queue_part(&mut entropy).unwrap();
    let part = world.sql.next_part(&state.key, delivers).unwrap();
    let now = Moment(world.now);
    world.sql.settle(&state.key, &part.settled, delivery, now, &mut entropy).unwrap();
    part.entries
}

fn done(mark: &str) -> Delivery {
    Delivery::Done(mark.into())
}

#[test]
fn indexing_writes_three_rows_for_each_changed_context() {
    let mut world = World::new();
    for n in 0..50 {
        world.run(&put_task(&format!("t{n}"), "one two three"), None).unwrap();
    }
    // 50 tasks, and the branch and the project above them.
    assert_eq!(world.sql.waiting(), Ok(52));
    part(&mut world, true, &done("m"));
    part(&mut world, true, &done("m"));
    assert_eq!(world.sql.waiting(), Ok(0));
    for n in 0..50 {
        world.run(&put_task(&format!("t{n}"), "four"), None).unwrap();
    }
    assert_eq!(world.sql.waiting(), Ok(50), "a row for each changed context");
    let before = changes(&world);
    part(&mut world, true, &done("m"));
    // The outbox had its row with the commit; now a document comes and that row goes. The state is
    // one row for all.
    assert_eq!(changes(&world) - before, 50 * 2 + 1);
    assert_eq!(world.sql.waiting(), Ok(0));
    assert_eq!(world.sql.drain_due(), Ok(None));
}

#[test]
fn a_commit_has_one_row_in_the_outbox_for_each_context() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    world.run(&note(&task("t"), "quagga"), None).unwrap();
    world.run(&put_task("t", "two"), None).unwrap();
    let due = world.sql.due(9, true).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((&due[0].address, due[0].seq, due[0].indexed), (&task("t"), 3, false));
    world.run(&put_task("t", "two"), None).unwrap();
    assert_eq!(world.sql.due(9, true).unwrap(), due, "nothing has changed");
    world.compare_documents().unwrap();
}

#[test]
fn only_the_first_commit_of_many_moves_the_alarm() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    // The history of a context gets its first old version, which is due some day.
    world.run(&put_task("t", "two"), None).unwrap();
    let first = world.database.alarm.get();
    assert_eq!(first, Some(Moment(world.now + 1000)));
    for n in 0..5 {
        world.now += 100;
        world.database.alarm.set(Some(Moment(7)));
        world.run(&put_task("t", &format!("{n}")), None).unwrap();
        assert_eq!(world.database.alarm.get(), Some(Moment(7)), "it was set again");
    }
    world.database.alarm.set(first);
    world.alarms();
    assert_eq!(world.sql.waiting(), Ok(0));
    world.run(&put_task("t", "last"), None).unwrap();
    assert_eq!(world.database.alarm.get(), Some(Moment(world.now + 1000)));
}

#[test]
fn what_moves_the_alarm_after_a_wake_up_leaves_the_drain_in_it() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    world.sleep();
    world.open().unwrap();
    // As for a socket that is opened.
    world.sql.arm(Some(Moment(world.now + DAY))).unwrap();
    assert!(world.database.alarm.get().unwrap().0 <= world.now + 1000);
    // As for a rotation, whose alarm also does upkeep.
    world.sleep();
    world.open().unwrap();
    let mut entropy = world.entropy();
    world.sql.upkeep(Moment(world.now), &world.masters, &mut entropy).unwrap();
    assert!(world.database.alarm.get().unwrap().0 <= world.now + 1000);
    world.compare_documents().unwrap();
}

#[test]
fn a_failing_database_keeps_its_rows_and_their_documents_are_written_once() {
    let mut world = World::new();
    for n in 0..3 {
        world.run(&put_task(&format!("t{n}"), "one"), None).unwrap();
    }
    let again = Moment(world.now + 60_000);
    part(&mut world, true, &Delivery::Failed(again));
    assert_eq!((world.sql.waiting(), count(&world, "search")), (Ok(5), 5));
    assert_eq!(world.sql.drain_due(), Ok(Some(again)));
    // A change meanwhile is indexed at once, and does not wait for the database.
    world.run(&put_task("t1", "two"), None).unwrap();
    assert!(world.sql.drain_due().unwrap().unwrap() < again);
    let before = changes(&world);
    assert_eq!(part(&mut world, false, &Delivery::Failed(again)).len(), 1);
    assert_eq!(changes(&world) - before, 2, "its document, and that it is there");
    assert!(part(&mut world, false, &Delivery::Failed(again)).is_empty());
    // Then it is back.
    let entries = part(&mut world, true, &done("m"));
    assert_eq!(entries.len(), 5);
    assert_eq!((world.sql.waiting(), world.sql.drain_due()), (Ok(0), Ok(None)));
    world.compare_documents().unwrap();
}

#[test]
fn a_change_during_a_delivery_stays_due() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    let mut entropy = world.entropy();
    let state = world.sql.begin_search(&mut entropy).unwrap().unwrap();
    let part = world.sql.next_part(&state.key, true).unwrap();
    world.run(&delete(&task("t")), None).unwrap();
    let now = Moment(world.now);
    world.sql.settle(&state.key, &part.settled, &done("m"), now, &mut entropy).unwrap();
    assert_eq!(world.sql.waiting(), Ok(1));
    assert_eq!(world.sql.documents_of(&[task("t")]).unwrap(), []);
    world.compare_documents().unwrap();
}

#[test]
fn a_part_of_an_erased_store_is_not_written_into_the_next_one() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    let mut entropy = world.entropy();
    let state = world.sql.begin_search(&mut entropy).unwrap().unwrap();
    let part = world.sql.next_part(&state.key, true).unwrap();
    assert!(world.sql.drop_all_but_name(Moment(world.now)).unwrap());
    world.sql.forget().unwrap();
    let owed = vec![state.key.owner()];
    assert_eq!(world.sql.owed(), Ok(owed.clone()));
    assert_eq!(world.database.alarm.get(), Some(Moment(world.now)));
    let now = Moment(world.now);
    world.sql.settle(&state.key, &part.settled, &done("m"), now, &mut entropy).unwrap();
    world.sleep();
    world.twin = nacre_core::memory::MemoryStore::new();
    assert_eq!(world.sql.drain_due(), Ok(Some(Moment(1))), "the name is owed");
    world.run(&put_task("u", "two"), None).unwrap();
    world.sql.settle(&state.key, &part.settled, &done("m"), now, &mut entropy).unwrap();
    let next = world.sql.begin_search(&mut entropy).unwrap().unwrap();
    assert_ne!(next.key.owner(), state.key.owner());
    world.sql.settle(&state.key, &part.settled, &done("m"), now, &mut entropy).unwrap();
    assert_eq!(world.sql.documents(None, 9).unwrap(), []);
    assert_eq!(world.sql.owed(), Ok(owed.clone()));
    world.sql.paid(&owed[0]).unwrap();
    assert_eq!(world.sql.owed(), Ok(Vec::new()));
    world.compare_documents().unwrap();
}

#[test]
fn a_meaning_of_an_erased_store_is_not_written_into_the_next_one() {
    let mut world = World::new();
    world.sql = SqlStore::new(world.database.clone(), RETENTION).with_models(true);
    let mut entropy = world.entropy();
    world.run(&put_task("t", "one"), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    let unencoded = world.sql.unencoded().unwrap().unwrap();
    assert!(unencoded.contexts.contains(&task("t")));
    world.sql.drop_all_but_name(Moment(world.now)).unwrap();
    world.sql.forget().unwrap();
    world.twin = nacre_core::memory::MemoryStore::new();
    world.run(&put_task("t", "two"), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    let vector = Vector::new(&[1.0; 128]).unwrap();
    let old = vec![(task("t"), Meaning { vector, terms: Terms::default() })];
    let encoded = world.sql.encoded(&unencoded, old, Moment(world.now), &mut entropy).unwrap();
    assert_eq!(encoded, []);
    let (_, plain) = world.sql.documents_of(&[task("t")]).unwrap().pop().unwrap();
    assert_eq!(Document::decode(&plain).unwrap().meaning, None);
}

#[test]
fn what_has_no_document_of_its_last_change_is_told_apart() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    world.run(&put_task("u", "two"), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    let both = [task("t"), task("u")];
    assert_eq!(world.sql.settled_documents_of(&both).unwrap().len(), 2);
    assert_eq!(world.sql.without_document().unwrap(), []);
    world.run(&put_task("u", "three"), None).unwrap();
    let settled = world.sql.settled_documents_of(&both).unwrap();
    assert_eq!(settled.iter().map(|(address, _)| address).collect::<Vec<_>>(), [&task("t")]);
    // Its own document is written, and only the shared database lacks it.
    let again = Moment(world.now + 1000);
    part(&mut world, true, &Delivery::Failed(again));
    assert_eq!(world.sql.settled_documents_of(&both).unwrap().len(), 2);
    // While an index is made, some may never have had one.
    world.database.connection.execute("DELETE FROM search WHERE id = 't'", []).unwrap();
    let mut entropy = world.entropy();
    world.sql.reindex(Moment(world.now), &mut entropy).unwrap();
    assert_eq!(world.sql.without_document().unwrap(), [task("t")]);
}

#[test]
fn a_context_of_the_largest_size_is_indexed() {
    let mut world = World::new();
    let letters = |n: usize| -> String {
        (0..4u32).map(|at| char::from(b'a' + (n / 26usize.pow(at) % 26) as u8)).collect()
    };
    let text: Vec<String> = (0..200_000).map(letters).collect();
    world.run(&put_task("t", &text.join(" ")), None).unwrap();
    let values: Vec<String> = (0..99_000).map(|n| format!("\"{}\"", letters(n))).collect();
    let data = value(&format!("{{\"list\":[{}]}}", values.join(",")));
    world.run(&put("task", "u", Some("b"), data), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    part(&mut world, true, &Delivery::Unneeded);
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(world.sql.documents_of(&[task("t"), task("u")]).unwrap().len(), 2);
}

#[test]
fn a_context_that_is_too_large_for_a_row_is_indexed_by_its_first_words() {
    let mut world = World::new();
    world.run(&put_task("t", "one"), None).unwrap();
    let mut entropy = world.entropy();
    let state = world.sql.begin_search(&mut entropy).unwrap().unwrap();
    let mut part = world.sql.next_part(&state.key, true).unwrap();
    // Words that no compression makes small enough.
    let hash = |n: u32| n.wrapping_mul(2_654_435_761).rotate_left(13) ^ n.wrapping_mul(40_503);
    let word = |n: u32| format!("w{:08x}{:08x}", hash(n), hash(n + 1_000_000));
    for (due, made) in &mut part.settled {
        if let Made::Document(document) = made
            && due.address == task("t")
        {
            document.row.length = 300_000;
            for n in 0..300_000 {
                let positions = vec![n];
                let occurrences = Occurrences { weight: 1, positions, surfaces: Vec::new() };
                document.row.terms.insert(word(n), occurrences);
            }
        }
    }
    let now = Moment(world.now);
    world.sql.settle(&state.key, &part.settled, &Delivery::Unneeded, now, &mut entropy).unwrap();
    let (_, plain) = world.sql.documents_of(&[task("t")]).unwrap().pop().unwrap();
    let Document { row, .. } = Document::decode(&plain).unwrap();
    assert_eq!(row.length, 300_000);
    assert!(row.terms.contains_key(&word(0)) && row.terms.contains_key(&word(20_000)));
    assert!(!row.terms.contains_key(&word(299_999)));
    assert_eq!(world.sql.search().unwrap().unwrap().words, 300_000);
    assert_eq!(world.sql.waiting(), Ok(0));
}

#[test]
fn a_reindex_keeps_the_meanings_of_what_has_not_changed() {
    let mut world = World::new();
    world.sql = SqlStore::new(world.database.clone(), RETENTION).with_models(true);
    for name in ["t", "u", "v"] {
        world.run(&put_task(name, "one"), None).unwrap();
    }
    let mut entropy = world.entropy();
    part(&mut world, true, &Delivery::Unneeded);
    while let Some(unencoded) = world.sql.unencoded().unwrap() {
        let meaning =
            Meaning { vector: Vector::new(&[1.0; 128]).unwrap(), terms: Terms::default() };
        let encoded = unencoded.contexts.iter().cloned().map(|address| (address, meaning.clone()));
        let (encoded, now) = (encoded.collect(), Moment(world.now));
        world.sql.encoded(&unencoded, encoded, now, &mut entropy).unwrap();
    }
    let has_meaning = |world: &World, name: &str| {
        let (_, plain) = world.sql.documents_of(&[task(name)]).unwrap().pop().unwrap();
        Document::decode(&plain).unwrap().meaning.is_some()
    };
    assert!(["t", "u", "v"].iter().all(|name| has_meaning(&world, name)));
    world.sql.reindex(Moment(world.now), &mut entropy).unwrap();
    world.run(&put_task("u", "two"), None).unwrap();
    world.run(&note(&task("v"), "quagga"), None).unwrap();
    while world.sql.is_behind().unwrap() {
        part(&mut world, true, &Delivery::Unneeded);
    }
    assert!(!world.sql.search().unwrap().unwrap().is_reindexing());
    assert!(has_meaning(&world, "t"), "its text is the same");
    assert!(!has_meaning(&world, "u") && !has_meaning(&world, "v"), "their texts are others");
}

#[test]
fn a_drain_that_is_killed_anywhere_ends_with_every_document() {
    for fuse in 0..60 {
        let mut world = World::new();
        world.run(&put_task("t", "one"), None).unwrap();
        world.run(&put_task("u", "two"), None).unwrap();
        world.run(&delete(&task("u")), None).unwrap();
        world.database.fuse.set(Some(fuse));
        let survived = world.alarm().is_ok();
        world.database.fuse.set(None);
        world.sleep();
        world.compare_documents().unwrap();
        if survived {
            assert!(fuse > 10, "no call failed");
            return;
        }
    }
    panic!("it never came to an end");
}

#[test]
fn other_tables_get_all_documents_again() {
    let mut world = World::new();
    for n in 0..5 {
        world.run(&put_task(&format!("t{n}"), "one"), None).unwrap();
    }
    part(&mut world, true, &done("first"));
    world.run(&put_task("t1", "two"), None).unwrap();
    part(&mut world, true, &done("second"));
    assert_eq!(part(&mut world, true, &done("second")).len(), 7);
    assert!(part(&mut world, true, &done("second")).is_empty());
    assert_eq!(world.sql.drain_due(), Ok(None));
}

#[test]
fn a_reindex_goes_on_after_a_wake_up_and_says_how_far_it_is() {
    let mut world = World::new();
    for n in 0..600 {
        world.run(&put_task(&format!("t{n}"), "one"), None).unwrap();
    }
    world.run(&delete(&task("t7")), None).unwrap();
    world.compare_documents().unwrap();
    // Damage that a reindex mends.
    world.database.connection.execute("DELETE FROM search WHERE id = 't9'", []).unwrap();
    let mut entropy = world.entropy();
    let begun = world.sql.reindex(Moment(world.now), &mut entropy).unwrap().unwrap();
    assert_eq!(begun, Progress { documents: 601, done: 0, of: 602 });
    let mut last = 0;
    for _ in 0..40 {
        world.sleep();
        world.open().unwrap();
        let progress = world.sql.progress().unwrap().unwrap();
        assert!(progress.done >= last && progress.done <= progress.of, "{progress:?}");
        last = progress.done;
        if world.sql.drain_due().unwrap().is_none() {
            break;
        }
        let is_done = progress.done == progress.of;
        assert!(world.sql.is_behind().unwrap() || is_done, "it stops to encode: {progress:?}");
        world.alarm().unwrap();
    }
    assert_eq!(world.sql.waiting(), Ok(0));
    assert_eq!(world.sql.documents_of(&[task("t9")]).unwrap().len(), 1);
}

#[test]
fn parts_of_encoding_that_end_early_leave_no_document_out() {
    let mut world = World::new();
    for n in 0..40 {
        world.run(&put_task(&format!("t{n:02}"), "one"), None).unwrap();
    }
    world.sql = SqlStore::new(world.database.clone(), RETENTION).with_models(true);
    world.open().unwrap();
    part(&mut world, true, &done("m"));
    let mut seen = Vec::new();
    for early in [3, 0, 16, 1].into_iter().cycle() {
        let Some(mut part) = world.sql.unencoded().unwrap() else { break };
        part.end_after(early);
        seen.extend(part.contexts.clone());
        let mut entropy = world.entropy();
        world.sql.encoded(&part, Vec::new(), Moment(world.now), &mut entropy).unwrap();
    }
    // 40 tasks, and the branch and the project above them.
    assert_eq!(seen.len(), 42);
    assert!(seen.is_sorted(), "each comes once");
}

#[test]
fn a_purged_context_takes_its_document_with_it() {
    let mut world = World::new();
    world.run(&put_task("t", "one two"), None).unwrap();
    world.run(&put_task("u", "three"), None).unwrap();
    world.compare_documents().unwrap();
    world.run(&delete(&task("t")), None).unwrap();
    // The drain never came.
    world.database.connection.execute("DELETE FROM outbox", []).unwrap();
    world.sleep();
    world.open().unwrap();
    assert_eq!(world.sql.documents_of(&[task("t")]).unwrap().len(), 1);
    world.now += 91 * DAY;
    world.alarms();
    assert_eq!(world.sql.documents_of(&[task("t")]).unwrap(), []);
    let state = world.sql.search().unwrap().unwrap();
    assert_eq!((state.documents, state.words), (3, 1));
}

#[test]
fn a_document_opens_in_its_own_row_alone() {
    for damage in [
        "UPDATE search SET words = words + 1 WHERE id = 't'",
        "UPDATE search SET value = (SELECT value FROM search WHERE id = 'u') WHERE id = 't'",
        "UPDATE search SET value = x'00' WHERE id = 't'",
    ] {
        let mut world = World::new();
        world.run(&put_task("t", "one two"), None).unwrap();
        world.run(&put_task("u", "three"), None).unwrap();
        world.compare_documents().unwrap();
        world.database.connection.execute(damage, []).unwrap();
        assert!(world.sql.documents_of(&[task("t")]).is_err(), "{damage}");
        assert_eq!(world.sql.documents_of(&[task("u")]).unwrap().len(), 1);
    }
}

fn given(body: &str) -> GivenVector {
    GivenVector::of_body(value(body)).unwrap()
}

/// Gives a context a vector; the code of a refusal.
fn give(world: &mut World, address: &Address, body: &str, delivers: bool) -> Result<(), Code> {
    let (now, mut entropy) = (Moment(world.now), world.entropy());
    let given = given(body);
    let outcome = world.sql.give_vector(address, &given, delivers, now, &mut entropy);
    outcome.map_err(|error| error.code())
}

fn embedding(world: &World, address: &Address) -> Option<Vector> {
    let (_, plain) = world.sql.documents_of(std::slice::from_ref(address)).unwrap().pop()?;
    Document::decode(&plain).unwrap().embedding
}

#[test]
fn a_context_keeps_its_vector_until_it_changes() {
    let (mut world, t) = (World::new(), task("t"));
    let vector = Some(Vector::new(&[1.0, 0.5]).unwrap());
    assert_eq!(give(&mut world, &t, r#"{"vector":[1,0.5]}"#, false), Err(Code::NotFound));
    world.run(&put_task("t", "one"), None).unwrap();

    // Its last change waits: it gets its document at once.
    assert_eq!(give(&mut world, &t, r#"{"vector":[1,0.5],"version":1}"#, false), Ok(()));
    assert_eq!(embedding(&world, &t), vector);
    let documents = world.sql.search().unwrap().unwrap().documents;
    assert_eq!(documents, 1, "it is counted");
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(world.sql.waiting(), Ok(0));
    assert_eq!(embedding(&world, &t), vector);

    // A note makes the document anew, and the context is as it was.
    world.run(&note(&t, "noted"), None).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(embedding(&world, &t), vector);

    // So does a reindex; and a vector may be taken away while the context waits.
    let (now, mut entropy) = (Moment(world.now), world.entropy());
    world.sql.reindex(now, &mut entropy).unwrap();
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(embedding(&world, &t), vector);
    world.run(&note(&t, "again"), None).unwrap();
    assert_eq!(give(&mut world, &t, r#"{"vector":null}"#, false), Ok(()));
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(embedding(&world, &t), None);

    assert_eq!(give(&mut world, &t, r#"{"vector":[1,0.5]}"#, false), Ok(()));
    assert_eq!(embedding(&world, &t), vector);
    world.run(&put_task("t", "two"), None).unwrap();
    let stale = give(&mut world, &t, r#"{"vector":[1,0.5],"version":1}"#, false);
    assert_eq!(stale, Err(Code::VersionConflict));
    part(&mut world, true, &Delivery::Unneeded);
    assert_eq!(embedding(&world, &t), None);

    world.run(&delete(&t), None).unwrap();
    assert_eq!(give(&mut world, &t, r#"{"vector":[1,0.5]}"#, false), Err(Code::NotFound));
}

#[test]
fn a_shared_database_gets_the_document_of_a_context_with_a_vector_all_the_same() {
    let (mut world, t) = (World::new(), task("t"));
    world.run(&put_task("t", "one"), None).unwrap();
    part(&mut world, true, &done("m"));
    world.run(&put_task("t", "two"), None).unwrap();
    assert_eq!(give(&mut world, &t, r#"{"vector":[1,0.5]}"#, true), Ok(()));
    assert_eq!(world.sql.waiting(), Ok(1), "the database has yet to get it");
    let entries = part(&mut world, true, &done("m"));
    assert_eq!(entries.len(), 1);
    assert_eq!(world.sql.waiting(), Ok(0));
    assert!(embedding(&world, &t).is_some());
}
