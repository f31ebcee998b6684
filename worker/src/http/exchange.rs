//! One request and its response: the format, origin and id are chosen at the start.

use nacre_core::{
    access::Scopes,
    error::{Code, Error, Result},
    json,
    op::Caller,
    pack::{self, Pack},
    plan::Reply,
    quota::Standing,
    value,
    wire::{self, Answer, etag, problem},
};

use serde::Serialize;

use super::{
    Head, Settings,
    conditions::{Validators, Verdict},
    cors,
    decode::{Segments, Understood, decode},
    key::Key,
    live::{PROTOCOL, PROTOCOLS},
    media::{JSON, LINES, MARKDOWN, MSGPACK, PROBLEM, Reader, accepts_gzip, preferred},
    query::Query,
    response::Response,
    routed::{Routed, body_limit, too_large},
    routes::{Body, Method, ROUTES, Route},
};
use crate::{
    auth::{Refusal, insufficient_scope},
    format::Format,
};

/// The cost of a request, for `Server-Timing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// SQL rows read.
    pub rows_read: u64,
    /// SQL rows written.
    pub rows_written: u64,
    /// Whether a view came from the cache; `None` if no view was requested.
    pub cache_hit: Option<bool>,
    /// How many contexts the index of searches lacks as they are; `None` if that was not asked.
    pub behind: Option<u64>,
}

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    request_id: String,
    format: Format,
    gzip: bool,
    head_only: bool,
    origin: Option<String>,
    cors: bool,
    /// A read may be answered with 304 or 412.
    validators: Option<Validators>,
    /// The answer may contain revealed values, so nobody may cache it.
    reveals: bool,
    /// The caller is not the owner. Then the answer does not say how many rows were written: a
    /// secret that the store holds already takes none.
    is_guest: bool,
    /// The scopes that the token lacks.
    lacking: Option<Scopes>,
    /// The requests that the caller has left.
    standing: Option<Standing>,
    /// The methods of the path, if it does not support the requested one.
    allow: Option<String>,
}

impl Exchange {
    /// Starts an exchange: request id, format of the answer, origin. `fresh_id` generates an id of
    /// 1 to 128 visible ASCII characters for a request without one.
    pub fn begin(
        head: &Head<'_>,
        settings: &Settings,
        fresh_id: impl FnOnce() -> String,
    ) -> Exchange {
        let brought = head.headers.get("x-request-id").filter(|id| is_request_id(id));
        Exchange {
            request_id: brought.unwrap_or_else(fresh_id),
            format: preferred(head.headers.get("accept").as_deref()),
            gzip: accepts_gzip(head.headers.get("accept-encoding").as_deref()),
            head_only: head.method == "HEAD",
            origin: settings.cors.admit(head),
            cors: settings.cors.is_on(),
            validators: None,
            reveals: false,
            is_guest: false,
            lacking: None,
            standing: None,
            allow: None,
        }
    }

    /// Notes where the caller stands; answers tell it while less than half of the burst is left.
    pub fn stand(&mut self, standing: Standing) {
        self.standing = Some(standing);
    }

    /// Where the caller stands, once that is known.
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Decodes the head of a request: route, path, query, conditions, scopes, media type and
    /// length. If it fails, the body need not be read.
    ///
    /// # Errors
    /// `not-found` and `method-not-allowed` for a path or method that is not in the table;
    /// `forbidden` for a scope that the token lacks; `unsupported-media-type`, `too-large`,
    /// `invalid-request`, `invalid-id`, `invalid-pointer`.
    pub fn route(&mut self, head: &Head<'_>, caller: Caller) -> Result<Routed> {
        let (route, segments) = match find(head) {
            Found::Route(route, segments) => (route, segments),
            Found::Other(allow) => return Err(self.refuse_method(allow)),
            Found::Nothing => return Err(nothing_here()),
        };
        self.is_guest = caller.user != caller.owner;
        self.demand(&caller, route.needs)?;
        let query = Query::parse(head.query, route)?;
        if query.text("reveal") == Some("true") {
            self.demand(&caller, route.needs.with(Scopes::REVEAL))?;
            self.reveals = true;
        }
        let reader = self.reader(head, route)?;
        let key = Key::of(head, route)?;
        if !route.is_write() {
            self.validators = Some(Validators::of(head));
        }
        let decoded = decode(&Understood {
            head,
            route,
            segments,
            query: &query,
            reader,
            caller: &caller,
            request_id: &self.request_id,
            key: key.as_ref(),
        })?;
        let request_id = self.request_id.clone();
        Ok(Routed { route, caller, request_id, reader, decoded, key })
    }

    /// The response to a decided request; `seq` is the store's last commit after it.
    pub fn answer(&self, reply: &Reply, seq: u64, work: &Work) -> Response {
        // If the client has the answer already, it is not encoded.
        if let Some(validators) = &self.validators
            && let Some(etag) = etag(reply)
        {
            match validators.judge(&etag) {
                Verdict::Show => {}
                Verdict::Unchanged => {
                    let mut response = self.of_store(304, Some(seq), work);
                    response.set("ETag", etag);
                    return response;
                }
                Verdict::Failed => {
                    let error = Error::new(
                        Code::VersionConflict,
                        "the current ETag does not match If-Match; read again without If-Match",
                    );
                    return self.problem(&error, Some(seq), work);
                }
            }
        }
        let mut response = match Answer::of(reply, seq).and_then(|answer| self.formed(answer)) {
            Ok(answer) => self.encoded(answer, work),
            Err(error) => self.problem(&error, Some(seq), work),
        };
        if reply.reveals() {
            response.replace("Cache-Control", NO_STORE);
        }
        response
    }

    /// The response to a refused request; `seq` is the store's last commit, if it is known.
    pub fn problem(&self, error: &Error, seq: Option<u64>, work: &Work) -> Response {
        let code = error.code();
        let mut response = self.of_store(wire::status(code), seq, work);
        response.set("Content-Type", PROBLEM);
        if let Some(needed) = self.lacking.filter(|_| code == Code::Forbidden) {
            response.set("WWW-Authenticate", insufficient_scope(needed));
        }
        if let Some(allow) = self.allow.as_ref().filter(|_| code == Code::MethodNotAllowed) {
            response.set("Allow", allow.clone());
        }
        if matches!(code, Code::RateLimited | Code::StoreUnavailable | Code::SearchUnavailable) {
            response.set("Retry-After", RETRY_SECONDS);
        }
        if !self.head_only {
            response.body = problem(error);
        }
        response
    }

    /// The response to a request whose token was refused.
    pub fn refused(&self, refusal: Refusal) -> Response {
        let mut response = self.problem(&Error::from(refusal), None, &Work::default());
        if let Some(challenge) = refusal.challenge() {
            response.set("WWW-Authenticate", challenge);
        }
        response
    }

    /// The head of the response to an export; the shell streams the lines.
    pub fn lines(&self, seq: u64, work: &Work) -> Response {
        let mut response = self.of_store(200, Some(seq), work);
        response.set("Content-Type", LINES);
        // Nothing on the way compresses lines. The platform encodes the body as this header says.
        if self.gzip {
            response.set("Content-Encoding", "gzip");
        }
        response.add_to("Vary", "Accept-Encoding");
        response
    }

    /// The response with the state of a store's keys, or with the use of a store.
    pub fn state(&self, state: &impl Serialize, seq: u64, work: &Work) -> Response {
        self.say(200, state, seq, work)
    }

    /// The response with the state of work that goes on after it.
    pub fn begun(&self, state: &impl Serialize, seq: u64, work: &Work) -> Response {
        self.say(202, state, seq, work)
    }

    fn say(&self, status: u16, state: &impl Serialize, seq: u64, work: &Work) -> Response {
        self.respond(status, value::encode(state).map(|state| json::write(&state)), seq, work)
    }

    fn respond(&self, status: u16, body: Result<Vec<u8>>, seq: u64, work: &Work) -> Response {
        let said = |body| Answer { status, seq, etag: None, location: None, body, replayed: false };
        match body.and_then(|body| self.formed(said(body))) {
            Ok(answer) => self.encoded(answer, work),
            Err(error) => self.problem(&error, Some(seq), work),
        }
    }

    /// The response to a search, with the answer's bytes. How much was read for it says how much there
    /// is, and a guest sees only a part of that.
    pub fn found(&self, body: Result<Vec<u8>>, seq: u64, work: &Work) -> Response {
        let nothing = Work::default();
        self.respond(200, body, seq, if self.is_guest { &nothing } else { work })
    }

    /// The response with a context pack.
    pub fn packed(&self, pack: Pack, format: pack::Format, work: &Work) -> Response {
        let Pack { text, tokens, seq } = pack;
        let mut response = match format {
            pack::Format::Json => self.respond(200, Ok(text.into_bytes()), seq, work),
            pack::Format::Markdown => {
                let mut response = self.of_store(200, Some(seq), work);
                response.set("Content-Type", MARKDOWN);
                if !self.head_only {
                    response.body = text.into_bytes();
                }
                response
            }
        };
        response.set(TOKENS, tokens.to_string());
        response
    }

    /// The response to an erase.
    pub fn erased(&self) -> Response {
        self.of_store(204, None, &Work::default())
    }

    /// Whether the body of the response is not sent (HEAD).
    pub fn is_head(&self) -> bool {
        self.head_only
    }

    /// The response to a method that the path does not support.
    pub(super) fn wrong_method(&mut self, allow: String) -> Response {
        let error = self.refuse_method(allow);
        self.problem(&error, None, &Work::default())
    }

    /// What is wrong with the method of a request, whoever asks: the path does not support it.
    pub fn unsupported(&mut self, head: &Head<'_>) -> Option<Error> {
        match find(head) {
            Found::Other(allow) => Some(self.refuse_method(allow)),
            Found::Route(..) | Found::Nothing => None,
        }
    }

    fn refuse_method(&mut self, allow: String) -> Error {
        self.allow = Some(allow);
        Error::new(
            Code::MethodNotAllowed,
            "this path does not support the method; the Allow header lists those it supports",
        )
    }

    /// Headers that every answer has.
    pub(super) fn bare(&self, status: u16) -> Response {
        let mut response = Response::new(status);
        response.set("X-Request-Id", self.request_id.clone());
        response.set("X-Content-Type-Options", "nosniff");
        if let Some(origin) = &self.origin {
            cors::expose(origin.clone(), &mut response);
        }
        response
    }

    /// The response to a successful handshake, without the socket.
    pub fn upgraded(&self, head: &Head<'_>) -> Response {
        let mut response = self.bare(101);
        let protocols = head.headers.get(PROTOCOLS).unwrap_or_default();
        if protocols.split(',').any(|name| name.trim() == PROTOCOL) {
            response.set("Sec-WebSocket-Protocol", PROTOCOL);
        }
        response
    }

    /// Headers that every answer of a store has.
    pub(super) fn of_store(&self, status: u16, seq: Option<u64>, work: &Work) -> Response {
        let mut response = self.bare(status);
        let cache = if self.reveals { NO_STORE } else { "private, no-cache, no-transform" };
        response.set("Cache-Control", cache);
        let vary = match self.cors {
            true => "Accept, Authorization, Nacre-Owner, Origin",
            false => "Accept, Authorization, Nacre-Owner",
        };
        response.set("Vary", vary);
        if let Some(standing) = self.standing.as_ref().filter(|standing| standing.is_low()) {
            let Standing { burst, left, .. } = standing;
            let (full_in, window) = (standing.full_in(), standing.window());
            response.set("RateLimit", format!("\"requests\";r={left};t={full_in}"));
            response.set("RateLimit-Policy", format!("\"requests\";q={burst};w={window}"));
        }
        if let Some(seq) = seq {
            response.set("Nacre-Seq", seq.to_string());
            response.set("Server-Timing", timing(work, self.is_guest));
        }
        response
    }

    /// An answer in the form that was asked for.
    fn formed(&self, mut answer: Answer) -> Result<Answer> {
        if !answer.body.is_empty() && !self.head_only {
            answer.body = self.format.rewrite(answer.body)?;
        }
        Ok(answer)
    }

    fn encoded(&self, answer: Answer, work: &Work) -> Response {
        let mut response = self.of_store(answer.status, Some(answer.seq), work);
        if answer.status != 204 {
            response.set(
                "Content-Type",
                match self.format {
                    Format::Json => JSON,
                    Format::MsgPack => MSGPACK,
                },
            );
        }
        if let Some(etag) = answer.etag {
            response.set("ETag", etag);
        }
        if let Some(location) = answer.location {
            response.set("Location", location);
        }
        if answer.replayed {
            response.set("Idempotency-Replayed", "true");
        }
        if !self.head_only {
            response.body = answer.body;
        }
        response
    }

    fn demand(&mut self, caller: &Caller, needed: Scopes) -> Result<()> {
        if !caller.scopes.allows(needed) {
            self.lacking = Some(needed);
            return Err(Error::new(
                Code::Forbidden,
                format!(
                    "the token must have the scope {}",
                    needed.to_string().replace(' ', " and ")
                ),
            ));
        }
        Ok(())
    }

    /// Chooses the reader of the body, and checks its declared length.
    fn reader(&self, head: &Head<'_>, route: &Route) -> Result<Reader> {
        if route.body == Body::None {
            return Ok(Reader::Nothing);
        }
        let length = head.headers.get("content-length").and_then(|length| length.parse().ok());
        if route.body != Body::Lines && length.is_some_and(|length| length > body_limit(route.body))
        {
            return Err(too_large(body_limit(route.body)));
        }
        let content_type = head.headers.get("content-type");
        let content_encoding = head.headers.get("content-encoding");
        // Without a body the media type does not matter.
        if matches!(route.body, Body::Optional(_)) && length == Some(0) {
            return Ok(Reader::Json);
        }
        Reader::choose(route.body, content_type.as_deref(), content_encoding.as_deref())
    }
}

/// The header with the tokens of a context pack, as they were counted.
const TOKENS: &str = "Nacre-Tokens";

/// Seconds until the next try. A shortage is usually short.
const RETRY_SECONDS: &str = "1";

/// The result of looking a request up in the table.
pub(super) enum Found<'p> {
    /// The route, with the values of its segments.
    Route(&'static Route, Segments<'p>),
    /// The path exists, but only with these methods.
    Other(String),
    /// The path does not exist.
    Nothing,
}

/// Looks a request up.
pub(super) fn find<'p>(head: &Head<'p>) -> Found<'p> {
    let method = Method::parse(head.method);
    let mut others = Vec::new();
    for route in ROUTES {
        let Some(segments) = Segments::of(route.path, head.path) else { continue };
        if Some(route.method) == method {
            return Found::Route(route, segments);
        }
        others.push(route.method);
    }
    if others.is_empty() { Found::Nothing } else { Found::Other(allow(&others)) }
}

/// The value of `Allow`.
pub(super) fn allow(methods: &[Method]) -> String {
    let mut text = String::new();
    for method in methods {
        text.push_str(method.as_str());
        text.push_str(", ");
        if *method == Method::Get {
            text.push_str("HEAD, ");
        }
    }
    text.push_str("OPTIONS");
    text
}

pub(super) fn nothing_here() -> Error {
    Error::new(Code::NotFound, "this path does not exist; /openapi.json lists all paths")
}

fn is_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The `Cache-Control` of an answer with revealed values.
const NO_STORE: &str = "private, no-store, no-transform";

fn timing(work: &Work, is_guest: bool) -> String {
    let Work { rows_read, rows_written, cache_hit, behind } = work;
    let written = match is_guest {
        true => String::new(),
        false => format!(", rows-written;desc=\"{rows_written}\""),
    };
    let behind = behind.map_or_else(String::new, |count| format!(", index-lag;desc=\"{count}\""));
    let cache = match cache_hit {
        Some(true) => ", cache;desc=\"hit\"",
        Some(false) => ", cache;desc=\"miss\"",
        None => "",
    };
    format!("rows-read;desc=\"{rows_read}\"{written}{cache}{behind}")
}
