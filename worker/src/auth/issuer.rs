//! How long an issuer's keys are accepted, and when they are fetched again.
//!
//! Keys are fresh for ten minutes and then refreshed in the background of a request. If the issuer
//! does not answer, they are accepted for an hour: its outage must not become ours, and a withdrawn
//! key must not live on. An unknown key id causes at most one fetch in 30 seconds, so that invented
//! ids cannot flood the issuer.

use nacre_core::moment::Moment;
use sha2::{Digest, Sha256};

use super::{
    jwks::{Jwks, JwksError, Skipped},
    refusal::Refusal,
};

/// Age from which keys are refreshed, in milliseconds.
pub const MAX_AGE_MILLIS: u64 = 10 * 60_000;

/// Age from which keys are no longer accepted, in milliseconds.
pub const KEPT_MILLIS: u64 = 60 * 60_000;

/// Shortest time between two fetches for an unknown key, and between two refreshes, in
/// milliseconds.
pub const RETRY_MILLIS: u64 = 30_000;

/// Pause after a failed fetch while there are no keys, in milliseconds.
pub const BACKOFF_MILLIS: u64 = 5_000;

/// Longest time that a fetch counts as running, in milliseconds. A longer one is lost with its
/// request.
pub const IN_FLIGHT_MILLIS: u64 = 10_000;

/// Whether to fetch the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch<'a> {
    /// Do not fetch.
    No,
    /// Answer first, then fetch this address in the background.
    Behind(&'a str),
    /// Fetch this address, then check the token once more.
    First(&'a str),
}

/// An issuer's keys, and when they were fetched.
#[derive(Debug, Default)]
pub struct IssuerKeys {
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

/// The result of reading a fetched document.
pub(super) struct Learnt {
    /// Whether the document differs from the previous one.
    pub(super) changed: bool,
    /// The entries that were passed over.
    pub(super) skipped: Vec<Skipped>,
}

impl IssuerKeys {
    /// The keys, as long as they are accepted.
    pub(super) fn keys(&self, at: Moment) -> Option<&Jwks> {
        self.held(at).map(|held| &held.keys)
    }

    fn held(&self, at: Moment) -> Option<&Held> {
        self.keys.as_ref().filter(|held| at < held.fetched_at.later(KEPT_MILLIS))
    }

    /// Whether a fetch is running that may bring keys.
    pub(super) fn in_flight(&self, at: Moment) -> bool {
        self.begun_at.is_some_and(|begun| {
            self.ended_at.is_none_or(|ended| ended < begun) && at < begun.later(IN_FLIGHT_MILLIS)
        })
    }

    /// Decides whether to fetch. A fetch counts as started from here.
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
