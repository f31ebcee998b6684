//! Side-by-side benchmarks: Nacre and its peers in the same run, in turns.
//!
//! `cargo xtask bench [name…]` builds what a benchmark needs and runs this program once for each.
//! A result is a table and a list of targets, printed and written to `bench/results/<name>.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark stops at the first surprise, and prints"
)]

mod browser;
mod chains;
mod child;
mod collection;
mod hash;
mod http;
mod live;
mod made_up;
mod mcp;
mod mcp_agent;
mod pack_wasm;
mod report;
mod resolve;
mod resolve_wasm;
mod search;
mod search_http;
mod search_wasm;
mod semantic;
mod storage;
mod turns;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    for name in &names {
        match name.as_str() {
            "hash" => hash::run(),
            "resolve-wasm" => resolve_wasm::run(),
            "storage" => storage::run(),
            "http" => http::run(),
            "live" => live::run(),
            "browser" => browser::run(),
            "pack-wasm" => pack_wasm::run(),
            "mcp" => mcp::run(),
            "mcp-agent" => mcp_agent::run(),
            "resolve" => resolve::run(),
            "search" => search::run(),
            "search-http" => search_http::run(),
            "search-wasm" => search_wasm::run(),
            "semantic" => semantic::run(),
            _ => {
                eprintln!("there is no benchmark {name}");
                std::process::exit(2);
            }
        }
    }
}
