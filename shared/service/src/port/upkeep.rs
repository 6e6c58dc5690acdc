//! What is looked after while nobody asks: members who are behind, copies that are missing,
//! traces that are over; and the feed that a device catches up with.

use async_trait::async_trait;
use domain::{ConversationId, Seq, Timestamp, UserId};

use super::{Failure, MembershipCopy, PageError};
use crate::{SyncPage, Trace};

/// A member to whom the newest changes were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Straggler {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub last_seq: Seq,
}

#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Members whose `delivered` is smaller than the `last_seq` of a conversation that changed
    /// between `limits::NUDGE_UNTIL` and `nudge_after` ago, at most `limit`. Each counts as
    /// nudged, and none is answered more than `limits::NUDGES_IN_VAIN` times while their
    /// `delivered` stays where it is. Those come first who were nudged least in vain, then those
    /// who were nudged longest ago: many who are offline do not keep the others from their turn.
    async fn stragglers(
        &self,
        nudge_after: std::time::Duration,
        limit: usize,
    ) -> Result<Vec<Straggler>, Failure>;
    /// Membership changes whose copies nobody has confirmed for `limits::COPY_REPAIR_AFTER`.
    async fn unconfirmed_copies(&self, limit: usize) -> Result<Vec<MembershipCopy>, Failure>;
    /// Those of who is in this conversation that nobody has confirmed, however new they are.
    async fn owed_copies(&self, id: ConversationId) -> Result<Vec<MembershipCopy>, Failure>;
    /// These copies are written, and their people told. Later changes of the same members stay
    /// unconfirmed.
    async fn confirm_copies(&self, copies: &[MembershipCopy]) -> Result<(), Failure>;
    /// Forgets traces older than `limits::TRACE_LIFETIME`, so many at the most; answers how many.
    async fn forget_traces(&self, limit: usize) -> Result<u64, Failure>;
    /// Forgets what ended before this moment, so many of each at the most; answers how many in
    /// all. Sessions that were revoked, or used for the last time, with their refresh tokens;
    /// tokens of mails that expired; invites that expired or were revoked; contact requests that
    /// nobody answered.
    async fn forget_ended(&self, before: Timestamp, limit: usize) -> Result<u64, Failure>;
}

#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Older than `limits::SYNC_CURSOR_LIFETIME`.
    #[error("the cursor is too old")]
    Expired,
    #[error(transparent)]
    Page(#[from] PageError),
}

#[async_trait]
pub trait SyncFeed: Send + Sync {
    /// Conversations that changed since the cursor, in the order of their ids, at most `limit` in
    /// all; without a cursor every active one. Changed is also one's own side: marks, preferences,
    /// leaving.
    async fn changed_since(
        &self,
        user: UserId,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<SyncPage, SyncError>;
}

/// Frames that sockets took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushRecord {
    pub conversation_id: ConversationId,
    /// The numbers in (after, through] were told.
    pub after: Seq,
    pub through: Seq,
    /// Sockets for which API Gateway answered that it has the frame.
    pub devices: u32,
    /// Before the first of them was pushed to: nobody has a message before it was pushed. `None`
    /// in notes of a release that had no times; the time of the note counts then.
    pub at: Option<Timestamp>,
}

/// Where pushes are noted for the trace. Best effort: a note that is lost is only a gap in a trace.
#[async_trait]
pub trait PushLog: Send + Sync {
    /// Two machines have two clocks: a push is not dated later than its note, nor is it shown as
    /// earlier than its message was stored.
    async fn record(&self, pushes: &[PushRecord]) -> Result<(), Failure>;
}

#[async_trait]
pub trait TraceStore: Send + Sync {
    /// For the sender of the message and while they are an active member; `None` for others.
    async fn trace(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
    ) -> Result<Option<Trace>, Failure>;
}
