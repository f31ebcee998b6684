//! A point in time, given to every decision from outside.

use core::fmt;

use crate::error::{Code, Error, Result};

/// Milliseconds since the Unix epoch. Its text form is RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Reads RFC 3339, any offset.
    ///
    /// # Errors
    /// `invalid-request` when it is not a time since 1970.
    pub fn parse(text: &str) -> Result<Moment> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok())
            .map(Moment)
            .ok_or_else(|| Error::new(Code::InvalidRequest, "a time is RFC 3339, 1970 or later"))
    }

    /// The moment `millis` earlier, not before the epoch.
    #[must_use]
    pub fn earlier(self, millis: u64) -> Moment {
        Moment(self.0.saturating_sub(millis))
    }

    /// The moment `millis` later.
    #[must_use]
    pub fn later(self, millis: u64) -> Moment {
        Moment(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamp = i64::try_from(self.0)
            .ok()
            .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
            .unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{stamp:.3}")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn text_and_number_agree() {
        let moment = Moment::parse("2026-11-21T04:05:06.789+01:00").unwrap();
        assert_eq!(moment.to_string(), "2026-11-21T03:05:06.789Z");
        assert_eq!(Moment::parse(&moment.to_string()), Ok(moment));
        assert!(Moment::parse("1969-12-31T23:59:59Z").is_err());
        assert!(Moment::parse("yesterday").is_err());
    }
}
