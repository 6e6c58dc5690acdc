//! What is live: sockets, tickets, admission of sends, pushes. DynamoDB and API Gateway.

use async_trait::async_trait;
use domain::{ConnectionId, ConversationId, Seq, Timestamp, TokenBucket, UserId};

use super::Failure;
use crate::{Connection, Event, Identity};

#[async_trait]
pub trait TicketStore: Send + Sync {
    async fn issue(
        &self,
        digest: &str,
        identity: Identity,
        expires_at: Timestamp,
    ) -> Result<(), Failure>;
    /// Whose it was; it is spent now. `None` for an unknown, spent or expired one. Of two
    /// redemptions at once, one wins.
    async fn redeem(&self, digest: &str, now: Timestamp) -> Result<Option<Identity>, Failure>;
}

/// The open sockets: `C#<connection>`, and one attribute a connection in `U#<user>/LIVE`.
#[async_trait]
pub trait ConnectionStore: Send + Sync {
    /// `false`, and nothing is recorded, when its session has ended.
    async fn open(&self, connection: &Connection) -> Result<bool, Failure>;
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>, Failure>;
    /// A heartbeat: raises `seen_at` and re-creates a pruned attribute from `C#…`.
    /// `None` when the connection is unknown, or its session has ended.
    async fn touch(&self, id: &ConnectionId, now: Timestamp)
    -> Result<Option<Connection>, Failure>;
    /// After `$disconnect`: removes both, and remembers `now` as when the user was last seen, if
    /// no device of theirs was invisible. Idempotent; other connections of the user stay.
    async fn close(&self, id: &ConnectionId, now: Timestamp)
    -> Result<Option<Connection>, Failure>;
    /// After a 410: removes only this connection's attribute from its user's item.
    async fn prune(&self, connection: &Connection) -> Result<(), Failure>;
    /// Takes no connection of this session from now on, and answers those that it has, whether
    /// their lease is valid or not.
    async fn end_session(
        &self,
        identity: Identity,
        now: Timestamp,
    ) -> Result<Vec<Connection>, Failure>;
    /// The connections of these users whose lease is valid, strongly consistent for up to ten
    /// users; in no order.
    async fn of_users(&self, users: &[UserId], now: Timestamp) -> Result<Vec<Connection>, Failure>;
}

/// Who stands behind a socket, and whether they may send here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub connection: Option<Connection>,
    pub is_member: bool,
}

/// The reads before a message is accepted, strongly consistent. The truth is checked again under
/// the lock in Postgres; this only turns most of the hopeless away.
#[async_trait]
pub trait SendGate: Send + Sync {
    async fn of_connection(
        &self,
        connection_id: &ConnectionId,
        conversation_id: ConversationId,
    ) -> Result<Standing, Failure>;
    async fn is_member(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<bool, Failure>;
}

/// `V#<conversation>/<user>`, written after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipCopy {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub is_active: bool,
    /// The conversation's counter at the change; an older version never overwrites a newer one.
    pub version: Seq,
}

#[async_trait]
pub trait MembershipCopies: Send + Sync {
    async fn write(&self, copies: &[MembershipCopy]) -> Result<(), Failure>;
}

#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes `count` tokens from the bucket `scope` (`message/<user>`) and tells when it will be
    /// full again, or in how many milliseconds they will be there.
    async fn take(
        &self,
        scope: &str,
        bucket: TokenBucket,
        count: u32,
        now: Timestamp,
    ) -> Result<Result<Timestamp, u64>, Failure>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushOutcome {
    Delivered,
    /// 410: there is no such socket, or not yet.
    Gone,
    /// Throttled, timed out or refused: try again through the queue.
    Failed,
}

/// API Gateway's `@connections`.
#[async_trait]
pub trait Pusher: Send + Sync {
    /// Says one event to one socket, in as many frames as it takes, in order.
    async fn push(&self, connection_id: &ConnectionId, event: &Event) -> PushOutcome;
    /// Ends the socket; one that is gone already is fine.
    async fn disconnect(&self, connection_id: &ConnectionId) -> Result<(), Failure>;
}
