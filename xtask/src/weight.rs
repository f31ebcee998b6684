//! What a download weighs, for those who build and for the budgets.

use std::{fs, io::Write as _, path::Path, process::Stdio};

use anyhow::{Context, Result};

use crate::tools::Tools;

/// Bytes of a file with gzip; by way of Node, for servers compress as its zlib does.
pub(crate) fn gzip(tools: &Tools, file: &Path) -> Result<u64> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let script = "let n=[];process.stdin.on('data',d=>n.push(d)).on('end',()=>\
        console.log(require('zlib').gzipSync(Buffer.concat(n),{level:9}).length))";
    let mut node = tools
        .node()?
        .args(["-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting node")?;
    if let Some(mut input) = node.stdin.take() {
        input.write_all(&bytes)?;
    }
    let output = node.wait_with_output()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("no size was said")
}
