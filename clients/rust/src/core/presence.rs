//! Who of the people on the screen is there, and how oneself wants to be seen.

use std::collections::{BTreeMap, BTreeSet};

use protocol::value::Presence as Seen;
use uuid::Uuid;

/// Of the protocol.
const USERS_PER_WATCH: usize = 50;
/// A watch lasts 90 s; renewed this early, one may be late.
const RENEWAL_MS: u64 = 60_000;

/// Something to say about presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Saying {
    Set(String),
    Watch(Vec<Uuid>),
}

/// Watches are of one socket, and so is the own status: the next socket hears both again.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    watched: BTreeSet<Uuid>,
    seen: BTreeMap<Uuid, Seen>,
    /// When the next watch is to be said.
    watch_at: Option<u64>,
    status: Option<String>,
    is_status_said: bool,
}

impl Presence {
    /// At most 50 people: those on the screen. Answers those who are left out.
    pub(crate) fn watch(&mut self, users: &[Uuid], now: u64) -> usize {
        let watched: BTreeSet<Uuid> = users.iter().take(USERS_PER_WATCH).copied().collect();
        let is_news = watched != self.watched;
        self.seen.retain(|user, _| watched.contains(user));
        self.watched = watched;
        if self.watched.is_empty() {
            self.watch_at = None;
        } else if is_news || self.watch_at.is_none() {
            self.watch_at = Some(now);
        }
        users.len().saturating_sub(USERS_PER_WATCH)
    }

    pub(crate) fn set(&mut self, status: &str) {
        self.status = Some(status.to_owned());
        self.is_status_said = false;
    }

    pub(crate) fn seen(&self, user: Uuid) -> Option<&Seen> {
        self.seen.get(&user)
    }

    /// A socket that knows nothing of all this.
    pub(crate) fn opened(&mut self, now: u64) {
        self.is_status_said = false;
        self.watch_at = (!self.watched.is_empty()).then_some(now);
    }

    /// Nothing is known of anybody without a socket. Answers whose presence that ends.
    pub(crate) fn offline(&mut self) -> Vec<Uuid> {
        std::mem::take(&mut self.seen).into_keys().collect()
    }

    /// `true`: news of somebody who is watched.
    pub(crate) fn heard(&mut self, seen: Seen) -> bool {
        let user = seen.user_id;
        if !self.watched.contains(&user) {
            return false;
        }
        let before = self.seen.insert(user, seen);
        before.as_ref() != self.seen.get(&user)
    }

    /// When there is something to say.
    pub(crate) fn wake(&self) -> Option<u64> {
        let status = (self.status.is_some() && !self.is_status_said).then_some(0);
        status.into_iter().chain(self.watch_at).min()
    }

    pub(crate) fn take(&mut self, now: u64) -> Vec<Saying> {
        let mut sayings = Vec::new();
        if let Some(status) = self.status.clone().filter(|_| !self.is_status_said) {
            self.is_status_said = true;
            sayings.push(Saying::Set(status));
        }
        if self.watch_at.is_some_and(|at| now >= at) {
            self.watch_at = Some(now + RENEWAL_MS);
            sayings.push(Saying::Watch(self.watched.iter().copied().collect()));
        }
        sayings
    }
}
