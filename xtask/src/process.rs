//! Running other programs, each line of their output marked with what it belongs to.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, bail};

/// What a program wrote and whether it succeeded.
pub(crate) struct Finished {
    /// All lines, both streams, in the order they came.
    pub(crate) lines: Vec<String>,
    pub(crate) success: bool,
}

/// Runs a program and fails if it does.
pub(crate) fn run(label: &str, command: &mut Command) -> Result<()> {
    let finished = capture(label, command)?;
    if !finished.success {
        bail!("{label}: {} failed", name(command));
    }
    Ok(())
}

/// Runs a program that speaks for itself, and fails if it does.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let name = name(command);
    let status = command.status().with_context(|| format!("starting {name}"))?;
    if !status.success() {
        bail!("{name} failed");
    }
    Ok(())
}

/// Runs a program to its end, printing each line after the label as it comes.
pub(crate) fn capture(label: &str, command: &mut Command) -> Result<Finished> {
    finish(label, command, |line| println!("{label:>7} | {line}"))
}

/// Runs a program to its end, printing nothing.
pub(crate) fn gather(command: &mut Command) -> Result<Finished> {
    finish("xtask", command, |_| {})
}

fn finish(label: &str, command: &mut Command, show: impl Fn(&str)) -> Result<Finished> {
    let name = name(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{label}: starting {name}"))?;
    let (sender, lines) = mpsc::channel();
    let stdout = child.stdout.take().map(|stream| forward(stream, sender.clone()));
    let stderr = child.stderr.take().map(|stream| forward(stream, sender));
    let mut kept = Vec::new();
    for line in lines {
        show(&line);
        kept.push(line);
    }
    for reader in [stdout, stderr].into_iter().flatten() {
        // A reader only ends by end of file or a broken pipe: nothing to learn from its result.
        drop(reader.join());
    }
    let status = child.wait().with_context(|| format!("{label}: waiting for {name}"))?;
    Ok(Finished { lines: kept, success: status.success() })
}

/// What a program writes to its standard output, or an error with what it wrote instead.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let name = name(command);
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("starting {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn forward(
    stream: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut bytes = Vec::new();
        while stream.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            bytes.clear();
            if lines.send(line).is_err() {
                return;
            }
        }
    })
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
