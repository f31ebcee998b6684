//! Writes what the fuzzer starts with into a folder: `<folder>/<target>/<n>` and
//! `<folder>/dictionary`. Prints one line a target: its name, its longest input, and `text` where
//! the dictionary helps.

use std::{fs, path::Path};

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).expect("usage: seeds <folder>");
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("dictionary"), nacre_fuzz::DICTIONARY)?;
    for target in nacre_fuzz::TARGETS {
        let own = folder.join(target.name);
        fs::create_dir_all(&own)?;
        for (n, seed) in (target.seeds)().iter().enumerate() {
            fs::write(own.join(format!("seed-{n:03}")), seed)?;
        }
        let kind = if target.is_text { "text" } else { "bytes" };
        println!("{} {} {kind}", target.name, target.longest);
    }
    Ok(())
}
