//! The tools, prompts and resources that the official conformance suite asks for, through the same
//! dispatcher as all others. Only a build for that suite has them.

mod inputs;
mod talk;

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    json, limits,
    value::{Object, Value},
};

use super::{
    Request, Said, call,
    failure::Failure,
    message::notification,
    revision::{Era, META},
};
use crate::{object, text_block};

pub(super) use talk::Talk;
pub use talk::Waits;

/// A red pixel.
const IMAGE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// A sound without samples.
const AUDIO: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/// What a fixture answers.
pub(super) struct Played {
    /// Notifications before the result.
    pub(super) notices: Vec<Value>,
    /// The result; it comes later if there is a talk.
    pub(super) said: Said,
    /// A request to the client, whose answer makes the result.
    pub(super) talk: Option<Talk>,
}

impl Played {
    fn said(said: Said) -> Option<Played> {
        Some(Played { notices: Vec::new(), said, talk: None })
    }
}

/// Answers what a fixture is asked for.
pub(super) fn answer(method: &str, request: &Request<'_>) -> Option<Played> {
    match method {
        "logging/setLevel" if request.era == Era::Initialized => Played::said(Ok(Object::new())),
        "tools/call" => tool(request),
        "prompts/get" => prompt(request),
        "resources/read" => read(request.params.get("uri")?.as_str()?),
        "resources/subscribe" | "resources/unsubscribe" if request.era == Era::Initialized => {
            let uri = request.params.get("uri")?.as_str()?;
            uri.starts_with("test://").then(Object::new).and_then(|said| Played::said(Ok(said)))
        }
        "completion/complete" => {
            let of = request.params.get("ref")?.as_object()?;
            let name = of.get("name").or_else(|| of.get("uri"))?.as_str()?;
            let known = name.starts_with("test_") || name.starts_with("test://");
            known
                .then(|| {
                    members([("completion", data(r#"{"hasMore":false,"total":0,"values":[]}"#))])
                })
                .and_then(|said| Played::said(Ok(said)))
        }
        _ => None,
    }
}

/// Adds the fixtures to a list.
pub(super) fn extend(method: &str, result: &mut Object) {
    let list = match method {
        "capabilities" => {
            result.insert("logging", Object::new().into());
            return;
        }
        "tools/list" => "tools",
        "prompts/list" => "prompts",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        _ => return,
    };
    let lists = data(include_str!("fixtures/lists.json"));
    let mut more: Vec<Value> = part(&lists, list).as_array().unwrap_or_default().to_vec();
    if list == "tools" {
        let tool = |name: &Value| {
            object([
                ("description", "A fixture of the conformance suite".into()),
                ("inputSchema", data(r#"{"properties":{},"type":"object"}"#)),
                ("name", name.clone()),
            ])
        };
        more = more.iter().map(tool).collect();
        more.push(part(&lists, "schema"));
    }
    if let Some(items) = result.get_mut(list).and_then(Value::as_array_mut) {
        items.extend(more);
    }
}

fn tool(request: &Request<'_>) -> Option<Played> {
    let name = request.params.get("name")?.as_str()?;
    let arguments = call::arguments(&request.params).ok()?;
    let meta = |name: &str| request.params.get("_meta").and_then(Value::as_object)?.get(name);
    let one = |content: Value| Played::said(Ok(content_of(Vec::from([content]))));
    match name {
        "test_simple_text" => one(text("This is a simple text response for testing.")),
        "test_image_content" => one(media("image", IMAGE, "image/png")),
        "test_audio_content" => one(media("audio", AUDIO, "audio/wav")),
        "test_embedded_resource" => one(embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )),
        "test_multiple_content_types" => Played::said(Ok(content_of(Vec::from([
            text("Multiple content types test:"),
            media("image", IMAGE, "image/png"),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ])))),
        "test_error_handling" => {
            let mut result = content_of(Vec::from([text(
                "This tool intentionally returns an error for testing",
            )]));
            result.insert("isError", true.into());
            Played::said(Ok(result))
        }
        "test_tool_with_logging" | "test_logging_tool" => {
            let wanted =
                request.era == Era::Initialized || meta(&format!("{META}logLevel")).is_some();
            let said =
                ["Tool execution started", "Tool processing data", "Tool execution completed"];
            let notices = said.iter().filter(|_| wanted).map(|said| {
                let params = members([("data", (*said).into()), ("level", "info".into())]);
                notification("notifications/message", params)
            });
            let said = Ok(content_of(Vec::from([text("Tool with logging executed successfully")])));
            Some(Played { notices: notices.collect(), said, talk: None })
        }
        "test_tool_with_progress" | "test_streaming_elicitation" => {
            let token = meta("progressToken").cloned();
            let notices = [0u64, 50, 100].iter().filter_map(|done| {
                let params = members([
                    ("message", format!("Completed step {done} of 100").into()),
                    ("progress", (*done).into()),
                    ("progressToken", token.clone()?),
                    ("total", 100u64.into()),
                ]);
                Some(notification("notifications/progress", params))
            });
            let said = Ok(content_of(Vec::from([text("done")])));
            Some(Played { notices: notices.collect(), said, talk: None })
        }
        "json_schema_2020_12_tool" => one(text("called")),
        _ => talk::play(name, &arguments, request)
            .or_else(|| Played::said(inputs::tool(name, request)?)),
    }
}

fn prompt(request: &Request<'_>) -> Option<Played> {
    let name = request.params.get("name")?.as_str()?;
    let argument = |name: &str| {
        let arguments = request.params.get("arguments").and_then(Value::as_object);
        String::from(arguments.and_then(|of| of.get(name)?.as_str()).unwrap_or_default())
    };
    let contents = match name {
        "test_simple_prompt" => Vec::from([text("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => {
            let (one, two) = (argument("arg1"), argument("arg2"));
            Vec::from([text(&format!("Prompt with arguments: arg1='{one}', arg2='{two}'"))])
        }
        "test_prompt_with_embedded_resource" => Vec::from([
            embedded(
                &argument("resourceUri"),
                "text/plain",
                "Embedded resource content for testing.",
            ),
            text("Please process the embedded resource above."),
        ]),
        "test_prompt_with_image" => {
            Vec::from([media("image", IMAGE, "image/png"), text("Please analyze the image above.")])
        }
        "test_input_required_result_prompt" => return Played::said(inputs::prompt(request)),
        _ => return None,
    };
    Played::said(Ok(messages_of(contents)))
}

fn read(uri: &str) -> Option<Played> {
    let content = match uri {
        "test://static-text" => {
            contents(uri, "text/plain", "text", "This is the content of the static text resource.")
        }
        "test://static-binary" => contents(uri, "image/png", "blob", IMAGE),
        "test://watched-resource" => {
            contents(uri, "text/plain", "text", "Watched resource content")
        }
        _ => {
            let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
            let data = object([
                ("data", format!("Data for ID: {id}").into()),
                ("id", id.into()),
                ("templateTest", true.into()),
            ]);
            let text = String::from_utf8(json::write(&data)).ok()?;
            contents(uri, "application/json", "text", &text)
        }
    };
    Played::said(Ok(members([("contents", Vec::from([content]).into())])))
}

/// Parses a text of this folder.
fn data(text: &str) -> Value {
    json::read(text.as_bytes(), limits::DEPTH).unwrap_or(Value::Null)
}

fn part(of: &Value, name: &str) -> Value {
    of.as_object().and_then(|of| of.get(name)).cloned().unwrap_or(Value::Null)
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Object {
    let mut object = Object::new();
    for (name, value) in members {
        object.insert(name, value);
    }
    object
}

fn text(text: &str) -> Value {
    text_block(text.into())
}

fn media(kind: &str, bytes: &str, mime: &str) -> Value {
    object([("data", bytes.into()), ("mimeType", mime.into()), ("type", kind.into())])
}

fn contents(uri: &str, mime: &str, member: &str, text: &str) -> Value {
    object([("mimeType", mime.into()), (member, text.into()), ("uri", uri.into())])
}

fn embedded(uri: &str, mime: &str, text: &str) -> Value {
    object([("resource", contents(uri, mime, "text", text)), ("type", "resource".into())])
}

fn content_of(content: Vec<Value>) -> Object {
    members([("content", content.into())])
}

fn messages_of(contents: Vec<Value>) -> Object {
    let message = |content| object([("content", content), ("role", "user".into())]);
    let messages: Vec<Value> = contents.into_iter().map(message).collect();
    members([("messages", messages.into())])
}

/// The refusal of a state that this server did not give.
fn tampered() -> Failure {
    Failure::params("`requestState` is not one that this server gave for this request")
}
