//! Messages on a socket, and the frames that come back.

use nacre_core::{
    access::Scopes,
    error::Error,
    id::User,
    json,
    live::{Audience, Watch, subscribe},
    op::{Caller, Command},
    plan::Reply,
    topic,
    value::Value,
    wire::{
        live::{Message, Telling, message_id, reply},
        read_json,
    },
};

use crate::{Case, Json, Topic, list, world::World};

pub(crate) const TOPIC: Topic = Topic::new("live", &["messages"], &["frames"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let (world, subscriptions, frames) = (World::empty(), Vec::new(), Vec::new());
    let mut socket = Socket { world, subscriptions, frames };
    for message in list(&case["messages"]) {
        let message = read_json(message.to_string().as_bytes()).expect("a value");
        let id = message_id(&message).map(String::from);
        if let Err(error) = socket.hear(message) {
            socket.tell(&Telling::error(&error), id.as_deref());
        }
    }
    vec![socket.frames.into()]
}

/// The owner, who may only read.
pub fn alice() -> Caller {
    let user = User::parse("alice").unwrap();
    Caller { owner: user.clone(), user, scopes: Scopes::READ }
}

/// The audience of a caller's subscription.
pub fn audience(caller: &Caller, topic: topic::Topic) -> Audience {
    Audience { topic, user: caller.user.clone(), owner: caller.owner.clone() }
}

/// A socket of alice's, as far as it can be without one.
struct Socket {
    world: World,
    subscriptions: Vec<(String, topic::Topic)>,
    frames: Vec<Json>,
}

impl Socket {
    fn tell(&mut self, telling: &Telling, id: Option<&str>) {
        self.send(&json::write(&telling.message(id)));
    }

    fn send(&mut self, frame: &[u8]) {
        self.frames.push(serde_json::from_slice(frame).expect("JSON"));
    }

    fn perform(&mut self, command: impl Into<Command>) -> Result<(Reply, u64), Error> {
        let plan = self.world.plan(command)?;
        let alices = self.subscriptions.iter().map(|(_, topic)| audience(&alice(), topic.clone()));
        let audiences: Vec<_> = alices.collect();
        let watch = Watch::before(&self.world.store, audiences.iter(), &plan)?;
        self.world.store.apply(&plan.writes);
        let notices = watch.notices(&self.world.store, audiences.iter(), &plan)?;
        for (place, notice) in notices {
            let id = self.subscriptions[place].0.clone();
            self.tell(&Telling::notice(&notice), Some(&id));
        }
        Ok((plan.reply, plan.seq))
    }

    fn hear(&mut self, message: Value) -> Result<(), Error> {
        match Message::of(message)? {
            Message::Subscribe { id, topic, since } => {
                let begun = subscribe(&self.world.store, &alice(), &topic, since)?;
                self.tell(&Telling::subscribed(begun.seq, begun.hash), Some(&id));
                for notice in &begun.missed {
                    self.tell(&Telling::notice(notice), Some(&id));
                }
                self.subscriptions.retain(|(known, _)| *known != id);
                self.subscriptions.push((id, topic));
            }
            Message::Unsubscribe { id } => self.subscriptions.retain(|(known, _)| *known != id),
            Message::Op { id, command, .. } => {
                let (said, seq) = self.perform(command)?;
                self.send(&reply(&id, &said, seq)?);
            }
            Message::Ping => self.tell(&Telling::pong(), None),
        }
        Ok(())
    }
}
