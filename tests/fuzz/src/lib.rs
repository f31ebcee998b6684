//! Laws of the core that hold for any bytes.
//!
//! Each law takes bytes and panics when it is broken. The fuzzer (`src/bin/fuzz.rs`) looks for such
//! bytes; `tests/crashers.rs` runs every law over all seeds and over the bytes that broke it once.

pub mod law;
pub mod seed;
pub mod tape;
pub mod world;

/// A law and how the fuzzer starts on it.
pub struct Target {
    /// Its name: the argument of `cargo xtask fuzz`, and its folder of crashers.
    pub name: &'static str,
    /// The law.
    pub law: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Longest input worth trying, in bytes.
    pub longest: usize,
    /// Whether inputs are text with words that the dictionary knows.
    pub is_text: bool,
}

/// Every target.
pub const TARGETS: [Target; 13] = [
    text("json", law::json::json, seed::json),
    bytes("msgpack", law::json::msgpack, seed::msgpack),
    text("layer", law::json::layer, seed::json),
    text("pointer", law::json::pointer, seed::pointers),
    bytes("merge-patch", law::patch::merge, seed::merge_patches),
    bytes("json-patch", law::patch::json_patch, seed::json_patches),
    bytes("edits", law::patch::edits, seed::edits),
    bytes("chain", law::resolve::chain, seed::chains),
    bytes("rows", law::rows::rows, seed::rows),
    text("bodies", law::store::bodies, seed::bodies),
    text("exports", law::store::exports, seed::exports),
    bytes("requests", law::store::requests, seed::requests),
    text("messages", law::protocol::messages, seed::messages),
];

const fn bytes(name: &'static str, law: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, law, seeds, longest: 1024, is_text: false }
}

const fn text(name: &'static str, law: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, law, seeds, longest: 1024, is_text: true }
}

/// The target of that name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The words of JSON and of request bodies, as libFuzzer's dictionaries are written.
pub const DICTIONARY: &str = include_str!("../dictionary.txt");
