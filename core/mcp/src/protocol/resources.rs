//! Contexts and views as resources.
//!
//! ```text
//! nacre://contexts/{level}/{id}   the stored layer, JSON
//! nacre://views/{level}/{id}      what the chain comes to, JSON; a context pack if that is too long
//! nacre://start                   the context pack of the default context, Markdown
//! ```

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    error::{Code, Error},
    json, limits,
    value::{Object, Value},
};
use nacre_pack::{self as pack, Counter, Format};
use nacre_store::{
    op::{Read, Resolve, Which},
    store::Filter,
};
use nacre_wire::Cursor;

use super::{
    Request, Said,
    failure::Failure,
    uri::{self, Named, START, TEMPLATES},
};
use crate::{Answered, Ask, Follow, Setting, Step, object};

/// Contexts on a page, each with its view.
const PAGE: usize = 50;

const JSON: &str = "application/json";
const MARKDOWN: &str = "text/markdown";

/// What an empty store tells an agent at its start.
const EMPTY: &str = "# Nothing is stored yet\n\nThe global layer does not exist. Create it with the \
                     tool `manage_context` (action `create`, level `global`, id `global`), then a \
                     project below it.\n";

/// One page of resources. The first one begins with the start.
pub(super) fn list(request: &Request<'_>) -> Step<Said> {
    let after = match cursor(&request.params) {
        Ok(after) => after,
        Err(failure) => return Step::Done(Err(failure)),
    };
    let is_first = after.is_none();
    let read =
        Read::List { filter: Filter::default(), after, limit: PAGE, data: false, reveal: false };
    Step::ask(Ask::Command(read.into(), None), move |answer| {
        Step::Done(answer.map_err(|error| Failure::of(&error, "resources/list")).and_then(|page| {
            let page = read_object(&page, "resources/list")?;
            let mut resources = Vec::new();
            if is_first {
                resources.push(start());
            }
            let items = page.get("items").and_then(Value::as_array).unwrap_or_default();
            for item in items.iter().filter_map(Value::as_object) {
                resources.extend(both(item).into_iter().flatten());
            }
            let mut result = Object::new();
            result.insert("resources", resources.into());
            if let Some(Value::String(next)) = page.get("next_cursor") {
                result.insert("nextCursor", next.as_str().into());
            }
            Ok(result)
        }))
    })
}

/// The place after which a list goes on.
fn cursor(params: &Object) -> Result<Option<Address>, Failure> {
    match params.get("cursor") {
        None => Ok(None),
        Some(cursor) => Cursor::read_list(cursor.as_str().unwrap_or_default())
            .map(Some)
            .map_err(|error| Failure::params(format!("`cursor`: {}", error.detail()))),
    }
}

fn start() -> Value {
    object([
        ("description", "What an agent should know at its start, within 2,000 tokens.".into()),
        ("mimeType", MARKDOWN.into()),
        ("name", "start".into()),
        ("title", "Context pack of the default context".into()),
        ("uri", START.into()),
    ])
}

/// The layer and the view of a listed context.
fn both(item: &Object) -> Option<[Value; 2]> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let address = Address::parse(text("level")?, text("id")?).ok()?;
    let changed = object([("lastModified", text("updated_at")?.into())]);
    let resource = |uri: String, name: String, description: &str| {
        object([
            ("annotations", changed.clone()),
            ("description", description.into()),
            ("mimeType", JSON.into()),
            ("name", name.into()),
            ("uri", uri.into()),
        ])
    };
    Some([
        resource(uri::context(&address), address.to_string(), "The stored layer"),
        resource(
            uri::view(&address),
            format!("{address} resolved"),
            "The layer merged with those above it",
        ),
    ])
}

/// The two templates.
pub(super) fn templates() -> Object {
    let described = [
        ("context", "The stored layer of a context"),
        ("view", "A context merged with those above it"),
    ];
    let templates = TEMPLATES.iter().zip(described).map(|(template, (name, description))| {
        object([
            ("description", description.into()),
            ("mimeType", JSON.into()),
            ("name", name.into()),
            ("uriTemplate", (*template).into()),
        ])
    });
    let mut result = Object::new();
    result.insert("resourceTemplates", templates.collect::<Vec<_>>().into());
    result
}

/// Reads a resource.
pub(super) fn read(request: &Request<'_>) -> Step<Said> {
    let Some(uri) = request.params.get("uri").and_then(Value::as_str).map(String::from) else {
        return Step::Done(Err(Failure::params("`uri` is required")));
    };
    let most = request.setting.most_tokens;
    match Named::parse(&uri) {
        None => {
            let text = "there is no such resource; the templates are \
                        nacre://contexts/{level}/{id} and nacre://views/{level}/{id}";
            let data = object([("uri", uri.into())]);
            Step::Done(Err(Failure::params(text).data(data)))
        }
        Some(Named::Start) => {
            let default = request.setting.default.clone();
            let is_chosen = default.is_some();
            let ask = pack(default.unwrap_or_else(Address::global), pack::TOKENS_DEFAULT.min(most));
            Step::ask(ask, move |answer| match answer {
                Err(error) if error.code() == Code::NotFound && !is_chosen => {
                    Step::Done(Ok(contents(&uri, MARKDOWN, EMPTY.into())))
                }
                answer => Step::Done(markdown(&uri, answer)),
            })
        }
        Some(Named::Context(address)) => {
            let read = Read::Get { address, which: Which::Current, reveal: false };
            Step::ask(Ask::Command(read.into(), None), move |answer| {
                Step::Done(text(&uri, answer).and_then(|text| match fits(&text, most) {
                    true => Ok(contents(&uri, JSON, text)),
                    false => Err(Failure::params(
                        "this layer is longer than an answer may be; read parts of it with the tool \
                         `resolve_context` and a path",
                    )),
                }))
            })
        }
        Some(Named::View(address)) => {
            let resolve = Resolve {
                address: address.clone(),
                path: None,
                as_of: None,
                explain: false,
                reveal: false,
            };
            let ask = Ask::Command(Read::Resolve(resolve).into(), None);
            Step::ask(ask, move |answer| match text(&uri, answer) {
                Ok(text) if fits(&text, most) => Step::Done(Ok(contents(&uri, JSON, text))),
                Ok(_) => {
                    Step::ask(pack(address, most), move |answer| Step::Done(markdown(&uri, answer)))
                }
                Err(failure) => Step::Done(Err(failure)),
            })
        }
    }
}

/// Begins or ends the updates of a resource, for a client of an earlier revision.
pub(super) fn follow(request: &Request<'_>, begins: bool) -> Step<Said> {
    let Some(uri) = request.params.get("uri").and_then(Value::as_str) else {
        return Step::Done(Err(Failure::params("`uri` is required")));
    };
    let Some(named) = Named::parse(uri) else {
        return Step::Done(Err(Failure::params("there is no such resource")));
    };
    let Some(session) = request.session.clone() else {
        let text =
            "updates need the header Mcp-Session-Id, with the session that `initialize` gave";
        return Step::Done(Err(Failure::params(text)));
    };
    let topic = named.topic(request.setting.default.as_ref());
    let uri = String::from(uri);
    let follow = Follow { session, uri: uri.clone(), topic, begins };
    Step::ask(Ask::Follow(follow), move |answer| {
        Step::Done(answer.map(|_| Object::new()).map_err(|error| Failure::of(&error, &uri)))
    })
}

/// Asks for a pack in Markdown.
pub(super) fn pack(address: Address, tokens: u64) -> Ask {
    Ask::Pack(pack::Ask {
        address,
        max_tokens: tokens.max(pack::TOKENS_LEAST) as usize,
        counter: Counter::Cautious,
        format: Format::Markdown,
        origins: false,
    })
}

/// The context that a request means if it names none.
pub(super) fn default(setting: &Setting) -> Address {
    setting.default.clone().unwrap_or_else(Address::global)
}

fn fits(text: &str, most: u64) -> bool {
    Counter::Cautious.count(text) as u64 <= most
}

fn markdown(uri: &str, answer: Result<Answered, Error>) -> Said {
    text(uri, answer).map(|text| contents(uri, MARKDOWN, text))
}

pub(super) fn text(subject: &str, answer: Result<Answered, Error>) -> Result<String, Failure> {
    let answer = answer.map_err(|error| Failure::of(&error, subject))?;
    String::from_utf8(answer.body)
        .map_err(|_| Failure::of(&Error::bug("an answer is not UTF-8"), subject))
}

pub(super) fn read_object(answer: &Answered, subject: &str) -> Result<Object, Failure> {
    match json::read(&answer.body, limits::DEPTH) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Failure::of(&Error::bug("an answer is no object"), subject)),
    }
}

fn contents(uri: &str, kind: &str, text: String) -> Object {
    let content = embedded(uri, kind, text);
    let mut result = Object::new();
    result.insert("contents", Vec::from([content]).into());
    result
}

/// A resource with its text.
pub(super) fn embedded(uri: &str, kind: &str, text: String) -> Value {
    object([("mimeType", kind.into()), ("text", text.into()), ("uri", uri.into())])
}
