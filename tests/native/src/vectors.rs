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

use serde_json::{Map, Value};

/// The fields of one case.
pub type Case = Map<String, Value>;

/// Runs every case of a topic: `answer` gets the case and gives the value of each field named in
/// `expected`, in that order. `given` names the other fields, apart from the title.
///
/// # Panics
/// When a case has other fields than named, a title is missing or comes twice, there is no case at
/// all, or an answer differs.
pub fn run<const N: usize>(
    topic: &str,
    given: &[&str],
    expected: [&str; N],
    answer: impl Fn(&Case) -> [Value; N],
) {
    let update = std::env::var_os("NACRE_UPDATE").is_some_and(|update| update == "1");
    let files = files(topic);
    let mut titles = HashMap::new();
    let mut failures = Vec::new();
    for file in &files {
        let case = read(file, given, &expected);
        if let Some(other) = titles.insert(case["title"].clone(), file) {
            panic!("{} and {} have one title", file.display(), other.display());
        }
        let answers: Case = expected.map(String::from).into_iter().zip(answer(&case)).collect();
        let wrong: Vec<_> =
            answers.iter().filter(|(name, answer)| case[*name] != **answer).collect();
        if wrong.is_empty() {
            continue;
        }
        if update {
            write(file, &case, &answers, given, &expected);
        } else {
            failures.push(format!("{} ({}): got {wrong:?}", case["title"], file.display()));
        }
    }
    println!("{topic}: {} vectors", files.len());
    assert!(failures.is_empty(), "{}\nNACRE_UPDATE=1 accepts them", failures.join("\n"));
}

fn files(topic: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(topic);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a folder entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    files
}

fn read(file: &Path, given: &[&str], expected: &[&str]) -> Case {
    let text = fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let case: Case =
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let mut names: Vec<_> = [&["title"], given, expected].concat();
    names.sort_unstable();
    assert!(case.keys().eq(&names), "{}: the fields must be {names:?}", file.display());
    assert!(case["title"].is_string(), "{}: a title is a sentence", file.display());
    case
}

fn write(file: &Path, case: &Case, answers: &Case, given: &[&str], expected: &[&str]) {
    let mut lines = vec![("title", &case["title"])];
    lines.extend(given.iter().map(|name| (*name, &case[*name])));
    lines.extend(expected.iter().map(|name| (*name, &answers[*name])));
    let lines: Vec<_> =
        lines.iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
    let text = format!("{{\n{}\n}}\n", lines.join(",\n"));
    fs::write(file, text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
}

/// An error as vectors say it: code, pointer and detail; `null` when there is none.
pub fn error<T>(result: &nacre_core::error::Result<T>) -> Value {
    match result {
        Ok(_) => Value::Null,
        Err(error) => serde_json::json!({
            "code": error.code().as_str(),
            "pointer": error.pointer(),
            "detail": error.detail(),
        }),
    }
}

/// The text of a field.
///
/// # Panics
/// When it is not a string.
pub fn text<'c>(case: &'c Case, field: &str) -> &'c str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} must be a string in {}", case["title"]))
}

/// Bytes written as hex digits; dashes and spaces between them mean nothing.
///
/// # Panics
/// When they are not.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter(|char| !"- ".contains(*char)).collect();
    let byte = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        u8::from_str_radix(&pair, 16).unwrap_or_else(|e| panic!("{text}: {e}"))
    };
    digits.chunks(2).map(byte).collect()
}

/// Bytes as hex digits.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
