//! What the compiler does not check: opening comments, file lengths, loose ends, the direction of
//! dependencies, and that the core stays free of platforms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    arrows,
    workspace::{root, shell},
};

/// A file longer than this is two files.
const LONGEST: usize = 700;

/// Kinds of source files, and how each may open with a comment.
const KINDS: [(&str, &[&str]); 7] = [
    (".rs", &["//!"]),
    (".mjs", &["//", "/*"]),
    (".js", &["//", "/*"]),
    (".ts", &["//", "/*"]),
    (".tsx", &["//", "/*"]),
    (".css", &["/*"]),
    (".py", &["\"\"\"", "#"]),
];

/// Words that mark unfinished work, split here so that this file passes its own check.
const LOOSE_ENDS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!"),
    concat!("to", "do!"),
];

/// Fails with everything that is out of place.
pub(crate) fn run() -> Result<()> {
    let root = root();
    let mut faults = Vec::new();
    for path in sources(&root)? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
        faults.extend(faults_of(&name, &text));
    }
    let shell = shell()?;
    faults.extend(arrows::faults(&shell)?);
    for one in arrows::crates(&shell)?.iter().filter(|one| one.is_core()) {
        let name = one.folder.join("src/lib.rs");
        let text = fs::read_to_string(root.join(&name))
            .with_context(|| format!("reading {}", name.display()))?;
        faults.extend(standard_library(&name.display().to_string(), &text));
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} untidy:\n{}", faults.len(), faults.join("\n"))
}

fn faults_of(name: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let opening = KINDS.iter().find_map(|(end, open)| name.ends_with(end).then_some(*open));
    let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!/"));
    let opens = |line: &str| opening.into_iter().flatten().any(|open| line.starts_with(open));
    if !first.is_some_and(opens) {
        faults.push(format!("{name}: does not open by saying what it is for"));
    }
    let length = text.lines().count();
    if length > LONGEST {
        faults.push(format!("{name}: {length} lines, at most {LONGEST}"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(word) = LOOSE_ENDS.iter().find(|word| has_word(line, word)) {
            faults.push(format!("{name}:{}: {word}", number + 1));
        }
    }
    faults
}

/// A crate of the core has no standard library, whatever is built and for which target.
fn standard_library(name: &str, text: &str) -> Option<String> {
    let is_bare = text.lines().any(|line| line == "#![no_std]");
    (!is_bare).then(|| format!("{name}: a crate of the core must say `#![no_std]`"))
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|rest| rest.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|rest| rest.chars().next());
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

/// Every source file of the checkout.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let kind = entry.file_type()?; // of the entry itself: links are not followed
            let built = ["target", "dist", "build", "node_modules"].contains(&name.as_ref());
            if kind.is_dir() && !built && !name.starts_with('.') {
                folders.push(path);
            } else if kind.is_file() && KINDS.iter().any(|(end, _)| name.ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tidy_file_has_no_faults() {
        assert!(faults_of("a.rs", "//! What it is.\nfn f() {}\n").is_empty());
        assert!(faults_of("a.mjs", "#!/usr/bin/env node\n// What it is.\n").is_empty());
        assert!(faults_of("a.css", "/* What it is. */\n").is_empty());
        assert!(faults_of("a.py", "#!/usr/bin/env python3\n\"\"\"What it is.\"\"\"\n").is_empty());
    }

    #[test]
    fn every_fault_is_named() {
        let loose = LOOSE_ENDS.map(|word| format!("// {word}\n")).concat();
        let long = "\n".repeat(LONGEST + 1);
        assert_eq!(faults_of("a.rs", "fn f() {}\n").len(), 1);
        assert_eq!(faults_of("a.rs", "// A comment of an item.\n").len(), 1);
        assert_eq!(faults_of("a.mjs", "export {};\n").len(), 1);
        assert_eq!(faults_of("a.py", "import json\n").len(), 1);
        assert_eq!(faults_of("a.rs", &format!("//! What.\n{loose}")).len(), LOOSE_ENDS.len());
        assert_eq!(faults_of("a.rs", &format!("//! What.{long}")).len(), 1);
    }

    #[test]
    fn a_core_crate_with_a_standard_library_is_found() {
        assert_eq!(standard_library("a.rs", "//! What.\n#![no_std]\n"), None);
        for text in ["", "#![cfg_attr(not(test), no_std)]\n", "// #![no_std]\n"] {
            let fault = standard_library("a.rs", text).expect("a fault");
            assert_eq!(fault, "a.rs: a crate of the core must say `#![no_std]`");
        }
    }

    #[test]
    fn a_loose_end_is_a_whole_word() {
        assert!(has_word(concat!("x TO", "DO: y"), LOOSE_ENDS[0]));
        assert!(!has_word(concat!("MAS", "TO", "DON"), LOOSE_ENDS[0]));
    }
}
