//! `GET /v1/sync`: what changed while no socket was open.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::chance::Chance;

const RETRY_FIRST_MS: u64 = 1_000;
const RETRY_MOST_MS: u64 = 60_000;
/// Pages of one sync; a server that has always more is not believed.
const PAGES_MOST: u32 = 1_000;
/// A device that has lost the word of being let in somewhere, or put out, knows of no conversation
/// to ask about: a sync tells it, with every so many heartbeats.
const BEATS_PER_SYNC: u32 = 4;

/// Where the sync stands.
#[derive(Debug, Default)]
pub(crate) struct Syncing {
    /// To be kept over the life of the app; `None`: begin with everything.
    cursor: Option<String>,
    wanted: Option<u64>,
    asked: Option<u64>,
    pages: u32,
    failures: u32,
    /// Heartbeats since the last one ended.
    beats: u32,
    /// Something may have happened since the one under way was asked for.
    again: bool,
    /// Pushes wait until the first sync after a time offline has ended, either way.
    is_buffering: bool,
    /// None has ended yet since the socket was opened.
    is_first: bool,
    /// In a sync of everything: conversations that no page has named so far.
    unnamed: Option<BTreeSet<Uuid>>,
}

impl Syncing {
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Begin where an earlier life of the app ended.
    pub(crate) fn restore(&mut self, cursor: Option<String>) {
        self.cursor = cursor;
    }

    pub(crate) fn is_buffering(&self) -> bool {
        self.is_buffering
    }

    pub(crate) fn is_under_way(&self) -> bool {
        self.wanted.is_some() || self.asked.is_some()
    }

    /// A socket is open. After a time without one, what is pushed waits for the sync.
    pub(crate) fn opened(&mut self, was_offline: bool, now: u64) {
        self.is_buffering |= was_offline;
        self.is_first = true;
        // One that began before the socket was open may have missed what came between.
        self.asked = None;
        self.wanted = Some(now);
        self.pages = 0;
        self.failures = 0;
        self.beats = 0;
        self.again = false;
    }

    /// One at a time.
    pub(crate) fn want(&mut self, now: u64) {
        if self.asked.is_some() {
            self.again = true;
        } else if self.wanted.is_none() {
            self.pages = 0;
            self.wanted = Some(now);
        }
    }

    /// A heartbeat was answered.
    pub(crate) fn beat(&mut self, now: u64) {
        self.beats += 1;
        if self.beats >= BEATS_PER_SYNC {
            self.want(now);
        }
    }

    pub(crate) fn offline(&mut self) {
        self.asked = None;
        self.wanted = None;
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        self.wanted
    }

    pub(crate) fn take(&mut self, request: u64, known: impl Iterator<Item = Uuid>) {
        self.wanted = None;
        self.asked = Some(request);
        if self.cursor.is_none() && self.pages == 0 {
            self.unnamed = Some(known.collect());
        }
    }

    pub(crate) fn is_asked(&self, request: u64) -> bool {
        self.asked == Some(request)
    }

    /// A conversation exists, says a page or a push.
    pub(crate) fn named(&mut self, conversation: Uuid) {
        if let Some(unnamed) = &mut self.unnamed {
            unnamed.remove(&conversation);
        }
    }

    pub(crate) fn is_first(&self) -> bool {
        self.is_first
    }

    /// A page came. At the end: the conversations that exist no more for this person.
    pub(crate) fn page(&mut self, next: String, has_more: bool, now: u64) -> Option<Vec<Uuid>> {
        self.asked = None;
        self.failures = 0;
        self.cursor = Some(next);
        self.pages += 1;
        if has_more && self.pages < PAGES_MOST {
            self.wanted = Some(now);
            return None;
        }
        self.is_buffering = false;
        self.is_first = false;
        self.beats = 0;
        if std::mem::take(&mut self.again) {
            self.want(now);
        }
        Some(self.unnamed.take().into_iter().flatten().collect())
    }

    /// The cursor is too old: from nothing.
    pub(crate) fn expired(&mut self, now: u64) {
        self.asked = None;
        self.cursor = None;
        self.pages = 0;
        self.wanted = Some(now);
    }

    /// `true`: none has ended otherwise since the socket was opened.
    pub(crate) fn failed(&mut self, now: u64, chance: &mut Chance) -> bool {
        self.asked = None;
        self.is_buffering = false;
        self.failures = self.failures.saturating_add(1);
        let wait = chance.back_off(RETRY_FIRST_MS, RETRY_MOST_MS, self.failures);
        self.wanted = Some(now + wait);
        std::mem::take(&mut self.is_first)
    }
}
