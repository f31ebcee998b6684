//! The one table of tools.
//!
//! What a client is shown of a tool is in `tools.json`. It is made from the types of [`schema`] and this
//! table by a test, so a module for wasm carries the text and not the code that makes it.

mod contexts;
mod history;
mod page;
mod promotions;
#[cfg(feature = "schema")]
pub mod schema;
mod search;
mod templates;
mod views;

use alloc::{format, vec::Vec};

use nacre_layers::{
    error::{Code, Error, Result},
    json,
    value::{Object, Value},
};

use crate::{
    Outcome, Setting, Step,
    call::{Call, Finish},
    failure::failure,
    nearest::nearest,
};

/// Tools that belong together. A client chooses sets, because a model reads all that it is offered on
/// every turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// Reading and writing contexts.
    Context,
    /// Versions and the way back.
    History,
    /// Searching.
    Search,
    /// Moving values up.
    Promotions,
    /// Beginning contexts from templates.
    Templates,
}

impl Set {
    /// All sets, in the order of the table.
    pub const ALL: [Set; 5] =
        [Set::Context, Set::Search, Set::History, Set::Promotions, Set::Templates];

    /// The name by which a client chooses it.
    pub fn name(self) -> &'static str {
        match self {
            Set::Context => "context",
            Set::History => "history",
            Set::Search => "search",
            Set::Promotions => "promotions",
            Set::Templates => "templates",
        }
    }

    /// The call that shows all there are of what the tools are about.
    pub(crate) fn all(self) -> &'static str {
        match self {
            Set::Promotions => "promote_context with action \"list\"",
            Set::Templates => "list_templates",
            Set::Context | Set::History | Set::Search => "manage_context with action \"list\"",
        }
    }

    /// Reads names with commas between them.
    ///
    /// # Errors
    /// `invalid-request` with the names that there are.
    pub fn parse(names: &str) -> Result<Vec<Set>> {
        let named = |name: &str| {
            Set::ALL.into_iter().find(|set| set.name() == name).ok_or_else(|| {
                let all = Set::ALL.map(Set::name).join(", ");
                let detail = format!("there is no set of tools {name:?}; there are: {all}");
                Error::new(Code::InvalidRequest, detail)
            })
        };
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(named).collect()
    }
}

/// Begins a call.
type Begin = fn(Call) -> Result<Step<Outcome>>;

/// A tool.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// The set that it belongs to.
    pub set: Set,
    begin: Begin,
}

/// The tools, in the order in which they are listed.
pub const TOOLS: &[Tool] = &[
    Tool { name: "resolve_context", set: Set::Context, begin: views::resolve },
    Tool { name: "get_context_pack", set: Set::Context, begin: views::pack },
    Tool { name: "manage_context", set: Set::Context, begin: contexts::manage },
    Tool { name: "manage_context_batch", set: Set::Context, begin: contexts::batch },
    Tool { name: "explain_context", set: Set::Context, begin: views::explain },
    Tool { name: "preview_change", set: Set::Context, begin: views::preview },
    Tool { name: "search_contexts", set: Set::Search, begin: search::search },
    Tool { name: "get_context_history", set: Set::History, begin: history::history },
    Tool { name: "diff_context", set: Set::History, begin: history::diff },
    Tool { name: "rollback_context", set: Set::History, begin: history::rollback },
    Tool { name: "promote_context", set: Set::Promotions, begin: promotions::promote },
    Tool { name: "list_templates", set: Set::Templates, begin: templates::list },
    Tool { name: "create_from_template", set: Set::Templates, begin: templates::create },
];

/// What clients are shown of each tool, in the order of the table.
const SHOWN: &str = include_str!("tools.json");

/// The tools that a client is offered, as `tools/list` shows them, always in the same order. `sets` names
/// the sets that it chose, with commas between them; `None` means all.
///
/// # Errors
/// `invalid-request` for a set that there is not.
pub fn list(sets: Option<&str>) -> Result<Value> {
    let sets = sets.map(Set::parse).transpose()?.filter(|sets| !sets.is_empty());
    let Value::Array(shown) = json::read(SHOWN.as_bytes(), usize::MAX)? else {
        return Err(Error::bug("the table of tools is no list"));
    };
    let is_chosen = |tool: &Tool| sets.as_ref().is_none_or(|sets| sets.contains(&tool.set));
    let chosen = TOOLS.iter().zip(shown).filter(|(tool, _)| is_chosen(tool));
    Ok(Value::Array(chosen.map(|(_, shown)| shown).collect()))
}

/// Calls a tool; `None` if there is none of that name.
pub fn call(name: &str, arguments: Object, setting: &Setting) -> Option<Step<Outcome>> {
    let tool = TOOLS.iter().find(|tool| tool.name == name)?;
    let room = usize::try_from(setting.most_tokens).unwrap_or(usize::MAX);
    let finish = Finish { room, all: tool.set.all() };
    let begun = Call::of(tool, arguments, setting).and_then(tool.begin);
    Some(begun.unwrap_or_else(|error| failure(&error, None, finish)))
}

/// The tool that was probably meant by a name that does not exist.
pub fn near(name: &str) -> Option<&'static str> {
    nearest(name, TOOLS.iter().map(|tool| tool.name), 1).first().copied()
}

fn missing(name: &'static str) -> Error {
    Error::new(Code::InvalidRequest, "this argument is required").at(format!("/{name}"))
}

/// The refusal of an action that a tool does not have.
fn unknown_action(actions: &[&str]) -> Error {
    let detail = format!("must be one of {}", actions.join(", "));
    Error::new(Code::InvalidRequest, detail).at("/action")
}

/// A question was read as another one.
fn misread() -> Error {
    Error::bug("a question was read as another one")
}
