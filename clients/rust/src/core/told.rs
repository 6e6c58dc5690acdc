//! What has happened, for whoever renders.

use std::collections::VecDeque;

use super::action::Event;

/// Nobody may be listening: then the oldest are forgotten.
const EVENTS_MOST: usize = 10_000;

/// Events in their order.
#[derive(Debug, Default)]
pub(crate) struct Told {
    events: VecDeque<Event>,
    forgotten: u64,
    count: u64,
}

impl Told {
    pub(crate) fn tell(&mut self, event: Event) {
        if self.events.len() >= EVENTS_MOST {
            self.events.pop_front();
            self.forgotten += 1;
        }
        self.count += 1;
        self.events.push_back(event);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(crate) fn take(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }
}
