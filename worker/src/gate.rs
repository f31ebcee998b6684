//! Who comes in: the token check with what it awaits, the platform's verdict on a signature and the
//! issuer's keys.

use std::rc::Rc;

use futures_util::StreamExt as _;
use nacre_core::{
    error::{Code, Error},
    id::User,
    moment::Moment,
};
use worker::{
    AbortSignal, Context, Fetch as Client, Request, RequestInit, RequestRedirect, console_error,
};

use crate::{
    auth::{Checked, Fetch, Identity, Refusal, bearer},
    config::Config,
    host, signature,
};

/// Largest key set that is read, in bytes.
const KEYS_BYTES: usize = 256 << 10;

/// Longest time that a download of keys may take, in milliseconds.
const FETCH_MILLIS: u32 = 5_000;

/// Checks the token of a request, and fetches keys if that may change the outcome.
///
/// # Errors
/// Why the caller is refused.
pub(crate) async fn admit(
    config: &Rc<Config>,
    authorization: Option<&str>,
    now: Moment,
    context: &Context,
) -> Result<Identity, Refusal> {
    let token = bearer(authorization)?;
    let outcome = check(config, token, now).await;
    let fetch = {
        let Ok(mut auth) = config.auth.try_borrow_mut() else {
            return Err(Refusal::KeysUnavailable);
        };
        match auth.plan(outcome.as_ref().err().copied(), now) {
            Fetch::No => None,
            Fetch::Behind(url) => Some((url.to_owned(), false)),
            Fetch::First(url) => Some((url.to_owned(), true)),
        }
    };
    match fetch {
        None => outcome,
        Some((url, false)) => {
            let config = Rc::clone(config);
            context.wait_until(async move { learn(&config, &url).await });
            outcome
        }
        Some((url, true)) => {
            learn(config, &url).await;
            check(config, token, host::now()).await
        }
    }
}

/// Whether the platform's rate limit lets a request of a user pass. One that fails lets it pass: it
/// shields the object, which counts exactly.
pub(crate) async fn passes(config: &Config, user: &User) -> bool {
    let Some(shield) = &config.shield else { return true };
    shield.limit(user.as_str().to_owned()).await.map_or(true, |outcome| outcome.success)
}

/// Checks a token with the keys that are here.
async fn check(config: &Config, token: &str, now: Moment) -> Result<Identity, Refusal> {
    let auth = || config.auth.try_borrow_mut().map_err(|_| Refusal::KeysUnavailable);
    let checked = auth()?.check(token, now)?;
    match checked {
        Checked::Known(identity) => Ok(identity),
        Checked::Unverified(unverified) => {
            let holds = signature::holds(&unverified).await;
            auth()?.decide(&unverified, holds, host::now())
        }
    }
}

/// Fetches the issuer's keys and hands them to the check.
async fn learn(config: &Config, url: &str) {
    let document = download(url).await;
    let Ok(mut auth) = config.auth.try_borrow_mut() else { return };
    let at = host::now();
    match document {
        Ok(document) => match auth.learn(&document, at) {
            Ok(skipped) => {
                for skipped in skipped {
                    console_error!("key set: skipped an entry: {skipped:?}");
                }
            }
            Err(error) => console_error!("key set: {error:?}"),
        },
        Err(error) => {
            console_error!("key set: {error}");
            auth.fetch_failed(at);
        }
    }
}

/// Downloads a key set. A redirect counts as a failure: it could lead to an address that anyone on
/// the network can answer for.
async fn download(url: &str) -> Result<Vec<u8>, Error> {
    let failed = |what: &'static str| Error::new(Code::StoreUnavailable, what);
    let unreachable = |_| failed("the issuer cannot be reached, or did not answer in 5 seconds");
    let init = RequestInit { redirect: RequestRedirect::Manual, ..RequestInit::default() };
    let request =
        Request::new_with_init(url, &init).map_err(|_| failed("NACRE_JWKS_URL must be a URL"))?;
    // It covers the body too.
    let limit = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(FETCH_MILLIS));
    let sent = Client::Request(request).send_with_signal(&limit).await;
    let mut response = sent.map_err(unreachable)?;
    if response.status_code() != 200 {
        return Err(failed("the issuer must answer with status 200, without a redirect"));
    }
    let mut document = Vec::new();
    let mut parts = response.stream().map_err(unreachable)?;
    while let Some(part) = parts.next().await {
        document.extend(part.map_err(unreachable)?);
        if document.len() > KEYS_BYTES {
            return Err(failed("the key set must be at most 256 KiB"));
        }
    }
    Ok(document)
}
