//! Live updates: the subscribers of this object, and the frames that they get.
//!
//! ```text
//! plan ─ before ─ apply ─ after ─▶ one frame per subscription id ─▶ sockets
//! ```
//! Sockets hibernate, and the object may vanish meanwhile. Each socket's caller and subscriptions are
//! attached to the socket, and the object reads them again when it wakes. **Nothing here can fail a
//! commit**: the commit is durable before the first frame is sent. A subscriber whose change cannot
//! be computed gets `resync`.

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
    live::{Audience, Notice, Watch},
    moment::Moment,
    op::Caller,
    plan::Plan,
    store::{Reads, Write},
    topic::Topic,
    wire::live::Telling,
};
use wasm_bindgen::JsValue;
use web_sys::WebSocket;
use worker::{State, console_error};

pub(crate) use attachment::{Attachment, Subscription};
use socket::{Host, Socket, binary_frame, text_frame};

use crate::{
    bearer::Bearer,
    follower::{After, Follower},
    format::Format,
};

/// The token has expired or was revoked; the client must connect again with a new one.
const REFUSED: u16 = 4401;
/// The caller is no longer a member of a project in this store.
const EXPELLED: u16 = 4403;
/// The store was erased.
const ERASED: u16 = 4404;
/// The client does not read what it is sent.
const SLOW: u16 = 4408;

/// Most bytes that a socket is sent without a sign of its client. The platform does not tell what
/// waits in a socket, and would keep all of it in memory.
const UNHEARD_BYTES: usize = 16 << 20;

/// The sockets of one object.
pub(crate) struct Live {
    host: Host,
    /// `None` after a wake-up, until they are read for the first time.
    listeners: RefCell<Option<Listeners>>,
    /// The time when the first token expires.
    first_expiry: Rc<Cell<Option<Moment>>>,
}

#[derive(Default)]
struct Listeners {
    open: BTreeMap<u64, Open>,
    /// The subscriptions of each audience: the socket, and the client's name for the subscription.
    audiences: BTreeMap<Audience, BTreeSet<(u64, String)>>,
    last: u64,
}

/// An open socket.
struct Open {
    socket: Socket,
    attached: Attachment,
    /// Bytes sent since the client was last heard.
    unheard: usize,
    /// The platform's time of the last ping that it has answered.
    pinged: f64,
}

impl Open {
    fn new(socket: Socket, attached: Attachment) -> Open {
        Open { socket, attached, unheard: 0, pinged: 0.0 }
    }
}

impl Live {
    /// Creates the sockets of the object. It updates `first_expiry` for the alarm.
    pub(crate) fn new(state: &State, first_expiry: Rc<Cell<Option<Moment>>>) -> Live {
        let live = Live { host: Host::of(state), listeners: RefCell::new(None), first_expiry };
        live.with(|_| ());
        live
    }

    /// The time when the first token of a socket expires.
    pub(crate) fn first_expiry(&self) -> Option<Moment> {
        self.first_expiry.get()
    }

    /// Opens a socket and returns the client's end.
    ///
    /// # Errors
    /// The errors of the platform.
    pub(crate) fn open(
        &self,
        bearer: Bearer,
        session: Option<String>,
    ) -> worker::Result<worker::WebSocket> {
        self.with(|listeners| {
            listeners.last += 1;
            let number = listeners.last;
            let subscriptions = BTreeMap::new();
            let attached = Attachment { number, bearer, session, subscriptions };
            let text =
                attached.to_text().map_err(|error| worker::Error::RustError(error.to_string()))?;
            let (client, socket) = self.host.open(&text)?;
            listeners.open.insert(number, Open::new(socket, attached));
            Ok(client)
        })
    }

    /// The listener of a socket; `None` if the socket is closed. A socket whose token has expired is
    /// closed by this call.
    pub(crate) fn listener(&self, socket: &WebSocket, now: Moment) -> Option<Listener<'_>> {
        let socket = Socket::of(socket);
        let number = Attachment::of_text(&socket.kept()?).ok()?.number;
        let caller = self.with(|listeners| {
            let open = listeners.open.get_mut(&number)?;
            if open.attached.bearer.expires <= now {
                listeners.end(number, REFUSED, "the token has expired");
                return None;
            }
            open.unheard = 0;
            Some(open.attached.bearer.caller.clone())
        })?;
        Some(Listener { live: self, number, caller, socket })
    }

    /// The stream of a caller's session; `None` if it is not open.
    pub(crate) fn of_session(
        &self,
        caller: &Caller,
        session: &str,
        now: Moment,
    ) -> Option<Listener<'_>> {
        self.with(|listeners| {
            let open = listeners.open.iter().find(|(_, open)| {
                let Attachment { session: of, bearer, .. } = &open.attached;
                of.as_deref() == Some(session)
                    && bearer.caller.user == caller.user
                    && bearer.expires > now
            });
            open.map(|(number, open)| Listener {
                live: self,
                number: *number,
                caller: open.attached.bearer.caller.clone(),
                socket: open.socket.clone(),
            })
        })
    }

    /// The open sockets of a user, and their subscriptions.
    pub(crate) fn used_by(&self, user: &User) -> (u64, u64) {
        self.with(|listeners| {
            let of_user =
                listeners.open.values().filter(|open| open.attached.bearer.caller.user == *user);
            of_user.fold((0, 0), |(sockets, subscriptions), open| {
                (sockets + 1, subscriptions + open.attached.subscriptions.len() as u64)
            })
        })
    }

    /// Removes a socket that has ended.
    pub(crate) fn closed(&self, socket: &WebSocket) {
        let socket = Socket::of(socket);
        let attached = socket.kept().and_then(|text| Attachment::of_text(&text).ok());
        if let Some(attached) = attached {
            self.with(|listeners| listeners.end(attached.number, 1000, ""));
        }
    }

    /// Closes the sockets whose token has expired.
    pub(crate) fn close_expired(&self, now: Moment) {
        self.with(|listeners| {
            listeners.end_where(REFUSED, "the token has expired", |of| of.bearer.expires <= now);
        });
    }

    /// Closes all sockets, because the store was erased.
    pub(crate) fn close_all(&self) {
        self.with(|listeners| listeners.end_where(ERASED, "the store was erased", |_| true));
    }

    /// Who has subscribed to what.
    fn audiences(&self) -> Vec<Audience> {
        self.with(|listeners| listeners.audiences.keys().cloned().collect())
    }

    /// Sends the changes of an applied plan to these audiences. Without a watch the changes are not
    /// known, and the subscribers get `resync`.
    fn publish(
        &self,
        reads: &dyn Reads,
        audiences: &[Audience],
        watch: Option<Watch>,
        plan: &Plan,
    ) {
        let seq = plan.seq;
        let notices = watch.and_then(|watch| {
            watch.notices(reads, audiences.iter(), plan).map_err(|error| lost(&error)).ok()
        });
        let notices = notices.unwrap_or_else(|| {
            let places = 0..audiences.len();
            places.map(|place| (place, Notice::Resync { seq })).collect()
        });
        self.with(|listeners| {
            for (place, notice) in &notices {
                if let Some(audience) = audiences.get(*place) {
                    listeners.tell(&self.host, audience, &Telling::notice(notice));
                }
            }
        });
    }

    /// Closes the sockets that the plan takes the right from: those of users whom it removes as
    /// members, and those of tokens that it revokes.
    fn expel(&self, writes: &[Write]) {
        self.with(|listeners| {
            for write in writes {
                match write {
                    Write::Expel { user, .. } => {
                        let is_theirs = |of: &Attachment| {
                            let Caller { user: guest, owner, .. } = &of.bearer.caller;
                            guest == user && owner != user
                        };
                        listeners.end_where(EXPELLED, "the project is no longer shared", is_theirs);
                    }
                    Write::Revoke(_, Some(revocation)) => {
                        let is_covered = |of: &Attachment| {
                            revocation.covers(&of.bearer.caller.user, &of.bearer.token)
                        };
                        listeners.end_where(REFUSED, "the token was revoked", is_covered);
                    }
                    _ => {}
                }
            }
        });
    }

    /// Calls `run` with the listeners. After a wake-up it reads them from the sockets first.
    fn with<T>(&self, run: impl FnOnce(&mut Listeners) -> T) -> T {
        let Ok(mut held) = self.listeners.try_borrow_mut() else {
            // `run` must not call this again. If it does, it reads the listeners from the sockets.
            return run(&mut Listeners::of(&self.host));
        };
        let listeners = held.get_or_insert_with(|| Listeners::of(&self.host));
        let outcome = run(listeners);
        let expiries = listeners.open.values().map(|open| open.attached.bearer.expires);
        self.first_expiry.set(expiries.min());
        outcome
    }
}

impl Follower for Live {
    fn before<'f>(&'f self, reads: &dyn Reads, plan: &Plan) -> Option<After<'f>> {
        let tells = |write: &Write| {
            matches!(write, Write::Member(_) | Write::Expel { .. } | Write::Revoke(_, Some(_)))
        };
        if plan.events.is_empty() && !plan.writes.iter().any(tells) {
            return None;
        }
        let audiences = self.audiences();
        let watch = Watch::before(reads, audiences.iter(), plan);
        let watch = watch.map_err(|error| lost(&error)).ok();
        Some(Box::new(move |reads, plan| {
            self.publish(reads, &audiences, watch, plan);
            self.expel(&plan.writes);
        }))
    }
}

/// Logs the reason for a `resync`. Errors contain no data of contexts.
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
                listeners.listen(attached.number, id, attached.audience(subscription));
            }
            listeners.last = listeners.last.max(attached.number);
            listeners.open.insert(attached.number, Open::new(socket, attached));
        }
        listeners
    }

    fn listen(&mut self, number: u64, id: &str, audience: Audience) {
        self.audiences.entry(audience).or_default().insert((number, id.to_owned()));
    }

    fn leave(&mut self, number: u64, id: &str, audience: &Audience) {
        if let Some(listening) = self.audiences.get_mut(audience) {
            listening.remove(&(number, id.to_owned()));
            if listening.is_empty() {
                self.audiences.remove(audience);
            }
        }
    }

    fn end(&mut self, number: u64, code: u16, reason: &str) {
        if let Some(Open { socket, attached, .. }) = self.open.remove(&number) {
            for (id, subscription) in &attached.subscriptions {
                self.leave(number, id, &attached.audience(subscription));
            }
            socket.end(code, reason);
        }
    }

    fn end_where(&mut self, code: u16, reason: &str, ends: impl Fn(&Attachment) -> bool) {
        let ended = self.open.iter().filter(|(_, open)| ends(&open.attached));
        for number in ended.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.end(number, code, reason);
        }
    }

    /// Adds a subscription to a socket, or removes one.
    fn change(&mut self, number: u64, id: &str, to: Option<Subscription>) -> Result<()> {
        let Some(Open { socket, attached, .. }) = self.open.get_mut(&number) else { return Ok(()) };
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
        let [left, joined] = [before, to]
            .map(|subscription| subscription.map(|subscription| attached.audience(&subscription)));
        if let Some(audience) = left {
            self.leave(number, id, &audience);
        }
        if let Some(audience) = joined {
            self.listen(number, id, audience);
        }
        Ok(())
    }

    /// Sends a telling to an audience: one frame to each socket, for the last of the ids under which
    /// it follows the topic.
    fn tell(&mut self, host: &Host, audience: &Audience, telling: &Telling) {
        let mut frames = Frames::new(telling);
        let mut slow = Vec::new();
        let mut listening = self.audiences.get(audience).into_iter().flatten().peekable();
        while let Some((number, id)) = listening.next() {
            let Some(open) = self.open.get_mut(number) else { continue };
            let Some(subscription) = open.attached.subscriptions.get(id) else { continue };
            if listening.peek().is_some_and(|(next, _)| next == number) {
                continue;
            }
            let (frame, bytes) = frames.frame(id, subscription.format);
            open.socket.tell(frame);
            open.unheard += bytes;
            if open.unheard > UNHEARD_BYTES && !open.was_heard(host) {
                slow.push(*number);
            }
        }
        for number in slow {
            self.end(number, SLOW, "slow-subscriber");
        }
    }
}

impl Open {
    /// Whether the platform has answered a ping since the last look. Then the count begins anew.
    fn was_heard(&mut self, host: &Host) -> bool {
        let pinged = host.pinged(&self.socket);
        let was_heard = pinged > self.pinged;
        if was_heard {
            (self.pinged, self.unheard) = (pinged, 0);
        }
        was_heard
    }
}

/// The frames of one telling. Subscriptions with the same id and format share one frame.
struct Frames<'t> {
    telling: &'t Telling,
    made: Vec<Made>,
    nothing: JsValue,
}

/// A frame with its id and format, and its bytes.
struct Made {
    id: String,
    format: Format,
    frame: JsValue,
    bytes: usize,
}

impl Frames<'_> {
    fn new(telling: &Telling) -> Frames<'_> {
        Frames { telling, made: Vec::new(), nothing: JsValue::NULL }
    }

    /// The frame for a subscription, and its bytes.
    fn frame(&mut self, id: &str, format: Format) -> (&JsValue, usize) {
        let known = self.made.iter().position(|made| made.id == id && made.format == format);
        let place = known.unwrap_or_else(|| {
            // Clients that all use different ids never share a frame.
            if self.made.len() >= FRAMES_KEPT {
                self.made.clear();
            }
            let text = format.write(&self.telling.message(Some(id)));
            let (frame, bytes) = (encoded(&text, format), text.len());
            self.made.push(Made { id: id.to_owned(), format, frame, bytes });
            self.made.len() - 1
        });
        self.made.get(place).map_or((&self.nothing, 0), |made| (&made.frame, made.bytes))
    }
}

/// The number of ids that are searched for a frame to send again.
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

/// The sender of a message.
pub(crate) struct Listener<'l> {
    live: &'l Live,
    number: u64,
    /// The caller, and the owner of the store.
    pub(crate) caller: Caller,
    socket: Socket,
}

impl Listener<'_> {
    /// Adds a subscription, or replaces the one with this id.
    ///
    /// # Errors
    /// `too-large` if the socket cannot hold another one.
    pub(crate) fn subscribe(&self, id: &str, topic: Topic, format: Format) -> Result<()> {
        let subscription = Subscription { topic, format };
        self.live.with(|listeners| listeners.change(self.number, id, Some(subscription)))
    }

    /// Whether there is a subscription with this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.live.with(|listeners| {
            let open = listeners.open.get(&self.number);
            open.is_some_and(|open| open.attached.subscriptions.contains_key(id))
        })
    }

    /// Removes a subscription, if it exists.
    ///
    /// # Errors
    /// `internal`.
    pub(crate) fn unsubscribe(&self, id: &str) -> Result<()> {
        self.live.with(|listeners| listeners.change(self.number, id, None))
    }

    /// Sends a telling to this listener.
    pub(crate) fn tell(&self, telling: &Telling, id: Option<&str>, format: Format) {
        self.socket.tell(&frame(telling, id, format));
    }

    /// Sends an encoded frame.
    pub(crate) fn send(&self, bytes: &[u8], format: Format) {
        self.socket.tell(&encoded(bytes, format));
    }

    /// Closes the socket with a code and a reason.
    pub(crate) fn end(&self, code: u16, reason: &str) {
        self.live.with(|listeners| listeners.end(self.number, code, reason));
    }
}
