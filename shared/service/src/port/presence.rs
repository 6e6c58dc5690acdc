//! Who is there, and who wants to know. DynamoDB.

use std::time::Duration;

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, Presence, Status, Timestamp, UserId};

use super::Failure;
use crate::Connection;

/// What the live table knows of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub user_id: UserId,
    /// Of every connection with a valid lease.
    pub statuses: Vec<Status>,
    /// The latest heartbeat, connect or disconnect at a time when no device of theirs with a
    /// valid lease was invisible: who hides on one device is not given away by another.
    pub last_seen_at: Option<Timestamp>,
    /// What watchers were told last; offline when nothing was.
    pub announced: Presence,
}

impl Sighting {
    pub fn presence(&self) -> Presence {
        Presence::of_devices(self.statuses.iter().copied())
    }

    /// Whether some watcher may believe that they are there: they are, or it was told last.
    pub fn may_seem_there(&self) -> bool {
        [self.presence(), self.announced].iter().any(|shown| *shown != Presence::Offline)
    }

    /// Whether watchers believe something else.
    pub fn is_news(&self) -> bool {
        self.presence() != self.announced
    }
}

/// A socket that watches a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    pub connection: Connection,
    pub sees_last_seen: bool,
}

/// A person who may be watched by the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acquaintance {
    pub user_id: UserId,
    /// They share when they were last seen.
    pub shares_last_seen: bool,
}

#[async_trait]
pub trait PresenceStore: Send + Sync {
    /// Of one device; it stays through heartbeats. Answers the person afterwards, `None` for a
    /// connection that is not on record or whose session has ended.
    async fn set(
        &self,
        id: &ConnectionId,
        status: Status,
        now: Timestamp,
    ) -> Result<Option<Sighting>, Failure>;
    /// One for each of these users, those never seen included (no statuses, no last seen).
    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Sighting>, Failure>;
    /// Records what watchers are about to be told; `false` when they were told this already.
    /// Of two at once, one wins.
    async fn announce(&self, user: UserId, presence: Presence) -> Result<bool, Failure>;
    /// Puts this connection among the watchers of these people until then.
    async fn watch(
        &self,
        connection: &Connection,
        people: &[Acquaintance],
        until: Timestamp,
    ) -> Result<(), Failure>;
    /// Those whose watch has not ended, at most `limits::WATCHERS_PER_USER`.
    async fn watchers(&self, user: UserId, now: Timestamp) -> Result<Vec<Watcher>, Failure>;
    /// No socket of the one is among the watchers of the other any more. Answers those that were,
    /// each once. What it costs depends on their sockets, not on how many others watch. Misses a
    /// socket that a stray 410 pruned, and a watch that is begun or renewed at this moment: these
    /// end by themselves.
    async fn end_watches(
        &self,
        watcher: UserId,
        watched: UserId,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure>;
}

/// Into `presence-to-announce`.
#[async_trait]
pub trait PresenceQueue: Send + Sync {
    async fn enqueue(&self, user: UserId, delay: Duration) -> Result<(), Failure>;
}

/// Who knows whom, kept in Postgres.
#[async_trait]
pub trait Acquaintances: Send + Sync {
    /// Those of these people who share a conversation with the user, both active in it, and no
    /// block stands between them. Oneself counts.
    async fn among(&self, user: UserId, people: &[UserId]) -> Result<Vec<Acquaintance>, Failure>;
    /// Other active members, those who read last first; without those with a block between.
    /// `None` for who is no active member.
    async fn peers(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        limit: usize,
    ) -> Result<Option<Vec<UserId>>, Failure>;
}
