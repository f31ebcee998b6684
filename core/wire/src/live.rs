//! Messages over a WebSocket.
//!
//! ```text
//! in : subscribe {id, topic, since?} · unsubscribe {id} · op {id, op} · ping
//! out: subscribed · change · entry · delta · resync · reply · error · pong
//! ```
//! How a value becomes a frame is the shell's business.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use serde::Deserialize;

use super::{answer, operation, problem::Problem, reply::EntryText, within};
use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    json,
    rules::Rules,
    value::{self, Object, Value},
};
use nacre_store::{
    limits,
    live::{Crossing, Notice},
    op::{Command, Idempotency},
    plan::{Changed, Reply},
    record::Entry,
    topic::Topic,
};

/// A message from a client.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Start a subscription.
    Subscribe {
        /// The client's name for the subscription, 1 to 64 bytes. A subscription with the same name
        /// is replaced.
        id: String,
        /// The topic.
        topic: Topic,
        /// The `seq` of the last commit that the client knows; `None` to start with the current
        /// state.
        since: Option<u64>,
    },
    /// End a subscription.
    Unsubscribe {
        /// The name of the subscription.
        id: String,
    },
    /// Run an operation.
    Op {
        /// The client's name for the answer, 1 to 64 bytes.
        id: String,
        /// The operation, or a batch.
        command: Command,
        /// The idempotency key: a repeat gets the same answer. `None` if there is none.
        idempotency: Option<Idempotency>,
    },
    /// Ask for a `pong`.
    Ping,
}

/// The id of a message, even of an invalid one, so that its error can name it.
pub fn message_id(message: &Value) -> Option<&str> {
    let id = message.as_object()?.get("id")?.as_str()?;
    check_id(id).is_ok().then_some(id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageText {
    r#type: String,
    id: Option<String>,
    topic: Option<TopicText>,
    since: Option<u64>,
    op: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopicText {
    context: Option<AddressText>,
    subtree: Option<AddressText>,
    resolved: Option<AddressText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressText {
    level: String,
    id: String,
}

impl Message {
    /// Decodes a message.
    ///
    /// # Errors
    /// `invalid-request`, `invalid-id` and those of an operation, with the pointer in the message.
    pub fn of(message: Value) -> Result<Message> {
        let MessageText { r#type, id, topic, since, op } = value::decode(message)?;
        let named = |id: Option<String>| {
            let id = id.ok_or_else(|| missing("id"))?;
            check_id(&id).map(|()| id)
        };
        let (message, left) = match &*r#type {
            "subscribe" => {
                let topic = topic.ok_or_else(|| missing("topic"))?.read()?;
                (Message::Subscribe { id: named(id)?, topic, since }, op.map(|_| "/op"))
            }
            "unsubscribe" => {
                let left = [topic.map(|_| "/topic"), since.map(|_| "/since"), op.map(|_| "/op")];
                (Message::Unsubscribe { id: named(id)? }, left.into_iter().flatten().next())
            }
            "op" => {
                let op = op.ok_or_else(|| missing("op"))?;
                let (command, idempotency) = read_op(op).map_err(|error| within("/op", error))?;
                let left = [topic.map(|_| "/topic"), since.map(|_| "/since")];
                let message = Message::Op { id: named(id)?, command, idempotency };
                (message, left.into_iter().flatten().next())
            }
            "ping" => (Message::Ping, None),
            _ => {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "`type` must be one of subscribe, unsubscribe, op, ping",
                )
                .at("/type"));
            }
        };
        match left {
            None => Ok(message),
            Some(member) => Err(Error::new(
                Code::InvalidRequest,
                "this member is not allowed in this type of message",
            )
            .at(member)),
        }
    }
}

/// Reads one operation, or several with the action `batch`.
fn read_op(mut op: Value) -> Result<(Command, Option<Idempotency>)> {
    let action = op.as_object().and_then(|members| members.get("action"));
    if action.and_then(Value::as_str) != Some("batch") {
        let item = operation::item(op)?;
        return Ok((item.op.into(), item.idempotency));
    }
    if let Some(members) = op.as_object_mut() {
        members.remove("action");
    }
    let batch: operation::BatchBody = value::decode(op)?;
    Ok((batch.into_batch()?.into(), None))
}

impl TopicText {
    fn read(self) -> Result<Topic> {
        let address = |address: AddressText, place| {
            Address::parse(&address.level, &address.id).map_err(|error| within(place, error))
        };
        match (self.context, self.subtree, self.resolved) {
            (Some(of), None, None) => Ok(Topic::Context(address(of, "/topic/context")?)),
            (None, Some(of), None) => Ok(Topic::Subtree(address(of, "/topic/subtree")?)),
            (None, None, Some(of)) => Ok(Topic::Resolved(address(of, "/topic/resolved")?)),
            _ => Err(Error::new(
                Code::InvalidRequest,
                "`topic` must have exactly one member: `context`, `subtree` or `resolved`",
            )
            .at("/topic")),
        }
    }
}

fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > limits::MESSAGE_ID_BYTES {
        return Err(Error::new(Code::InvalidRequest, "`id` must be 1 to 64 bytes")
            .at("/id")
            .limit(limits::MESSAGE_ID_BYTES as u64));
    }
    Ok(())
}

fn missing(member: &str) -> Error {
    Error::new(Code::InvalidRequest, "this member is required in this type of message")
        .at(alloc::format!("/{member}"))
}

/// The form of a topic in messages.
pub fn topic_object(topic: &Topic) -> Object {
    let mut address = Object::new();
    address.insert("level", topic.address().level.as_str().into());
    address.insert("id", topic.address().id.as_str().into());
    let mut named = Object::new();
    named.insert(topic.kind(), address.into());
    named
}

/// Reads the form of [`topic_object`].
///
/// # Errors
/// As [`Message::of`].
pub fn read_topic(topic: Value) -> Result<Topic> {
    value::decode::<TopicText>(topic)?.read()
}

/// A message from the server, without the subscription's id, so that one text serves all
/// subscribers with the same id.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling(Object);

impl Telling {
    fn new(r#type: &str) -> Telling {
        let mut members = Object::new();
        members.insert("type", r#type.into());
        Telling(members)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Telling {
        self.0.insert(name, value.into());
        self
    }

    /// The answer to a subscription.
    pub fn subscribed(seq: u64, hash: Option<Hash>) -> Telling {
        let telling = Telling::new("subscribed").with("seq", seq);
        match hash {
            Some(hash) => telling.with("hash", hash.to_string()),
            None => telling,
        }
    }

    /// A notice.
    pub fn notice(notice: &Notice) -> Telling {
        match notice {
            Notice::Change(changed) => change(changed.context.seq, changed),
            Notice::Entered(Crossing { seq, changed }) => {
                change(*seq, changed).with("entered", true)
            }
            Notice::Left(Crossing { seq, changed }) => change(*seq, changed).with("left", true),
            Notice::Entry(entry) => added(entry),
            Notice::Delta { seq, delta } => Telling::new("delta")
                .with("seq", *seq)
                .with("hash", delta.hash.to_string())
                .with("patch", delta.patch.clone()),
            Notice::Resync { seq } => Telling::new("resync").with("seq", *seq),
            Notice::Lost(error) => Telling::error(error),
        }
    }

    /// An error, with the members of a problem.
    pub fn error(error: &Error) -> Telling {
        let mut telling = Telling::new("error");
        if let Ok(Value::Object(problem)) = value::encode(&Problem::of(error)) {
            for (name, value) in problem {
                // The `type` of a problem repeats the code, so it is left out.
                if name != "type" {
                    telling.0.insert(name, value);
                }
            }
        }
        telling
    }

    /// The answer to a ping.
    pub fn pong() -> Telling {
        Telling::new("pong")
    }

    /// The message for whoever calls it `id`.
    pub fn message(&self, id: Option<&str>) -> Value {
        let mut members = self.0.clone();
        if let Some(id) = id {
            members.insert("id", id.into());
        }
        Value::Object(members)
    }
}

fn added(entry: &Entry) -> Telling {
    let telling = Telling::new("entry")
        .with("action", entry.kind.deed())
        .with("context_id", entry.address.id.as_str())
        .with("level", entry.address.level.as_str())
        .with("seq", entry.id.seq);
    match value::encode(&EntryText::of(entry)) {
        Ok(entry) => telling.with("entry", entry),
        // Texts and numbers always have a JSON form; without it the subscriber reads the list anew.
        Err(_) => Telling::new("resync").with("seq", entry.id.seq),
    }
}

fn change(seq: u64, changed: &Changed) -> Telling {
    let Changed { context, before, change, patch } = changed;
    let telling = Telling::new("change")
        .with("action", change.as_str())
        .with("at", context.updated_at.to_string())
        .with("by", context.updated_by.as_str())
        .with("context_id", context.address.id.as_str())
        .with("level", context.address.level.as_str())
        .with("patch", patch.to_value())
        .with("seq", seq)
        .with("version", context.version);
    let telling = match &context.parent {
        Some(parent) => telling.with("parent", parent.as_str()),
        None => telling,
    };
    let none = Rules::default();
    let rules_before = before.as_ref().map_or(&none, |before| &*before.rules);
    match *context.rules == *rules_before {
        true => telling,
        false => telling.with("rules", context.rules.to_object()),
    }
}

/// The message that answers an operation, as JSON: its result as in a batch.
///
/// # Errors
/// As [`Answer::of`](super::Answer::of).
pub fn reply(id: &str, reply: &Reply, seq: u64) -> Result<Vec<u8>> {
    let mut out = Vec::from(*br#"{"id":"#);
    json::write_string(id, &mut out);
    out.extend_from_slice(br#","result":"#);
    answer::write_result(reply, seq, &mut out)?;
    out.extend_from_slice(br#","seq":"#);
    json::write_to(&seq.into(), &mut out);
    out.extend_from_slice(br#","type":"reply"}"#);
    Ok(out)
}
