//! Prompts: what people start often, in their own words.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    value::{Object, Value},
};
use nacre_pack as pack;

use super::{
    Request, Said,
    failure::Failure,
    resources::{self, embedded},
    uri,
};
use crate::{Setting, Step, nearest::nearest, object, text_block};

/// A prompt.
struct Prompt {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Arguments beside `level` and `id`.
    arguments: &'static [(&'static str, &'static str)],
    /// Whether the pack of the context comes first.
    packs: bool,
    /// What the agent is to do; `{address}` and arguments in braces stand for their values.
    text: &'static str,
}

const PROMPTS: [Prompt; 3] = [
    Prompt {
        name: "load_task_context",
        title: "Load my task context",
        description: "Puts what is known about a task into the conversation.",
        arguments: &[],
        packs: true,
        text: "Above is what the store knows about {address}. Work by it: lower layers refine the ones \
               above, and what is left out names the call that fetches it. Note what you learn with \
               `manage_context`: `add_progress` for steps, `add_insight` for findings.",
    },
    Prompt {
        name: "hand_over_task",
        title: "Hand over this task",
        description: "Writes down what the next agent needs, and checks it.",
        arguments: &[],
        packs: true,
        text: "Hand over {address} to the next agent, who knows only what is stored. Above is what they \
               would read now. Compare it with what we know, and store what is missing with \
               `manage_context`: decisions as `add_insight` with category `decision`, findings as \
               `add_insight`, what is done and what is next as `add_progress`, facts that others build \
               on with `update`. Then read `get_context_pack` for {address} and check that it suffices.",
    },
    Prompt {
        name: "record_decision",
        title: "Record a decision",
        description: "Stores a decision with its reason, where others look for it.",
        arguments: &[(
            "decision",
            "The decision, in a sentence. Without it the last one is taken.",
        )],
        packs: false,
        text: "Record a decision for {address}: {decision}. Write it with `manage_context`, action \
               `add_insight`, category `decision`: what was decided, why, which alternatives were \
               rejected. If a stored value follows from it, set it with `update` and name the decision \
               in `summary`. If others above {address} should follow it too, propose it with \
               `promote_context`.",
    },
];

/// What `{decision}` stands for if it is not given.
const LAST: &str = "the last one that we took in this conversation";

/// The prompts.
pub(super) fn list() -> Object {
    let prompts = PROMPTS.iter().map(|prompt| {
        let own = [
            ("level", "The level of the context; that of the default context if left out."),
            ("id", "The id of the context; the default context if left out."),
        ];
        let arguments = own.iter().chain(prompt.arguments).map(|(name, description)| {
            object([
                ("description", (*description).into()),
                ("name", (*name).into()),
                ("required", false.into()),
            ])
        });
        object([
            ("arguments", arguments.collect::<Vec<_>>().into()),
            ("description", prompt.description.into()),
            ("name", prompt.name.into()),
            ("title", prompt.title.into()),
        ])
    });
    let mut result = Object::new();
    result.insert("prompts", prompts.collect::<Vec<_>>().into());
    result
}

/// Whether there is a prompt of this name.
pub(super) fn exists(name: &str) -> bool {
    PROMPTS.iter().any(|prompt| prompt.name == name)
}

/// One prompt, filled in.
pub(super) fn get(request: &Request<'_>) -> Step<Said> {
    let name = request.params.get("name").and_then(Value::as_str).unwrap_or_default();
    let Some(prompt) = PROMPTS.iter().find(|prompt| prompt.name == name) else {
        let meant = nearest(name, PROMPTS.iter().map(|prompt| prompt.name));
        let hint = meant.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        return Step::Done(Err(Failure::params(format!("there is no prompt of this name{hint}"))));
    };
    let none = Object::new();
    let arguments = request.params.get("arguments").and_then(Value::as_object).unwrap_or(&none);
    let address = match address(arguments, request.setting) {
        Ok(address) => address,
        Err(failure) => return Step::Done(Err(failure)),
    };
    let text = fill(prompt, &address, arguments);
    if !prompt.packs {
        return Step::Done(Ok(said(prompt, Vec::from([message(text_block(text))]))));
    }
    let tokens = pack::TOKENS_DEFAULT.min(request.setting.most_tokens);
    Step::ask(resources::pack(address.clone(), tokens), move |answer| {
        let pack = resources::text(&address.to_string(), answer);
        Step::Done(pack.map(|pack| {
            let resource = embedded(&uri::view(&address), "text/markdown", pack);
            let resource = object([("resource", resource), ("type", "resource".into())]);
            said(prompt, Vec::from([message(resource), message(text_block(text))]))
        }))
    })
}

/// The context that the arguments name, or the default one.
fn address(arguments: &Object, setting: &Setting) -> Result<Address, Failure> {
    let text =
        |name: &str| arguments.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let address = match (text("level"), text("id")) {
        (None, None) => return Ok(resources::default(setting)),
        (level, Some(id)) => {
            let level = level.unwrap_or_else(|| {
                setting.default.as_ref().map_or("task", |address| address.level.as_str())
            });
            Address::parse(level, id)
        }
        (Some("global"), None) => Ok(Address::global()),
        (Some(_), None) => return Err(Failure::params("`id` is required with this `level`")),
    };
    address.map_err(|error| Failure::params(error.detail()))
}

fn fill(prompt: &Prompt, address: &Address, arguments: &Object) -> String {
    let mut text = prompt.text.replace("{address}", &format!("`{address}`"));
    for (name, _) in prompt.arguments {
        let given = arguments.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text = text.replace(&format!("{{{name}}}"), given.unwrap_or(LAST));
    }
    text
}

fn message(content: Value) -> Value {
    object([("content", content), ("role", "user".into())])
}

fn said(prompt: &Prompt, messages: Vec<Value>) -> Object {
    let mut result = Object::new();
    result.insert("description", prompt.description.into());
    result.insert("messages", messages.into());
    result
}
