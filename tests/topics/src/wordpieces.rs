//! Texts cut into the word pieces of the search models. The expected pieces are those of the
//! `tokenizers` package, whose BERT tokenizer was given the same vocabulary.

use nacre_core::search::semantic::{vocabulary::Vocabulary, wordpiece::wordpieces};

use crate::{Case, Json, Topic, text};

pub(crate) const TOPIC: Topic = Topic::new("wordpieces", &["text"], &["pieces"], answer);

static VOCABULARY: &[u8] = include_bytes!("../../../models/vocab.txt");

fn answer(case: &Case) -> Vec<Json> {
    let vocabulary = Vocabulary::read(VOCABULARY).expect("the vocabulary that ships");
    let pieces = wordpieces(&vocabulary, text(&case["text"])).into_iter();
    vec![pieces.map(|row| vocabulary.piece(row).expect("a known piece")).collect()]
}
