//! `InviteStore`: making, listing, ending and looking at invites. They are used in groups.rs.

use std::str::FromStr;
use std::time::SystemTime;

use async_trait::async_trait;
use domain::{
    AvatarUrl, ConversationId, Description, GroupAction, InviteId, Timestamp, Title, UserId, limits,
};
use service::port::{GroupError, Invite, InvitePreview, InviteRefusal, InviteStore, NewInvite};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::database::Parameter;
use crate::error::DatabaseError;
use crate::group_change::InviteTerms;
use crate::group_write::{begin, give_up};
use crate::groups::PgGroups;
use crate::query;
use crate::row::{
    Read, column, count, instant, is_digest, parsed, parsed_opt, time, time_opt, user_id,
};

#[async_trait]
impl InviteStore for PgGroups {
    /// Under the conversation's lock, because the open ones are counted.
    async fn create(&self, invite: NewInvite) -> Result<Invite, GroupError> {
        let ids = vec![invite.conversation_id.0];
        let lock: [Parameter<'_>; 1] = [(&ids, Type::UUID_ARRAY)];
        let at = instant(invite.created_at);
        let standing: [Parameter<'_>; 3] = [
            (&invite.conversation_id.0, Type::UUID),
            (&invite.creator_id.0, Type::UUID),
            (&at, Type::TIMESTAMPTZ),
        ];
        let mut lease = self.database.lease().await?;
        let lock = (query::LOCK_CONVERSATIONS, &lock[..]);
        let rows = begin(&mut lease, lock, (query::INVITE_STANDING, &standing)).await?;
        if let Err(refusal) = may_create(rows.first()) {
            give_up(&mut lease).await?;
            return Err(refusal);
        }
        let max_uses = invite.max_uses.map(i64::from);
        let parameters: [Parameter<'_>; 7] = [
            (&invite.id.0, Type::UUID),
            (&invite.conversation_id.0, Type::UUID),
            (&invite.creator_id.0, Type::UUID),
            (&invite.digest, Type::TEXT),
            (&max_uses, Type::INT8),
            (&instant(invite.expires_at), Type::TIMESTAMPTZ),
            (&at, Type::TIMESTAMPTZ),
        ];
        let client = lease.client();
        let pipeline = async {
            let (written, committed) = tokio::join!(
                client.query_typed(query::INSERT_INVITE, &parameters),
                client.batch_execute("COMMIT"),
            );
            written?;
            committed
        };
        lease.settle(pipeline).await?;
        Ok(made(invite))
    }

    async fn list(
        &self,
        user: UserId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Vec<Invite>, GroupError> {
        self.check(user, id).await?;
        let most = i64::try_from(limits::INVITES_PER_GROUP).unwrap_or(i64::MAX);
        let now = instant(now);
        let parameters: [Parameter<'_>; 3] =
            [(&id.0, Type::UUID), (&most, Type::INT8), (&now, Type::TIMESTAMPTZ)];
        let rows = self.database.query(query::INVITES, &parameters).await?;
        let invites: Read<Vec<_>> = rows.iter().map(invite).collect();
        Ok(invites?)
    }

    async fn revoke(
        &self,
        user: UserId,
        id: ConversationId,
        invite: InviteId,
        now: Timestamp,
    ) -> Result<(), GroupError> {
        self.check(user, id).await?;
        let parameters: [Parameter<'_>; 3] =
            [(&id.0, Type::UUID), (&invite.0, Type::UUID), (&instant(now), Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::REVOKE_INVITE, &parameters).await?;
        row.map(|_| ()).ok_or(GroupError::Invite(InviteRefusal::Unknown))
    }

    async fn preview(
        &self,
        user: UserId,
        digest: &str,
        now: Timestamp,
    ) -> Result<InvitePreview, GroupError> {
        if !is_digest(digest) {
            return Err(GroupError::Invite(InviteRefusal::Unknown));
        }
        let parameters: [Parameter<'_>; 2] = [(&digest, Type::TEXT), (&user.0, Type::UUID)];
        let row = self.database.query_opt(query::PREVIEW_INVITE, &parameters).await?;
        let row = row.ok_or(GroupError::Invite(InviteRefusal::Unknown))?;
        terms(&row)?.check(now).map_err(GroupError::Invite)?;
        Ok(preview(&row)?)
    }
}

impl PgGroups {
    /// Whether they may look after the invites. Who loses the right at this moment was in time.
    async fn check(&self, user: UserId, id: ConversationId) -> Result<(), GroupError> {
        let no_matter: Option<SystemTime> = None;
        let parameters: [Parameter<'_>; 3] =
            [(&id.0, Type::UUID), (&user.0, Type::UUID), (&no_matter, Type::TIMESTAMPTZ)];
        let row = self.database.query_opt(query::INVITE_STANDING, &parameters).await?;
        may_invite(row.as_ref())
    }
}

fn may_invite(standing: Option<&Row>) -> Result<(), GroupError> {
    let row = standing.ok_or(GroupError::NotAMember)?;
    let role = parsed(row, "role", FromStr::from_str)?;
    let conversation_type = parsed(row, "type", FromStr::from_str)?;
    GroupAction::Invite.check(role, conversation_type).map_err(GroupError::Refused)
}

fn may_create(standing: Option<&Row>) -> Result<(), GroupError> {
    may_invite(standing)?;
    let open = standing.map_or(Ok(0), |row| count(row, "open"))?;
    let is_full = open as usize >= limits::INVITES_PER_GROUP;
    if is_full { Err(GroupError::TooManyInvites) } else { Ok(()) }
}

fn made(invite: NewInvite) -> Invite {
    Invite {
        id: invite.id,
        creator_id: invite.creator_id,
        uses: 0,
        max_uses: invite.max_uses,
        expires_at: invite.expires_at,
        created_at: invite.created_at,
        revoked_at: None,
    }
}

fn max_uses(row: &Row) -> Read<Option<u32>> {
    let most: Option<i64> = column(row, "max_uses")?;
    let most = most.map(u32::try_from).transpose();
    most.map_err(|_| DatabaseError::unreadable("invites.max_uses"))
}

fn terms(row: &Row) -> Read<InviteTerms> {
    let uses = count(row, "uses")?;
    Ok(InviteTerms {
        is_revoked: time_opt(row, "revoked_at")?.is_some(),
        expires_at: time(row, "expires_at")?,
        is_used_up: max_uses(row)?.is_some_and(|most| uses >= most),
    })
}

fn invite(row: &Row) -> Read<Invite> {
    Ok(Invite {
        id: InviteId(column(row, "id")?),
        creator_id: user_id(row, "creator_id")?,
        uses: count(row, "uses")?,
        max_uses: max_uses(row)?,
        expires_at: time(row, "expires_at")?,
        created_at: time(row, "created_at")?,
        revoked_at: time_opt(row, "revoked_at")?,
    })
}

fn preview(row: &Row) -> Read<InvitePreview> {
    Ok(InvitePreview {
        conversation_id: ConversationId(column(row, "conversation_id")?),
        title: parsed(row, "title", Title::parse)?,
        description: parsed_opt(row, "description", Description::parse)?,
        avatar_url: parsed_opt(row, "avatar_url", AvatarUrl::parse)?,
        member_count: count(row, "member_count")?,
        is_member: column(row, "is_member")?,
    })
}
