//! Streams of changes: what a client listens to, as subscriptions of the live updates, and their frames
//! as events.
//!
//! ```text
//! subscriptions/listen ─ begin ─▶ subscribe frames ─▶ /v1/live of the store
//! events ◀─ hear ◀─ subscribed · change · delta · … ◀─┘
//! ```
//! A shell holds the stream and the socket; the store may sleep while nothing changes.

use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};

use nacre_layers::{
    address::Address,
    json, limits,
    value::{Object, Value},
};
use nacre_store::topic::Topic;
use nacre_wire::live::topic_object;

use super::{
    Received,
    failure::Failure,
    message::{self, Message, Response, event},
    receive,
    revision::{Era, Header, META},
    uri::Named,
};
use crate::{Setting, object};

/// Most resources that one stream follows.
const RESOURCES: usize = 64;

/// The name of the subscription for the list of resources.
const LIST: &str = "list";

/// An open stream.
#[derive(Debug)]
pub struct Listening {
    /// The id of the request, which tags every message; `None` for the stream of a session.
    id: Option<Value>,
    /// The resources, by the names of their subscriptions.
    uris: Vec<String>,
    /// What the client asked for and may have.
    honoured: Vec<bool>,
    list: bool,
    /// Subscriptions without an answer.
    waiting: usize,
    acknowledged: bool,
}

impl Listening {
    /// Begins the stream of `subscriptions/listen`: the frames for the store's socket.
    ///
    /// # Errors
    /// The answer to a request that asks for something else, or for too much.
    pub fn begin(
        body: &[u8],
        header: Header<'_>,
        setting: &Setting,
    ) -> Result<(Listening, Vec<String>), Response> {
        let Received { message: Message { id, params, .. }, era, .. } = receive(body, header)?;
        let refused =
            |text: &str| Response::failure(Failure::params(text).status(400), id.as_ref());
        let wanted = params.get("notifications").and_then(Value::as_object);
        let (Some(wanted), Some(_), Era::Stateless) = (wanted, &id, era) else {
            return Err(refused("`notifications` is required: what to listen to"));
        };
        let uris = match wanted.get("resourceSubscriptions") {
            None => Vec::new(),
            Some(Value::Array(uris)) if uris.len() <= RESOURCES => {
                let texts = uris.iter().map(|uri| uri.as_str().map(String::from));
                let texts = texts.collect::<Option<Vec<_>>>();
                texts.ok_or_else(|| refused("`resourceSubscriptions` must be a list of URIs"))?
            }
            Some(_) => {
                let text =
                    format!("`resourceSubscriptions` must be a list of at most {RESOURCES} URIs");
                return Err(refused(&text));
            }
        };
        let list = wanted.get("resourcesListChanged").and_then(Value::as_bool) == Some(true);
        Ok(Listening::of(id.clone(), uris, list, setting.default.as_ref()))
    }

    /// Begins the stream of a session of an earlier revision, which subscribes by requests of its own.
    pub fn of_session() -> (Listening, Vec<String>) {
        Listening::of(None, Vec::new(), true, None)
    }

    fn of(
        id: Option<Value>,
        uris: Vec<String>,
        list: bool,
        default: Option<&Address>,
    ) -> (Listening, Vec<String>) {
        let mut frames = Vec::new();
        if list {
            frames.push(subscribe(LIST, &Topic::Subtree(Address::global())));
        }
        let mut honoured = Vec::new();
        for (n, uri) in uris.iter().enumerate() {
            let named = Named::parse(uri);
            honoured.push(named.is_some());
            if let Some(named) = named {
                frames.push(subscribe(&n.to_string(), &named.topic(default)));
            }
        }
        let waiting = frames.len();
        (Listening { id, uris, honoured, list, waiting, acknowledged: false }, frames)
    }

    /// What to tell the client before the store has said anything.
    pub fn greet(&mut self) -> Vec<u8> {
        let mut events = Vec::new();
        self.acknowledge(&mut events);
        events
    }

    /// Takes a frame of the store's socket. Returns events for the client, maybe none.
    pub fn hear(&mut self, frame: &str) -> Vec<u8> {
        let mut events = Vec::new();
        let frame = json::read(frame.as_bytes(), limits::DEPTH + limits::DEPTH);
        let Ok(Value::Object(frame)) = frame else { return events };
        let text = |name: &str| frame.get(name).and_then(Value::as_str);
        let (kind, name) = (text("type").unwrap_or_default(), text("id").unwrap_or_default());
        match kind {
            "subscribed" => self.answered(&mut events),
            "error" if !self.acknowledged => {
                if name == LIST {
                    self.list = false;
                } else if let Some(honoured) =
                    self.place(name).and_then(|n| self.honoured.get_mut(n))
                {
                    *honoured = false;
                }
                self.answered(&mut events);
            }
            "change" if name == LIST => {
                let entered = frame.contains("entered") || frame.contains("left");
                let listed = matches!(text("action"), Some("create" | "delete" | "restore"));
                if entered || listed {
                    self.tell("notifications/resources/list_changed", None, &mut events);
                }
            }
            "resync" if name == LIST => {
                self.tell("notifications/resources/list_changed", None, &mut events);
            }
            // An insight changes no document. `error` is the end of what somebody may see: the next
            // read says why.
            "change" | "delta" | "resync" | "error" if name != LIST => {
                let uri = self.place(name).and_then(|n| self.uris.get(n)).cloned();
                // Those of a session are named by their URI.
                let uri = uri.or_else(|| self.id.is_none().then(|| name.into()));
                self.tell("notifications/resources/updated", uri, &mut events);
            }
            _ => {}
        }
        events
    }

    /// The end that the server brings about.
    pub fn end(&self) -> Vec<u8> {
        let mut events = Vec::new();
        if let Some(id) = &self.id {
            let mut result = Object::new();
            result.insert("resultType", "complete".into());
            result.insert("_meta", object([(&*format!("{META}subscriptionId"), id.clone())]));
            event(&message::result(id, result), &mut events);
        }
        events
    }

    fn place(&self, name: &str) -> Option<usize> {
        name.parse().ok().filter(|_| self.id.is_some())
    }

    /// A subscription has its answer; after the last one the client is told what it follows.
    fn answered(&mut self, events: &mut Vec<u8>) {
        self.waiting = self.waiting.saturating_sub(1);
        self.acknowledge(events);
    }

    fn acknowledge(&mut self, events: &mut Vec<u8>) {
        if self.acknowledged || self.waiting > 0 {
            return;
        }
        self.acknowledged = true;
        let Some(id) = &self.id else { return };
        let mut notifications = Object::new();
        let followed = self.uris.iter().zip(&self.honoured).filter(|(_, honoured)| **honoured);
        let followed: Vec<Value> = followed.map(|(uri, _)| uri.as_str().into()).collect();
        if !followed.is_empty() {
            notifications.insert("resourceSubscriptions", followed.into());
        }
        if self.list {
            notifications.insert("resourcesListChanged", true.into());
        }
        let mut params = tagged(id);
        params.insert("notifications", notifications.into());
        event(&message::notification("notifications/subscriptions/acknowledged", params), events);
    }

    fn tell(&self, method: &str, uri: Option<String>, events: &mut Vec<u8>) {
        let mut params = self.id.as_ref().map(tagged).unwrap_or_default();
        if let Some(uri) = uri {
            params.insert("uri", uri.into());
        }
        event(&message::notification(method, params), events);
    }
}

fn tagged(id: &Value) -> Object {
    let mut params = Object::new();
    params.insert("_meta", object([(&*format!("{META}subscriptionId"), id.clone())]));
    params
}

/// The frame that subscribes to a topic under this name.
fn subscribe(name: &str, topic: &Topic) -> String {
    let frame = object([
        ("id", name.into()),
        ("topic", topic_object(topic).into()),
        ("type", "subscribe".into()),
    ]);
    String::from_utf8(json::write(&frame)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use nacre_store::{access::Scopes, op::Caller};

    use super::*;
    use nacre_layers::id::User;

    fn begin(notifications: &str) -> Result<(Listening, Vec<String>), u16> {
        let user = User::parse("u").unwrap();
        let caller = Caller { user: user.clone(), owner: user, scopes: Scopes::UNSTATED };
        let setting = Setting {
            caller,
            default: Address::parse("task", "t").ok(),
            standing: None,
            most_tokens: 1,
        };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{{"notifications":{notifications},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
        );
        let header = |name: &str| match name {
            "mcp-protocol-version" => Some("2026-07-28".into()),
            "mcp-method" => Some("subscriptions/listen".into()),
            _ => None,
        };
        Listening::begin(body.as_bytes(), &header, &setting).map_err(|response| response.status)
    }

    /// The messages of some events: method, resource and what is followed.
    fn told(events: &[u8]) -> Vec<String> {
        let text = core::str::from_utf8(events).unwrap();
        let messages = text.lines().filter_map(|line| line.strip_prefix("data: "));
        messages.map(String::from).collect()
    }

    #[test]
    fn the_client_is_told_what_it_follows_once_the_store_has_answered() {
        let (mut listening, frames) = begin(
            r#"{"resourcesListChanged":true,"toolsListChanged":true,"resourceSubscriptions":["nacre://start","x://y","nacre://views/task/gone"]}"#,
        )
        .unwrap();
        assert_eq!(
            frames,
            [
                r#"{"id":"list","topic":{"subtree":{"id":"global","level":"global"}},"type":"subscribe"}"#,
                r#"{"id":"0","topic":{"resolved":{"id":"t","level":"task"}},"type":"subscribe"}"#,
                r#"{"id":"2","topic":{"resolved":{"id":"gone","level":"task"}},"type":"subscribe"}"#,
            ]
        );
        assert!(listening.hear(r#"{"type":"subscribed","id":"list","seq":1}"#).is_empty());
        assert!(listening.hear(r#"{"type":"error","id":"2","code":"not-found"}"#).is_empty());
        let events = listening.hear(r#"{"type":"subscribed","id":"0","seq":1}"#);
        assert_eq!(
            told(&events),
            [
                r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"notifications":{"resourceSubscriptions":["nacre://start"],"resourcesListChanged":true}}}"#
            ]
        );
        let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"uri":"nacre://start"}}"#;
        let listed = r#"{"jsonrpc":"2.0","method":"notifications/resources/list_changed","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}}"#;
        for (frame, expected) in [
            (r#"{"type":"delta","id":"0","seq":2}"#, Some(updated)),
            (r#"{"type":"resync","id":"0","seq":2}"#, Some(updated)),
            (r#"{"type":"entry","id":"0","seq":2}"#, None),
            (r#"{"type":"pong"}"#, None),
            (r#"{"type":"change","id":"list","action":"create"}"#, Some(listed)),
            (r#"{"type":"change","id":"list","action":"update"}"#, None),
            (r#"{"type":"change","id":"list","action":"move","entered":true}"#, Some(listed)),
            (r#"{"type":"resync","id":"list","seq":2}"#, Some(listed)),
            ("no frame", None),
        ] {
            let events = listening.hear(frame);
            assert_eq!(told(&events).first().map(String::as_str), expected, "{frame}");
        }
        assert_eq!(
            told(&listening.end()),
            [
                r#"{"id":7,"jsonrpc":"2.0","result":{"_meta":{"io.modelcontextprotocol/subscriptionId":7},"resultType":"complete"}}"#
            ]
        );
    }

    #[test]
    fn a_stream_of_nothing_is_acknowledged_at_once() {
        let (mut listening, frames) = begin(r#"{"promptsListChanged":true}"#).unwrap();
        assert!(frames.is_empty());
        assert!(told(&listening.greet())[0].contains(r#""notifications":{}"#));
    }

    #[test]
    fn what_to_listen_to_must_be_said_and_is_bounded() {
        assert_eq!(begin("[]").unwrap_err(), 400);
        assert_eq!(begin(r#"{"resourceSubscriptions":[1]}"#).unwrap_err(), 400);
        let many = alloc::vec![r#""nacre://start""#; RESOURCES + 1].join(",");
        assert_eq!(begin(&format!(r#"{{"resourceSubscriptions":[{many}]}}"#)).unwrap_err(), 400);
    }

    #[test]
    fn subscriptions_of_a_session_are_named_by_their_resource() {
        let (mut listening, frames) = Listening::of_session();
        assert_eq!(frames.len(), 1);
        assert!(listening.hear(r#"{"type":"subscribed","id":"list","seq":1}"#).is_empty());
        let events = listening.hear(r#"{"type":"delta","id":"nacre://views/task/t","seq":2}"#);
        assert_eq!(
            told(&events),
            [
                r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"nacre://views/task/t"}}"#
            ]
        );
    }
}
