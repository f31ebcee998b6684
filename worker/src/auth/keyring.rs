//! How long an issuer's keys are believed, and when they are fetched again.
//!
//! Keys are fresh for ten minutes, then refreshed behind a request, and believed for an hour when
//! the issuer does not answer: an outage of the issuer should not be one of ours, and a withdrawn
//! key should not live on. A token with an unknown key makes one fetch in half a minute, so that
//! made-up ids cannot turn this deployment against the issuer.

use nacre_core::moment::Moment;
use sha2::{Digest, Sha256};

use super::{
    jwks::{Jwks, JwksError, Skipped},
    refusal::Refusal,
};

/// Age from which keys are refreshed, in milliseconds.
pub const MAX_AGE_MILLIS: u64 = 10 * 60_000;

/// Age from which keys are no longer believed, in milliseconds.
pub const KEPT_MILLIS: u64 = 60 * 60_000;

/// Time between two fetches for the sake of an unknown key, and between two refreshes.
pub const RETRY_MILLIS: u64 = 30_000;

/// Time without fetches after a failed one, when there are no keys at all.
pub const BACKOFF_MILLIS: u64 = 5_000;

/// How long a fetch is waited for; longer ones count as lost with the request that made them.
pub const IN_FLIGHT_MILLIS: u64 = 10_000;

/// What to do about the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch<'a> {
    /// Nothing.
    No,
    /// Answer, then fetch this address while nobody waits.
    Behind(&'a str),
    /// Fetch this address, then check the token once more.
    First(&'a str),
}

/// An issuer's keys and when they came.
#[derive(Debug, Default)]
pub struct Keyring {
    keys: Option<Held>,
    begun_at: Option<Moment>,
    ended_at: Option<Moment>,
    failed_at: Option<Moment>,
}

#[derive(Debug)]
struct Held {
    keys: Jwks,
    fetched_at: Moment,
    /// SHA-256 of the document, to see whether anything changed.
    digest: [u8; 32],
}

/// What a fetched document brought.
pub(super) struct Learnt {
    /// Whether the document is another than before.
    pub(super) changed: bool,
    /// The entries that were passed over.
    pub(super) skipped: Vec<Skipped>,
}

impl Keyring {
    /// The keys, while they are believed.
    pub(super) fn keys(&self, at: Moment) -> Option<&Jwks> {
        self.held(at).map(|held| &held.keys)
    }

    fn held(&self, at: Moment) -> Option<&Held> {
        self.keys.as_ref().filter(|held| at < held.fetched_at.later(KEPT_MILLIS))
    }

    /// Whether a fetch has begun that may yet bring keys.
    pub(super) fn in_flight(&self, at: Moment) -> bool {
        self.begun_at.is_some_and(|begun| {
            self.ended_at.is_none_or(|ended| ended < begun) && at < begun.later(IN_FLIGHT_MILLIS)
        })
    }

    /// Decides whether to fetch; a fetch counts as begun from here.
    pub(super) fn plan<'a>(
        &mut self,
        url: &'a str,
        refusal: Option<Refusal>,
        at: Moment,
    ) -> Fetch<'a> {
        let may_retry = self.begun_at.is_none_or(|begun| at >= begun.later(RETRY_MILLIS));
        let fetch = match self.held(at) {
            // Every request of a cold start fetches: requests cannot wait for each other here.
            None if self.failed_at.is_none_or(|failed| at >= failed.later(BACKOFF_MILLIS)) => {
                Fetch::First(url)
            }
            Some(_) if may_retry && refusal == Some(Refusal::UnknownKey) => Fetch::First(url),
            Some(held) if may_retry && at >= held.fetched_at.later(MAX_AGE_MILLIS) => {
                Fetch::Behind(url)
            }
            _ => Fetch::No,
        };
        if fetch != Fetch::No {
            self.begun_at = Some(at);
        }
        fetch
    }

    /// Takes a fetched document.
    pub(super) fn learn(&mut self, document: &[u8], at: Moment) -> Result<Learnt, JwksError> {
        let keys = Jwks::parse(document).inspect_err(|_| self.failed(at))?;
        let digest: [u8; 32] = Sha256::digest(document).into();
        let changed = self.keys.as_ref().is_none_or(|held| held.digest != digest);
        let skipped = keys.skipped().to_vec();
        self.keys = Some(Held { keys, fetched_at: at, digest });
        self.ended_at = Some(at);
        Ok(Learnt { changed, skipped })
    }

    /// Notes a fetch that brought nothing.
    pub(super) fn failed(&mut self, at: Moment) {
        self.ended_at = Some(at);
        self.failed_at = Some(at);
    }
}
