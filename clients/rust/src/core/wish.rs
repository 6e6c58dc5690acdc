//! When to ask for something, and when again.

use super::chance::Chance;

/// Something to ask for, with a place for its request.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    at: Option<u64>,
    running: bool,
    failures: u32,
}

impl Wish {
    /// One under way may have begun too early to see what this one is for, so it is repeated.
    pub(crate) fn want(&mut self, at: u64) {
        self.at = Some(self.at.map_or(at, |earlier| earlier.min(at)));
    }

    /// As [`Self::want`], but a retry keeps its time.
    pub(crate) fn want_unless_wanted(&mut self, at: u64) {
        if self.at.is_none() && !self.running {
            self.at = Some(at);
        }
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        self.at.filter(|_| !self.running)
    }

    pub(crate) fn take(&mut self, now: u64) -> bool {
        let is_due = self.wake().is_some_and(|at| now >= at);
        if is_due {
            self.at = None;
            self.running = true;
        }
        is_due
    }

    pub(crate) fn done(&mut self) {
        self.running = false;
        self.failures = 0;
    }

    pub(crate) fn failed(&mut self, now: u64, first: u64, most: u64, chance: &mut Chance) {
        self.running = false;
        self.failures = self.failures.saturating_add(1);
        self.at = Some(now + chance.back_off(first, most, self.failures));
    }

    /// The request under way is given up; another takes its place.
    pub(crate) fn again(&mut self, now: u64) {
        self.running = false;
        self.want(now);
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.running
    }

    /// Under way, or to come.
    pub(crate) fn is_open(&self) -> bool {
        self.running || self.at.is_some()
    }
}
