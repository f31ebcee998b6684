//! The data that views are resolved from: layers, and which of them make a chain.

use std::{collections::HashMap, io::Read as _};

use nacre_core::{json, layer::Layer, limits, resolve::Link, rules::Rules, value::Value};

use serde_json::Value as Tree;

use crate::{made_up, report::shared};

/// Layers and the chains they are in.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) layers: Vec<Layer>,
    /// Places in `layers`, global first.
    pub(crate) chains: Vec<Vec<usize>>,
}

/// The sets there are: the made-up one always, GOV.UK's where the shared data is at hand.
pub(crate) fn sets() -> Vec<Set> {
    let large = Set::from_rows("large-global", made_up::rows());
    match govuk() {
        Some(rows) => vec![large, Set::from_rows("govuk", rows)],
        None => vec![large],
    }
}

/// One context: level, id, parent, data.
pub(crate) type Row = (String, String, Option<String>, Value);

/// Contexts as an import takes them.
pub(crate) fn contexts(rows: &[Row]) -> Vec<Tree> {
    rows.iter()
        .map(|(level, id, parent, data)| {
            let data: Tree = serde_json::from_slice(&json::write(data)).expect("JSON");
            serde_json::json!({"level": level, "id": id, "parent": parent, "data": data})
        })
        .collect()
}

impl Set {
    /// Every context's chain.
    fn from_rows(name: &'static str, rows: Vec<Row>) -> Set {
        let places: HashMap<(&str, &str), usize> = rows
            .iter()
            .enumerate()
            .map(|(place, (level, id, ..))| ((level.as_str(), id.as_str()), place))
            .collect();
        let chains = rows
            .iter()
            .map(|row| {
                let mut chain = Vec::new();
                let mut at = Some(row);
                while let Some((level, id, parent, _)) = at {
                    chain.insert(0, places[&(level.as_str(), id.as_str())]);
                    let above = match level.as_str() {
                        "task" => ("branch", parent.as_deref().expect("a task has a parent")),
                        "branch" => ("project", parent.as_deref().expect("a branch has a parent")),
                        "project" => ("global", "global"),
                        _ => break,
                    };
                    at = places.get(&above).map(|&place| &rows[place]);
                }
                chain
            })
            .collect();
        let layers =
            rows.iter().map(|(.., data)| Layer::from_value(data).expect("an object")).collect();
        Set { name, layers, chains }
    }

    /// The links of every chain; there are no rules in these sets.
    pub(crate) fn links<'s>(&'s self, none: &'s Rules) -> Vec<Vec<Link<'s>>> {
        let link = |&place: &usize| Link { layer: &self.layers[place], rules: none };
        self.chains.iter().map(|chain| chain.iter().map(link).collect()).collect()
    }

    /// What the set is made of, in a sentence.
    pub(crate) fn describe(&self, views: &[Vec<u8>]) -> String {
        let bytes: usize = self.layers.iter().map(|layer| layer.text().len()).sum();
        let view = views.iter().map(Vec::len).sum::<usize>() / views.len();
        format!(
            "{} layers of {} bytes together, the largest of {}; {} chains, whose views have {} bytes on average.",
            self.layers.len(),
            bytes,
            self.layers.iter().map(|layer| layer.text().len()).max().unwrap_or(0),
            self.chains.len(),
            view,
        )
    }
}

/// The GOV.UK contexts; says so and gives nothing where the shared data is missing.
pub(crate) fn govuk() -> Option<Vec<Row>> {
    let path = shared().join("data/layers/govuk.ndjson.gz");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there, so nothing is measured on it", path.display());
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("a gzip file");
    let rows = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let row = json::read(line.as_bytes(), limits::DEPTH + 1).expect("JSON");
        let row = row.as_object().expect("an object");
        let text = |name| row.get(name).and_then(Value::as_str).map(String::from);
        (
            text("level").expect("a level"),
            text("id").unwrap_or_else(|| "global".into()),
            text("parent"),
            row.get("data").expect("data").clone(),
        )
    });
    Some(rows.collect())
}
