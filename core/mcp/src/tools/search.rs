//! The tool that searches.

use alloc::{boxed::Box, string::String};

use nacre_layers::{
    error::Result,
    value::{Object, Value},
};
use nacre_retrieval::Question;

use super::page::Page;
use crate::{Ask, Outcome, Step, call::Call};

/// `search_contexts`: finds contexts by words and by meaning.
pub(super) fn search(mut call: Call) -> Result<Step<Outcome>> {
    let question = Question::read(&mut call.arguments)?;
    call.arguments.end()?;
    let limit = question.limit();
    let ask = move |limit| Ask::Search(Box::new(question.clone().with_limit(limit)));
    let finish = call.finish;
    Ok(Page { finish, address: None, ask: Box::new(ask), limit, shorten }.told())
}

/// Tells a find in one text, and not how it was scored.
fn shorten(item: &mut Object) {
    let mut text = String::new();
    if let Some(Value::Array(fragments)) = item.remove("snippet") {
        for fragment in &fragments {
            let part = fragment.as_object().and_then(|part| part.get("text")?.as_str());
            text.push_str(part.unwrap_or_default());
        }
    }
    item.insert("snippet", text.into());
    if let Some(Value::Object(from)) = item.get_mut("from") {
        crate::call::name(from);
        if let Some(from) = from.remove("context") {
            item.insert("from", from);
        }
    }
    item.remove("reasons");
    item.remove("score");
}
