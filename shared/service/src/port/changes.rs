//! Changes of messages that are in history.

use async_trait::async_trait;
use domain::{Change, ChangeRefusal, ConversationId, Emoji, Message, Seq, Timestamp, UserId};

use super::{Failure, PageError};
use crate::{Page, Recipient};

/// Who wants what done to which message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    pub conversation_id: ConversationId,
    pub seq: Seq,
    pub user_id: UserId,
    pub change: Change,
    pub at: Timestamp,
}

/// A message after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub message: Message,
    /// The active members as the transaction saw them under its lock; `None` when the change
    /// changed nothing and took no number.
    pub recipients: Option<Vec<Recipient>>,
}

#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No such conversation, or they are not an active member of it.
    #[error("not a member")]
    NotAMember,
    /// No such message, or it was written before they joined.
    #[error("no such message")]
    NoSuchMessage,
    /// An edit names somebody who neither is nor was a member.
    #[error("the edit mentions a stranger")]
    InvalidMention,
    #[error("the change is refused")]
    Refused(ChangeRefusal),
    #[error(transparent)]
    Failure(#[from] Failure),
}

#[async_trait]
pub trait MessageChanges: Send + Sync {
    /// Judges by `domain::Change::check` and writes under the conversation's lock, with the next
    /// number as `rev`.
    async fn change(&self, request: ChangeRequest) -> Result<Changed, ChangeError>;
    /// All who reacted with this emoji, in the order in which they did; the second value is the
    /// next cursor. `None` when the message is not there for this user.
    async fn reactors(
        &self,
        user: UserId,
        conversation_id: ConversationId,
        seq: Seq,
        emoji: &Emoji,
        page: Page,
    ) -> Result<Option<(Vec<UserId>, Option<String>)>, PageError>;
}
