//! Conversations and their members, kept in Postgres.

use async_trait::async_trait;
use domain::{ClientId, Conversation, ConversationId, Member, Seq, Timestamp, Title, UserId};

use super::Failure;
use crate::{ConversationEntry, Page};

#[derive(Debug, Clone)]
pub struct NewDirect {
    pub id: ConversationId,
    pub creator: UserId,
    pub other: UserId,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct NewGroup {
    pub id: ConversationId,
    /// The creator's own name of this group: a repeat answers with the existing one.
    pub client_id: ClientId,
    pub creator: UserId,
    pub title: Title,
    /// Without the creator, each once.
    pub member_ids: Vec<UserId>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    pub conversation: Conversation,
    /// `false` for one that was there before.
    pub is_new: bool,
    /// Every active member, the creator too.
    pub member_ids: Vec<UserId>,
    /// The system message that tells of a new group's creation (seq 1).
    pub first_message: Option<domain::Message>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// These people do not exist.
    #[error("{} of the people named do not exist", .0.len())]
    UnknownUsers(Vec<UserId>),
    /// One of the two blocked the other.
    #[error("a block stands between them")]
    Blocked,
    /// It is there, and who opens it is not in it any more.
    #[error("who opens it has left it")]
    NotAMember,
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// Why a part of a list cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The cursor is not one that an earlier answer gave.
    #[error("the cursor cannot be read")]
    InvalidCursor,
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// A conversation that went on without the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behind {
    pub conversation_id: ConversationId,
    pub last_seq: Seq,
}

/// What a user is not an active member of does not exist for them: `None`.
#[async_trait]
pub trait ConversationStore: Send + Sync {
    /// A direct one starts empty, both join at seq 0. Safe when both sides open it at once.
    async fn open_direct(&self, direct: NewDirect) -> Result<Created, OpenError>;
    /// The creator becomes owner; seq 1 is the creation. All join at seq 0.
    async fn open_group(&self, group: NewGroup) -> Result<Created, OpenError>;
    /// Most recently active first; the second value is the next cursor.
    async fn list(
        &self,
        user: UserId,
        page: Page,
    ) -> Result<(Vec<ConversationEntry>, Option<String>), PageError>;
    async fn get(&self, user: UserId, id: ConversationId) -> Result<Option<Conversation>, Failure>;
    /// In the order they joined; the second value is the next cursor.
    async fn members(
        &self,
        user: UserId,
        id: ConversationId,
        page: Page,
    ) -> Result<Option<(Vec<Member>, Option<String>)>, PageError>;
    /// Those of the cursors that are smaller than `last_seq`, active memberships only.
    async fn behind(
        &self,
        user: UserId,
        cursors: &[(ConversationId, Seq)],
    ) -> Result<Vec<Behind>, Failure>;
}
