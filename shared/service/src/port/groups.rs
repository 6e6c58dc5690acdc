//! Changing who is in a conversation, and what it is.

use async_trait::async_trait;
use domain::{
    AvatarUrl, ClientId, Conversation, ConversationId, Description, GroupRefusal, InviteId,
    Membership, Message, Role, Timestamp, Title, UserId,
};

use super::{Failure, MembershipCopy};
use crate::{Preferences, Recipient};

/// `None` leaves a field as it is; `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupEdit {
    pub title: Option<Title>,
    pub description: Option<Option<Description>>,
    pub avatar_url: Option<Option<AvatarUrl>>,
    pub shares_history: Option<bool>,
}

/// What is to be done to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupChange {
    Edit(GroupEdit),
    /// Each once; who is in already stays as they are.
    Add(Vec<UserId>),
    Remove(UserId),
    Leave,
    SetRole {
        user_id: UserId,
        role: Role,
    },
    /// By an invite, named by the digest of its token.
    Join {
        digest: String,
    },
    /// Everybody is out afterwards, the owner too. What was said stays for who exports it.
    Delete,
}

/// Who wants what done to which group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRequest {
    /// For [`GroupChange::Join`] the invite names it, and this is not looked at.
    pub conversation_id: ConversationId,
    pub actor_id: UserId,
    pub change: GroupChange,
    /// Of the system messages that tell of it: as many as one change can need.
    pub message_ids: [ClientId; 4],
    pub at: Timestamp,
}

/// A group after a change, as the transaction saw it under its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupChanged {
    pub conversation: Conversation,
    /// The system messages that tell of it, ascending by seq; none when nothing changed.
    pub messages: Vec<Message>,
    /// Active members afterwards.
    pub recipients: Vec<Recipient>,
    /// Who is out now.
    pub gone: Vec<UserId>,
    /// Of everybody whose membership changed; also in the outbox until they are confirmed.
    pub copies: Vec<MembershipCopy>,
}

/// Why an invite opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteRefusal {
    Unknown,
    Expired,
    UsedUp,
    Revoked,
}

#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// No such conversation, or they are not an active member of it.
    #[error("not a member")]
    NotAMember,
    /// The person it is about is not an active member.
    #[error("no such member")]
    NoSuchMember,
    #[error("{} of the people named do not exist", .0.len())]
    UnknownUsers(Vec<UserId>),
    /// A block stands between the actor and one of these people.
    #[error("a block stands between them")]
    Blocked,
    #[error("the group is full")]
    Full,
    /// As many are open as a group may have.
    #[error("the group has too many invites")]
    TooManyInvites,
    #[error("the change is refused")]
    Refused(GroupRefusal),
    #[error("the invite opens nothing")]
    Invite(InviteRefusal),
    #[error(transparent)]
    Failure(#[from] Failure),
}

#[async_trait]
pub trait GroupStore: Send + Sync {
    /// Judges by `domain::GroupAction::check` and `keeps_an_owner`, and writes, under the
    /// conversation's lock. Each changed thing is one system message with a number of its own.
    /// Who joins, or joins again, has all marks at `last_seq`, and sees what comes after it, or
    /// everything where the group shares its history. Who is removed does not come back by an
    /// invite of their own: those end with them.
    async fn change(&self, request: GroupRequest) -> Result<GroupChanged, GroupError>;
    /// Out of one's list until its next message. `false` for who is no active member; a group is
    /// refused with `NotAllowed`, and stays as it is.
    async fn hide(&self, user: UserId, id: ConversationId) -> Result<bool, GroupError>;
    /// `None` for who is no active member.
    async fn prefer(
        &self,
        user: UserId,
        id: ConversationId,
        preferences: Preferences,
    ) -> Result<Option<Membership>, Failure>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    pub id: InviteId,
    pub conversation_id: ConversationId,
    pub creator_id: UserId,
    /// 64 hex digits; the token itself is not kept.
    pub digest: String,
    /// `None`: as often as one likes.
    pub max_uses: Option<u32>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

/// One invite, for those who may invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    pub creator_id: UserId,
    pub uses: u32,
    pub max_uses: Option<u32>,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What somebody sees who has the token and is not in yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitePreview {
    pub conversation_id: ConversationId,
    pub title: Title,
    pub description: Option<Description>,
    pub avatar_url: Option<AvatarUrl>,
    pub member_count: u32,
    pub is_member: bool,
}

#[async_trait]
pub trait InviteStore: Send + Sync {
    /// Judged by `GroupAction::Invite`; at most `limits::INVITES_PER_GROUP` open ones.
    async fn create(&self, invite: NewInvite) -> Result<Invite, GroupError>;
    /// At most `limits::INVITES_PER_GROUP` of those that are not revoked: the open ones first, so
    /// that all of them are there, and of both kinds the newest first.
    async fn list(
        &self,
        user: UserId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Vec<Invite>, GroupError>;
    /// Idempotent; [`InviteRefusal::Unknown`] for one of another group.
    async fn revoke(
        &self,
        user: UserId,
        id: ConversationId,
        invite: InviteId,
        now: Timestamp,
    ) -> Result<(), GroupError>;
    /// Refused by the first of: unknown, revoked, expired, used up.
    async fn preview(
        &self,
        user: UserId,
        digest: &str,
        now: Timestamp,
    ) -> Result<InvitePreview, GroupError>;
}
