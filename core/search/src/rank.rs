//! The numbers of the ranking, and what each is for.
//!
//! `score = Σ weight · idf · w (k1 + 1) / (w + k1 (1 − b + b · length / mean length))`: Okapi BM25
//! (Robertson and Zaragoza, *The Probabilistic Relevance Framework*, 2009) with Lucene's `idf =
//! ln(1 + (N − n + ½) / (n + ½))`, which is never negative. `w` counts the occurrences by the weight
//! of their field before the saturation, as BM25F does.

/// How soon repeating a word stops to count: 0 counts once, large numbers count all.
pub const K1: f32 = 1.2;

/// How much long documents lose: 0 nothing, 1 all that their length gains them.
pub const B: f32 = 0.75;

/// The weight of a word in a title, where one in a text has 1. At 1 titles are texts.
pub const TITLE: u8 = 2;

/// The weight of a word in a text or note.
pub const TEXT: u8 = 1;

/// The weight of a stop word in a query. At 0 it is dropped, at 1 a word like others.
pub const STOP_WORD: f32 = 0.1;

/// The weight of the whole of an identifier, a date or a version, beside its parts.
pub const WHOLE: f32 = 1.0;

/// The weight of a word in the name of a member. At 0 names are not searched.
pub const KEY: f32 = 0.5;

/// The weight of a word in the id.
pub const ID: f32 = 1.0;

/// The weight of two words of a query that stand near each other in a document as they do in the
/// query: of `idf` of the rarer one, where the sum over their meetings of 1 / distance² takes the
/// place of the weight (Büttcher, Clarke and Lushman, *Term proximity scoring*, 2006). At 0 the order
/// and nearness of words say nothing.
pub const PAIR: f32 = 0.4;

/// The largest distance of two words that counts as near.
pub const NEAR: u32 = 8;

/// The rarity of a term that `with` of `documents` have.
pub fn idf(documents: u32, with: u32) -> f32 {
    let (documents, with) = (f64::from(documents), f64::from(with));
    libm::log1p((documents - with + 0.5).max(0.5) / (with + 0.5)) as f32
}
