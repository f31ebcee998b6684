//! Contestants in programs of their own: a line asks, a line answers.

use std::{
    cell::RefCell,
    io::{BufRead as _, BufReader, Write as _},
    process::{ChildStdin, ChildStdout, Command, Stdio},
};

/// A running program.
pub(crate) struct Child {
    name: String,
    process: std::process::Child,
    input: RefCell<Option<ChildStdin>>,
    output: RefCell<BufReader<ChildStdout>>,
}

impl Child {
    /// Starts a program in the checkout's root; `None` when there is no such program.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Option<Child> {
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(crate::report::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        Some(Child {
            name: program.into(),
            process,
            input: RefCell::new(input),
            output: RefCell::new(output),
        })
    }

    /// Sends a line and waits for the line that answers it.
    pub(crate) fn ask(&self, question: &str) -> String {
        let mut input = self.input.borrow_mut();
        writeln!(input.as_mut().expect("a pipe"), "{question}").expect("the program listens");
        let mut answer = String::new();
        self.output.borrow_mut().read_line(&mut answer).expect("a line");
        assert!(!answer.is_empty(), "{} broke off", self.name);
        answer.trim().into()
    }

    /// Asks for a turn: nanoseconds for one item.
    pub(crate) fn turn(&self, contestant: &str) -> f64 {
        self.ask(contestant).parse().expect("a number")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The end of its input is the end of the program.
        self.input.borrow_mut().take();
        let _ = self.process.wait();
    }
}
