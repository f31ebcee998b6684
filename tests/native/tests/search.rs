//! Search: the stemmer beside the one of Snowball, laws that hold for any text and any bytes, and an
//! index after any changes.

use std::collections::{BTreeMap, BTreeSet};

use nacre_core::{
    address::Address,
    search::{
        index::Index,
        query::Query,
        row::Row,
        score::Scored,
        snippet::explain,
        text::{Kind, fold, is_stop_word, stem, terms},
        token::{Token, Unkeyed},
    },
    value::{Object, Value},
};
use nacre_tests::{arbitrary, shared_gz};
use proptest::{collection::vec, prelude::*, sample::select};
use snowball_stemmers_rs::{Algorithm, Stemmer};

/// What English words are made of, as far as a stemmer can tell.
const ENDINGS: [&str; 64] = [
    "", "s", "es", "ies", "ied", "sses", "ss", "us", "'", "'s", "'s'", "ed", "eed", "eedly",
    "edly", "ing", "ingly", "ying", "y", "tional", "enci", "anci", "abli", "entli", "izer",
    "ization", "ational", "ation", "ator", "alism", "aliti", "alli", "fulness", "ousli", "ousness",
    "iveness", "iviti", "biliti", "bli", "ogi", "logi", "ogist", "fulli", "lessli", "li", "alize",
    "icate", "iciti", "ical", "ful", "ness", "ative", "ement", "ment", "ent", "ant", "ance",
    "ence", "able", "ible", "sion", "tion", "ll", "e",
];

const BEGINNINGS: [&str; 24] = [
    "", "gener", "commun", "arsen", "past", "univers", "later", "emerg", "organ", "inter", "succ",
    "proc", "exc", "inn", "out", "cann", "herr", "earr", "even", "y", "sk", "add", "egg", "'",
];

fn snowball(word: &str) -> String {
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn the_stemmer_is_snowballs(
        beginning in select(&BEGINNINGS[..]),
        middle in "[a-zY]{0,5}",
        endings in vec(select(&ENDINGS[..]), 0..3),
    ) {
        let word = format!("{beginning}{}{}", middle.to_lowercase(), endings.concat());
        prop_assert_eq!(stem(&word), snowball(&word), "{}", word);
    }

    #[test]
    fn terms_stand_where_they_say(text in arbitrary_text()) {
        let mut before = 0;
        let end = terms(&text, 7, &mut |term| {
            assert!(!term.text.is_empty());
            assert!(term.position >= 7);
            let place = text.get(term.place.clone()).expect("a place in the text");
            let mut folded = String::new();
            fold(place, &mut folded);
            match term.kind {
                Kind::Word => {
                    assert!(folded.starts_with(term.surface), "{place:?} is {:?}", term.surface);
                    assert!(term.position >= before, "words come in order");
                    before = term.position;
                }
                Kind::Single => assert_eq!(folded, term.surface),
                Kind::Whole => assert!(!folded.is_empty()),
            }
        });
        prop_assert!(end >= before);
    }

    #[test]
    fn folding_twice_is_folding_once(text in arbitrary_text()) {
        let (mut once, mut twice) = (String::new(), String::new());
        fold(&text, &mut once);
        fold(&once, &mut twice);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn any_bytes_are_a_row_or_none(bytes in vec(any::<u8>(), 0..80), head in any::<bool>()) {
        let bytes = if head { [vec![1, 3, 1, b'a'], bytes].concat() } else { bytes };
        if let Some(row) = Row::decode(&bytes) {
            prop_assert_eq!(Row::decode(&row.encode()), Some(row));
        }
    }

    #[test]
    fn any_text_is_a_query(text in arbitrary_text(), sign in "[-\"*: a-z]{0,12}") {
        let index = built(&[("a", "some words of an index")]);
        let query = Query::parse(&format!("{sign}{text}"));
        let answers = index.score(&query, &Unkeyed, &mut |_| true);
        prop_assert!(answers.iter().all(|answer| answer.score >= 0.0 && answer.score.is_finite()));
    }

    #[test]
    fn an_explanation_shows_what_is_stored(data in arbitrary::object(), word in "[a-z0-9]{1,3}") {
        let notes = ["a note of a1".to_owned()];
        let why = explain(&Query::parse(&word), "a-1", &data, &notes, &|_| 1.0);
        for fragment in &why.snippet {
            prop_assert!(!fragment.text.is_empty());
        }
        prop_assert_eq!(why.snippet.iter().any(|part| part.found), !why.reasons.is_empty());
        for reason in &why.reasons {
            prop_assert!(reason.count > 0);
            let data = Value::Object(data.clone());
            prop_assert!(reason.pointer.get(&data).is_some());
        }
    }

    #[test]
    fn an_index_after_changes_is_one_of_its_documents(
        changes in vec((0..6_u8, proptest::option::of("[a-d]{1,2}( [a-d]{1,2}){0,4}")), 1..30),
        compacted_at in 0..30_usize,
        query in "[a-d]{1,2}( [a-d]{1,2}){0,2}[*]?",
    ) {
        let mut index = Index::new();
        let mut texts = BTreeMap::new();
        for (at, (id, text)) in changes.iter().enumerate() {
            let id = format!("d{id}");
            match text {
                Some(text) => {
                    index.upsert(&row(&id, text), &Unkeyed);
                    texts.insert(id, text.as_str());
                }
                None => {
                    prop_assert_eq!(index.remove(&address(&id)), texts.remove(&id).is_some());
                }
            }
            if at == compacted_at {
                index = index.only(&|_| true).0;
            }
        }
        let texts: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), *text)).collect();
        prop_assert_eq!(index.len(), texts.len());
        let query = Query::parse(&query);
        prop_assert_eq!(told(&index, &query), told(&built(&texts), &query));
    }
}

fn arbitrary_text() -> impl Strategy<Value = String> {
    let words = select(
        &[
            "refreshToken",
            "v2.3",
            "2024-01-15",
            "データベース",
            "数据库",
            "ﾊﾟ",
            "é",
            "e\u{301}",
            "don't",
            "_",
            "-",
            "...",
            " ",
            "\n",
            "ß",
            "İ",
            "한국어",
            "ไทย",
            "\u{200d}",
            "x",
            "9",
            "A",
            "https://a.b/c?d=1",
            "\u{3099}",
        ][..],
    );
    prop_oneof![any::<String>(), vec(words, 0..12).prop_map(|words| words.concat()),]
}

fn address(id: &str) -> Address {
    Address::parse("task", id).expect("an address")
}

fn row(id: &str, text: &str) -> Row {
    let mut data = Object::new();
    data.insert("text", Value::from(text));
    Row::of(&address(id), &data, &[])
}

fn built(texts: &[(&str, &str)]) -> Index {
    let mut index = Index::new();
    texts.iter().for_each(|(id, text)| index.upsert(&row(id, text), &Unkeyed));
    index
}

fn told(index: &Index, query: &Query) -> Vec<(Address, f32)> {
    let answers = index.score(query, &Unkeyed, &mut |_| true);
    let tell =
        |found: Scored| (index.address(found.number).expect("a document").clone(), found.score);
    index.top(&answers, usize::MAX).into_iter().map(tell).collect()
}

/// Every word of the test collections, and words of little but apostrophes.
#[test]
fn the_stemmer_is_snowballs_on_real_words() {
    let mut words = BTreeSet::new();
    for name in ["cranfield", "gitbugs"] {
        let Some(text) = shared_gz(&format!("ir/{name}/corpus.jsonl.gz")) else { return };
        let text = String::from_utf8(text).expect("UTF-8").to_lowercase();
        let letters = |character: char| !character.is_ascii_lowercase() && character != '\'';
        words.extend(text.split(letters).map(str::to_owned));
    }
    assert!(words.len() > 10_000);
    words.extend(["s's", "''s", "'''", "y's", "'y'", "as's"].map(str::to_owned));
    for word in &words {
        assert_eq!(stem(word), snowball(word), "{word}");
    }
}

/// A ranker by meaning is asked for documents without the words too, and only for allowed ones.
#[test]
fn candidates_pass_the_filters_of_a_query() {
    let texts =
        [("a", "alpha beta"), ("b", "beta gamma"), ("c", "delta"), ("d", "gone"), ("e", "no")];
    let mut index = built(&texts);
    index.remove(&address("d"));
    let candidates = |query: &str| {
        let wanted = &mut |address: &Address| address.id.as_str() != "e";
        let numbers = index.candidates(&Query::parse(query), &Unkeyed, wanted);
        let ids =
            numbers.into_iter().map(|number| index.address(number).expect("one").id.to_string());
        ids.collect::<String>()
    };
    assert_eq!(candidates("delta"), "abc");
    assert_eq!(candidates("delta -gamma"), "ac");
    assert_eq!(candidates("\"alpha beta\""), "a");
    assert_eq!(candidates("level:project delta"), "");
    assert_eq!(candidates("path:/text delta"), "abc");
}

#[test]
fn another_key_gives_the_same_answers() {
    let keyed = |term: &str| {
        let hash = sha2::Digest::finalize(sha2::Digest::chain_update(
            <sha2::Sha256 as sha2::Digest>::new_with_prefix(b"a key"),
            term,
        ));
        Token(u64::from_be_bytes(hash[..8].try_into().expect("eight bytes")))
    };
    let texts = [("a", "alpha beta"), ("b", "beta gamma"), ("c", "betas delta")];
    let plain = built(&texts);
    let mut index = Index::new();
    texts.iter().for_each(|(id, text)| index.upsert(&row(id, text), &keyed));
    for query in ["beta", "alpha beta", "\"beta gamma\"", "bet*", "path:/text delta"] {
        let query = Query::parse(query);
        let answers = index.score(&query, &keyed, &mut |_| true);
        assert_eq!(answers, plain.score(&query, &Unkeyed, &mut |_| true));
        assert!(!answers.is_empty());
    }
    let row = row("a", "alpha beta alpha");
    let (alpha, beta) = (keyed("alpha"), keyed("beta"));
    assert_eq!(row.tokens(&keyed)[..3], [alpha, beta, alpha], "words in their order");
}

#[test]
fn stop_words_are_folded_and_sorted() {
    for word in ["a", "the", "your", "not"] {
        assert!(is_stop_word(word));
    }
    assert!(!is_stop_word("timeout"));
}

/// Words typed again are one word, and of an endless query only the beginning counts.
#[test]
fn a_long_query_is_one_of_its_distinct_words() {
    let query = Query::parse(&"alpha beta ".repeat(1000));
    assert_eq!(query.words.len(), 2);
    assert!(query.pairs.len() <= 2);
    let distinct: Vec<String> = (0..100_000).map(|at| format!("é{at}")).collect();
    let query = Query::parse(&distinct.join(" "));
    assert!((500..2000).contains(&query.words.len()), "{} words", query.words.len());
}
