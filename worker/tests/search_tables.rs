//! The statements on the database that stores share for searches, which may come late or twice.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test code stops at the first surprise"
)]

use nacre_core::{
    address::Address,
    search::token::{TermKey as _, Token},
    value::Value,
};
use nacre_worker::{
    search_key::SearchKey,
    search_tables::{self, Entry, Statement},
};
use rusqlite::{Connection, params_from_iter, types::Value as Cell};

fn task(name: &str) -> Address {
    Address::parse("task", name).unwrap()
}

struct Shared(Connection);

impl Shared {
    fn new() -> Shared {
        let shared = Shared(Connection::open_in_memory().unwrap());
        shared.run(&search_tables::make());
        shared
    }

    /// Runs statements as D1 does, as one transaction; the rows of each.
    fn run(&self, statements: &[Statement]) -> Vec<Vec<Vec<Cell>>> {
        self.0.execute_batch("BEGIN").unwrap();
        let results = statements.iter().map(|statement| self.one(statement)).collect();
        self.0.execute_batch("COMMIT").unwrap();
        results
    }

    fn one(&self, Statement { sql, values }: &Statement) -> Vec<Vec<Cell>> {
        let mut prepared = self.0.prepare(sql).unwrap();
        let columns = prepared.column_count();
        let values = values.iter().map(|value| match value {
            Value::String(text) => Cell::Text(text.clone()),
            // As from JavaScript.
            Value::Number(number) => Cell::Real(number.as_f64()),
            other => panic!("{other:?}"),
        });
        let mut rows = prepared.query(params_from_iter(values)).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push((0..columns).map(|column| row.get_unwrap(column)).collect());
        }
        found
    }

    fn put(&self, key: &SearchKey, entries: &[(&str, u64, Option<&str>)]) {
        let entries: Vec<Entry> = entries
            .iter()
            .map(|(name, seq, text)| {
                let tokens = text.map(|text| text.split(' ').map(|word| key.token(word)).collect());
                Entry::new(key, &task(name), *seq, tokens).unwrap()
            })
            .collect();
        self.run(&search_tables::put(&key.owner(), &entries).unwrap());
    }

    /// The names of the tasks that have any of these words, the best one first, and in how many
    /// each of them occurs.
    fn find(&self, key: &SearchKey, words: &str) -> (Vec<String>, Vec<u64>) {
        let tokens: Vec<Token> = words.split(' ').map(|word| key.token(word)).collect();
        let texts: Vec<String> = tokens.iter().map(|token| token.to_text()).collect();
        let query = search_tables::query(&key.owner(), &texts.join(" OR "), &tokens, 10).unwrap();
        let results = self.run(&query);
        let name = |row: &Vec<Cell>| {
            let Cell::Text(digits) = &row[0] else { panic!("{row:?}") };
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            let sealed: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
            key.open(&sealed).unwrap().id.as_str().to_owned()
        };
        let frequency = |token: &Token| {
            let row = results[1].iter().find(|row| row[0] == Cell::Text(token.to_text()));
            row.map_or(0, |row| match row[1] {
                Cell::Integer(number) => u64::try_from(number).unwrap(),
                _ => panic!("{row:?}"),
            })
        };
        (results[0].iter().map(name).collect(), tokens.iter().map(frequency).collect())
    }

    fn state(&self) -> Vec<Vec<Cell>> {
        let all = "SELECT doc, seq, indexed, hex(address) FROM documents ORDER BY doc";
        let mut state = self.one(&Statement { sql: all, values: Vec::new() });
        let terms = "SELECT term, doc, cnt FROM terms ORDER BY term";
        state.extend(self.one(&Statement { sql: terms, values: Vec::new() }));
        state
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).into()).collect()
}

fn key(seed: u8) -> SearchKey {
    SearchKey::new([seed; 32]).unwrap()
}

#[test]
fn a_late_or_repeated_delivery_changes_nothing() {
    let (shared, key) = (Shared::new(), key(1));
    shared.put(&key, &[("a", 3, Some("red fox")), ("b", 4, Some("red big hen")), ("c", 5, None)]);
    let state = shared.state();
    for late in [
        ("a", 3, Some("red fox")),
        ("a", 2, Some("old dog")),
        ("a", 1, None),
        ("b", 4, Some("red big hen")),
        ("c", 5, None),
        ("c", 4, Some("it was here")),
    ] {
        shared.put(&key, &[late]);
        assert_eq!(shared.state(), state, "{late:?}");
    }
    assert_eq!(shared.find(&key, "red"), (names(&["a", "b"]), vec![2]));
    assert_eq!(shared.find(&key, "dog it"), (Vec::new(), vec![0, 0]));
}

#[test]
fn a_later_delivery_replaces_the_tokens_and_a_deletion_ends_them() {
    let (shared, key) = (Shared::new(), key(1));
    shared.put(&key, &[("a", 1, Some("red fox")), ("b", 1, Some("red hen red"))]);
    shared.put(&key, &[("a", 2, Some("blue fox fox")), ("b", 3, None)]);
    assert_eq!(shared.find(&key, "red fox blue"), (names(&["a"]), vec![0, 1, 1]));
    shared.put(&key, &[("b", 2, Some("red hen"))]);
    assert_eq!(shared.find(&key, "red hen"), (Vec::new(), vec![0, 0]));
    shared.put(&key, &[("b", 4, Some("hen"))]);
    assert_eq!(shared.find(&key, "red hen"), (names(&["b"]), vec![0, 1]));
    // Both in one delivery, in any order of keys.
    shared.put(&key, &[("a", 5, None), ("c", 5, Some("hen"))]);
    assert_eq!(shared.find(&key, "hen fox").1, vec![2, 0]);
}

#[test]
fn owners_share_neither_tokens_nor_documents_nor_an_erase() {
    let (shared, alice, bob) = (Shared::new(), key(1), key(2));
    shared.put(&alice, &[("a", 1, Some("red fox"))]);
    shared.put(&bob, &[("a", 9, Some("red fox")), ("b", 9, Some("red"))]);
    assert_eq!(shared.find(&alice, "red"), (names(&["a"]), vec![1]));
    assert_eq!(shared.find(&bob, "red").1, vec![2]);
    let erased = shared.run(&search_tables::erase(&bob.owner()));
    assert_eq!(erased.last().unwrap(), &[[Cell::Integer(0)]]);
    assert_eq!(shared.find(&bob, "red"), (Vec::new(), vec![0]));
    assert_eq!(shared.find(&alice, "red fox"), (names(&["a"]), vec![1, 1]));
    shared.put(&bob, &[("a", 1, Some("red"))]);
    assert_eq!(shared.find(&bob, "red"), (names(&["a"]), vec![1]));
}

#[test]
fn tables_that_are_made_again_are_empty_and_have_another_mark() {
    let (shared, key) = (Shared::new(), key(1));
    let mark = || shared.run(&search_tables::put(&key.owner(), &[]).unwrap()).pop().unwrap();
    let first = mark();
    assert_eq!(first, mark());
    shared.put(&key, &[("a", 1, Some("red"))]);
    let there = shared.run(&search_tables::there()).pop().unwrap();
    assert_eq!(there, [[Cell::Integer(search_tables::ALL_THERE.try_into().unwrap())]]);
    shared.run(&search_tables::make());
    assert_ne!(first, mark());
    assert_eq!(shared.find(&key, "red"), (Vec::new(), vec![0]));
    assert_eq!(search_tables::update(1), Vec::new());
}

#[test]
fn a_very_long_document_is_delivered_with_each_of_its_words() {
    let (shared, key) = (Shared::new(), key(1));
    let tokens: Vec<Token> = (0..200_000u64).map(|n| Token(n % 50_000)).collect();
    let entry = Entry::new(&key, &task("long"), 1, Some(tokens)).unwrap();
    assert!(entry.length() < 1_000_000, "{}", entry.length());
    shared.run(&search_tables::put(&key.owner(), &[entry]).unwrap());
    let found = shared.run(
        &search_tables::query(&key.owner(), &Token(49_999).to_text(), &[Token(7)], 3).unwrap(),
    );
    assert_eq!((found[0].len(), found[1].len()), (1, 1));
}
