//! A pack as lists.
//!
//! Texts of users never begin a line: a text with a line break is written as a JSON string, so that no
//! value can look like a section.

use alloc::{
    format,
    string::{String, ToString},
};

use nacre_layers::{
    address::Address,
    contribution::{Said, Stored, What},
    level::Level,
    pointer::Pointer,
    value::Value,
};
use nacre_store::record::{Entry, EntryKind, Heading};

use crate::{
    ask::Calls,
    form::{Form, Frame, Rest, is_sealed, second, shown, string, text, value},
    left_out::{LeftOut, about},
};

/// Lists.
pub(crate) struct Markdown {
    /// How calls are named.
    pub(crate) calls: Calls,
}

impl Form for Markdown {
    fn head(&self) -> &'static str {
        "# Context\n\nEach section refines those above it: at the same place its value counts, and \
         `(removed)` clears it.\n"
    }

    fn open_section(&self, of: &Heading, origins: bool, replaces: bool) -> String {
        let mut heading = format!("\n## {}", named(&of.address));
        if origins {
            let (version, by, at) = (of.version, of.updated_by.as_str(), second(of.updated_at));
            heading.push_str(&format!(" (version {version} by {by}, {at})"));
        }
        heading.push_str("\n\n");
        if replaces {
            heading.push_str("(replaces everything above)\n");
        }
        heading
    }

    fn close_data(&self) -> &'static str {
        ""
    }

    fn open_entries(&self, kind: EntryKind) -> &'static str {
        match kind {
            EntryKind::Insight => "\nInsights, newest first:\n",
            EntryKind::Progress => "\nProgress, newest first:\n",
        }
    }

    fn entry(&self, entry: &Entry) -> String {
        let mut line = format!("- {}", second(entry.at));
        let by = entry.agent.as_deref().unwrap_or(entry.by.as_str());
        line.push_str(&format!(" {}", plain(by)));
        if let Some(category) = &entry.category {
            line.push_str(&format!(" [{}]", plain(category)));
        }
        format!("{line}: {}\n", plain(&entry.content))
    }

    fn close_entries(&self) -> &'static str {
        ""
    }

    fn close_section(&self) -> &'static str {
        ""
    }

    fn member(&self, said: &Said<'_>, depth: usize) -> String {
        let mut out = String::new();
        write_said(said, depth, &mut out);
        out
    }

    fn open_object(&self, name: &str, depth: usize, replaces: bool) -> String {
        let mut out = String::new();
        open(name, depth, replaces, &mut out);
        out
    }

    fn close_object(&self) -> &'static str {
        ""
    }

    fn more(&self, of: &Address, pointer: &Pointer, stored: Stored<'_>) -> String {
        format!("- {} {}: {}\n", named(of), plain(pointer.as_str()), inline(&value(stored)))
    }

    fn left_out(&self, of: &Address, left: &LeftOut<'_>) -> String {
        let layer = named(of);
        match left {
            LeftOut::Value { pointer, bytes } => {
                let pointer = plain(pointer.as_str());
                format!("- {layer} {pointer}: {bytes} bytes, about {} tokens\n", about(*bytes))
            }
            LeftOut::Members { at, count, bytes } => {
                let at = plain(if at.is_root() { "/" } else { at.as_str() });
                let tokens = about(*bytes);
                format!("- {layer} {at}: {count} members, {bytes} bytes, about {tokens} tokens\n")
            }
            LeftOut::Entries { kind } => {
                let list = list(*kind);
                format!("- {layer}: older {list}, `{}`\n", self.calls.entries(of, list))
            }
        }
    }

    fn end(&self, frame: &Frame<'_>, rest: &Rest<'_>) -> String {
        let Rest { more, left_out, unlisted, .. } = *rest;
        let mut out = String::new();
        if !more.is_empty() {
            out.push_str("\n## More\n\n");
            out.push_str(more);
        }
        if !left_out.is_empty() || unlisted > 0 {
            let view = frame.calls.view(frame.address);
            out.push_str(&format!("\n## Left out\n\n`{view}` fetches a value.\n"));
            out.push_str(left_out);
        }
        if unlisted > 0 {
            out.push_str(&format!("- and {unlisted} more\n"));
        }
        out
    }
}

/// The name of a layer: there is one global context.
fn named(address: &Address) -> String {
    if address.level == Level::Global { "global".into() } else { address.to_string() }
}

/// The list of entries in paths.
fn list(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Insight => "insights",
        EntryKind::Progress => "progress",
    }
}

fn write_said(said: &Said<'_>, depth: usize, out: &mut String) {
    let name = &said.name;
    match &said.what {
        What::Value(stored) => write(name, &value(*stored), depth, false, out),
        What::Instead(stored) => write(name, &value(*stored), depth, true, out),
        What::List(text) => write(name, &shown(text), depth, false, out),
        What::Object(object) => {
            open(name, depth, object.replaces, out);
            object.members.iter().for_each(|said| write_said(said, depth + 1, out));
        }
        What::Nothing => line(name, "(removed)", depth, out),
    }
}

fn write(name: &str, value: &Value, depth: usize, replaces: bool, out: &mut String) {
    match value {
        Value::Object(object) if !object.is_empty() && !is_sealed(value) => {
            open(name, depth, replaces, out);
            object.iter().for_each(|(name, value)| write(name, value, depth + 1, false, out));
        }
        _ => line(name, &inline(value), depth, out),
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        _ if is_sealed(value) => "(sealed)".into(),
        _ => text(value),
    }
}

fn open(name: &str, depth: usize, replaces: bool, out: &mut String) {
    indent(depth, out);
    out.push_str(&plain(name));
    out.push_str(if replaces { " (replaces):\n" } else { ":\n" });
}

fn line(name: &str, value: &str, depth: usize, out: &mut String) {
    indent(depth, out);
    out.push_str(&plain(name));
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

fn indent(depth: usize, out: &mut String) {
    (0..depth).for_each(|_| out.push_str("  "));
    out.push_str("- ");
}

/// A text as it is, if it can be nothing else; otherwise as a JSON string.
fn plain(text: &str) -> String {
    let is_other =
        |text: &str| matches!(text, "true" | "false" | "null") || text.parse::<f64>().is_ok();
    let begins =
        text.chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_'));
    let is_plain = begins
        && !text.ends_with(char::is_whitespace)
        && !text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
        && !is_other(text);
    if is_plain { text.into() } else { string(text) }
}
