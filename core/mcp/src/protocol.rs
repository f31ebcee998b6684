//! Requests of the protocol: from the bytes of a body to those of its answer.
//!
//! ```text
//! body, headers ─ receive ─▶ Received ─ answer ─▶ Step<Response>
//!                            Listening ─ subscriptions ─▶ … ─ hear(frame) ─▶ events
//! ```
//! Two kinds of revisions are served side by side. From 2026-07-28 each request stands for itself; the
//! earlier ones begin with `initialize`. What is asked for and answered is the same.

mod about;
mod call;
mod complete;
mod failure;
mod listen;
mod message;
mod prompts;
mod resources;
mod revision;
#[cfg(test)]
mod tests;
mod uri;

#[cfg(feature = "conformance")]
mod fixtures;
#[cfg(not(feature = "conformance"))]
#[path = "protocol/no_fixtures.rs"]
mod fixtures;

use alloc::{borrow::ToOwned as _, boxed::Box, format, string::String, vec::Vec};

use nacre_layers::value::{Object, Value};
use nacre_store::{
    access::Scopes,
    op::{Administration, Command, Inspection},
};

pub use fixtures::Waits;
pub use listen::Listening;
pub use message::{EVENTS, Response};
pub use revision::Header;

use crate::{Ask, Setting, Step};
use failure::{Failure, METHOD_NOT_FOUND};
use fixtures::Played;
use message::Message;
use revision::Era;

/// What a request comes to.
pub(crate) type Said = Result<Object, Failure>;

/// A request, with what it stands in.
pub(crate) struct Request<'r> {
    /// The revision.
    pub(crate) era: Era,
    /// The parameters.
    pub(crate) params: Object,
    /// The caller, and defaults.
    pub(crate) setting: &'r Setting,
    /// The sets of tools that the client chose.
    pub(crate) sets: Option<&'r str>,
    /// The session, if the request is of one.
    pub(crate) session: Option<String>,
}

/// A message whose form is right.
#[derive(Clone, Debug)]
pub struct Received {
    message: Message,
    era: Era,
    session: Option<String>,
}

/// Reads the body of a POST.
///
/// # Errors
/// The answer to a message that cannot be read, or whose headers do not fit.
pub fn receive(body: &[u8], header: Header<'_>) -> Result<Received, Response> {
    let message = Message::read(body);
    let message = message.map_err(|(failure, id)| Response::failure(failure, id.as_ref()))?;
    let era = revision::era(&message, header);
    let era = era.map_err(|failure| Response::failure(failure, message.id.as_ref()))?;
    Ok(Received { message, era, session: session(header) })
}

impl Received {
    /// The answer of a client, with the id of the request that it answers.
    pub fn reply(&self) -> Option<(&str, &Object)> {
        let Message { id, method: None, params } = &self.message else { return None };
        Some((id.as_ref()?.as_str()?, params))
    }

    /// Answers the message. `sets` are the sets of tools that the client chose; `fresh` is a text that
    /// nobody can guess, for a session that begins.
    pub fn answer(self, setting: &Setting, sets: Option<&str>, fresh: &str) -> Step<Response> {
        let Received { message: Message { id, method, params }, era, session } = self;
        let (Some(id), Some(method)) = (id, method) else {
            // A notification, or the answer to a request: this server asks its clients nothing.
            return Step::Done(Response::bare(202));
        };
        let begun = (method == "initialize" && era == Era::Initialized).then(|| fresh.to_owned());
        let request = Request { era, params, setting, sets, session };
        let (notices, step) = match fixtures::answer(&method, &request) {
            Some(Played { talk: Some(talk), .. }) => {
                return Step::Done(talk.begin(id, fresh));
            }
            Some(Played { notices, said, talk: None }) => (notices, Step::Done(said)),
            None => (Vec::new(), dispatch(&method, &request)),
        };
        let failed = id.clone();
        let step = step.map(move |said| match said {
            Ok(mut result) => {
                fixtures::extend(&method, &mut result);
                about::complete(era, &method, &mut result);
                let message = message::result(&id, result);
                let mut response = match notices.is_empty() {
                    true => Response::message(200, &message),
                    false => {
                        let mut messages = notices;
                        messages.push(message);
                        Response::events(&messages)
                    }
                };
                response.headers.extend(begun.map(|session| ("Mcp-Session-Id", session)));
                response
            }
            Err(failure) => Response::failure(failure, Some(&id)),
        });
        within(step, setting.caller.scopes, failed)
    }
}

/// The request by its method.
fn dispatch(method: &str, request: &Request<'_>) -> Step<Said> {
    let initialized = request.era == Era::Initialized;
    Step::Done(Ok(match method {
        "initialize" if initialized => about::initialize(&request.params),
        "ping" if initialized => Object::new(),
        "server/discover" if !initialized => about::discover(),
        "tools/list" => return Step::Done(call::list(request)),
        "tools/call" => return call::call(request),
        "resources/list" => return resources::list(request),
        "resources/templates/list" => resources::templates(),
        "resources/read" => return resources::read(request),
        "resources/subscribe" if initialized => return resources::follow(request, true),
        "resources/unsubscribe" if initialized => return resources::follow(request, false),
        "prompts/list" => prompts::list(),
        "prompts/get" => return prompts::get(request),
        "completion/complete" => return complete::complete(request),
        _ => {
            let failure = Failure::new(METHOD_NOT_FOUND, format!("there is no method `{method}`"));
            return Step::Done(Err(if initialized { failure } else { failure.status(404) }));
        }
    }))
}

/// Refuses to ask for what the token does not allow. HTTP refuses the same by its table of routes.
fn within(step: Step<Response>, held: Scopes, id: Value) -> Step<Response> {
    match step {
        Step::Done(response) => Step::Done(response),
        Step::Ask(asks, next) => {
            let needed = asks.iter().fold(Scopes::NONE, |needed, ask| needed.with(ask.needs()));
            if !held.allows(needed) {
                return Step::Done(Response::failure(Failure::scopes(needed), Some(&id)));
            }
            Step::Ask(asks, Box::new(move |answers| within(next(answers), held, id)))
        }
    }
}

impl Ask {
    /// The scopes that it needs: those of its twin over HTTP.
    fn needs(&self) -> Scopes {
        match self {
            Ask::Command(Command::Inspection(inspection), _) => match inspection {
                Inspection::Promotions { .. } | Inspection::Templates | Inspection::Template(_) => {
                    Scopes::READ
                }
                _ => Scopes::ADMIN,
            },
            Ask::Command(Command::Administration(administration), _) => match administration {
                Administration::Begin(_) => Scopes::WRITE,
                // The answer shows what a preview does.
                Administration::Propose(_) | Administration::Settle(..) => {
                    Scopes::READ.with(Scopes::WRITE)
                }
                _ => Scopes::ADMIN,
            },
            Ask::Command(command, _) => {
                let own = if command.is_write() { Scopes::WRITE } else { Scopes::READ };
                if command.reveals() { own.with(Scopes::REVEAL) } else { own }
            }
            Ask::Search(_) | Ask::Pack(_) | Ask::Follow(_) => Scopes::READ,
        }
    }
}

/// What a session is named: the value of `Mcp-Session-Id`, if it may be one.
pub fn session(header: Header<'_>) -> Option<String> {
    let session = header("mcp-session-id")?;
    let is_visible = session.bytes().all(|byte| byte.is_ascii_graphic());
    (is_visible && (1..=128).contains(&session.len())).then_some(session)
}
