//! An answer as JSON.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use nacre_layers::{error::Result, json, value};
use nacre_search::snippet::{Fragment, Reason};
#[cfg(feature = "schema")]
use nacre_wire::schema;

use crate::search::{Found, Item, Reasons};

/// Derives the traits that all parts of an answer have.
macro_rules! texts {
    ($($(#[$doc:meta])* pub struct $name:ident $(<$life:lifetime>)? { $($body:tt)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name $(<$life>)? { $($body)* }
    )*};
}

texts! {
    /// What a search has found.
    pub struct FoundText<'a> {
        /// Whether something that ranks did not answer, so that the store's own index did without;
        /// left out if not.
        #[serde(skip_serializing_if = "core::ops::Not::not")]
        pub degraded: bool,
        /// The items of the page, the best first.
        pub items: Vec<ItemText<'a>>,
        /// The `cursor` of the next page; null on the last one.
        pub next_cursor: Option<&'a str>,
        /// What the answer is ranked by: `words`, `terms` and `vectors` of the models. Without
        /// models it is `words` alone. In the place of `vectors` may be `embeddings` of the caller, or
        /// `dense` vectors of the deployment's embedding model.
        pub ranking: Vec<&'static str>,
        /// About how many items there are on all pages.
        pub total_estimate: u64,
    }

    /// A context that was found.
    pub struct ItemText<'a> {
        /// With `scope=resolved`: the layer where it is said.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub from: Option<NameText<'a>>,
        /// The id of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level of the context.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
        /// The place of the snippet in the data of the layer, or of the view with `scope=resolved`;
        /// empty for a note and for the id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub path: &'a str,
        /// Why it was found; left out with `explain=false`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub reasons: Option<ReasonsText<'a>>,
        /// Higher is better. Scores of different questions cannot be compared.
        pub score: f64,
        /// What was found, in fragments. Where no word was, the title, or the first text of several
        /// words.
        pub snippet: Vec<FragmentText<'a>>,
    }

    /// The name of a context.
    pub struct NameText<'a> {
        /// The id.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::id"))]
        pub id: &'a str,
        /// The level.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::level"))]
        pub level: &'a str,
    }

    /// A part of a snippet.
    pub struct FragmentText<'a> {
        /// Whether it is a word of the question; left out if not.
        #[serde(skip_serializing_if = "core::ops::Not::not")]
        pub found: bool,
        /// The text as it is stored, or `…` where more was left out.
        pub text: &'a str,
    }

    /// Why a context was found.
    pub struct ReasonsText<'a> {
        /// How near in meaning it is, from 0 to 1; null if that is not known.
        pub near: Option<f64>,
        /// The time of its last change.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::time"))]
        pub updated_at: String,
        /// The words that were found, in the order of the question.
        pub words: Vec<WordText<'a>>,
    }

    /// A word that was found.
    pub struct WordText<'a> {
        /// How often it is in the context.
        pub count: u32,
        /// The most telling field with it: `title`, `text`, `note`, `key` or `id`.
        pub field: &'static str,
        /// Its place, as in `path`.
        #[cfg_attr(feature = "schema", schemars(schema_with = "schema::pointer"))]
        pub pointer: &'a str,
        /// The word as it was asked for, folded.
        pub word: &'a str,
    }
}

/// The answer as canonical JSON.
///
/// # Errors
/// `internal` if it has no JSON form.
pub fn answer(found: &Found) -> Result<Vec<u8>> {
    Ok(json::write(&value::encode(&FoundText::of(found))?))
}

impl<'a> FoundText<'a> {
    /// What was found.
    fn of(found: &'a Found) -> FoundText<'a> {
        FoundText {
            degraded: found.degraded,
            items: found.items.iter().map(ItemText::of).collect(),
            next_cursor: found.next_cursor.as_deref(),
            ranking: found.ranking.names().collect(),
            total_estimate: found.total_estimate,
        }
    }
}

impl<'a> ItemText<'a> {
    fn of(item: &'a Item) -> ItemText<'a> {
        let fragment =
            |fragment: &'a Fragment| FragmentText { found: fragment.found, text: &fragment.text };
        ItemText {
            from: item
                .from
                .as_ref()
                .map(|from| NameText { id: from.id.as_str(), level: from.level.as_str() }),
            id: item.address.id.as_str(),
            level: item.address.level.as_str(),
            path: item.path.as_str(),
            reasons: item.reasons.as_ref().map(ReasonsText::of),
            score: rounded(item.score),
            snippet: item.snippet.iter().map(fragment).collect(),
        }
    }
}

impl<'a> ReasonsText<'a> {
    fn of(reasons: &'a Reasons) -> ReasonsText<'a> {
        let word = |reason: &'a Reason| WordText {
            count: reason.count,
            field: reason.field.as_str(),
            pointer: reason.pointer.as_str(),
            word: &reason.word,
        };
        ReasonsText {
            near: reasons.near.map(rounded),
            updated_at: reasons.updated_at.to_string(),
            words: reasons.words.iter().map(word).collect(),
        }
    }
}

/// A score to four digits after the point: more say nothing.
fn rounded(score: f32) -> f64 {
    const STEPS: f64 = 10_000.0;
    // Scores are neither negative nor large.
    let steps = (f64::from(score) * STEPS + 0.5) as u64;
    steps as f64 / STEPS
}
