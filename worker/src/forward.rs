//! Passes the caller's identity from the Worker in front to the object behind.
//!
//! ```text
//! Authorization: Nacre scopes id issued user owner expiry context
//!                                              each percent-encoded; milliseconds
//! ```
//! What may be empty comes first, because white space at the end of a header is dropped; a last part that
//! is empty is left out. The header
//! replaces the token, so no client can send it itself. It is one header because each one costs a
//! crossing from wasm to JavaScript.

use js_sys::{Promise, Reflect};
use nacre_core::{
    access::Scopes,
    address::Address,
    error::{Error, Result},
    id::User,
    moment::Moment,
    op::Caller,
    revocation::{TokenFacts, TokenId},
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use wasm_bindgen::{
    JsValue,
    prelude::{Closure, wasm_bindgen},
};
use web_sys::Request;

use crate::{auth::Identity, bearer::Bearer, http};

#[wasm_bindgen(module = "/src/forward.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn forward(
        users: &JsValue,
        owner: &str,
        request: &Request,
        authorization: &str,
        protocol: Option<&str>,
        lost: &Lost,
    ) -> Result<Promise, JsValue>;
}

/// Makes the answer when an object throws: the request, and what was thrown.
pub(crate) type Lost = Closure<dyn Fn(Request, JsValue) -> JsValue>;

/// The binding of the users' objects in `wrangler.toml`.
pub(crate) const USERS: &str = "USERS";

/// The header of the token.
const AUTHORIZATION: &str = "authorization";
/// The scheme that replaces the token.
const SCHEME: &str = "Nacre";
/// The separator, characters that a header cannot hold, and the escape character.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// Sends a request to the object of `owner` with the caller's identity. The body is passed on
/// unread. A token that came as a subprotocol is removed too.
///
/// # Errors
/// What the platform throws.
pub(crate) fn send(
    env: &JsValue,
    request: &Request,
    identity: &Identity,
    owner: &User,
    from_protocol: bool,
    lost: &Lost,
) -> Result<Promise, JsValue> {
    let users = Reflect::get(env, &USERS.into())?;
    let protocol = from_protocol.then_some(http::PROTOCOL);
    forward(&users, owner.as_str(), request, &text(identity, owner), protocol, lost)
}

/// The identity as the object reads it.
pub(crate) fn text(identity: &Identity, owner: &User) -> String {
    let scopes = identity.scopes.to_string();
    let id = identity.token.id.as_ref().map_or("", |id| id.as_str());
    let issued = identity.token.issued_at.map_or_else(String::new, |at| at.0.to_string());
    let [scopes, id, user, owner] = [&scopes, id, identity.user.as_str(), owner.as_str()]
        .map(|part| utf8_percent_encode(part, ESCAPED));
    let expiry = identity.expires_at.0;
    let mut text = format!("{SCHEME} {scopes} {id} {issued} {user} {owner} {expiry}");
    if let Some(context) = &identity.default_context {
        // An address has no character that must be escaped.
        text.push_str(&format!(" {context}"));
    }
    text
}

/// The default context of the token.
pub(crate) fn default_context(head: &http::Head<'_>) -> Option<Address> {
    let header = head.headers.get(AUTHORIZATION)?;
    let (level, id) = header.split(' ').nth(PARTS)?.split_once('/')?;
    Address::parse(level, id).ok()
}

/// The parts before the default context.
const PARTS: usize = 7;

/// The caller that the Worker in front has set.
///
/// # Errors
/// `internal` if the header is missing: the object cannot be reached in any other way.
pub(crate) fn bearer(head: &http::Head<'_>) -> Result<Bearer> {
    let header = head.headers.get(AUTHORIZATION).unwrap_or_default();
    parse(&header).ok_or_else(|| Error::bug("a request reached the store without an identity"))
}

fn parse(header: &str) -> Option<Bearer> {
    let mut parts = header.split(' ');
    if parts.next() != Some(SCHEME) {
        return None;
    }
    let mut part = || percent_decode_str(parts.next()?).decode_utf8().ok();
    let (scopes, id, issued) = (part()?, part()?, part()?);
    let (user, owner, expiry) = (part()?, part()?, part()?);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let caller = Caller {
        user: User::parse(&user).ok()?,
        owner: User::parse(&owner).ok()?,
        scopes: Scopes::parse(&scopes),
    };
    let token = TokenFacts {
        issued_at: some(&issued).map(|at| at.parse().map(Moment)).transpose().ok()?,
        id: some(&id).map(|id| TokenId::parse(&id)).transpose().ok()?,
    };
    Some(Bearer { caller, expires: Moment(expiry.parse().ok()?), token })
}
