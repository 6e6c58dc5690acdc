//! How long something took, again and again.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// Durations up to a minute, in microseconds.
#[derive(Clone)]
pub struct Spread(Histogram<u64>);

const LONGEST_US: u64 = 60_000_000;

impl Spread {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the library takes")]
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("constant bounds"))
    }

    pub fn add(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.0.saturating_record(us.clamp(1, LONGEST_US));
    }

    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Milliseconds.
    pub fn p(&self, percentile: f64) -> f64 {
        let us = u32::try_from(self.0.value_at_percentile(percentile)).unwrap_or(u32::MAX);
        f64::from(us) / 1000.0
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, count) = (self.p(50.0), self.p(99.0), self.count());
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms ({count} times)")
    }
}

/// So many in this time, as a rate.
pub fn per_second(count: usize, took: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64().max(0.001)
}
