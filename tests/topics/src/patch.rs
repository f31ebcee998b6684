//! Edits of a document: merge patches, JSON Patches, values for a list, members to unset.

use nacre_core::{
    error::Result,
    patch::{JsonPatch, append, merge_patch, unset},
    pointer::Pointer,
    value::Value,
};

use crate::{Case, Json, Topic, error, from_serde, list, text, to_serde};

pub(crate) const MERGE_PATCH: Topic =
    Topic::new("merge-patch", &["target", "patch"], &["result"], |case| {
        let mut target = from_serde(&case["target"]);
        merge_patch(&mut target, from_serde(&case["patch"]));
        vec![to_serde(&target)]
    });

pub(crate) const JSON_PATCH: Topic =
    Topic::new("json-patch", &["document", "patch"], &["result", "error"], |case| {
        edited(case, |document| {
            let patch = JsonPatch::parse(from_serde(&case["patch"]))?;
            assert_eq!(JsonPatch::parse(patch.to_value()).expect("our own patch"), patch);
            patch.apply(document)
        })
    });

pub(crate) const APPEND: Topic =
    Topic::new("append", &["document", "pointer", "values"], &["result", "error"], |case| {
        edited(case, |document| {
            let values = list(&case["values"]).iter().map(from_serde).collect();
            append(document, &Pointer::parse(text(&case["pointer"]))?, values)
        })
    });

pub(crate) const UNSET: Topic =
    Topic::new("unset", &["document", "pointers"], &["result", "error"], |case| {
        edited(case, |document| {
            let pointers = list(&case["pointers"]).iter().map(|at| Pointer::parse(text(at)));
            unset(document, &pointers.collect::<Result<Vec<_>>>()?)
        })
    });

fn edited(case: &Case, edit: impl FnOnce(&mut Value) -> Result<()>) -> Vec<Json> {
    self::edit(&case["document"], edit).into()
}

/// Runs an edit, for its result and its error; one that fails must leave the document alone.
///
/// # Panics
/// When it does not.
pub fn edit(document: &Json, edit: impl FnOnce(&mut Value) -> Result<()>) -> [Json; 2] {
    let before = from_serde(document);
    let mut edited = before.clone();
    let done = edit(&mut edited);
    if done.is_err() {
        assert_eq!(edited, before, "a failed edit changed the document");
    }
    let result = if done.is_ok() { to_serde(&edited) } else { Json::Null };
    [result, error(&done)]
}
