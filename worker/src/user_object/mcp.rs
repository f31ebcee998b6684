//! Messages of the Model Context Protocol: what they ask of the store is carried out as over HTTP.

#[cfg(not(feature = "conformance"))]
#[path = "no_talks.rs"]
mod talks;
#[cfg(feature = "conformance")]
#[path = "talks.rs"]
mod talks;

use nacre_core::{
    entropy::Entropy,
    error::{Code, Error, Result},
    live::subscribe,
    mcp::{Answered, Ask, Follow, Setting, Step, protocol},
    op,
    pack::pack,
    quota::Quota,
    retrieval,
    store::Reads as _,
    wire::Answer,
};
use wasm_bindgen::JsValue;
use web_sys::Request;

use super::{Keeper, Object, is_owner};
use crate::{
    auth::Refusal,
    bearer::Bearer,
    format::Format,
    forward, host,
    http::{self, Exchange, Work},
    mcp::default_context,
    message::{self, Parts},
};

/// How long a subscription waits for the stream of its session, in looks.
const LOOKS: u32 = 80;

/// The time between two looks, in milliseconds.
const LOOK_MILLIS: u32 = 25;

impl Object {
    /// Answers a message.
    pub(super) async fn speak(
        &self,
        keeper: &std::rc::Rc<Keeper>,
        (request, parts): (&Request, &Parts),
        exchange: &Exchange,
        bearer: &Bearer,
        entropy: &mut Entropy,
    ) -> std::result::Result<JsValue, JsValue> {
        let spoken = keeper.spoken((request, parts), exchange, bearer, entropy).await;
        self.load_behind(keeper, &bearer.caller);
        let response = match spoken {
            Ok(mut answer) => {
                let waits = answer.waits.take();
                let response = exchange.spoken(answer, parts.origin());
                match waits {
                    None => response,
                    Some(waits) => return talks::hold(&response, waits),
                }
            }
            Err(error) if error.code() == Code::Unauthenticated => {
                exchange.challenged(Refusal::Revoked, parts.origin())
            }
            Err(error) => {
                message::pass_over(request).await;
                exchange.problem(&error, None, &Work::default())
            }
        };
        message::sent(&response)
    }
}

impl Keeper {
    async fn spoken(
        &self,
        (request, parts): (&Request, &Parts),
        exchange: &Exchange,
        bearer: &Bearer,
        entropy: &mut Entropy,
    ) -> Result<protocol::Response> {
        let header = |name: &str| parts.header(name);
        let default = default_context(&header, forward::default_context(&parts.head()))?;
        let length = parts.header("content-length");
        let body = message::body(request, length.as_deref(), http::MESSAGE_BYTES).await?;
        // It may have taken long, and the token may be revoked by now.
        self.admit(bearer)?;
        let received = match protocol::receive(&body, &header) {
            Ok(received) => received,
            Err(response) => return Ok(response),
        };
        talks::hear(&received);
        let setting =
            Setting { caller: bearer.caller.clone(), default, most_tokens: self.config.mcp_tokens };
        let sets = http::tool_sets(&parts.head());
        let fresh = host::Draw::new()?.request_id();
        let mut step = received.answer(&setting, sets.as_deref(), &fresh);
        loop {
            match step {
                Step::Done(response) => return Ok(response),
                Step::Ask(asks, next) => {
                    let mut answers = Vec::with_capacity(asks.len());
                    for ask in asks {
                        let answer = self.ask(ask, exchange, bearer, entropy).await;
                        if let Err(error) = &answer
                            && error.code() == Code::Unauthenticated
                        {
                            return Err(error.clone());
                        }
                        answers.push(answer);
                    }
                    step = next(answers);
                }
            }
        }
    }

    /// Carries out one thing that a message asks for.
    async fn ask(
        &self,
        ask: Ask,
        exchange: &Exchange,
        bearer: &Bearer,
        entropy: &mut Entropy,
    ) -> Result<Answered> {
        let caller = &bearer.caller;
        match ask {
            Ask::Command(command, idempotency) => {
                let id = Some(exchange.request_id().to_owned());
                let request = op::Request { caller: caller.clone(), command, idempotency, id };
                let plan = self.carry_out(&request, entropy)?;
                let Answer { seq, etag, body, .. } = Answer::of(&plan.reply, plan.seq)?;
                Ok(Answered { seq, etag, body })
            }
            Ask::Search(question) => {
                let found = self.find(bearer, caller, &question, entropy).await?;
                let body = retrieval::answer(&found)?;
                Ok(Answered { seq: self.store.seq()?, etag: None, body })
            }
            Ask::Pack(ask) => {
                let pack = pack(&self.store, caller, &ask)?;
                Ok(Answered { seq: pack.seq, etag: None, body: pack.text.into_bytes() })
            }
            Ask::Follow(follow) => {
                self.follow(&follow, bearer).await?;
                Ok(Answered { seq: self.store.seq()?, etag: None, body: Vec::new() })
            }
        }
    }

    /// Adds a topic to what the stream of a session follows, or takes it away. A client may subscribe
    /// before its stream is open.
    async fn follow(&self, follow: &Follow, bearer: &Bearer) -> Result<()> {
        let Follow { session, uri, topic, begins } = follow;
        let caller = &bearer.caller;
        for _ in 0..LOOKS {
            if let Some(listener) = self.live.of_session(caller, session, host::now()) {
                if !begins {
                    return listener.unsubscribe(uri);
                }
                subscribe(&self.store, caller, topic, None)?;
                let (_, held) = self.live.used_by(&caller.user);
                let held_then = held + u64::from(!listener.has(uri));
                let quotas = self.store.quotas();
                quotas.permit(Quota::Subscriptions, is_owner(caller), held, held_then)?;
                return listener.subscribe(uri, topic.clone(), Format::Json);
            }
            host::pause(LOOK_MILLIS).await;
            self.admit(bearer)?;
        }
        let detail =
            "open the event stream of the session (GET with Mcp-Session-Id), then subscribe";
        Err(Error::new(Code::InvalidRequest, detail))
    }
}
