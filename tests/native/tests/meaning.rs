//! Search by meaning: the models that ship give what plain numpy gives, and broken files give errors.

use nacre_core::{
    error::{Code, Result},
    json,
    search::semantic::{
        expansion::Expansion,
        models::{File, Meaning, Models},
        ranker::{Matching, Nearest, Ranker as _},
        sparse::Sparse,
        table::{DIMENSIONS, Table},
        term_index::TermIndex,
        terms::{MOST_TERMS, Term, Terms},
        text::document_text,
        vector::{MOST_DIMENSIONS, Vector},
        vectors::Vectors,
        vocabulary::Vocabulary,
    },
    value::{Object, Value},
};
use serde_json::Value as Json;

static VOCABULARY: &[u8] = include_bytes!("../../../models/vocab.txt");
static TABLE: &[u8] = include_bytes!("../../../models/static-s128i4.bin");
static EXPANSION: &[u8] = include_bytes!("../../../models/expand-top16.bin");
static SPARSE: &[u8] = include_bytes!("../../../models/splade-tiny-i4.bin");

fn models() -> Models<'static> {
    let models = Models::read(VOCABULARY, TABLE, EXPANSION).unwrap();
    models.with_sparse(SPARSE).unwrap()
}

/// What `models/recipe/reference.py` worked out.
fn references() -> Vec<Json> {
    serde_json::from_str(include_str!("meaning.json")).unwrap()
}

fn text(case: &Json) -> &str {
    case["text"].as_str().unwrap()
}

#[test]
fn a_document_gets_the_vector_that_numpy_gives() {
    let models = models();
    for case in references() {
        let expected: Vec<f64> =
            case["vector"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect();
        let vector = models.encode_document(text(&case)).vector;
        let ours: Vec<f64> = vector.numbers().iter().map(|&n| f64::from(n)).collect();
        let length = ours.iter().map(|n| n * n).sum::<f64>().sqrt();
        let cosine: f64 = ours.iter().zip(&expected).map(|(a, b)| a * b / length).sum();
        assert!(cosine > 0.9998, "{}: {cosine}", text(&case));
    }
}

#[test]
fn a_document_gets_the_terms_that_numpy_gives() {
    let models = models();
    let vocabulary = Vocabulary::read(VOCABULARY).unwrap();
    for case in references() {
        let expected = case["terms"].as_object().unwrap();
        let terms = models.encode_document(text(&case)).terms;
        let mut strange = 0;
        for term in terms.iter() {
            match expected.get(vocabulary.piece(term.row).unwrap()) {
                Some(weight) => {
                    let error = (f64::from(term.weight) - weight.as_f64().unwrap()).abs();
                    assert!(error < 0.015, "{}: {term:?} for {weight}", text(&case));
                }
                None => strange += 1,
            }
        }
        // The weakest of the kept terms may change places with the strongest of the others.
        assert!(strange <= 3, "{}: {strange} unexpected terms", text(&case));
        let missing = expected.len().min(MOST_TERMS).abs_diff(terms.iter().count());
        assert!(missing <= 3, "{}: {missing} terms more or less", text(&case));
    }
}

#[test]
fn the_encoding_is_the_same_on_every_target() {
    // `cargo xtask bench semantic` compares wasm with these bytes, too.
    let models = models();
    let bytes: Vec<u8> = references()
        .iter()
        .flat_map(|case| {
            let query = models.encode_query(text(case));
            [models.encode_document(text(case)).to_bytes(), query.to_bytes()].concat()
        })
        .collect();
    assert_eq!(
        nacre_core::hash::Hash::of(&bytes).to_string(),
        "cscY902wS1G1fP6TQdkF-IDHjpyMRCT-ilTggHSJh_c"
    );
}

#[test]
fn the_text_of_a_context_is_its_titles_its_texts_with_the_names_of_short_ones_and_its_notes() {
    let data = r#"{"deploy": {"region": "eu-west-1", "replicas": 3, "live": true, "zone": ""},
        "reason": "Nobody else could keep the old machines running.",
        "tags": ["fast", "new"], "title": "The move"}"#;
    let Ok(Value::Object(data)) = json::read(data.as_bytes(), 9) else { panic!("an object") };
    assert_eq!(
        document_text(&data, &["It went well.".to_owned()]),
        "The move\nregion eu-west-1\nreplicas 3\n\
         Nobody else could keep the old machines running.\ntags fast\nnew\nIt went well.\n"
    );
}

#[test]
fn the_text_of_a_large_context_is_cut_between_characters() {
    let mut data = Object::new();
    data.insert("text", Value::from("ä".repeat(50_000)));
    assert_eq!(document_text(&data, &[]).len(), 65_536);
}

#[test]
fn a_query_has_the_terms_of_its_words_alone_but_none_of_stop_words() {
    let models = models();
    let vocabulary = Vocabulary::read(VOCABULARY).unwrap();
    let terms = |text| {
        let terms = models.encode_query(text).terms;
        let names: Vec<String> =
            terms.iter().map(|term| vocabulary.piece(term.row).unwrap().to_owned()).collect();
        names
    };
    assert!(terms("how do I delete it").contains(&"remove".to_owned()));
    assert_eq!(terms("how do I delete it"), terms("delete"));
    assert_eq!(terms("of the"), [""; 0]);
}

#[test]
fn the_nearest_documents_are_those_that_say_the_same() {
    let models = models();
    let documents = [
        "The process ran out of memory and was killed.",
        "Paint the garden fence green.",
        "Drop a branch after it was merged.",
    ];
    let mut vectors = Vectors::new(DIMENSIONS);
    let mut terms = TermIndex::new();
    for (number, document) in (0..).zip(documents) {
        let meaning = models.encode_document(document);
        vectors.set(number, &meaning.vector).unwrap();
        terms.set(number, &meaning.terms);
    }
    for (query, best) in
        [("heap exhausted RAM leak", 0), ("color of a wall", 1), ("delete git branches", 2)]
    {
        let query = models.encode_query(query);
        let near = Nearest { documents: &vectors, query: &query.vector };
        let matching = Matching { documents: &terms, query: &query.terms };
        for answers in [near.answers(), matching.answers()] {
            let first = answers.iter().max_by(|a, b| a.score.total_cmp(&b.score));
            assert_eq!(first.map(|answer| answer.number), Some(best), "{answers:?}");
        }
    }
}

#[test]
fn a_document_that_is_not_encoded_is_no_answer() {
    let mut vectors = Vectors::new(2);
    vectors.set(2, &Vector::new(&[1.0, 0.0]).unwrap()).unwrap();
    vectors.set(3, &Vector::new(&[0.0, 0.0]).unwrap()).unwrap();
    vectors.set(4, &Vector::new(&[-3.0, -3.0]).unwrap()).unwrap();
    let query = Vector::new(&[1.0, 1.0]).unwrap();
    let answers = |vectors: &Vectors| Nearest { documents: vectors, query: &query }.answers();
    let scores: Vec<(u32, i32)> =
        answers(&vectors).iter().map(|a| (a.number, (a.score * 1000.0).round() as i32)).collect();
    assert_eq!(scores, [(2, 707), (4, -1000)]);

    vectors.remove(2);
    vectors.remove(9);
    assert_eq!(answers(&vectors).iter().map(|a| a.number).collect::<Vec<_>>(), [4]);
}

#[test]
fn a_vector_of_other_dimensions_is_refused_and_near_to_nothing() {
    let mut vectors = Vectors::new(2);
    let other = Vector::new(&[1.0, 2.0, 3.0]).unwrap();
    assert_eq!(vectors.set(0, &other).unwrap_err().code(), Code::InvalidRequest);
    vectors.set(0, &Vector::new(&[1.0, 2.0]).unwrap()).unwrap();
    assert_eq!(Nearest { documents: &vectors, query: &other }.answers(), []);
}

#[test]
fn the_numbers_of_a_vector_must_be_finite_and_not_too_many() {
    for wrong in [vec![], vec![f32::NAN], vec![1.0, f32::INFINITY], vec![0.5; MOST_DIMENSIONS + 1]]
    {
        assert_eq!(Vector::new(&wrong).unwrap_err().code(), Code::InvalidRequest);
    }
    for (numbers, bytes) in [
        (vec![0.0, -0.0], vec![0, 0]),
        (vec![1e-42, -1e-42], vec![127, 129]),
        (vec![f32::MAX, f32::MIN, 1.0], vec![127, 129, 0]),
    ] {
        let vector = Vector::new(&numbers).unwrap();
        assert_eq!(vector.to_bytes(), bytes);
        assert_eq!(Vector::from_bytes(&bytes), vector);
    }
}

fn term(row: u16, weight: f32) -> Term {
    Term { row, weight }
}

#[test]
fn the_strongest_terms_are_kept_in_the_order_of_their_rows() {
    let terms = [term(9, 1.0), term(5, 0.001), term(7, 2.0), term(8, 1.0), term(1, 3.0)];
    let kept = Terms::strongest(terms.into_iter(), 3);
    assert_eq!(kept.iter().collect::<Vec<_>>(), [term(1, 3.0), term(7, 2.0), term(8, 1.0)]);
    assert_eq!(Terms::from_bytes(&kept.to_bytes()), kept);
    let all = Terms::strongest(terms.into_iter(), 9);
    assert_eq!(all.iter().count(), 4, "a weight that is stored as 0 is no term");
}

#[test]
fn rare_terms_weigh_more_and_removed_documents_do_not_count() {
    let terms = |rows: &[u16]| Terms::strongest(rows.iter().map(|&row| term(row, 1.0)), 9);
    let mut index = TermIndex::new();
    for (number, rows) in [(0, &[1, 2][..]), (1, &[1]), (2, &[1]), (3, &[3])] {
        index.set(number, &terms(rows));
    }
    let query = terms(&[1, 2]);
    let answers = |index: &TermIndex| Matching { documents: index, query: &query }.answers();
    let before = answers(&index);
    assert_eq!(before.iter().map(|a| a.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(before[0].score > 2.0 * before[1].score);

    // As if the documents had never been there.
    index.set(4, &terms(&[2]));
    index.remove(4);
    index.set(3, &terms(&[2]));
    index.set(3, &terms(&[3]));
    assert_eq!(answers(&index), before);
    assert_eq!(Matching { documents: &index, query: &terms(&[]) }.answers(), []);
}

#[test]
fn a_meaning_is_stored_in_at_most_513_bytes_and_read_back() {
    let models = models();
    for case in references() {
        let meaning = models.encode_document(text(&case));
        let bytes = meaning.to_bytes();
        assert!(bytes.len() <= 513);
        assert_eq!(Meaning::from_bytes(&bytes).unwrap(), Some(meaning));
    }
}

#[test]
fn a_meaning_of_other_models_is_none_and_one_that_is_cut_off_is_an_error() {
    let bytes = models().encode_document("cache").to_bytes();
    let mut other = bytes.clone();
    other[0] += 1;
    assert_eq!(Meaning::from_bytes(&other).unwrap(), None);
    assert_eq!(Meaning::from_bytes(&[]).unwrap(), None);
    assert_eq!(Meaning::from_bytes(&bytes[..100]).unwrap_err().code(), Code::StoreUnavailable);
}

#[test]
fn without_the_sparse_model_documents_have_vectors_but_no_terms() {
    let models = Models::read(VOCABULARY, TABLE, EXPANSION).unwrap();
    let meaning = models.encode_document("The cache is full.");
    assert!(meaning.terms.is_empty());
    assert_eq!(meaning.vector, self::models().encode_document("The cache is full.").vector);
}

#[test]
fn a_file_that_is_not_the_one_of_this_version_is_refused_by_its_name() {
    let files = [VOCABULARY, TABLE, EXPANSION, SPARSE];
    for (wrong, file) in File::ALL.into_iter().enumerate() {
        let changes: [fn(&mut Vec<u8>); 3] =
            [|bytes| bytes[5000] ^= 1, |bytes| bytes.truncate(bytes.len() - 1), Vec::clear];
        for change in changes {
            let mut changed = files.map(<[u8]>::to_vec);
            change(&mut changed[wrong]);
            let [vocabulary, table, expansion, sparse] = &changed;
            let read = Models::read(vocabulary, table, expansion);
            let error = read.and_then(|models| models.with_sparse(sparse)).unwrap_err();
            assert_eq!(error.code(), Code::Internal);
            assert!(error.detail().contains(file.name()), "{error}");
        }
    }
}

/// Reads each part from any bytes, as if the hash had not been checked.
fn read_parts(table: &[u8], expansion: &[u8], sparse: &[u8]) -> Result<()> {
    let vocabulary = Vocabulary::read(VOCABULARY)?;
    let pieces: Vec<u16> = (0..300).chain([u16::MAX]).collect();
    Table::read(table, vocabulary.len())?.encode(&pieces);
    Expansion::read(expansion, vocabulary.len())?.encode(&vocabulary, &pieces);
    Sparse::read(sparse, vocabulary.len())?.encode(&vocabulary, &pieces[..20], MOST_TERMS);
    Ok(())
}

#[test]
fn parts_of_another_length_are_errors() {
    read_parts(TABLE, EXPANSION, SPARSE).unwrap();
    for [table, expansion, sparse] in [
        [&TABLE[1..], EXPANSION, SPARSE],
        [TABLE, &EXPANSION[..EXPANSION.len() - 1], SPARSE],
        [TABLE, EXPANSION, &SPARSE[2..]],
        [TABLE, EXPANSION, &[]],
        [&[TABLE, &[0]].concat(), EXPANSION, SPARSE],
    ] {
        assert_eq!(read_parts(table, expansion, sparse).unwrap_err().code(), Code::Internal);
    }
    for wrong in [&b"[CLS]\n[SEP]\nsame\nsame"[..], b"[CLS]", b"", b"[CLS]\n[SEP]\n\xff"] {
        assert_eq!(Vocabulary::read(wrong).unwrap_err().code(), Code::Internal);
    }
}

#[test]
fn parts_of_wrong_numbers_do_not_panic() {
    // Scales and weights that are infinite, not a number, or as large as they can be.
    for byte in [0x00, 0x7b, 0x7c, 0x7f, 0x80, 0xff] {
        let table = vec![byte; TABLE.len()];
        let sparse = vec![byte; SPARSE.len()];
        read_parts(&table, EXPANSION, &sparse).unwrap();
    }
}
