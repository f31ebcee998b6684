//! One owner's store: a Durable Object with an SQLite database.
//!
//! ```text
//! request ─ route, read body, decode ─▶ decide ─▶ apply, one transaction ─▶ answer
//! message ─ read ─▶ decide ─▶ apply ─▶ reply                 over a socket
//!                             └──▶ tell the followers
//! ```
//! **The object awaits nothing between decision and commit**, so two requests never decide side by
//! side. It can vanish between any two lines, so everything that it needs after a wake-up is in SQL.

mod indexing;
mod mcp;
mod searching;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::pin,
    rc::Rc,
    task::Context,
};

use futures_util::{StreamExt as _, stream::try_unfold};
use js_sys::Uint8Array;
use nacre_core::{
    address::Address,
    decide::{Setting, admit, decide},
    entropy::Entropy,
    error::{Code, Error, Result},
    id::User,
    limits,
    live::subscribe,
    op::{self, Caller},
    pack::pack,
    plan::Plan,
    quota::{Counted, Quota, Rates, Standing, too_soon},
    store::Reads as _,
    wire::{
        Answer,
        live::{Message, Telling, message_id, reply},
        remember,
        reply::{KeysText, UsageText},
    },
};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use web_sys::{Request, WebSocket};
use worker::{ByteStream, Env, State, console_error, worker_sys::DurableObjectState};

use crate::{
    auth::Refusal,
    bearer::Bearer,
    changes::Changes,
    config::Config,
    embedder::Embedder,
    follower::Follower,
    format::Format,
    forward, host,
    http::{self, BodyWanted, Exchange, Exporter, Importer, Task, Work},
    indexer::Indexer,
    live::{Listener, Live},
    message::{self, Parts},
    models::ModelFiles,
    prompt::promptly,
    searcher::Searcher,
    sql::{Counts, Durable},
    sql_store::{Founding, Rotation, SqlStore},
    usage::{Stocks, usage},
};

/// The wait before a failed alarm runs again, in milliseconds. The platform gives up after six
/// tries, but the work stays due.
const ALARM_AGAIN_MILLIS: i64 = 60_000;

/// What the platform makes and calls. The macro of `worker` would make a promise and a task of every
/// call; most calls need neither.
#[wasm_bindgen]
pub struct UserObject {
    object: Rc<Object>,
}

struct Object {
    state: State,
    store: Result<Rc<Keeper>, String>,
}

/// The store with the deployment's settings.
struct Keeper {
    config: Rc<Config>,
    store: SqlStore<Durable>,
    live: Live,
    /// Rows that work behind the requests has touched.
    behind: Cell<Counts>,
    rates: RefCell<Rates>,
    /// The searches, which are requests, too.
    searches: RefCell<Rates>,
    indexer: Indexer,
    /// What has changed since the last search.
    changes: Changes,
    searcher: Searcher,
    models: ModelFiles,
}

#[wasm_bindgen]
impl UserObject {
    /// An object whose state the platform has loaded.
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> UserObject {
        let state = State::from(state);
        let store = Config::of(&env).map(|config| {
            // The alarm must also fire for this; the rows do not hold it.
            let first_expiry = Rc::default();
            let database = Durable::new(&state.storage(), Rc::clone(&first_expiry));
            let store = SqlStore::new(database, config.retention);
            let models = ModelFiles::of(&env);
            let store = store.with_quotas(config.quotas.clone()).with_models(models.is_bound());
            let store = store.with_model(config.embedder.as_ref().map(Embedder::model));
            let live = Live::new(&state, first_expiry);
            let indexer = Indexer::new(config.search.clone());
            Rc::new(Keeper {
                config,
                store,
                live,
                behind: Cell::default(),
                rates: RefCell::new(Rates::new(Counted::Requests)),
                searches: RefCell::new(Rates::new(Counted::Searches)),
                indexer,
                changes: Changes::default(),
                searcher: Searcher::default(),
                models,
            })
        });
        UserObject { object: Rc::new(Object { state, store }) }
    }

    /// Answers a request that the Worker in front has sent on.
    ///
    /// # Errors
    /// What the platform throws.
    pub fn fetch(&self, request: Request) -> Result<JsValue, JsValue> {
        let object = Rc::clone(&self.object);
        promptly(async move {
            host::note_request();
            let answer = object.answer(&request).await;
            host::note_request(); // It may have taken long.
            answer
        })
    }

    /// Does the work that is due.
    ///
    /// # Errors
    /// What the platform throws.
    pub fn alarm(&self) -> Result<JsValue, JsValue> {
        let object = Rc::clone(&self.object);
        promptly(async move { object.upkeep().await })
    }

    /// Answers a frame: text is JSON, bytes are MessagePack.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn hear(&self, socket: &WebSocket, frame: &JsValue) {
        host::note_request();
        let Ok(keeper) = &self.object.store else { return };
        let Some(listener) = keeper.live.listener(socket, host::now()) else { return };
        match frame.as_string() {
            Some(text) => keeper.hear(&listener, text.as_bytes(), Format::Json),
            None => keeper.hear(&listener, &Uint8Array::new(frame).to_vec(), Format::MsgPack),
        }
    }

    /// Forgets a socket that was closed.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn closed(&self, socket: &WebSocket) {
        if let Ok(keeper) = &self.object.store {
            keeper.live.closed(socket);
        }
    }

    /// Forgets a socket that broke.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn broken(&self, socket: &WebSocket) {
        self.closed(socket);
    }
}

impl Object {
    async fn answer(&self, request: &Request) -> Result<JsValue, JsValue> {
        let parts = Parts::of(request);
        let head = parts.head();
        let keeper = match &self.store {
            Ok(keeper) => keeper,
            Err(message) => return message::not_set_up(&head, message),
        };
        // One draw for the whole request, because each one crosses into JavaScript.
        let draw = host::Draw::new().map_err(thrown)?;
        let mut exchange = Exchange::begin(&head, &keeper.config.http, || draw.request_id());
        let mut entropy = draw.entropy;
        let bearer = match forward::bearer(&head) {
            Ok(bearer) => bearer,
            Err(error) => {
                return message::sent(&exchange.problem(&error, None, &Work::default()));
            }
        };
        let meter = Meter::start(keeper);
        let counted = keeper.count(&bearer.caller).and_then(|(standing, passes)| {
            exchange.stand(standing);
            if passes { Ok(()) } else { Err(too_soon(&standing)) }
        });
        // A stranger costs next to nothing: no body is read, no socket accepted, no alarm set.
        match counted.and_then(|()| keeper.has_revoked(&bearer, &mut entropy)) {
            Ok(false) => {}
            Ok(true) => {
                message::pass_over(request).await;
                return message::sent(&exchange.refused(Refusal::Revoked));
            }
            Err(error) => {
                message::pass_over(request).await;
                // That a path does not have a method holds for strangers too.
                let error = exchange.unsupported(&head).unwrap_or(error);
                return message::sent(&exchange.problem(&error, None, &Work::default()));
            }
        }
        if head.path == http::mcp::PATH {
            let asked = (request, &parts);
            return self.speak(keeper, asked, &exchange, &bearer, &mut entropy).await;
        }
        let task = match exchange.route(&head, bearer.caller.clone()) {
            Ok(routed) => {
                let length = parts.header("content-length");
                let body = match routed.body() {
                    BodyWanted::AtMost(limit) => {
                        let body = message::body(request, length.as_deref(), limit).await;
                        // It may have taken long, and the token may be revoked by now.
                        body.and_then(|body| keeper.admit(&bearer).map(|()| body))
                    }
                    BodyWanted::None | BodyWanted::Lines => Ok(Vec::new()),
                };
                body.and_then(|body| routed.decode(&body))
            }
            Err(error) => Err(error),
        };
        match task {
            Ok(Task::Command(request)) => {
                message::sent(&keeper.answer(&exchange, &meter, &request, &mut entropy))
            }
            Ok(Task::Import(importer)) => {
                let lines = message::stream(request);
                let answer =
                    keeper.import(&exchange, &meter, &bearer, importer, lines, entropy).await;
                message::sent(&answer)
            }
            Ok(Task::Export(exporter)) => {
                keeper.export(exchange, &meter, bearer, exporter, entropy)
            }
            Ok(Task::Live) => {
                let socket = keeper.listen(bearer, parts.header(SESSION));
                match socket {
                    Ok(socket) => message::upgraded(&exchange.upgraded(&head), socket),
                    Err(error) => message::sent(&exchange.problem(&error, None, &Work::default())),
                }
            }
            Ok(Task::Usage { caller }) => message::sent(&keeper.usage(&exchange, &meter, &caller)),
            Ok(Task::Keys { caller, rotate }) => {
                message::sent(&keeper.keys(&exchange, &meter, &caller, rotate, &mut entropy))
            }
            Ok(Task::Search { caller, question }) => {
                let asked = (&caller, &question);
                let answer = keeper.search(&exchange, &meter, &bearer, asked, &mut entropy).await;
                self.load_behind(keeper, &caller);
                message::sent(&answer)
            }
            Ok(Task::Pack { caller, ask }) => {
                let answer = match pack(&keeper.store, &caller, &ask) {
                    Ok(pack) => exchange.packed(pack, ask.format, &meter.read(keeper)),
                    Err(error) => exchange.problem(&error, None, &Work::default()),
                };
                message::sent(&answer)
            }
            Ok(Task::GiveVector { address, given }) => {
                let given = (&address, &given);
                let answer = keeper.give_vector(&exchange, &bearer, given, &mut entropy).await;
                self.load_behind(keeper, &bearer.caller);
                message::sent(&answer)
            }
            Ok(Task::Reindex { begin }) => {
                message::sent(&keeper.reindex(&exchange, &meter, begin, &mut entropy))
            }
            Ok(Task::Erase) => {
                let erased = match self.erase(keeper, &mut entropy).await? {
                    Ok(()) => exchange.erased(),
                    Err(error) => exchange.problem(&error, None, &Work::default()),
                };
                message::sent(&erased)
            }
            Err(error) if error.code() == Code::Unauthenticated => {
                message::sent(&exchange.refused(Refusal::Revoked))
            }
            Err(error) => {
                message::pass_over(request).await;
                message::sent(&exchange.problem(&error, None, &Work::default()))
            }
        }
    }

    async fn upkeep(&self) -> Result<JsValue, JsValue> {
        let done = match &self.store {
            Ok(keeper) => keeper.behind(self.upkeep_of(keeper)).await?,
            Err(message) => Err(Error::bug(message.clone())),
        };
        if let Err(error) = done {
            console_error!("alarm: {error}");
            self.state.storage().set_alarm(ALARM_AGAIN_MILLIS).await?;
        }
        Ok(JsValue::UNDEFINED)
    }
}

/// The header with the session whose stream a socket feeds.
const SESSION: &str = "nacre-session";

/// The close code for a frame that is larger than a body may be (RFC 6455 §7.4.1).
const TOO_BIG: u16 = 1009;

impl Keeper {
    /// The followers of every commit, in the order of their calls.
    fn followers(&self) -> [&dyn Follower; 2] {
        [&self.live, &self.changes]
    }

    /// Does work behind the requests. It goes on while requests wait for their bodies, and none of them
    /// is told its rows.
    async fn behind<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        let step = |context: &mut Context<'_>| {
            let before = self.store.counts();
            let polled = work.as_mut().poll(context);
            let taken = self.store.counts().since(before);
            self.behind.set(self.behind.get().plus(taken));
            polled
        };
        poll_fn(step).await
    }

    /// Rows that requests have touched since the object woke up.
    fn counts(&self) -> Counts {
        self.store.counts().since(self.behind.get())
    }

    /// Decides a request, applies the plan in one transaction, and tells the followers.
    fn carry_out(&self, request: &op::Request, entropy: &mut Entropy) -> Result<Plan> {
        let Keeper { config, store, .. } = self;
        store.open(&request.caller.owner, &config.masters, entropy)?;
        let founding = if store.is_void()? && request.command.is_write() {
            Some(Founding::new(&request.caller.owner, &config.masters, entropy)?)
        } else {
            None
        };
        let keys = store.keys()?.or(founding.as_ref().map(|founding| founding.keys.clone()));
        let mut setting = Setting {
            at: host::now().max(store.last_commit()?),
            entropy,
            keys: keys.as_deref().map(|keys| keys as _),
            names: &config.names,
            content: config.content,
        };
        let mut plan = decide(store, &mut setting, request)?;
        remember(&mut plan, Answer::of)?;
        let after = self.followers().map(|follower| follower.before(store, &plan));
        store.apply(&plan.writes, founding.as_ref(), entropy)?;
        after.into_iter().flatten().for_each(|after| after(store, &plan));
        Ok(plan)
    }

    /// Counts a request or a message. Returns where the caller stands, and whether it may pass.
    fn count(&self, caller: &Caller) -> Result<(Standing, bool)> {
        let mut rates = self.rates.try_borrow_mut().map_err(|_| rates_borrowed())?;
        Ok(rates.take(&caller.user, self.store.quotas(), is_owner(caller), host::now()))
    }

    /// Answers with what the caller uses and may use.
    fn usage(&self, exchange: &Exchange, meter: &Meter, caller: &Caller) -> http::Response {
        let usage = self.usage_of(exchange, caller);
        match usage.and_then(|usage| Ok((usage, self.store.seq()?))) {
            Ok((usage, seq)) => exchange.state(&usage, seq, &meter.read(self)),
            Err(error) => exchange.problem(&error, None, &Work::default()),
        }
    }

    fn usage_of(&self, exchange: &Exchange, caller: &Caller) -> Result<UsageText<'static>> {
        let used = self.store.used()?;
        let (sockets, subscriptions) = self.live.used_by(&caller.user);
        let stocks = Stocks { used: &used, sockets, subscriptions };
        let standing =
            exchange.standing().ok_or_else(|| Error::bug("the request was not counted"))?;
        let searches = self.searches.try_borrow().map_err(|_| rates_borrowed())?;
        let quotas = self.store.quotas();
        let searches = searches.standing(&caller.user, quotas, is_owner(caller), host::now());
        Ok(usage(quotas, caller, &stocks, [standing, &searches]))
    }

    /// Whether the owner has revoked the token of a request. Refuses strangers.
    fn has_revoked(&self, bearer: &Bearer, entropy: &mut Entropy) -> Result<bool> {
        let Bearer { caller, token, .. } = bearer;
        self.store.open(&caller.owner, &self.config.masters, entropy)?;
        admit(&self.store, caller)?;
        self.store.has_revoked(&caller.user, token)
    }

    /// Refuses to go on with a long request whose token was revoked meanwhile.
    fn admit(&self, bearer: &Bearer) -> Result<()> {
        match self.store.has_revoked(&bearer.caller.user, &bearer.token)? {
            true => Err(Refusal::Revoked.into()),
            false => Ok(()),
        }
    }

    /// Opens a socket. The store is open.
    fn listen(&self, bearer: Bearer, session: Option<String>) -> Result<worker::WebSocket> {
        let (sockets, _) = self.live.used_by(&bearer.caller.user);
        let quotas = self.store.quotas();
        quotas.permit(Quota::Sockets, is_owner(&bearer.caller), sockets, sockets + 1)?;
        let socket = self.live.open(bearer, session).map_err(|error| {
            console_error!("live: {error}");
            Error::new(Code::StoreUnavailable, "the socket cannot be opened; try again")
        })?;
        self.store.arm(self.live.first_expiry())?;
        Ok(socket)
    }

    /// Answers a frame.
    fn hear(&self, listener: &Listener<'_>, frame: &[u8], format: Format) {
        if frame.len() > limits::BATCH_BYTES {
            return listener.end(TOO_BIG, "a frame must be at most 4 MiB");
        }
        let passes = self
            .count(&listener.caller)
            .and_then(|(standing, passes)| if passes { Ok(()) } else { Err(too_soon(&standing)) });
        let message = match passes.and_then(|()| format.read(frame)) {
            Ok(message) => message,
            Err(error) => return listener.tell(&Telling::error(&error), None, format),
        };
        let id = message_id(&message).map(String::from);
        let heard = Message::of(message)
            .and_then(|message| Ok((message, host::Draw::new()?)))
            .and_then(|(message, draw)| self.heed(listener, message, draw, format));
        if let Err(error) = heard {
            listener.tell(&Telling::error(&error), id.as_deref(), format);
        }
    }

    fn heed(
        &self,
        listener: &Listener<'_>,
        message: Message,
        draw: host::Draw,
        format: Format,
    ) -> Result<()> {
        let caller = listener.caller.clone();
        let request_id = draw.request_id();
        let mut entropy = draw.entropy;
        match message {
            Message::Subscribe { id, topic, since } => {
                self.store.open(&caller.owner, &self.config.masters, &mut entropy)?;
                let begun = subscribe(&self.store, &caller, &topic, since)?;
                let (_, held) = self.live.used_by(&caller.user);
                let held_then = held + u64::from(!listener.has(&id));
                let quotas = self.store.quotas();
                quotas.permit(Quota::Subscriptions, is_owner(&caller), held, held_then)?;
                listener.subscribe(&id, topic, format)?;
                listener.tell(&Telling::subscribed(begun.seq, begun.hash), Some(&id), format);
                for notice in &begun.missed {
                    listener.tell(&Telling::notice(notice), Some(&id), format);
                }
                Ok(())
            }
            Message::Unsubscribe { id } => listener.unsubscribe(&id),
            Message::Op { id, command, idempotency } => {
                let request = op::Request { caller, command, idempotency, id: Some(request_id) };
                let plan = self.carry_out(&request, &mut entropy)?;
                let reply = reply(&id, &plan.reply, plan.seq)?;
                listener.send(&format.rewrite(reply)?, format);
                Ok(())
            }
            Message::Ping => {
                listener.tell(&Telling::pong(), None, format);
                Ok(())
            }
        }
    }

    fn answer(
        &self,
        exchange: &Exchange,
        meter: &Meter,
        request: &op::Request,
        entropy: &mut Entropy,
    ) -> http::Response {
        match self.carry_out(request, entropy) {
            Ok(plan) => exchange.answer(&plan.reply, plan.seq, &meter.read(self)),
            // A caller who must not know of the store must not learn its `seq` either.
            Err(error)
                if error.code() == Code::NotFound
                    && request.caller.user != request.caller.owner =>
            {
                exchange.problem(&error, None, &Work::default())
            }
            Err(error) => exchange.problem(&error, self.store.seq().ok(), &meter.read(self)),
        }
    }

    /// Decides an import block by block, as its lines arrive.
    async fn import(
        &self,
        exchange: &Exchange,
        meter: &Meter,
        bearer: &Bearer,
        mut importer: Importer,
        lines: Option<ByteStream>,
        mut entropy: Entropy,
    ) -> http::Response {
        let outcome = self.import_blocks(bearer, &mut importer, lines, &mut entropy).await;
        let seq = self.store.seq();
        match outcome.and_then(|()| Ok((importer.finish(), seq.clone()?))) {
            Ok((reply, seq)) => exchange.answer(&reply, seq, &meter.read(self)),
            Err(error) if error.code() == Code::Unauthenticated => {
                exchange.refused(Refusal::Revoked)
            }
            // The import may have failed before the check whether this caller may know of the store.
            Err(error) => {
                let is_owner = bearer.caller.user == bearer.caller.owner;
                let seq = seq.ok().filter(|_| is_owner);
                exchange.problem(&error, seq, &meter.read(self))
            }
        }
    }

    async fn import_blocks(
        &self,
        bearer: &Bearer,
        importer: &mut Importer,
        mut lines: Option<ByteStream>,
        entropy: &mut Entropy,
    ) -> Result<()> {
        let mut ended = false;
        while !ended {
            match &mut lines {
                Some(stream) => match stream.next().await {
                    Some(part) => importer.push(&part.map_err(|_| message::broken_off())?),
                    None => ended = true,
                },
                None => ended = true,
            }
            while let Some(block) = importer.next(ended)? {
                self.admit(bearer)?;
                let plan =
                    self.carry_out(&block, entropy).map_err(|error| importer.failed(error))?;
                importer.stored(&plan.reply)?;
            }
        }
        Ok(())
    }

    /// Streams an export piece by piece. The first one is decided before the response begins.
    fn export(
        self: &Rc<Self>,
        exchange: Exchange,
        meter: &Meter,
        bearer: Bearer,
        mut exporter: Exporter,
        mut entropy: Entropy,
    ) -> Result<JsValue, JsValue> {
        let first = self.piece(&mut exporter, &mut entropy);
        let (seq, work) = (self.store.seq(), meter.read(self));
        let (lines, seq) = match first.and_then(|lines| Ok((lines.unwrap_or_default(), seq?))) {
            Ok(first) => first,
            Err(error) => return message::sent(&exchange.problem(&error, None, &work)),
        };
        let head = exchange.lines(seq, &work);
        if exchange.is_head() {
            return message::sent(&head);
        }
        let keeper = Rc::clone(self);
        let begun = (Some(lines), exporter, entropy);
        let pieces = try_unfold(begun, move |(first, mut exporter, mut entropy)| {
            let piece = match first {
                Some(lines) => Ok(Some(lines)),
                None => {
                    keeper.admit(&bearer).and_then(|()| keeper.piece(&mut exporter, &mut entropy))
                }
            };
            async move {
                let piece = piece.map_err(thrown)?;
                Ok::<_, worker::Error>(piece.map(|lines| (lines, (None, exporter, entropy))))
            }
        });
        message::streamed(&head, pieces)
    }

    fn piece(&self, exporter: &mut Exporter, entropy: &mut Entropy) -> Result<Option<Vec<u8>>> {
        exporter.piece(|part| Ok(self.carry_out(part, entropy)?.reply))
    }

    /// Answers with the state of the keys. A rotation that starts here continues by alarm.
    fn keys(
        &self,
        exchange: &Exchange,
        meter: &Meter,
        caller: &Caller,
        rotate: bool,
        entropy: &mut Entropy,
    ) -> http::Response {
        let rotate = rotate.then(|| exchange.request_id().to_owned());
        match self.rotation(caller, rotate, entropy) {
            Ok((rotation, seq)) => {
                let data_key = rotation.key.to_string();
                let keys = KeysText { data_key: &data_key, rotating: rotation.goes_on };
                exchange.state(&keys, seq, &meter.read(self))
            }
            Err(error) => exchange.problem(&error, None, &meter.read(self)),
        }
    }

    fn rotation(
        &self,
        caller: &Caller,
        rotate: Option<String>,
        entropy: &mut Entropy,
    ) -> Result<(Rotation, u64)> {
        let Keeper { config, store, .. } = self;
        store.open(&caller.owner, &config.masters, entropy)?;
        let rotation = match rotate {
            Some(request) => {
                let (by, request) = (&caller.user, Some(request));
                store.rotate(host::now(), by, request, &config.masters, entropy)?
            }
            None => store.rotation()?,
        };
        Ok((rotation.ok_or_else(Error::not_found)?, store.seq()?))
    }

    fn upkeep(&self) -> Result<Entropy> {
        let now = host::now();
        self.live.close_expired(now);
        let mut entropy = host::Draw::new()?.entropy;
        let is_there = self.store.wake(&self.config.masters, &mut entropy)?.is_some();
        if is_there {
            if self.store.is_due(now)? {
                self.store.upkeep(now, &self.config.masters, &mut entropy)?;
            }
            let rewrite = |owner: &User, address: &Address| {
                let request = op::Request::rewrite(owner, address);
                self.carry_out(&request, &mut entropy).map(drop)
            };
            self.store.mark_part(now, rewrite)?;
        }
        Ok(entropy)
    }
}

fn rates_borrowed() -> Error {
    Error::bug("rates are borrowed")
}

fn is_owner(caller: &Caller) -> bool {
    caller.user == caller.owner
}

/// An error that comes too late for an answer.
fn thrown(error: Error) -> worker::Error {
    worker::Error::RustError(error.to_string())
}

/// Counts the cost of a request from its start.
struct Meter {
    rows: Counts,
    views: (u64, u64),
}

impl Meter {
    fn start(keeper: &Keeper) -> Meter {
        Meter { rows: keeper.counts(), views: views(keeper) }
    }

    fn read(&self, keeper: &Keeper) -> Work {
        let rows = keeper.counts().since(self.rows);
        let (found, made) = views(keeper);
        let cache_hit =
            if made > self.views.1 { Some(false) } else { (found > self.views.0).then_some(true) };
        Work { rows_read: rows.read, rows_written: rows.written, cache_hit, behind: None }
    }
}

/// Views found in memory, and views made.
fn views(keeper: &Keeper) -> (u64, u64) {
    let tally = keeper.store.tally().unwrap_or_default();
    (tally.hits + tally.kept, tally.misses)
}
