//! Opening exports: which lines make a store, and where others are wrong.

use crate::{Case, Json, Topic, error, list, world::World};

pub(crate) const TOPIC: Topic = Topic::new("open", &["lines"], &["error"], answer);

fn answer(case: &Case) -> Vec<Json> {
    // A text is a line as it stands, anything else is one once it is written.
    let line = |line: &Json| line.as_str().map_or_else(|| line.to_string(), String::from);
    let lines: Vec<String> = list(&case["lines"]).iter().map(line).collect();
    let opened = World::empty().opened(lines.join("\n").as_bytes());
    let mut error = error(&opened);
    if let Err(opened) = &opened {
        error["line"] = opened.operation().into();
    }
    vec![error]
}
