//! Points in time, as the protocol writes them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Invalid;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 0001-01-01 and 9999-12-31: what RFC 3339 can write with four digits of year.
const RANGE_MS: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

impl Timestamp {
    /// `None` outside the years 1 to 9999.
    pub fn from_unix_ms(ms: i64) -> Option<Self> {
        RANGE_MS.contains(&ms).then_some(Self(ms))
    }

    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as JWT and DynamoDB want them.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Stops at the ends of the range.
    pub fn plus(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(ms).min(*RANGE_MS.end()))
    }

    /// Stops at the ends of the range.
    pub fn minus(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(ms).max(*RANGE_MS.start()))
    }

    /// Zero when `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// `2026-03-01T12:00:00.000Z`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at =
            OffsetDateTime::from_unix_timestamp(self.unix_seconds()).map_err(|_| fmt::Error)?;
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = (at.hour(), at.minute(), at.second());
        let ms = self.0.rem_euclid(1000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    /// Any RFC 3339 time; what is finer than a millisecond is cut off.
    fn from_str(raw: &str) -> Result<Self, Invalid> {
        OffsetDateTime::parse(raw, &Rfc3339)
            .ok()
            .and_then(|at| i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok())
            .and_then(Self::from_unix_ms)
            .ok_or_else(|| Invalid::new("invalid_time", "must be an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        let at: Timestamp = "2026-03-01T13:00:00.1239+01:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-03-01T12:00:00.123Z");
    }

    #[test]
    fn hostile_times_are_refused() {
        for raw in ["", "now", "2026-13-01T00:00:00Z", "99999-01-01T00:00:00Z", "2026-03-01"] {
            assert_eq!(raw.parse::<Timestamp>().unwrap_err().code, "invalid_time", "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn every_time_is_read_back_as_it_was_written(ms in RANGE_MS) {
            let at = Timestamp::from_unix_ms(ms).unwrap();
            prop_assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }

        #[test]
        fn arithmetic_never_leaves_the_range(ms in RANGE_MS, by in 0..u64::MAX) {
            let at = Timestamp::from_unix_ms(ms).unwrap();
            prop_assert!(RANGE_MS.contains(&at.plus(Duration::from_millis(by)).unix_ms()));
            prop_assert!(RANGE_MS.contains(&at.minus(Duration::from_millis(by)).unix_ms()));
        }
    }
}
