//! What the native runners share: finding data, running vectors, making up values.

pub mod arbitrary;
pub mod histories;
pub mod searches;
pub mod vectors;

use std::{io::Read, path::PathBuf};

/// Reads a file of the shared data folder; says so and gives nothing where that is missing.
pub fn shared(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("NACRE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join("data").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    Some(bytes)
}

/// Unpacks a gzip file of the shared data folder; says so and gives nothing where that is missing.
pub fn shared_gz(name: &str) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let bytes = shared(name)?;
    flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut text).expect("a gzip file");
    Some(text)
}
