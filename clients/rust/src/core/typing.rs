//! Who types in one conversation: oneself, for the others, and they, for oneself.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Of the protocol: more is dropped by the server.
const INTERVAL_MS: u64 = 3_000;
/// People shown as typing.
const TYPISTS_MOST: usize = 20;
/// Whatever a frame says, nobody is shown as typing for longer without another one.
const LIFETIME_MOST_MS: u64 = 30_000;

/// Nothing here is ever repeated or repaired: it is out of date at once.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    /// What the app wants to be said and has not been.
    wanted: Option<bool>,
    /// The last thing said.
    is_said: bool,
    said_at: Option<u64>,
    /// Others, with the time when they are taken to have stopped.
    typists: BTreeMap<Uuid, u64>,
}

impl Typing {
    /// To be told on every key; it is said as seldom as the protocol wants.
    pub(crate) fn set(&mut self, is_active: bool) {
        self.wanted = (is_active || self.is_said).then_some(is_active);
    }

    /// The message itself says that one has stopped.
    pub(crate) fn posted(&mut self) {
        self.wanted = None;
        self.is_said = false;
    }

    pub(crate) fn offline(&mut self) {
        self.wanted = None;
        self.is_said = false;
        self.typists.clear();
    }

    /// When there is something to say.
    pub(crate) fn say_wake(&self) -> Option<u64> {
        self.wanted.map(|_| self.said_at.map_or(0, |at| at + INTERVAL_MS))
    }

    pub(crate) fn take(&mut self, now: u64) -> Option<bool> {
        self.say_wake().filter(|at| now >= *at)?;
        let is_active = self.wanted.take()?;
        self.is_said = is_active;
        self.said_at = Some(now);
        Some(is_active)
    }

    pub(crate) fn heard(&mut self, user: Uuid, is_active: bool, expires_in_ms: u64, now: u64) {
        if !is_active {
            self.typists.remove(&user);
        } else if self.typists.len() < TYPISTS_MOST || self.typists.contains_key(&user) {
            self.typists.insert(user, now + expires_in_ms.min(LIFETIME_MOST_MS));
        }
    }

    /// A message of theirs came.
    pub(crate) fn stopped(&mut self, user: Uuid) {
        self.typists.remove(&user);
    }

    pub(crate) fn typists(&self, now: u64) -> Vec<Uuid> {
        let typing = self.typists.iter().filter(|(_, until)| now < **until);
        typing.map(|(user, _)| *user).collect()
    }

    pub(crate) fn expiry(&self) -> Option<u64> {
        self.typists.values().min().copied()
    }

    /// `true`: somebody has stopped.
    pub(crate) fn expire(&mut self, now: u64) -> bool {
        let before = self.typists.len();
        self.typists.retain(|_, until| now < *until);
        self.typists.len() < before
    }
}
