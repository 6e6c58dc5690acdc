//! All chance of one run, from its seed.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

/// `SplitMix64`: one word of state. Everything random in a run is drawn here, in the order in
/// which the one thread gets to it.
pub struct Chance(AtomicU64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not begin alike.
        let chance = Self(AtomicU64::new(seed.wrapping_mul(0xD134_2543_DE82_EF95)));
        chance.next();
        chance
    }

    pub fn next(&self) -> u64 {
        let step = 0x9E37_79B9_7F4A_7C15_u64;
        let mut word = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Less than `end`; 0 when that is 0.
    pub fn below(&self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    pub fn between(&self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// True so often in a thousand.
    pub fn roll(&self, per_mille: u64) -> bool {
        per_mille > 0 && self.below(1_000) < per_mille
    }

    pub fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    pub fn pick<'a, T>(&self, some: &'a [T]) -> Option<&'a T> {
        if some.is_empty() { None } else { some.get(self.index(some.len())) }
    }

    pub fn uuid(&self) -> Uuid {
        let (high, low) = (u128::from(self.next()), u128::from(self.next()));
        Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid()
    }
}
