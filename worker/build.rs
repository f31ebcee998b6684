//! Takes the spaces out of the OpenAPI document, which stands in the module. The checked-in one is for
//! people.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=openapi.json");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("openapi.json"), dense(&fs::read("openapi.json")?))
}

/// JSON without white space between its tokens.
fn dense(text: &[u8]) -> Vec<u8> {
    let (mut within, mut escaped) = (false, false);
    let is_kept = |byte: &&u8| -> bool {
        let kept = within || !byte.is_ascii_whitespace();
        within ^= **byte == b'"' && !escaped;
        escaped = within && **byte == b'\\' && !escaped;
        kept
    };
    text.iter().filter(is_kept).copied().collect()
}
