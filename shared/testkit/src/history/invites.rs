//! `InviteStore`.

use std::cmp::Reverse;

use async_trait::async_trait;
use domain::{ConversationId, GroupAction, InviteId, Timestamp, UserId, limits};
use service::port::{GroupError, Invite, InvitePreview, InviteRefusal, InviteStore, NewInvite};

use super::{FakeHistory, State};

pub(super) struct Kept {
    pub(super) conversation_id: ConversationId,
    digest: String,
    pub(super) shown: Invite,
}

impl Kept {
    fn is_used_up(&self) -> bool {
        self.shown.max_uses.is_some_and(|most| self.shown.uses >= most)
    }

    pub(super) fn check_uses(&self) -> Result<(), GroupError> {
        if self.is_used_up() { Err(GroupError::Invite(InviteRefusal::UsedUp)) } else { Ok(()) }
    }

    /// Nobody comes in by it from then on.
    pub(super) fn ended_at(&self) -> Timestamp {
        let expires_at = self.shown.expires_at;
        self.shown.revoked_at.map_or(expires_at, |at| at.min(expires_at))
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.shown.revoked_at.is_none() && now < self.shown.expires_at && !self.is_used_up()
    }
}

impl State {
    /// By the digest of its token, whether it is used up or not.
    pub(super) fn valid_invite(&self, digest: &str, now: Timestamp) -> Result<&Kept, GroupError> {
        let refused = |refusal| Err(GroupError::Invite(refusal));
        match self.invites.values().find(|kept| kept.digest == digest) {
            None => refused(InviteRefusal::Unknown),
            Some(kept) if kept.shown.revoked_at.is_some() => refused(InviteRefusal::Revoked),
            Some(kept) if kept.shown.expires_at <= now => refused(InviteRefusal::Expired),
            Some(kept) => Ok(kept),
        }
    }

    fn may_invite(&self, user: UserId, id: ConversationId) -> Result<(), GroupError> {
        let (room, seat) = self.room_of(user, id).ok_or(GroupError::NotAMember)?;
        let checked = GroupAction::Invite.check(seat.role, room.conversation.conversation_type);
        checked.map_err(GroupError::Refused)
    }
}

#[async_trait]
impl InviteStore for FakeHistory {
    async fn create(&self, invite: NewInvite) -> Result<Invite, GroupError> {
        let mut state = self.reach()?;
        let NewInvite { id, conversation_id, creator_id, digest, .. } = invite;
        state.may_invite(creator_id, conversation_id)?;
        let of_it = state.invites.values().filter(|kept| kept.conversation_id == conversation_id);
        let open = of_it.filter(|kept| kept.is_open(invite.created_at)).count();
        if open >= limits::INVITES_PER_GROUP {
            return Err(GroupError::TooManyInvites);
        }
        let shown = Invite {
            id,
            creator_id,
            uses: 0,
            max_uses: invite.max_uses,
            expires_at: invite.expires_at,
            created_at: invite.created_at,
            revoked_at: None,
        };
        state.invites.insert(id, Kept { conversation_id, digest, shown: shown.clone() });
        Ok(shown)
    }

    async fn list(
        &self,
        user: UserId,
        id: ConversationId,
        now: Timestamp,
    ) -> Result<Vec<Invite>, GroupError> {
        let state = self.reach()?;
        state.may_invite(user, id)?;
        let of_it = state.invites.values().filter(|kept| kept.conversation_id == id);
        let mut listed: Vec<&Kept> = of_it.filter(|kept| kept.shown.revoked_at.is_none()).collect();
        let rank = |kept: &&Kept| (kept.is_open(now), kept.shown.created_at, kept.shown.id);
        listed.sort_by_key(|kept| Reverse(rank(kept)));
        listed.truncate(limits::INVITES_PER_GROUP);
        Ok(listed.into_iter().map(|kept| kept.shown.clone()).collect())
    }

    async fn revoke(
        &self,
        user: UserId,
        id: ConversationId,
        invite: InviteId,
        now: Timestamp,
    ) -> Result<(), GroupError> {
        let mut state = self.reach()?;
        state.may_invite(user, id)?;
        let kept = state.invites.get_mut(&invite).filter(|kept| kept.conversation_id == id);
        let kept = kept.ok_or(GroupError::Invite(InviteRefusal::Unknown))?;
        kept.shown.revoked_at.get_or_insert(now);
        Ok(())
    }

    async fn preview(
        &self,
        user: UserId,
        digest: &str,
        now: Timestamp,
    ) -> Result<InvitePreview, GroupError> {
        let state = self.reach()?;
        let kept = state.valid_invite(digest, now)?;
        kept.check_uses()?;
        let unknown = GroupError::Invite(InviteRefusal::Unknown);
        let room = state.rooms.get(&kept.conversation_id).ok_or(unknown)?;
        let conversation = room.seen();
        let unknown = GroupError::Invite(InviteRefusal::Unknown);
        Ok(InvitePreview {
            conversation_id: conversation.id,
            title: conversation.title.ok_or(unknown)?,
            description: conversation.description,
            avatar_url: conversation.avatar_url,
            member_count: conversation.member_count,
            is_member: room.seat_of(user).is_some(),
        })
    }
}
