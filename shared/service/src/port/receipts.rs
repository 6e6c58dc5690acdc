//! Receipts: how far each member has got.

use async_trait::async_trait;
use domain::{ConversationId, Marks, Seq, UserId};

use super::{Failure, PushRecord};
use crate::{MemberMarks, Recipient};

/// What a device says it has, or its person has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptClaim {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub delivered: Option<Seq>,
    pub read: Option<Seq>,
}

/// What `receipts-to-record` carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordJob {
    Receipt(ReceiptClaim),
    Push(PushRecord),
}

/// Into `receipts-to-record`.
#[async_trait]
pub trait ReceiptQueue: Send + Sync {
    /// `Ok` means durable.
    async fn enqueue(&self, claim: ReceiptClaim) -> Result<(), Failure>;
}

/// Marks that rose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedMarks {
    pub conversation_id: ConversationId,
    pub user_id: UserId,
    pub before: Marks,
    pub after: Marks,
    /// `after` as others may see it: who does not share receipts shows what was delivered only,
    /// and as read what they had when they joined.
    pub shown: MemberMarks,
    /// Active members who wrote something between the two marks, without the reader: of the
    /// newest messages, at most `limits::RECEIPT_AUTHORS`.
    pub authors: Vec<Recipient>,
}

#[async_trait]
pub trait ReceiptStore: Send + Sync {
    /// One UPDATE for all, rows locked in the order of their keys: by `domain::Marks::raised`,
    /// for active members only. Answers those that rose, and leaves their times for the trace.
    async fn raise(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure>;
    /// Of these members, as raised to where they are now, with the authors of the newest messages
    /// that they cover: who was told when they rose, or should have been.
    async fn standing(&self, claims: &[ReceiptClaim]) -> Result<Vec<RaisedMarks>, Failure>;
    /// Of every active member, as others may see them; one's own as they are. `None` for who is
    /// no active member.
    async fn marks(
        &self,
        user: UserId,
        conversation_id: ConversationId,
    ) -> Result<Option<Vec<MemberMarks>>, Failure>;
}
