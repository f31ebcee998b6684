//! A point in time, which every decision gets as an argument.

use core::fmt;

use jiff::{civil::DateTime, tz::Offset};

use nacre_layers::error::{Code, Error, Result};

/// Milliseconds since the Unix epoch. Its text form is RFC 3339 in UTC.
///
/// ```
/// use nacre_store::moment::Moment;
///
/// let noon = Moment::parse("2026-11-30T13:00:00+01:00")?;
/// assert_eq!(noon.later(1500).to_string(), "2026-11-30T12:00:01.500Z");
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// Reads RFC 3339 with any offset. Digits after the milliseconds are dropped.
    ///
    /// # Errors
    /// `invalid-request` if it is not a time in 1970 or later.
    pub fn parse(text: &str) -> Result<Moment> {
        timestamp(text)
            .and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok())
            .map(Moment)
            .ok_or_else(|| {
                Error::new(Code::InvalidRequest, "a time must be RFC 3339, in 1970 or later")
            })
    }

    /// The moment `millis` milliseconds earlier, but not before the epoch.
    #[must_use]
    pub fn earlier(self, millis: u64) -> Moment {
        Moment(self.0.saturating_sub(millis))
    }

    /// The moment `millis` milliseconds later.
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

/// The grammar of RFC 3339, section 5.6; what its parts come to is the library's business. The
/// library's own parser reads several more formats, refuses more than nine digits of a second, and
/// would add 49 KB (gzip) to a module.
fn timestamp(text: &str) -> Option<jiff::Timestamp> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    let month = rest.after(b"-")?.digits(2)?;
    let day = rest.after(b"-")?.digits(2)?;
    let hour = rest.after(b"Tt ")?.digits(2)?;
    let minute = rest.after(b":")?.digits(2)?;
    let second = rest.after(b":")?.digits(2).filter(|second| *second <= 60)?;
    let mut nanosecond = 0;
    if rest.after(b".").is_some() {
        let length = rest.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let shown = rest.digits(length.min(9)).filter(|_| length > 0)?;
        nanosecond = (length..9).fold(shown, |shown, _| shown * 10);
        rest.0 = rest.0.get(length.saturating_sub(9)..)?;
    }
    let offset = match rest.after(b"Zz") {
        Some(_) => 0,
        None => {
            let sign = if rest.0.first() == Some(&b'-') { -1 } else { 1 };
            let hours = rest.after(b"+-")?.digits(2).filter(|hours| *hours < 24)?;
            let minutes = rest.after(b":")?.digits(2).filter(|minutes| *minutes < 60)?;
            sign * (hours * 60 + minutes) * 60
        }
    };
    if !rest.0.is_empty() {
        return None;
    }
    let small = |number: i32| i8::try_from(number).ok();
    // A leap second becomes the last second of its minute, as in the library.
    let (hour, minute, second) = (small(hour)?, small(minute)?, small(second.min(59))?);
    let (year, month, day) = (i16::try_from(year).ok()?, small(month)?, small(day)?);
    let local = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    Offset::from_seconds(offset).ok()?.to_timestamp(local).ok()
}

/// The rest of the text.
struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    /// A number of exactly `count` digits, at most nine.
    fn digits(&mut self, count: usize) -> Option<i32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i32::from(byte - b'0'))
        })
    }

    /// Skips one of these characters.
    fn after(&mut self, any: &[u8]) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = rest;
            self
        })
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

    #[test]
    fn rfc_3339_and_nothing_else() {
        // The examples of its section 5.8, and forms that its notes allow.
        for (text, same) in [
            ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z"),
            ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000Z"),
            ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59.000Z"),
            ("1990-12-31T15:59:60-08:00", "1990-12-31T23:59:59.000Z"),
            ("2037-01-01T12:00:27.87+00:20", "2037-01-01T11:40:27.870Z"),
            ("2024-02-29t00:00:00z", "2024-02-29T00:00:00.000Z"),
            ("2024-02-29 00:00:00-00:00", "2024-02-29T00:00:00.000Z"),
            ("2024-02-29T00:00:00.1239999999999Z", "2024-02-29T00:00:00.123Z"),
            ("9999-12-30T21:59:59.999Z", "9999-12-30T21:59:59.999Z"),
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), same, "{text}");
        }
        for text in [
            "",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:61Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00+0100",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00Z",
            "20240101T000000Z",
            "2024-1-01T00:00:00Z",
            "2024-01-01T00:00:00Z[Europe/Paris]",
            "2024-01-01T00:00:00Zx",
            "+2024-01-01T00:00:00Z",
            "२०२४-01-01T00:00:00Z",
            "1970-01-01T00:59:59+01:00",
        ] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}
