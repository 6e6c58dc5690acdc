//! `GroupStore`: who is in a group, and what it is. Its invites are in invites.rs.

use async_trait::async_trait;
use domain::{ConversationId, ConversationType, GroupRefusal, Membership, UserId};
use service::Preferences;
use service::port::{
    Failure, GroupChange, GroupChanged, GroupError, GroupRequest, GroupStore, InviteRefusal,
};
use tokio_postgres::types::Type;

use crate::conversations::membership;
use crate::database::{Database, Parameter};
use crate::error::DatabaseError;
use crate::group_write::{Author, Found, give_up, lock_and_read, unchanged, write};
use crate::query;
use crate::row::{instant, is_digest, parsed};

/// Groups and the invites into them.
pub struct PgGroups {
    pub(crate) database: Database,
}

impl PgGroups {
    /// Over this database; nothing is opened yet.
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl GroupStore for PgGroups {
    async fn change(&self, request: GroupRequest) -> Result<GroupChanged, GroupError> {
        let GroupRequest { conversation_id, actor_id, change, message_ids, at } = request;
        let (found, named, absent) = match &change {
            GroupChange::Join { digest } if !is_digest(digest) => {
                return Err(GroupError::Invite(InviteRefusal::Unknown));
            }
            GroupChange::Join { digest } => {
                let absent = GroupError::Invite(InviteRefusal::Unknown);
                (Found::ByInvite(digest), vec![actor_id], absent)
            }
            GroupChange::Add(named) => {
                (Found::ById(conversation_id), named.clone(), GroupError::NotAMember)
            }
            _ => (Found::ById(conversation_id), Vec::new(), GroupError::NotAMember),
        };
        let mut lease = self.database.lease().await?;
        let standing = lock_and_read(&mut lease, found, actor_id, &named).await?;
        let judged = match &standing {
            Some(standing) => standing.judge(actor_id, &change, at),
            None => Err(absent),
        };
        match (standing, judged) {
            (Some(standing), Ok(plan)) if !plan.events.is_empty() => {
                let message_ids = message_ids.to_vec();
                let author = Author { user_id: actor_id, message_ids, at };
                Ok(write(&mut lease, standing, plan, &author).await?)
            }
            (standing, judged) => {
                give_up(&mut lease).await?;
                judged?;
                standing.map(unchanged).ok_or(GroupError::NotAMember)
            }
        }
    }

    async fn hide(&self, user: UserId, id: ConversationId) -> Result<bool, GroupError> {
        let parameters: [Parameter<'_>; 2] = [(&id.0, Type::UUID), (&user.0, Type::UUID)];
        let row = self.database.query_opt(query::HIDE_CONVERSATION, &parameters).await?;
        let Some(row) = row else { return Ok(false) };
        match parsed(&row, "type", str::parse)? {
            ConversationType::Direct => Ok(true),
            ConversationType::Group => Err(GroupError::Refused(GroupRefusal::NotAllowed)),
        }
    }

    async fn prefer(
        &self,
        user: UserId,
        id: ConversationId,
        preferences: Preferences,
    ) -> Result<Option<Membership>, Failure> {
        let Preferences { muted_until, archived, pinned } = preferences;
        let parameters: [Parameter<'_>; 6] = [
            (&id.0, Type::UUID),
            (&user.0, Type::UUID),
            (&muted_until.is_some(), Type::BOOL),
            (&muted_until.flatten().map(instant), Type::TIMESTAMPTZ),
            (&archived, Type::BOOL),
            (&pinned, Type::BOOL),
        ];
        let row = self.database.query_opt(query::PREFER, &parameters).await?;
        Ok(row.as_ref().map(membership).transpose()?)
    }
}

impl From<DatabaseError> for GroupError {
    fn from(error: DatabaseError) -> Self {
        Self::Failure(error.into())
    }
}
