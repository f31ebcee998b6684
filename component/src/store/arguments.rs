//! Converts arguments of `store` from the bindings to the core.

use alloc::vec::Vec;

use nacre_core::{
    entropy::Entropy,
    error::{Code, Error, Result},
    id::ContextId,
    limits,
    moment::Moment,
    op::{ImportMode, Which},
    record::EntryKind,
    store::{AsOf, Filter},
};

use crate::bindings::exports::nacre::context::{store as wit, types};

/// The randomness of one call.
///
/// # Errors
/// `invalid-request` if it does not have 32 bytes.
pub(super) fn entropy(bytes: Vec<u8>) -> Result<Entropy> {
    let seed = bytes.try_into().map_err(|_| {
        Error::new(Code::InvalidRequest, "entropy must be 32 bytes from a secure random source")
    })?;
    Ok(Entropy::from_seed(seed))
}

/// Largest export that can be opened, in bytes. In memory it needs several times as much, with its
/// index and history.
const EXPORT: usize = 64 << 20;

/// Refuses an export that is too long to open.
///
/// # Errors
/// `too-large`.
pub(super) fn check_export(lines: &str) -> Result<&[u8]> {
    if lines.len() > EXPORT {
        return Err(
            Error::new(Code::TooLarge, "an export must be at most 64 MiB").limit(EXPORT as u64)
        );
    }
    Ok(lines.as_bytes())
}

/// The page size, or the default.
///
/// # Errors
/// `invalid-request` unless it is 1 to 200.
pub(super) fn limit(page: &wit::Page) -> Result<usize> {
    match page.limit.map(usize::try_from) {
        None => Ok(limits::PAGE_DEFAULT),
        Some(Ok(limit)) if (1..=limits::PAGE).contains(&limit) => Ok(limit),
        _ => Err(Error::new(Code::InvalidRequest, "`limit` must be a whole number from 1 to 200")
            .limit(limits::PAGE as u64)),
    }
}

impl From<types::AsOf> for AsOf {
    fn from(at: types::AsOf) -> AsOf {
        match at {
            types::AsOf::Seq(seq) => AsOf::Seq(seq),
            types::AsOf::Time(millis) => AsOf::Time(Moment(millis)),
        }
    }
}

impl From<wit::Which> for Which {
    fn from(which: wit::Which) -> Which {
        match which {
            wit::Which::Current => Which::Current,
            wit::Which::Version(version) => Which::Version(version),
            wit::Which::Past(at) => Which::AsOf(at.into()),
        }
    }
}

impl From<wit::ImportMode> for ImportMode {
    fn from(mode: wit::ImportMode) -> Self {
        match mode {
            wit::ImportMode::Create => Self::Create,
            wit::ImportMode::Replace => Self::Replace,
        }
    }
}

impl From<wit::EntryKind> for EntryKind {
    fn from(kind: wit::EntryKind) -> EntryKind {
        match kind {
            wit::EntryKind::Insight => EntryKind::Insight,
            wit::EntryKind::Progress => EntryKind::Progress,
        }
    }
}

impl TryFrom<wit::Filter> for Filter {
    type Error = Error;

    fn try_from(filter: wit::Filter) -> Result<Filter> {
        let wit::Filter { level, parent, under, prefix } = filter;
        Ok(Filter {
            level: level.map(Into::into),
            parent: parent.as_deref().map(ContextId::parse).transpose()?,
            under: under.map(TryInto::try_into).transpose()?,
            prefix,
        })
    }
}
