//! How sure one can be that two things take the same time.

use std::fmt;

/// Samples that are drawn from the times to see how much their medians vary by chance.
const RESAMPLES: usize = 2_000;

/// Of two medians, with the interval in which 95 of 100 such measurements find it: the bootstrap,
/// by its percentiles.
pub struct Ratio {
    measured: f64,
    low: f64,
    high: f64,
}

impl Ratio {
    /// How many times as long the ones took as the others.
    pub fn of_medians(ones: &[f64], others: &[f64]) -> Self {
        let again = || median(&resampled(ones)) / median(&resampled(others));
        let ratios: Vec<f64> = (0..RESAMPLES).map(|_| again()).collect();
        let (low, high) = (of_sorted(&ratios, 25, 1000), of_sorted(&ratios, 975, 1000));
        Self { measured: median(ones) / median(others), low, high }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measured, low, high } = self;
        write!(f, "{measured:.3} (95 %: {low:.3} to {high:.3})")
    }
}

/// As many, drawn with replacement.
fn resampled(times: &[f64]) -> Vec<f64> {
    (0..times.len()).map(|_| times[fastrand::usize(..times.len())]).collect()
}

pub fn median(times: &[f64]) -> f64 {
    percentile(times, 50)
}

pub fn percentile(times: &[f64], percent: usize) -> f64 {
    of_sorted(times, percent, 100)
}

/// The value below which `part` of `whole` lie; 0 where there are none.
fn of_sorted(values: &[f64], part: usize, whole: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = sorted.len() * part / whole;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
