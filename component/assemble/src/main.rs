//! Makes the component of its core module, and describes its interfaces.
//!
//! A program of its own, so that the task runner stays quick to build; `cargo xtask component` and
//! the tests call it.

mod page;

use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::{Context, Result, bail};
use wasmparser::BinaryReader;
use wit_component::{ComponentEncoder, DecodedWasm};

const USAGE: &str = "\
assemble component MODULE OUT   make a component of a core module; it must import nothing
assemble page WIT               describe the interfaces of a folder of WIT, as Markdown";

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = match arguments.as_slice() {
        ["component", module, out] => component(module.as_ref(), out.as_ref())?,
        ["page", wit] => page::describe(wit.as_ref())?,
        _ => bail!("{USAGE}"),
    };
    Ok(io::stdout().write_all(said.as_bytes())?)
}

/// Wraps a core module, which carries its types in a custom section.
fn component(module: &Path, out: &Path) -> Result<String> {
    let component = ComponentEncoder::default().validate(true).module(&read(module)?)?.encode()?;
    let DecodedWasm::Component(resolve, world) = wit_component::decode(&component)? else {
        bail!("what came out is no component");
    };
    let imports = resolve.worlds.get(world).map_or(0, |world| world.imports.len());
    if imports != 0 {
        bail!("the component has {imports} imports; it promises to have none");
    }
    fs::write(out, without_names(&component)?)
        .with_context(|| format!("writing {}", out.display()))?;
    Ok(String::new())
}

/// Leaves out the names that the encoder gives to the parts of a component. They are for debuggers,
/// and one per cent of the file.
fn without_names(component: &[u8]) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(component, 0);
    let mut kept = reader.read_bytes(8)?.to_vec(); // magic number and version
    while !reader.eof() {
        let start = component.len() - reader.bytes_remaining();
        let is_custom = reader.read_u8()? == 0;
        let length = reader.read_var_u32()?;
        let content = reader.read_bytes(length as usize)?;
        if !(is_custom && BinaryReader::new(content, 0).read_string()? == "component-name") {
            let end = component.len() - reader.bytes_remaining();
            kept.extend_from_slice(component.get(start..end).unwrap_or_default());
        }
    }
    Ok(kept)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("reading {}", file.display()))
}
