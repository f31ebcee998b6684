//! Makes the OpenAPI document as it is served: without the whitespace that `openapi.json` has for
//! its readers, which would take 6 KB of the compressed Worker.

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=openapi.json");
    let served = without_whitespace(&fs::read("openapi.json")?);
    fs::write(Path::new(&env::var("OUT_DIR")?).join("openapi.json"), served)?;
    Ok(())
}

/// JSON without the whitespace between its tokens.
fn without_whitespace(json: &[u8]) -> Vec<u8> {
    let (mut is_text, mut is_escaped) = (false, false);
    let mut kept = Vec::with_capacity(json.len());
    for byte in json {
        if is_text || !byte.is_ascii_whitespace() {
            kept.push(*byte);
        }
        is_text ^= *byte == b'"' && !is_escaped;
        is_escaped = is_text && *byte == b'\\' && !is_escaped;
    }
    kept
}
