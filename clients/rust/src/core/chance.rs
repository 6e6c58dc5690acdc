//! Chance from a seed: the same seed gives the same ids and the same jitter.

use uuid::{Builder, Uuid};

/// `SplitMix64` (Steele, Lea and Flood, 2014): one word of state, good enough for jitter and for
/// ids that only have to differ from each other on one socket.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// The name of a frame.
    pub(crate) fn id(&mut self) -> Uuid {
        let (high, low) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high);
        bytes[8..].copy_from_slice(&low);
        Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Half of `wait` to all of it.
    pub(crate) fn jittered(&mut self, wait: u64) -> u64 {
        let half = wait / 2;
        half + self.next() % (wait - half + 1)
    }

    /// `first` after one failure, twice as much after each further one, at most `most`; jittered.
    pub(crate) fn back_off(&mut self, first: u64, most: u64, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(20);
        self.jittered(first.saturating_mul(1 << doublings).min(most))
    }
}
