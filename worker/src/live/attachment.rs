//! The data of one socket. The platform stores it with the socket, so that it is still there when a
//! hibernating object wakes.

use std::collections::BTreeMap;

use nacre_core::{
    access::Scopes,
    error::{Code, Error, Result},
    id::User,
    json, limits,
    live::Audience,
    moment::Moment,
    op::Caller,
    revocation::{TokenFacts, TokenId},
    topic::Topic,
    value::{self, Object, Value},
    wire::live::{read_topic, topic_object},
};
use serde::Deserialize;

use crate::{bearer::Bearer, format::Format};

/// Largest attachment, in bytes. The platform allows 16,384, including its own framing.
const ATTACHED_BYTES: usize = 16_000;

/// One socket: its caller with the token, and the subscriptions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attachment {
    /// The number of the socket, unique within the object.
    pub(crate) number: u64,
    /// The caller with its token.
    pub(crate) bearer: Bearer,
    /// The session whose stream it is, if it is one.
    pub(crate) session: Option<String>,
    /// The subscriptions, by the client's ids.
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
}

/// One subscription.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Subscription {
    /// The topic.
    pub(crate) topic: Topic,
    /// The format of the subscribe message; frames use it too.
    pub(crate) format: Format,
}

#[derive(Deserialize)]
struct SessionText {
    number: u64,
    user: String,
    owner: String,
    scopes: String,
    expires: u64,
    /// Sockets that an older version of the Worker has opened do not say it.
    #[serde(default)]
    issued: Option<u64>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    session: Option<String>,
    json: BTreeMap<String, Value>,
    msgpack: BTreeMap<String, Value>,
}

impl Attachment {
    /// The audience that a subscription of this socket is part of.
    pub(crate) fn audience(&self, subscription: &Subscription) -> Audience {
        Audience {
            topic: subscription.topic.clone(),
            user: self.bearer.caller.user.clone(),
            owner: self.bearer.caller.owner.clone(),
        }
    }

    /// The attachment as text.
    ///
    /// # Errors
    /// `too-large` for more subscriptions than an attachment can hold.
    pub(crate) fn to_text(&self) -> Result<String> {
        let (mut json, mut msgpack) = (Object::new(), Object::new());
        for (id, Subscription { topic, format }) in &self.subscriptions {
            let of_format = match format {
                Format::Json => &mut json,
                Format::MsgPack => &mut msgpack,
            };
            of_format.insert(id.as_str(), topic_object(topic).into());
        }
        let mut members = Object::new();
        members.insert("number", self.number.into());
        let Bearer { caller, expires, token } = &self.bearer;
        members.insert("user", caller.user.as_str().into());
        members.insert("owner", caller.owner.as_str().into());
        members.insert("scopes", caller.scopes.to_string().into());
        members.insert("expires", expires.0.into());
        if let Some(issued) = token.issued_at {
            members.insert("issued", issued.0.into());
        }
        if let Some(id) = &token.id {
            members.insert("token", id.as_str().into());
        }
        if let Some(session) = &self.session {
            members.insert("session", session.as_str().into());
        }
        members.insert("json", json.into());
        members.insert("msgpack", msgpack.into());
        let text = String::from_utf8(json::write(&members.into()))
            .map_err(|_| Error::bug("canonical JSON must be UTF-8"))?;
        // The platform stores text beyond Latin-1 with two bytes per letter.
        let bytes = if text.is_ascii() { text.len() } else { 2 * text.len() };
        if bytes > ATTACHED_BYTES {
            return Err(Error::new(
                Code::TooLarge,
                "this socket has too many subscriptions; open another socket, or subscribe to a \
                 subtree",
            )
            .limit(ATTACHED_BYTES as u64));
        }
        Ok(text)
    }

    /// Reads the text of [`Attachment::to_text`].
    ///
    /// # Errors
    /// `internal` for any other text.
    pub(crate) fn of_text(text: &str) -> Result<Attachment> {
        Attachment::read(text)
            .ok_or_else(|| Error::bug("the attachment of a socket cannot be read"))
    }

    fn read(text: &str) -> Option<Attachment> {
        let text: SessionText =
            value::decode_known(json::read(text.as_bytes(), limits::DEPTH).ok()?).ok()?;
        let mut subscriptions = BTreeMap::new();
        for (named, format) in [(text.json, Format::Json), (text.msgpack, Format::MsgPack)] {
            for (id, topic) in named {
                subscriptions.insert(id, Subscription { topic: read_topic(topic).ok()?, format });
            }
        }
        let caller = Caller {
            user: User::parse(&text.user).ok()?,
            owner: User::parse(&text.owner).ok()?,
            scopes: Scopes::parse(&text.scopes),
        };
        let token = TokenFacts {
            issued_at: text.issued.map(Moment),
            id: text.token.map(|id| TokenId::parse(&id)).transpose().ok()?,
        };
        let bearer = Bearer { caller, expires: Moment(text.expires), token };
        Some(Attachment { number: text.number, bearer, session: text.session, subscriptions })
    }
}

#[cfg(test)]
mod tests {
    use nacre_core::address::Address;

    use super::*;

    fn attachment(subscriptions: impl IntoIterator<Item = (String, Subscription)>) -> Attachment {
        Attachment {
            number: 7,
            session: Some("s".into()),
            bearer: Bearer {
                caller: Caller {
                    user: User::parse("bób \"x\"").unwrap(),
                    owner: User::parse("alice").unwrap(),
                    scopes: Scopes::READ,
                },
                expires: Moment(1_790_000_000_000),
                token: TokenFacts {
                    issued_at: Some(Moment(1_780_000_000_000)),
                    id: TokenId::parse("6f1c").ok(),
                },
            },
            subscriptions: subscriptions.into_iter().collect(),
        }
    }

    #[test]
    fn an_attachment_survives_its_text() {
        let address = Address::parse("branch", "b").unwrap();
        let subscriptions = [
            ("a", Topic::Context(address.clone()), Format::Json),
            ("b", Topic::Subtree(Address::global()), Format::MsgPack),
            ("ä\n", Topic::Resolved(address), Format::MsgPack),
        ];
        let attached = attachment(
            subscriptions
                .map(|(id, topic, format)| (id.to_owned(), Subscription { topic, format })),
        );
        let text = attached.to_text().unwrap();
        // A newer version of the Worker may have attached more before it was rolled back.
        let newer = text.replacen('{', r#"{"a":{"b":1},"#, 1);
        assert_eq!(Attachment::of_text(&text), Ok(attached.clone()));
        assert_eq!(Attachment::of_text(&newer), Ok(attached));
        assert_eq!(Attachment::of_text("{}").unwrap_err().code(), Code::Internal);
    }

    #[test]
    fn more_than_can_be_attached_is_refused() {
        let topic = Topic::Resolved(Address::global());
        let many = |count: u32| {
            attachment((0..count).map(|n| {
                (n.to_string(), Subscription { topic: topic.clone(), format: Format::Json })
            }))
        };
        assert!(many(100).to_text().is_ok());
        assert_eq!(many(1000).to_text().unwrap_err().code(), Code::TooLarge);
    }
}
