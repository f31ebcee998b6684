//! `docs/limits.md` holds the table of quotas as the code has it.
//!
//! A change of the table fails here until the page is written with
//! `NACRE_UPDATE=1 cargo test -p nacre-tests --test quota`.

use std::{fs, path::Path};

use nacre_core::quota::{Quota, line};

/// The head of the table. It ends the page.
const HEAD: &str = "\
| name | what | owner | each guest |
|---|---|---|---|
";

#[test]
fn the_page_says_what_the_table_says() {
    let mut table = String::from(HEAD);
    for quota in Quota::ALL {
        table.push_str(&line(*quota));
        table.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let page = fs::read_to_string(&file).unwrap();
    let (before, _) = page.split_once(HEAD).unwrap();
    let expected = format!("{before}{table}");
    if std::env::var_os("NACRE_UPDATE").is_some_and(|update| update == "1") {
        fs::write(&file, expected).unwrap();
        return;
    }
    assert!(page == expected, "docs/limits.md is stale; NACRE_UPDATE=1 writes it");
}
