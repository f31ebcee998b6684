//! A pack as JSON, with its members in sorted order: `layers` first, so that packs of one project
//! begin alike.
//!
//! The `data` of a layer is a merge patch (RFC 7396) of what the layers above say: null takes a member
//! away. An object with `"$replaces": true` leaves nothing of them.

use alloc::{format, string::String};

use nacre_layers::{
    address::Address,
    contribution::{Contribution, Said, Stored, What},
    pointer::Pointer,
};
use nacre_store::record::{Entry, EntryKind, Heading};

use crate::{
    ask::Calls,
    form::{Form, Frame, Rest, second, shown, string, text, value},
    left_out::{LeftOut, about},
};

/// Members.
pub(crate) struct Json;

/// The mark of an object of which nothing from above stays.
const REPLACES: &str = "\"$replaces\":true,";

impl Form for Json {
    fn head(&self) -> &'static str {
        "{\"layers\":["
    }

    fn open_section(&self, of: &Heading, origins: bool, replaces: bool) -> String {
        let (level, id) = (of.address.level.as_str(), of.address.id.as_str());
        let names = format!("\"id\":\"{id}\",\"level\":\"{level}\"");
        let context = if origins {
            let (at, by) = (second(of.updated_at), string(of.updated_by.as_str()));
            format!("\"at\":\"{at}\",\"by\":{by},{names},\"version\":{}", of.version)
        } else {
            names
        };
        format!("{{\"context\":{{{context}}},\"data\":{{{}", if replaces { REPLACES } else { "" })
    }

    fn close_data(&self) -> &'static str {
        "},"
    }

    fn open_entries(&self, kind: EntryKind) -> &'static str {
        match kind {
            EntryKind::Insight => "\"insights\":[",
            EntryKind::Progress => "\"progress\":[",
        }
    }

    fn entry(&self, entry: &Entry) -> String {
        let by = string(entry.agent.as_deref().unwrap_or(entry.by.as_str()));
        let category = entry.category.as_deref();
        let category = category.map(|category| format!("\"category\":{},", string(category)));
        let (category, content) = (category.unwrap_or_default(), string(&entry.content));
        let at = second(entry.at);
        format!("{{\"at\":\"{at}\",\"by\":{by},{category}\"content\":{content}}},")
    }

    fn close_entries(&self) -> &'static str {
        "],"
    }

    fn close_section(&self) -> &'static str {
        "},"
    }

    fn member(&self, said: &Said<'_>, _: usize) -> String {
        let mut out = String::new();
        write(said, &mut out);
        out
    }

    fn open_object(&self, name: &str, _: usize, replaces: bool) -> String {
        format!("{}:{{{}", string(name), if replaces { REPLACES } else { "" })
    }

    fn close_object(&self) -> &'static str {
        "},"
    }

    fn more(&self, of: &Address, pointer: &Pointer, stored: Stored<'_>) -> String {
        let (level, id, pointer) = (of.level.as_str(), of.id.as_str(), string(pointer.as_str()));
        let data = text(&value(stored));
        format!("{{\"data\":{data},\"id\":\"{id}\",\"level\":\"{level}\",\"pointer\":{pointer}}},")
    }

    fn left_out(&self, of: &Address, left: &LeftOut<'_>) -> String {
        let (level, id) = (of.level.as_str(), of.id.as_str());
        let place = |bytes: usize, members: String, pointer: &Pointer| {
            let (pointer, tokens) = (string(pointer.as_str()), about(bytes));
            format!(
                "{{\"bytes\":{bytes},\"id\":\"{id}\",\"level\":\"{level}\",{members}\
                 \"pointer\":{pointer},\"tokens\":{tokens}}},"
            )
        };
        match left {
            LeftOut::Value { pointer, bytes } => place(*bytes, String::new(), pointer),
            LeftOut::Members { at, count, bytes } => {
                place(*bytes, format!("\"members\":{count},"), at)
            }
            LeftOut::Entries { kind } => {
                let kind = kind.as_str();
                format!("{{\"entries\":\"{kind}\",\"id\":\"{id}\",\"level\":\"{level}\"}},")
            }
        }
    }

    fn end(&self, frame: &Frame<'_>, rest: &Rest<'_>) -> String {
        let Frame { address, seq, hash, max_tokens, calls } = frame;
        let (level, id) = (address.level.as_str(), address.id.as_str());
        let fetch = match calls {
            // A URI template (RFC 6570).
            Calls::Http => string(&format!("/v1/contexts/{address}/resolved{{?path}}")),
            Calls::Tools => string(&calls.view(address)),
        };
        let (tokens, unlisted) = (rest.tokens, rest.unlisted);
        let mut out = String::from("],\"left_out\":[");
        out.push_str(rest.left_out);
        self.close(&mut out, &format!("],\"max_tokens\":{max_tokens},\"more\":["));
        out.push_str(rest.more);
        self.close(&mut out, "],");
        out.push_str(&format!(
            "\"tokens\":{tokens},\"unlisted\":{unlisted},\"view\":{{\"fetch\":{fetch},\
             \"hash\":\"{hash}\",\"id\":\"{id}\",\"level\":\"{level}\",\"seq\":{seq}}}}}"
        ));
        out
    }

    fn close(&self, text: &mut String, end: &str) {
        if text.ends_with(',') {
            text.pop();
        }
        text.push_str(end);
    }
}

fn write(said: &Said<'_>, out: &mut String) {
    out.push_str(&string(&said.name));
    out.push(':');
    match &said.what {
        What::Value(stored) => out.push_str(&text(&value(*stored))),
        What::Instead(stored) => {
            let whole = text(&value(*stored));
            let members = whole.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            out.push('{');
            out.push_str(REPLACES);
            out.push_str(members.unwrap_or_default());
            Json.close(out, "}");
        }
        What::List(list) => out.push_str(&text(&shown(list))),
        What::Object(Contribution { replaces, members }) => {
            out.push('{');
            out.push_str(if *replaces { REPLACES } else { "" });
            members.iter().for_each(|said| write(said, out));
            Json.close(out, "}");
        }
        What::Nothing => out.push_str("null"),
    }
    out.push(',');
}
