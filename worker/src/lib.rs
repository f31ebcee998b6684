//! The Worker in front and the Durable Objects behind it.
//!
//! The Worker answers what needs no store, checks the token, and forwards everything else,
//! untouched, to the Durable Object of the owner it asks for. The object decides and stores.
//!
//! `auth`, `http` and `sql_store` know nothing of the platform and are tested without it.

pub mod auth;
mod bearer;
mod config;
mod follower;
mod format;
mod forward;
mod gate;
mod host;
pub mod http;
mod live;
mod message;
pub mod schema;
mod signature;
pub mod sql;
pub mod sql_store;
pub mod usage;
mod user_object;

use js_sys::{Promise, futures::JsFuture};
use nacre_core::error::{Code, Error};
use wasm_bindgen::{JsCast as _, prelude::wasm_bindgen};
use web_sys::{Request, Response};
use worker::{Context, Env, Result, console_error, event};

use config::Config;
use http::{Exchange, Work};
use message::Parts;

/// The binding of the users' objects in `wrangler.toml`.
const USERS: &str = "USERS";

// The object's answer passes through unchanged. The stub of `worker` would convert it to Rust and
// back, which would cost more than everything else here.
#[wasm_bindgen]
extern "C" {
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Stub, request: &Request) -> Result<Promise, wasm_bindgen::JsValue>;
}

/// Entry of every HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    let parts = Parts::of(&request);
    let head = parts.head();
    let config = match Config::of(&env) {
        Ok(config) => config,
        Err(message) => return Ok(message::not_set_up(&head, &message)?.into()),
    };
    if let Some(response) = http::front(&head, &config.http, host::now(), host::request_id) {
        return message::sent(response);
    }
    let exchange = || Exchange::begin(&head, &config.http, host::request_id);
    let problem = |error| message::sent(exchange().problem(&error, None, &Work::default()));
    let from_protocol = http::token(&head);
    let authorization = from_protocol.clone().or_else(|| parts.header("authorization"));
    let identity = match gate::admit(&config, authorization.as_deref(), &context).await {
        Ok(identity) => identity,
        Err(refusal) => return message::sent(exchange().refused(refusal)),
    };
    let owner = match http::owner(&head) {
        Ok(owner) => owner.unwrap_or_else(|| identity.user.clone()),
        Err(error) => return problem(error),
    };
    let forwarded = forward::with_identity(&request, &identity, &owner, from_protocol.is_some())?;
    let stub: Stub = env.durable_object(USERS)?.get_by_name(owner.as_str())?.into_rpc();
    match JsFuture::from(stub.fetch(&forwarded)?).await {
        Ok(response) => Ok(response.unchecked_into()),
        Err(thrown) => {
            console_error!("object: {}", worker::Error::from(thrown));
            problem(Error::new(
                Code::StoreUnavailable,
                "the store is not available; try again with the same idempotency key",
            ))
        }
    }
}
