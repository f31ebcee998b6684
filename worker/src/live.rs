//! Live updates: who listens to this object, and telling them.
//!
//! ```text
//! plan ─ before ─ apply ─ after ─▶ one frame for all who use the same id ─▶ sockets
//! ```
//! Sockets sleep while nothing happens, and the object may vanish meanwhile: who they are and what
//! they listen to is attached to them and read again on wake-up. **Nothing here can fail a commit**:
//! it is durable before anybody is told, and who cannot be told what changed is told to read anew.

mod attachment;
mod socket;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use nacre_core::{
    error::{Code, Error, Result},
    id::User,
    live::{Notice, Watch, permit_topic},
    moment::Moment,
    op::Caller,
    plan::Plan,
    store::{Reads, Write},
    topic::Topic,
    wire::live::Telling,
};
use wasm_bindgen::JsValue;
use worker::{State, console_error};

pub(crate) use attachment::{Attachment, Subscription};
use socket::{Host, Socket, binary_frame, text_frame};

use crate::{
    follower::{After, Follower},
    format::Format,
};

/// The token has expired; come back with another.
const EXPIRED: u16 = 4401;
/// No longer a member of a project here.
const EXPELLED: u16 = 4403;
/// The store was erased.
const ERASED: u16 = 4404;

/// The sockets of one object.
pub(crate) struct Live {
    host: Host,
    /// `None` until they are asked for after a wake-up.
    listeners: RefCell<Option<Listeners>>,
    /// When the first token expires.
    first_expiry: Rc<Cell<Option<Moment>>>,
}

#[derive(Default)]
struct Listeners {
    open: BTreeMap<u64, (Socket, Attachment)>,
    /// Who listens to what: socket and the name of the subscription.
    topics: BTreeMap<Topic, BTreeSet<(u64, String)>>,
    last: u64,
}

impl Live {
    /// The sockets of the object. `first_expiry` is kept up to date for the alarm.
    pub(crate) fn new(state: &State, first_expiry: Rc<Cell<Option<Moment>>>) -> Live {
        let live = Live { host: Host::of(state), listeners: RefCell::new(None), first_expiry };
        live.with(|_| ());
        live
    }

    /// When the first token of a socket expires.
    pub(crate) fn first_expiry(&self) -> Option<Moment> {
        self.first_expiry.get()
    }

    /// Opens a socket: what the client gets.
    ///
    /// # Errors
    /// What the platform finds wrong.
    pub(crate) fn open(
        &self,
        caller: Caller,
        expires: Moment,
    ) -> worker::Result<worker::WebSocket> {
        self.with(|listeners| {
            listeners.last += 1;
            let number = listeners.last;
            let subscriptions = BTreeMap::new();
            let attached = Attachment { number, caller, expires, subscriptions };
            let text =
                attached.to_text().map_err(|error| worker::Error::RustError(error.to_string()))?;
            let (client, socket) = self.host.open(&text)?;
            listeners.open.insert(number, (socket, attached));
            Ok(client)
        })
    }

    /// Who listens on a socket; `None` when it was closed, or its token has expired: then it is
    /// closed now.
    pub(crate) fn listener(&self, socket: &worker::WebSocket, now: Moment) -> Option<Listener<'_>> {
        let socket = Socket::of(socket);
        let number = Attachment::of_text(&socket.kept()?).ok()?.number;
        let caller = self.with(|listeners| {
            let (_, attached) = listeners.open.get(&number)?;
            if attached.expires <= now {
                listeners.end(number, EXPIRED, "the token has expired");
                return None;
            }
            Some(attached.caller.clone())
        })?;
        Some(Listener { live: self, number, caller, socket })
    }

    /// Forgets a socket that has ended.
    pub(crate) fn closed(&self, socket: &worker::WebSocket) {
        let socket = Socket::of(socket);
        let attached = socket.kept().and_then(|text| Attachment::of_text(&text).ok());
        if let Some(attached) = attached {
            self.with(|listeners| listeners.end(attached.number, 1000, ""));
        }
    }

    /// Closes the sockets whose token has expired.
    pub(crate) fn close_expired(&self, now: Moment) {
        self.with(|listeners| {
            listeners
                .end_where(EXPIRED, "the token has expired", |attached| attached.expires <= now);
        });
    }

    /// Closes all sockets: the store is gone.
    pub(crate) fn close_all(&self) {
        self.with(|listeners| listeners.end_where(ERASED, "the store was erased", |_| true));
    }

    /// The topics that somebody listens to.
    fn topics(&self) -> Vec<Topic> {
        self.with(|listeners| listeners.topics.keys().cloned().collect())
    }

    /// Tells those who listen to these topics, now that the plan is applied. Without a watch it is
    /// not known what changed, and they are told to read anew.
    fn publish(&self, reads: &dyn Reads, topics: &[Topic], watch: Option<Watch>, plan: &Plan) {
        let seq = plan.seq;
        let notices = watch.and_then(|watch| {
            watch
                .notices(reads, topics.iter(), &plan.events, seq)
                .map_err(|error| lost(&error))
                .ok()
        });
        let notices = notices.unwrap_or_else(|| {
            topics.iter().enumerate().map(|(place, _)| (place, Notice::Resync { seq })).collect()
        });
        self.with(|listeners| {
            // Guests may have lost sight of a topic by this commit.
            let mut seen = BTreeMap::new();
            for (place, notice) in &notices {
                let Some(topic) = topics.get(*place) else { continue };
                listeners.tell(reads, topic, &Telling::notice(notice), &mut seen);
            }
        });
    }

    /// Closes the sockets of those whom the writes of a plan expel.
    fn expel(&self, writes: &[Write]) {
        for write in writes {
            if let Write::Expel { user, .. } = write {
                self.with(|listeners| {
                    let is_theirs = |attached: &Attachment| {
                        attached.caller.user == *user && attached.caller.owner != *user
                    };
                    listeners.end_where(EXPELLED, "the project is no longer shared", is_theirs);
                });
            }
        }
    }

    /// Runs with the listeners, reading them from the sockets first if need be.
    fn with<T>(&self, run: impl FnOnce(&mut Listeners) -> T) -> T {
        let Ok(mut held) = self.listeners.try_borrow_mut() else {
            // Nothing that runs here comes back here; if it did, the sockets know it all as well.
            return run(&mut Listeners::of(&self.host));
        };
        let listeners = held.get_or_insert_with(|| Listeners::of(&self.host));
        let outcome = run(listeners);
        self.first_expiry.set(listeners.open.values().map(|(_, attached)| attached.expires).min());
        outcome
    }
}

impl Follower for Live {
    fn before<'f>(&'f self, reads: &dyn Reads, plan: &Plan) -> Option<After<'f>> {
        let topics = if plan.events.is_empty() { Vec::new() } else { self.topics() };
        let expels = plan.writes.iter().any(|write| matches!(write, Write::Expel { .. }));
        if topics.is_empty() && !expels {
            return None;
        }
        let watch = Watch::before(reads, topics.iter(), &plan.events);
        let watch = watch.map_err(|error| lost(&error)).ok();
        Some(Box::new(move |reads, plan| {
            self.publish(reads, &topics, watch, plan);
            self.expel(&plan.writes);
        }))
    }
}

/// Logs why subscribers are told to read anew. Errors hold no data of contexts.
fn lost(error: &Error) {
    console_error!("live: {error}");
}

impl Listeners {
    fn of(host: &Host) -> Listeners {
        let mut listeners = Listeners::default();
        for socket in host.sockets() {
            let attached = socket.kept().and_then(|text| Attachment::of_text(&text).ok());
            let Some(attached) = attached else { continue };
            for (id, subscription) in &attached.subscriptions {
                listeners.listen(attached.number, id, &subscription.topic);
            }
            listeners.last = listeners.last.max(attached.number);
            listeners.open.insert(attached.number, (socket, attached));
        }
        listeners
    }

    fn listen(&mut self, number: u64, id: &str, topic: &Topic) {
        self.topics.entry(topic.clone()).or_default().insert((number, id.to_owned()));
    }

    fn leave(&mut self, number: u64, id: &str, topic: &Topic) {
        if let Some(listening) = self.topics.get_mut(topic) {
            listening.remove(&(number, id.to_owned()));
            if listening.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    fn end(&mut self, number: u64, code: u16, reason: &str) {
        if let Some((socket, attached)) = self.open.remove(&number) {
            for (id, subscription) in &attached.subscriptions {
                self.leave(number, id, &subscription.topic);
            }
            socket.end(code, reason);
        }
    }

    fn end_where(&mut self, code: u16, reason: &str, ends: impl Fn(&Attachment) -> bool) {
        let ended = self.open.iter().filter(|(_, (_, attached))| ends(attached));
        for number in ended.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.end(number, code, reason);
        }
    }

    /// Gives a socket another subscription, or takes one away.
    fn change(&mut self, number: u64, id: &str, to: Option<Subscription>) -> Result<()> {
        let Some((socket, attached)) = self.open.get_mut(&number) else { return Ok(()) };
        let mut changed = attached.clone();
        let before = match to.clone() {
            Some(subscription) => changed.subscriptions.insert(id.to_owned(), subscription),
            None => changed.subscriptions.remove(id),
        };
        if !socket.keep(&changed.to_text()?) {
            return Err(Error::new(
                Code::Internal,
                "the subscription cannot be saved with the socket",
            ));
        }
        *attached = changed;
        if let Some(before) = before {
            self.leave(number, id, &before.topic);
        }
        if let Some(subscription) = to {
            self.listen(number, id, &subscription.topic);
        }
        Ok(())
    }

    /// Sends a telling to all who listen to a topic and may.
    fn tell(
        &mut self,
        reads: &dyn Reads,
        topic: &Topic,
        telling: &Telling,
        seen: &mut BTreeMap<(User, Topic), Option<Error>>,
    ) {
        let Some(listening) = self.topics.get(topic) else { return };
        let mut frames = Frames::new(telling);
        let mut refused = Vec::new();
        for (number, id) in listening {
            let Some((socket, attached)) = self.open.get(number) else { continue };
            let Some(subscription) = attached.subscriptions.get(id) else { continue };
            let caller = &attached.caller;
            if caller.user != caller.owner {
                let refusal = seen
                    .entry((caller.user.clone(), topic.clone()))
                    .or_insert_with(|| permit_topic(reads, caller, topic).err());
                if let Some(error) = refusal {
                    socket.tell(&frame(&Telling::error(error), Some(id), subscription.format));
                    refused.push((*number, id.clone()));
                    continue;
                }
            }
            socket.tell(frames.frame(id, subscription.format));
        }
        for (number, id) in refused {
            let _kept = self.change(number, &id, None);
        }
    }
}

/// The frames of one telling: one for all who use the same id and format.
struct Frames<'t> {
    telling: &'t Telling,
    made: Vec<(String, Format, JsValue)>,
    nothing: JsValue,
}

impl Frames<'_> {
    fn new(telling: &Telling) -> Frames<'_> {
        Frames { telling, made: Vec::new(), nothing: JsValue::NULL }
    }

    fn frame(&mut self, id: &str, format: Format) -> &JsValue {
        let known =
            self.made.iter().position(|(of, as_format, _)| of == id && *as_format == format);
        let place = known.unwrap_or_else(|| {
            // Those who name their subscriptions each otherwise find none that was made before.
            if self.made.len() >= FRAMES_KEPT {
                self.made.clear();
            }
            self.made.push((id.to_owned(), format, frame(self.telling, Some(id), format)));
            self.made.len() - 1
        });
        self.made.get(place).map_or(&self.nothing, |(_, _, frame)| frame)
    }
}

/// How many names of subscriptions are looked through for a frame that can be sent again.
const FRAMES_KEPT: usize = 8;

fn frame(telling: &Telling, id: Option<&str>, format: Format) -> JsValue {
    encoded(&format.write(&telling.message(id)), format)
}

fn encoded(bytes: &[u8], format: Format) -> JsValue {
    match format {
        Format::Json => text_frame(bytes),
        Format::MsgPack => binary_frame(bytes),
    }
}

/// Who has sent a message.
pub(crate) struct Listener<'l> {
    live: &'l Live,
    number: u64,
    /// Who, and whose store.
    pub(crate) caller: Caller,
    socket: Socket,
}

impl Listener<'_> {
    /// Begins, or begins anew, a subscription.
    ///
    /// # Errors
    /// `too-large` when the socket can hold no more.
    pub(crate) fn subscribe(&self, id: &str, topic: Topic, format: Format) -> Result<()> {
        let subscription = Subscription { topic, format };
        self.live.with(|listeners| listeners.change(self.number, id, Some(subscription)))
    }

    /// Ends a subscription, if there is one.
    ///
    /// # Errors
    /// `internal` only.
    pub(crate) fn unsubscribe(&self, id: &str) -> Result<()> {
        self.live.with(|listeners| listeners.change(self.number, id, None))
    }

    /// Says something to this one.
    pub(crate) fn tell(&self, telling: &Telling, id: Option<&str>, format: Format) {
        self.socket.tell(&frame(telling, id, format));
    }

    /// Sends a frame that is made already.
    pub(crate) fn send(&self, bytes: &[u8], format: Format) {
        self.socket.tell(&encoded(bytes, format));
    }

    /// Ends the socket.
    pub(crate) fn end(&self, code: u16, reason: &str) {
        self.live.with(|listeners| listeners.end(self.number, code, reason));
    }
}
