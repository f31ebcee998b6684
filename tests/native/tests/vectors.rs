//! The vectors of every topic that the core answers.

use std::collections::BTreeSet;

use nacre_tests::vectors;
use nacre_topics::{TOPICS, Topic};

/// A test for each of these topics, so that one can be asked for by name.
macro_rules! topics {
    ($($test:ident: $topic:literal,)*) => {
        const TESTED: &[&str] = &[$($topic),*];
        $(
            #[test]
            fn $test() {
                let Topic { shape, answer } = Topic::of($topic).expect("a topic");
                vectors::run(shape, answer);
            }
        )*
    };
}

topics! {
    append_vectors: "append",
    diff_vectors: "diff",
    errors_access_vectors: "errors/access",
    errors_input_vectors: "errors/input",
    errors_past_vectors: "errors/past",
    errors_store_vectors: "errors/store",
    json_vectors: "json",
    json_patch_vectors: "json-patch",
    lint_vectors: "lint",
    live_vectors: "live",
    mcp_vectors: "mcp",
    merge_patch_vectors: "merge-patch",
    msgpack_vectors: "msgpack",
    number_vectors: "number",
    open_vectors: "open",
    operation_vectors: "operation",
    pack_vectors: "pack",
    pointer_vectors: "pointer",
    promotion_vectors: "promotion",
    rebase_vectors: "rebase",
    resolve_vectors: "resolve",
    seal_entropy_vectors: "seal/entropy",
    seal_fields_vectors: "seal/fields",
    seal_keyring_vectors: "seal/keyring",
    seal_names_vectors: "seal/names",
    seal_rows_vectors: "seal/rows",
    retrieval_vectors: "retrieval",
    search_answers_vectors: "search/answers",
    search_fusion_vectors: "search/fusion",
    search_queries_vectors: "search/queries",
    search_terms_vectors: "search/terms",
    store_vectors: "store",
    template_vectors: "template",
    three_way_vectors: "three-way",
    unset_vectors: "unset",
    wordpieces_vectors: "wordpieces",
}

#[test]
fn every_folder_is_a_topic_and_every_topic_is_tested() {
    // Tokens and HTTP are the Worker's: its own tests run them.
    let mut folders = vectors::folders();
    folders.retain(|folder| !folder.starts_with("auth/") && folder != "errors/http");
    let folders: BTreeSet<&str> = folders.iter().map(String::as_str).collect();
    let topics: BTreeSet<&str> = TOPICS.iter().map(|topic| topic.shape.folder).collect();
    assert_eq!(topics.len(), TOPICS.len(), "a topic comes twice");
    assert_eq!(folders, topics);
    assert_eq!(TESTED.iter().copied().collect::<BTreeSet<_>>(), topics);
}
