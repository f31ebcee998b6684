//! Running other programs, each line of their output marked with the step it belongs to.
//!
//! Commands are written with `xshell`; this room adds what it leaves out: output that is shown, or
//! read, line by line while the program runs.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Command, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context as _, Result, bail};
use xshell::Cmd;

/// Runs a program, shows each line of its output after the label, and fails if the program does.
pub(crate) fn run(label: &str, command: Cmd<'_>) -> Result<()> {
    let said = command.to_string();
    if !watch(label, command, |line| show(label, line))?.success() {
        bail!("{said} failed");
    }
    Ok(())
}

/// Runs a program to its end, hands each line of its standard output to `read`, and shows its
/// standard error.
pub(crate) fn watch(
    label: &str,
    command: Cmd<'_>,
    mut read: impl FnMut(&str),
) -> Result<ExitStatus> {
    let said = command.to_string();
    let mut child = Command::from(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {said}"))?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        scope.spawn(|| errors.map(|errors| each_line(errors, |line| show(label, line))));
        if let Some(output) = output {
            each_line(output, &mut read);
        }
    });
    child.wait().with_context(|| format!("waiting for {said}"))
}

/// Prints a line of a step.
pub(crate) fn show(label: &str, line: &str) {
    println!("{label:>7} | {line}");
}

/// Ends with the stream, or when the stream breaks: the program's status says why.
fn each_line(stream: impl Read, mut read: impl FnMut(&str)) {
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        read(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use xshell::{Shell, cmd};

    use super::{run, watch};

    #[test]
    fn hands_on_each_line_and_the_outcome() -> Result<()> {
        let shell = Shell::new()?;
        let mut lines = Vec::new();
        let read = |line: &str| lines.push(line.to_owned());
        let status = watch("test", cmd!(shell, "rustc -vV"), read)?;
        assert!(status.success());
        assert!(lines.iter().any(|line| line.starts_with("host: ")), "{lines:?}");
        Ok(())
    }

    #[test]
    fn a_program_that_fails_is_named() -> Result<()> {
        let shell = Shell::new()?;
        let fault = run("test", cmd!(shell, "rustc --no-such-flag")).expect_err("it fails");
        assert_eq!(fault.to_string(), "rustc --no-such-flag failed");
        let fault = run("test", cmd!(shell, "nacre-no-such-program")).expect_err("it is not there");
        assert_eq!(fault.to_string(), "starting nacre-no-such-program");
        Ok(())
    }
}
