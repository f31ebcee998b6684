//! Vectors: one case a file under `tests/vectors/<topic>/`, the same for every runner.
//!
//! A case is a JSON object with a title (a sentence) and the same fields as every other case of its
//! topic, none optional. `NACRE_UPDATE=1` writes what the code answers into the files, to be
//! reviewed as a diff; without it a difference fails.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use nacre_topics::{Case, Json, Shape};

/// Runs every case of a topic: `answer` gets the case and gives the value of each expected field, in
/// their order.
///
/// # Panics
/// When a case is not of the shape, a title comes twice, there is no case at all, or an answer
/// differs.
pub fn run<A: Into<Vec<Json>>>(shape: &Shape, answer: impl Fn(&Case) -> A) {
    let update = std::env::var_os("NACRE_UPDATE").is_some_and(|update| update == "1");
    let files = files(shape.folder);
    let mut titles = HashMap::new();
    let mut failures = Vec::new();
    for file in &files {
        let read = fs::read(file).map_err(|error| error.to_string());
        let case = read
            .and_then(|text| shape.read(&text))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        if let Some(other) = titles.insert(case["title"].clone(), file) {
            panic!("{} and {} have one title", file.display(), other.display());
        }
        let answers = answer(&case).into();
        let Some(wrong) = shape.differences(&case, &answers) else { continue };
        if update {
            write(file, shape, &case, &answers);
        } else {
            failures.push(format!("{}: {wrong}", file.display()));
        }
    }
    println!("{}: {} vectors", shape.folder, files.len());
    assert!(failures.is_empty(), "{}\nNACRE_UPDATE=1 accepts them", failures.join("\n"));
}

/// The folders that hold cases, by their path in `tests/vectors`.
pub fn folders() -> Vec<String> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in entries(folder) {
            if path.is_dir() {
                below(&path, found);
            } else if found.last().is_none_or(|last| last != folder) {
                found.push(folder.into());
            }
        }
    }
    let mut found = Vec::new();
    below(&root(), &mut found);
    let name = |folder: &PathBuf| {
        let parts = folder.strip_prefix(root()).expect("it is below").iter();
        parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    };
    found.iter().map(name).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors")
}

fn files(topic: &str) -> Vec<PathBuf> {
    let files = entries(&root().join(topic));
    assert!(!files.is_empty(), "no vectors of {topic}");
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    paths.sort();
    paths
}

fn write(file: &Path, shape: &Shape, case: &Case, answers: &[Json]) {
    let mut lines = vec![("title", &case["title"])];
    lines.extend(shape.given.iter().map(|name| (*name, &case[*name])));
    lines.extend(shape.expected.iter().copied().zip(answers));
    let lines: Vec<_> =
        lines.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}
