//! The token bucket, as arithmetic on one stored time (GCRA).

use std::time::Duration;

use crate::Timestamp;

/// `burst` at once, then one more each `interval`: whole milliseconds, in which times are stored,
/// so that nothing finer is lost. More than a thousand a second count as a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    pub interval: Duration,
    pub burst: u32,
}

impl TokenBucket {
    /// `burst` at once, then `per_second` more each second.
    pub const fn per_second(per_second: u32, burst: u32) -> Self {
        Self { interval: interval(Duration::from_secs(1), per_second), burst }
    }

    /// So many at once, and as many more each minute.
    pub const fn per_minute(count: u32) -> Self {
        Self::over(Duration::from_secs(60), count)
    }

    /// So many at once, and as many more each hour.
    pub const fn per_hour(count: u32) -> Self {
        Self::over(Duration::from_secs(3_600), count)
    }

    const fn over(period: Duration, count: u32) -> Self {
        let burst = if count == 0 { 1 } else { count };
        Self { interval: interval(period, count), burst }
    }

    /// `full_at` is when the bucket will be full again. Answers the next `full_at`, or how long
    /// to wait until `count` tokens are there.
    pub fn take(
        self,
        full_at: Option<Timestamp>,
        count: u32,
        now: Timestamp,
    ) -> Result<Timestamp, Duration> {
        let span = |tokens: u32| self.interval.saturating_mul(tokens);
        let start = full_at.map_or(now, |at| at.max(now));
        let next = start.plus(span(count));
        let latest = now.plus(span(self.burst));
        if next <= latest { Ok(next) } else { Err(next.since(latest)) }
    }

    /// How many tokens are there, and how long until there is one more: no time at all when the
    /// bucket is full.
    pub fn left(self, full_at: Timestamp, now: Timestamp) -> (u32, Duration) {
        let (debt, interval) = (full_at.since(now).as_micros(), self.interval.as_micros());
        let missing = debt.div_ceil(interval.max(1));
        let left = self.burst.saturating_sub(u32::try_from(missing).unwrap_or(u32::MAX));
        let next = debt.saturating_sub(missing.saturating_sub(1).saturating_mul(interval));
        (left, Duration::from_micros(u64::try_from(next).unwrap_or(u64::MAX)))
    }

    /// In which an empty bucket fills.
    pub fn window(self) -> Duration {
        self.interval.saturating_mul(self.burst)
    }
}

/// Rounded up: a limit is rather a little stricter than one that lets through too much.
const fn interval(period: Duration, count: u32) -> Duration {
    let count = if count == 0 { 1 } else { count as u64 };
    Duration::from_millis((period.as_millis() as u64).div_ceil(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: TokenBucket = TokenBucket::per_second(5, 20);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms).unwrap()
    }

    #[test]
    fn the_burst_is_there_at_once_and_no_more() {
        let full_at = BUCKET.take(None, 20, at(0)).unwrap();
        assert_eq!(BUCKET.take(Some(full_at), 1, at(0)), Err(Duration::from_millis(200)));
    }

    /// The clock that wrote may be ahead of the one that asks.
    #[test]
    fn a_limit_that_nobody_reaches_refuses_nobody() {
        let bucket = TokenBucket::per_minute(100_000);
        assert!(bucket.take(Some(at(1)), 1, at(0)).is_ok());
        assert_eq!(bucket.left(at(0), at(0)).0, 100_000);
    }

    /// Times are stored in milliseconds: what is finer was once lost, and counted nothing.
    #[test]
    fn no_more_come_through_in_a_second_than_were_set() {
        for per_second in [1, 3, 7, 300, 501, 600, 999, 1_000, 1_700, 100_000] {
            let bucket = TokenBucket::per_second(per_second, 20);
            let (mut full_at, mut taken) = (bucket.take(None, 20, at(0)).ok(), 0);
            for ms in 1..=1_000 {
                while let Ok(next) = bucket.take(full_at, 1, at(ms)) {
                    (full_at, taken) = (Some(next), taken + 1);
                    assert!(taken <= per_second, "{per_second}");
                }
            }
            assert!(taken >= per_second.min(1_000) / 2, "{per_second}: {taken}");
        }
    }

    /// Taken one by one, as many as all at once.
    #[test]
    fn a_burst_taken_one_by_one_is_no_larger() {
        let bucket = TokenBucket::per_second(600, 20);
        let mut full_at = None;
        for _ in 0..20 {
            full_at = bucket.take(full_at, 1, at(0)).ok();
        }
        assert_eq!(bucket.left(full_at.unwrap(), at(0)).0, 0);
        assert!(bucket.take(full_at, 1, at(0)).is_err());
    }

    #[test]
    fn tokens_come_back_at_the_rate() {
        let full_at = BUCKET.take(None, 20, at(0)).unwrap();
        assert!(BUCKET.take(Some(full_at), 5, at(1_000)).is_ok());
        assert!(BUCKET.take(Some(full_at), 6, at(1_000)).is_err());
    }

    #[test]
    fn what_is_left_can_be_taken_and_no_more() {
        for (taken, ms) in [(0, 0), (1, 0), (3, 150), (5, 200), (19, 399), (20, 0), (20, 4_000)] {
            let full_at = BUCKET.take(None, taken, at(0)).unwrap();
            let (left, _) = BUCKET.left(full_at, at(ms));
            assert!(BUCKET.take(Some(full_at), left, at(ms)).is_ok(), "{taken} {ms}");
            assert!(BUCKET.take(Some(full_at), left + 1, at(ms)).is_err(), "{taken} {ms}");
        }
    }

    #[test]
    fn one_more_is_there_when_it_was_said_to_be() {
        let full_at = BUCKET.take(None, 3, at(0)).unwrap();
        assert_eq!(BUCKET.left(full_at, at(0)), (17, Duration::from_millis(200)));
        assert_eq!(BUCKET.left(full_at, at(150)), (17, Duration::from_millis(50)));
        assert_eq!(BUCKET.left(full_at, at(200)), (18, Duration::from_millis(200)));
        assert_eq!(BUCKET.left(full_at, at(600)), (20, Duration::ZERO));
        let limitless = TokenBucket::per_minute(100_000);
        assert_eq!(limitless.left(at(0), at(0)), (100_000, Duration::ZERO));
    }

    #[test]
    fn an_idle_bucket_does_not_overflow() {
        assert!(BUCKET.take(Some(at(0)), 21, at(1_000_000)).is_err());
    }
}
