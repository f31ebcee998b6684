//! A benchmark's result as Markdown: printed, and kept in `bench/results/`.
//!
//! It holds what the figures depend on — cores, compiler, versions of peers — and no dates, names
//! or paths.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::turns::Times;

/// What a benchmark found.
pub(crate) struct Report {
    name: &'static str,
    body: String,
    targets: Vec<Target>,
    facts: Vec<String>,
}

struct Target {
    what: String,
    must: String,
    reached: String,
    met: bool,
}

impl Report {
    /// A report that opens with one paragraph on what is measured.
    pub(crate) fn new(name: &'static str, what: &str) -> Report {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let facts = vec![
            format!("{cores} cores, {} {}", std::env::consts::ARCH, std::env::consts::OS),
            version_of("rustc", &["--version"]).unwrap_or_default(),
        ];
        Report { name, body: format!("# {name}\n\n{what}\n"), targets: Vec::new(), facts }
    }

    /// A paragraph.
    pub(crate) fn say(&mut self, text: &str) {
        let _ = write!(self.body, "\n{text}\n");
    }

    /// A heading with a table of times; the first contestant is the yardstick.
    pub(crate) fn times(&mut self, heading: &str, item: &str, times: &[Times]) {
        let mut rows = vec![["what", item, "quartiles", "× the first"].map(String::from)];
        for each in times {
            let (low, high) = each.quartiles();
            rows.push([
                each.name.clone(),
                nanos(each.median()),
                format!("{} – {}", nanos(low), nanos(high)),
                ratio(each.ratio(&times[0])),
            ]);
        }
        self.table(heading, &rows);
    }

    /// A heading with a table; the first row names the columns.
    pub(crate) fn table<const N: usize>(&mut self, heading: &str, rows: &[[String; N]]) {
        let _ = write!(self.body, "\n## {heading}\n\n{}", table(rows));
    }

    /// A target: at least so many times.
    pub(crate) fn at_least(&mut self, what: &str, reached: f64, must: f64) {
        self.target(
            what,
            format!("≥ {} ×", ratio(must)),
            format!("{} ×", ratio(reached)),
            reached >= must,
        );
    }

    /// A target: at most so many times.
    pub(crate) fn at_most(&mut self, what: &str, reached: f64, must: f64) {
        self.target(
            what,
            format!("≤ {} ×", ratio(must)),
            format!("{} ×", ratio(reached)),
            reached <= must,
        );
    }

    /// A target: less than so many times.
    pub(crate) fn below(&mut self, what: &str, reached: f64, must: f64) {
        self.target(
            what,
            format!("< {} ×", ratio(must)),
            format!("{} ×", ratio(reached)),
            reached < must,
        );
    }

    /// A target: a mean of at least so much.
    pub(crate) fn mean_at_least(&mut self, what: &str, reached: f64, must: f64) {
        self.target(what, format!("≥ {must:.3}"), format!("{reached:.4}"), reached >= must);
    }

    /// A target: at most so many milliseconds.
    pub(crate) fn milliseconds_at_most(&mut self, what: &str, reached: f64, must: f64) {
        self.target(what, format!("≤ {must} ms"), format!("{reached:.2} ms"), reached <= must);
    }

    /// A target: a count of at most so much.
    pub(crate) fn count_at_most(&mut self, what: &str, reached: u64, must: u64) {
        self.target(what, format!("≤ {must}"), reached.to_string(), reached <= must);
    }

    fn target(&mut self, what: &str, must: String, reached: String, met: bool) {
        self.targets.push(Target { what: what.into(), must, reached, met });
    }

    /// Something the figures depend on.
    pub(crate) fn fact(&mut self, fact: impl Into<String>) {
        self.facts.push(fact.into());
    }

    /// The locked versions of crates that took part.
    pub(crate) fn crates(&mut self, names: &[&str]) {
        let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap_or_default();
        let after = |text: &str, mark: &str| {
            text.split_once(mark).and_then(|(_, rest)| rest.split('"').next()).map(String::from)
        };
        let own = lock
            .split("[[package]]")
            .find(|package| package.contains("name = \"nacre-bench\""))
            .unwrap_or_default();
        for name in names {
            // A crate that is locked in two versions is named with the one that is used here.
            let version = after(own, &format!("\n \"{name} "))
                .or_else(|| after(&lock, &format!("name = \"{name}\"\nversion = \"")));
            self.facts.push(format!("{name} {}", version.unwrap_or_default()));
        }
    }

    /// The locked versions of npm packages that took part.
    pub(crate) fn packages(&mut self, names: &[&str]) {
        let lock = std::fs::read(root().join("package-lock.json")).unwrap_or_default();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap_or_default();
        for name in names {
            let version = &lock["packages"][format!("node_modules/{name}")]["version"];
            self.facts.push(format!("{name} {}", version.as_str().unwrap_or_default()));
        }
    }

    /// Prints the report and writes it to its file.
    pub(crate) fn finish(mut self) {
        if !self.targets.is_empty() {
            let mut rows = vec![["target", "must reach", "reached", ""].map(String::from)];
            for target in &self.targets {
                rows.push([
                    target.what.clone(),
                    target.must.clone(),
                    target.reached.clone(),
                    String::from(if target.met { "met" } else { "**falls short**" }),
                ]);
            }
            self.table("Targets", &rows);
        }
        let facts: Vec<&str> =
            self.facts.iter().map(|fact| fact.trim()).filter(|fact| !fact.is_empty()).collect();
        let _ = write!(self.body, "\nMeasured with {}.\n", facts.join(" · "));
        println!("{}", self.body);
        let folder = root().join("bench/results");
        std::fs::create_dir_all(&folder).expect("bench/results can be made");
        std::fs::write(folder.join(format!("{}.md", self.name)), self.body)
            .expect("bench/results can be written");
    }
}

/// The folder of the shared data.
pub(crate) fn shared() -> PathBuf {
    std::env::var_os("NACRE_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from)
}

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What a program says of its version; `None` when it does not run.
pub(crate) fn version_of(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // `rustc 1.95.0 (hash date)`: what stands in brackets says nothing more.
    Some(text.split(" (").next()?.trim().into())
}

/// Nanoseconds in the unit that suits them.
pub(crate) fn nanos(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e4 => format!("{:.2} µs", n / 1e3),
        n if n < 1e5 => format!("{:.1} µs", n / 1e3),
        n if n < 1e6 => format!("{:.0} µs", n / 1e3),
        n if n < 1e7 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.1} ms", n / 1e6),
    }
}

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for (place, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if place == 0 {
            for width in widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}
