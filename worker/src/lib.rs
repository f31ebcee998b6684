//! The Worker in front and the Durable Objects behind it.
//!
//! The Worker answers what needs no store, checks the token, and forwards everything else,
//! untouched, to the Durable Object of the owner it asks for. The object decides and stores.
//!
//! `auth`, `http` and `sql_store` know nothing of the platform and are tested without it.

pub mod auth;
mod bearer;
mod changes;
mod config;
mod embedder;
mod follower;
mod format;
mod forward;
mod gate;
mod host;
pub mod http;
mod indexer;
mod live;
mod mcp;
mod message;
mod models;
mod prompt;
pub mod schema;
mod search_database;
pub mod search_key;
pub mod search_tables;
mod searcher;
mod signature;
pub mod sql;
pub mod sql_store;
pub mod usage;
mod user_object;

use std::{cell::OnceCell, rc::Rc};

use nacre_core::{
    error::{Code, Error},
    op::Caller,
};
use wasm_bindgen::{
    JsValue,
    prelude::{Closure, wasm_bindgen},
};
use web_sys::Request;
use worker::{Context, Env, console_error, worker_sys};

use config::Config;
use forward::Lost;
use http::{Exchange, Way, Work};
use message::Parts;

/// Entry of every HTTP request. Its name is what the platform calls.
///
/// # Errors
/// What the platform throws.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env, context: worker_sys::Context) -> Result<JsValue, JsValue> {
    prompt::promptly(answer(request, env, Context::new(context)))
}

/// Answers a request, or gives the promise of the object that does.
async fn answer(request: Request, env: Env, context: Context) -> Result<JsValue, JsValue> {
    let parts = Parts::of(&request);
    let head = parts.head();
    let config = match Config::of(&env) {
        Ok(config) => config,
        Err(message) => return message::not_set_up(&head, &message),
    };
    let now = host::now();
    let way = http::way(&head, &config.http, parts.origin(), host::request_id);
    if let Some(Err(response)) = &way {
        return message::sent(response);
    }
    if way.is_none()
        && let Some(response) = http::front(&head, &config.http, now, host::request_id)
    {
        return message::sent(&response);
    }
    let exchange = || Exchange::begin(&head, &config.http, host::request_id);
    let problem = |error| message::sent(&exchange().problem(&error, None, &Work::default()));
    let from_protocol = http::token(&head);
    let authorization = from_protocol.clone().or_else(|| parts.header("authorization"));
    let stranger = way.as_ref().and_then(|_| mcp::stranger(authorization.as_deref(), now));
    let admitted = match stranger {
        Some(stranger) => Ok(stranger),
        None => gate::admit(&config, authorization.as_deref(), now, &context).await,
    };
    let identity = match admitted {
        Ok(identity) => identity,
        Err(refusal) if way.is_some() => {
            return message::sent(&exchange().challenged(refusal, parts.origin()));
        }
        Err(refusal) => return message::sent(&exchange().refused(refusal)),
    };
    let owner = match http::owner(&head) {
        Ok(owner) => owner.unwrap_or_else(|| identity.user.clone()),
        Err(error) => return problem(error),
    };
    if !gate::passes(&config, &identity.user).await {
        let detail = "too many requests; try again after the seconds that Retry-After names";
        return problem(Error::new(Code::RateLimited, detail));
    }
    if matches!(way, Some(Ok(Way::Stream))) {
        let caller = Caller { user: identity.user.clone(), owner, scopes: identity.scopes };
        let streamed = mcp::stream(&env, &request, &parts, &config, &caller, &identity).await;
        return streamed.or_else(|thrown| failed(&config, &request, thrown));
    }
    let sent = LOST.with(|lost| {
        let lost = lost.get_or_init(|| lost_of(Rc::clone(&config)));
        forward::send(&env, &request, &identity, &owner, from_protocol.is_some(), lost)
    });
    sent.map(JsValue::from).or_else(|thrown| failed(&config, &request, thrown))
}

thread_local! {
    /// Made once, as each closure that JavaScript can call costs more than it does.
    static LOST: OnceCell<Lost> = const { OnceCell::new() };
}

fn lost_of(config: Rc<Config>) -> Lost {
    Closure::new(move |request, thrown| {
        failed(&config, &request, thrown).unwrap_or_else(|thrown| thrown)
    })
}

/// The answer to a request whose object threw.
fn failed(config: &Config, request: &Request, thrown: JsValue) -> Result<JsValue, JsValue> {
    console_error!("object: {}", worker::Error::from(thrown));
    let parts = Parts::of(request);
    let exchange = Exchange::begin(&parts.head(), &config.http, host::request_id);
    let error = Error::new(
        Code::StoreUnavailable,
        "the store is not available; try again with the same idempotency key",
    );
    message::sent(&exchange.problem(&error, None, &Work::default()))
}
