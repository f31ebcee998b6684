//! The main job on real input: 239 layered contexts, each view against an independent computation.
use std::collections::BTreeMap;

use nacre_core::{
    json,
    layer::Layer,
    resolve::{Link, resolve, view_hash},
    rules::Rules,
    value::Value,
};
use sha2::{Digest, Sha256};

fn lines(name: &str) -> Option<Vec<Value>> {
    let text = nacre_tests::shared_gz(&format!("layers/{name}"))?;
    Some(
        text.split(|&b| b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| json::read(l, 128).unwrap())
            .collect(),
    )
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.as_object().unwrap().get(name).and_then(Value::as_str).unwrap_or("global")
}

#[test]
fn every_view_equals_the_independent_fold() {
    let (Some(rows), Some(expected)) =
        (lines("govuk.ndjson.gz"), lines("govuk.expected.ndjson.gz"))
    else {
        return;
    };
    let mut layers = BTreeMap::new();
    for row in &rows {
        let data = row.as_object().unwrap().get("data").unwrap();
        layers.insert(
            (text(row, "level"), text(row, "id")),
            (text(row, "parent"), Layer::from_value(data).unwrap()),
        );
    }
    let none = Rules::default();
    assert_eq!(expected.len(), 239);
    for case in &expected {
        let (mut level, mut id) = (text(case, "level"), text(case, "id"));
        let mut chain = Vec::new();
        loop {
            let (parent, layer) = &layers[&(level, id)];
            chain.insert(0, Link { layer, rules: &none });
            level = match level {
                "task" => "branch",
                "branch" => "project",
                "project" => "global",
                _ => break,
            };
            id = parent;
        }
        let view = resolve(&chain);
        let sum: String = Sha256::digest(&view).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(sum, text(case, "sha256"), "{case:?}");
        assert_eq!(view_hash(&chain), Layer::from_canonical(view).unwrap().hash());
    }
}
