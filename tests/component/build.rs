//! Takes the README's example in Rust out of it, to be compiled as a test.

use std::{env, fs, path::Path};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    println!("cargo::rerun-if-changed={}", root.join("README.md").display());
    let readme = fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let section = readme.split_once("## As a component").map_or("", |(_, section)| section);
    let code = section.split_once("```rust\n").and_then(|(_, code)| code.split_once("```"));
    // The README's reader has the folder beside their own manifest.
    let wit = format!("path: {:?}", root.join("wit"));
    let code = code.map_or("", |(code, _)| code).replace("path: \"wit\"", &wit);
    let out = env::var("OUT_DIR").map(|out| Path::new(&out).join("readme.rs"));
    if let Ok(out) = out {
        fs::write(out, code).ok(); // without it the test does not compile, which says enough
    }
}
