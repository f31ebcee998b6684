//! Who comes in: the token check with what it awaits, the platform's verdict on a signature and the
//! issuer's keys.

use std::rc::Rc;

use nacre_core::error::{Code, Error};
use worker::{Context, Fetch as Client, Url, console_error};

use crate::{
    auth::{Checked, Fetch, Identity, Refusal, bearer},
    config::Config,
    host, signature,
};

/// Largest key set that is read, in bytes.
const KEYS_BYTES: usize = 256 << 10;

/// Checks the token of a request, and fetches keys if that may change the outcome.
///
/// # Errors
/// Why the caller is refused.
pub(crate) async fn admit(
    config: &Rc<Config>,
    authorization: Option<&str>,
    context: &Context,
) -> Result<Identity, Refusal> {
    let token = bearer(authorization)?;
    let outcome = check(config, token).await;
    let fetch = {
        let Ok(mut auth) = config.auth.try_borrow_mut() else {
            return Err(Refusal::KeysUnavailable);
        };
        match auth.plan(outcome.as_ref().err().copied(), host::now()) {
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
            check(config, token).await
        }
    }
}

/// Checks a token with the keys that are here.
async fn check(config: &Config, token: &str) -> Result<Identity, Refusal> {
    let auth = || config.auth.try_borrow_mut().map_err(|_| Refusal::KeysUnavailable);
    let checked = auth()?.check(token, host::now())?;
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

async fn download(url: &str) -> Result<Vec<u8>, Error> {
    let failed = |what: &'static str| Error::new(Code::StoreUnavailable, what);
    let url = Url::parse(url).map_err(|_| failed("NACRE_JWKS_URL must be a URL"))?;
    let mut response =
        Client::Url(url).send().await.map_err(|_| failed("the issuer cannot be reached"))?;
    if response.status_code() != 200 {
        return Err(failed("the issuer did not answer with status 200"));
    }
    let document =
        response.bytes().await.map_err(|_| failed("the issuer's answer is incomplete"))?;
    if document.len() > KEYS_BYTES {
        return Err(failed("the key set must be at most 256 KiB"));
    }
    Ok(document)
}
