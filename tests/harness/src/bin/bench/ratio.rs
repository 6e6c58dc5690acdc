//! How sure one can be that two things take the same time.

use std::fmt;

/// Times that the rounds are drawn again, to see how much the medians vary by chance.
const RESAMPLES: usize = 2_000;

/// Of two medians, with the interval in which 95 of 100 such measurements find it: the bootstrap,
/// by its percentiles.
pub struct Ratio {
    measured: f64,
    low: f64,
    high: f64,
}

impl Ratio {
    /// How many times as long the ones took as the others, round by round. Whole rounds are drawn,
    /// with replacement: what slowed a round down slowed both.
    pub fn of_medians(ones: &[f64], others: &[f64]) -> Self {
        let rounds = ones.len().min(others.len());
        let again = || {
            let drawn: Vec<usize> = (0..rounds).map(|_| fastrand::usize(..rounds)).collect();
            let of = |times: &[f64]| median(&drawn.iter().map(|i| times[*i]).collect::<Vec<_>>());
            of(ones) / of(others)
        };
        let ratios: Vec<f64> = (0..RESAMPLES).map(|_| again()).collect();
        let (low, high) = (part_of(&ratios, 25, 1000), part_of(&ratios, 975, 1000));
        Self { measured: median(ones) / median(others), low, high }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measured, low, high } = self;
        write!(f, "{measured:.3} (95 %: {low:.3} to {high:.3})")
    }
}

pub fn median(times: &[f64]) -> f64 {
    percentile(times, 50)
}

pub fn percentile(times: &[f64], percent: usize) -> f64 {
    part_of(times, percent, 100)
}

/// The value below which `part` of `whole` lie; 0 where there are none.
fn part_of(values: &[f64], part: usize, whole: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = sorted.len() * part / whole;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}
