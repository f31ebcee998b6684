//! What a download weighs, for those who build and for the budgets.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::tools::Tools;

/// Bytes of a file with gzip; by way of Node, for servers compress as its zlib does.
pub(crate) fn gzip(tools: &Tools, file: &Path) -> Result<u64> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let script = "let n=[];process.stdin.on('data',d=>n.push(d)).on('end',()=>\
        console.log(require('zlib').gzipSync(Buffer.concat(n),{level:9}).length))";
    let size = tools.node().args(["-e", script]).stdin(bytes).read()?;
    size.parse().with_context(|| format!("node says {size:?} for a size"))
}
