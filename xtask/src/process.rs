//! Running other programs, each line of their output marked with the step it belongs to.
//!
//! Commands are written with `xshell`; this room adds what it leaves out: output that is shown, or
//! read, line by line while the program runs.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
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

/// How long a program may say nothing. A link with optimisation says nothing for minutes.
const SILENCE: Duration = Duration::from_secs(15 * 60);

/// A line that a program wrote.
enum Line {
    Output(String),
    Error(String),
}

/// Runs a program to its end, hands each line of its standard output to `read`, and shows its
/// standard error. A program that hangs is told to end, so that the steps after it still run.
pub(crate) fn watch(label: &str, command: Cmd<'_>, read: impl FnMut(&str)) -> Result<ExitStatus> {
    watch_within(SILENCE, label, command, read)
}

fn watch_within(
    silence: Duration,
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
    let (written, lines) = mpsc::channel();
    let (as_output, as_error) = (written.clone(), written);
    // Who no longer listens has ended the program.
    thread::spawn(move || {
        output.map(|output| each_line(output, |line| drop(as_output.send(Line::Output(line)))))
    });
    thread::spawn(move || {
        errors.map(|errors| each_line(errors, |line| drop(as_error.send(Line::Error(line)))))
    });
    loop {
        match lines.recv_timeout(silence) {
            Ok(Line::Output(line)) => read(&line),
            Ok(Line::Error(line)) => show(label, &line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                show(label, &format!("{said} said nothing for {silence:?}, and is ended"));
                end(&child)?;
                break;
            }
        }
    }
    child.wait().with_context(|| format!("waiting for {said}"))
}

/// Asks a program to end. Node still tells which of its tests were under way.
fn end(child: &Child) -> Result<()> {
    Command::new("kill").arg(child.id().to_string()).status().context("starting kill")?;
    Ok(())
}

/// Prints a line of a step.
pub(crate) fn show(label: &str, line: &str) {
    println!("{label:>7} | {line}");
}

/// What failed so far, in all steps.
static FAILURES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Prints a failure of a step, and names it again at the end.
pub(crate) fn fail(label: &str, line: &str) {
    show(label, line);
    note_failure(label, line);
}

/// Names at the end a failure that was printed already: a long log is often cut off above.
pub(crate) fn note_failure(label: &str, line: &str) {
    if let Ok(mut failures) = FAILURES.lock() {
        failures.push(format!("{label:>7} | {line}"));
    }
}

/// The failures of all steps, in the order in which they came.
pub(crate) fn failures() -> Vec<String> {
    FAILURES.lock().map(|failures| failures.clone()).unwrap_or_default()
}

/// Ends with the stream, or when the stream breaks: the program's status says why.
fn each_line(stream: impl Read, mut read: impl FnMut(String)) {
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    while stream.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
        read(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::Result;
    use xshell::{Shell, cmd};

    use super::{run, watch, watch_within};

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
    fn a_program_that_hangs_is_ended() -> Result<()> {
        let shell = Shell::new()?;
        let silence = Duration::from_millis(200);
        let status = watch_within(silence, "test", cmd!(shell, "sleep 600"), |_| {})?;
        assert!(!status.success());
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
